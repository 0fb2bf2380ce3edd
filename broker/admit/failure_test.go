package admit

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// Two guards on one cell: the fence lets one commit, the other reloads.
func TestTwoGuards(t *testing.T) {
	b := newBed(t, -1)
	g1, g2 := b.start(nil), b.start(nil)
	l := newLoad(b, 60)
	l.run(2 * time.Second)
	l.stop()
	l.verify()
	for i, g := range []*run{g1, g2} {
		m := g.Metrics()
		t.Logf("guard %d: %d admitted, %d commits, fence lost %d times, %d retries", i+1, m.Admitted.Load(), m.Commits.Load(), m.FenceLost.Load(), m.Retry.Load())
		if m.Admitted.Load()+m.Duplicate.Load() == 0 {
			t.Errorf("guard %d admitted nothing", i+1)
		}
	}
	if g1.Metrics().FenceLost.Load()+g2.Metrics().FenceLost.Load() == 0 {
		t.Error("the fence was never needed: the test shows nothing")
	}
}

// A guard is killed after the commit and before the answer. The sender sends
// again, another guard gives it the first acknowledgement.
func TestKilledBetweenCommitAndAnswer(t *testing.T) {
	for _, n := range []int{1, 30} {
		t.Run(fmt.Sprintf("%d reports", n), func(t *testing.T) {
			b := newBed(t, -1)
			g := b.start(func(g *Guard) { g.fault.committed = func() bool { return false } })
			subjects, payloads := make([]string, n), make([][]byte, n)
			for i := range n {
				r := newReport()
				subjects[i], payloads[i] = subject.Submit(r), marshal(t, r)
				if err := b.nc.PublishRequest(subjects[i], b.nc.NewInbox(), payloads[i]); err != nil {
					t.Fatal(err)
				}
			}
			if err := g.wait(); !errors.Is(err, errKilled) {
				t.Fatalf("guard ended with %v", err)
			}
			before := len(b.reports())
			if before == 0 {
				t.Fatal("nothing was committed: the test shows nothing")
			}
			b.start(nil)
			seen := map[uint64]bool{}
			for i := range n {
				a := b.submitBytes(subjects[i], payloads[i])
				if a.Error != nil || seen[a.Sequence] {
					t.Fatalf("report %d again: %+v", i, a)
				}
				if i < before && !a.Duplicate {
					t.Errorf("report %d was stored, but is answered as new", i)
				}
				seen[a.Sequence] = true
			}
			if got := len(b.reports()); got != n {
				t.Errorf("stored %d, want %d", got, n)
			}
		})
	}
}

// A commit is stored, but its acknowledgement never comes.
func TestUnknownOutcome(t *testing.T) {
	b := newBed(t, -1)
	cfg := b.config()
	cfg.CommitTimeout = 300 * time.Millisecond
	var deaf atomic.Bool
	g := b.startWith(cfg, func(g *Guard) { g.fault.deaf = deaf.Load })
	b.submit(newReport())
	deaf.Store(true)
	r := newReport()
	a := b.submit(r)
	if a.Error != nil || a.Sequence != 2 {
		t.Fatalf("answer %+v, want the sequence it was stored at", a)
	}
	deaf.Store(false)
	if a := b.submit(newReport()); a.Sequence != 3 {
		t.Errorf("afterwards: %+v", a)
	}
	if g.Metrics().Unknown.Load() != 1 {
		t.Errorf("%d unknown outcomes, want 1", g.Metrics().Unknown.Load())
	}
	if n := len(b.reports()); n != 3 {
		t.Errorf("stored %d, want 3", n)
	}
}

// A full store is answered as such, loses nothing, and recovers.
func TestStorageFull(t *testing.T) {
	b := newBed(t, 64<<10)
	b.start(nil)
	var last admission.Answer
	for range 400 {
		if last = b.submit(newReport()); last.Error != nil {
			break
		}
	}
	wantRefused(t, last, admission.StorageFull)
	r := newReport()
	wantRefused(t, b.submit(r), admission.StorageFull)
	// Many at once go out as one batch.
	l := newLoad(b, 40)
	l.run(300 * time.Millisecond)
	stored := len(b.reports())
	cfg := jetstream.StreamConfig{
		Name: subject.Reports, Subjects: subject.ReportSubjects, AllowAtomicPublish: true, Discard: jetstream.DiscardNew, MaxBytes: 64 << 20,
	}
	if _, err := b.js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if a := b.submit(r); a.Error != nil {
		t.Errorf("with room again: %+v", a)
	}
	l.run(200 * time.Millisecond)
	l.stop()
	l.verify()
	if now := len(b.reports()); now <= stored {
		t.Errorf("stored %d before and %d after there was room", stored, now)
	}
}

