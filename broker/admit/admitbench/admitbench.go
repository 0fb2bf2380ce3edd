package admitbench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// Figure is one measured figure and the baseline measured beside it.
type Figure struct {
	Name     string  `json:"name"`
	Ours     float64 `json:"ours"`
	Baseline float64 `json:"baseline"`
	Ratio    float64 `json:"ratio"`
	Unit     string  `json:"unit"`
	// P50 and P99 of ours in milliseconds, and of the baseline.
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	BaselineP50 float64 `json:"baseline_p50_ms"`
	BaselineP99 float64 `json:"baseline_p99_ms"`
	InFlight    int     `json:"in_flight"`
}

// Config says how long to measure.
type Config struct {
	// Dir is where the servers keep their files; empty is a temporary directory.
	Dir string
	// Rounds of each side, alternating; the median counts (3).
	Rounds int
	// Round is how long one round lasts (1.5 s).
	Round time.Duration
	// Progress is told what is measured next; may be nil.
	Progress func(what string)
}

// plan is one comparison: ours against one baseline.
type plan struct {
	name     string
	inFlight int
	lazy     bool // baseline without fsync
}

var plans = []plan{
	{"admission, 4096 in flight, against PublishAsync without fsync", 4096, true},
	{"admission, 1024 in flight, against js.Publish with fsync", 1024, false},
	{"admission, 64 in flight, against js.Publish with fsync", 64, false},
	{"admission, 1 in flight, against js.Publish with fsync", 1, false},
}

// Admission measures reports per second through the guard.
func Admission(ctx context.Context, cfg Config) ([]Figure, error) {
	b, err := newBench(cfg)
	if err != nil {
		return nil, fmt.Errorf("measure admission: %w", err)
	}
	defer b.close()
	var out []Figure
	for _, p := range plans {
		f, err := b.compare(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", p.name, err)
		}
		out = append(out, f)
	}
	return out, nil
}

type bench struct {
	cfg     Config
	remove  string
	sync    *target
	lazy    *target
	payload *payload
}

func newBench(cfg Config) (b *bench, err error) {
	if cfg.Rounds <= 0 {
		cfg.Rounds = 3
	}
	if cfg.Round <= 0 {
		cfg.Round = 1500 * time.Millisecond
	}
	if cfg.Progress == nil {
		cfg.Progress = func(string) {}
	}
	b = &bench{cfg: cfg}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	if cfg.Dir == "" {
		if b.cfg.Dir, err = os.MkdirTemp("", "watchfloor-bench-"); err != nil {
			return nil, err
		}
		b.remove = b.cfg.Dir
	}
	if b.payload, err = newPayload(time.Now()); err != nil {
		return nil, err
	}
	if b.sync, err = startTarget(b.cfg.Dir, true); err != nil {
		return nil, err
	}
	if b.lazy, err = startTarget(b.cfg.Dir, false); err != nil {
		return nil, err
	}
	return b, b.sync.guard()
}

func (b *bench) close() {
	for _, t := range []*target{b.sync, b.lazy} {
		if t != nil {
			t.close()
		}
	}
	if b.remove != "" {
		_ = os.RemoveAll(b.remove)
	}
}

// compare alternates rounds of both sides, so that a noisy minute hits both.
func (b *bench) compare(ctx context.Context, p plan) (Figure, error) {
	against := b.sync
	if p.lazy {
		against = b.lazy
	}
	var ours, base []sample
	for range b.cfg.Rounds {
		if err := ctx.Err(); err != nil {
			return Figure{}, err
		}
		b.cfg.Progress(p.name)
		s, err := b.one(b.sync, b.payload.subject, p.inFlight)
		if err != nil {
			return Figure{}, err
		}
		ours = append(ours, s)
		if s, err = b.one(against, rawSubject, p.inFlight); err != nil {
			return Figure{}, fmt.Errorf("baseline: %w", err)
		}
		base = append(base, s)
	}
	f := Figure{Name: p.name, Unit: "reports/s", InFlight: p.inFlight, Ours: median(ours), Baseline: median(base)}
	f.Ratio = f.Ours / f.Baseline
	f.P50, f.P99 = quantiles(ours)
	f.BaselineP50, f.BaselineP99 = quantiles(base)
	return f, nil
}

func (b *bench) one(t *target, subj string, inFlight int) (sample, error) {
	nc, err := t.connect("bench")
	if err != nil {
		return sample{}, err
	}
	defer nc.Close()
	return round(nc, subj, b.payload, inFlight, b.cfg.Round)
}

func median(s []sample) float64 {
	rates := make([]float64, len(s))
	for i, x := range s {
		rates[i] = x.rate
	}
	slices.Sort(rates)
	return rates[len(rates)/2]
}

// quantiles of all rounds together, in milliseconds.
func quantiles(s []sample) (p50, p99 float64) {
	var all []time.Duration
	for _, x := range s {
		all = append(all, x.latencies...)
	}
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return ms(all[len(all)/2]), ms(all[len(all)*99/100])
}
