// Package natsd runs the NATS server inside the process: operator mode, every
// write synced to disk before it is acknowledged, everything at rest encrypted.
//
// It knows accounts only as JWTs and streams not at all: package account makes
// the one, package stream the other. It handles no signals; who starts it
// shuts it down.
package natsd

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/atrest"
	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// MaxPayload is the largest message: twice the largest report, so that what is
// too large can still be told so.
const MaxPayload = 2 << 20

// readyWithin is how long a start may take; replaying a large store is part of it.
const readyWithin = 60 * time.Second

// authWithin is how long a connection may take to present its credential.
const authWithin = 10 * time.Second

// Config is what a server needs.
type Config struct {
	// DataDir holds the streams, encrypted, and the FORMAT file.
	DataDir string
	// Host and Port to listen on; empty is 127.0.0.1, and -1 any free port. The
	// server speaks no TLS, so that only an address of loopback is taken: other
	// machines come through package front.
	Host string
	Port int
	// Operator is trusted, Accounts are its account JWTs by public key.
	Operator *jwt.OperatorClaims
	Accounts map[string]string
	// StoreKey encrypts what is stored.
	StoreKey string
	// MaxBatch is the largest atomic batch, in messages.
	MaxBatch int
	// LazySync acknowledges before data is on disk. It exists as the yardstick
	// of the benchmark; a broker never sets it.
	LazySync bool
	// Alone listens nowhere: only this process connects.
	Alone bool
	Log   *zap.Logger
	// Remakeable says of which streams everything can be made again: one that a power
	// cut has damaged is removed. Nil is of none.
	Remakeable func(stream string) bool
	// OnViolation is told of every refused publish or subscription, from the
	// server's own goroutines: it must not block. May be nil.
	OnViolation func(Violation)
	// OnRefusal is told of every refused sign-in, likewise. May be nil.
	OnRefusal func(Refusal)
}

// Server is a running NATS server.
type Server struct {
	nats     atomic.Pointer[server.Server] // another one after Restart
	cfg      Config                        // with the port that was taken
	mu       sync.Mutex
	accounts map[string]string // under mu; replaced, never changed
	resolver *server.MemAccResolver
	log      *logger
	store    *store
	dir      string
}

