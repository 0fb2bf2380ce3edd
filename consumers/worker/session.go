package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	// ahead is how many decoded records wait for the engine.
	ahead = 512
	// heartbeat is how often a wall clock commits although nothing changed.
	heartbeat = time.Minute
)

// session is one life of an engine: from the claim to the end or the next
// beginning. Its methods run in one goroutine; sources run in their own.
type session struct {
	*Config
	epoch   string
	aside   map[position]string // outlives the session
	careful bool                // commit after every record, to find the one that breaks a commit
	wasLive bool

	engine  Engine
	writer  *snapshot.Writer
	sources []*source
	done    []uint64 // applied, per source
	unacked []jetstream.Msg
	fresh   int       // records applied since the last frame
	flight  *flight   // the frame being stored, or nil
	moved   []*record // per source: a tombstone whose report may follow
	feeds   feeds
	input   time.Time // latest time named by a report
	at      position  // the record applied last
	tick    time.Time
	broken  uint64 // records that cannot be read
	purges  purges

	lastFrame time.Time
	lastKey   time.Time
}

func (s *session) run(ctx context.Context) error {
	s.engine = s.NewEngine()
	s.feeds = newFeeds()
	last, err := s.claim(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, gate := make(chan record, ahead), make(chan struct{})
	if err := s.openSources(ctx, last, in, gate); err != nil {
		return s.blame(ctx, err)
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, src := range s.sources {
		g.Go(func() error { return src.read(gctx) })
		g.Go(func() error { return src.ask(gctx) })
	}
	g.Go(func() error {
		defer cancel()
		if err := s.recover(gctx, in, last); err != nil {
			return err
		}
		close(gate)
		s.wasLive = true
		if s.Ready != nil {
			s.Ready()
		}
		return s.live(gctx, in)
	})
	return s.blame(ctx, g.Wait())
}

// blame turns a theft into ErrFenced when the thief has claimed the picture.
func (s *session) blame(ctx context.Context, err error) error {
	if !errors.Is(err, errTaken) {
		return err
	}
	held, ferr := s.writer.Holds(context.WithoutCancel(ctx))
	if ferr == nil && !held {
		return fmt.Errorf("%w: %w", err, snapshot.ErrFenced)
	}
	return err
}

// claim opens the picture and takes its fence by an empty frame.
func (s *session) claim(ctx context.Context) (*snapshot.Picture, error) {
	w, last, err := snapshot.OpenWriter(ctx, s.Home, s.Cell, s.Status, s.epoch)
	if w == nil {
		return nil, err
	}
	s.writer, s.lastKey = w, s.Now()
	if err != nil {
		s.Metrics.mismatches.Inc()
		s.Log.Error("stored picture is damaged, it is made anew", zap.Error(err))
		return nil, nil
	}
	d := last.Digest()
	f := &wf.Frame{
		Tick: stamp(last.Tick()), Checkpoint: last.Checkpoint(), Digest: d[:],
		Situations: uint64(last.Len()), Reports: last.Reports(), SetAside: last.SetAside(),
		Purged: last.Purged(), Erased: last.Erased(),
	}
	if err := s.store(ctx, func(ctx context.Context) error { return w.Commit(ctx, f) }); err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	s.tick = last.Tick()
	return last, nil
}

func (s *session) openSources(ctx context.Context, last *snapshot.Picture, in chan<- record, gate <-chan struct{}) error {
	at := map[string]uint64{}
	if last != nil {
		for _, p := range last.Checkpoint() {
			at[p.GetCell()+" "+p.GetChannel()] = p.GetSequence()
		}
	}
	for _, c := range s.Sources {
		for _, channel := range subject.Channels {
			src := &source{
				index: len(s.sources), cell: c.Cell, channel: channel, conn: c.Conn, status: s.Status, checkpoint: at[c.Cell+" "+string(channel)],
				consumer: subject.WorkerConsumer(s.Cell, s.Status, channel), out: in, gate: gate,
			}
			if err := src.rewind(ctx); err != nil {
				return err
			}
			s.sources = append(s.sources, src)
		}
	}
	s.done = make([]uint64, len(s.sources))
	s.unacked = make([]jetstream.Msg, len(s.sources))
	s.moved = make([]*record, len(s.sources))
	return nil
}

// recover applies everything up to the checkpoint and compares.
func (s *session) recover(ctx context.Context, in <-chan record, last *snapshot.Picture) error {
	begin, left := s.Now(), len(s.sources)
	var done, total uint64
	for _, src := range s.sources {
		if src.checkpoint > 0 {
			total += src.pending.Load()
		}
	}
	for left > 0 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case r := <-in:
			if r.past {
				left--
				continue
			}
			if err := s.apply(&r); err != nil {
				return err
			}
			if s.careful {
				if err := s.probe(&r); err != nil {
					return err
				}
			}
			if done++; s.Progress != nil && done%10000 == 0 {
				s.Progress(Progress{s.Cell, s.Status, done, max(done, total)})
			}
		}
	}
	if err := s.settle(); err != nil {
		return err
	}
	s.acknowledge(s.unacked)
	clear(s.unacked)
	if s.Progress != nil && done > 0 {
		s.Progress(Progress{s.Cell, s.Status, done, done})
	}
	s.Metrics.recovery.Set(s.Now().Sub(begin).Seconds())
	return s.agree(ctx, last)
}

