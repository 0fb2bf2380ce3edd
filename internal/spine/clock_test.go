package spine_test

import (
	"sync"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
)

// setClock is a clock that a test sets.
type setClock struct {
	mu  sync.Mutex
	off time.Duration
}

func (c *setClock) set(off time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = off
}

func (c *setClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

// The clock is set back and ahead, under a running worker and over its restart:
// what readers get never goes back in time, and stays the picture that is made
// from scratch of the same reports at the same tick.
func TestClockIsSet(t *testing.T) {
	r := newRig(t)
	guard, f := r.guard(), r.follow()
	var mu sync.Mutex
	var ticks []time.Time
	defer f.Watch(func(u snapshot.Update) {
		if u.Frame != nil && u.Frame.GetTick() != nil {
			mu.Lock()
			defer mu.Unlock()
			ticks = append(ticks, u.Frame.GetTick().AsTime())
		}
	})()
	var c setClock
	p := policy.Default()
	engine := func() worker.Engine { return fusion.New(fusion.Config{Status: exercise, Windows: p.Windows()}) }
	m := worker.NewMetrics("le", exercise)
	run := func() func() error {
		return r.start(func(w *worker.Config) { w.Clock, w.Now, w.NewEngine, w.Metrics = worker.Wall, c.now, engine, m })
	}
	n := uint64(0)
	step := func(off time.Duration) {
		t.Helper()
		c.set(off)
		n++
		r.post(guard, report(int(n), 1, "Vehicle against the gate"))
		until(t, f, "the report", func(p *snapshot.Picture) bool { return reached(p.Checkpoint()) >= n })
		var cut worker.Cut
		var want [32]byte
		f.Read(func(p *snapshot.Picture) { cut.Checkpoint, cut.Tick, want = p.Checkpoint(), p.Tick(), p.Digest() })
		got, err := worker.Replay(t.Context(), worker.ReplayConfig{
			Cell: "le", Status: exercise, Sources: []worker.Source{{Cell: "le", Conn: r.worker()}}, Clock: worker.Wall, Cut: cut, NewEngine: engine,
		})
		must(t, err)
		if got.Picture.Digest() != want {
			t.Errorf("clock off by %s: the picture is not the one made from scratch", off)
		}
	}
	stop := run()
	for _, off := range []time.Duration{0, -time.Minute, -24 * time.Hour, time.Minute, 24 * time.Hour, 0} {
		step(off)
	}
	must(t, stop())
	stop = run()
	for _, off := range []time.Duration{0, -24 * time.Hour, 24*time.Hour + time.Minute} {
		step(off)
	}
	must(t, stop())
	mu.Lock()
	defer mu.Unlock()
	if len(ticks) < int(n) {
		t.Fatalf("%d frames of %d reports: this test shows nothing", len(ticks), n)
	}
	for i := 1; i < len(ticks); i++ {
		if ticks[i].Before(ticks[i-1]) {
			t.Errorf("frame %d is of %s, the one before of %s", i, ticks[i], ticks[i-1])
		}
	}
	if d := ticks[len(ticks)-1].Sub(ticks[0]); d < 24*time.Hour {
		t.Errorf("time went on by %s, want a day and a minute", d)
	}
}
