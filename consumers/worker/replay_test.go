package worker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var (
	day     = time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)
	windows = map[wf.Kind]time.Duration{wf.Kind_KIND_SAR: 40 * time.Second, wf.Kind_KIND_INCIDENT: 3 * time.Minute}
)

func fresh() Engine {
	return fusion.New(fusion.Config{Status: wf.Status_STATUS_ACTUAL, Windows: windows})
}

// story is a random history of two cells' streams, two channels each.
type story struct {
	streams [4][]stamped
	now     time.Time
}

var channels = []struct {
	cell    string
	channel subject.Channel
}{{"le", subject.Open}, {"le", subject.Controlled}, {"open", subject.Open}, {"open", subject.Controlled}}

func storyID(i int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", i) }

// report is one of few who share few phones, so that they make situations.
func storyReport(t *rapid.T, id int, revision uint64, at time.Time) *wf.Report {
	r := &wf.Report{
		Id: storyID(id), Revision: revision, Agency: "fbi", Status: wf.Status_STATUS_ACTUAL, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Kind:      rapid.SampledFrom([]wf.Kind{wf.Kind_KIND_SAR, wf.Kind_KIND_INCIDENT}).Draw(t, "kind"),
		EventTime: &wf.TimeRange{Start: timestamppb.New(at)},
		Entities: []*wf.Entity{{Detail: &wf.Entity_Person{Person: &wf.Person{Names: []*wf.PersonName{{Given: "Ada", Family: "Quill"}}}},
			Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: fmt.Sprintf("+1601555010%d", rapid.IntRange(0, 3).Draw(t, "phone"))}}}},
	}
	if rapid.IntRange(0, 4).Draw(t, "withdrawn") == 0 {
		r.State = wf.ReportState_REPORT_STATE_WITHDRAWN
	}
	return r
}

func (s *story) add(src int, r record) {
	r.sequence = uint64(len(s.streams[src]) + 1)
	s.streams[src] = append(s.streams[src], stamped{r, s.now})
}

// tell draws a history. A report has one stream for good, so that its records have one order.
func tell(t *rapid.T) *story {
	s := &story{now: day}
	revision := map[int]uint64{}
	for range rapid.IntRange(1, 40).Draw(t, "records") {
		s.now = s.now.Add(time.Duration(rapid.IntRange(0, 15000).Draw(t, "later")) * time.Millisecond)
		id := rapid.IntRange(0, 9).Draw(t, "report")
		src := id % len(s.streams)
		facts := admission.Record{ID: storyID(id), Revision: revision[id], Received: s.now}
		switch what := rapid.IntRange(0, 11).Draw(t, "what"); {
		case what == 0:
			facts.Event = admission.Purged
			revision[id] = 0
			s.add(src, record{agency: "fbi", facts: facts})
		case what == 1:
			facts.Event = admission.Expired
			revision[id] = 0
			s.add(src, record{agency: "fbi", facts: facts})
		default:
			revision[id]++
			facts.Revision = revision[id]
			// A revision that moved: followed by itself, or gone where nobody here reads.
			if facts.Revision > 1 && what <= 4 {
				facts.Event = admission.Moved
				s.add(src, record{agency: "fbi", facts: facts})
				if what <= 3 {
					continue
				}
			}
			r := storyReport(t, id, facts.Revision, s.now.Add(-time.Duration(rapid.IntRange(0, 60).Draw(t, "ago"))*time.Second))
			if what == 11 {
				r.ReportTime = timestamppb.New(s.now)
			}
			facts.Event, facts.Withdrawn = admission.Admitted, r.State == wf.ReportState_REPORT_STATE_WITHDRAWN
			s.add(src, record{agency: "fbi", facts: facts, report: r})
		}
	}
	return s
}

