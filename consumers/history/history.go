// Package history tells what a cell's picture was at an earlier time: from the
// frames of that time while they are stored, else from the stored reports,
// correlated once more.
//
// It reads nothing by itself that its cell's worker may not read, and it bounds
// what asking costs: one replay at a time, a deadline, and the last answers
// kept. It decides nothing about correlation. consumers/snapshot/DESIGN.md says
// what "as of" means.
package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// What a caller can do about each is said with it.
var (
	// ErrFuture: the time has not come by the clock of the picture.
	ErrFuture = errors.New("the time lies ahead of the picture's clock")
	// ErrBefore: nothing that the cell reads is of that time or earlier. It
	// comes as *Before.
	ErrBefore = errors.New("nothing was stored by then")
	// ErrBusy: another question is being answered. Ask again soon.
	ErrBusy = worker.ErrBusy
	// ErrTooLong: the replay did not end in time. Ask again when there is less to do.
	ErrTooLong = errors.New("the replay takes too long")
)

// Before is ErrBefore with the earliest time that can be answered; zero when
// there is none yet.
type Before struct{ First time.Time }

func (b *Before) Error() string {
	if b.First.IsZero() {
		return "nothing has been stored yet"
	}
	return fmt.Sprintf("nothing was stored by then: the first report is of %s", b.First.UTC().Format(time.RFC3339))
}

// Unwrap is ErrBefore.
func (b *Before) Unwrap() error { return ErrBefore }

// Live is the picture of now; snapshot.Follower is one.
type Live interface{ Read(func(*snapshot.Picture)) }

// Config of a cell's history. All but Deadline, Now and Log are required.
type Config struct {
	Cell string
	// Clock is what moves the picture's time, and what a time that is asked for means.
	Clock worker.Clock
	Live  map[wf.Status]Live
	// Frames reads the picture published at a time; snapshot.At does.
	Frames func(ctx context.Context, status wf.Status, t time.Time) (*snapshot.Picture, error)
	// Replay makes the picture of a cut; worker.Replay does.
	Replay func(ctx context.Context, status wf.Status, cut worker.Cut, progress func(worker.Progress)) (*worker.Replayed, error)
	// Deadline bounds a replay; 0 is two minutes.
	Deadline time.Duration
	Now      func() time.Time
	Log      *zap.Logger
}

// History answers for one cell. It is safe for concurrent use.
type History struct {
	Config
	turn chan struct{} // holds a token while nobody reads the past

	mu       sync.Mutex
	kept     []kept
	progress Progress
}

// Progress is how far the replay under way is; zero when there is none.
type Progress struct {
	Running     bool
	Done, Total uint64
}

// Answer is a picture of an earlier time.
type Answer struct {
	Picture *snapshot.Picture
	AsOf    *wf.AsOf
}

// kept is an answer that may be asked for again, as its pages and situations are.
type kept struct {
	status wf.Status
	asked  time.Time
	replay bool
	purged uint64
	until  time.Time
	answer *Answer
}

const (
	defaultDeadline = 2 * time.Minute
	// keep bounds the answers kept, and keepFor for how long.
	keep    = 2
	keepFor = 2 * time.Minute
	// idle is how long a worker that works may commit nothing: a heartbeat, and
	// what a tick may take.
	idle = time.Minute + 2*worker.Grid
	// patience is how long one waits for one's turn.
	patience = 2 * time.Second
)

