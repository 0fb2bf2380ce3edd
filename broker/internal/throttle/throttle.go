// Package throttle bounds how many lines of the log somebody else can cause.
package throttle

import (
	"sync"
	"time"
)

const (
	// burst lines pass at once, then one every interval.
	burst    = 20
	interval = time.Second
)

// Throttle lets a line pass now and then. The zero throttle is full.
type Throttle struct {
	mu      sync.Mutex
	used    int
	last    time.Time
	skipped uint64
}

// Take says whether a line may pass, and how many did not since the last one.
func (t *Throttle) Take(now time.Time) (ok bool, left uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if back := int(now.Sub(t.last) / interval); back > 0 {
		t.used, t.last = max(0, t.used-back), now
	}
	if t.used >= burst {
		t.skipped++
		return false, 0
	}
	t.used++
	left, t.skipped = t.skipped, 0
	return true, left
}
