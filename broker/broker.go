// Package broker is the server: it puts the parts together and takes them
// apart again. Policy, keys, NATS, streams, one guard per cell, in that order.
//
// It is not a client: agencies and readers connect with the credentials it
// issues. It fuses nothing and serves no HTTP; whoever runs it starts the
// workers and listeners with credentials from here.
package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/front"
	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/broker/internal/unlock"
	"github.com/watchfloor/watchfloor/broker/natsd"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/stream"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// Config is what a broker needs.
type Config struct {
	Policy *policy.Policy
	// DataDir holds what is stored, KeysDir the keys that protect it; the
	// second may not lie inside the first.
	DataDir string
	KeysDir string
	// Host and Port that clients on this machine connect to, without TLS; empty
	// is 127.0.0.1, and -1 any free port. Other addresses than loopback's are
	// refused.
	Host string
	Port int
	// Outside is where other machines connect, over TLS; nil: nowhere.
	Outside *Outside
	// Log may be nil.
	Log *zap.Logger
	// Now is the clock (time.Now).
	Now func() time.Time
	// OnViolation is told of every publish or subscription that NATS refused.
	// It must not block. May be nil.
	OnViolation func(natsd.Violation)
	// OnRebuild is told how far a guard's index is rebuilt at the start. May be nil.
	OnRebuild func(cell string, done, total uint64)
	// WithoutGuards starts no guards: submissions are answered by nobody.
	WithoutGuards bool
	// LazySync stores without waiting for the disk: the benchmark's yardstick,
	// nothing else.
	LazySync bool
	// Reserve is how many bytes of the disk stay free: with less, senders are
	// told to try again later and the store does not fill up. 0 is a twentieth of
	// the disk, at most 1 GiB; less than 0 keeps none.
	Reserve int64
	// StageOnDisk leaves the staging area of batches on the disk, as where there is
	// no room in memory: slower, nothing else.
	StageOnDisk bool
	// Unlock is for packages brokertest and trial, which alone can set it.
	Unlock unlock.Key
}

func (c Config) withDefaults() (Config, error) {
	if c.Policy == nil {
		return c, errors.New("no policy")
	}
	if c.DataDir == "" || c.KeysDir == "" {
		return c, errors.New("a data directory and a keys directory are required")
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Now = ratchet(c.Now)
	return c, nil
}

// ratchet is a clock that never goes back: what has ended, as a token has, does
// not begin again because somebody set the clock.
func ratchet(now func() time.Time) func() time.Time {
	var mu sync.Mutex
	var last time.Time
	return func() time.Time {
		t := now()
		mu.Lock()
		defer mu.Unlock()
		if t.Round(0).After(last.Round(0)) {
			last = t
		}
		return last
	}
}

// Broker is a running broker. Its methods may be called at the same time.
type Broker struct {
	cfg       Config
	authority *account.Authority
	nats      *natsd.Server
	vigil     vigil
	front     *front.Front // nil without Outside

	release func()                // lets the keys go
	relieve func()                // ends the look at the register, and waits for it
	record  func()                // ends the recording of violations, with all of them on disk
	unread  atomic.Pointer[error] // why revocations are not enforced now; nil: they are

	violations *violations

	// accounts is held from making account JWTs until the server has them, so
	// that none takes the place of a newer one. It is taken after mu.
	accounts sync.Mutex
	owed     *account.Change // what the server has still to learn; under accounts

	mu     sync.Mutex // held by Reload and Close; policy, guards and closed are under it
	policy *policy.Policy
	guards map[string]*post
	labels labels            // of everything that is stored
	staged map[string]string // cell -> directory in memory of its batches
	closed bool
}

// Open starts a broker and returns when it takes reports. Close ends it; if
// Open fails, it has already taken apart what it had started.
func Open(ctx context.Context, cfg Config) (*Broker, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open broker: %w", err)
	}
	b := &Broker{cfg: cfg, vigil: vigil{began: time.Now()}, guards: map[string]*post{}, staged: map[string]string{}}
	if err := b.open(ctx); err != nil {
		b.Close()
		return nil, fmt.Errorf("open broker: %w", err)
	}
	return b, nil
}

