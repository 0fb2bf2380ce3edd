package spine_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	scenario "github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// measured reads a worker's metrics by name.
func measured(t *testing.T, m *worker.Metrics) func(name string) float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	must(t, reg.Register(m))
	return func(name string) float64 {
		families, err := reg.Gather()
		must(t, err)
		for _, f := range families {
			if f.GetName() == name {
				x := f.GetMetric()[0]
				return x.GetGauge().GetValue() + x.GetCounter().GetValue()
			}
		}
		t.Fatalf("there is no metric %s", name)
		return 0
	}
}

// sitting puts a worker into the second seat and tells what it measures.
func sitting(m *worker.Metrics) func(*worker.Config) {
	return func(c *worker.Config) { c.Seat, c.Metrics = 2, m }
}

// told records the revisions that a watcher of a follower is told, and fails
// when one is missing or comes twice.
type told struct {
	last   atomic.Uint64
	resets atomic.Int32
	wrong  atomic.Int32
}

func (x *told) watch(u snapshot.Update) {
	before := x.last.Swap(u.Picture.Revision())
	switch {
	case u.Reset:
		x.resets.Add(1)
	case u.Picture.Revision() != before+1:
		x.wrong.Add(1)
	}
}

// A worker that dies takes nothing with it: the one that stood by goes on with
// the next revision, at once, and a follower is told every revision once.
func TestStandbyTakesOver(t *testing.T) {
	r := newRig(t)
	g, f := r.guard(), r.follow()
	var seen told
	defer f.Watch(seen.watch)()
	var first *nats.Conn
	r.start(func(c *worker.Config) { first = c.Home })
	for i := range 30 {
		r.post(g, report(i, 1, "before"))
	}
	until(t, f, "30 situations", situations(30))
	m := worker.NewMetrics("le", exercise)
	r.start(sitting(m))
	read := measured(t, m)
	for i := range 30 {
		r.post(g, report(30+i, 1, "followed"))
	}
	until(t, f, "60 situations", situations(60))
	if read("watchfloor_worker_leads") != 0 {
		t.Fatal("the standby publishes beside the first worker")
	}
	first.Close()
	killed := time.Now()
	for i := range 30 {
		r.post(g, report(60+i, 1, "after"))
	}
	until(t, f, "90 situations", situations(90))
	t.Logf("taken over after %s", time.Since(killed).Round(time.Millisecond))
	if n := read("watchfloor_worker_takeovers_total"); n != 1 {
		t.Errorf("%v takeovers, want 1", n)
	}
	if n := read("watchfloor_worker_replica_mismatches_total"); n != 0 {
		t.Errorf("the standby found %v other pictures", n)
	}
	if seen.wrong.Load() > 0 || seen.resets.Load() != 1 {
		t.Errorf("%d revisions out of order, %d resets", seen.wrong.Load(), seen.resets.Load())
	}
	if got := r.load(r.reader()); got.Len() != 90 || got.Digest() != digestOf(f) {
		t.Errorf("a late joiner sees %d situations", got.Len())
	}
}

// A recovery reads more than the server delivers ahead of acknowledgements.
func TestRecoveryAcknowledgesOnItsWay(t *testing.T) {
	r := newRig(t, brokertest.Root())
	g, f := r.guard(), r.follow()
	stop := r.start()
	for i := range 300 {
		r.post(g, report(i, 1, "report"))
	}
	until(t, f, "300 situations", situations(300))
	must(t, stop())
	js, err := jetstream.New(brokertest.Dial(t, brokertest.AsRoot(t, r.broker, "le")))
	must(t, err)
	c, err := js.Consumer(t.Context(), subject.Reports, subject.WorkerConsumer("le", exercise, subject.Open))
	must(t, err)
	conf := c.CachedInfo().Config
	conf.MaxAckPending = 40
	_, err = js.UpdateConsumer(t.Context(), subject.Reports, conf)
	must(t, err)
	r.start()
	if got := r.load(r.reader()); got.Len() != 300 {
		t.Errorf("%d situations after the recovery", got.Len())
	}
}

// Two workers in one seat would take each other's reports: the later one waits.
func TestSeatIsTakenOnce(t *testing.T) {
	r := newRig(t)
	g, f := r.guard(), r.follow()
	m := worker.NewMetrics("le", exercise)
	stop := r.start()
	second := make(chan struct{})
	nc := r.worker()
	go func() {
		defer close(second)
		_ = worker.Run(t.Context(), worker.Config{Cell: "le", Status: exercise, Home: nc, Sources: []worker.Source{{Cell: "le", Conn: nc}},
			Clock: worker.Input, NewEngine: newTally, Metrics: m})
	}()
	t.Cleanup(func() { <-second })
	for i := range 30 {
		r.post(g, report(i, 1, "report"))
		time.Sleep(10 * time.Millisecond)
	}
	until(t, f, "30 situations", situations(30))
	read := measured(t, m)
	if read("watchfloor_worker_leads") != 0 || read("watchfloor_worker_restarts_total") != 0 {
		t.Error("the second worker did not wait for the seat")
	}
	must(t, stop())
	r.post(g, report(30, 1, "report"))
	until(t, f, "31 situations", situations(31))
	if read("watchfloor_worker_leads") != 1 {
		t.Error("the second worker has not taken the seat")
	}
}

