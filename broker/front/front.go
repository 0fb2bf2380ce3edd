// Package front is the broker's door to other machines: it speaks TLS with a
// client, demands the certificate of the principal whose credential the client
// presents, and only then lets the client's bytes through to the server, which
// listens on loopback alone and checks the credential itself.
//
// nats-server verifies a certificate or a credential, but has no place to say
// that the one belongs to the other: see DESIGN.md. It decides nothing about
// subjects, and reads of what passes no more than where one command ends.
package front

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/internal/throttle"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// Entry is the decision that lets a connection in.
type Entry struct {
	// Cell and Principal are whose credential it is, for the record.
	Cell, Principal string
}

// Refusal is a connection that was not let in.
type Refusal struct {
	// Reason is "handshake", "protocol", "certificate" or "busy".
	Reason string
	// Cell, Principal and User (its public key) are empty where nothing was
	// presented yet. The server has not checked them.
	Cell, Principal, User string
	// Host is the address that it came from.
	Host string
	Err  error
}

// Config of a front. All but Log and Told are required.
type Config struct {
	// Address to listen on, host:port.
	Address string
	Keeper  *transport.Keeper
	// Server is where the server listens on loopback.
	Server string
	// Admit decides by the key that signed the credential and the certificate of
	// the connection, whose chain is verified; nil for none.
	Admit func(signingKey string, leaf *x509.Certificate) (Entry, error)
	// MaxPayload is the largest message.
	MaxPayload int
	Log        *zap.Logger
	// Told is told of every refusal. It must not block. May be nil.
	Told func(Refusal)
}

const (
	// enterWithin bounds the time from the first byte to the credential.
	enterWithin = 10 * time.Second
	// maxEntering bounds how many connections may be on their way in at once,
	// perAddress how many of them from one address: who holds some open without a
	// credential keeps nobody else out.
	maxEntering = 512
	perAddress  = 32
	// writeWithin is how long a peer may take none of what is sent to it.
	writeWithin = 30 * time.Second
)

// Front is a running front.
type Front struct {
	cfg      Config
	listener net.Listener
	tls      *tls.Config
	refused  atomic.Uint64
	logged   throttle.Throttle // strangers fill no disk with the log
	ended    sync.WaitGroup

	mu       sync.Mutex // conns, entering and closed are under it
	conns    map[*conn]struct{}
	entering map[netip.Prefix]int // by address of the client
	all      int                  // of them together
	closed   bool
}

// Open listens. Close ends it.
func Open(cfg Config) (*Front, error) {
	if cfg.Keeper == nil || cfg.Admit == nil || cfg.Server == "" || cfg.MaxPayload <= 0 {
		return nil, errors.New("open front: a keeper, a server, a decision and a limit are required")
	}
	if cfg.Keeper.Files().CA == "" {
		return nil, errors.New("open front: agencies sign in with certificates: name the authority that issues them")
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	l, err := net.Listen("tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("open front: %w", err)
	}
	f := &Front{cfg: cfg, listener: l, tls: cfg.Keeper.Server(), entering: map[netip.Prefix]int{}, conns: map[*conn]struct{}{}}
	f.ended.Add(1)
	go f.accept()
	return f, nil
}

// Addr is where the front listens.
func (f *Front) Addr() net.Addr { return f.listener.Addr() }

// Refused counts connections that were not let in.
func (f *Front) Refused() uint64 { return f.refused.Load() }

func (f *Front) accept() {
	defer f.ended.Done()
	wait := time.Millisecond
	for {
		nc, err := f.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of file descriptors: it passes
			f.cfg.Log.Warn("outside connection not accepted", zap.Error(err))
			time.Sleep(wait)
			wait = min(2*wait, time.Second)
			continue
		}
		wait = time.Millisecond
		if !f.start(nc) {
			_ = nc.Close()
			f.refuse(Refusal{Reason: "busy", Host: host(nc), Err: errors.New("too many connections are on their way in")})
		}
	}
}

// network is whom a connection counts for: an address, of IPv6 the network that
// one customer has.
func network(a net.Addr) netip.Prefix {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := t.AddrPort().Addr().Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // in range for its family
	return p
}

// host is the address alone of the client.
func host(nc net.Conn) string {
	if t, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap().String()
	}
	return ""
}

// entered ends a connection's being on its way in.
func (f *Front) entered(from netip.Prefix) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all--
	if f.entering[from]--; f.entering[from] == 0 {
		delete(f.entering, from)
	}
}

// start takes charge of a connection; it does not when too many are on their
// way in, or the front is closed.
func (f *Front) start(nc net.Conn) bool {
	from := network(nc.RemoteAddr())
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.all >= maxEntering || f.entering[from] >= perAddress {
		return false
	}
	f.all++
	f.entering[from]++
	ctx, cancel := context.WithTimeout(context.Background(), enterWithin)
	c := &conn{front: f, raw: nc, cancel: cancel}
	f.conns[c] = struct{}{}
	f.ended.Add(1)
	go func() {
		defer f.ended.Done()
		defer f.leave(c)
		err := c.enter(ctx)
		cancel()
		f.entered(from)
		if err == nil {
			c.carry()
		}
	}()
	return true
}

func (f *Front) leave(c *conn) {
	c.close()
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
}

func (f *Front) refuse(r Refusal) {
	f.refused.Add(1)
	if ok, left := f.logged.Take(time.Now()); ok {
		f.cfg.Log.Warn("outside connection refused", zap.String("reason", r.Reason), zap.String("cell", r.Cell), zap.Error(r.Err), zap.Uint64("left_out", left))
	}
	if f.cfg.Told != nil {
		f.cfg.Told(r)
	}
}

// Recheck decides again about every connection that is in, and ends those that
// would not be let in now: after a change of the policy or of the authorities.
func (f *Front) Recheck() {
	for _, c := range f.inside() {
		if err := c.stillHolds(); err != nil {
			f.refuse(c.refusal("certificate", err))
			c.close()
		}
	}
}

func (f *Front) inside() []*conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []*conn
	for c := range f.conns {
		if c.in.Load() {
			out = append(out, c)
		}
	}
	return out
}

// Close ends the listener and every connection. It may be called twice.
func (f *Front) Close() {
	f.mu.Lock()
	f.closed = true
	_ = f.listener.Close()
	for c := range f.conns {
		c.close()
	}
	f.mu.Unlock()
	f.ended.Wait()
}
