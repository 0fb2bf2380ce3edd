package admitbench

import (
	"slices"
	"testing"
	"time"
)

// The figures themselves are for `watchfloor bench`, on a machine that does
// nothing else. Here: every comparison runs, both sides of it do work, and the
// guard beats unbatched publishing with the same durability.
func TestFigures(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), Rounds: 1, Round: 300 * time.Millisecond}
	figures, err := Admission(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dir = t.TempDir()
	latency, err := Latency(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Dir = t.TempDir()
	protected, err := Transport(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if len(protected) != 4 {
		t.Errorf("%d figures of transport, want 4", len(protected))
	}
	figures = append(figures, protected...)
	for _, f := range append(figures, latency) {
		t.Logf("%s: %.2f against %.2f %s, ratio %.2f, p50 %.2f ms, p99 %.2f ms", f.Name, f.Ours, f.Baseline, f.Unit, f.Ratio, f.P50, f.P99)
		if f.Ours <= 0 || f.Baseline <= 0 || f.P50 <= 0 || f.P99 < f.P50 || f.Ratio != f.Ours/f.Baseline {
			t.Errorf("%s: %+v", f.Name, f)
		}
		if f.InFlight == 1024 && f.Ratio < 2 && !slices.ContainsFunc(protected, func(p Figure) bool { return p.Name == f.Name }) {
			t.Errorf("%s: ratio %.2f: commits are not batched", f.Name, f.Ratio)
		}
	}
}

func TestPayloads(t *testing.T) {
	p, err := newPayload(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.data); n < 550 || n > 700 {
		t.Errorf("a report of %d bytes, want about 600", n)
	}
	if a, b := p.next(), p.next(); string(a) == string(b) {
		t.Error("two reports are the same")
	}
}
