package quality

import (
	"context"
	"runtime"
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

func (s set) identities() []fusion.Identity {
	out := make([]fusion.Identity, len(s.reports))
	for i := range out {
		out[i] = s.identity(i)
	}
	return out
}

// fuse correlates the set in one engine.
func (s set) fuse(ctx context.Context, c Config) (outcome, error) {
	o := outcome{
		engine: fusion.New(fusion.Config{Status: wf.Status_STATUS_TEST, Weights: c.Weights, Threshold: s.bits()}),
		names:  s.identities(), truth: s.truth,
		called: func(i int) string { return s.reports[i].Record },
		says:   func(i int) string { return says(s.reports[i]) },
		title:  func(i int) string { return s.reports[i].Title },
	}
	for i, r := range s.reports {
		if i%1024 == 0 && ctx.Err() != nil {
			return o, ctx.Err()
		}
		o.engine.Apply(fusion.Input{Cell: cell, Report: r})
	}
	o.find()
	return o, nil
}

// find asks the engine for the situation of each report.
func (o *outcome) find() {
	o.found = make([]string, len(o.names))
	for i, n := range o.names {
		if c, ok := o.engine.Cluster(n); ok {
			o.found[i] = strconv.Itoa(c)
		}
	}
}

// measure correlates the set and compares it with its truth.
func (s set) measure(ctx context.Context, c Config) (Row, error) {
	start := time.Now()
	o, err := s.fuse(ctx, c)
	if err != nil {
		return Row{}, err
	}
	took := time.Since(start)
	r := o.row(c)
	r.Refused, r.Threshold, r.Seconds = s.refused, float64(s.bits())/1000, took.Seconds()
	return r, nil
}

// row compares what was found with the truth.
func (o outcome) row(c Config) Row {
	r := Row{
		Reports: len(o.names), Pairs: score.Pairs(o.truth, o.found), BCubed: score.BCubed(o.truth, o.found),
		Largest: score.Largest(o.found), Blocking: blocking(o.engine, o.names, o.truth),
		HeapMB: heap(), Misses: o.misses(c.Misses),
	}
	runtime.KeepAlive(o.engine) // what is in use is measured with it
	return r
}

// heap is what is in use after a collection, in MB of a million bytes.
func heap() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// blocking is the share of the true pairs that some key brings together.
func blocking(e *fusion.Engine, names []fusion.Identity, truth []string) float64 {
	all, proposed := 0, 0
	for _, list := range groups(truth) {
		for i, a := range list {
			for _, b := range list[:i] {
				all++
				if e.Proposed(names[a], names[b]) {
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
