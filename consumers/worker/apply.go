package worker

import (
	"fmt"
	"iter"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// apply takes one record of a source into the engine, in the order of its stream.
func (s *session) apply(from int, r *record) error {
	if r.sequence <= s.done[from] {
		return nil // delivered again
	}
	if err := s.settleMoved(from, r); err != nil {
		return err
	}
	s.done[from], s.unacked[from] = r.sequence, r.reply
	s.Metrics.record(event(r))
	at := position{s.sources[from].cell, r.sequence}
	s.at = at
	if r.broken != "" {
		s.broken++
		s.Metrics.aside.WithLabelValues(r.why).Inc()
		s.Log.Error("stored report cannot be read, set aside",
			zap.String("from", at.cell), zap.Uint64("sequence", at.sequence), zap.String("why", r.broken))
		return nil
	}
	if _, poison := s.aside[at]; poison {
		s.Metrics.aside.WithLabelValues(asideEngine).Inc()
		return nil
	}
	switch r.facts.Event {
	case admission.Admitted:
		s.feeds.heard(at.cell, r.agency, r.facts.Received)
		s.input = latest(s.input, inputTime(r))
		return s.guard(at, func() {
			s.engine.Apply(fusion.Input{Cell: at.cell, Received: r.facts.Received, Report: r.report})
		})
	case admission.Moved:
		held := *r
		s.moved[from] = &held
	case admission.Expired, admission.Purged:
		s.purges.told(r, s.Now())
		return s.guard(at, func() { s.engine.Remove(at.cell, r.agency, r.facts.ID) })
	}
	return nil
}

// settleMoved decides on the tombstone before r: when r is the revision that
// moved, it replaces the old one by itself; when it is not, the revision went
// to where this cell may not read, and the old one goes.
func (s *session) settleMoved(from int, r *record) error {
	m := s.moved[from]
	if m == nil {
		return nil
	}
	s.moved[from] = nil
	if r.report != nil && r.broken == "" && r.agency == m.agency && r.facts.ID == m.facts.ID && r.facts.Revision == m.facts.Revision {
		return nil
	}
	return s.remove(from, m)
}

// settle decides on the tombstones that nothing follows.
func (s *session) settle() error {
	for i, m := range s.moved {
		if m == nil {
			continue
		}
		s.moved[i] = nil
		if err := s.remove(i, m); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) remove(from int, m *record) error {
	at := position{s.sources[from].cell, m.sequence}
	return s.guard(at, func() { s.engine.Leave(at.cell, m.agency, m.facts.ID, m.facts.Revision) })
}

// guard runs a step of the engine. When it panics, the record is set aside
// and the engine, which may be half changed, is void.
func (s *session) guard(at position, step func()) error {
	why := attempt(step)
	if why == "" {
		return nil
	}
	s.aside[at] = why
	s.Metrics.panics.Inc()
	s.Log.Error("engine broke on a report, set aside",
		zap.String("from", at.cell), zap.Uint64("sequence", at.sequence), zap.String("why", why))
	return fmt.Errorf("engine broke on record %d of %s: %w", at.sequence, at.cell, errAgain)
}

// probe commits after one record of a careful recovery, so that a panic in
// the engine's commit is blamed on the record that caused it.
func (s *session) probe(from int, r *record) error {
	return s.guard(position{s.sources[from].cell, r.sequence}, func() {
		s.engine.Tick(s.time())
		s.collected = true
		s.engine.Commit()
	})
}

// advance ticks the engine.
func (s *session) advance() error {
	if t := s.time(); !t.IsZero() {
		return s.advanceTo(t)
	}
	return nil
}

func (s *session) advanceTo(t time.Time) error {
	if why := attempt(func() { s.engine.Tick(t) }); why != "" {
		return s.suspect("tick", why)
	}
	s.tick = t
	return nil
}

// collect takes the changes since the last commit. The first ones are the
// whole picture, and kept: a keyframe of it need not be built once more.
func (s *session) collect() (fusion.Delta, error) {
	var d fusion.Delta
	if why := attempt(func() { d = s.engine.Commit() }); why != "" {
		return fusion.Delta{}, s.suspect("commit", why)
	}
	s.whole = nil
	if situations, _ := s.engine.Len(); !s.collected && holds(d.Changes, situations) {
		s.whole = d.Changes
	}
	s.collected = true
	return d, nil
}

// holds says whether changes are a picture: so many situations, nothing removed.
func holds(changes []*wf.Change, situations int) bool {
	return len(changes) == situations &&
		!slices.ContainsFunc(changes, func(c *wf.Change) bool { return c.GetUpsert() == nil })
}

// situations lists the picture as of the last collect, in any order.
func (s *session) situations() iter.Seq[*wf.Situation] {
	if s.whole == nil {
		return s.engine.All()
	}
	return func(yield func(*wf.Situation) bool) {
		for _, c := range s.whole {
			if !yield(c.GetUpsert()) {
				return
			}
		}
	}
}

// suspect begins again: some record breaks the engine, but not when it is
// applied. Carefully, one record at a time, the next time it is the last one.
func (s *session) suspect(step, why string) error {
	if s.careful && s.at != (position{}) {
		s.aside[s.at] = why
	}
	s.careful = true
	s.Metrics.panics.Inc()
	s.Log.Error("engine broke, looking for the report", zap.String("step", step), zap.String("why", why))
	return fmt.Errorf("engine broke at its %s: %w", step, errAgain)
}

// attempt runs a step; the answer says why it panicked, in words that hold
// nothing of a report.
func attempt(step func()) (why string) {
	defer func() {
		if r := recover(); r != nil {
			why = fmt.Sprintf("panic: %T", r)
			if err, ok := r.(interface{ RuntimeError() }); ok {
				why = fmt.Sprintf("panic: %v", err)
			}
		}
	}()
	step()
	return ""
}

// time is what the engine is ticked to: on the grid, never backwards.
func (s *session) time() time.Time {
	t := s.input
	if s.Clock == Wall {
		t = s.Now()
	}
	if t.IsZero() {
		return s.tick
	}
	return latest(s.tick, t.UTC().Truncate(Grid))
}

// inputTime is the time a report itself names: when it was written, else when
// it happened, else when it was received.
func inputTime(r *record) time.Time {
	switch {
	case r.report.GetReportTime() != nil:
		return r.report.GetReportTime().AsTime()
	case r.report.GetEventTime().GetStart() != nil:
		return r.report.GetEventTime().GetStart().AsTime()
	}
	return r.facts.Received
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
