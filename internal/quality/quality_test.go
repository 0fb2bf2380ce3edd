package quality_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/internal/quality"
)

// corpus is the folder of the reference data; without it the test fails.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WATCHFLOOR_CORPUS")
	if dir == "" && os.Getenv("CI") != "true" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "labelled")); err != nil {
		t.Fatalf("read the corpus: %v; set WATCHFLOOR_CORPUS to its folder", err)
	}
	return dir
}

func measured(t *testing.T, c quality.Config) map[string]quality.Row {
	t.Helper()
	rows := map[string]quality.Row{}
	if err := quality.Run(context.Background(), c, func(r quality.Row) error { rows[r.Name] = r; return nil }); err != nil {
		t.Fatal(err)
	}
	return rows
}

// floors are a little under what is reached, so that a step back fails. True
// pairs and reports are counts of the published sets.
var floors = map[string]struct {
	reports      int
	pairs        uint64
	f1, blocking float64
}{
	"febrl-1":   {1000, 500, 0.997, 0.99},
	"febrl-3":   {5000, 6538, 0.98, 0.98},
	"fake-1000": {1000, 2031, 0.87, 0.66},
	"jedai-d1":  {2595, 89, 0.79, 0.97},
	"jedai-d4":  {4910, 2224, 0.02, 0.94},
}

func TestLabelledSetsKeepTheirFloors(t *testing.T) {
	var only []string
	for name := range floors {
		only = append(only, name)
	}
	c := quality.Config{Corpus: corpus(t), Only: only}
	good := measured(t, c)
	c.Weights = fusion.ZeroWeights()
	blind := measured(t, c)
	for name, f := range floors {
		r := good[name]
		if r.Reports != f.reports || r.Pairs.Expected != f.pairs || r.Refused != 0 {
			t.Errorf("%s: %d reports with %d true pairs, %d refused; want %d, %d, 0", name, r.Reports, r.Pairs.Expected, r.Refused, f.reports, f.pairs)
		}
		if r.Pairs.F1 < f.f1 || r.Blocking < f.blocking {
			t.Errorf("%s: F1 %.4f and blocking recall %.4f, want at least %v and %v", name, r.Pairs.F1, r.Blocking, f.f1, f.blocking)
		}
		if z := blind[name]; z.Pairs.True != 0 || z.Pairs.F1 != 0 {
			t.Errorf("%s: weights of zero find %d true pairs", name, z.Pairs.True)
		}
	}
}

// A tenth of the size; the floors are a little under what is reached.
func TestTheExerciseKeepsItsFloors(t *testing.T) {
	want := map[string]struct{ p, r, blocking float64 }{
		"exercise-100k":    {0.998, 0.93, 0.93},
		"one-phone-in-10%": {0.98, 0.93, 0.93},
		"one-place-in-20%": {0.985, 0.925, 0.92},
	}
	c := quality.Config{Scale: 10}
	for name := range want {
		c.Only = append(c.Only, name)
	}
	good := measured(t, c)
	c.Weights = fusion.ZeroWeights()
	blind := measured(t, c)
	for name, w := range want {
		r := good[name]
		if r.Reports < 9_000 || r.Pairs.Expected < 6_000 {
			t.Errorf("%s: %d reports with %d true pairs: the exercise is not what it was", name, r.Reports, r.Pairs.Expected)
		}
		if r.Pairs.Precision < w.p || r.Pairs.Recall < w.r || r.Blocking < w.blocking {
			t.Errorf("%s: precision %.4f, recall %.4f, blocking recall %.4f; want at least %v", name, r.Pairs.Precision, r.Pairs.Recall, r.Blocking, w)
		}
		if blind[name].Pairs.True != 0 {
			t.Errorf("%s: weights of zero find %d true pairs", name, blind[name].Pairs.True)
		}
	}
}

func TestMissesDisagreeWithTheTruth(t *testing.T) {
	r := measured(t, quality.Config{Corpus: corpus(t), Only: []string{"fake-1000"}, Misses: 3})["fake-1000"]
	wrong, missed := 0, 0
	for _, m := range r.Misses {
		if m.Wrong {
			wrong++
			if m.Bits < r.Threshold || !m.Proposed || len(m.Why) == 0 {
				t.Errorf("a wrong link of %.1f bits, compared %v, with %d lines", m.Bits, m.Proposed, len(m.Why))
			}
			continue
		}
		missed++
		if m.Proposed && m.Bits >= r.Threshold {
			t.Errorf("a missed pair that was compared has %.1f bits of %.1f", m.Bits, r.Threshold)
		}
	}
	if wrong != 3 || missed != 3 {
		t.Errorf("%d wrong and %d missed, want 3 of each", wrong, missed)
	}
}

func TestWithoutTheCorpusItSaysWhatIsMissing(t *testing.T) {
	err := quality.Run(context.Background(), quality.Config{Corpus: t.TempDir(), Only: []string{"febrl-1"}}, func(quality.Row) error { return nil })
	if !errors.Is(err, quality.ErrNoCorpus) {
		t.Errorf("got %v, want that the corpus is missing", err)
	}
}
