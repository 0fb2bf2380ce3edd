package admit

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// load is senders that do what the contract asks: send the same bytes until
// they are acknowledged or refused.
type load struct {
	b    *bed
	quit chan struct{}
	wg   sync.WaitGroup
	sent atomic.Uint64

	mu    sync.Mutex
	acked map[string]uint64 // report id: sequence
}

func newLoad(b *bed, senders int) *load {
	l := &load{b: b, quit: make(chan struct{}), acked: map[string]uint64{}}
	for range senders {
		nc, err := nats.Connect(b.url, nats.CustomInboxPrefix(subject.InboxPrefix(agency, "load")), nats.MaxReconnects(-1),
			nats.ReconnectWait(20*time.Millisecond))
		if err != nil {
			b.t.Fatal(err)
		}
		l.wg.Go(func() {
			defer nc.Close()
			l.send(nc)
		})
	}
	return l
}

func (l *load) send(nc *nats.Conn) {
	for {
		r := newReport()
		data, subj := marshal(l.b.t, r), subject.Submit(r)
		for !l.once(nc, r.Id, subj, data) {
			select {
			case <-l.quit:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
		select {
		case <-l.quit:
			return
		default:
		}
	}
}

// once is one attempt; true when it is acknowledged.
func (l *load) once(nc *nats.Conn, id, subj string, data []byte) bool {
	l.sent.Add(1)
	m, err := nc.Request(subj, data, time.Second)
	if err != nil {
		return false
	}
	a, err := admission.ParseAnswer(m.Data)
	if err != nil || a.Error != nil {
		if err == nil && a.Error.Code < 500 {
			l.b.t.Errorf("refused: %s", a.Error.Description)
			return true
		}
		return false
	}
	l.mu.Lock()
	l.acked[id] = a.Sequence
	l.mu.Unlock()
	return true
}

// run lets the load run for d.
func (l *load) run(d time.Duration) { time.Sleep(d) }

func (l *load) stop() {
	close(l.quit)
	l.wg.Wait()
}

// verify holds the acknowledgements against the stream: nothing lost, nothing twice.
func (l *load) verify() {
	t := l.b.t
	t.Helper()
	at := map[string]uint64{}
	for _, m := range l.b.reports() {
		if _, twice := at[m.rec.ID]; twice {
			t.Errorf("report %s is stored twice", m.rec.ID)
		}
		at[m.rec.ID] = m.seq
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, seq := range l.acked {
		if at[id] != seq {
			t.Errorf("report %s: acknowledged at %d, stored at %d", id, seq, at[id])
		}
	}
	if len(l.acked) == 0 {
		t.Error("nothing was acknowledged")
	}
	t.Logf("%d attempts, %d acknowledged, %d stored", l.sent.Load(), len(l.acked), len(at))
}
