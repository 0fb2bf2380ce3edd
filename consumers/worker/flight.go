package worker

import (
	"context"
	"slices"
	"time"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// flight is a frame that is being stored, in a goroutine of its own, while the
// session applies what comes next. There is never more than one, and nobody
// else touches the writer meanwhile.
type flight struct {
	frame   *wf.Frame
	begin   time.Time
	unacked []string // to be acknowledged when it is stored
	done    chan error
}

// launch begins to store one revision: everything the frame says is fixed here.
func (s *session) launch(ctx context.Context, delta fusion.Delta) {
	f := s.state()
	f.Changes, f.Lineage, f.Feeds = delta.Changes, delta.Lineage, s.feeds.takeChanged()
	p := &flight{frame: f, begin: time.Now(), unacked: slices.Clone(s.unacked), done: make(chan error, 1)}
	clear(s.unacked)
	s.flight = p
	go func() {
		p.done <- s.store(ctx, func(ctx context.Context) error { return s.writer.Commit(ctx, f) })
	}()
}

// landing tells when the frame under way is stored; never when there is none.
func (s *session) landing() <-chan error {
	if s.flight == nil {
		return nil
	}
	return s.flight.done
}

// landed acknowledges what the frame was made of, once it is stored.
func (s *session) landed(err error) error {
	p := s.flight
	s.flight = nil
	if err != nil {
		return err
	}
	s.lastFrame = s.Now()
	s.Metrics.committed(p.frame, time.Since(p.begin))
	s.Metrics.lag(s.sources)
	s.acknowledge(p.unacked)
	return nil
}

// land waits for the frame under way.
func (s *session) land() error {
	if s.flight == nil {
		return nil
	}
	return s.landed(<-s.flight.done)
}

// frame stores one revision and waits for it.
func (s *session) frame(ctx context.Context, delta fusion.Delta) error {
	s.launch(ctx, delta)
	return s.land()
}
