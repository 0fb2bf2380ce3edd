package spine_test

import (
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// judged is an engine that remembers the digest of every picture it committed.
type judged struct {
	worker.Engine
	digests chan [32]byte
}

func (j judged) Commit() fusion.Delta {
	d := j.Engine.Commit()
	j.digests <- j.Engine.Digest()
	return d
}

// After every frame the reader's digest is the engine's of the same commit.
func TestReaderHoldsWhatTheEngineHeld(t *testing.T) {
	r := newRig(t)
	digests := make(chan [32]byte, 10000)
	r.start(func(c *worker.Config) {
		c.NewEngine = func() worker.Engine { return judged{newTally(), digests} }
		c.MaxReports = 7
	})
	<-digests // of the recovery, which commits no frame
	f, g := r.follow(), r.guard()
	var frames, wrong atomic.Int32
	f.Watch(func(u snapshot.Update) {
		if u.Frame != nil {
			frames.Add(1)
			if u.Picture.Digest() != <-digests {
				wrong.Add(1)
			}
		}
	})
	for i := range 120 {
		r.post(g, report(i%40, uint64(i+1), fmt.Sprint("title ", i)))
		if i%10 == 9 {
			x := report(i%40, uint64(i+2), "")
			x.State = wf.ReportState_REPORT_STATE_WITHDRAWN
			r.post(g, x)
		}
	}
	until(t, f, "all read", func(p *snapshot.Picture) bool {
		return len(p.Checkpoint()) == 2 && p.Checkpoint()[0].GetChannel() == string(subject.Open) && p.Checkpoint()[0].GetSequence() == 132
	})
	if frames.Load() < 2 || wrong.Load() > 0 {
		t.Errorf("%d of %d frames are not what the engine held", wrong.Load(), frames.Load())
	}
}

// A restart, clean or not, shows the same picture, and a late joiner sees it too.
func TestRestartKeepsTheDigest(t *testing.T) {
	r := newRig(t)
	g := r.guard()
	f := r.follow()
	stop := r.start()
	for i := range 50 {
		r.post(g, report(i, 1, "first"))
	}
	until(t, f, "50 situations", situations(50))
	want := digestOf(f)
	for range 3 {
		must(t, stop())
		stop = r.start()
		if got := r.load(r.reader()).Digest(); got != want {
			t.Fatal("digest after the restart differs")
		}
	}
	must(t, stop())
	for i := range 10 {
		r.post(g, report(i, 2, "second"))
	}
	r.start()
	until(t, f, "what came while nobody worked", func(p *snapshot.Picture) bool {
		s, _ := p.Situation(tallyID(report(9, 0, "").GetId()))
		return p.Len() == 50 && s.GetHeadline() == "second"
	})
}

// Reports that cannot be read, contradict their record or break the engine are
// set aside and counted; the rest goes on, also after a restart.
func TestBadReportsAreSetAside(t *testing.T) {
	r := newRig(t)
	g, f := r.guard(), r.follow()
	m := worker.NewMetrics("le", exercise)
	stop := r.start(func(c *worker.Config) { c.Metrics = m })
	r.post(g, report(1, 1, "good"))
	x := report(2, 1, "bad")
	r.store(g, stored(x).String(), []byte("\xff\xff not a report"), admission.Record{Event: admission.Admitted, ID: x.GetId(), Revision: 1})
	r.store(g, stored(x).String(), nil, admission.Record{Event: admission.Admitted, ID: x.GetId(), Revision: 9})
	r.post(g, report(3, 1, "panic at once"))
	r.post(g, report(4, 1, "good"))
	r.post(g, report(5, 1, "panic later"))
	r.post(g, report(6, 1, "good"))
	good := func(p *snapshot.Picture) bool { return p.Len() == 3 && p.SetAside() == 4 }
	until(t, f, "the good ones, four set aside", good)
	reg := prometheus.NewRegistry()
	must(t, reg.Register(m))
	families, err := reg.Gather()
	must(t, err)
	why := map[string]float64{}
	for _, f := range families {
		if f.GetName() == "watchfloor_worker_set_aside_records" {
			for _, x := range f.GetMetric() {
				for _, l := range x.GetLabel() {
					if l.GetName() == "why" {
						why[l.GetValue()] = x.GetGauge().GetValue()
					}
				}
			}
		}
	}
	if want := map[string]float64{"not-a-report": 1, "contradicts-itself": 1, "breaks-the-engine": 2}; !maps.Equal(why, want) {
		t.Errorf("set aside %v, want %v", why, want)
	}
	must(t, stop())
	r.start()
	until(t, f, "the same after a restart", good)
	r.post(g, report(5, 2, "mended"))
	until(t, f, "the mended one", func(p *snapshot.Picture) bool { return p.Len() == 4 && p.SetAside() == 4 })
}

// A revision that moved to another subject replaces the old one; one that
// moved to where this cell may not read takes the old one away.
func TestMovedReports(t *testing.T) {
	r := newRig(t)
	g, f := r.guard(), r.follow()
	stop := r.start()
	for i := range 3 {
		r.post(g, report(i, 1, "here"))
	}
	moved := func(x *wf.Report) {
		r.store(g, stored(x).String(), nil, admission.Record{Event: admission.Moved, ID: x.GetId(), Revision: 2})
	}
	moved(report(0, 2, ""))
	r.post(g, report(0, 2, "elsewhere"))
	moved(report(1, 2, ""))
	want := func(p *snapshot.Picture) bool {
		a, _ := p.Situation(tallyID(report(0, 0, "").GetId()))
		return p.Len() == 2 && a.GetHeadline() == "elsewhere"
	}
	until(t, f, "one replaced, one gone", want)
	r.store(g, stored(report(2, 2, "")).String(), nil, admission.Record{Event: admission.Purged, ID: report(2, 0, "").GetId(), Revision: 1})
	until(t, f, "the purged one gone", situations(1))
	must(t, stop())
	d := digestOf(f)
	r.start()
	if got := r.load(r.reader()); got.Digest() != d {
		t.Error("another picture after a restart")
	}
}

// An engine that sees the reports otherwise than the published picture does:
// readers get the difference as one frame and agree with it afterwards.
func TestRecoveryPublishesTheDifference(t *testing.T) {
	r := newRig(t)
	g, f := r.guard(), r.follow()
	stop := r.start()
	for i := range 20 {
		r.post(g, report(i, 1, "report"))
	}
	until(t, f, "20 situations", situations(20))
	must(t, stop())
	r.start(func(c *worker.Config) { c.NewEngine = tallyVersion(" v2") })
	until(t, f, "the new engine's picture", func(p *snapshot.Picture) bool { return p.Len() == 20 && oneVersion(t, p) == "report v2" })
	if got := r.load(r.reader()); got.Digest() != digestOf(f) {
		t.Error("a late joiner sees another picture")
	}
}

// While commits cannot be stored reports wait; none is lost.
func TestOutageIsBackPressure(t *testing.T) {
	r := newRig(t)
	g, f := r.guard(), r.follow()
	r.start()
	r.post(g, report(0, 1, "before"))
	until(t, f, "the first", situations(1))
	for i := range 10 {
		r.post(g, report(1+i, 1, "during"))
		r.broker.Close()
		r.open()
		g = r.guard() // the one before was of that process
	}
	for i := range 10 {
		r.post(r.guard(), report(20+i, 1, "after"))
	}
	until(t, f, "all of them", situations(21))
	time.Sleep(10 * time.Millisecond)
	if got := r.load(r.reader()); got.Digest() != digestOf(f) || got.Len() != 21 {
		t.Errorf("a late joiner sees %d situations", got.Len())
	}
}
