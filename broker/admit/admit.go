// Package admit is the loop around package guard: it takes what the agencies of
// one cell submit, has it judged, commits what is admitted to stream REPORTS
// and answers every sender. An acknowledgement means stored and synced to disk.
//
// It decides nothing by itself and keeps nothing but the index that package
// guard needs, which it rebuilds from the stream. See DESIGN.md for the commit
// and for what happens when its outcome is unknown.
package admit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// QueueGroup is the queue group of the guards of one cell.
const QueueGroup = "guard"

// Guard admits reports into one cell.
type Guard struct {
	cfg     Config
	rules   atomic.Pointer[guard.Rules]
	metrics Metrics
	ready   chan struct{}
	doubts  chan struct{}
	started atomic.Bool
	fault   fault
}

// fault is where tests break the loop.
type fault struct {
	// committed is called after a commit succeeded and before anyone is
	// answered; false ends Run at once, as a kill would.
	committed func() bool
	// deaf loses the server's acknowledgements while it returns true.
	deaf func() bool
}

var errKilled = errors.New("killed between commit and answer")

// New checks the configuration; it connects to nothing.
func New(cfg Config) (*Guard, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("configure guard: %w", err)
	}
	g := &Guard{cfg: cfg, ready: make(chan struct{}), doubts: make(chan struct{}, 1)}
	g.rules.Store(cfg.Rules)
	return g, nil
}

// Run admits until ctx ends, then stops taking reports, finishes what it has
// taken, answers it and returns nil. It returns an error when it cannot start
// or its connection is closed for good. A Guard runs once.
func (g *Guard) Run(ctx context.Context) error {
	if g.started.Swap(true) {
		return errors.New("run guard: it ran before")
	}
	l := &loop{
		g: g, log: g.cfg.Log.With(zap.String("cell", g.cfg.Rules.Cell)), index: guard.NewIndex(rand.Uint64()),
		in: newLines(g.cfg.MaxWaiting, g.cfg.MaxWaitingBytes), acks: make(chan *nats.Msg, g.cfg.MaxBatch),
		recorded: make(chan *nats.Msg, maxRecords), closed: make(chan error, 4), reconnected: make(chan struct{}, 1),
		timer: time.NewTimer(time.Hour), shares: map[string]share{}, ids: nuid.New(),
	}
	l.timer.Stop()
	if err := l.open(ctx); err != nil {
		l.close()
		return fmt.Errorf("run guard of cell %s: %w", g.cfg.Rules.Cell, err)
	}
	close(g.ready)
	err := l.run(ctx)
	l.close()
	if err != nil {
		return fmt.Errorf("run guard of cell %s: %w", g.cfg.Rules.Cell, err)
	}
	return nil
}

// Run makes a guard and runs it.
func Run(ctx context.Context, cfg Config) error {
	g, err := New(cfg)
	if err != nil {
		return err
	}
	return g.Run(ctx)
}

// Ready is closed when the guard has its index and takes reports.
func (g *Guard) Ready() <-chan struct{} { return g.ready }

// Doubt tells the guard that its store may have failed: a commit under way is
// not waited for any longer, but its outcome asked.
func (g *Guard) Doubt() {
	select {
	case g.doubts <- struct{}{}:
	default:
	}
}

// SetRules replaces the rules for everything not yet examined. The cell and
// its label cannot change.
func (g *Guard) SetRules(r *guard.Rules) error {
	if err := r.Check(); err != nil {
		return err
	}
	if have := g.rules.Load(); r.Cell != have.Cell || r.Label != have.Label {
		return fmt.Errorf("set rules: the guard of %s (%s) cannot become that of %s (%s)", have.Cell, have.Label, r.Cell, r.Label)
	}
	g.rules.Store(r)
	return nil
}

// Metrics are the guard's counters.
func (g *Guard) Metrics() *Metrics { return &g.metrics }

// delivered says that JetStream sent a message and not an agency: a reader has
// a consumer deliver to whichever subject it names (trap T3), here too, and
// every delivery wants to be answered under $JS.
func delivered(reply string) bool { return strings.HasPrefix(reply, "$JS.") }

// mayBeAnAnswer says that the server may have sent a message because a reader
// named this subject to be answered on: an answer wants none itself, and is
// empty, an object in JSON, or has headers.
func mayBeAnAnswer(m *nats.Msg) bool {
	return m.Reply == "" && (len(m.Data) == 0 || m.Data[0] == '{' || len(m.Header) > 0)
}

// mayAnswer is trap T3: a sender names its own reply subject unchecked, and
// the guard may publish more than the sender. Only the inbox of the agency in
// the checked subject is answered.
func mayAnswer(agency, reply string) bool {
	prefix := subject.InboxPrefix(agency, "")
	if agency == "" || len(reply) <= len(prefix) || reply[:len(prefix)] != prefix {
		return false
	}
	for i := range len(reply) {
		if c := reply[i]; c == '*' || c == '>' || c <= ' ' {
			return false
		}
	}
	return true
}
