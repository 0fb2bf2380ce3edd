package spine_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const exercise = wf.Status_STATUS_EXERCISE

// rig is a broker without guards, in which a test plays guard, worker and
// reader of cell le with exactly their credentials.
type rig struct {
	t      testing.TB
	dir    string
	port   int
	opts   []brokertest.Option
	broker *broker.Broker
}

func newRig(t *testing.T, opts ...brokertest.Option) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), port: -1, opts: opts}
	r.open()
	u, err := url.Parse(r.broker.ClientURL())
	must(t, err)
	r.port, err = strconv.Atoi(u.Port())
	must(t, err)
	return r
}

// open starts the broker, on the same port as before.
func (r *rig) open() {
	r.t.Helper()
	r.broker = brokertest.Start(r.t, append(r.opts, brokertest.Dir(r.dir), brokertest.WithoutGuards(), brokertest.With(func(c *broker.Config) { c.Port = r.port }))...)
}

func (r *rig) worker() *nats.Conn { return brokertest.Connect(r.t, r.broker, "worker", "le") }
func (r *rig) reader() *nats.Conn { return brokertest.Connect(r.t, r.broker, "watch-le", "le") }
func (r *rig) guard() *nats.Conn  { return brokertest.Connect(r.t, r.broker, "guard", "le") }

// follow is a reader's follower.
func (r *rig) follow() *snapshot.Follower {
	r.t.Helper()
	f, err := snapshot.Follow(r.t.Context(), r.reader(), "le", exercise, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return f
}

// load reads the picture as a late joiner does.
func (r *rig) load(nc *nats.Conn) *snapshot.Picture {
	r.t.Helper()
	p, err := snapshot.Load(r.t.Context(), nc, "le", exercise)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *rig) writer(nc *nats.Conn, epoch string) *snapshot.Writer {
	r.t.Helper()
	w, _, err := snapshot.OpenWriter(r.t.Context(), nc, "le", exercise, epoch)
	if err != nil {
		r.t.Fatal(err)
	}
	return w
}

// start runs a worker until the test ends or stop is called, and waits until
// it has recovered. The channel gives its end.
func (r *rig) start(opts ...func(*worker.Config)) (stop func() error) {
	r.t.Helper()
	nc := r.worker()
	ready := make(chan struct{}, 100)
	c := worker.Config{
		Cell: "le", Status: exercise, Home: nc, Sources: []worker.Source{{Cell: "le", Conn: nc}}, Clock: worker.Input,
		NewEngine: newTally, Ready: func(bool) { ready <- struct{}{} }, Log: zap.NewNop(),
	}
	for _, o := range opts {
		o(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx, c) }()
	stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(10 * time.Second):
			return fmt.Errorf("worker does not stop")
		}
	})
	r.t.Cleanup(func() { _ = stop() })
	select {
	case <-ready:
	case err := <-done:
		r.t.Fatalf("worker ended: %v", err)
	case <-time.After(20 * time.Second):
		r.t.Fatal("worker does not recover")
	}
	return stop
}

// report is a report of le whose title is its content.
func report(i int, revision uint64, title string) *wf.Report {
	return &wf.Report{
		Id: uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i)).String(), Revision: revision, State: wf.ReportState_REPORT_STATE_ACTIVE, Agency: "fbi",
		Kind: wf.Kind_KIND_SAR, Status: exercise, Title: title, ReportTime: timestamppb.New(time.Unix(1700000000+int64(i), 0)),
	}
}

// post stores a report as the guard does.
func (r *rig) post(nc *nats.Conn, x *wf.Report) {
	r.t.Helper()
	data, err := proto.Marshal(x)
	if err != nil {
		r.t.Fatal(err)
	}
	withdrawn := x.GetState() == wf.ReportState_REPORT_STATE_WITHDRAWN
	r.store(nc, stored(x).String(), data, admission.Record{Event: admission.Admitted, ID: x.GetId(), Revision: x.GetRevision(), Withdrawn: withdrawn})
}

