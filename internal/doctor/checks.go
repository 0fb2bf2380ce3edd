package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker/stream"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	// skewed is how far the broker's clock may be from this one.
	skewed = 2 * time.Second
	// rateOver and rateOf are what a rate of growth is worth saying from.
	rateOver = time.Hour
	rateOf   = 1 << 20
)

// clock: it agrees with the broker's, and nothing is stored in its future.
func (e *examination) clock() {
	const check = "clock"
	var ahead time.Duration
	var where string
	var skew time.Duration
	for _, c := range e.cells {
		if c.skew.Abs() > skew.Abs() {
			skew = c.skew
		}
		for name, s := range c.streams {
			if d := s.State.LastTime.Sub(e.Now()); s.State.Msgs > 0 && d > ahead {
				ahead, where = d, c.name+" "+name
			}
		}
	}
	limit := time.Minute
	if e.Policy != nil {
		limit = e.Policy.Limits.MaxClockSkew
	}
	follows, known := synchronized()
	switch {
	case ahead > skewed:
		e.say(check, Fail, fmt.Sprintf("the newest message of %s was stored %s from now: the clock was set back", where, ahead.Round(time.Second)), "set the clock right (chronyc tracking); until then times and retention are wrong")
	case skew.Abs() > limit:
		e.say(check, Fail, fmt.Sprintf("the broker's clock is %s away from this one: reports of right clocks are refused", skew.Round(time.Second)), "set both by the same source")
	case skew.Abs() > skewed:
		e.say(check, Warn, fmt.Sprintf("the broker's clock is %s away from this one", skew.Round(time.Second)), "set both by the same source")
	case known && !follows:
		e.say(check, Warn, "the system does not say that its clock follows another", "run chrony or another time service; in a container see to the host's")
	default:
		e.say(check, OK, "nothing is stored in its future", "")
	}
}

// streams: they are there as the policy wants them, and grow at a rate.
func (e *examination) streams() {
	const check = "streams"
	var bad []string
	messages, n := uint64(0), 0
	for _, c := range e.cells {
		for _, want := range stream.Desired(e.Policy, c.name, e.inlets(c.name)).Streams {
			n++
			s, ok := c.streams[want.Name]
			if !ok {
				bad = append(bad, c.name+" "+want.Name+" is missing")
				continue
			}
			messages += s.State.Msgs
			if s.Config.MaxAge != want.MaxAge || !slices.Equal(s.Config.Subjects, want.Subjects) {
				bad = append(bad, c.name+" "+want.Name+" is not as the policy wants it")
			}
		}
	}
	if len(bad) > 0 {
		e.say(check, Fail, some(bad), "start or reload the broker with this policy; what is lost, restore from a backup", bad...)
		return
	}
	e.say(check, OK, fmt.Sprintf("%d in %d cells, %d messages", n, len(e.cells), messages), "")
}

// growth is how many bytes are stored a second, over all that is stored.
func (e *examination) growth() (rate float64) {
	for _, c := range e.cells {
		for _, s := range c.streams {
			if over := s.State.LastTime.Sub(s.State.FirstTime); over > rateOver && s.State.Bytes > rateOf {
				rate += float64(s.State.Bytes) / over.Seconds()
			}
		}
	}
	return rate
}

// quota: no cell comes to the end of what the policy lets it store.
func (e *examination) quota() {
	const check = "quota"
	level, bounded := OK, 0
	var near []string
	for _, c := range e.cells {
		if c.usage.Limits.Max <= 0 {
			continue
		}
		bounded++
		part := float64(c.usage.Storage) / float64(c.usage.Limits.Max)
		switch {
		case part >= 0.95:
			level = Fail
		case part >= 0.8:
			level = max(level, Warn)
		default:
			continue
		}
		near = append(near, fmt.Sprintf("%s has stored %.0f%% of %s", c.name, 100*part, bytes(uint64(c.usage.Limits.Max))))
	}
	switch {
	case bounded == 0:
		e.say(check, OK, "no cell has one", "")
	case level == OK:
		e.say(check, OK, fmt.Sprintf("%d cells have one, none is near its end", bounded), "")
	default:
		e.say(check, level, some(near), "raise the cell's quota in the policy, or shorten retention: a full cell refuses reports", near...)
	}
}

