package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// stuck is how long a source may say nothing before its consumer is asked
// whether there is anything at all.
const stuck = 250 * time.Millisecond

// progressEvery is how often a recovery tells how far it is.
const progressEvery = 200 * time.Millisecond

// recover reads again what the published picture was made of.
func (s *session) recover(ctx context.Context) error {
	begin := s.Now()
	meter := s.meter(begin)
	err := s.reach(ctx, s.tail.Head(), meter)
	s.Metrics.recovery.Set(s.Now().Sub(begin).Seconds())
	if err == nil && !s.agrees {
		s.Log.Error("recovered picture differs from the published one", zap.Uint64("revision", s.tail.Head().Revision()))
	}
	return err
}

// standBy follows the frames of the worker that publishes and returns when the
// picture is this one's to publish.
func (s *session) standBy(ctx context.Context) error {
	told := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.tail.News():
			if s.follows(s.tail.Head()) {
				continue
			}
			if err := s.follow(ctx, s.tail.Head()); err != nil {
				return err
			}
			s.hot = s.hot || s.agrees
			if !told {
				told = true
				s.ready(false)
			}
		case <-s.seat.free:
			if !s.seat.alone.Load() {
				continue
			}
			if mine, err := s.claim(ctx); mine || err != nil {
				return err
			}
		case <-time.After(silence):
			// The publisher is alive, or we would have been told.
			if !told {
				told = true
				s.ready(false)
			}
		}
	}
}

// follow brings the engine to a frame of the other worker and compares.
func (s *session) follow(ctx context.Context, h snapshot.Head) error {
	if s.follows(h) {
		return nil
	}
	before := s.agrees
	if err := s.reach(ctx, h, func(int) {}); err != nil {
		return err
	}
	s.careful = false
	if !s.agrees {
		s.Metrics.replicas.Inc()
		if before {
			s.Log.Error("this worker's picture differs from the published one", zap.Uint64("revision", h.Revision()), zap.String("epoch", h.Frame.GetEpoch()))
		}
	}
	return nil
}

// follows says whether the engine stands at a head.
func (s *session) follows(h snapshot.Head) bool {
	return h.Sequence == s.compared.Sequence && h.Frame.GetEpoch() == s.compared.Frame.GetEpoch()
}

// reach applies exactly what the picture of a head was made of.
func (s *session) reach(ctx context.Context, h snapshot.Head, told func(done int)) error {
	goal, err := s.goal(h)
	if err != nil {
		return err
	}
	idle := time.NewTimer(stuck)
	defer idle.Stop()
	for total := 0; ; {
		n, err := s.approach(goal)
		if err != nil {
			return err
		}
		if total += n; n > 0 {
			told(total)
			// The server delivers only so many ahead of what is acknowledged.
			s.acknowledge(s.unacked)
			clear(s.unacked)
		}
		if !slices.ContainsFunc(goal, goalOpen) {
			return s.compare(h)
		}
		if n > 0 {
			idle.Reset(stuck)
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.wake:
		case <-idle.C:
			s.sweep(ctx, goal)
			idle.Reset(stuck)
		}
	}
}

// target is how far one source is to be read.
type target struct {
	source   *source
	sequence uint64
	passed   bool
}

func goalOpen(t *target) bool { return !t.passed }

// goal is the checkpoint of a head by source. A head before what was applied
// cannot be reached: the stream was rolled back, or we were.
func (s *session) goal(h snapshot.Head) ([]*target, error) {
	at := map[string]uint64{}
	for _, p := range h.Frame.GetCheckpoint() {
		at[p.GetCell()+" "+p.GetChannel()] = p.GetSequence()
	}
	out := make([]*target, len(s.sources))
	for i, src := range s.sources {
		t := &target{source: src, sequence: at[src.cell+" "+string(src.channel)]}
		if t.sequence < s.done[i] {
			return nil, fmt.Errorf("revision %d was made of %s up to %d, this picture up to %d: %w", h.Revision(), src.cell, t.sequence, s.done[i], errAgain)
		}
		t.passed = t.sequence == s.done[i]
		out[i] = t
	}
	return out, nil
}

// approach applies what has arrived of the goal and says how much it was.
func (s *session) approach(goal []*target) (n int, err error) {
	for i, t := range goal {
		for !t.passed {
			r := t.source.next(t.sequence)
			if r == nil {
				t.passed = t.source.beyond(t.sequence)
				break
			}
			if err := s.apply(i, r); err != nil {
				return n, err
			}
			if s.careful {
				if err := s.probe(i, r); err != nil {
					return n, err
				}
			}
			n++
			t.passed = s.done[i] == t.sequence
		}
	}
	return n, nil
}

// sweep passes the sources that hold nothing more of the goal: its last records
// were deleted from their stream since.
func (s *session) sweep(ctx context.Context, goal []*target) {
	for _, t := range goal {
		if !t.passed && t.source.drained(ctx) {
			t.passed = true
		}
	}
}

