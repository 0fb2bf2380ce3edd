// Package bench measures Watchfloor beside baselines: admission, latency, bulk
// and idle, and by name the fusion engine alone, the worker and its restore. It is what `watchfloor bench` runs.
//
// It starts brokers of its own in a directory of its own. Figures are ratios
// against something measured in the same run; absolutes depend on the machine.
package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/broker/admit/admitbench"
)

// Parts are what can be measured by itself.
var Parts = []string{"admission", "transport", "latency", "bulk", "idle", "revocation", "engine", "commit", "restore"}

// byName are parts that are measured only when they are named.
var byName = []string{"transport", "engine", "commit", "restore"}

// Config says what to measure and how long.
type Config struct {
	// Only names parts; empty is all but those that are measured by name.
	Only []string
	// Rounds of each side, alternating; the median counts.
	Rounds int
	Round  time.Duration
	// Reports of the bulk run, and of those that commit and restore.
	Reports int
	// Live is how many live reports the engine is measured with; nil is 10k, 100k and 1M.
	Live []int
	// Progress is told what is measured next; may be nil.
	Progress func(what string)
}

// Figure is one figure beside its baseline. P50 and P99 are milliseconds.
type Figure struct {
	Name     string  `json:"name"`
	Ours     float64 `json:"ours"`
	Baseline float64 `json:"baseline"`
	// Ratio is ours by baseline.
	Ratio       float64 `json:"ratio"`
	Unit        string  `json:"unit"`
	P50         float64 `json:"p50_ms,omitempty"`
	P99         float64 `json:"p99_ms,omitempty"`
	BaselineP50 float64 `json:"baseline_p50_ms,omitempty"`
	BaselineP99 float64 `json:"baseline_p99_ms,omitempty"`
	// Target is what the figure should reach, in words.
	Target string `json:"target,omitempty"`
}

// Run measures and returns the figures in the order of Parts.
func Run(ctx context.Context, c Config) ([]Figure, error) {
	dir, err := os.MkdirTemp("", "watchfloor-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	r := &run{Config: c, dir: dir}
	defer r.close()
	var out []Figure
	for _, part := range Parts {
		if !c.wants(part) {
			continue
		}
		f, err := r.part(ctx, part)
		if err != nil {
			return out, fmt.Errorf("measure %s: %w", part, err)
		}
		out = append(out, f...)
	}
	return out, nil
}

func (c Config) wants(part string) bool {
	if len(c.Only) == 0 {
		return !slices.Contains(byName, part)
	}
	return slices.Contains(c.Only, part)
}

type run struct {
	Config
	dir string
	// filled is the stream that commit and restore read; published: its picture is there.
	filled    *bed
	published bool
}

func (r *run) close() {
	if r.filled != nil {
		r.filled.Close()
	}
}

func (r *run) part(ctx context.Context, part string) ([]Figure, error) {
	switch part {
	case "transport":
		return r.transport(ctx)
	case "latency":
		return r.latency(ctx)
	case "bulk":
		return r.bulk(ctx)
	case "idle":
		return r.idle(ctx)
	case "revocation":
		return r.revocation(ctx)
	case "engine":
		return r.engine(ctx)
	case "commit":
		return r.commit(ctx)
	case "restore":
		return r.restore(ctx)
	}
	return r.admission(ctx)
}

// admissionTargets by the number of reports in flight.
var admissionTargets = map[int]string{
	1: ">= 0.8 x direct", 64: ">= 1.5 x direct (stretch 2)", 1024: ">= 10 x direct (stretch 13)", 4096: ">= 0.30 x unsynced (stretch 0.40)",
}

func (r *run) admission(ctx context.Context) ([]Figure, error) {
	figures, err := admitbench.Admission(ctx, admitbench.Config{Dir: r.dir, Rounds: r.Rounds, Round: r.Round, Progress: r.Progress})
	return shown(figures, admissionTargets), err
}

// transport is what TLS with certificates and encryption at rest cost.
func (r *run) transport(ctx context.Context) ([]Figure, error) {
	figures, err := admitbench.Transport(ctx, admitbench.Config{Dir: r.dir, Rounds: r.Rounds, Round: r.Round, Progress: r.Progress, Processor: processor})
	out := shown(figures, nil)
	for i, f := range figures {
		out[i].Target = transportBaselines[strings.Split(f.Name, "-admission-")[0]]
		if f.Processor > 0 && f.BaselineProcessor > 0 {
			out = append(out, Figure{Name: strings.Replace(f.Name, "-admission-", "-processor-", 1), Unit: "us of processor per report, client included",
				Ours: f.Processor, Baseline: f.BaselineProcessor, Ratio: f.Processor / f.BaselineProcessor, Target: "reported: what a busy machine changes little"})
		}
	}
	return out, err
}

var transportBaselines = map[string]string{
	"tls":     "reported; TLS 1.3 with certificates on both sides, beside loopback without",
	"at-rest": "reported; AES at rest, beside a store in the clear",
}

func shown(figures []admitbench.Figure, targets map[int]string) (out []Figure) {
	for _, f := range figures {
		target := targets[f.InFlight]
		if target == "" {
			target = "reported"
		}
		out = append(out, Figure{Name: f.Name, Ours: f.Ours, Baseline: f.Baseline, Ratio: f.Ratio, Unit: f.Unit,
			P50: f.P50, P99: f.P99, BaselineP50: f.BaselineP50, BaselineP99: f.BaselineP99, Target: target})
	}
	return out
}

// milliseconds of the q-quantile of sorted durations.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := min(int(q*float64(len(sorted))), len(sorted)-1)
	return float64(sorted[i]) / float64(time.Millisecond)
}

// spread is the median over rounds of each round's p50 and p99.
func spread(rounds [][]time.Duration) (p50, p99 float64) {
	var mids, tails []float64
	for _, r := range rounds {
		s := slices.Clone(r)
		slices.Sort(s)
		mids, tails = append(mids, quantile(s, 0.5)), append(tails, quantile(s, 0.99))
	}
	return median(mids), median(tails)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Clone(v)
	slices.Sort(s)
	return s[len(s)/2]
}
