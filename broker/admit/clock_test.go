package admit

import (
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// clock is one that a test sets.
type clock struct {
	mu  sync.Mutex
	off time.Duration
}

func (c *clock) set(off time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = off
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

// The clock is set back and ahead, under a running guard and over its restart.
// Times of receipt never go back, lawful reports are admitted, what was admitted
// is still a duplicate of itself. Only a time that lies days ahead is taken for
// a mistake, once.
func TestClockIsSet(t *testing.T) {
	b := newBed(t, -1)
	var c clock
	cfg := b.config()
	cfg.Now, cfg.Log = c.now, zap.NewNop()
	g := b.startWith(cfg, nil)
	first := newReport()
	want := 0
	send := func(off time.Duration) {
		t.Helper()
		c.set(off)
		r := newReport() // by the clock of an agency, which is right
		if want == 0 {
			r = first
		}
		if a := b.submit(r); a.Error != nil {
			t.Fatalf("clock off by %s: a lawful report is refused: %+v", off, a.Error)
		}
		want++
		if a := b.submit(first); a.Error != nil || !a.Duplicate || a.Sequence != 1 {
			t.Fatalf("clock off by %s: the first report again: %+v", off, a)
		}
	}
	for _, off := range []time.Duration{0, -time.Minute, -24 * time.Hour, time.Minute, -time.Hour, 24 * time.Hour, 0} {
		send(off)
	}
	if n := g.Metrics().Behind(); n < 23*time.Hour {
		t.Errorf("the clock stands a day behind and the metric says %s", n)
	}
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	c.set(0)
	b.startWith(cfg, nil)
	for _, off := range []time.Duration{0, -24*time.Hour + time.Minute, 0} {
		send(off)
	}
	stored := b.reports()
	ordered(t, stored, want)
	send(365 * 24 * time.Hour)
	send(0) // not a year of waiting
	last := b.reports()[want-1].rec
	if d := time.Since(last.Received).Abs(); d > time.Hour {
		t.Errorf("after a minute with a clock a year ahead receipts are off by %s", d)
	}
}

func ordered(t *testing.T, stored []stored, want int) {
	t.Helper()
	if len(stored) != want {
		t.Fatalf("%d stored, want %d", len(stored), want)
	}
	var before admission.Record
	for _, m := range stored {
		if m.rec.Received.Before(before.Received) {
			t.Errorf("message %d was received at %s, the one before at %s", m.seq, m.rec.Received, before.Received)
		}
		before = m.rec
	}
}
