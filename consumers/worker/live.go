package worker

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
)

// heartbeat is how often a wall clock commits although nothing changed.
const heartbeat = time.Minute

// live drains, ticks, commits and acknowledges until ctx ends. While a frame is
// being stored the engine goes on with what comes for the next one.
func (s *session) live(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, s.land()) }()
	defer s.purges.stop()
	s.lastFrame = s.Now()
	timer := time.NewTimer(s.untilTick())
	defer timer.Stop()
	for {
		if err := s.drain(); err != nil {
			return err
		}
		if s.flight == nil {
			if err := s.next(ctx); err != nil {
				return err
			}
		}
		more := s.wake
		if s.full() {
			more = nil
		} else if s.flight == nil && s.waiting() {
			continue
		}
		select {
		case <-ctx.Done():
			if err := s.land(); err != nil {
				return err
			}
			return errors.Join(s.commit(ctx), ctx.Err())
		case <-more:
		case err := <-s.landing():
			if err := s.landed(err); err != nil {
				return err
			}
		case <-timer.C:
			if err := s.onTick(ctx); err != nil {
				return err
			}
			timer.Reset(s.untilTick())
		}
	}
}

// full says whether the next frame takes no more records.
func (s *session) full() bool {
	return s.fresh >= s.MaxReports || s.careful && s.fresh > 0
}

// waiting says whether a source holds what was not yet applied.
func (s *session) waiting() bool {
	for _, src := range s.sources {
		if src.waiting() > 0 {
			return true
		}
	}
	return false
}

// drain applies what is there, up to one frame, a batch of each source in turn.
func (s *session) drain() error {
	for some := true; some; {
		some = false
		for i, src := range s.sources {
			for n := 0; n < batchSize && !s.full(); n++ {
				r := src.next(math.MaxUint64)
				if r == nil {
					break
				}
				if err := s.apply(i, r); err != nil {
					return err
				}
				s.fresh++
				some = true
			}
		}
	}
	return nil
}

// next begins the next commit; nothing is under way.
func (s *session) next(ctx context.Context) error {
	if !s.writer.KeyframeDue(s.behind() > 0) {
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

// onTick moves a wall clock; a frame follows when the picture changed.
func (s *session) onTick(ctx context.Context) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	s.Metrics.lag(s.sources)
	s.careful = false
	s.clockBehind()
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
	if s.writer.KeyframeDue(s.behind() > 0) || s.Now().Sub(s.lastKey) >= s.KeyframeEvery {
		return s.keyframe(ctx)
	}
	return nil
}

// clockBehind tells of a clock that was set back: the picture's time waits for it.
func (s *session) clockBehind() {
	if s.Clock != Wall {
		return
	}
	behind := max(s.tick.Sub(s.Now()), 0)
	s.Metrics.behind.Set(behind.Seconds())
	if behind > Grid && !s.warned {
		s.Log.Warn("the clock stands behind the picture's time, which waits for it; check the clock", zap.Duration("behind", behind))
	}
	s.warned = behind > Grid
}

// untilTick is the time to the next point of the grid.
func (s *session) untilTick() time.Duration {
	now := s.Now()
	return max(now.Truncate(Grid).Add(Grid).Sub(now), time.Millisecond)
}

// keyframe restates the whole picture.
func (s *session) keyframe(ctx context.Context) error {
	f := s.state()
	f.Feeds = s.feeds.all()
	commit := func(ctx context.Context) error { return s.writer.CommitKeyframe(ctx, f, s.situations()) }
	if err := s.store(ctx, commit); err != nil {
		return err
	}
	s.lastKey = s.Now()
	s.Metrics.keyframes.Inc()
	return nil
}

// answerable ends when the broker has had its time, or has gone: it does not
// answer on another connection what it was asked on this one.
func (s *session) answerable(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, within)
	gone := s.Home.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	go func() {
		defer s.Home.RemoveStatusListener(gone)
		select {
		case <-gone:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// store repeats a commit until it is stored, fenced off, or ctx has ended and
// a last try had its chance. Reports wait in their streams meanwhile.
func (s *session) store(ctx context.Context, commit func(context.Context) error) error {
	begin := time.Now()
	for n := 0; ; n++ {
		last := ctx.Err() != nil
		cctx, cancel := s.answerable(context.WithoutCancel(ctx), 15*time.Second)
		err := commit(cctx)
		cancel()
		if err == nil || errors.Is(err, snapshot.ErrFenced) {
			s.Metrics.stalled.Set(0)
			return err
		}
		s.Metrics.failures.Inc()
		s.Metrics.stalled.Set(time.Since(begin).Seconds())
		s.Metrics.lag(s.sources)
		s.Log.Warn("commit failed, trying again", zap.Error(err))
		if !s.wasLive {
			// A cell whose store is full keeps no other from starting.
			s.ready(false)
		}
		if last {
			return err
		}
		sleep(ctx, backoff(n))
	}
}
