package consumers

import (
	"context"
	"fmt"
	"sync"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Change is a picture that changes: exactly one of the two is set.
type Change struct {
	// Snapshot is the whole picture; forget what you hold. The first change is
	// one, and each one after you were too slow or the picture was made anew.
	Snapshot *wf.Snapshot
	// Frame is the next revision: what changed since the change before.
	Frame *wf.Frame
}

// queued is how many frames wait for a slow watcher before it gets a snapshot instead.
const queued = 1024

// Watch is a picture being watched.
type Watch struct {
	follower *snapshot.Follower
	events   chan Change
	unwatch  func()
	cancel   context.CancelFunc

	mu      sync.Mutex
	waiting []*wf.Frame
	reset   bool
	ready   chan struct{}
}

// Watch gives the newest picture of the cell and then every change of it,
// without a gap and never between two commits.
func (c *Client) Watch(ctx context.Context, status wf.Status) (*Watch, error) {
	ctx, cancel := context.WithCancel(ctx)
	f, err := snapshot.Follow(ctx, c.nc, c.cell, status, c.log)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("watch: %w", c.explain(err))
	}
	w := &Watch{follower: f, events: make(chan Change), cancel: cancel, ready: make(chan struct{}, 1)}
	w.unwatch = f.Watch(w.update)
	go w.pump(ctx)
	return w, nil
}

// Events gives the changes in order; it is closed at the end.
func (w *Watch) Events() <-chan Change { return w.events }

// Stop ends watching at once.
func (w *Watch) Stop() { w.cancel() }

// Drain ends watching; what has not been taken from Events is in the next snapshot.
func (w *Watch) Drain(ctx context.Context) error {
	w.cancel()
	return w.follower.Drain(ctx)
}

// Closed is closed when watching has ended.
func (w *Watch) Closed() <-chan struct{} { return w.follower.Closed() }

// Err says why watching has ended; nil while it runs and after Stop.
func (w *Watch) Err() error { return w.follower.Err() }

// update queues for the pump and never waits.
func (w *Watch) update(u snapshot.Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case u.Reset || len(w.waiting) >= queued:
		w.reset, w.waiting = true, nil
	case !w.reset:
		w.waiting = append(w.waiting, u.Frame)
	}
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// take is what to give next.
func (w *Watch) take() (frames []*wf.Frame, reset bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	frames, reset = w.waiting, w.reset
	w.waiting, w.reset = nil, false
	return frames, reset
}

func (w *Watch) pump(ctx context.Context) {
	defer close(w.events)
	defer w.unwatch()
	var have uint64
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.follower.Closed():
			return
		case <-w.ready:
		}
		frames, reset := w.take()
		if reset {
			// Frames that come while the snapshot is made may be in it already.
			var s *wf.Snapshot
			w.follower.Read(func(p *snapshot.Picture) { s = p.Snapshot() })
			have = s.GetRevision()
			if !w.give(ctx, Change{Snapshot: s}) {
				return
			}
		}
		for _, f := range frames {
			if f.GetRevision() <= have {
				continue
			}
			have = f.GetRevision()
			if !w.give(ctx, Change{Frame: f}) {
				return
			}
		}
	}
}

func (w *Watch) give(ctx context.Context, c Change) bool {
	select {
	case w.events <- c:
		return true
	case <-ctx.Done():
		return false
	}
}
