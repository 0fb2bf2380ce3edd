// Package fusion is the correlation engine: a state machine over reports and
// ticks, whose picture is a function of the set of live reports and the tick.
//
// It has no clock, goroutine, randomness or I/O. Any arrival order, a replay,
// a restart and a standby give the same digest. Every figure that decides or
// is digested is an integer: weights are thousandths of a bit (log2 m/u).
//
// It is not a filter: what an engine may read is decided by the credential of
// the worker that feeds it. All inputs of an engine are one population. And it
// is not safe for concurrent use: one goroutine owns an engine.
//
// See DESIGN.md beside this file for the algorithm and its guarantees.
package fusion

import (
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Input is one admitted report with what its cell's guard knows of it.
type Input struct {
	// Cell that admitted the report.
	Cell     string
	Received time.Time
	// Report is read during the call and not kept.
	Report *wf.Report
}

// Delta is what changed between two commits.
type Delta struct {
	// Changes are sorted by situation id; an upsert carries the whole situation.
	Changes []*wf.Change
	Lineage []*wf.LineageEvent
}

// Config is what an engine is made with. All of it is part of the picture's
// definition: two engines with one config and one set of reports agree.
type Config struct {
	// Status the engine serves; reports of another status are ignored and
	// counted. The zero value serves nothing.
	Status wf.Status
	// Weights of the evidence; the zero value stands for DefaultWeights.
	Weights Weights
	// Threshold in millibits from which two reports are linked; 0 is DefaultThreshold.
	Threshold int32
	// Windows says how long a report of a kind stays after its event ended or
	// it expired, whichever is later. Missing or 0: for ever.
	Windows map[wf.Kind]time.Duration
	// HubLimit is how many live reports may carry one shareable key in one
	// epoch before it loses its weight; 0 is DefaultHubLimit.
	HubLimit int
	// massSize is how many reports a situation has at most that is not shown by
	// its parts; 0 is massSize. Tests make it small.
	massSize int
	// K is how many nearest older reports of each key are compared; 0 is DefaultK.
	K int
}

// Defaults of Config.
const (
	DefaultThreshold = 26_000
	DefaultHubLimit  = 20
	DefaultK         = 4
)

// grid is the tick grid in milliseconds.
const grid = 10_000

// Stats counts what the engine was handed and did not take.
type Stats struct {
	// Applied inputs changed the set of reports.
	Applied uint64
	// OtherStatus inputs belong to another engine.
	OtherStatus uint64
	// Stale inputs were older than or equal to a known revision.
	Stale uint64
	// Malformed inputs had no report, agency, id or state.
	Malformed uint64
}

// New makes an empty engine.
func New(c Config) *Engine {
	if c.Threshold == 0 {
		c.Threshold = DefaultThreshold
	}
	if c.HubLimit <= 0 {
		c.HubLimit = DefaultHubLimit
	}
	if c.K <= 0 {
		c.K = DefaultK
	}
	if c.massSize <= 0 {
		c.massSize = massSize
	}
	c.K = min(c.K, maxK)
	e := &Engine{
		status: c.Status, threshold: c.Threshold, hubLimit: int32(c.HubLimit), k: c.K, massSize: c.massSize,
		weights: c.Weights.orDefault(), buried: map[ident]uint64{}, words: vocabulary{numbers: map[string]uint32{}},
	}
	for k, d := range c.Windows {
		if int(k) >= 0 && int(k) < len(e.windows) && d > 0 {
			e.windows[k] = d.Milliseconds()
		}
	}
	e.nodes, e.sides = make([]node, 1), make([]uint8, 1) // index 0 is nobody
	e.known.init(identBits)
	e.bySituation.init(identBits)
	e.comps = make([]component, 1)
	e.pictures = make([]picture, 1)
	e.index.init(e)
	e.records.init()
	e.ties.init()
	return e
}

// Now is the last tick; zero before the first.
func (e *Engine) Now() time.Time {
	if e.now == 0 {
		return time.Time{}
	}
	return time.UnixMilli(e.now).UTC()
}

// Stats says what was handed in so far.
func (e *Engine) Stats() Stats { return e.stats }

// Len is the number of situations and live reports as of the last Commit.
func (e *Engine) Len() (situations, reports int) { return e.situations, e.committedReports }
