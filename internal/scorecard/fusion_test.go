package scorecard_test

import (
	"bytes"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/internal/scorecard"
	"github.com/watchfloor/watchfloor/producers/exercise"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// shipped are the windows of the shipped policy.
var shipped = policy.Default().Windows()

// floor is one engine per cell, fed as the workers are: each with what its
// cell may read, and ticked by nothing else.
type floor struct {
	cells   []scorecard.Cell
	engines map[string]*fusion.Engine
	book    *scorecard.Book
	moment  scorecard.Moment
}

// newFloor makes the engines; windows says how long reports stay in them.
func newFloor(weights fusion.Weights, windows map[wf.Kind]time.Duration) *floor {
	f := &floor{cells: scorecard.ExerciseCells(), engines: map[string]*fusion.Engine{}}
	f.book = scorecard.NewBook(f.cells)
	f.moment.Windows = windows
	for _, c := range f.cells {
		f.engines[c.Name] = fusion.New(fusion.Config{Status: wf.Status_STATUS_EXERCISE, Weights: weights, Windows: windows})
	}
	return f
}

// play feeds every step; change may rewrite a report, or take it out by nil.
func (f *floor) play(t testing.TB, c exercise.Config, change func(exercise.Step) *wf.Report) {
	t.Helper()
	s, err := exercise.New(c)
	if err != nil {
		t.Fatal(err)
	}
	for st := range s.Steps() {
		if change != nil {
			if st.Report = change(st); st.Report == nil {
				continue
			}
		}
		f.book.Observe(st)
		for _, cell := range f.cells {
			if !f.book.Reads(cell, st) {
				continue
			}
			e := f.engines[cell.Name]
			e.Tick(st.At)
			e.Apply(fusion.Input{Cell: st.Cell, Received: st.At, Report: st.Report})
		}
	}
}

func (f *floor) cards(t testing.TB) []scorecard.Card {
	t.Helper()
	var out []scorecard.Card
	for _, c := range f.cells {
		e := f.engines[c.Name]
		e.Commit()
		m := f.moment
		m.Tick = e.Now()
		card, err := f.book.Score(c.Name, m, e.Situations())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, card)
	}
	return out
}

func show(t testing.TB, cards []scorecard.Card) {
	t.Helper()
	var b bytes.Buffer
	if err := scorecard.Render(&b, cards); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + b.String())
	for _, c := range cards {
		for i, f := range c.Worst {
			if i < 5 {
				t.Logf("%s wrong: %d pairs in %s %v", c.Cell, f.Pairs, f.Name, f.Parts)
			}
		}
		for i, f := range c.Missed {
			if i < 5 {
				t.Logf("%s missed: %d pairs of %s %v", c.Cell, f.Pairs, f.Name, f.Parts)
			}
		}
	}
}

// The acceptance of the first live picture: seeds 1 to 5, with the windows of
// the shipped policy and with none, so that every report is still there.
func TestFiveSeedsPass(t *testing.T) {
	for name, windows := range map[string]map[wf.Kind]time.Duration{"shipped windows": shipped, "nothing runs out": nil} {
		for seed := range uint64(5) {
			f := newFloor(fusion.Weights{}, windows)
			f.play(t, exercise.Config{Seed: seed + 1}, nil)
			if cards := f.cards(t); !scorecard.Passed(cards) {
				t.Errorf("%s: seed %d does not pass", name, seed+1)
				show(t, cards)
			}
		}
	}
}

func TestTwentyThousandReportsPass(t *testing.T) {
	f := newFloor(fusion.Weights{}, shipped)
	began := time.Now()
	f.play(t, exercise.Config{Seed: 1, Reports: 20_000}, nil)
	took := time.Since(began)
	cards := f.cards(t)
	t.Logf("six engines took %s", took.Round(time.Millisecond))
	show(t, cards)
	if !scorecard.Passed(cards) {
		t.Error("does not pass")
	}
}

func TestWithoutWeightsNothingPasses(t *testing.T) {
	f := newFloor(fusion.ZeroWeights(), shipped)
	f.play(t, exercise.Config{Seed: 1, Reports: 500}, nil)
	if cards := f.cards(t); scorecard.Passed(cards) {
		t.Error("passes with all weights zero")
	}
}

// Without the garbled number and the plate seen in part, nothing joins the
// halves: the link across the sides rests on them.
func TestTheHalvesJoinByGarbledTracesAlone(t *testing.T) {
	for seed := range uint64(5) {
		f := newFloor(fusion.Weights{}, shipped)
		f.play(t, exercise.Config{Seed: seed + 1, Reports: 600}, func(st exercise.Step) *wf.Report {
			if st.Event != exercise.EventPlot || st.Cell == exercise.LE {
				return st.Report
			}
			r := proto.Clone(st.Report).(*wf.Report)
			for _, e := range r.GetEntities() {
				kept := e.Identifiers[:0]
				for _, id := range e.GetIdentifiers() {
					if id.GetType() != wf.IdentifierType_IDENTIFIER_TYPE_PHONE && id.GetType() != wf.IdentifierType_IDENTIFIER_TYPE_PLATE {
						kept = append(kept, id)
					}
				}
				e.Identifiers = kept
			}
			return r
		})
		for _, c := range f.cards(t) {
			if (c.Cell == exercise.Fused || c.Cell == exercise.FusedS) && c.Plot.Situations < 2 {
				t.Errorf("seed %d: in %s the plot holds together without its garbled traces", seed+1, c.Cell)
			}
		}
	}
}
