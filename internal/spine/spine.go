// Package spine puts the whole of Watchfloor into one process: broker, guards,
// one fusion worker per cell and status, one followed picture and one HTTP
// listener per cell. `up`, `demo`, the benchmarks and the tests run it.
//
// It is not a library for others: it is the one place that imports both the
// broker and the consumers, and it decides nothing.
package spine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Config of a spine. Policy, DataDir, KeysDir and Clock are required.
type Config struct {
	Policy  *policy.Policy
	DataDir string
	KeysDir string
	// Port of the broker; -1 is any free port.
	Port int
	// HTTPPort is the listener of the first cell, in the policy's order; the
	// others follow it. -1 is any free port each.
	HTTPPort int
	// Outside and HTTPOutside are host:port where other machines connect, over
	// TLS: the broker, and the listener of the first cell, whom the others follow;
	// empty is nowhere, port 0 any free one. Either needs Keeper.
	Outside, HTTPOutside string
	// Keeper holds the certificates of both.
	Keeper *transport.Keeper
	// Advertise is the name that other machines connect to; empty is the first of
	// the certificate.
	Advertise string
	Clock     worker.Clock
	// Statuses to fuse; none is all three.
	Statuses []wf.Status
	Weights  fusion.Weights
	// Now is the clock of guards, workers and listeners (time.Now).
	Now func() time.Time
	// Epoch names each life of a worker anew; nil is random.
	Epoch func(cell string, status wf.Status) string
	// Engine makes the engine of a cell; nil is fusion.New.
	Engine func(cell string, c fusion.Config) worker.Engine
	// NeverExpire ignores the policy's windows: every report stays.
	NeverExpire bool
	// Hosts are the names by which browsers know the listeners, beside addresses
	// and localhost.
	Hosts []string
	// WithoutHTTP starts no listeners.
	WithoutHTTP bool
	// WithoutWorkers fuses nothing here: pictures stay as they were published, or
	// are published by processes of their own (StartWorkers).
	WithoutWorkers bool
	// Only names the cells that get parts; none is all of the policy's.
	Only []string
	// Console is the page at / of every listener; may be nil.
	Console http.Handler
	Version string
	// TokenLifetime of the tokens in Cells; 0 is what is usual.
	TokenLifetime time.Duration
	// Broker changes the broker's configuration; may be nil.
	Broker func(*broker.Config)
	// Seat of the workers; 0 is the first. Another process may sit in the other.
	Seat subject.Seat
	// SeatFree refuses to start beside another worker in the same seat, instead
	// of waiting until it has gone.
	SeatFree bool
	// Turned is told when a worker begins to publish or to stand by; may be nil.
	Turned func(cell string, status wf.Status, publishes bool)
	// Recovery is told how far workers are with reading again; may be nil.
	Recovery func(worker.Progress)
	Log      *zap.Logger
}

// Cell is a running cell as a reader reaches it.
type Cell struct {
	Name  string
	Label string
	// URL of its listener, without a slash at the end; empty without HTTP.
	URL string
	// OutsideURL is where other machines reach it; empty when they do not.
	OutsideURL string
	// Reader that Token is for; both empty when no reader is cleared for the cell.
	Reader string
	Token  string
}

// Page is the address of the page with its token.
func (c Cell) Page() string {
	if c.Token == "" {
		return c.URL + "/"
	}
	return c.URL + "/#token=" + c.Token
}

// Spine is running parts. Close ends them.
type Spine struct {
	cfg    Config
	broker *broker.Broker
	issue  Issue
	cells  []*cell
	// The parts, in the order of their start; each is stopped and waited for
	// before the one it stands on.
	workers, followers, servers *group
}

// group is goroutines that are started and stopped together.
type group struct {
	ctx    context.Context
	cancel context.CancelFunc
	g      errgroup.Group
}

func newGroup() *group {
	ctx, cancel := context.WithCancel(context.Background())
	return &group{ctx: ctx, cancel: cancel}
}

