//go:build linux

package durability_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// deafDialer makes connections whose owner stops reading on command: the window
// fills, and the server cannot write.
type deafDialer struct {
	deaf atomic.Bool
	once sync.Once
	cut  chan struct{} // closed when the server has ended the connection meanwhile
}

func (d *deafDialer) Dial(network, address string) (net.Conn, error) {
	c, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		return nil, err
	}
	return &deafConn{Conn: c, dialer: d, closed: make(chan struct{})}, nil
}

type deafConn struct {
	net.Conn
	dialer *deafDialer
	once   sync.Once
	closed chan struct{}
}

func (c *deafConn) Read(b []byte) (int, error) {
	for c.dialer.deaf.Load() {
		select {
		case <-c.closed:
			return 0, net.ErrClosed
		case <-time.After(10 * time.Millisecond):
		}
	}
	return c.Conn.Read(b)
}

// Write tells when the server has ended the connection: nobody reads it.
func (c *deafConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil && c.dialer.deaf.Load() {
		c.dialer.once.Do(func() { close(c.dialer.cut) })
	}
	return n, err
}

func (c *deafConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// resident is the memory of the broker process, in bytes.
func (p *process) resident(t *testing.T) int64 {
	t.Helper()
	f, err := os.Open("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	must(t, err)
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(rest, "kB")), 10, 64)
			must(t, err)
			return kb << 10
		}
	}
	t.Fatal("the system does not say how much memory the broker has")
	return 0
}

// A reader asks without end and reads no answer. The server ends its connection;
// meanwhile reports are admitted and another reader follows the picture, and the
// broker does not keep the answers.
func TestSlowReaderIsCutOff(t *testing.T) {
	long(t)
	t.Parallel()
	s := newSite(t, nil)
	s.start()
	l := newLoad(s, 10*time.Second)
	l.more(100)
	var frames atomic.Int64
	f, err := snapshot.Follow(t.Context(), s.connect("watch-le"), "le", wf.Status_STATUS_ACTUAL, nil)
	must(t, err)
	defer f.Watch(func(snapshot.Update) { frames.Add(1) })()
	d := deafDialer{cut: make(chan struct{})}
	slow := s.connect("watch-noc", nats.SetCustomDialer(&d), nats.NoReconnect(), nats.PingInterval(time.Hour))
	before := s.up.resident(t)
	l.pause.Store(int64(200 * time.Millisecond)) // of the memory below only the reader's answers are meant
	d.deaf.Store(true)
	asking, cancel := context.WithCancel(t.Context())
	defer cancel()
	go ask(asking, slow)
	var grown int64
	for cut, deadline := false, time.Now().Add(2*time.Minute); !cut; {
		at := frames.Load()
		l.more(20)
		l.wait("the other reader follows", func() bool { return frames.Load() > at })
		grown = max(grown, s.up.resident(t)-before)
		select {
		case <-d.cut:
			cut = true
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not end the connection of a reader that does not read")
		}
	}
	l.more(50)
	l.stop()
	t.Logf("the broker grew by %d MiB at most", grown>>20)
	if grown > 768<<20 { // 128 MiB may wait for one connection; the collector lags behind
		t.Errorf("the broker grew by %d MiB for a reader that does not read", grown>>20)
	}
	l.verify(s.stored())
}

// ask asks for the state of the reader's own feed until the connection ends.
func ask(ctx context.Context, nc *nats.Conn) {
	inbox := nc.NewRespInbox()
	if _, err := nc.SubscribeSync(inbox); err != nil {
		return
	}
	subj := "$JS.API.CONSUMER.INFO." + subject.Reports + "." + subject.FeedConsumer("watch-noc", "all")
	for ctx.Err() == nil && !nc.IsClosed() {
		for range 200 {
			if err := nc.PublishRequest(subj, inbox, nil); err != nil {
				return
			}
		}
		// A connection that the server has ended fails at its next write.
		if err := nc.Publish(subj, nil); err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// One agency floods the guard with what it must refuse, as fast as it can. The
// others' reports are admitted all the while. (That they take turns: broker/admit.)
func TestFloodOfOneAgencyLeavesOthersServed(t *testing.T) {
	long(t)
	t.Parallel()
	s := newSite(t, nil)
	s.start()
	l := newLoad(s, 10*time.Second)
	l.more(100)
	before := s.up.resident(t)
	flooding, cancel := context.WithCancel(t.Context())
	var sent atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		nc := s.connect("biloxi-pd")
		wg.Go(func() {
			inbox := nc.NewRespInbox()
			for i := 0; flooding.Err() == nil; i++ {
				if err := nc.PublishRequest("submit.actual.sar.ms.28049.biloxi-pd", inbox, fmt.Append(nil, "no report ", i)); err != nil {
					return
				}
				sent.Add(1)
			}
		})
	}
	l.wait("the flood has begun", func() bool { return sent.Load() > 20_000 })
	at, began := l.perAgency(), sent.Load()
	l.wait("every other agency is served", func() bool {
		now := l.perAgency()
		for _, agency := range senders {
			if now[agency] < at[agency]+3*window {
				return false
			}
		}
		return sent.Load() > began+20_000
	})
	grown := s.up.resident(t) - before
	cancel()
	wg.Wait()
	l.more(100)
	l.stop()
	t.Logf("%d submissions of the flood, the broker grew by %d MiB", sent.Load(), grown>>20)
	if grown > 1<<30 {
		t.Errorf("the broker grew by %d MiB under the flood of one agency", grown>>20)
	}
	l.verify(s.stored())
}

func (l *load) perAgency() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]int{}
	for agency, list := range l.acked {
		out[agency] = len(list)
	}
	return out
}