func stored(x *wf.Report) subject.Stored {
	return subject.Stored{Submission: subject.SubmissionOf(x, "ms", "28049"), Sides: "le", Level: "cui", Cell: "le"}
}

// store puts any record into REPORTS.
func (r *rig) store(nc *nats.Conn, subj string, data []byte, rec admission.Record) {
	r.t.Helper()
	rec.Received, rec.Rule = time.Unix(1700000000, 0), "fbi@test"
	to, err := subject.ParseStored(subj)
	must(r.t, err)
	m := &nats.Msg{Subject: r.broker.Inlet(to.Cell, subject.Reports).Of(subj), Data: data, Header: nats.Header{admission.Header: {rec.Encode()}}}
	resp, err := nc.RequestMsg(m, 5*time.Second)
	if err != nil {
		r.t.Fatal(err)
	}
	if a, err := admission.ParseAnswer(resp.Data); err != nil || a.Error != nil {
		r.t.Fatalf("store: %s", resp.Data)
	}
}

// until waits for a condition on the followed picture.
func until(t *testing.T, f *snapshot.Follower, what string, cond func(*snapshot.Picture) bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		ok := false
		f.Read(func(p *snapshot.Picture) { ok = cond(p) })
		if ok {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	f.Read(func(p *snapshot.Picture) {
		t.Fatalf("never: %s (revision %d, %d situations, %d set aside)", what, p.Revision(), p.Len(), p.SetAside())
	})
}

func situations(n int) func(*snapshot.Picture) bool {
	return func(p *snapshot.Picture) bool { return p.Len() == n }
}

func digestOf(f *snapshot.Follower) (d [32]byte) {
	f.Read(func(p *snapshot.Picture) { d = p.Digest() })
	return d
}

// tally is an engine of which a test knows every answer: one situation per
// report, its title the headline. Titles can make it panic.
type tally struct {
	live    map[string]*wf.Situation
	changed map[string]bool
	version string
}

func newTally() worker.Engine { return tallyVersion("")() }

func tallyVersion(v string) func() worker.Engine {
	return func() worker.Engine {
		return &tally{live: map[string]*wf.Situation{}, changed: map[string]bool{}, version: v}
	}
}

func tallyID(report string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(report)))[:32] }

func (e *tally) Apply(in fusion.Input) {
	id := tallyID(in.Report.GetId())
	e.changed[id] = true
	switch in.Report.GetTitle() {
	case "panic at once":
		panic("applied")
	}
	if in.Report.GetState() == wf.ReportState_REPORT_STATE_WITHDRAWN {
		delete(e.live, id)
		return
	}
	e.live[id] = &wf.Situation{Id: id, Headline: in.Report.GetTitle() + e.version}
}

func (e *tally) Remove(_, _, id string) {
	delete(e.live, tallyID(id))
	e.changed[tallyID(id)] = true
}

func (e *tally) Leave(cell, agency, id string, _ uint64) { e.Remove(cell, agency, id) }

func (e *tally) Tick(time.Time) {}

func (e *tally) Commit() (d fusion.Delta) {
	for id := range e.changed {
		s := e.live[id]
		if s == nil {
			d.Changes = append(d.Changes, &wf.Change{Change: &wf.Change_Removed{Removed: id}})
			continue
		}
		if s.GetHeadline() == "panic later" {
			panic("committed")
		}
		d.Changes = append(d.Changes, &wf.Change{Change: &wf.Change_Upsert{Upsert: s}})
	}
	clear(e.changed)
	return d
}

func (e *tally) Digest() [32]byte { return fusion.DigestOf(e.Situations()) }

func (e *tally) Len() (situations, reports int) { return len(e.live), len(e.live) }

func (e *tally) Situations() []*wf.Situation { return slices.Collect(e.All()) }

func (e *tally) All() iter.Seq[*wf.Situation] { return maps.Values(e.live) }
