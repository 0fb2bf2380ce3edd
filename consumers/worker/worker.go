// Package worker is the loop that turns stored reports into a published
// picture: it reads REPORTS of its own cell and of every cell it dominates,
// applies them to the fusion engine, ticks it, commits frames and acknowledges.
//
// It decides nothing about correlation (package fusion) and nothing about how
// frames are stored and fenced (package snapshot). DESIGN.md has the flow.
package worker

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Clock says what moves the engine's time.
type Clock int

// The clocks. The zero value is not a clock.
const (
	// Wall ticks by the time of day.
	Wall Clock = iota + 1
	// Input ticks by the latest time that the reports read so far name.
	Input
)

// Grid is the distance of ticks.
const Grid = 10 * time.Second

// Engine is what the worker needs of fusion.Engine.
type Engine interface {
	Apply(fusion.Input)
	Remove(cell, agency, id string)
	Leave(cell, agency, id string, revision uint64)
	Tick(time.Time)
	Commit() fusion.Delta
	Digest() [32]byte
	Len() (situations, reports int)
	Situations() []*wf.Situation
	All() iter.Seq[*wf.Situation]
}

// Source is a cell whose reports are read, and the connection to do it with.
type Source struct {
	Cell string
	Conn *nats.Conn
}

// Progress is how far a recovery has come, over all sources.
type Progress struct {
	Cell   string
	Status wf.Status
	Done   uint64
	Total  uint64
	// Since is how long the recovery has taken so far.
	Since time.Duration
}

// Left estimates how long the rest takes; 0 when that cannot be said.
func (p Progress) Left() time.Duration {
	if p.Done == 0 || p.Done >= p.Total {
		return 0
	}
	return time.Duration(float64(p.Since) * float64(p.Total-p.Done) / float64(p.Done))
}

// Rate is how many records were read again in a second.
func (p Progress) Rate() float64 {
	if p.Since <= 0 {
		return 0
	}
	return float64(p.Done) / p.Since.Seconds()
}

// Config of a worker. Cell, Status, Home, Sources, Clock and NewEngine are required.
type Config struct {
	Cell   string
	Status wf.Status
	// Home is the connection into the worker's own cell that commits.
	Home *nats.Conn
	// Sources are the cell itself and every cell it dominates.
	Sources []Source
	// Seat tells the worker from the other one of the same picture; 0 is 1.
	Seat subject.Seat
	// SeatFree makes Run return ErrSeatTaken, instead of waiting, when another
	// worker sits in the seat at the start.
	SeatFree  bool
	Clock     Clock
	NewEngine func() Engine
	// MaxReports bounds the reports of one frame; 0 is 8192.
	MaxReports int
	// KeyframeEvery restates the picture at least this often; 0 is six hours.
	KeyframeEvery time.Duration
	Now           func() time.Time
	// Epoch names each life of the engine anew; nil is a random UUID. Readers
	// see it, so it may depend on nothing that the cell may not read.
	Epoch   func() string
	Log     *zap.Logger
	Metrics *Metrics
	// Progress is called now and then during recovery; may be nil.
	Progress func(Progress)
	// Ready is called whenever the worker begins to publish the picture, or has
	// recovered and stands by; may be nil.
	Ready func(publishes bool)
}

func (c *Config) check() error {
	switch {
	case subject.StatusToken(c.Status) == "":
		return fmt.Errorf("worker: unknown status %v", c.Status)
	case !subject.Word(c.Cell):
		return fmt.Errorf("worker: %q is no cell", c.Cell)
	case c.Home == nil || c.NewEngine == nil:
		return errors.New("worker: Home and NewEngine are required")
	case c.Clock != Wall && c.Clock != Input:
		return errors.New("worker: choose a clock, Wall or Input")
	}
	if c.Seat == 0 {
		c.Seat = subject.Seats[0]
	}
	if !c.Seat.Valid() {
		return fmt.Errorf("worker: there is no seat %d, take one of %v", c.Seat, subject.Seats)
	}
	own, seen := false, map[string]bool{}
	for _, s := range c.Sources {
		if s.Conn == nil || seen[s.Cell] {
			return fmt.Errorf("worker: source %q is named twice or has no connection", s.Cell)
		}
		seen[s.Cell] = true
		own = own || s.Cell == c.Cell
	}
	if !own {
		return fmt.Errorf("worker: cell %s is not among its own sources", c.Cell)
	}
	if c.MaxReports <= 0 {
		c.MaxReports = 8192
	}
	if c.KeyframeEvery <= 0 {
		c.KeyframeEvery = 6 * time.Hour
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Epoch == nil {
		c.Epoch = uuid.NewString
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics(c.Cell, c.Status)
	}
	c.Log = c.Log.With(zap.String("cell", c.Cell), zap.String("status", subject.StatusToken(c.Status)))
	return nil
}

// errAgain: what was done so far in this session is void; begin again.
var errAgain = errors.New("begin again")

// ErrSeatTaken: another worker sits in the seat. End it, or take the other seat.
var ErrSeatTaken = errors.New("another worker sits in this seat")

// maxSetAside ends a worker whose engine breaks on everything.
const maxSetAside = 1000

// Run works until ctx ends, and then returns nil with everything that was
// applied committed, if this worker is the one that publishes. While another
// one does, it stands by: it makes the same picture, commits nothing, and takes
// over when the other is gone. A worker that was taken over from stands by too.
func Run(ctx context.Context, c Config) error {
	if err := c.check(); err != nil {
		return err
	}
	aside := map[position]string{}
	careful := false
	for again := 0; ; again++ {
		s := &session{Config: &c, aside: aside, careful: careful, epoch: c.Epoch()}
		err := s.run(ctx)
		if errors.Is(err, ErrSeatTaken) {
			return fmt.Errorf("worker %s %s: seat %d: %w", c.Cell, subject.StatusToken(c.Status), c.Seat, err)
		}
		careful = s.careful
		c.Metrics.leads.Set(0)
		switch {
		case ctx.Err() != nil:
			return nil
		case len(aside) > maxSetAside:
			return fmt.Errorf("worker %s %s: %d reports set aside: the engine is broken", c.Cell, subject.StatusToken(c.Status), len(aside))
		case s.wasLive:
			again = 0
		}
		if errors.Is(err, snapshot.ErrFenced) {
			c.Metrics.fenced.Inc()
			c.Log.Warn("another worker has taken over, standing by", zap.Error(err))
		} else {
			c.Log.Warn("worker begins again", zap.Error(err))
			c.Metrics.restarts.Inc()
		}
		if !sleep(ctx, backoff(again)) {
			return nil
		}
	}
}

// backoff grows from 50 ms to 5 s, a little different each time: two that
// stand in each other's way part.
func backoff(n int) time.Duration {
	d := min(50*time.Millisecond<<min(n, 10), 5*time.Second)
	return d + rand.N(d/4)
}

// sleep waits; false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