// open starts each part after those it needs: the proof that the policy does
// not leak before the keys, keys before the accounts made
// with them, streams before the guards that write them.
func (b *Broker) open(ctx context.Context) error {
	err := proved(b.cfg.Policy)
	if err != nil {
		return err
	}
	if err := keysThere(b.cfg.DataDir, b.cfg.KeysDir); err != nil {
		return err
	}
	if b.release, err = account.Hold(b.cfg.KeysDir, b.cfg.DataDir); errors.Is(err, account.ErrHeld) {
		err = errors.Join(err, natsd.ErrInUse)
	}
	if err != nil {
		return err
	}
	// Before keys change and anybody can sign in: a reader of the new label must
	// not find what was admitted under the old one.
	if b.labels, err = readLabels(b.cfg.DataDir); err != nil {
		return err
	}
	if err := b.labels.check(b.cfg.Policy); err != nil {
		return err
	}
	if err := b.resumeRotation(); err != nil {
		return err
	}
	b.authority, err = account.Open(account.Config{
		KeysDir: b.cfg.KeysDir, DataDir: b.cfg.DataDir, Policy: b.cfg.Policy, Now: b.cfg.Now, Anew: true, Unlock: b.cfg.Unlock,
	})
	if err != nil {
		return err
	}
	if err := b.check(b.cfg.Policy); err != nil {
		return err
	}
	b.violations = newViolations(b.cfg, b.authority)
	b.nats, err = natsd.Start(natsd.Config{
		DataDir: b.cfg.DataDir, Host: b.cfg.Host, Port: b.cfg.Port,
		Operator: b.authority.Operator(), Accounts: b.authority.Accounts(), StoreKey: b.authority.StoreKey(),
		MaxBatch: policy.MaxBatch, LazySync: b.cfg.LazySync, Remakeable: stream.Remakeable, Log: b.cfg.Log, OnViolation: b.violated, OnRefusal: b.violations.refused,
	})
	if err != nil {
		return err
	}
	if err := b.labels.keep(b.cfg.DataDir, b.cfg.Policy); err != nil {
		return err
	}
	b.record = b.violations.recording()
	b.relieve = b.attending()
	if err := b.provision(ctx, b.cfg.Policy); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.policy = b.cfg.Policy
	if err := b.stage(b.policy); err != nil {
		return err
	}
	b.look() // before anything is admitted
	if err := b.watch(ctx, b.policy); err != nil {
		return err
	}
	b.keepVigil()
	return b.openFront()
}

// provisionTries is how often a cell is provisioned when the server does not
// answer: seen once in some four hundred starts after a power cut.
const provisionTries = 3

