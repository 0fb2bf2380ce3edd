package scorecard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/proto/label"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// world is a book of a scenario with its last revisions.
type world struct {
	book  *Book
	event map[exercise.Key]string
}

func read(t testing.TB, seed uint64) world {
	t.Helper()
	s, err := exercise.New(exercise.Config{Seed: seed, Reports: 600})
	if err != nil {
		t.Fatal(err)
	}
	w := world{NewBook(ExerciseCells()), map[exercise.Key]string{}}
	for st := range s.Steps() {
		w.book.Observe(st)
		w.event[st.Key()] = st.Event
	}
	return w
}

// perfect is the picture of a cell that knows the truth.
func (w world) perfect(cell string) []*wf.Situation {
	groups := map[string][]exercise.Key{}
	for k := range newTally(w.book, Cell{cell, exercise.CellLabel(cell)}, Moment{}).expects {
		name := w.event[k]
		if name == "" {
			name = fmt.Sprint(k)
		}
		groups[name] = append(groups[name], k)
	}
	var out []*wf.Situation
	for name, keys := range groups {
		out = append(out, situation(name, keys...))
	}
	return out
}

func situation(id string, keys ...exercise.Key) *wf.Situation {
	s := &wf.Situation{Id: id}
	for _, k := range keys {
		s.Members = append(s.Members, &wf.Member{Cell: k.Cell, Agency: k.Agency, ReportId: k.ID})
	}
	return s
}

