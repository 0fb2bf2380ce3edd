package worker

import (
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Cut says which stored records a replay takes: those of a time, or those that
// a frame's checkpoint names. Exactly one of the two is set.
type Cut struct {
	// AsOf takes the records stored at or before it (clock Wall), or those that
	// name a time at or before it themselves (clock Input).
	AsOf time.Time
	// Checkpoint takes the records up to its positions, and Tick is the engine's time.
	Checkpoint []*wf.Position
	Tick       time.Time
}

// tick is the engine's time of the cut: on the grid.
func (c *Cut) tick() time.Time {
	if c.Checkpoint != nil {
		return c.Tick
	}
	return c.AsOf.UTC().Truncate(Grid)
}

// bound is the cut in one channel of one cell's REPORTS. Records are shown to
// it in the order of their stream.
type bound struct {
	clock Clock
	asOf  time.Time
	upTo  uint64 // of a checkpoint
	seen  time.Time
}

func (c *Cut) bound(clock Clock, src *source) *bound {
	b := &bound{clock: clock, asOf: c.AsOf}
	for _, p := range c.Checkpoint {
		if p.GetCell() == src.cell && p.GetChannel() == string(src.channel) {
			b.upTo = p.GetSequence()
		}
	}
	return b
}

// takes says whether the cut holds a record stored at a time. By the input's
// clock a record without a time of its own has the latest that its stream has
// named before it.
func (b *bound) takes(r *record, stored time.Time) bool {
	switch {
	case b.asOf.IsZero():
		return r.sequence <= b.upTo
	case b.clock == Wall:
		// A clock that was set back stores what came later at an earlier time.
		b.seen = latest(b.seen, stored)
		return !b.seen.After(b.asOf)
	}
	at := b.seen
	if r.report != nil {
		at = inputTime(r)
		b.seen = latest(b.seen, at)
	}
	return !at.IsZero() && !at.After(b.asOf)
}
