// Package brokertest starts a whole broker for a test: real NATS over TCP, real
// keys, every cell and its guard, in a directory that goes with the test.
package brokertest

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/internal/unlock"
	"github.com/watchfloor/watchfloor/broker/policy"
)

// Option changes how the broker is started.
type Option func(*broker.Config)

// Policy takes another policy than the default.
func Policy(p *policy.Policy) Option { return func(c *broker.Config) { c.Policy = p } }

// Dir keeps data and keys in dir, so that a second start finds them.
func Dir(dir string) Option {
	return func(c *broker.Config) {
		c.DataDir, c.KeysDir = filepath.Join(dir, "data"), filepath.Join(dir, "keys")
	}
}

// WithoutGuards starts no guards.
func WithoutGuards() Option { return func(c *broker.Config) { c.WithoutGuards = true } }

// Root lets [AsRoot] make credentials that may do everything in a cell.
func Root() Option { return func(c *broker.Config) { c.Unlock = unlock.Cut() } }

// With changes anything else.
func With(edit func(*broker.Config)) Option { return edit }

// Config is the configuration that Start uses.
func Config(t testing.TB, opts ...Option) broker.Config {
	t.Helper()
	cfg := broker.Config{Policy: policy.Default(), Port: -1, Log: zap.NewNop(), Reserve: -1}
	if tt, ok := t.(*testing.T); ok {
		cfg.Log = zaptest.NewLogger(tt, zaptest.Level(zap.ErrorLevel))
	}
	for _, o := range opts {
		o(&cfg)
	}
	if cfg.DataDir == "" {
		Dir(t.TempDir())(&cfg)
	}
	return cfg
}

// Start starts a broker and closes it with the test.
func Start(t testing.TB, opts ...Option) *broker.Broker {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	b, err := broker.Open(ctx, Config(t, opts...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// Credential issues a credential or fails the test.
func Credential(t testing.TB, b *broker.Broker, principal, cell string) account.Credential {
	t.Helper()
	c, err := b.Credential(principal, cell)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// AsRoot issues a credential that may do everything in a cell of a broker
// started with [Root].
func AsRoot(t testing.TB, b *broker.Broker, cell string) account.Credential {
	t.Helper()
	c, err := b.Issue(account.Request{Principal: account.Root(), Cell: cell})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Connect signs in over TCP as a principal of a cell and closes with the test.
func Connect(t testing.TB, b *broker.Broker, principal, cell string) *nats.Conn {
	t.Helper()
	return Dial(t, Credential(t, b, principal, cell))
}

// Dial signs in over TCP with a credential and closes with the test. Refused
// publishes are expected of many tests, so the client does not print them.
func Dial(t testing.TB, c account.Credential) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(c.URL, append(c.Options(), nats.Timeout(30*time.Second), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))...)
	if err != nil {
		t.Fatalf("connect as %s in %s: %v", c.Principal, c.Cell, err)
	}
	t.Cleanup(nc.Close)
	return nc
}
