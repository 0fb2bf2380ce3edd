package worker

import (
	"context"
	"maps"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/admission"
)

// endedWait is how long the frames of reports whose retention ended may wait
// to be erased: such reports come all the time, and a pass reads every frame.
const endedWait = time.Hour

// purges are the reports taken out for good, and how far the frames from
// before they were are gone.
type purges struct {
	count  uint64          // purges told of
	erased uint64          // of them, those that no older frame speaks of
	ids    map[string]bool // of the others, and of reports whose retention ended
	ended  time.Time       // since when one of the latter waits
	done   chan erasure    // not nil while frames are being erased
	cancel context.CancelFunc
}

// stop ends a pass under way and waits for it.
func (p *purges) stop() {
	if p.done != nil {
		p.cancel()
		<-p.done
		p.done = nil
	}
}

// erasure is the end of one pass over the frames.
type erasure struct {
	upTo    uint64 // count when it began
	ids     map[string]bool
	deleted int
	err     error
}

// told notes a record that takes a report out. A purge is seen to at once.
func (p *purges) told(r *record, now time.Time) {
	if p.ids == nil {
		p.ids = map[string]bool{}
	}
	p.ids[r.facts.ID] = true
	switch {
	case r.facts.Event == admission.Purged:
		p.count++
	case p.ended.IsZero():
		p.ended = now
	}
}

// due says whether frames should be erased now.
func (p *purges) due(now time.Time) bool {
	return p.erased < p.count || !p.ended.IsZero() && now.Sub(p.ended) >= endedWait
}

// recovered forgets what the worker before has seen to: everything it was told
// of, when it said so with its last frame. Reports whose retention ended within
// the last hour of that worker are forgotten with them: their frames age out.
func (p *purges) recovered(h snapshot.Head) {
	if h.Frame != nil && h.Frame.GetErased() == h.Frame.GetPurged() {
		p.erased, p.ids, p.ended = p.count, nil, time.Time{}
	}
}

// forget erases the frames of reports that were taken out: first a keyframe
// without them, then, beside the work, everything before it that names them.
// The picture says with its next frame that it is done. A worker that ends
// meanwhile leaves it to the next one.
func (s *session) forget(ctx context.Context) error {
	p := &s.purges
	select {
	case e := <-p.done:
		p.cancel()
		p.done = nil
		if e.err != nil {
			s.Log.Warn("frames of purged reports are not all erased, trying again", zap.Int("erased", e.deleted), zap.Error(e.err))
			p.ended = s.Now()
			return nil
		}
		s.Log.Info("frames of purged reports erased", zap.Int("frames", e.deleted), zap.Int("reports", len(e.ids)))
		if p.erased = e.upTo; p.count == e.upTo {
			maps.DeleteFunc(p.ids, func(id string, _ bool) bool { return e.ids[id] })
		}
		return s.frame(ctx, fusion.Delta{})
	default:
	}
	if p.done != nil || !p.due(s.Now()) {
		return nil
	}
	p.ended = time.Time{}
	if err := s.keyframe(ctx); err != nil {
		return err
	}
	e, before := erasure{upTo: p.count, ids: maps.Clone(p.ids)}, s.writer.Sequence()
	done := make(chan erasure, 1)
	ectx, cancel := context.WithCancel(ctx)
	p.done, p.cancel = done, cancel
	go func() {
		e.deleted, e.err = snapshot.Erase(ectx, s.Home, s.Cell, s.Status, before, e.ids)
		done <- e
	}()
	return nil
}
