package spine_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// outage is a way in which frames cannot be stored while the broker stays up.
type outage struct {
	name        string
	begin, mend func(t *testing.T)
	fails       bool // commits are refused, rather than never answered
}

// Frames cannot be stored for a while: reports wait in their stream, the
// worker holds no more than two frames of them, everybody can see that it
// stands still, and afterwards the picture has every one.
func TestStandingStoreIsBackPressure(t *testing.T) {
	const perFrame, before, during = 32, 5, 1200
	r := newRig(t, brokertest.Root())
	g := newGate(t, r.broker.ClientURL())
	for i, o := range []outage{r.full(), {
		name:  "no answer",
		begin: func(*testing.T) { g.stall.Store(true) },
		mend:  func(*testing.T) { g.stall.Store(false) },
	}} {
		t.Run(o.name, func(t *testing.T) {
			f, guard, m := r.follow(), r.guard(), worker.NewMetrics("le", exercise)
			stop := r.start(func(c *worker.Config) { c.Home, c.MaxReports, c.Metrics = r.through(g), perFrame, m })
			first := i * (before + during)
			for n := range before {
				r.post(guard, report(first+n, 1, "before"))
			}
			until(t, f, "those of before", situations(first+before))
			read := measured(t, m)
			applied := read("watchfloor_worker_records_total")
			o.begin(t)
			for n := range during {
				r.post(guard, report(first+before+n, 1, "during"))
			}
			time.Sleep(300 * time.Millisecond)
			f.Read(func(p *snapshot.Picture) {
				if p.Len() >= first+before+during {
					t.Fatal("frames are stored: this test shows nothing")
				}
			})
			if n := read("watchfloor_worker_records_total") - applied; n > 3*perFrame {
				t.Errorf("%v reports were taken while nothing could be stored, want at most %d", n, 3*perFrame)
			}
			if o.fails && (read("watchfloor_worker_stalled_seconds") == 0 || read("watchfloor_worker_commit_failures_total") == 0) {
				t.Error("nobody can see that the worker stands still")
			}
			o.mend(t)
			until(t, f, "every report", situations(first+before+during))
			if got := r.load(r.reader()); got.Digest() != digestOf(f) || got.SetAside() != 0 {
				t.Errorf("a late joiner sees %d situations, %d set aside", got.Len(), got.SetAside())
			}
			if read("watchfloor_worker_stalled_seconds") != 0 || read("watchfloor_worker_restarts_total") != 0 {
				t.Error("the worker still stands, or began again")
			}
			must(t, stop())
		})
	}
}

// full is a snapshot stream that takes nothing more.
func (r *rig) full() outage {
	resize := func(bytes int64) func(*testing.T) {
		return func(t *testing.T) {
			c := brokertest.AsRoot(t, r.broker, "le")
			js, err := jetstream.New(brokertest.Dial(t, c))
			must(t, err)
			s, err := js.Stream(t.Context(), subject.SnapshotStream(exercise))
			must(t, err)
			conf := s.CachedInfo().Config
			conf.MaxBytes, conf.Discard = bytes, jetstream.DiscardNew
			_, err = js.UpdateStream(t.Context(), conf)
			must(t, err)
		}
	}
	return outage{name: "a full store", begin: resize(1), mend: resize(-1), fails: true}
}
