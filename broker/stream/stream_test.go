package stream

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func inlet(stream string) subject.Inlet { return subject.NewInlet(strings.ToLower(stream)) }

// after is what an account holds once a plan is applied.
func after(have Have, plan []Action) Have {
	out := Have{Streams: map[string]jetstream.StreamConfig{}, Consumers: map[string]jetstream.ConsumerConfig{}}
	for n, s := range have.Streams {
		out.Streams[n] = s
	}
	for n, c := range have.Consumers {
		out.Consumers[n] = c
	}
	for _, a := range plan {
		switch a.Verb {
		case CreateStream, UpdateStream:
			out.Streams[a.Name] = a.Stream
		case CreateConsumer, UpdateConsumer, ReplaceConsumer:
			out.Consumers[a.Name] = a.Consumer
		case DeleteConsumer:
			delete(out.Consumers, a.Name)
		}
	}
	return out
}

func steps(plan []Action) []string {
	var out []string
	for _, a := range plan {
		out = append(out, string(a.Verb)+" "+a.Name)
	}
	return out
}

func TestPlan(t *testing.T) {
	p := policy.Default()
	want := Desired(p, "le", inlet)
	fresh := Plan(want, Have{})
	if got := len(fresh); got != 5+54+9 {
		t.Errorf("a new account takes %d steps: %v", got, steps(fresh))
	}
	full := after(Have{}, fresh)
	if got := steps(Plan(want, full)); got != nil {
		t.Errorf("what is there is done again: %v", got)
	}
	for _, c := range []struct {
		name string
		edit func(Have)
		want []string
	}{
		{"a stream of somebody's", func(h Have) { h.Streams["MINE"] = jetstream.StreamConfig{Name: "MINE"} }, nil},
		{"a guard's own consumer", func(h Have) { h.Consumers["guard_x"] = jetstream.ConsumerConfig{Name: "guard_x"} }, nil},
		{"a feed the policy does not name", func(h Have) { h.Consumers["feed_gone_all"] = jetstream.ConsumerConfig{Name: "feed_gone_all"} }, []string{"delete consumer feed_gone_all"}},
		{"a worker of a cell that is gone", func(h Have) { h.Consumers["fusion_gone_actual"] = jetstream.ConsumerConfig{Name: "fusion_gone_actual"} }, []string{"delete consumer fusion_gone_actual"}},
		{"other filters", func(h Have) {
			c := h.Consumers["feed_watch-le_all"]
			c.FilterSubjects = []string{">"}
			h.Consumers["feed_watch-le_all"] = c
		}, []string{"update consumer feed_watch-le_all"}},
		{"another way to acknowledge", func(h Have) {
			c := h.Consumers["feed_watch-le_all"]
			c.AckPolicy = jetstream.AckNonePolicy
			h.Consumers["feed_watch-le_all"] = c
		}, []string{"replace consumer feed_watch-le_all"}},
		{"a stream that takes in on plain subjects, of a release before inlets", func(h Have) {
			s := h.Streams[subject.Refusals]
			s.Subjects, s.SubjectTransform = subject.RefusalSubjects, nil
			h.Streams[subject.Refusals] = s
		}, []string{"update stream REFUSALS"}},
		{"another word", func(h Have) {
			s := h.Streams[subject.Reports]
			takeIn(&s, subject.NewInlet("another"))
			h.Streams[subject.Reports] = s
		}, []string{"update stream REPORTS"}},
		{"a transform to other subjects", func(h Have) {
			s := h.Streams[subject.Reports]
			s.SubjectTransform = &jetstream.SubjectTransformConfig{Source: s.SubjectTransform.Source, Destination: "x.>"}
			h.Streams[subject.Reports] = s
		}, []string{"update stream REPORTS"}},
		{"a stream that answers direct gets", func(h Have) {
			s := h.Streams[subject.Reports]
			s.AllowDirect = true
			h.Streams[subject.Reports] = s
		}, []string{"update stream REPORTS"}},
	} {
		have := after(full, nil)
		c.edit(have)
		if d := cmp.Diff(c.want, steps(Plan(want, have))); d != "" {
			t.Errorf("%s:\n%s", c.name, d)
		}
	}
}

