package admitbench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
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
	// Processor and BaselineProcessor are microseconds of processor per report,
	// client and server together; zero where Config does not know them.
	Processor         float64 `json:"processor_us,omitempty"`
	BaselineProcessor float64 `json:"baseline_processor_us,omitempty"`
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
	// Processor is the processor time that the process has used; may be nil.
	Processor func() time.Duration
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
	clear   *target // nil but for Transport
	payload *payload
}

func newBench(cfg Config) (*bench, error) {
	b, err := prepare(cfg)
	if err != nil {
		return nil, err
	}
	err = b.start()
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) start() (err error) {
	if b.sync, err = startTarget(b.cfg.Dir, kind{sync: true}); err != nil {
		return err
	}
	if b.lazy, err = startTarget(b.cfg.Dir, kind{}); err != nil {
		return err
	}
	return b.sync.guard()
}

// prepare makes all but the servers.
func prepare(cfg Config) (b *bench, err error) {
	if cfg.Rounds <= 0 {
		cfg.Rounds = 3
	}
	if cfg.Round <= 0 {
		cfg.Round = 1500 * time.Millisecond
	}
	if cfg.Progress == nil {
		cfg.Progress = func(string) {}
	}
	if cfg.Processor == nil {
		cfg.Processor = func() time.Duration { return 0 }
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
	return b, nil
}

func (b *bench) close() {
	for _, t := range []*target{b.sync, b.lazy, b.clear} {
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
	return b.beside(ctx, p.name, p.inFlight, side{b.sync.connect, b.payload.subject}, side{against.connect, rawSubject})
}

// side is one end of a comparison: how it connects, and where it publishes.
type side struct {
	connect func(user string) (*nats.Conn, error)
	subject string
}

// beside alternates rounds of two sides.
func (b *bench) beside(ctx context.Context, name string, inFlight int, mine, other side) (Figure, error) {
	var ours, base []sample
	for range b.cfg.Rounds {
		if err := ctx.Err(); err != nil {
			return Figure{}, err
		}
		b.cfg.Progress(name)
		s, err := b.one(mine, inFlight)
		if err != nil {
			return Figure{}, err
		}
		ours = append(ours, s)
		if s, err = b.one(other, inFlight); err != nil {
			return Figure{}, fmt.Errorf("baseline: %w", err)
		}
		base = append(base, s)
	}
	f := Figure{Name: name, Unit: "reports/s", InFlight: inFlight, Ours: median(ours), Baseline: median(base)}
	f.Ratio = f.Ours / f.Baseline
	f.Processor, f.BaselineProcessor = perReport(ours), perReport(base)
	f.P50, f.P99 = quantiles(ours)
	f.BaselineP50, f.BaselineP99 = quantiles(base)
	return f, nil
}

func (b *bench) one(s side, inFlight int) (sample, error) {
	nc, err := s.connect("bench")
	if err != nil {
		return sample{}, err
	}
	defer nc.Close()
	used := b.cfg.Processor()
	out, err := round(nc, s.subject, b.payload, inFlight, b.cfg.Round)
	out.processor = b.cfg.Processor() - used
	return out, err
}

func median(s []sample) float64 {
	rates := make([]float64, len(s))
	for i, x := range s {
		rates[i] = x.rate
	}
	slices.Sort(rates)
	return rates[len(rates)/2]
}

// perReport is the processor time of all rounds by their reports, in
// microseconds: what a busy machine changes little.
func perReport(s []sample) float64 {
	var used time.Duration
	reports := 0
	for _, x := range s {
		used += x.processor
		reports += len(x.latencies)
	}
	if reports == 0 {
		return 0
	}
	return float64(used.Nanoseconds()) / 1000 / float64(reports)
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