// provision brings the account of every cell to what p wants, side by side, and
// sees that what it made is there after a power cut.
func (b *Broker) provision(ctx context.Context, p *policy.Policy) error {
	var g errgroup.Group
	for _, c := range p.Cells {
		g.Go(func() error {
			err := b.provisionCell(ctx, p, c.Name)
			for n := 1; n < provisionTries && errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil; n++ {
				b.cfg.Log.Warn("streams are not answered, asking again", zap.String("cell", c.Name), zap.Error(err))
				err = b.provisionCell(ctx, p, c.Name)
			}
			if err != nil {
				return fmt.Errorf("provision cell %s: %w", c.Name, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return b.nats.Establish()
}

func (b *Broker) provisionCell(ctx context.Context, p *policy.Policy, cell string) error {
	cred, err := b.authority.Issue(account.Request{Principal: account.Provision(), Cell: cell})
	if err != nil {
		return err
	}
	nc, err := b.nats.Connect(cred.Options()...)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(30*time.Second))
	if err != nil {
		return err
	}
	_, err = stream.Reconcile(ctx, js, b.desired(p, cell))
	return err
}

func (b *Broker) desired(p *policy.Policy, cell string) stream.Want {
	return stream.Desired(p, cell, func(name string) subject.Inlet { return b.authority.Inlet(cell, name) })
}

// Inlet is where a stream of a cell takes in what it stores: for who writes it
// in this process, and nobody else.
func (b *Broker) Inlet(cell, stream string) subject.Inlet { return b.authority.Inlet(cell, stream) }

// Reload puts p in force without a restart. Permissions change at once, those
// who lose theirs are disconnected; then streams and consumers; then what the
// guards admit. If it fails, the narrower of old and new is in force: reload
// again.
func (b *Broker) Reload(ctx context.Context, p *policy.Policy) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return fmt.Errorf("reload: %w", ErrClosed)
	}
	if err := b.labels.check(p); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	for _, c := range p.Cells {
		if _, err := guard.Compile(p, c.Name); err != nil {
			return fmt.Errorf("reload: %w", err)
		}
	}
	if err := proved(p); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	// A guard finishes what it has taken while it can still sign in.
	b.dismiss(func(cell string) bool { _, ok := p.Cell(cell); return !ok })
	if err := b.change(ctx, p); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	b.policy = p
	if err := b.stage(p); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	if err := b.watch(ctx, p); err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	return nil
}

// change brings accounts and streams to what p wants. The caller holds mu.
func (b *Broker) change(ctx context.Context, p *policy.Policy) error {
	defer b.vigil.changing()()
	if err := b.swap(p); err != nil {
		return err
	}
	b.recheck()
	return b.provision(ctx, p)
}

// swap gives the server the accounts of p. The caller holds mu.
func (b *Broker) swap(p *policy.Policy) error {
	b.accounts.Lock()
	defer b.accounts.Unlock()
	accounts, err := b.authority.Apply(p)
	if err != nil {
		return err
	}
	if err := b.check(p); err != nil {
		// What leaks is nobody's to compile accounts from: not a revocation's either.
		_, back := b.authority.Apply(b.policy)
		return errors.Join(err, back)
	}
	if err := b.labels.keep(b.cfg.DataDir, p); err != nil {
		return err
	}
	b.violations.forget()
	return b.nats.Update(accounts)
}

// Close stops the parts in the reverse order of their start. What was
// acknowledged is on disk; what was not is answered or lost to its sender. It
// may be called twice.
func (b *Broker) Close() {
	b.vigil.end()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	b.closeFront()
	b.dismiss(func(string) bool { return true })
	if b.relieve != nil {
		b.relieve()
	}
	if b.nats != nil {
		b.nats.Shutdown()
	}
	if b.record != nil {
		b.record()
	}
	b.unstage()
	if b.release != nil {
		b.release()
	}
}

// ClientURL is where clients on this machine connect.
func (b *Broker) ClientURL() string { return b.nats.URL() }

// Policy is the policy in force.
func (b *Broker) Policy() *policy.Policy {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.policy
}

// Credential issues a credential without end for a principal of a cell: the
// name of an agency or reader, "guard", "api", "worker" or, in a cell that
// another reads, "worker/CELL".
func (b *Broker) Credential(principal, cell string) (account.Credential, error) {
	p, err := account.ParsePrincipal(b.Policy(), principal, cell)
	if err != nil {
		return account.Credential{}, err
	}
	return b.Issue(account.Request{Principal: p, Cell: cell})
}

// Issue issues a credential with the broker's address in it.
func (b *Broker) Issue(q account.Request) (account.Credential, error) {
	c, err := b.authority.Issue(q)
	if err != nil {
		return account.Credential{}, err
	}
	c.URL = b.ClientURL()
	return c, nil
}

// IssueToken makes an HTTP token for a reader of a cell.
func (b *Broker) IssueToken(reader, cell string, lifetime time.Duration) (string, account.Token, error) {
	return b.authority.IssueToken(reader, cell, lifetime)
}

// HTTP is what readers may ask for over HTTP. It does not wait for a reload.
func (b *Broker) HTTP() policy.HTTP { return b.authority.HTTP() }

// VerifyToken reads an HTTP token at the listener of a cell.
func (b *Broker) VerifyToken(cell, token string) (account.Token, error) {
	return b.authority.VerifyToken(cell, token)
}
