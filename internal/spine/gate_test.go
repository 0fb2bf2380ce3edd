package spine_test

import (
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/brokertest"
)

// gate stands between a client and the broker: a slow or broken way, on which
// the broker itself stays up.
type gate struct {
	l      net.Listener
	target string
	stall  atomic.Bool // nothing passes, in either direction
	deaf   atomic.Bool // what the broker says is lost

	mu    sync.Mutex
	conns []net.Conn
}

func newGate(t *testing.T, target string) *gate {
	t.Helper()
	u, err := url.Parse(target)
	must(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	g := &gate{l: l, target: u.Host}
	t.Cleanup(func() { l.Close(); g.cut() })
	go g.serve()
	return g
}

func (g *gate) serve() {
	for {
		c, err := g.l.Accept()
		if err != nil {
			return
		}
		s, err := net.Dial("tcp", g.target)
		if err != nil {
			c.Close()
			continue
		}
		g.mu.Lock()
		g.conns = append(g.conns, c, s)
		g.mu.Unlock()
		go g.carry(s, c, nil)
		go g.carry(c, s, &g.deaf)
	}
}

func (g *gate) carry(to, from net.Conn, lost *atomic.Bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		for g.stall.Load() {
			time.Sleep(time.Millisecond)
		}
		if lost != nil && lost.Load() {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// cut breaks every connection.
func (g *gate) cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.conns {
		c.Close()
	}
	g.conns = nil
}

// through is le's worker, signed in by way of the gate.
func (r *rig) through(g *gate) *nats.Conn {
	r.t.Helper()
	c := brokertest.Credential(r.t, r.broker, "worker", "le")
	nc, err := nats.Connect("nats://"+g.l.Addr().String(), append(c.Options(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))...)
	must(r.t, err)
	r.t.Cleanup(nc.Close)
	return nc
}
