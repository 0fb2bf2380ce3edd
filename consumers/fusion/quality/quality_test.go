package quality_test

import (
	"math"
	"testing"

	"github.com/watchfloor/watchfloor/consumers/fusion/quality"
)

func TestPairs(t *testing.T) {
	for name, c := range map[string]struct {
		truth, found []string
		p, r         float64
		correct      uint64
	}{
		"all right":           {[]string{"a", "a", "b"}, []string{"x", "x", "y"}, 1, 1, 1},
		"one missed":          {[]string{"a", "a", "a"}, []string{"x", "x", ""}, 1, 1.0 / 3, 1},
		"one too many":        {[]string{"a", "a", "b"}, []string{"x", "x", "x"}, 1.0 / 3, 1, 1},
		"alone is no cluster": {[]string{"", "", "a", "a"}, []string{"x", "x", "y", "y"}, 0.5, 1, 1},
		"nothing to find":     {[]string{"", ""}, []string{"", ""}, 1, 1, 0},
	} {
		got := quality.Pairs(c.truth, c.found)
		if math.Abs(got.Precision-c.p) > 1e-9 || math.Abs(got.Recall-c.r) > 1e-9 || got.True != c.correct {
			t.Errorf("%s: got %+v, want precision %v, recall %v, true %d", name, got, c.p, c.r, c.correct)
		}
	}
}

func TestBCubed(t *testing.T) {
	got := quality.BCubed([]string{"a", "a", "b", "b"}, []string{"x", "x", "x", ""})
	// Records: 2/3, 2/3, 1/3, 1 right; 1, 1, 1/2, 1/2 found.
	if want := (2.0/3 + 2.0/3 + 1.0/3 + 1) / 4; math.Abs(got.Precision-want) > 1e-9 {
		t.Errorf("precision %v, want %v", got.Precision, want)
	}
	if want := 0.75; math.Abs(got.Recall-want) > 1e-9 {
		t.Errorf("recall %v, want %v", got.Recall, want)
	}
	if n := quality.Largest([]string{"x", "x", "", "", ""}); n != 2 {
		t.Errorf("largest cluster %d, want 2: what is alone is no cluster", n)
	}
}
