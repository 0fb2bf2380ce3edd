package spine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/access"
	"github.com/watchfloor/watchfloor/consumers/api"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/history"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// cell is one cell with its connections and parts. It holds credentials of its
// own label only: into the cells below, those of its worker's consumers.
type cell struct {
	Cell
	spine    *Spine
	label    label.Label
	home     *nats.Conn // the worker's, into this cell
	sources  []worker.Source
	reader   *nats.Conn // the listener's
	pictures map[wf.Status]*snapshot.Follower
	history  *history.History
	metrics  []prometheus.Collector
	access   *access.Log // of what is read over HTTP
}

// connect signs in as a principal of a cell. It reconnects for ever, each time
// with a new credential: the broker is in the same process and closes the
// connection when it ends.
func (c *cell) connect(principal, in string) (*nats.Conn, error) {
	auth, cred, err := account.Renewing(func(string) (account.Credential, error) { return c.spine.issue(principal, in) })
	if err != nil {
		return nil, err
	}
	log := c.spine.cfg.Log.With(zap.String("cell", c.Name), zap.String("in", in))
	nc, err := nats.Connect(cred.URL, append(auth,
		nats.Name(principal+" of "+c.Name), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond),
		nats.DisconnectErrHandler(func(nc *nats.Conn, err error) {
			if !nc.IsClosed() && principal == "worker" { // of its connections the one that stands for all
				log.Warn("broker is gone, waiting for it", zap.Error(err))
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			if principal == "worker" {
				log.Warn("broker is back")
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Warn("connection", zap.Error(err)) }))...)
	if err != nil {
		return nil, fmt.Errorf("connect %s to %s: %w", principal, in, err)
	}
	return nc, nil
}

// enter signs in as the cell's worker. What it commits and asks has a
// connection of its own: answers do not queue behind the reports being read.
func (c *cell) enter(context.Context) (err error) {
	c.home, err = c.connect("worker", c.Name)
	return err
}

// work starts the workers and waits until they have recovered.
func (c *cell) work(ctx context.Context) error {
	var err error
	if c.sources, err = c.below(); err != nil {
		return err
	}
	if c.spine.cfg.WithoutWorkers {
		return nil
	}
	ready, failed := make(chan struct{}, len(c.spine.cfg.Statuses)), make(chan error, len(c.spine.cfg.Statuses))
	for _, status := range c.spine.cfg.Statuses {
		c.run(status, ready, failed)
	}
	for range c.spine.cfg.Statuses {
		select {
		case <-ready:
		case err := <-failed:
			return err
		case <-ctx.Done():
			return fmt.Errorf("recover pictures of %s: %w", c.Name, ctx.Err())
		}
	}
	return nil
}

// below signs the worker in to every cell that it reads. Of an error it
// returns the connections made before it.
func (c *cell) below() (sources []worker.Source, err error) {
	for _, from := range append([]string{c.Name}, c.spine.cfg.Policy.Dominated(c.Name)...) {
		nc, err := c.connect("worker/"+c.Name, from)
		if err != nil {
			return sources, err
		}
		sources = append(sources, worker.Source{Cell: from, Conn: nc})
	}
	return sources, nil
}

// engine makes the engines of a status.
func (c *cell) engine(status wf.Status) func() worker.Engine {
	cfg := &c.spine.cfg
	conf := fusion.Config{Status: status, Weights: cfg.Weights, Windows: cfg.Policy.Windows()}
	if cfg.NeverExpire {
		conf.Windows = nil
	}
	return func() worker.Engine { return cfg.Engine(c.Name, conf) }
}

// run starts the worker of a status.
func (c *cell) run(status wf.Status, ready chan<- struct{}, failed chan<- error) {
	cfg := &c.spine.cfg
	metrics := worker.NewMetrics(c.Name, status)
	c.metrics = append(c.metrics, metrics)
	var first sync.Once
	conf := worker.Config{
		Cell: c.Name, Status: status, Home: c.home, Sources: c.sources, Seat: cfg.Seat, SeatFree: cfg.SeatFree, Clock: cfg.Clock, Metrics: metrics,
		NewEngine: c.engine(status), Now: cfg.Now, Log: cfg.Log, Progress: cfg.Recovery,
		Ready: func(publishes bool) {
			first.Do(func() { ready <- struct{}{} })
			if cfg.Turned != nil {
				cfg.Turned(c.Name, status, publishes)
			}
		},
	}
	if cfg.Epoch != nil {
		conf.Epoch = func() string { return cfg.Epoch(c.Name, status) }
	}
	c.spine.workers.g.Go(func() error {
		err := worker.Run(c.spine.workers.ctx, conf)
		if err != nil {
			cfg.Log.Error("worker ended", zap.Error(err))
			failed <- err
		}
		return err
	})
}

// follow keeps a picture of every status for the listener.
func (c *cell) follow(ctx context.Context) error {
	var err error
	if c.reader, err = c.connect("api", c.Name); err != nil {
		return err
	}
	for _, status := range c.spine.cfg.Statuses {
		f, err := snapshot.Follow(c.spine.followers.ctx, c.reader, c.Name, status, c.spine.cfg.Log)
		if err != nil {
			return fmt.Errorf("follow %s: %w", c.Name, err)
		}
		c.pictures[status] = f
		c.spine.followers.g.Go(func() error {
			<-f.Closed()
			return f.Err()
		})
	}
	if c.history, err = c.past(); err != nil {
		return err
	}
	return ctx.Err()
}

// well is nil while the cell's own guard takes reports and the certificates of
// its listener hold.
func (c *cell) well() error {
	if g, ok := c.spine.broker.Guards()[c.Name]; !ok || !g.Ready {
		return fmt.Errorf("guard of %s is not ready: %v", c.Name, g.Err)
	}
	if c.spine.cfg.Keeper != nil {
		return c.spine.cfg.Keeper.Health()
	}
	return nil
}

// serve opens the cell's listener on loopback and, when outside is not empty,
// the one for other machines.
func (c *cell) serve(port int, outside string) error {
	cfg := &c.spine.cfg
	conf := api.Config{
		Cell: c.Name, Label: c.label, Sources: map[wf.Status]api.Source{}, Console: cfg.Console, Version: cfg.Version,
		Expect: expected(cfg.Policy, c.Name), Collectors: append(c.metrics, newGuardMetrics(c.spine.broker, c.Name), newViolationMetrics(c.spine.broker, c.Name)), Log: cfg.Log, Past: c.history, Now: cfg.Now,
		Verify: c.verify, Hosts: cfg.Hosts,
	}
	auditor, err := auditor(cfg.KeysDir)
	if err != nil {
		return fmt.Errorf("serve %s: %w", c.Name, err)
	}
	if c.access, err = access.Open(access.Config{Dir: AccessDir(cfg.DataDir, c.Name), Auditor: auditor, Now: cfg.Now}); err != nil {
		return fmt.Errorf("serve %s: %w", c.Name, err)
	}
	conf.Record, conf.Health = c.access.Record, c.well
	if cfg.Keeper != nil {
		conf.Collectors = append(conf.Collectors, certificateMetrics{cfg.Keeper})
	}
	for status, f := range c.pictures {
		conf.Sources[status] = f
	}
	srv, err := api.New(conf)
	if err != nil {
		return err
	}
	l, err := listen(port)
	if err != nil {
		srv.Close()
		return fmt.Errorf("serve %s: %w", c.Name, err)
	}
	c.URL = "http://" + l.Addr().String()
	if err := c.issue(); err != nil {
		return errors.Join(err, l.Close())
	}
	c.spine.servers.g.Go(func() error { return srv.Serve(c.spine.servers.ctx, l) })
	return c.serveOutside(srv, outside)
}

// verify says whose token it is and what the policy in force lets its reader
// ask for.
func (c *cell) verify(token string) (api.Reader, error) {
	t, err := c.spine.broker.VerifyToken(c.Name, token)
	if err != nil {
		return api.Reader{}, err
	}
	h := c.spine.broker.HTTP()
	return api.Reader{
		Name: t.Reader, Kind: t.Kind, Purpose: t.Purpose, Token: t.ID, Expires: t.Expires,
		Limits: api.Limits{Requests: h.Requests, Streams: h.Streams},
	}, nil
}

// issue makes a token for the first person cleared for the cell and for no
// other, else for the first reader cleared for it.
func (c *cell) issue() error {
	p := c.spine.cfg.Policy
	best := -1
	for i, r := range p.Readers {
		if !slices.Contains(r.Cells, c.Name) {
			continue
		}
		if best < 0 || len(r.Cells) < len(p.Readers[best].Cells) || p.Readers[best].Type != policy.Person && r.Type == policy.Person {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	var err error
	c.Reader = p.Readers[best].Name
	lifetime := c.spine.cfg.TokenLifetime
	if lifetime <= 0 {
		lifetime = p.UsualToken(p.Readers[best].Type)
	}
	c.Token, _, err = c.spine.broker.IssueToken(c.Reader, c.Name, lifetime)
	return err
}

// expected is how often the feeds that a cell reads are heard.
func expected(p *policy.Policy, cell string) map[api.Feed]time.Duration {
	out := map[api.Feed]time.Duration{}
	for _, from := range append(p.Dominated(cell), cell) {
		for agency, every := range p.Expected(from) {
			out[api.Feed{Cell: from, Agency: agency}] = every
		}
	}
	return out
}

// settled says whether the cell's pictures hold all that its worker may read.
func (c *cell) settled(ctx context.Context) (bool, error) {
	for status, f := range c.pictures {
		at := map[string]uint64{}
		f.Read(func(p *snapshot.Picture) {
			for _, x := range p.Checkpoint() {
				at[x.GetCell()+" "+x.GetChannel()] = x.GetSequence()
			}
		})
		for _, src := range c.sources {
			js, err := jetstream.New(src.Conn)
			if err != nil {
				return false, err
			}
			for _, channel := range subject.Channels {
				cons, err := js.Consumer(ctx, subject.Reports, c.spine.cfg.Seat.Consumer(c.Name, status, channel))
				if err != nil {
					return false, err
				}
				i := cons.CachedInfo()
				if i.NumPending > 0 || i.NumAckPending > 0 || at[src.Cell+" "+string(channel)] < i.AckFloor.Stream {
					return false, nil
				}
			}
		}
	}
	return true, nil
}

// disconnect closes the cell's connections and its record of accesses.
func (c *cell) disconnect() error {
	var err error
	if c.access != nil {
		err = c.access.Close()
	}
	for _, nc := range []*nats.Conn{c.reader, c.home} {
		if nc != nil {
			nc.Close()
		}
	}
	for _, s := range c.sources {
		s.Conn.Close()
	}
	return err
}
