package snapshot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	// backlog is how many live frames may wait; more, and the follower reads again.
	backlog = 1024
	// checkEvery is how often a follower that hears nothing asks whether there is something.
	checkEvery = 15 * time.Second
	// retryEvery is how often it tries again while the picture cannot be read.
	retryEvery = time.Second
)

// Update is what a watcher of a follower is told.
type Update struct {
	// Reset: the picture was read anew; forget what you hold.
	Reset bool
	// Frame is the commit that led to the picture; nil with Reset.
	Frame *wf.Frame
	// Picture after it. Valid during the call.
	Picture *Picture
}

// Follower keeps the newest picture of a cell and status. What it shows is at
// any moment the picture of one revision.
type Follower struct {
	r      *reader
	log    *zap.Logger
	cancel context.CancelFunc
	closed chan struct{}
	err    error // of the end; read after closed

	// Lock order: order before mu. order makes "change, then tell" one step.
	order    sync.Mutex
	watchers []*watcher
	mu       sync.RWMutex
	picture  *Picture

	live atomic.Bool
	seen atomic.Int64 // unix nanoseconds of the last proof that the picture is the newest
}

type watcher struct {
	tell func(Update)
	gone atomic.Bool
}

// Follow reads the newest picture and keeps it up to date until ctx ends or
// Stop is called. It subscribes before it reads, so there is no gap. An empty
// cell is the one that the connection's credential is for; log may be nil.
func Follow(ctx context.Context, nc *nats.Conn, cell string, status wf.Status, log *zap.Logger) (*Follower, error) {
	if log == nil {
		log = zap.NewNop()
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &Follower{r: newReader(nc, cell, status), log: log, cancel: cancel, closed: make(chan struct{})}
	msgs := make(chan *nats.Msg, backlog)
	sub, err := nc.ChanSubscribe(subject.LiveFrames(status), msgs)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("follow picture: %w", err)
	}
	states := nc.StatusChanged(nats.CONNECTED, nats.DISCONNECTED, nats.CLOSED)
	end := func() {
		cancel()
		nc.RemoveStatusListener(states)
		if err := sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) && !errors.Is(err, nats.ErrBadSubscription) {
			log.Warn("unsubscribe from live frames", zap.Error(err))
		}
	}
	if err := nc.FlushTimeout(wait); err != nil {
		end()
		return nil, fmt.Errorf("follow picture: subscribe: %w", err)
	}
	if f.picture, _, err = f.r.load(ctx); err != nil {
		end()
		return nil, fmt.Errorf("follow picture: %w", err)
	}
	f.proved()
	go func() {
		defer close(f.closed)
		defer end()
		f.err = f.run(ctx, msgs, states)
	}()
	return f, nil
}

// Status is actual, exercise or test.
func (f *Follower) Status() wf.Status { return f.r.status }

// Read calls fn with the picture; it does not change meanwhile. Keep it short.
func (f *Follower) Read(fn func(*Picture)) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	fn(f.picture)
}

// Watch calls fn at once with the picture as a reset and then with every
// update, in order, one at a time, until stop. fn must not block.
func (f *Follower) Watch(fn func(Update)) (stop func()) {
	w := &watcher{tell: fn}
	f.order.Lock()
	defer f.order.Unlock()
	fn(Update{Reset: true, Picture: f.picture})
	f.watchers = append(f.watchers, w)
	return func() { w.gone.Store(true) }
}

// Live says whether the follower is connected and up to date, and when it last
// knew for certain.
func (f *Follower) Live() (bool, time.Time) {
	return f.live.Load(), time.Unix(0, f.seen.Load())
}

func (f *Follower) proved() {
	f.live.Store(true)
	f.seen.Store(time.Now().UnixNano())
}

// Stop ends following at once.
func (f *Follower) Stop() { f.cancel() }