// No plan deletes a stream, and none makes one that cannot forget: deny-delete
// and deny-purge cannot be undone.
func TestNoPlanLosesData(t *testing.T) {
	p := policy.Default()
	for _, cell := range p.CellNames() {
		for _, a := range Plan(Desired(p, cell, inlet), Have{Streams: map[string]jetstream.StreamConfig{"OLD": {Name: "OLD"}}}) {
			if strings.Contains(string(a.Verb), "delete stream") || a.Stream.DenyDelete || a.Stream.DenyPurge {
				t.Errorf("%s: %s %s", cell, a.Verb, a.Name)
			}
			if a.Name == subject.Reports && (a.Stream.AllowDirect || a.Stream.AllowRollup || a.Stream.Discard != jetstream.DiscardNew || !a.Stream.AllowAtomicPublish) {
				t.Errorf("%s: %+v", cell, a.Stream)
			}
		}
	}
}

var areaTokens = []string{"ms", "la", subject.None, subject.Multi}
var countyTokens = []string{"28049", "28047", subject.None, subject.Multi}
var cells = []string{"fused", "fused-s", "intel"}

func drawStored(t *rapid.T) subject.Stored {
	s := subject.Stored{Sides: "le", Level: "cui", Cell: "le"}
	s.Status = rapid.SampledFrom(subject.Statuses).Draw(t, "status")
	s.Kind = rapid.SampledFrom(subject.Kinds).Draw(t, "kind")
	s.State = rapid.SampledFrom(areaTokens).Draw(t, "state")
	s.County = rapid.SampledFrom(countyTokens).Draw(t, "county")
	s.Agency = rapid.SampledFrom([]string{"fbi", "dea"}).Draw(t, "agency")
	if s.Orcon = rapid.Bool().Draw(t, "orcon"); s.Orcon {
		for _, c := range cells {
			if rapid.Bool().Draw(t, c) {
				s.OrconCells = append(s.OrconCells, c)
			}
		}
	}
	return s
}

func drawFeed(t *rapid.T) subject.Feed {
	return subject.Feed{
		Status: rapid.SampledFrom(append([]wf.Status{0}, subject.Statuses...)).Draw(t, "feed status"),
		Kind:   rapid.SampledFrom(append([]wf.Kind{0}, subject.Kinds...)).Draw(t, "feed kind"),
		State:  rapid.SampledFrom([]string{"", "ms", "la"}).Draw(t, "feed state"),
		County: rapid.SampledFrom([]string{"", "28049", "28047"}).Draw(t, "feed county"),
		Agency: rapid.SampledFrom([]string{"", "fbi", "dea"}).Draw(t, "feed agency"),
	}
}

// matches is the server's rule for one filter.
func matches(filter, subj string) bool {
	f, s := strings.Split(filter, "."), strings.Split(subj, ".")
	for i, token := range f {
		if token == ">" {
			return i < len(s)
		}
		if i >= len(s) || token != "*" && token != s[i] {
			return false
		}
	}
	return len(f) == len(s)
}

func hits(filters []string, subj string) int {
	n := 0
	for _, f := range filters {
		if matches(f, subj) {
			n++
		}
	}
	return n
}

// The filters of a feed select exactly what the feed matches, each report by
// one filter: the server refuses filters that overlap.
func TestFeedFilters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, s := drawFeed(t), drawStored(t)
		want := 0
		if f.Matches(s) {
			want = 1
		}
		if got := hits(f.OwnFilters(), s.String()); got != want {
			t.Fatalf("own: %d filters of %+v hit %s, want %d", got, f, s, want)
		}
		reader := rapid.SampledFrom(cells).Draw(t, "reader")
		if s.Orcon && !slices.Contains(s.OrconCells, reader) {
			want = 0
		}
		if got := hits(f.UpwardFilters(reader, cells), s.String()); got != want {
			t.Fatalf("upward to %s: %d filters of %+v hit %s, want %d", reader, got, f, s, want)
		}
	})
}

// A worker reads what its cell may read: all of its own, of a cell below what
// is not originator controlled or names it, of one status.
func TestWorkerFilters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawStored(t)
		status := rapid.SampledFrom(subject.Statuses).Draw(t, "worker status")
		reader := rapid.SampledFrom(append([]string{"le"}, cells...)).Draw(t, "reader")
		want := 0
		if s.Status == status && (reader == "le" || !s.Orcon || slices.Contains(s.OrconCells, reader)) {
			want = 1
		}
		got := 0
		for _, c := range subject.Channels {
			filters := workerFilters(c, status, reader, "le", cells)
			got += hits(filters, s.String())
			if c == subject.Open && len(filters) != 1 {
				t.Fatalf("%s reads the open channel by %d subjects: more than one is slow", reader, len(filters))
			}
		}
		if got != want {
			t.Fatalf("%s: %d filters hit %s, want %d", reader, got, s, want)
		}
	})
}