// New checks the configuration.
func New(c Config) (*History, error) {
	if c.Cell == "" || c.Frames == nil || c.Replay == nil || len(c.Live) == 0 || c.Clock != worker.Wall && c.Clock != worker.Input {
		return nil, errors.New("history: Cell, Clock, Live, Frames and Replay are required")
	}
	if c.Deadline <= 0 {
		c.Deadline = defaultDeadline
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	h := &History{Config: c, turn: make(chan struct{}, 1)}
	h.turn <- struct{}{}
	return h, nil
}

// Query is what is asked.
type Query struct {
	Status wf.Status
	AsOf   time.Time
	// Replay wants the replay of the reports even where frames are stored.
	Replay bool
}

// At answers what the picture was. Errors that the asker can do something
// about are the package's.
func (h *History) At(ctx context.Context, q Query) (*Answer, error) {
	now, err := h.now(q.Status)
	if err != nil {
		return nil, err
	}
	if q.AsOf.After(now.latest) {
		return nil, ErrFuture
	}
	if a := h.again(q, now.purged); a != nil {
		return a, nil
	}
	leave, err := h.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if a := h.again(q, now.purged); a != nil {
		return a, nil
	}
	a, err := h.answer(ctx, q, now)
	if err == nil {
		err = h.keep(q, now.purged, a)
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// present is what of the newest picture an answer depends on.
type present struct {
	latest time.Time
	purged uint64
	clean  bool // no older frame speaks of a purged report
}

func (h *History) now(status wf.Status) (present, error) {
	live := h.Live[status]
	if live == nil {
		return present{}, fmt.Errorf("no picture of status %v", status)
	}
	p := present{latest: h.Now()}
	live.Read(func(x *snapshot.Picture) {
		p.purged, p.clean = x.Purged(), x.Purged() == x.Erased()
		if h.Clock == worker.Input {
			p.latest = x.Tick().Add(worker.Grid - 1)
		}
	})
	return p, nil
}

// enter waits a little for the one turn.
func (h *History) enter(ctx context.Context) (leave func(), err error) {
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-h.turn:
		return func() { h.turn <- struct{}{} }, nil
	case <-t.C:
		return nil, ErrBusy
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// answer takes the frames when they are sure to be what was: by the clock of
// the wall, of a time at which the worker was at work, and with nothing purged
// still in them. Else it replays.
func (h *History) answer(ctx context.Context, q Query, now present) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, h.Deadline)
	defer cancel()
	if !q.Replay && now.clean && h.Clock == worker.Wall {
		p, err := h.Frames(ctx, q.Status, q.AsOf)
		switch {
		case err == nil && q.AsOf.Sub(p.Tick()) <= idle && begun(p):
			return &Answer{p, &wf.AsOf{Time: timestamppb.New(q.AsOf), Origin: wf.Origin_ORIGIN_FRAMES}}, nil
		case err != nil && !errors.Is(err, snapshot.ErrNoHistory):
			return nil, h.inTime(ctx, err)
		}
	}
	defer h.report(Progress{})
	h.report(Progress{Running: true})
	begin := h.Now()
	r, err := h.Replay(ctx, q.Status, worker.Cut{AsOf: q.AsOf}, func(p worker.Progress) {
		h.report(Progress{Running: true, Done: p.Done, Total: p.Total})
	})
	if err != nil {
		return nil, h.inTime(ctx, err)
	}
	h.Log.Info("picture replayed", zap.Duration("took", h.Now().Sub(begin)), zap.Uint64("records", r.Records))
	if r.Records == 0 {
		return nil, &Before{r.First}
	}
	return &Answer{r.Picture, &wf.AsOf{
		Time: timestamppb.New(q.AsOf), Origin: wf.Origin_ORIGIN_REPLAY, Purges: r.Purges, Removed: r.Removed,
	}}, nil
}

// begun says whether a picture had read anything.
func begun(p *snapshot.Picture) bool {
	return slices.ContainsFunc(p.Checkpoint(), func(at *wf.Position) bool { return at.GetSequence() > 0 })
}

// inTime tells a deadline of ours from one of the asker's.
func (h *History) inTime(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%w: more than %s", ErrTooLong, h.Deadline)
	}
	return err
}

func (h *History) report(p Progress) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.progress = p
}

// Progress is how far the replay under way is.
func (h *History) Progress() Progress {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.progress
}

// again finds an answer that was given lately and that no purge has made false.
func (h *History) again(q Query, purged uint64) *Answer {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(q.Status, purged)
	for i := range h.kept {
		k := &h.kept[i]
		if k.status == q.Status && k.asked.Equal(q.AsOf) && k.replay == q.Replay {
			k.until = h.Now().Add(keepFor)
			return k.answer
		}
	}
	return nil
}

// keep holds on to an answer, unless a report was purged while it was made:
// then it may speak of it and is not given.
func (h *History) keep(q Query, purged uint64, a *Answer) error {
	now, err := h.now(q.Status)
	if err != nil {
		return err
	}
	if now.purged != purged {
		return ErrBusy
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(q.Status, purged)
	if len(h.kept) >= keep {
		h.kept = h.kept[1:]
	}
	h.kept = append(h.kept, kept{q.Status, q.AsOf, q.Replay, purged, h.Now().Add(keepFor), a})
	return nil
}

// drop forgets what is old or was made before the latest purge; mu is held.
func (h *History) drop(status wf.Status, purged uint64) {
	now := h.Now()
	left := h.kept[:0]
	for _, k := range h.kept {
		if now.Before(k.until) && (k.status != status || k.purged == purged) {
			left = append(left, k)
		}
	}
	clear(h.kept[len(left):])
	h.kept = left
}

// Snapshot is the answer as a message.
func (a *Answer) Snapshot() *wf.Snapshot {
	s := a.Picture.Snapshot()
	s.AsOf = a.AsOf
	return s
}
