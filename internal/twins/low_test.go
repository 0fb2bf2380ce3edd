package twins

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// tick lets the clock go, and waits for the frames that workers make of it.
func (w *world) tick() error {
	w.clock.forward(stride)
	if w.ticks == worker.Input {
		return nil
	}
	for p := range w.expected {
		w.expected[p]++
		if err := w.committed(p); err != nil {
			return err
		}
	}
	return nil
}

// errTurnedAway: a cell takes no reports. In a world without faults it is one.
var errTurnedAway = errors.New("a low cell takes no reports")

// submitLow sends one report and waits for its answer and for what becomes of it.
func (w *world) submitLow(s submission) error {
	nc := w.agencies[s.cell+" "+s.agency]
	if nc == nil {
		return fmt.Errorf("%s has no credential in %s", s.agency, s.cell)
	}
	w.submitted++
	w.asking.Store(&s)
	defer w.asking.Store(nil)
	begin := time.Now()
	sid, err := nc.ask(s.subject, s.data)
	if err != nil {
		return err
	}
	if !submits(s) {
		// The server refuses it: nobody answers.
		return nc.flush()
	}
	list, err := nc.answers(sid, 1)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", s.note, s.agency, err)
	}
	w.latency = append(w.latency, time.Since(begin))
	w.answered[s.cell]++
	a, err := admission.ParseAnswer(list[0].data)
	if err != nil {
		return err
	}
	if a.Error != nil && a.Error.ErrorCode == admission.ErrUnavailable {
		return fmt.Errorf("%s of %s: %w: %s", s.note, s.agency, errTurnedAway, a.Error.Description)
	}
	if a.Error != nil || a.Duplicate {
		return nil
	}
	w.admitted++
	return w.stored(s)
}

// submits says whether the server lets the agency publish there.
func submits(s submission) bool {
	x, err := subject.ParseSubmit(s.subject)
	return err == nil && x.Agency == s.agency
}

// stored waits until the workers that may read a report have made a frame of it.
func (w *world) stored(s submission) error {
	at := storedAt(s, mustLabel(w.plan.policy, s.cell))
	for _, reader := range w.plan.low {
		if reader != s.cell && (!slices.Contains(w.plan.policy.Dominated(reader), s.cell) || at.Orcon && !slices.Contains(at.OrconCells, reader)) {
			continue
		}
		p := place{reader, s.report.GetStatus()}
		w.expected[p]++
		if err := w.committed(p); err != nil {
			return fmt.Errorf("%s of %s: %w", s.note, s.agency, err)
		}
		channel := subject.Open
		if at.Orcon {
			channel = subject.Controlled
		}
		if err := w.delivered(p, s.cell, channel); err != nil {
			return err
		}
	}
	for _, r := range w.lowReaders() {
		if !slices.Contains(w.plan.policy.Readable(r.Name), s.cell) {
			continue
		}
		if at.Orcon && !slices.Contains(r.Cells, s.cell) && !slices.ContainsFunc(r.Cells, func(c string) bool { return slices.Contains(at.OrconCells, c) }) {
			continue
		}
		for _, f := range r.Feeds {
			sel := subject.Feed{Status: f.Status, Kind: f.Kind, State: f.State, County: f.County, Agency: f.Agency}
			if sel.Matches(at) {
				w.waiting[feedKey(s.cell, r.Name, f.Name)]++
			}
		}
	}
	return nil
}

func storedAt(s submission, l label.Label) subject.Stored {
	state, county := subject.Area(s.report)
	return subject.StoredOf(subject.SubmissionOf(s.report, state, county), s.cell, l, s.report.GetLabel())
}

// pull takes what waits in a feed, acknowledges it and asks how the feed is.
func (w *world) pull(cell, reader, feed string) error {
	nc, name := w.readers[cell+" "+reader], subject.FeedConsumer(reader, feed)
	key := feedKey(cell, reader, feed)
	if n := w.waiting[key]; n > 0 {
		body, err := json.Marshal(map[string]any{"batch": n, "expires": patience})
		if err != nil {
			return err
		}
		sid, err := nc.ask("$JS.API.CONSUMER.MSG.NEXT."+subject.Reports+"."+name, body)
		if err != nil {
			return err
		}
		list, err := nc.answers(sid, n)
		if err != nil {
			return fmt.Errorf("pull %d of %s: %w", n, key, err)
		}
		for _, m := range list {
			if _, err := nc.request(m.reply, []byte("+ACK")); err != nil {
				return err
			}
		}
		w.waiting[key] = 0
	}
	_, err := nc.request(consumerInfo(name), nil)
	return err
}
