// Package consumers is how everyone reads: follow the reports of a feed, take
// the snapshot of a cell, watch it change.
//
//	c, err := consumers.Connect(ctx, url, consumers.WithContextFile("watch-le.json"))
//	defer c.Close()
//	w, err := c.Watch(ctx, wf.Status_STATUS_ACTUAL)
//	for e := range w.Events() {
//		// a Snapshot first, then Frames; a Snapshot again when the place was lost
//	}
//
// A client holds one credential and so reads one cell: its picture, and the
// feeds provisioned there for its reader. It asks for nothing else, filters no
// secrets, logs nothing unless given a logger, and brings no server.
package consumers

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// apiWait is how long the broker may take to answer a request.
const apiWait = 5 * time.Second

// Client reads one cell with one credential. It is safe for concurrent use.
type Client struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	cell   string
	reader string
	log    *zap.Logger
	closed chan struct{}
	denied atomic.Pointer[string]
	api    *pastAPI
}

// Connect signs in. It waits for the first connection as long as ctx allows;
// later the client reconnects by itself and misses nothing.
func Connect(ctx context.Context, url string, opts ...Option) (*Client, error) {
	s := settings{log: zap.NewNop(), name: "watchfloor reader", url: url}
	for _, o := range opts {
		if err := o(&s); err != nil {
			return nil, fmt.Errorf("connect: %w", err)
		}
	}
	if s.url == "" || s.auth == nil {
		return nil, errors.New("connect: give the broker's address and a credential, or a context file with both")
	}
	c := &Client{cell: s.cell, log: s.log, closed: make(chan struct{}), api: s.api}
	if c.api != nil {
		c.api.progress = s.progress
	}
	if p := strings.Split(s.inbox, "."); len(p) == 3 {
		c.reader = p[1]
	}
	options := append([]nats.Option{
		nats.Name(s.name), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.RetryOnFailedConnect(false),
		nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }), nats.ErrorHandler(c.asyncError), s.auth,
	}, s.more...)
	if s.tls != nil {
		options = append(options, nats.Secure(s.tls))
		if c.api != nil {
			c.api.secure(s.tls)
		}
	}
	if s.inbox != "" {
		options = append(options, nats.CustomInboxPrefix(s.inbox))
	}
	if d, ok := ctx.Deadline(); ok {
		options = append(options, nats.Timeout(max(time.Until(d), time.Millisecond)))
	}
	var err error
	if c.nc, err = nats.Connect(s.url, options...); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", s.url, err)
	}
	if c.js, err = jetstream.New(c.nc, jetstream.WithDefaultTimeout(apiWait)); err != nil {
		c.nc.Close()
		return nil, fmt.Errorf("connect: %w", err)
	}
	return c, nil
}

// asyncError remembers what the broker has denied: the request itself only
// times out.
func (c *Client) asyncError(_ *nats.Conn, _ *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrPermissionViolation) {
		text := err.Error()
		c.denied.Store(&text)
	}
	c.log.Warn("connection", zap.Error(err))
}

// explain makes a timeout say that the broker has denied the request.
func (c *Client) explain(err error) error {
	timeout := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)
	if err != nil && timeout && c.denied.Swap(nil) != nil || errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, nats.ErrNoResponders) {
		return fmt.Errorf("%w (%v)", ErrNotPermitted, err)
	}
	return err
}

// Snapshot reads the newest picture of the cell.
func (c *Client) Snapshot(ctx context.Context, status wf.Status) (*wf.Snapshot, error) {
	p, err := snapshot.Load(ctx, c.nc, c.cell, status)
	if err != nil {
		return nil, fmt.Errorf("read snapshot: %w", c.explain(err))
	}
	return p.Snapshot(), nil
}

// Conn is the connection, for what this package does not do.
func (c *Client) Conn() *nats.Conn { return c.nc }

// Stop closes the connection at once; handles end with ErrClosed.
func (c *Client) Stop() { c.nc.Close() }

// Drain lets what has arrived be handled, then closes.
func (c *Client) Drain(ctx context.Context) error {
	if err := c.nc.Drain(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("drain: %w", err)
	}
	select {
	case <-c.closed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("drain: %w", ctx.Err())
	}
}

// Close is Stop.
func (c *Client) Close() { c.Stop() }

// Closed is closed when the connection is.
func (c *Client) Closed() <-chan struct{} { return c.closed }