// compare ticks to a head and says whether the pictures are the same.
func (s *session) compare(h snapshot.Head) error {
	if err := s.settle(); err != nil {
		return err
	}
	if t := h.Frame.GetTick(); t != nil && t.AsTime().After(s.tick) {
		if err := s.advanceTo(t.AsTime()); err != nil {
			return err
		}
	}
	if _, err := s.collect(); err != nil {
		return err
	}
	s.feeds.takeChanged()
	s.purges.recovered(h)
	s.acknowledge(s.unacked)
	clear(s.unacked)
	d := s.engine.Digest()
	situations, _ := s.engine.Len()
	s.agrees = bytes.Equal(d[:], h.Frame.GetDigest()) || h.Frame == nil && situations == 0
	s.compared = h
	return nil
}

// claim tries to become the publisher. It is no error that another one was
// faster: then this one still stands by.
func (s *session) claim(ctx context.Context) (mine bool, err error) {
	s.seat.leads.Store(true)
	defer func() {
		if errors.Is(err, snapshot.ErrFenced) {
			s.Metrics.fenced.Inc()
			mine, err = false, nil
		}
		if !mine {
			s.seat.leads.Store(false)
			s.writer = nil
		}
	}()
	w, h, err := s.tail.Claim(ctx, s.epoch)
	switch {
	case errors.Is(err, snapshot.ErrTorn), errors.Is(err, snapshot.ErrDigest):
		return s.anew(ctx)
	case err != nil:
		s.Log.Warn("picture cannot be claimed, trying again", zap.Error(err))
		sleep(ctx, silence)
		return false, ctx.Err()
	}
	if err := s.follow(ctx, h); err != nil {
		return false, err
	}
	s.writer, s.lastKey = w, s.Now()
	if err := s.store(ctx, func(ctx context.Context) error { return w.Commit(ctx, restated(h)) }); err != nil {
		return false, fmt.Errorf("claim: %w", err)
	}
	if err := s.tail.Stop(); err != nil {
		return false, err
	}
	return true, s.begin(ctx)
}

// restated is an empty frame: the picture of a head, under a new epoch.
func restated(h snapshot.Head) *wf.Frame {
	f := h.Frame
	if f == nil {
		d := fusion.DigestOf(nil)
		return &wf.Frame{Digest: d[:]}
	}
	return &wf.Frame{
		Tick: f.GetTick(), Checkpoint: f.GetCheckpoint(), Digest: f.GetDigest(),
		Situations: f.GetSituations(), Reports: f.GetReports(), SetAside: f.GetSetAside(),
		Purged: f.GetPurged(), Erased: f.GetErased(),
	}
}

// begin publishes what differs from the picture that was claimed, and restates
// it unless it has just been taken from another worker's hands.
func (s *session) begin(ctx context.Context) error {
	if s.agrees && s.hot {
		s.Metrics.takeovers.Inc()
		s.Log.Info("picture taken over", zap.Uint64("revision", s.writer.Revision()))
		return nil
	}
	if s.agrees {
		return s.keyframe(ctx)
	}
	s.Metrics.mismatches.Inc()
	last, err := snapshot.Load(ctx, s.Home, s.Cell, s.Status)
	switch {
	case errors.Is(err, snapshot.ErrTorn), errors.Is(err, snapshot.ErrDigest):
		_, err := s.anew(ctx)
		return err
	case err != nil:
		return fmt.Errorf("compare with the published picture: %w", err)
	}
	s.Log.Error("publishing what differs from the published picture", zap.Uint64("revision", last.Revision()))
	if err := s.frame(ctx, fusion.Delta{Changes: difference(last, s.engine.Situations())}); err != nil {
		return err
	}
	return s.keyframe(ctx)
}

// anew begins a picture in the place of one that cannot be read.
func (s *session) anew(ctx context.Context) (mine bool, err error) {
	w, last, err := snapshot.OpenWriter(ctx, s.Home, s.Cell, s.Status, s.epoch)
	if w == nil {
		return false, err
	}
	if last != nil {
		return false, nil // it can be read now: claim it the usual way
	}
	s.Metrics.mismatches.Inc()
	s.writer, s.lastKey = w, s.Now()
	if err := s.keyframe(ctx); err != nil {
		return false, err
	}
	return true, s.frame(ctx, fusion.Delta{})
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

// meter tells how far a recovery has come, now and then.
func (s *session) meter(begin time.Time) func(done int) {
	var total uint64
	if s.tail.Head().Frame != nil {
		for _, src := range s.sources {
			total += src.pending.Load()
		}
	}
	s.Metrics.recoveryTotal.Set(float64(total))
	var last time.Time
	return func(done int) {
		s.Metrics.recoveryDone.Set(float64(done))
		now := s.Now()
		if s.Progress == nil || now.Sub(last) < progressEvery && uint64(done) < total {
			return
		}
		last = now
		s.Progress(Progress{Cell: s.Cell, Status: s.Status, Done: uint64(done), Total: max(uint64(done), total), Since: now.Sub(begin)})
	}
}
