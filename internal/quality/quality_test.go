package quality_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
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

// floors are a little under what is reached, so that a step back fails. Reports
// and true pairs are facts of the set, written or published; the exercise
// is run in a tenth of its size.
var floors = map[string]struct {
	reports        int
	pairs          uint64
	p, r, blocking float64
}{
	"febrl-1":                    {1000, 500, 0.999, 0.995, 0.99},
	"febrl-3":                    {5000, 6538, 0.999, 0.998, 0.99},
	"fake-1000":                  {1000, 2031, 0.985, 0.88, 0.78},
	"jedai-d1":                   {2595, 89, 0.73, 0.95, 0.98},
	"jedai-d4":                   {4910, 2224, 0.89, 0.97, 0.99},
	"nws":                        {172, 8031, 0.999, 0.999, 0.06},
	"nws-no-key":                 {37, 2, 0.999, 0, 0.5},
	"alerts-no-key":              {2092, 2312, 0.98, 0.999, 0.999},
	"alerts-no-key-no-reference": {2092, 2312, 0, 0, 0.98},
	"quakes":                     {1803, 98, 0.007, 0.999, 0.999},
	"quakes-no-id":               {1803, 98, 0.006, 0.88, 0.88},
	"made-persons-1":             {4000, 3346, 0.88, 0.999, 0.99},
	"made-persons-2":             {4002, 3220, 0.86, 0.97, 0.97},
	"made-persons-4":             {4000, 3335, 0.87, 0.85, 0.86},
	"made-businesses":            {3998, 1510, 0.94, 0.98, 0.99},
	"made-titles":                {3998, 1601, 0.89, 0.91, 0.99},
	"made-notes":                 {2000, 2031, 0.90, 0.68, 0.63},
	"exercise-100k":              {9809, 6746, 0.998, 0.98, 0.95},
	"one-phone-in-10%":           {9809, 6746, 0.99, 0.98, 0.95},
	"one-place-in-20%":           {9809, 6746, 0.985, 0.96, 0.94},
	"exercise-words":             {1970, 1732, 0.99, 0.84, 0.75},
}

// short is by what the size of a part is divided in tests.
func short(name string) int {
	if strings.HasPrefix(name, "exercise-") || strings.HasPrefix(name, "one-") {
		return 10
	}
	return 1
}

func TestEverySetKeepsItsFloor(t *testing.T) {
	dir := corpus(t)
	for _, name := range quality.Parts() {
		f, ok := floors[name]
		if !ok {
			if name != "hospitals" && name != "exercise-10k" && name != "exercise-1m" {
				t.Errorf("%s has no floor", name)
			}
			continue
		}
		c := quality.Config{Corpus: dir, Only: []string{name}, Scale: short(name)}
		r := measured(t, c)[name]
		if r.Reports != f.reports || r.Pairs.Expected != f.pairs || r.Refused != 0 {
			t.Errorf("%s: %d reports with %d true pairs, %d refused; want %d, %d, 0", name, r.Reports, r.Pairs.Expected, r.Refused, f.reports, f.pairs)
		}
		if r.Pairs.Precision < f.p || r.Pairs.Recall < f.r || r.Blocking < f.blocking {
			t.Errorf("%s: precision %.4f, recall %.4f, blocking recall %.4f; want at least %v, %v, %v", name, r.Pairs.Precision, r.Pairs.Recall, r.Blocking, f.p, f.r, f.blocking)
		}
		c.Weights = fusion.ZeroWeights()
		if z := measured(t, c)[name]; z.Pairs.True != 0 || z.Pairs.F1 != 0 {
			t.Errorf("%s: weights of zero find %d true pairs", name, z.Pairs.True)
		}
	}
}

// Two lists of hospitals have no truth; what must not happen is that nothing,
// or everything, is one.
func TestTheListsOfHospitalsMeet(t *testing.T) {
	r := measured(t, quality.Config{Corpus: corpus(t), Only: []string{"hospitals"}})["hospitals"]
	matched := 0
	for _, line := range r.Found {
		if strings.HasPrefix(line, "matched: ") {
			matched++
		}
	}
	if r.Reports != 132+51 || r.Refused != 0 || matched < 38 || r.Largest > 6 {
		t.Errorf("%d reports, %d refused, %d matched, the largest of %d", r.Reports, r.Refused, matched, r.Largest)
	}
}

// Who writes the sets gets the same bytes on any machine and any day.
func TestTheSeededSetsAreTheSameEveryTime(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		if err := quality.Write(dir); err != nil {
			t.Fatal(err)
		}
	}
	sum := sha256.New()
	for _, dir := range []string{a, b} {
		h := sha256.New()
		err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(p)
			h.Write([]byte(filepath.Base(p)))
			h.Write(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if dir == b && !bytes.Equal(sum.Sum(nil), h.Sum(nil)) {
			t.Error("two writings differ")
		}
		sum = h
	}
}

func TestMissesDisagreeWithTheTruth(t *testing.T) {
	r := measured(t, quality.Config{Corpus: corpus(t), Only: []string{"jedai-d4"}, Misses: 3})["jedai-d4"]
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
	if wrong < 1 || wrong > 3 || missed != 3 {
		t.Errorf("%d wrong and %d missed, want 1 to 3 and 3", wrong, missed)
	}
}

func TestWithoutTheCorpusItSaysWhatIsMissing(t *testing.T) {
	err := quality.Run(context.Background(), quality.Config{Corpus: t.TempDir(), Only: []string{"febrl-1"}}, func(quality.Row) error { return nil })
	if !errors.Is(err, quality.ErrNoCorpus) {
		t.Errorf("got %v, want that the corpus is missing", err)
	}
}
