// Package fusion is the correlation engine: a state machine over reports and
// ticks, whose picture is a function of the set of live reports and the tick.
//
// It has no clock, goroutine, randomness or I/O. Any arrival order, a replay,
// a restart and a standby give the same digest.
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
	Changes []*wf.Change
	Lineage []*wf.LineageEvent
}