// stop ends the group and waits as long as ctx allows.
func (g *group) stop(ctx context.Context) error {
	g.cancel()
	done := make(chan error, 1)
	go func() { done <- g.g.Wait() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Config) check() error {
	switch {
	case c.Policy == nil:
		return errors.New("start: no policy")
	case c.Clock != worker.Wall && c.Clock != worker.Input:
		return errors.New("start: choose a clock")
	}
	if c.Keeper == nil && (c.Outside != "" || c.HTTPOutside != "") {
		return fmt.Errorf("start: listen on %s: %w", c.Outside+c.HTTPOutside, transport.ErrPlain)
	}
	if len(c.Statuses) == 0 {
		c.Statuses = subject.Statuses
	}
	if c.Seat == 0 {
		c.Seat = subject.Seats[0]
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Engine == nil {
		c.Engine = func(_ string, c fusion.Config) worker.Engine { return fusion.New(c) }
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return nil
}

// Start starts everything and returns when every cell has recovered and
// serves. ctx bounds the start only. When it fails, nothing is left running.
func Start(ctx context.Context, cfg Config) (*Spine, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Spine{cfg: cfg, workers: newGroup(), followers: newGroup(), servers: newGroup()}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// start: the broker first, for everything is its client; workers before
// followers, so that what is followed is recovered; listeners last, so that
// nobody is answered before there is an answer.
func (s *Spine) start(ctx context.Context) error {
	c := broker.Config{Policy: s.cfg.Policy, DataDir: s.cfg.DataDir, KeysDir: s.cfg.KeysDir, Port: s.cfg.Port, Now: s.cfg.Now, Log: s.cfg.Log}
	if s.cfg.Outside != "" {
		c.Outside = &broker.Outside{Address: s.cfg.Outside, Keeper: s.cfg.Keeper, Host: s.cfg.Advertise}
	}
	if s.cfg.Broker != nil {
		s.cfg.Broker(&c)
	}
	var err error
	if s.broker, err = broker.Open(ctx, c); err != nil {
		return err
	}
	s.issue = s.part
	s.watchCertificates()
	for _, p := range s.cfg.Policy.Cells {
		if len(s.cfg.Only) > 0 && !slices.Contains(s.cfg.Only, p.Name) {
			continue
		}
		s.cells = append(s.cells, &cell{spine: s, Cell: Cell{Name: p.Name, Label: p.Label.String()}, label: p.Label, pictures: map[wf.Status]*snapshot.Follower{}})
	}
	if err := s.each(ctx, (*cell).enter); err != nil {
		return err
	}
	if err := s.each(ctx, (*cell).work); err != nil {
		return err
	}
	if err := s.each(ctx, (*cell).follow); err != nil {
		return err
	}
	if s.cfg.WithoutHTTP {
		return nil
	}
	for i, c := range s.cells {
		port := 0
		if s.cfg.HTTPPort > 0 {
			port = s.cfg.HTTPPort + i
		}
		outside, err := following(s.cfg.HTTPOutside, i)
		if err != nil {
			return err
		}
		if err := c.serve(port, outside); err != nil {
			return err
		}
	}
	return nil
}

// partLifetime is how long a connection of a part lasts before it signs in anew.
const partLifetime = 24 * time.Hour

// part issues what a part of this process signs in with.
func (s *Spine) part(principal, cell string) (account.Credential, error) {
	p, err := account.ParsePrincipal(s.broker.Policy(), principal, cell)
	if err != nil {
		return account.Credential{}, err
	}
	return s.broker.Issue(account.Request{Principal: p, Cell: cell, Lifetime: partLifetime})
}

// each does a step for every cell, side by side.
func (s *Spine) each(ctx context.Context, step func(*cell, context.Context) error) error {
	g, gctx := errgroup.WithContext(ctx)
	for _, c := range s.cells {
		g.Go(func() error { return step(c, gctx) })
	}
	return g.Wait()
}

// Broker is the running broker.
func (s *Spine) Broker() *broker.Broker { return s.broker }

// Cells lists the running cells in the policy's order.
func (s *Spine) Cells() []Cell {
	out := make([]Cell, len(s.cells))
	for i, c := range s.cells {
		out[i] = c.Cell
	}
	return out
}

// Metrics are the counters of a cell's workers; nil when there is no such cell.
func (s *Spine) Metrics(cell string) []prometheus.Collector {
	for _, c := range s.cells {
		if c.Name == cell {
			return c.metrics
		}
	}
	return nil
}

// Picture is the followed picture of a cell and status; nil when there is none.
func (s *Spine) Picture(cell string, status wf.Status) *snapshot.Follower {
	for _, c := range s.cells {
		if c.Name == cell {
			return c.pictures[status]
		}
	}
	return nil
}

// Close stops listeners, followers, workers (which commit what they have
// applied), guards and server, in this order. It may be called once.
func (s *Spine) Close(ctx context.Context) error {
	var errs []error
	for _, g := range []*group{s.servers, s.followers, s.workers} {
		if err := g.stop(ctx); err != nil {
			errs = append(errs, err)
		}
	}
	for _, c := range s.cells {
		if err := c.disconnect(); err != nil {
			errs = append(errs, err)
		}
	}
	if s.broker != nil {
		s.broker.Close()
	}
	return errors.Join(errs...)
}

// settleEvery is how often Settled looks, and settleLooks how often in a row
// there must be nothing left: the server acknowledges a message before the
// consumers count it as pending.
const (
	settleEvery = 5 * time.Millisecond
	settleLooks = 4
)

// Settled waits until every picture holds everything that was stored before
// the call: every worker has read and committed it and every follower has it.
func (s *Spine) Settled(ctx context.Context) error {
	for _, c := range s.cells {
		for looks := 0; ; {
			ok, err := c.settled(ctx)
			if err != nil {
				return fmt.Errorf("wait for the picture of %s: %w", c.Name, err)
			}
			if looks++; !ok {
				looks = 0
			}
			if looks == settleLooks {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for the picture of %s: %w", c.Name, ctx.Err())
			case <-time.After(settleEvery):
			}
		}
	}
	return nil
}

// listen opens a loopback listener.
func listen(port int) (net.Listener, error) {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(port)))
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}
