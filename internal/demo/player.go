// Package demo plays an exercise or files into a running spine, and scores the
// pictures against the truth. It is what `watchfloor demo` does.
package demo

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/internal/ingest"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/producers/narrative"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Player plays a scenario against the exercise clock.
type Player struct {
	Scenario *exercise.Scenario
	Sender   *ingest.Sender
	// Extract adds to every report what its narrative says before it is sent.
	Extract bool
	// Speed is exercise seconds per second; zero plays without waiting.
	Speed float64
	// PauseAfter pauses the exercise clock after so many steps; zero never.
	PauseAfter int
	// Progress is told after every step; may be nil.
	Progress func(position int, at time.Time)
	// Paused is told when the clock stops and when it runs again; may be nil.
	Paused func(paused bool, position int, at time.Time)

	mu     sync.Mutex
	resume chan struct{} // not nil while paused
}

// Toggle pauses or resumes the exercise clock.
func (p *Player) Toggle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.resume != nil {
		close(p.resume)
		p.resume = nil
		return
	}
	p.resume = make(chan struct{})
}

func (p *Player) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.resume == nil {
		p.resume = make(chan struct{})
	}
}

// Play sends the steps from position on, and returns the position it reached:
// every step before it is acknowledged or refused.
func (p *Player) Play(ctx context.Context, position int) (int, error) {
	next := 0
	var last time.Time
	err := p.play(ctx, position, &next, &last)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), producers.MinRetry)
	defer cancel()
	if derr := p.Sender.Drain(drain); derr != nil {
		// Sent again from where it began; what is stored is a duplicate then.
		return position, errors.Join(err, derr)
	}
	return next, err
}

func (p *Player) play(ctx context.Context, position int, next *int, last *time.Time) error {
	for step := range p.Scenario.Steps() {
		if *next < position {
			*next++
			*last = step.At
			continue
		}
		if err := p.hold(ctx, *next, *last); err != nil {
			return err
		}
		if err := p.wait(ctx, *last, step.At); err != nil {
			return err
		}
		*last = step.At
		c, err := p.Sender.Client(ctx, ingest.Route{Agency: step.Report.GetAgency(), Cell: step.Cell})
		if err != nil {
			return err
		}
		if _, err := c.PublishAsync(ctx, p.report(step)); err != nil {
			return err
		}
		*next++
		if p.Progress != nil {
			p.Progress(*next, step.At)
		}
	}
	return nil
}

// report is what is sent of a step. The scenario's own report stays as it is.
func (p *Player) report(step exercise.Step) *wf.Report {
	if !p.Extract {
		return step.Report
	}
	r := proto.CloneOf(step.Report)
	narrative.Enrich(r)
	return r
}

// hold waits while the clock is paused.
func (p *Player) hold(ctx context.Context, position int, at time.Time) error {
	if p.PauseAfter > 0 && position >= p.PauseAfter {
		p.PauseAfter = 0
		p.pause()
	}
	p.mu.Lock()
	resume := p.resume
	p.mu.Unlock()
	if resume == nil {
		return nil
	}
	// What was sent before the pause is acknowledged before the pause is told.
	if err := p.Sender.Drain(ctx); err != nil {
		return err
	}
	p.tell(true, position, at)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-resume:
		p.tell(false, position, at)
		return nil
	}
}

func (p *Player) tell(paused bool, position int, at time.Time) {
	if p.Paused != nil {
		p.Paused(paused, position, at)
	}
}

// wait lets the exercise clock run from last to at.
func (p *Player) wait(ctx context.Context, last, at time.Time) error {
	if p.Speed <= 0 || last.IsZero() || !at.After(last) {
		return ctx.Err()
	}
	t := time.NewTimer(time.Duration(float64(at.Sub(last)) / p.Speed))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