func (w world) score(t testing.TB, cell string, situations []*wf.Situation) Card {
	t.Helper()
	c, err := w.book.Score(cell, Moment{}, situations)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func named(list []*wf.Situation, id string) *wf.Situation {
	i := slices.IndexFunc(list, func(s *wf.Situation) bool { return s.Id == id })
	return list[i]
}

func TestThePerfectPicturePasses(t *testing.T) {
	w := read(t, 1)
	var cards []Card
	for _, cell := range exercise.Cells {
		c := w.score(t, cell, w.perfect(cell))
		if c.Precision() != 1 || c.Recall() != 1 || c.F1() != 1 || len(c.Worst)+len(c.Missed) != 0 {
			t.Errorf("%s: %+v", cell, c)
		}
		cards = append(cards, c)
	}
	if !Passed(cards) {
		t.Errorf("does not pass: %v", cards)
	}
	var b bytes.Buffer
	if err := Render(&b, cards); err != nil || !strings.HasSuffix(b.String(), "scorecard: passed\n") || strings.Contains(b.String(), "FAIL") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// What a mass situation does not list is neither missing nor wrong: it is not known.
func TestAMassSituationIsNotScored(t *testing.T) {
	w := read(t, 2)
	p := w.perfect(exercise.Fused)
	p[0].Size = uint32(len(p[0].Members)) + 1
	if _, err := w.book.Score(exercise.Fused, Moment{}, p); err == nil || !strings.Contains(err.Error(), "mass situation") {
		t.Errorf("got %v, want an error that says why", err)
	}
}

func TestEveryFaultFails(t *testing.T) {
	w := read(t, 2)
	for _, c := range []struct {
		name, cell, want string
		spoil            func(p []*wf.Situation) []*wf.Situation
	}{
		{"plot and decoy together", exercise.Fused, "hold plot and decoy", func(p []*wf.Situation) []*wf.Situation {
			plot, decoy := named(p, exercise.EventPlot), named(p, exercise.EventDecoy)
			plot.Members = append(plot.Members, decoy.Members...)
			decoy.Members = nil
			return p
		}},
		{"plot in two", exercise.Fused, "the plot", func(p []*wf.Situation) []*wf.Situation {
			plot := named(p, exercise.EventPlot)
			rest := &wf.Situation{Id: "rest", Members: plot.Members[:3]}
			plot.Members = plot.Members[3:]
			return append(p, rest)
		}},
		{"half in two", exercise.LE, "half of the plot", func(p []*wf.Situation) []*wf.Situation {
			plot := named(p, exercise.EventPlot)
			rest := &wf.Situation{Id: "rest", Members: plot.Members[:1]}
			plot.Members = plot.Members[1:]
			return append(p, rest)
		}},
		{"a report lost", exercise.Open, "missing from the picture", func(p []*wf.Situation) []*wf.Situation {
			return p[1:]
		}},
		{"everything alone", exercise.Open, "recall", func(p []*wf.Situation) []*wf.Situation {
			var out []*wf.Situation
			for _, s := range p {
				for _, m := range s.Members {
					out = append(out, &wf.Situation{Members: []*wf.Member{m}})
				}
			}
			return out
		}},
		{"everything together", exercise.Intel, "precision", func(p []*wf.Situation) []*wf.Situation {
			all := &wf.Situation{}
			for _, s := range p {
				all.Members = append(all.Members, s.Members...)
			}
			return []*wf.Situation{all}
		}},
		{"a leak from above", exercise.LE, "may not read", func(p []*wf.Situation) []*wf.Situation {
			for k := range w.event {
				if k.Cell == exercise.Intel {
					return append(p, situation("leak", k))
				}
			}
			return p
		}},
		{"a withdrawn report", exercise.Fused, "may not read", func(p []*wf.Situation) []*wf.Situation {
			for k, e := range w.book.entries {
				if e.withdrawn {
					return append(p, situation("ghost", k))
				}
			}
			return p
		}},
		{"an unknown report", exercise.Fused, "may not read", func(p []*wf.Situation) []*wf.Situation {
			return append(p, situation("ghost", exercise.Key{Cell: "le", Agency: "mhp", ID: "none"}))
		}},
		{"an empty picture", exercise.Open, "missing", func([]*wf.Situation) []*wf.Situation { return nil }},
	} {
		card := w.score(t, c.cell, c.spoil(w.perfect(c.cell)))
		if got := strings.Join(card.Failures(), "; "); !strings.Contains(got, c.want) || Passed([]Card{card}) {
			t.Errorf("%s: failures %q, want one about %q", c.name, got, c.want)
		}
		var b bytes.Buffer
		if err := Render(&b, []Card{card}); err != nil || !strings.Contains(b.String(), "FAIL  "+c.cell) || !strings.Contains(b.String(), "not passed") {
			t.Errorf("%s: rendered as\n%s", c.name, b.String())
		}
	}
	if Passed(nil) {
		t.Error("no card passes")
	}
}

func TestACardInJSONSaysWhetherItPasses(t *testing.T) {
	b, err := json.Marshal(Card{Cell: exercise.Open, Claimed: 4, True: 5, Right: 3})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Cell              string
		Precision, Recall float64
		Passed            bool
		Failures          []string
		Claimed           int `json:"claimed_pairs"`
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if got.Cell != exercise.Open || got.Precision != 0.75 || got.Recall != 0.6 || got.Passed || len(got.Failures) != 2 || got.Claimed != 4 {
		t.Errorf("%s", b)
	}
}

func TestAReportInTwoSituationsIsAnError(t *testing.T) {
	w := read(t, 3)
	p := w.perfect(exercise.Open)
	if _, err := w.book.Score(exercise.Open, Moment{}, append(p, p[0])); err == nil {
		t.Error("no error")
	}
	if _, err := w.book.Score("nowhere", Moment{}, p); err == nil {
		t.Error("no error for an unknown cell")
	}
}

func TestOriginatorControlledReportsAreExpectedOnlyWhereNamed(t *testing.T) {
	w := read(t, 4)
	orcon := 0
	for k, e := range w.book.entries {
		if !e.orcon || e.withdrawn {
			continue
		}
		orcon++
		for _, c := range ExerciseCells() {
			expects := newTally(w.book, c, Moment{}).expects
			_, got := expects[k]
			if want := c.Name == k.Cell || slices.Contains(e.named, c.Name); got != want {
				t.Errorf("%v in %s: expected %v, want %v", k, c.Name, got, want)
			}
		}
	}
	if orcon < 2 {
		t.Errorf("%d ORCON reports", orcon)
	}
}

func TestWhatHasRunOutIsNotExpected(t *testing.T) {
	at := time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		tick   time.Duration
		window time.Duration
		want   bool
	}{{0, time.Hour, true}, {time.Hour - time.Second, time.Hour, true}, {time.Hour, time.Hour, false}, {time.Hour, 0, true}, {99 * time.Hour, 2 * time.Hour, false}} {
		m := Moment{Tick: at.Add(c.tick), Windows: map[wf.Kind]time.Duration{wf.Kind_KIND_SAR: c.window}}
		if got := !m.gone(&entry{kind: wf.Kind_KIND_SAR, until: at}); got != c.want {
			t.Errorf("tick +%s, window %s: live %v, want %v", c.tick, c.window, got, c.want)
		}
	}
	if (Moment{Windows: map[wf.Kind]time.Duration{wf.Kind_KIND_SAR: 1}}).gone(&entry{kind: wf.Kind_KIND_SAR, until: at}) {
		t.Error("without a tick nothing has run out")
	}
}

// The counted pairs are those that stand in one situation, counted one by one.
func TestPairsAreCountedAsByHand(t *testing.T) {
	open, err := label.New(label.Unclassified, 0)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(t, "reports")
		b := NewBook([]Cell{{"open", open}})
		events, places := make([]int, n), make([]int, n)
		groups := map[int]*wf.Situation{}
		for i := range n {
			events[i] = rapid.IntRange(0, 5).Draw(t, "event")
			places[i] = rapid.IntRange(0, 6).Draw(t, "situation")
			event := ""
			if events[i] > 0 {
				event = fmt.Sprint("e", events[i])
			}
			id := fmt.Sprint("r", i)
			b.Observe(exercise.Step{Cell: "open", Event: event, Report: &wf.Report{Id: id, Agency: "mema", Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE}})
			if groups[places[i]] == nil {
				groups[places[i]] = &wf.Situation{Id: fmt.Sprint(places[i])}
			}
			groups[places[i]].Members = append(groups[places[i]].Members, &wf.Member{Cell: "open", Agency: "mema", ReportId: id})
		}
		var claimed, same, right int64
		for i := range n {
			for j := range i {
				one, event := places[i] == places[j], events[i] > 0 && events[i] == events[j]
				if one {
					claimed++
				}
				if event {
					same++
				}
				if one && event {
					right++
				}
			}
		}
		var list []*wf.Situation
		for _, s := range groups {
			list = append(list, s)
		}
		c, err := b.Score("open", Moment{}, list)
		if err != nil {
			t.Fatal(err)
		}
		if c.Claimed != claimed || c.True != same || c.Right != right || c.Missing+c.Foreign != 0 {
			t.Fatalf("got claimed %d true %d right %d, want %d %d %d", c.Claimed, c.True, c.Right, claimed, same, right)
		}
	})
}