// staging: batches are staged in memory.
func (e *examination) staging() {
	const check = "staging"
	links, err := filepath.Glob(filepath.Join(e.DataDir, "store", "jetstream", "*", "streams", subject.Reports, "batches"))
	memory := 0
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil {
			if _, err := os.Stat(to); err == nil {
				memory++
			}
		}
	}
	if err != nil || memory < len(e.cells) {
		e.say(check, Warn, fmt.Sprintf("batches of %d of %d cells are staged on disk: slower, nothing else", len(e.cells)-memory, len(e.cells)), "give /dev/shm more room (48 MiB a cell) and start the broker again")
		return
	}
	e.say(check, OK, "batches are staged in memory", "")
}

// health asks the listener of every cell: its guard takes reports, its pictures
// are live.
func (e *examination) health(ctx context.Context) {
	const check = "guards and pictures"
	if len(e.Broker.Pages) == 0 {
		return
	}
	var bad []string
	for _, c := range e.cells {
		url, ok := e.Broker.Pages[c.name]
		if !ok {
			bad = append(bad, c.name+" has no listener")
			continue
		}
		if what := askHealth(ctx, url); what != "ok" {
			bad = append(bad, c.name+" is "+what)
		}
	}
	if len(bad) > 0 {
		e.say(check, Fail, some(bad), "look into the broker's log; restart it if it does not recover", bad...)
		return
	}
	e.say(check, OK, fmt.Sprintf("%d cells take reports and show live pictures", len(e.cells)), "")
}

