package spine_test

import (
	"bytes"
	"net"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/brokertest"
)

// wire is a client's connection that breaks, for good, right before a publish:
// a death at a named point rather than at whatever point a clock finds.
type wire struct {
	net.Conn
	mu      sync.Mutex
	subject []byte // nil: lets everything pass
	left    int    // publishes on the subject until the cut
	tail    []byte // end of the last write, that may hold the start of a subject
	cut     bool
}

// cuttable is le's worker on a wire; it does not come back after the cut.
func (r *rig) cuttable() (*nats.Conn, *wire) {
	r.t.Helper()
	w := &wire{}
	c := brokertest.Credential(r.t, r.broker, "worker", "le")
	nc, err := nats.Connect(c.URL, append(c.Options(), nats.NoReconnect(), nats.SetCustomDialer(w),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))...)
	must(r.t, err)
	r.t.Cleanup(nc.Close)
	return nc, w
}

// Dial makes wire the client's dialer.
func (w *wire) Dial(network, address string) (net.Conn, error) {
	c, err := net.Dial(network, address)
	w.Conn = c
	return w, err
}

// cutAt breaks the wire before the n-th publish from now whose subject starts so.
func (w *wire) cutAt(subject string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subject, w.left, w.tail = []byte(subject), n, nil
}

func (w *wire) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.subject == nil {
		return w.Conn.Write(b)
	}
	seen := append(w.tail, b...)
	for at := 0; ; {
		i := bytes.Index(seen[at:], w.subject)
		if i < 0 {
			break
		}
		if w.left--; w.left == 0 {
			w.cut = true
			_, _ = w.Conn.Write(b[:max(0, at+i-len(w.tail))])
			w.Conn.Close()
			return 0, net.ErrClosed
		}
		at += i + len(w.subject)
	}
	w.tail = bytes.Clone(seen[max(0, len(seen)-len(w.subject)+1):])
	return w.Conn.Write(b)
}
