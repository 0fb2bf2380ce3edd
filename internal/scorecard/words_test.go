package scorecard_test

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/internal/scorecard"
	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/producers/narrative"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// enriched is a step's report as the edge sends it.
func enriched(st exercise.Step) *wf.Report {
	r := proto.CloneOf(st.Report)
	narrative.Enrich(r)
	return r
}

// wordsOnly is a step's report without what its fields say of whom and where:
// what is left to link it by is read from its words.
func wordsOnly(st exercise.Step) *wf.Report {
	r := proto.CloneOf(st.Report)
	r.Entities, r.Places = nil, nil
	narrative.Enrich(r)
	return r
}

// totals adds up the pairs of all cells.
func totals(cards []scorecard.Card) (c scorecard.Card) {
	for _, x := range cards {
		c.Claimed, c.True, c.Right = c.Claimed+x.Claimed, c.True+x.True, c.Right+x.Right
	}
	return c
}

// What the words add is worth it: more true pairs than by the fields alone,
// without wrong ones, and by the words alone most of those that words can give.
// The floors are what was reached when they were written.
func TestWordsLinkWhatFieldsDoNot(t *testing.T) {
	for _, c := range []struct {
		name              string
		change            func(exercise.Step) *wf.Report
		precision, recall float64
	}{
		{"fields", nil, 0.995, 0.90},
		{"fields and words", enriched, 0.9985, 0.97},
		{"words alone", wordsOnly, 0.995, 0.70},
	} {
		f := newFloor(fusion.Weights{}, shipped)
		f.play(t, exercise.Config{Seed: 1, Reports: 10_000}, c.change)
		cards := f.cards(t)
		sum := totals(cards)
		t.Logf("%s: precision %.4f recall %.4f", c.name, sum.Precision(), sum.Recall())
		if sum.Precision() < c.precision || sum.Recall() < c.recall {
			t.Errorf("%s: precision %.4f, recall %.4f; want %.4f and %.4f", c.name, sum.Precision(), sum.Recall(), c.precision, c.recall)
			show(t, cards)
		}
	}
}

// The exercise passes as the demo plays it.
func TestFiveSeedsPassWithWords(t *testing.T) {
	for seed := range uint64(5) {
		f := newFloor(fusion.Weights{}, shipped)
		f.play(t, exercise.Config{Seed: seed + 1}, enriched)
		if cards := f.cards(t); !scorecard.Passed(cards) {
			t.Errorf("seed %d does not pass", seed+1)
			show(t, cards)
		}
	}
}
