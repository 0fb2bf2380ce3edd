package broker

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/admit"
	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// A guard that ends is started again, slower each time.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 5 * time.Second
)

// post is where the guard of one cell stands: it runs one guard at a time and
// relieves it when it falls.
type post struct {
	cell    string
	singles int // up to how many reports are not worth a batch
	cancel  context.CancelFunc
	done    chan struct{}
	ready   chan struct{} // closed when the first guard takes reports

	mu       sync.Mutex
	rules    *guard.Rules
	guard    *admit.Guard
	restarts int
	err      error // why there is no guard now
}

// GuardHealth says how the guard of a cell is.
type GuardHealth struct {
	// Ready: it takes reports.
	Ready bool
	// Restarts since the broker's start.
	Restarts int
	// Err is why it does not run; nil while it does.
	Err error
	// Stalled is for how long its store has not taken what it was given; 0 while
	// it does.
	Stalled time.Duration
}

// watch posts a guard in every cell of p that has none and hands the others
// their new rules. It waits until all are ready. The caller holds mu.
func (b *Broker) watch(ctx context.Context, p *policy.Policy) error {
	if err := b.station(p); err != nil {
		return err
	}
	for _, post := range b.guards {
		select {
		case <-post.ready:
		case <-ctx.Done():
			return fmt.Errorf("wait for the guard of %s: %w", post.cell, ctx.Err())
		}
	}
	return nil
}

// station is watch without the waiting.
func (b *Broker) station(p *policy.Policy) error {
	if b.cfg.WithoutGuards {
		return nil
	}
	for _, c := range p.Cells {
		rules, err := guard.Compile(p, c.Name)
		if err != nil {
			return err
		}
		if have, ok := b.guards[c.Name]; ok {
			if err := have.setRules(rules); err != nil {
				return err
			}
			continue
		}
		b.guards[c.Name] = b.post(rules, p.Limits.MaxBatch)
	}
	return nil
}

// dismiss ends guards and waits for them. The caller holds mu.
func (b *Broker) dismiss(which func(cell string) bool) {
	var leaving []*post
	for cell, post := range b.guards {
		if which(cell) {
			post.cancel()
			leaving = append(leaving, post)
			delete(b.guards, cell)
		}
	}
	for _, post := range leaving {
		<-post.done
	}
}

func (b *Broker) post(rules *guard.Rules, maxBatch int) *post {
	ctx, cancel := context.WithCancel(context.Background())
	p := &post{cell: rules.Cell, singles: b.singles(rules.Cell), cancel: cancel, done: make(chan struct{}), ready: make(chan struct{}), rules: rules}
	go func() {
		defer close(p.done)
		p.run(ctx, func() (*admit.Guard, error) { return b.recruit(p, maxBatch) }, b.cfg.Log)
	}()
	return p
}

// recruit makes a guard with a credential of its own, renewed whenever one of
// its connections is.
func (b *Broker) recruit(p *post, maxBatch int) (*admit.Guard, error) {
	auth, cred, err := account.Renewing(func(seed string) (account.Credential, error) {
		return b.Issue(account.Request{Principal: account.Guard(), Cell: p.cell, Seed: seed})
	})
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	cfg := admit.Config{
		Rules: p.rules, URL: cred.URL, Options: auth, Connect: b.nats.Connect,
		Reports: b.Inlet(p.cell, subject.Reports), Refusals: b.Inlet(p.cell, subject.Refusals),
		MaxBatch: maxBatch, Singles: p.singles, Now: b.cfg.Now, Log: b.cfg.Log, Full: b.vigil.tight.Load,
		Sound: func() error { return b.nats.Sound(b.authority.AccountKey(p.cell), subject.Reports) },
	}
	if tell := b.cfg.OnRebuild; tell != nil {
		cfg.Progress = func(done, total uint64) { tell(p.cell, done, total) }
	}
	g, err := admit.New(cfg)
	p.guard = g
	return g, err
}

func (p *post) run(ctx context.Context, recruit func() (*admit.Guard, error), log *zap.Logger) {
	wait := firstWait
	var once sync.Once
	for ctx.Err() == nil {
		g, err := recruit()
		if err == nil {
			ended := make(chan struct{})
			go func() {
				select {
				case <-g.Ready():
					once.Do(func() { close(p.ready) })
					p.note(nil)
				case <-ended:
				}
			}()
			began := time.Now()
			err = g.Run(ctx)
			close(ended)
			if time.Since(began) > time.Minute {
				wait = firstWait
			}
		}
		if ctx.Err() != nil {
			return
		}
		p.fell(err)
		log.Error("guard ended, starting another", zap.String("cell", p.cell), zap.Error(err))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		wait = min(2*wait, lastWait)
	}
}

func (p *post) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func (p *post) fell(err error) {
	if err == nil {
		err = fmt.Errorf("guard of %s ended without being told", p.cell)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err, p.guard = err, nil
	p.restarts++
}

func (p *post) setRules(r *guard.Rules) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.guard != nil {
		if err := p.guard.SetRules(r); err != nil {
			return err
		}
	}
	p.rules = r
	return nil
}

func (p *post) health() GuardHealth {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := GuardHealth{Restarts: p.restarts, Err: p.err}
	if p.guard != nil && p.err == nil {
		select {
		case <-p.guard.Ready():
			h.Ready = true
		default:
		}
	}
	if p.guard != nil {
		h.Stalled = p.guard.Metrics().Stalled()
	}
	return h
}

// Guards says how the guard of every cell is.
func (b *Broker) Guards() map[string]GuardHealth {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := map[string]GuardHealth{}
	for cell, post := range b.guards {
		out[cell] = post.health()
	}
	return out
}

// GuardMetrics are the counters of a cell's guard; nil while there is none.
func (b *Broker) GuardMetrics(cell string) *admit.Metrics {
	b.mu.Lock()
	defer b.mu.Unlock()
	post, ok := b.guards[cell]
	if !ok {
		return nil
	}
	post.mu.Lock()
	defer post.mu.Unlock()
	if post.guard == nil {
		return nil
	}
	return post.guard.Metrics()
}

// Health is nil when the disk, NATS, its streams and every guard are well. It
// does not wait for the disk.
func (b *Broker) Health() error {
	if err := b.Store().Err(); err != nil {
		return err
	}
	if err := b.unread.Load(); err != nil {
		return *err
	}
	for cell, h := range b.Guards() {
		if !h.Ready {
			return fmt.Errorf("guard of cell %s is not ready: %w", cell, orStarting(h.Err))
		}
		if h.Stalled > silentAfter {
			return fmt.Errorf("cell %s: %w: a commit has not been stored for %s: look at the disk; senders are told to try again", cell, ErrStalled, h.Stalled.Round(time.Second))
		}
	}
	return nil
}

func orStarting(err error) error {
	if err == nil {
		return errStarting
	}
	return err
}
