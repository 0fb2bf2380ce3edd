//go:build linux

package durability

import (
	"fmt"
	"math/rand/v2"

	"github.com/watchfloor/watchfloor/internal/disk"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// phase is what the machine does when the power goes.
type phase int

const (
	inLoad     phase = iota // it admits and fuses
	inStop                  // it is told to end
	afterCut                // it starts again on what a first cut left
	afterStop               // it starts again after a regular end
	firstStart              // it starts on an empty disk
)

// stage is a point of the broker's work at which the power goes: at the Nth
// operation on the disk, or when SNAPSHOT_ACTUAL takes a message, or when so many
// more reports are acknowledged.
type stage struct {
	name   string
	phase  phase
	onDisk bool // needs batches staged on the disk
	// One of the three; spread is the largest N, of which a seed chooses.
	rule   disk.Rule
	frame  func(*wf.Frame) bool
	acks   bool
	spread int
}

// Files of the store, by their last elements.
const (
	reportBlocks   = "REPORTS/msgs/*.blk"
	reportKeys     = "REPORTS/msgs/*.key*"
	refusalBlocks  = "REFUSALS/msgs/*.blk"
	pictureBlocks  = "SNAPSHOT_ACTUAL/msgs/*.blk"
	stagedBatches  = "REPORTS/batches/*/msgs/*"
	streamState    = "msgs/index.db"
	anyDescription = "meta.*"
)

// stages is every point of the broker's work at which the power is cut. In each
// the load goes on until it falls there; before it at least a thousand reports were
// acknowledged since the cut before, but at a first start.
var stages = []stage{
	// Admission of a batch, in the order of its steps.
	{name: "batch staged on disk, in the middle", onDisk: true, rule: disk.Rule{Ops: disk.Changes, Path: stagedBatches}, spread: 40},
	{name: "batch staged on disk, synced", onDisk: true, rule: disk.Rule{Ops: disk.Sync, Path: stagedBatches, When: disk.After}, spread: 20},
	{name: "batch staged, block not written", rule: disk.Rule{Ops: disk.Write, Path: reportBlocks}, spread: 30},
	{name: "block written, not synced", rule: disk.Rule{Ops: disk.Write, Path: reportBlocks, When: disk.After}, spread: 30},
	{name: "sync of the block under way", rule: disk.Rule{Ops: disk.Sync, Path: reportBlocks}, spread: 15},
	{name: "block synced, nobody answered", rule: disk.Rule{Ops: disk.Sync, Path: reportBlocks, When: disk.After}, spread: 15},
	{name: "answered", acks: true, spread: 400},
	// What is beside a commit.
	{name: "new block begun", rule: disk.Rule{Ops: disk.Create, Path: reportBlocks}, spread: 1},
	{name: "new block made, nothing in it", rule: disk.Rule{Ops: disk.Create, Path: reportBlocks, When: disk.After}, spread: 1},
	{name: "key of a new block", rule: disk.Rule{Ops: disk.Stores, Path: reportKeys}, spread: 4},
	{name: "refusal written, not synced", rule: disk.Rule{Ops: disk.Write, Path: refusalBlocks, When: disk.After}, spread: 6},
	{name: "refusal synced", rule: disk.Rule{Ops: disk.Sync, Path: refusalBlocks, When: disk.After}, spread: 6},
	// The picture. Its stream does not wait for the disk.
	{name: "frame not written", rule: disk.Rule{Ops: disk.Write, Path: pictureBlocks}, spread: 20},
	{name: "frame written", rule: disk.Rule{Ops: disk.Write, Path: pictureBlocks, When: disk.After}, spread: 20},
	{name: "frame in parts, after a part", phase: afterCut, frame: partOf(false, false), spread: 1},
	{name: "frame in parts, after the last", phase: afterCut, frame: partOf(false, true), spread: 1},
	{name: "keyframe in parts, after a part", phase: afterStop, frame: partOf(true, false), spread: 1},
	{name: "keyframe in parts, after the last", phase: afterStop, frame: partOf(true, true), spread: 1},
	// Ending and starting.
	{name: "ending, a stream's state not written", phase: inStop, rule: disk.Rule{Ops: disk.Write | disk.Truncate, Path: streamState}, spread: 12},
	{name: "ending, a stream's state written", phase: inStop, rule: disk.Rule{Ops: disk.Write, Path: streamState, When: disk.After}, spread: 6},
	{name: "starting again, anywhere", phase: afterCut, rule: disk.Rule{Ops: disk.Stores}, spread: 150},
	{name: "starting again, reading reports", phase: afterCut, rule: disk.Rule{Ops: disk.Read, Path: reportBlocks}, spread: 8},
	{name: "starting after an end, anywhere", phase: afterStop, rule: disk.Rule{Ops: disk.Stores}, spread: 150},
	{name: "first start, anywhere", phase: firstStart, rule: disk.Rule{Ops: disk.Stores}, spread: 480},
	{name: "first start, describing a stream", phase: firstStart, rule: disk.Rule{Ops: disk.Stores, Path: anyDescription}, spread: 80},
}

// partOf matches the messages of a frame or keyframe in several parts: the last
// of them, or any other.
func partOf(keyframe, last bool) func(*wf.Frame) bool {
	return func(f *wf.Frame) bool {
		return f.GetKeyframe() == keyframe && f.GetParts() > 1 && (f.GetPart() == f.GetParts()-1) == last
	}
}

// strike is one cut: a stage, which of the matching events, and what survives.
type strike struct {
	stage    stage
	nth      int
	survival disk.Survival
}

// choose draws the rest of a cut.
func (s stage) choose(rng *rand.Rand) strike {
	x := strike{stage: s, nth: 1 + rng.IntN(max(s.spread, 1)), survival: disk.Nothing}
	if rng.IntN(2) == 0 {
		x.survival = disk.Torn
	}
	return x
}

func (s strike) String() string {
	survives := map[disk.Survival]string{disk.Nothing: "nothing unsynced survives", disk.Torn: "what was not synced is torn"}
	return fmt.Sprintf("%q, the %d., %s", s.stage.name, s.nth, survives[s.survival])
}