func askHealth(ctx context.Context, url string) string {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(url, "/")+"/healthz", nil)
	if err != nil {
		return err.Error()
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "not answering: " + err.Error()
	}
	defer resp.Body.Close()
	var h struct {
		Status string `json:"status"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&h); err != nil {
		return "answering something else: " + resp.Status
	}
	return h.Status
}

// workers: every picture is made, by a worker that keeps up, and another one
// stands by.
func (e *examination) workers() {
	const made, spare = "workers", "standby"
	var none, slow, alone []string
	for _, c := range e.cells {
		for _, status := range e.Statuses {
			name := c.name + " " + subject.StatusToken(status)
			switch seats := seated(c, status); len(seats) {
			case 0:
				none = append(none, name)
			case 1:
				alone = append(alone, name)
				slow = append(slow, e.behind(c, status, seats)...)
			default:
				slow = append(slow, e.behind(c, status, seats)...)
			}
		}
	}
	switch {
	case len(none) > 0:
		e.say(made, Fail, "nobody makes the picture of "+some(none), "start \"watchfloor worker\", or \"up\" without --without-workers", none...)
	case len(slow) > 0:
		e.say(made, Fail, some(slow), "look at the worker's log and at the load of the machine; a worker that hangs, restart", slow...)
	default:
		e.say(made, OK, "every picture is made, nothing waits for long", "")
	}
	if len(alone) > 0 {
		e.say(spare, Warn, "nobody stands by for "+some(alone), "run \"watchfloor worker\" beside the broker: it takes over within two seconds", alone...)
	} else if len(none) == 0 {
		e.say(spare, OK, "every picture has two workers", "")
	}
}

// seated lists the seats in which a worker of the cell sits: it asks for
// records, or takes some.
func seated(c *cell, status wf.Status) (out []subject.Seat) {
	for _, seat := range subject.Seats {
		if slices.ContainsFunc(subject.Channels, func(x subject.Channel) bool { return c.busy[seat.Consumer(c.name, status, x)] }) {
			out = append(out, seat)
		}
	}
	return out
}

func moved(before, after *jetstream.ConsumerInfo) bool {
	return before.Delivered.Consumer != after.Delivered.Consumer || before.AckFloor.Consumer != after.AckFloor.Consumer
}

// behind lists the consumers of a cell's workers, in every cell they read, in
// which records wait and were not taken between two looks, nor for a while.
func (e *examination) behind(c *cell, status wf.Status, seats []subject.Seat) (out []string) {
	for _, from := range e.cells {
		if from != c && !slices.Contains(e.Policy.Dominated(c.name), from.name) {
			continue
		}
		for _, seat := range seats {
			for _, channel := range subject.Channels {
				name := seat.Consumer(c.name, status, channel)
				if what := e.stands(from.consumers[name], from.later[name]); what != "" {
					out = append(out, fmt.Sprintf("%s of %s: %s", name, from.name, what))
				}
			}
		}
	}
	return out
}

// stands says what waits at a consumer that stands still; empty: it does not.
func (e *examination) stands(before, after *jetstream.ConsumerInfo) string {
	if before == nil || after == nil || after.NumPending == 0 && after.NumAckPending == 0 || moved(before, after) {
		return ""
	}
	last := after.Created
	for _, t := range []*time.Time{after.Delivered.Last, after.AckFloor.Last} {
		if t != nil && t.After(last) {
			last = *t
		}
	}
	idle := after.TimeStamp.Sub(last)
	if idle < e.Stalled {
		return ""
	}
	return fmt.Sprintf("%d wait and %d are not acknowledged, nothing taken for %s, last delivered is %d", after.NumPending, after.NumAckPending, idle.Round(time.Second), after.Delivered.Stream)
}

// readers: who has begun to read a feed goes on.
func (e *examination) readers() {
	const check = "readers"
	var stalled []string
	feeds, never := 0, 0
	for _, c := range e.cells {
		for _, r := range e.Policy.Readers {
			for _, f := range r.Feeds {
				name := subject.FeedConsumer(r.Name, f.Name)
				after := c.later[name]
				if after == nil {
					continue
				}
				feeds++
				if after.Delivered.Consumer == 0 {
					never++
					continue
				}
				if what := e.stands(c.consumers[name], after); what != "" {
					stalled = append(stalled, fmt.Sprintf("%s in %s: %s", name, c.name, what))
				}
			}
		}
	}
	if len(stalled) > 0 {
		e.say(check, Warn, some(sortedItems(stalled)), "see to the reader's system: it loses nothing until retention ends", stalled...)
		return
	}
	e.say(check, OK, fmt.Sprintf("%d feeds, %d of them never read, none stands still", feeds, never), "")
}

// silent: agencies are heard as often as the policy expects.
func (e *examination) silent() {
	const check = "feeds"
	var quiet, unread []string
	expected := 0
	born := e.Now()
	if info, err := os.Stat(filepath.Join(e.DataDir, "FORMAT")); err == nil {
		born = info.ModTime() // written once, when the store was made
	}
	for _, c := range e.cells {
		if c.noPicture != nil {
			unread = append(unread, c.name+": "+c.noPicture.Error())
			continue
		}
		for agency, every := range e.Policy.Expected(c.name) {
			expected++
			last, ever := c.heard[agency]
			if !ever {
				last = born
			}
			switch idle := e.Now().Sub(last); {
			case idle <= every:
			case ever:
				quiet = append(quiet, fmt.Sprintf("%s in %s for %s, expected every %s", agency, c.name, days(idle), every))
			default:
				quiet = append(quiet, fmt.Sprintf("%s in %s was never heard, expected every %s", agency, c.name, every))
			}
		}
	}
	switch {
	case len(unread) > 0:
		e.say(check, Fail, "pictures cannot be read: "+some(unread), "look at the worker's log", unread...)
	case len(quiet) > 0:
		e.say(check, Warn, fmt.Sprintf("%d of %d are silent: %s", len(quiet), expected, some(sortedItems(quiet))), "ask the agency, or correct expect_every in the policy", quiet...)
	default:
		e.say(check, OK, fmt.Sprintf("%d agencies are expected, all were heard in time", expected), "")
	}
}