// Another writer, such as the retention worker, moves the end of the stream.
func TestAnotherWriter(t *testing.T) {
	b := newBed(t, -1)
	g := b.start(nil)
	r := newReport()
	b.submit(r)
	first := b.reports()[0]
	rec := first.rec
	rec.Event = admission.Expired
	m := nats.NewMsg(first.subject)
	m.Header.Set(admission.Header, rec.Encode())
	if _, err := b.js.PublishMsg(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if a := b.submit(newReport()); a.Error != nil || a.Sequence != 3 {
		t.Fatalf("after another writer: %+v", a)
	}
	if a := b.submit(r); !a.Duplicate || a.Sequence != 1 {
		t.Errorf("the expired report again: %+v, want its first acknowledgement", a)
	}
	if g.Metrics().FenceLost.Load() != 1 {
		t.Errorf("fence lost %d times, want 1", g.Metrics().FenceLost.Load())
	}
}

// The stream was restored to an earlier state under a running guard: what it
// indexed is no longer there, so the index is built anew.
func TestStreamRolledBack(t *testing.T) {
	b := newBed(t, -1)
	b.start(nil)
	r := newReport()
	for range 5 {
		b.submit(newReport())
	}
	b.submit(r)
	if err := b.js.DeleteStream(t.Context(), subject.Reports); err != nil {
		t.Fatal(err)
	}
	b.connect(-1)
	if a := b.submit(newReport()); a.Error != nil || a.Sequence != 1 {
		t.Fatalf("the first report of the stream: %+v", a)
	}
	if a := b.submit(r); a.Error != nil || a.Duplicate || a.Sequence != 2 {
		t.Fatalf("a lost report again: %+v, want it admitted anew", a)
	}
}

// The server restarts under load: the guard and its senders go on.
func TestServerRestart(t *testing.T) {
	dir := t.TempDir()
	b := &bed{t: t, srv: startServer(t, dir, -1)}
	b.connect(-1)
	port := b.srv.Addr().String()
	b.start(nil)
	l := newLoad(b, 40)
	l.run(500 * time.Millisecond)
	b.srv.Shutdown()
	b.srv.WaitForShutdown()
	var n int
	if _, err := fmt.Sscanf(port, "127.0.0.1:%d", &n); err != nil {
		t.Fatal(err)
	}
	b.srv = startServer(t, dir, n)
	at := l.count()
	eventually(t, "reports are acknowledged after the restart", func() bool { return l.count() > at+50 })
	l.stop()
	eventually(t, "the test is connected again", b.nc.IsConnected)
	l.verify()
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// While the disk stands still one agency sends all that may wait and more: it
// is turned away, and another agency is not.
func TestFloodOfOneAgencyLeavesRoomForOthers(t *testing.T) {
	b := newBed(t, -1)
	cfg := b.config()
	cfg.MaxWaiting, cfg.CommitTimeout, cfg.Log = 8, time.Second, zap.NewNop()
	var stands, waits atomic.Bool
	stands.Store(true)
	g := b.startWith(cfg, func(g *Guard) {
		g.fault.deaf = func() bool { waits.Store(true); return stands.Load() }
	})
	for i := range 20 {
		if i == 1 {
			eventually(t, "a commit waits for the disk", waits.Load)
		}
		r := newReport()
		if err := b.nc.PublishRequest(subject.Submit(r), b.nc.NewInbox(), marshal(t, r)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the flood is turned away", func() bool { return g.Metrics().Pushback.Load()+g.Metrics().Dropped.Load() > 0 })
	other, err := nats.Connect(b.url, nats.CustomInboxPrefix(subject.InboxPrefix("fbi", "test")))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	r := newReport()
	r.Agency = "fbi"
	time.AfterFunc(100*time.Millisecond, func() { stands.Store(false) })
	m, err := other.Request(subject.Submit(r), marshal(t, r), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := admission.ParseAnswer(m.Data); err != nil || a.Error != nil {
		t.Errorf("fbi: got %s, %v; want an acknowledgement", m.Data, err)
	}
}

// A guard that is stopped while its store does not answer gives up what waits
// after one failed commit, not one commit after the other.
func TestStopWithADeafStore(t *testing.T) {
	b := newBed(t, -1)
	cfg := b.config()
	cfg.CommitTimeout, cfg.MaxBatch = time.Second, 10
	var deaf atomic.Bool
	g := b.startWith(cfg, func(g *Guard) { g.fault.deaf = deaf.Load })
	deaf.Store(true)
	inbox := b.nc.NewInbox()
	answers, err := b.nc.SubscribeSync(inbox)
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		r := newReport()
		if err := b.nc.PublishRequest(subject.Submit(r), inbox, marshal(t, r)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "a commit fails", func() bool { return g.Metrics().Unknown.Load() > 0 })
	began := time.Now()
	if err := g.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %s with 200 submissions waiting for 20 commits", took)
	}
	for i := range 200 {
		if _, err := answers.NextMsg(2 * time.Second); err != nil {
			t.Fatalf("submission %d has no answer: %v", i, err)
		}
	}
}