// Drain ends following after what has arrived was told, as far as ctx allows.
func (f *Follower) Drain(ctx context.Context) error {
	f.cancel()
	select {
	case <-f.closed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Closed is closed when following has ended.
func (f *Follower) Closed() <-chan struct{} { return f.closed }

// Err says why following has ended; nil after Stop.
func (f *Follower) Err() error {
	select {
	case <-f.closed:
		return f.err
	default:
		return nil
	}
}

func (f *Follower) run(ctx context.Context, msgs <-chan *nats.Msg, states <-chan nats.Status) error {
	var asm assembler
	check := time.NewTicker(checkEvery)
	defer check.Stop()
	retry := time.NewTicker(retryEvery)
	defer retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-msgs:
			f.receive(ctx, &asm, m)
		case s, open := <-states:
			if !open || s == nats.CLOSED {
				return fmt.Errorf("follow picture: %w", nats.ErrConnectionClosed)
			}
			if s != nats.CONNECTED {
				f.live.Store(false)
				continue
			}
			f.catchUp(ctx)
		case <-check.C:
			f.catchUp(ctx)
		case <-retry.C:
			if !f.live.Load() && f.r.nc.IsConnected() {
				f.catchUp(ctx)
			}
		}
	}
}

// receive takes one live message.
func (f *Follower) receive(ctx context.Context, asm *assembler, m *nats.Msg) {
	// Only JetStream's own republication names the stream; anything else on
	// the subject is somebody's reply that was pointed at it.
	if m.Header.Get("Nats-Stream") != f.r.stream {
		return
	}
	seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil || seq <= f.picture.Sequence() {
		return
	}
	part, err := decodePart(m.Data)
	var frame *wf.Frame
	if err == nil {
		frame, err = asm.add(part)
	}
	if err != nil {
		f.log.Warn("live frame does not fit", zap.Error(err))
		f.catchUp(ctx)
		return
	}
	if frame == nil || frame.GetKeyframe() {
		return
	}
	if f.picture.Revision() > 0 && frame.GetEpoch() != f.picture.Epoch() || f.apply(frame, seq) != nil {
		f.catchUp(ctx)
		if f.picture.Sequence() < seq {
			// Announced, but not to be read yet: ask again soon.
			f.live.Store(false)
		}
		return
	}
	f.proved()
}

// apply makes the next frame the picture and tells the watchers.
func (f *Follower) apply(frame *wf.Frame, seq uint64) error {
	f.order.Lock()
	defer f.order.Unlock()
	f.mu.Lock()
	err := f.picture.Apply(frame, seq)
	f.mu.Unlock()
	if err == nil {
		f.tell(Update{Frame: frame, Picture: f.picture})
	}
	return err
}

// catchUp reads from the stream what is missing, or everything when the stream
// no longer holds what the picture was made of.
func (f *Follower) catchUp(ctx context.Context) {
	if err := f.resume(ctx); err == nil {
		f.proved()
		return
	}
	p, _, err := f.r.load(ctx)
	if err != nil {
		f.live.Store(false)
		if ctx.Err() == nil {
			f.log.Warn("picture cannot be read", zap.Error(err))
		}
		return
	}
	f.order.Lock()
	defer f.order.Unlock()
	f.mu.Lock()
	f.picture = p
	f.mu.Unlock()
	f.tell(Update{Reset: true, Picture: p})
	f.proved()
}

var errMoved = errors.New("the stream holds another frame")

// resume continues from the picture if its own frame is still what the stream holds.
func (f *Follower) resume(ctx context.Context) error {
	revision := f.picture.Revision()
	if revision == 0 {
		return errMoved
	}
	own, _, err := f.r.frame(ctx, revision)
	if err != nil {
		return err
	}
	if own == nil || own.GetEpoch() != f.picture.Epoch() {
		return errMoved
	}
	return f.r.advance(ctx, revision, f.picture.Sequence(), f.apply)
}

// tell calls the watchers; order is held.
func (f *Follower) tell(u Update) {
	live := f.watchers[:0]
	for _, w := range f.watchers {
		if !w.gone.Load() {
			w.tell(u)
			live = append(live, w)
		}
	}
	clear(f.watchers[len(live):])
	f.watchers = live
}