// agree compares the recovered picture with the published one and publishes
// what differs.
func (s *session) agree(ctx context.Context, last *snapshot.Picture) error {
	if err := s.advance(); err != nil {
		return err
	}
	if _, err := s.collect(); err != nil {
		return err
	}
	s.feeds.takeChanged()
	s.purges.recovered(last)
	if last == nil {
		if err := s.keyframe(ctx); err != nil {
			return err
		}
		return s.frame(ctx, fusion.Delta{})
	}
	if s.engine.Digest() != last.Digest() {
		s.Metrics.mismatches.Inc()
		s.Log.Error("recovered picture differs from the published one, publishing the difference",
			zap.Uint64("revision", last.Revision()))
		if err := s.frame(ctx, fusion.Delta{Changes: difference(last, s.engine.Situations())}); err != nil {
			return err
		}
	}
	return s.keyframe(ctx)
}

// difference lists what makes the published picture that of now.
func difference(last *snapshot.Picture, now []*wf.Situation) []*wf.Change {
	var out []*wf.Change
	have := make(map[string]bool, len(now))
	for _, n := range now {
		have[n.GetId()] = true
		old, ok := last.Situation(n.GetId())
		if !ok || fusion.Hash(old) != fusion.Hash(n) {
			out = append(out, &wf.Change{Change: &wf.Change_Upsert{Upsert: n}})
		}
	}
	for _, o := range last.Situations() {
		if !have[o.GetId()] {
			out = append(out, &wf.Change{Change: &wf.Change_Removed{Removed: o.GetId()}})
		}
	}
	return out
}

// live drains, ticks, commits and acknowledges until ctx ends. While a frame is
// being stored the engine goes on with what comes for the next one.
func (s *session) live(ctx context.Context, in <-chan record) (err error) {
	defer func() { err = errors.Join(err, s.land()) }()
	defer s.purges.stop()
	s.lastFrame = s.Now()
	timer := time.NewTimer(s.untilTick())
	defer timer.Stop()
	for {
		more := in
		if s.fresh >= s.MaxReports || s.careful && s.fresh > 0 {
			more = nil
		}
		select {
		case <-ctx.Done():
			if err := s.land(); err != nil {
				return err
			}
			return errors.Join(s.commit(ctx), ctx.Err())
		case r := <-more:
			err = s.drain(r, in)
		case err = <-s.landing():
			err = s.landed(err)
		case <-timer.C:
			err = s.onTick(ctx)
			timer.Reset(s.untilTick())
		}
		if err == nil && s.flight == nil {
			err = s.next(ctx, len(in) > 0)
		}
		if err != nil {
			return err
		}
	}
}

// drain applies what is there, up to one frame.
func (s *session) drain(r record, in <-chan record) error {
	for {
		if !r.past {
			if err := s.apply(&r); err != nil {
				return err
			}
			s.fresh++
		}
		if s.fresh >= s.MaxReports || s.careful {
			return nil
		}
		select {
		case r = <-in:
		default:
			return nil
		}
	}
}

