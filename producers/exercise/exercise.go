// Package exercise writes a seeded scenario on the real geography of
// Mississippi, together with its truth: which reports speak of the same event.
//
// The same seed gives the same reports, byte for byte, on any machine. A plot
// has its halves in the cells of both sides, and nothing but garbled traces of
// it crosses between them; a decoy shares a switchboard with it; a hurricane
// comes ashore; a utility is broken into; and around them goes the ordinary
// traffic of nearly fifty agencies, much of it alike on purpose.
//
// It is not a test of one algorithm: truth is what happened in the story, not
// what an engine finds. It opens no connection and reads no clock. Persons,
// numbers and accounts are invented; telephone numbers, hosts and addresses are
// of ranges that are given to nobody. Places are real.
package exercise

import (
	"errors"
	"fmt"
	"iter"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Span is how long the exercise lasts on its own clock, whatever its size.
const Span = 96 * time.Hour

// Sizes of a scenario in reports.
const (
	MinReports     = 100
	MaxReports     = 1_000_000
	DefaultReports = 2_000
)

// DefaultStart is the exercise clock's first instant when Config names none:
// the peak of a hurricane season that is over.
var DefaultStart = time.Date(2025, time.September, 2, 6, 0, 0, 0, time.UTC)

// Config says which scenario to write.
type Config struct {
	Seed uint64
	// Reports is how many different reports there are; revisions, withdrawals
	// and repeated submissions come on top. Zero is DefaultReports.
	Reports int
	// Start is the exercise clock's first instant, in whole seconds; zero is DefaultStart.
	Start time.Time
	// Status of every report; zero is EXERCISE. ACTUAL is refused.
	Status wf.Status
}

// Step is one submission.
type Step struct {
	// At is the exercise clock when the report is submitted.
	At time.Time
	// Cell it is submitted into.
	Cell string
	// Report is shared between steps that repeat it: read it, do not change it.
	Report *wf.Report
	// Event is the truth: the event the report speaks of, empty when it is the
	// only one that does.
	Event string
}

// Key is the identity of a report.
type Key struct{ Cell, Agency, ID string }

// Key is the identity of the step's report.
func (s Step) Key() Key {
	return Key{Cell: s.Cell, Agency: s.Report.GetAgency(), ID: s.Report.GetId()}
}

// Scenario is a whole exercise. It holds no reports: Steps writes them anew
// each time, and keeps only those of events that are under way.
type Scenario struct {
	config Config
	world  *world
}

// ErrConfig is wrapped by every error of New.
var ErrConfig = errors.New("exercise cannot be written")

// New plans a scenario.
func New(c Config) (*Scenario, error) {
	if c.Reports == 0 {
		c.Reports = DefaultReports
	}
	if c.Reports < MinReports || c.Reports > MaxReports {
		return nil, fmt.Errorf("%w: %d reports; use %d to %d", ErrConfig, c.Reports, MinReports, MaxReports)
	}
	if c.Start.IsZero() {
		c.Start = DefaultStart
	}
	if c.Start.Nanosecond() != 0 || c.Start.Year() < 1990 || c.Start.Year() > 2150 {
		return nil, fmt.Errorf("%w: start %s; use a whole second of the years 1990 to 2150", ErrConfig, c.Start.Format(time.RFC3339Nano))
	}
	switch c.Status {
	case wf.Status_STATUS_UNSPECIFIED:
		c.Status = wf.Status_STATUS_EXERCISE
	case wf.Status_STATUS_EXERCISE, wf.Status_STATUS_TEST:
	default:
		return nil, fmt.Errorf("%w: status %s; invented reports are EXERCISE or TEST, never actual traffic", ErrConfig, c.Status)
	}
	c.Start = c.Start.UTC()
	return &Scenario{config: c, world: newWorld(c)}, nil
}

// Config is the configuration with its defaults filled in.
func (s *Scenario) Config() Config { return s.config }

// Steps gives every submission in the order of the exercise clock.
func (s *Scenario) Steps() iter.Seq[Step] {
	return func(yield func(Step) bool) { s.world.run(yield) }
}

// Agencies lists the token of every agency that takes part, and its cell.
func Agencies() map[string]string {
	out := make(map[string]string, len(agencies))
	for i := range agencies {
		out[agencies[i].token] = agencies[i].cell
	}
	return out
}
