package scorecard

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/watchfloor/watchfloor/producers/exercise"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// The rule an exercise is passed by, in every cell.
const (
	MinPrecision = 0.99
	MinRecall    = 0.80
)

// Card is the score of one cell.
type Card struct {
	Cell string `json:"cell"`
	// Reports that the cell may read and that have not run out.
	Reports    int `json:"reports"`
	Situations int `json:"situations"`
	// Events are those with two or more such reports.
	Events int `json:"events"`
	// Claimed pairs stand in one situation, True ones speak of one event, Right
	// ones do both.
	Claimed int64 `json:"claimed_pairs"`
	True    int64 `json:"true_pairs"`
	Right   int64 `json:"right_pairs"`
	// Missing reports should be in the picture and are not; Foreign ones are in
	// it and must not be.
	Missing int `json:"missing"`
	Foreign int `json:"foreign"`
	// Plot and Decoy say in how many situations the visible reports of each
	// stand; Mixed situations hold reports of both.
	Plot  Part `json:"plot"`
	Decoy Part `json:"decoy"`
	Mixed int  `json:"mixed"`
	// Worst are the situations with the most wrong pairs, and the events with
	// the most missed ones.
	Worst  []Fault `json:"worst,omitempty"`
	Missed []Fault `json:"missed,omitempty"`
}

// Part is a named event in one cell.
type Part struct {
	Reports    int `json:"reports"`
	Situations int `json:"situations"`
}

// Whole says whether the part is there and stands in one situation.
func (p Part) Whole() bool { return p.Reports > 1 && p.Situations == 1 }

// Fault is where pairs are wrong: a situation that holds several events, or an
// event that lies in several situations.
type Fault struct {
	Name  string `json:"name"`
	Pairs int64  `json:"pairs"`
	// Parts counts the reports of each event in the situation, or of the event
	// in each situation.
	Parts []int `json:"parts"`
}

// Precision is the share of claimed pairs that is right; 1 when none is claimed.
func (c Card) Precision() float64 { return share(c.Right, c.Claimed) }

// Recall is the share of true pairs that is claimed; 1 when there is none.
func (c Card) Recall() float64 { return share(c.Right, c.True) }

// F1 is the harmonic mean of the two.
func (c Card) F1() float64 {
	if c.Claimed+c.True == 0 {
		return 1
	}
	return 2 * float64(c.Right) / float64(c.Claimed+c.True)
}

func share(part, whole int64) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// MarshalJSON writes the counts with what follows from them.
func (c Card) MarshalJSON() ([]byte, error) {
	type counts Card
	return json.Marshal(struct {
		counts
		Precision float64  `json:"precision"`
		Recall    float64  `json:"recall"`
		F1        float64  `json:"f1"`
		Passed    bool     `json:"passed"`
		Failures  []string `json:"failures,omitempty"`
	}{counts(c), c.Precision(), c.Recall(), c.F1(), len(c.Failures()) == 0, c.Failures()})
}

// Failures says everything by which the cell does not pass; nothing when it does.
func (c Card) Failures() []string {
	var out []string
	fail := func(bad bool, format string, args ...any) {
		if bad {
			out = append(out, c.Cell+": "+fmt.Sprintf(format, args...))
		}
	}
	fail(c.Foreign > 0, "%d reports are in the picture that the cell may not read, or that were taken back or have run out", c.Foreign)
	fail(c.Missing > 0, "%d reports are missing from the picture", c.Missing)
	fail(c.Precision() < MinPrecision, "precision %.4f is below %.2f (%d of %d claimed pairs are wrong)", c.Precision(), MinPrecision, c.Claimed-c.Right, c.Claimed)
	fail(c.Recall() < MinRecall, "recall %.4f is below %.2f (%d of %d true pairs are missed)", c.Recall(), MinRecall, c.True-c.Right, c.True)
	fail(c.Mixed > 0, "%d situations hold plot and decoy together", c.Mixed)
	switch c.Cell {
	case exercise.LE, exercise.Intel:
		fail(!c.Plot.Whole(), "the half of the plot, %d reports, lies in %d situations", c.Plot.Reports, c.Plot.Situations)
	case exercise.Fused:
		fail(!c.Plot.Whole(), "the plot, %d reports, lies in %d situations", c.Plot.Reports, c.Plot.Situations)
	}
	return out
}

// Passed says whether every card passes, and there is at least one.
func Passed(cards []Card) bool {
	return len(cards) > 0 && !slices.ContainsFunc(cards, func(c Card) bool { return len(c.Failures()) > 0 })
}

// Score compares the situations of a cell's picture with the truth.
func (b *Book) Score(cell string, m Moment, situations []*wf.Situation) (Card, error) {
	i := slices.IndexFunc(b.cells, func(c Cell) bool { return c.Name == cell })
	if i < 0 {
		return Card{}, fmt.Errorf("score: cell %q is not in the book", cell)
	}
	t := newTally(b, b.cells[i], m)
	for _, s := range situations {
		if err := t.add(s); err != nil {
			return Card{}, err
		}
	}
	return t.card(), nil
}