// next begins the next commit; nothing is under way.
func (s *session) next(ctx context.Context, more bool) error {
	if !s.writer.KeyframeDue(more || s.behind()) {
		return s.commit(ctx)
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	return s.keyframe(ctx)
}

// flush stores what was applied and waits for it.
func (s *session) flush(ctx context.Context) error {
	if err := s.land(); err != nil {
		return err
	}
	if err := s.commit(ctx); err != nil {
		return err
	}
	return s.land()
}

// commit begins to store what was applied since the last frame.
func (s *session) commit(ctx context.Context) error {
	if s.fresh == 0 {
		return nil
	}
	s.fresh = 0
	if err := s.settle(); err != nil {
		return err
	}
	if err := s.advance(); err != nil {
		return err
	}
	delta, err := s.collect()
	if err != nil {
		return err
	}
	s.launch(ctx, delta)
	return nil
}

// behind says whether a source has more to read than a frame may take.
func (s *session) behind() bool {
	var left uint64
	for _, src := range s.sources {
		left += src.pending.Load()
	}
	return left > 0
}

// onTick moves a wall clock; a frame follows when the picture changed.
func (s *session) onTick(ctx context.Context) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	s.Metrics.lag(s.sources)
	s.careful = false
	if err := s.forget(ctx); err != nil {
		return err
	}
	if s.Clock == Wall {
		if err := s.advance(); err != nil {
			return err
		}
		delta, err := s.collect()
		if err != nil {
			return err
		}
		if len(delta.Changes) > 0 || len(delta.Lineage) > 0 || s.Now().Sub(s.lastFrame) >= heartbeat {
			if err := s.frame(ctx, delta); err != nil {
				return err
			}
		}
	}
	if s.writer.KeyframeDue(s.behind()) || s.Now().Sub(s.lastKey) >= s.KeyframeEvery {
		return s.keyframe(ctx)
	}
	return nil
}

// untilTick is the time to the next point of the grid.
func (s *session) untilTick() time.Duration {
	now := s.Now()
	return max(now.Truncate(Grid).Add(Grid).Sub(now), time.Millisecond)
}

// keyframe restates the whole picture.
func (s *session) keyframe(ctx context.Context) error {
	situations, reports := s.engine.Len()
	d := s.engine.Digest()
	f := &wf.Frame{
		Tick: stamp(s.tick), Checkpoint: s.checkpoint(), Digest: d[:], Feeds: s.feeds.all(),
		Situations: uint64(situations), Reports: uint64(reports), SetAside: s.setAside(),
		Purged: s.purges.count, Erased: s.purges.erased,
	}
	commit := func(ctx context.Context) error { return s.writer.CommitKeyframe(ctx, f, s.engine.All()) }
	if err := s.store(ctx, commit); err != nil {
		return err
	}
	s.lastKey = s.Now()
	s.Metrics.keyframes.Inc()
	return nil
}

// store repeats a commit until it is stored, fenced off, or ctx has ended and
// a last try had its chance. Reports wait in their streams meanwhile.
func (s *session) store(ctx context.Context, commit func(context.Context) error) error {
	for n := 0; ; n++ {
		last := ctx.Err() != nil
		cctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
		err := commit(cctx)
		cancel()
		if err == nil || errors.Is(err, snapshot.ErrFenced) {
			return err
		}
		s.Metrics.failures.Inc()
		s.Log.Warn("commit failed, trying again", zap.Error(err))
		if last {
			return err
		}
		sleep(ctx, backoff(n))
	}
}

func (s *session) checkpoint() []*wf.Position {
	out := make([]*wf.Position, 0, len(s.sources))
	for i, src := range s.sources {
		out = append(out, &wf.Position{Cell: src.cell, Sequence: s.done[i], Channel: string(src.channel)})
	}
	slices.SortFunc(out, func(a, b *wf.Position) int {
		return cmp.Or(strings.Compare(a.GetCell(), b.GetCell()), strings.Compare(a.GetChannel(), b.GetChannel()))
	})
	return out
}

func (s *session) setAside() uint64 { return s.broken + uint64(len(s.aside)) }

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// event names a record for metrics.
func event(r *record) string {
	switch {
	case r.broken != "":
		return "broken"
	case r.facts.Event == admission.Admitted && r.facts.Withdrawn:
		return "withdrawn"
	}
	return string(r.facts.Event)
}
