package history

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const actual = wf.Status_STATUS_ACTUAL

var noon = time.Date(2026, time.March, 3, 12, 0, 0, 0, time.UTC)

// picture of some situations, ticked at a time, that had read something.
func picture(t *testing.T, n int, tick time.Time, edit func(*wf.Frame)) *snapshot.Picture {
	t.Helper()
	all := map[int]*wf.Situation{}
	for i := range n {
		all[i] = &wf.Situation{Id: fmt.Sprintf("%032x", i)}
	}
	var list []*wf.Situation
	for _, s := range all {
		list = append(list, s)
	}
	d := fusion.DigestOf(list)
	f := &wf.Frame{Cell: "le", Status: actual, Tick: timestamppb.New(tick), Digest: d[:], Checkpoint: []*wf.Position{{Cell: "le", Sequence: 1}}}
	if edit != nil {
		edit(f)
	}
	p, err := snapshot.Made(f, maps.Values(all))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type now struct{ p *snapshot.Picture }

func (n *now) Read(f func(*snapshot.Picture)) { f(n.p) }

// desk is a history whose sources a test plays.
type desk struct {
	*History
	live    *now
	clock   time.Time
	frames  func(time.Time) (*snapshot.Picture, error)
	replay  func(context.Context) (*worker.Replayed, error)
	framed  int
	replays int
}

func newDesk(t *testing.T, clock worker.Clock) *desk {
	t.Helper()
	d := &desk{live: &now{picture(t, 1, noon, nil)}, clock: noon}
	d.frames = func(at time.Time) (*snapshot.Picture, error) {
		return picture(t, 2, at.Truncate(worker.Grid), nil), nil
	}
	d.replay = func(context.Context) (*worker.Replayed, error) {
		return &worker.Replayed{Picture: picture(t, 3, noon, nil), Records: 3}, nil
	}
	var err error
	d.History, err = New(Config{
		Cell: "le", Clock: clock, Live: map[wf.Status]Live{actual: d.live}, Now: func() time.Time { return d.clock }, Deadline: time.Second,
		Frames: func(_ context.Context, _ wf.Status, at time.Time) (*snapshot.Picture, error) {
			d.framed++
			return d.frames(at)
		},
		Replay: func(ctx context.Context, _ wf.Status, _ worker.Cut, tell func(worker.Progress)) (*worker.Replayed, error) {
			d.replays++
			tell(worker.Progress{Done: 1, Total: 2})
			return d.replay(ctx)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) ask(ago time.Duration, replay bool) (*Answer, error) {
	return d.At(context.Background(), Query{Status: actual, AsOf: d.clock.Add(-ago), Replay: replay})
}

// Frames answer when they are sure to be what was; else the reports do.
func TestFramesOrReplay(t *testing.T) {
	for _, c := range []struct {
		name  string
		clock worker.Clock
		set   func(*desk)
		want  wf.Origin
	}{
		{"frames of the time", worker.Wall, func(*desk) {}, wf.Origin_ORIGIN_FRAMES},
		{"a demo's clock", worker.Input, func(*desk) {}, wf.Origin_ORIGIN_REPLAY},
		{"no frames any more", worker.Wall, func(d *desk) {
			d.frames = func(time.Time) (*snapshot.Picture, error) { return nil, fmt.Errorf("x: %w", snapshot.ErrNoHistory) }
		}, wf.Origin_ORIGIN_REPLAY},
		{"the worker was away", worker.Wall, func(d *desk) {
			d.frames = func(at time.Time) (*snapshot.Picture, error) { return picture(t, 2, at.Add(-2*time.Minute), nil), nil }
		}, wf.Origin_ORIGIN_REPLAY},
		{"the worker had read nothing", worker.Wall, func(d *desk) {
			d.frames = func(at time.Time) (*snapshot.Picture, error) {
				return picture(t, 0, at, func(f *wf.Frame) { f.Checkpoint[0].Sequence = 0 }), nil
			}
		}, wf.Origin_ORIGIN_REPLAY},
		{"frames that may speak of a purged report", worker.Wall, func(d *desk) {
			d.live.p = picture(t, 1, noon, func(f *wf.Frame) { f.Purged, f.Erased = 2, 1 })
		}, wf.Origin_ORIGIN_REPLAY},
		{"frames after the purge was seen to", worker.Wall, func(d *desk) {
			d.live.p = picture(t, 1, noon, func(f *wf.Frame) { f.Purged, f.Erased = 2, 2 })
		}, wf.Origin_ORIGIN_FRAMES},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, c.clock)
			c.set(d)
			a, err := d.ask(time.Hour, false)
			if err != nil || a.AsOf.Origin != c.want {
				t.Fatalf("got %v, %v, want %v", a, err, c.want)
			}
			if again, err := d.ask(time.Hour, true); err != nil || again.AsOf.Origin != wf.Origin_ORIGIN_REPLAY {
				t.Errorf("a replay that is asked for: %v, %v", again, err)
			}
			if d.Progress() != (Progress{}) {
				t.Errorf("progress stays %+v", d.Progress())
			}
		})
	}
}

func TestTimesThatHaveNoAnswer(t *testing.T) {
	d := newDesk(t, worker.Wall)
	if _, err := d.ask(-time.Millisecond, false); !errors.Is(err, ErrFuture) {
		t.Errorf("ahead of the day: %v", err)
	}
	if _, err := d.ask(0, false); err != nil {
		t.Errorf("now: %v", err)
	}
	demo := newDesk(t, worker.Input)
	demo.clock = noon.Add(time.Hour) // the exercise stands at noon
	if _, err := demo.ask(time.Hour-worker.Grid, false); !errors.Is(err, ErrFuture) {
		t.Errorf("ahead of the exercise: %v", err)
	}
	if _, err := demo.ask(time.Hour, false); err != nil {
		t.Errorf("at the exercise's clock: %v", err)
	}
	first := noon.Add(-time.Minute)
	d.replay = func(context.Context) (*worker.Replayed, error) { return &worker.Replayed{First: first}, nil }
	_, err := d.ask(time.Hour, true)
	var before *Before
	if !errors.Is(err, ErrBefore) || !errors.As(err, &before) || !before.First.Equal(first) {
		t.Errorf("before everything: %v", err)
	}
	d.frames = func(time.Time) (*snapshot.Picture, error) { return nil, errors.New("disk on fire") }
	if _, err := d.ask(time.Minute, false); err == nil || errors.Is(err, ErrBusy) {
		t.Errorf("unreadable: %v", err)
	}
}

// One question at a time, not for ever, and the same one is not worked for twice.
func TestCostIsBounded(t *testing.T) {
	d := newDesk(t, worker.Wall)
	for range 5 {
		if _, err := d.ask(time.Hour, false); err != nil {
			t.Fatal(err)
		}
	}
	if d.framed != 1 {
		t.Errorf("read %d times for one question", d.framed)
	}
	begun, end := make(chan struct{}), make(chan struct{})
	d.replay = func(context.Context) (*worker.Replayed, error) {
		close(begun)
		<-end
		return &worker.Replayed{Picture: picture(t, 3, noon, nil), Records: 3}, nil
	}
	done := make(chan error, 1)
	go func() {
		_, err := d.ask(2*time.Hour, true)
		done <- err
	}()
	<-begun
	if p := d.Progress(); !p.Running || p.Done != 1 || p.Total != 2 {
		t.Errorf("progress is %+v", p)
	}
	if _, err := d.ask(3*time.Hour, true); !errors.Is(err, ErrBusy) {
		t.Errorf("a second question: %v, want ErrBusy", err)
	}
	if _, err := d.ask(time.Hour, false); err != nil {
		t.Errorf("what was answered before: %v", err)
	}
	close(end)
	if err := <-done; err != nil {
		t.Error(err)
	}
	d.replay = func(ctx context.Context) (*worker.Replayed, error) { <-ctx.Done(); return nil, ctx.Err() }
	if _, err := d.ask(4*time.Hour, true); !errors.Is(err, ErrTooLong) {
		t.Errorf("without end: %v, want ErrTooLong", err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.At(gone, Query{Status: actual, AsOf: noon.Add(-5 * time.Hour), Replay: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("the asker is gone: %v", err)
	}
}

// What was answered before a purge is not given after it, nor what was being
// made while it came.
func TestPurgeForgetsAnswers(t *testing.T) {
	d := newDesk(t, worker.Wall)
	for range 2 {
		if _, err := d.ask(time.Hour, true); err != nil {
			t.Fatal(err)
		}
	}
	if d.replays != 1 {
		t.Fatalf("%d replays for one question", d.replays)
	}
	d.live.p = picture(t, 1, noon, func(f *wf.Frame) { f.Purged, f.Erased = 1, 1 })
	if _, err := d.ask(time.Hour, true); err != nil || d.replays != 2 {
		t.Errorf("after a purge: %d replays, %v", d.replays, err)
	}
	d.replay = func(context.Context) (*worker.Replayed, error) {
		d.live.p = picture(t, 1, noon, func(f *wf.Frame) { f.Purged, f.Erased = 2, 1 })
		return &worker.Replayed{Picture: picture(t, 3, noon, nil), Records: 3}, nil
	}
	if a, err := d.ask(2*time.Hour, true); !errors.Is(err, ErrBusy) || a != nil {
		t.Errorf("a purge while it was made: %v, %v", a, err)
	}
}