// replayOf runs a replay over the story; the streams arrive in any order between them.
func replayOf(t *rapid.T, s *story, clock Clock, cut Cut) *Replayed {
	conf := &Config{Cell: "le", Status: wf.Status_STATUS_ACTUAL, Clock: clock, NewEngine: fresh, Log: zap.NewNop(), Now: time.Now,
		Metrics: NewMetrics("le", wf.Status_STATUS_ACTUAL)}
	r := &replay{session: &session{Config: conf, aside: map[position]string{}, engine: fresh(), feeds: newFeeds()}, cut: cut,
		purges: map[purgeKey]*wf.Purge{}, gone: map[purgeKey]int{}}
	for _, c := range channels {
		src := &source{cell: c.cell, channel: c.channel}
		r.sources = append(r.sources, src)
		r.bounds = append(r.bounds, cut.bound(clock, src))
	}
	r.session.done, r.moved = make([]uint64, 4), make([]*record, 4)
	r.unacked = make([]string, 4)
	next := [4]int{}
	for left := true; left; {
		left = false
		for i := range s.streams {
			n := rapid.IntRange(0, 3).Draw(t, "take")
			for ; n > 0 && next[i] < len(s.streams[i]); n-- {
				x := s.streams[i][next[i]]
				if err := r.one(i, &x); err != nil {
					t.Fatal(err)
				}
				next[i]++
			}
			left = left || next[i] < len(s.streams[i])
		}
	}
	out, err := r.finish()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// live is, the obvious way, which reports are live when only the first n[i]
// records of each stream are known, less what is taken out later.
func (s *story) live(n [4]int) []fusion.Input {
	var out []fusion.Input
	for i, stream := range s.streams {
		for id := range 10 {
			var newest *wf.Report
			var left uint64
			for at, x := range stream {
				if x.facts.ID != storyID(id) {
					continue
				}
				taken := x.facts.Event == admission.Purged || x.facts.Event == admission.Expired
				switch {
				case taken:
					newest, left = nil, 0
				case at >= n[i]:
				case x.facts.Event == admission.Moved:
					left = max(left, x.facts.Revision)
				case newest == nil || x.report.GetRevision() > newest.GetRevision():
					newest = x.report
				}
			}
			if newest != nil && newest.GetRevision() >= left && newest.State == wf.ReportState_REPORT_STATE_ACTIVE {
				out = append(out, fusion.Input{Cell: channels[i].cell, Report: proto.Clone(newest).(*wf.Report)})
			}
		}
	}
	return out
}

func pictureOf(t *rapid.T, in []fusion.Input, tick time.Time) [32]byte {
	e := fresh()
	for _, i := range rapid.Permutation(in).Draw(t, "order") {
		e.Apply(i)
	}
	e.Tick(tick)
	e.Commit()
	return e.Digest()
}

// As of T by replay is the picture of the reports live by the records stored at
// or before T, less what was taken out since, ticked at floor(T).
func TestReplayIsThePictureOfWhatWasStored(t *testing.T) {
	situations := 0
	rapid.Check(t, func(t *rapid.T) {
		s := tell(t)
		at := day.Add(time.Duration(rapid.Int64Range(-1000, s.now.Sub(day).Milliseconds()+60000).Draw(t, "as of")) * time.Millisecond)
		if all := slices.Concat(s.streams[0], s.streams[1], s.streams[2], s.streams[3]); rapid.Bool().Draw(t, "to the moment") {
			at = rapid.SampledFrom(all).Draw(t, "record").stored
		}
		var n [4]int
		for i, stream := range s.streams {
			n[i] = len(slices.Collect(func(yield func(int) bool) {
				for j, x := range stream {
					if !x.stored.After(at) && !yield(j) {
						return
					}
				}
			}))
		}
		got := replayOf(t, s, Wall, Cut{AsOf: at})
		if want := pictureOf(t, s.live(n), at.Truncate(Grid)); got.Picture.Digest() != want {
			t.Fatalf("as of %s: %d situations, another picture than that of the live reports", at, got.Picture.Len())
		}
		if want := at.Truncate(Grid); !got.Picture.Tick().Equal(want) {
			t.Fatalf("as of %s: tick %s, want %s", at, got.Picture.Tick(), want)
		}
		situations += got.Picture.Len()
	})
	if situations == 0 {
		t.Error("no history left a situation: this test shows nothing")
	}
}

// The replay up to a checkpoint is what a worker that has read so far shows.
func TestReplayOfACheckpoint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := tell(t)
		tick := day.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "tick")) * Grid)
		var n [4]int
		cut := Cut{Checkpoint: []*wf.Position{}, Tick: tick}
		for i, stream := range s.streams {
			n[i] = rapid.IntRange(0, len(stream)).Draw(t, "read")
			cut.Checkpoint = append(cut.Checkpoint, &wf.Position{Cell: channels[i].cell, Channel: string(channels[i].channel), Sequence: uint64(n[i])})
		}
		got := replayOf(t, s, Wall, cut)
		if want := pictureOf(t, s.live(n), tick); got.Picture.Digest() != want {
			t.Fatalf("at %v: another picture than that of the live reports", n)
		}
	})
}

// By the input's clock the picture is that of the reports that name a time at
// or before T, in whatever order they were stored.
func TestReplayByTheInputsClock(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &story{now: day}
		var in []fusion.Input
		at := day.Add(time.Duration(rapid.IntRange(-10, 400).Draw(t, "as of")) * time.Second)
		for id := range rapid.IntRange(1, 20).Draw(t, "reports") {
			r := storyReport(t, id, 1, day.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "event"))*time.Second))
			r.State = wf.ReportState_REPORT_STATE_ACTIVE
			if rapid.Bool().Draw(t, "told later") {
				r.ReportTime = timestamppb.New(r.EventTime.Start.AsTime().Add(time.Minute))
			}
			x := record{agency: "fbi", facts: admission.Record{Event: admission.Admitted, ID: r.Id, Revision: 1}, report: r}
			s.add(id%4, x)
			if !inputTime(&x).After(at) {
				in = append(in, fusion.Input{Cell: channels[id%4].cell, Report: r})
			}
		}
		got := replayOf(t, s, Input, Cut{AsOf: at})
		if want := pictureOf(t, in, at.Truncate(Grid)); got.Picture.Digest() != want {
			t.Fatalf("as of %s: another picture than that of the reports of by then", at)
		}
		if got.Records != uint64(len(in)) {
			t.Fatalf("%d records, want %d", got.Records, len(in))
		}
	})
}

// A report that moved to where another source reads it, and was purged there
// later, is not shown, whichever source is read first.
func TestPurgeReadBeforeTheReport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &story{now: day}
		r := storyReport(t, 0, 1, day)
		r.State = wf.ReportState_REPORT_STATE_ACTIVE
		s.add(0, record{agency: "fbi", facts: admission.Record{Event: admission.Admitted, ID: r.Id, Revision: 1}, report: r})
		s.now = day.Add(time.Second)
		s.add(0, record{agency: "fbi", facts: admission.Record{Event: admission.Moved, ID: r.Id, Revision: 2}})
		s.now = day.Add(time.Minute)
		s.add(1, record{agency: "fbi", facts: admission.Record{Event: admission.Purged, ID: r.Id, Revision: 2}})
		got := replayOf(t, s, Wall, Cut{AsOf: day})
		if got.Picture.Len() != 0 {
			t.Fatal("a purged report is shown")
		}
		if len(got.Purges) != 1 || got.Removed != 1 || got.Purges[0].ReportId != r.Id || got.Purges[0].Cell != "le" || !got.Purges[0].Purged.AsTime().Equal(s.now) {
			t.Fatalf("told of %d removed, %v", got.Removed, got.Purges)
		}
	})
}
