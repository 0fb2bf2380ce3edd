// Package producers is how an agency sends its reports to a Watchfloor broker.
//
//	c, err := producers.Connect(ctx, url, "jackson-pd", producers.WithCredentials("jackson-pd.creds"))
//	ack, err := c.Publish(ctx, report)
//
// An acknowledgement means that the broker has the report on disk. Until then
// the client sends the same report again, under the same identity, for at least
// 15 seconds: on timeouts, lost connections, an absent guard and a full disk. A
// refusal is final and says what to fix; it is never repeated. PublishAsync
// sends many at once through a bounded window that makes the caller wait and
// drops nothing; Drain says exactly which reports were not acknowledged.
//
// It is not a codec and not a store: packages cap, stix, csv and native turn
// formats into reports, and what is not acknowledged is the caller's to keep.
package producers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/proto/subject"
)

// Client sends the reports of one agency into one cell. It is safe for
// concurrent use.
type Client struct {
	agency string
	set    settings
	nc     *nats.Conn
	sub    *nats.Subscription
	inbox  string
	slots  chan struct{} // one per report on its way
	wake   chan struct{} // tells the retrier that something is due
	done   chan struct{} // closed by Close
	ended  sync.WaitGroup

	// mu guards what follows. No other lock is taken while it is held.
	mu      sync.Mutex
	closed  bool
	next    uint64
	flying  map[uint64]*Pending
	failed  []*Pending
	settled *sync.Cond // broadcast when a report is settled
}

// Connect signs in to the broker at address as agency. It fails at once when
// the broker cannot be reached or does not accept the credential; later losses
// of the connection are healed.
func Connect(ctx context.Context, address, agency string, opts ...Option) (*Client, error) {
	if !subject.Word(agency) {
		return nil, fmt.Errorf("connect: agency %q: use 2 to 32 of a-z, 0-9 and '-'", agency)
	}
	if u, err := url.Parse(address); err != nil || u.Host == "" {
		return nil, fmt.Errorf("connect: %q is no address: use nats://HOST:PORT", address)
	}
	set := settings{window: 1024, retry: 20 * time.Second, attempt: 2 * time.Second, inbox: "main", log: slog.New(slog.DiscardHandler)}
	for _, o := range opts {
		if err := o(&set); err != nil {
			return nil, fmt.Errorf("connect as %s: %w", agency, err)
		}
	}
	c := &Client{
		agency: agency, set: set, slots: make(chan struct{}, set.window), wake: make(chan struct{}, 1),
		done: make(chan struct{}), flying: map[uint64]*Pending{},
	}
	c.settled = sync.NewCond(&c.mu)
	if err := c.dial(ctx, address); err != nil {
		return nil, fmt.Errorf("connect as %s: %w", agency, err)
	}
	c.ended.Add(1)
	go c.retry()
	return c, nil
}

func (c *Client) dial(ctx context.Context, address string) error {
	timeout := 5 * time.Second
	if at, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(at))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	opts := append([]nats.Option{
		nats.Name("watchfloor producer " + c.agency), nats.CustomInboxPrefix(subject.InboxPrefix(c.agency, c.set.inbox)),
		nats.Timeout(timeout), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		// A lost connection is told by the retrier, which sends again by itself.
		nats.ReconnectBufSize(-1), nats.IgnoreDiscoveredServers(),
		nats.ReconnectHandler(func(*nats.Conn) { c.resend() }),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { c.set.log.Warn("connection lost", "agency", c.agency, "error", err) }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.asyncError(err) }),
	}, c.set.more...)
	if c.set.auth != nil {
		opts = append(opts, c.set.auth)
	}
	nc, err := nats.Connect(address, opts...)
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return fmt.Errorf("%w: %w", ErrCredential, err)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	c.nc, c.inbox = nc, nc.NewInbox()+"."
	if c.sub, err = nc.Subscribe(c.inbox+"*", c.answered); err == nil {
		err = c.sub.SetPendingLimits(-1, -1)
	}
	if err == nil {
		err = nc.FlushTimeout(timeout)
	}
	if err != nil {
		nc.Close()
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return nil
}

// Agency is the agency the client sends as.
func (c *Client) Agency() string { return c.agency }

// Cell is the cell that WithCell named.
func (c *Client) Cell() string { return c.set.cell }

// Close ends the connection. What is not acknowledged by then fails with
// ErrClosed; call Drain first.
func (c *Client) Close() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	var rest []*Pending
	for _, p := range c.flying {
		rest = append(rest, p)
	}
	c.mu.Unlock()
	close(c.done)
	c.ended.Wait()
	for _, p := range rest {
		c.settle(p, Ack{}, fmt.Errorf("publish %s: %w", p.report.ID, ErrClosed))
	}
	c.nc.Close()
}

// Closed is closed by Close.
func (c *Client) Closed() <-chan struct{} { return c.done }