// Start opens the store, starts the server and waits until it takes
// connections and every account has recovered its streams.
func Start(cfg Config) (*Server, error) {
	if cfg.Operator == nil || cfg.StoreKey == "" {
		return nil, errors.New("start nats: an operator and a store key are required")
	}
	if cfg.Host == "" {
		cfg.Host = "127.0.0.1"
	}
	if !transport.Loopback(cfg.Host) {
		return nil, fmt.Errorf("start nats on %s: %w", cfg.Host, transport.ErrPlain)
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	st, err := openStore(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	if err := prune(cfg, filepath.Join(cfg.DataDir, storeDir)); err != nil {
		st.close()
		return nil, fmt.Errorf("start nats: %w", err)
	}
	// The server would pass over what it cannot decrypt, or delete it.
	if err := atrest.Check(cfg.DataDir, filepath.Join(cfg.DataDir, storeDir), cfg.StoreKey); err != nil {
		st.close()
		return nil, fmt.Errorf("start nats: %w", err)
	}
	if err := settle(filepath.Join(cfg.DataDir, storeDir), false); err != nil {
		st.close()
		return nil, fmt.Errorf("start nats: %w", err)
	}
	s := &Server{cfg: cfg, resolver: &server.MemAccResolver{}, log: newLogger(cfg.Log), store: st, dir: filepath.Join(cfg.DataDir, storeDir)}
	for key, token := range cfg.Accounts {
		if err := s.resolver.Store(key, token); err != nil {
			st.close()
			return nil, fmt.Errorf("start nats: keep account: %w", err)
		}
	}
	s.known(cfg.Accounts)
	s.listenTo(cfg)
	if err := s.start(); err != nil {
		s.Shutdown()
		return nil, err
	}
	if a, ok := s.nats.Load().Addr().(*net.TCPAddr); ok {
		s.cfg.Port = a.Port
	}
	return s, nil
}

func (s *Server) start() error {
	n, err := server.NewServer(options(s.cfg, s.resolver))
	if err != nil {
		return fmt.Errorf("start nats: %w", err)
	}
	s.log.lastEnd.Store(nil)
	s.nats.Store(n)
	n.SetLoggerV2(s.log, false, false, false)
	if err := s.hold(); err != nil {
		return err
	}
	n.Start()
	if !n.ReadyForConnections(readyWithin) {
		if text := s.log.fatal(); text != "" {
			return fmt.Errorf("start nats: %s", text)
		}
		return fmt.Errorf("start nats: not ready after %s", readyWithin)
	}
	// An account is only loaded when it is asked for; its streams with it.
	for key := range s.known(nil) {
		if _, err := n.LookupAccount(key); err != nil {
			return fmt.Errorf("start nats: load account: %w", err)
		}
	}
	return s.mend()
}

func options(cfg Config, resolver server.AccountResolver) *server.Options {
	return &server.Options{
		ServerName: "watchfloor", Host: cfg.Host, Port: cfg.Port, NoSigs: true,
		AuthTimeout:      authWithin.Seconds(), // a client from outside makes TLS meanwhile
		TrustedOperators: []*jwt.OperatorClaims{cfg.Operator}, SystemAccount: cfg.Operator.SystemAccount, AccountResolver: resolver,
		DontListen: cfg.Alone,
		// By itself the server takes three quarters of what was free at its start and
		// then refuses; how much room there is, package broker looks after.
		JetStreamMaxStore: 1 << 60,
		JetStream:         true, StoreDir: filepath.Join(cfg.DataDir, storeDir), DisableJetStreamBanner: true,
		SyncAlways: !cfg.LazySync, JetStreamCipher: server.AES, JetStreamKey: cfg.StoreKey,
		JetStreamLimits: server.JSLimitOpts{MaxBatchSize: cfg.MaxBatch},
		MaxPayload:      MaxPayload, MaxPending: 128 << 20, MaxControlLine: 4096,
		LameDuckDuration: 30 * time.Second, LameDuckGracePeriod: 10 * time.Second,
	}
}

// StoreDir is where the streams of all accounts lie.
func (s *Server) StoreDir() string { return s.dir }

// Addr is where the server listens, on loopback.
func (s *Server) Addr() string { return s.nats.Load().Addr().String() }

// URL is where clients on this machine connect.
func (s *Server) URL() string { return s.nats.Load().ClientURL() }

// Connect opens a connection inside the process. With a bad credential it
// takes ten seconds to fail: strangers come over TCP.
func (s *Server) Connect(opts ...nats.Option) (*nats.Conn, error) {
	return nats.Connect("", append([]nats.Option{nats.InProcessServer(s.nats.Load())}, opts...)...)
}

// Update replaces account JWTs in the running server. Users whose signing key
// is gone, whose permissions changed or who are revoked are disconnected.
func (s *Server) Update(accounts map[string]string) error {
	n := s.nats.Load()
	var errs []error
	for key, token := range accounts {
		claims, err := jwt.DecodeAccountClaims(token)
		if err != nil {
			errs = append(errs, fmt.Errorf("read account: %w", err))
			continue
		}
		if err := s.resolver.Store(key, token); err != nil {
			errs = append(errs, fmt.Errorf("keep account %s: %w", claims.Name, err))
			continue
		}
		acc, err := n.LookupAccount(key)
		if err != nil {
			errs = append(errs, fmt.Errorf("load account %s: %w", claims.Name, err))
			continue
		}
		n.UpdateAccountClaims(acc, claims)
	}
	s.known(accounts)
	return errors.Join(errs...)
}

// known adds accounts to those that a start loads, and returns them all.
func (s *Server) known(more map[string]string) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := maps.Clone(s.accounts)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, more)
	s.accounts = all
	return all
}

// Health is nil when the server and its streams are well.
func (s *Server) Health() error {
	if h := s.nats.Load().Healthz(&server.HealthzOptions{}); h.Status != "ok" {
		return fmt.Errorf("nats is %s: %s", h.Status, h.Error)
	}
	return nil
}

// Denied counts refused publishes and subscriptions since the start.
func (s *Server) Denied() uint64 { return s.log.denied.Load() }

// Shutdown stops the server and returns when its store is closed. It may be
// called twice.
func (s *Server) Shutdown() {
	s.stop()
	s.store.close()
}

// trim keeps the server's log lines to one line of bounded length, without words of inlets.
func trim(s string) string {
	s = subject.Wordless(strings.ReplaceAll(s, "\n", " "))
	if len(s) > 300 {
		return s[:300]
	}
	return s
}
