package quality

import (
	"context"
	"strconv"
	"time"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	score "github.com/watchfloor/watchfloor/consumers/fusion/quality"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// cell is the one that the reports of a set lie in: the engine takes all its
// inputs for one population, so its name says nothing.
const cell = "quality"

// set is reports with the truth beside them.
type set struct {
	reports []*wf.Report
	// truth is the cluster of each report; empty is alone.
	truth   []string
	refused int
	// threshold in millibits; 0 is that of the number of reports.
	threshold int32
}

func (s set) bits() int32 {
	if s.threshold != 0 {
		return s.threshold
	}
	return fusion.ThresholdFor(len(s.reports))
}

func (s set) identity(i int) fusion.Identity {
	return fusion.Identity{Cell: cell, Agency: s.reports[i].Agency, ID: s.reports[i].Id}
}

// fused is a set that went through an engine.
type fused struct {
	set
	engine *fusion.Engine
	// found is the situation of each report.
	found   []string
	seconds float64
}

// fuse correlates the set in one engine.
func (s set) fuse(ctx context.Context, c Config) (fused, error) {
	f := fused{set: s, found: make([]string, len(s.reports))}
	start := time.Now()
	f.engine = fusion.New(fusion.Config{Status: wf.Status_STATUS_TEST, Weights: c.Weights, Threshold: s.bits()})
	for i, r := range s.reports {
		if i%1024 == 0 && ctx.Err() != nil {
			return f, ctx.Err()
		}
		f.engine.Apply(fusion.Input{Cell: cell, Report: r})
	}
	for i := range s.reports {
		if n, ok := f.engine.Cluster(s.identity(i)); ok {
			f.found[i] = strconv.Itoa(n)
		}
	}
	f.seconds = time.Since(start).Seconds()
	return f, nil
}

// measure correlates the set and compares it with its truth.
func (s set) measure(ctx context.Context, c Config) (Row, error) {
	f, err := s.fuse(ctx, c)
	if err != nil {
		return Row{}, err
	}
	return Row{
		Reports: len(s.reports), Refused: s.refused, Threshold: float64(s.bits()) / 1000,
		Pairs: score.Pairs(s.truth, f.found), BCubed: score.BCubed(s.truth, f.found),
		Blocking: f.blocking(), Largest: score.Largest(f.found), Seconds: f.seconds, Misses: f.misses(c.Misses),
	}, nil
}

// blocking is the share of the true pairs that some key brings together.
func (f fused) blocking() float64 {
	all, proposed := 0, 0
	for _, list := range groups(f.truth) {
		for i, a := range list {
			for _, b := range list[:i] {
				all++
				if f.engine.Proposed(f.identity(a), f.identity(b)) {
					proposed++
				}
			}
		}
	}
	if all == 0 {
		return 1
	}
	return float64(proposed) / float64(all)
}

// groups are the members of each cluster that has a label.
func groups(labels []string) map[string][]int {
	out := map[string][]int{}
	for i, l := range labels {
		if l != "" {
			out[l] = append(out[l], i)
		}
	}
	return out
}
