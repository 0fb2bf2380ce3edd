package broker

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/room"
)

const (
	// lookEvery is how often the store is looked after. What reports can fill in
	// between must be well below the reserve.
	lookEvery = 250 * time.Millisecond
	// A restart that failed is tried again, slower each time.
	firstRevival = time.Second
	lastRevival  = time.Minute
	// silentAfter is how long the store may owe an answer before it counts as
	// standing still.
	silentAfter = 3 * time.Second
	// maxReserve and reserveShare are the default reserve: a twentieth of the
	// disk, at most 1 GiB.
	maxReserve   = 1 << 30
	reserveShare = 20
)

// StoreHealth says how the disk and the store on it are.
type StoreHealth struct {
	// Free and Reserve in bytes; Free is -1 where the system does not say.
	Free, Reserve int64
	// Tight: less than the reserve is free, so that no report is taken.
	Tight bool
	// Frozen is why the store takes nothing; it is opened again once the disk
	// takes writes. Nil while it does.
	Frozen error
	// NATS is what the server says is wrong; nil when nothing is.
	NATS error
	// Silent is for how long the disk has owed an answer; 0 while it answers.
	Silent time.Duration
	// Restarts of the store since the broker's start.
	Restarts int
}

// Err is nil when the store takes reports, else says what is wrong and what to do.
func (h StoreHealth) Err() error {
	switch {
	case h.Silent > silentAfter:
		return fmt.Errorf("%w: no answer for %s: look at the disk; what was acknowledged is safe, senders are told to try again", ErrStalled, h.Silent.Round(time.Second))
	case h.Frozen != nil:
		return fmt.Errorf("%w: free room on the disk or mend it: the store is opened again by itself; senders are told to try again", h.Frozen)
	case h.Tight:
		return fmt.Errorf("%w: %s free, %s is kept in reserve: free room on the disk; senders are told to try again", ErrTight, mebibytes(h.Free), mebibytes(h.Reserve))
	}
	return h.NATS
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// vigil looks after the store as long as the broker runs: it keeps reports out
// while room is short, so that the store does not freeze, and opens a store
// that froze again when the disk takes writes.
type vigil struct {
	cancel context.CancelFunc
	done   chan struct{}

	tight   atomic.Bool
	looking atomic.Int64 // since when a look is under way, after began, plus 1; 0 while none is
	changes atomic.Int64 // begun and ended changes of accounts and streams: odd while one is under way
	began   time.Time

	mu    sync.Mutex
	state StoreHealth
	down  bool // the store was ended and is not whole again
}

// keepVigil starts looking after the store.
func (b *Broker) keepVigil() {
	ctx, cancel := context.WithCancel(context.Background())
	b.vigil.cancel, b.vigil.done = cancel, make(chan struct{})
	go func() {
		defer close(b.vigil.done)
		wait := firstRevival
		for next := time.Now(); ; {
			b.look()
			if frozen := b.vigil.health().Frozen; frozen != nil && time.Now().After(next) {
				if err := b.revive(ctx); err != nil {
					next, wait = time.Now().Add(wait), min(2*wait, lastRevival)
					b.cfg.Log.Error("store stays closed", zap.Error(err), zap.Duration("again_in", wait/2))
				} else {
					wait = firstRevival
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(lookEvery):
			}
		}
	}()
}

// end stops it and waits, unless the disk holds it up.
func (v *vigil) end() {
	if v.cancel == nil {
		return
	}
	v.cancel()
	select {
	case <-v.done:
	case <-time.After(silentAfter):
	}
}

// look takes the state of disk and store. Either may hold it up as long as the
// disk stands still.
func (b *Broker) look() {
	v := &b.vigil
	v.looking.Store(int64(time.Since(v.began)) + 1)
	defer v.looking.Store(0)
	space, err := room.Of(b.cfg.DataDir)
	if err != nil {
		space = room.Space{Free: -1}
	}
	b.noteRoom(space)
	b.noteFrozen(b.nats.Frozen())
	changes := v.changes.Load()
	v.noteNATS(b.nats.Health(), changes)
}

// noteNATS keeps what the server said of itself. A stream that is being made or
// removed has a folder and is not served, which the server takes for one that it
// could not recover: what it complains of while streams change says nothing, and
// changes is their number from before it was asked.
func (v *vigil) noteNATS(err error, changes int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil && (changes%2 != 0 || v.changes.Load() != changes) {
		return
	}
	v.state.NATS = err
}

// changing says that accounts or streams change until the returned function is
// called. The caller holds the broker's mu.
func (v *vigil) changing() (done func()) {
	v.changes.Add(1)
	return func() { v.changes.Add(1) }
}

// noteRoom closes the guards to new reports when less than the reserve is free,
// and opens them again when there is a quarter more than that.
func (b *Broker) noteRoom(space room.Space) {
	v := &b.vigil
	reserve := b.cfg.Reserve
	if reserve == 0 {
		reserve = min(maxReserve, space.Size/reserveShare)
	}
	if space.Free < 0 {
		reserve = -1
	}
	was := v.tight.Load()
	tight := space.Free < reserve || was && space.Free < reserve+reserve/4
	v.tight.Store(tight)
	v.mu.Lock()
	v.state.Free, v.state.Reserve, v.state.Tight = space.Free, max(reserve, 0), tight
	v.mu.Unlock()
	switch {
	case tight && !was:
		b.cfg.Log.Error("room on the disk is short, no reports are taken: free some", zap.Int64("free_bytes", space.Free), zap.Int64("reserve_bytes", reserve))
	case was && !tight:
		b.cfg.Log.Warn("there is room on the disk again, reports are taken", zap.Int64("free_bytes", space.Free))
	}
}

func (b *Broker) noteFrozen(err error) {
	v := &b.vigil
	v.mu.Lock()
	was := v.state.Frozen
	if err == nil && v.down {
		err = was
	}
	v.state.Frozen = err
	v.mu.Unlock()
	if err != nil && was == nil {
		b.doubt()
		b.cfg.Log.Error("store takes no reports until the disk is well and it is opened again", zap.Error(err))
	}
}

// doubt lets the guards answer those who wait for a store that will not.
func (b *Broker) doubt() {
	if !b.mu.TryLock() {
		return // they come to it by themselves, later
	}
	defer b.mu.Unlock()
	for _, p := range b.guards {
		p.mu.Lock()
		if p.guard != nil {
			p.guard.Doubt()
		}
		p.mu.Unlock()
	}
}

func (v *vigil) health() StoreHealth {
	v.mu.Lock()
	defer v.mu.Unlock()
	h := v.state
	if since := v.looking.Load(); since != 0 {
		h.Silent = time.Since(v.began) - time.Duration(since)
	}
	return h
}

// revive opens a frozen store again, once the disk takes writes and has room
// for more than the reserve.
func (b *Broker) revive(ctx context.Context) error {
	v := &b.vigil
	if v.tight.Load() {
		return ErrTight
	}
	if err := room.Probe(b.cfg.DataDir); err != nil {
		return err
	}
	// While the store's own files cannot be synced the server stays: it tells
	// senders to try again, and readers read.
	if err := b.nats.Settle(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	b.cfg.Log.Warn("disk takes writes again, opening the store anew")
	v.setDown(true)
	b.dismiss(func(string) bool { return true })
	if err := b.restartStore(); err != nil {
		return err
	}
	clear(b.staged) // the server takes the links away when it starts
	if err := b.provision(ctx, b.policy); err != nil {
		return err
	}
	if err := b.stage(b.policy); err != nil {
		return err
	}
	// The guards come up by themselves: whoever waited for them here would hold
	// up Close while a disk fails again.
	if err := b.station(b.policy); err != nil {
		return err
	}
	v.setDown(false)
	b.look()
	b.cfg.Log.Warn("store is open again, reports are taken")
	return nil
}

// setDown says that the store is being opened again, or that it is open.
func (v *vigil) setDown(down bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.down = down; !down {
		v.state.Frozen = nil
		v.state.Restarts++
	}
}

// Store says how the disk and the store are.
func (b *Broker) Store() StoreHealth { return b.vigil.health() }