// A worker that was only held up finds itself fenced: it stores nothing and
// stands by for the one that took over.
func TestWorkerThatWasHeldUpStoresNothing(t *testing.T) {
	r := newRig(t)
	g, f := r.guard(), r.follow()
	var hold sync.Mutex
	m1, m2 := worker.NewMetrics("le", exercise), worker.NewMetrics("le", exercise)
	var first *nats.Conn
	r.start(func(c *worker.Config) {
		first, c.Metrics = c.Home, m1
		c.NewEngine = func() worker.Engine { return held{newTally(), &hold} }
	})
	r.start(sitting(m2))
	r.post(g, report(1, 1, "before"))
	until(t, f, "one situation", situations(1))
	hold.Lock() // its engine hangs, and its connection is cut and comes back
	r.post(g, report(2, 1, "held up"))
	must(t, first.ForceReconnect())
	read1, read2 := measured(t, m1), measured(t, m2)
	w, _, err := snapshot.OpenWriter(t.Context(), r.worker(), "le", exercise, "usurper")
	must(t, err)
	var p pen
	p.have = map[string]*wf.Situation{}
	f.Read(func(x *snapshot.Picture) {
		for _, s := range x.Situations() {
			p.have[s.GetId()] = s
		}
	})
	must(t, w.Commit(t.Context(), p.sign(&wf.Frame{})))
	hold.Unlock()
	until(t, f, "both, by one of the two", situations(2))
	wait := time.Now().Add(10 * time.Second)
	for read1("watchfloor_worker_fenced_total") == 0 && time.Now().Before(wait) {
		time.Sleep(10 * time.Millisecond)
	}
	if read1("watchfloor_worker_fenced_total") == 0 {
		t.Error("the first worker was not fenced")
	}
	r.post(g, report(3, 1, "after"))
	until(t, f, "three situations", situations(3))
	if read1("watchfloor_worker_leads")+read2("watchfloor_worker_leads") != 1 {
		t.Errorf("%v and %v publish", read1("watchfloor_worker_leads"), read2("watchfloor_worker_leads"))
	}
}

// held is an engine that can be held up.
type held struct {
	worker.Engine
	hold *sync.Mutex
}

func (h held) Apply(in fusion.Input) {
	h.hold.Lock()
	defer h.hold.Unlock()
	h.Engine.Apply(in)
}

// deaf is an engine that does not take one report in so many.
type deaf struct {
	worker.Engine
	every int
	n     *int
}

func (d deaf) Apply(in fusion.Input) {
	if *d.n++; d.every > 0 && *d.n%d.every == 0 {
		return
	}
	d.Engine.Apply(in)
}

// Replicas agree: beside every frame of the publisher the standby's own picture
// has the same digest, with the real engine, revisions and withdrawals. One
// that does not is found out, and taking over it publishes what differs.
func TestReplicasAgree(t *testing.T) {
	for _, c := range []struct {
		name  string
		every int
	}{{"equal", 0}, {"one report missed", 97}} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			g, f := r.guard(), r.follow()
			var mu sync.Mutex
			frames := 0
			defer f.Watch(func(u snapshot.Update) {
				mu.Lock()
				defer mu.Unlock()
				if u.Frame != nil && len(u.Frame.GetChanges()) > 0 {
					frames++
				}
			})()
			engine := func() worker.Engine {
				return fusion.New(fusion.Config{Status: exercise, Windows: policy.Default().Windows()})
			}
			stop := r.start(func(c *worker.Config) { c.NewEngine, c.MaxReports = engine, 13 })
			m := worker.NewMetrics("le", exercise)
			n := 0
			r.start(sitting(m), func(w *worker.Config) {
				w.NewEngine = func() worker.Engine { return deaf{engine(), c.every, &n} }
			})
			sc, err := scenario.New(scenario.Config{Seed: 3, Reports: 900})
			must(t, err)
			posted, taken := 0, 0
			for step := range sc.Steps() {
				if step.Cell != "le" || posted >= 250 {
					continue
				}
				r.post(g, step.Report)
				if posted++; posted%9 == 0 {
					x := proto.CloneOf(step.Report)
					x.Revision, x.State = x.GetRevision()+1, wf.ReportState_REPORT_STATE_WITHDRAWN
					r.post(g, x)
					taken++
				}
			}
			end := uint64(posted + taken)
			until(t, f, "all read", func(p *snapshot.Picture) bool {
				return len(p.Checkpoint()) == 2 && max(p.Checkpoint()[0].GetSequence(), p.Checkpoint()[1].GetSequence()) == end
			})
			want := digestOf(f)
			must(t, stop())
			var epoch string
			f.Read(func(p *snapshot.Picture) { epoch = p.Epoch() })
			until(t, f, "the standby's own frame", func(p *snapshot.Picture) bool { return p.Epoch() != epoch })
			read := measured(t, m)
			mismatches := read("watchfloor_worker_replica_mismatches_total")
			mu.Lock()
			defer mu.Unlock()
			t.Logf("%d reports, %d frames, %v mismatches", posted, frames, mismatches)
			if frames < 10 {
				t.Fatalf("only %d frames: this test shows nothing", frames)
			}
			if c.every == 0 {
				if mismatches != 0 || digestOf(f) != want {
					t.Errorf("%v mismatches: replicas do not agree", mismatches)
				}
				return
			}
			if mismatches == 0 {
				t.Error("a replica that missed reports was not found out")
			}
			until(t, f, "the difference", func(p *snapshot.Picture) bool { return p.Digest() != want })
			if got := r.load(r.reader()); got.Digest() != digestOf(f) {
				t.Error("a late joiner sees another picture")
			}
		})
	}
}
