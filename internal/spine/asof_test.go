package spine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
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

// past is a rig whose worker reads le and open with the true engine, whose
// grid passes a hundred times as fast, and that keeps what a test stored.
type past struct {
	*rig
	start  time.Time
	worker *nats.Conn
	below  *nats.Conn
	guards map[string]*nats.Conn
}

var shortWindows = map[wf.Kind]time.Duration{wf.Kind_KIND_SAR: 90 * time.Second}

func trueEngine() worker.Engine {
	return fusion.New(fusion.Config{Status: exercise, Windows: shortWindows})
}

func newPast(t testing.TB) *past {
	t.Helper()
	p := &past{rig: &rig{t: t, dir: t.TempDir(), port: -1}, start: time.Now()}
	p.broker = brokertest.Start(t, brokertest.Dir(p.dir), brokertest.WithoutGuards(), brokertest.Root(), brokertest.With(func(*broker.Config) {}))
	p.worker = brokertest.Connect(t, p.broker, "worker", "le")
	p.below = brokertest.Connect(t, p.broker, "worker/le", "open")
	p.guards = map[string]*nats.Conn{"le": brokertest.Connect(t, p.broker, "guard", "le"), "open": brokertest.Connect(t, p.broker, "guard", "open")}
	return p
}

// now is always just before the next point of the grid, and a point further
// every 100 ms.
func (p *past) now() time.Time {
	points := time.Since(p.start) / (100 * time.Millisecond)
	return p.start.Truncate(worker.Grid).Add((points+1)*worker.Grid - 50*time.Millisecond)
}

func (p *past) sources() []worker.Source {
	return []worker.Source{{Cell: "le", Conn: p.worker}, {Cell: "open", Conn: p.below}}
}

func (p *past) run(opts ...func(*worker.Config)) (stop func() error) {
	return p.rig.start(append([]func(*worker.Config){func(c *worker.Config) {
		c.Home, c.Sources, c.Clock, c.Now, c.NewEngine = p.worker, p.sources(), worker.Wall, p.now, trueEngine
		c.KeyframeEvery = time.Minute // of the fast clock
	}}, opts...)...)
}

// still stops the clock just after a point of the grid: no tick comes.
func (p *past) still(c *worker.Config) {
	at := p.now().Truncate(worker.Grid).Add(time.Millisecond)
	c.Now = func() time.Time { return at }
}

func (p *past) replay(cut worker.Cut) *worker.Replayed {
	p.t.Helper()
	out, err := worker.Replay(p.t.Context(), worker.ReplayConfig{
		Cell: "le", Status: exercise, Sources: p.sources(), Clock: worker.Wall, NewEngine: trueEngine, Cut: cut,
	})
	must(p.t, err)
	return out
}

func (p *past) put(cell string, x *wf.Report, orcon bool, rec admission.Record) {
	p.t.Helper()
	s := subject.Stored{Submission: subject.SubmissionOf(x, "ms", "28049"), Sides: "le", Level: "cui", Cell: cell}
	if cell == "open" {
		s.Sides, s.Level = "none", "u"
	}
	if orcon {
		s.Orcon, s.OrconCells = true, []string{"le"}
	}
	var data []byte
	if rec.Event == admission.Admitted {
		var err error
		data, err = proto.Marshal(x)
		must(p.t, err)
	}
	rec.ID, rec.Revision = x.GetId(), x.GetRevision()
	rec.Withdrawn = x.GetState() == wf.ReportState_REPORT_STATE_WITHDRAWN
	p.store(p.guards[cell], s.String(), data, rec)
}

// told is a report with a phone and a name, so that several make a situation.
func (p *past) told(i int, revision uint64, rng *rand.Rand) *wf.Report {
	x := report(i, revision, "")
	at := p.now()
	x.ReportTime, x.EventTime = timestamppb.New(at), &wf.TimeRange{Start: timestamppb.New(at)}
	x.Entities = []*wf.Entity{{
		Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: fmt.Sprintf("+1601555012%d", rng.IntN(3))}},
		Detail:      &wf.Entity_Person{Person: &wf.Person{Names: []*wf.PersonName{{Given: "Zenobia", Family: "Quillfeather"}}}},
	}}
	if rng.IntN(6) == 0 {
		x.State = wf.ReportState_REPORT_STATE_WITHDRAWN
	}
	return x
}

// life is what became of a few reports so far.
type life struct {
	rng      *rand.Rand
	revision map[int]uint64
	orcon    map[int]bool
	moments  []time.Time
}

func newLife(seed uint64) *life {
	return &life{rng: rand.New(rand.NewPCG(seed, 1)), revision: map[int]uint64{}, orcon: map[int]bool{}}
}

// live goes on with a random life, with purges or without.
func (p *past) live(l *life, records int, purges bool) {
	rng, revision, orcon := l.rng, l.revision, l.orcon
	for range records {
		i := rng.IntN(12)
		cell := []string{"le", "open"}[i%2]
		revision[i]++
		x := p.told(i, revision[i], rng)
		what := rng.IntN(14)
		switch {
		case what <= 3 && i < 4 && purges && revision[i] > 1:
			x.Revision, x.State = x.Revision-1, wf.ReportState_REPORT_STATE_ACTIVE
			p.put(cell, x, false, admission.Record{Event: admission.Purged})
			revision[i]--
		case what <= 3 && i >= 4 && revision[i] > 1:
			p.put(cell, x, orcon[i], admission.Record{Event: admission.Moved})
			orcon[i] = !orcon[i]
			p.put(cell, x, orcon[i], admission.Record{Event: admission.Admitted})
		default:
			p.put(cell, x, orcon[i], admission.Record{Event: admission.Admitted})
		}
		if rng.IntN(3) == 0 {
			time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
		}
		l.moments = append(l.moments, time.Now())
	}
}

func erased(x *snapshot.Picture) bool { return x.Purged() > 0 && x.Purged() == x.Erased() }

// raw is a stored message as a server's owner sees it.
type raw struct {
	*jetstream.RawStreamMsg
	cell string
}

// all reads every message of a stream with all rights.
func (p *past) all(cell, stream string) []raw {
	p.t.Helper()
	js, err := jetstream.New(brokertest.Dial(p.t, brokertest.AsRoot(p.t, p.broker, cell)))
	must(p.t, err)
	s, err := js.Stream(p.t.Context(), stream)
	must(p.t, err)
	var out []raw
	for seq := uint64(1); seq <= s.CachedInfo().State.LastSeq; seq++ {
		m, err := s.GetMsg(p.t.Context(), seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		must(p.t, err)
		out = append(out, raw{m, cell})
	}
	return out
}

// expected is the picture of the records stored by t, the obvious way: which
// reports are live, less those purged since, into an engine, ticked.
func (p *past) expected(records []raw, t time.Time) [32]byte {
	type identity struct{ cell, id string }
	newest, purged := map[identity]*wf.Report{}, map[identity]bool{}
	for _, m := range records {
		facts, err := admission.ParseRecord(m.Header.Get(admission.Header))
		must(p.t, err)
		k := identity{m.cell, facts.ID}
		switch {
		case facts.Event == admission.Purged:
			if newest[k] = nil; m.Time.After(t) {
				purged[k] = true
			}
		case m.Time.After(t) || facts.Event != admission.Admitted || purged[k]:
		default:
			x := new(wf.Report)
			must(p.t, proto.Unmarshal(m.Data, x))
			if old := newest[k]; old == nil || old.GetRevision() < x.GetRevision() {
				newest[k] = x
			}
		}
	}
	e := trueEngine()
	for k, x := range newest {
		if x != nil {
			e.Apply(fusion.Input{Cell: k.cell, Report: x})
		}
	}
	e.Tick(t)
	e.Commit()
	return e.Digest()
}

// As of T by frames is the replay of what the picture had read, at its tick;
// as of T by replay is the picture of the records stored by T, at floor(T).
func TestAsOf(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			p := newPast(t)
			f := p.follow()
			stop := p.run()
			l := newLife(seed)
			p.live(l, 60, true)
			until(t, f, "every frame of a purged report erased", erased)
			p.live(l, 60, false)
			if seed == 1 { // a worker that is restarted goes on with its history
				must(t, stop())
				p.run()
				p.live(l, 30, false)
			}
			moments := l.moments
			records := append(p.all("le", subject.Reports), p.all("open", subject.Reports)...)
			framed, gone, shown := 0, 0, 0
			for i := 0; i < len(moments); i += 3 {
				at := moments[i]
				if got, want := p.replay(worker.Cut{AsOf: at}).Picture, p.expected(records, at); got.Digest() != want {
					t.Errorf("as of moment %d by replay: another picture than that of the records stored by then", i)
				}
				frames, err := snapshot.At(t.Context(), p.worker, "le", exercise, at)
				if errors.Is(err, snapshot.ErrNoHistory) {
					gone++
					continue
				}
				must(t, err)
				framed++
				shown += frames.Len()
				again := p.replay(worker.Cut{Checkpoint: frames.Checkpoint(), Tick: frames.Tick()}).Picture
				if frames.Digest() != again.Digest() || frames.Reports() != again.Reports() {
					t.Errorf("as of moment %d by frames, revision %d: %d situations of %d reports; replayed %d of %d", i,
						frames.Revision(), frames.Len(), frames.Reports(), again.Len(), again.Reports())
				}
			}
			if framed == 0 || gone == 0 || shown == 0 {
				t.Errorf("%d answered by frames with %d situations, %d erased: this test shows too little", framed, shown, gone)
			}
		})
	}
}

// The last frame before a moment is part of the answer, the first after it is not.
func TestAsOfIsBetweenFrames(t *testing.T) {
	p := newPast(t)
	var pen pen
	w := p.writer(p.worker, "w")
	if _, err := snapshot.At(t.Context(), p.worker, "le", exercise, time.Now()); !errors.Is(err, snapshot.ErrNoHistory) {
		t.Errorf("before the first frame: got %v, want ErrNoHistory", err)
	}
	var at []time.Time
	for i := range 9 {
		must(t, w.Commit(t.Context(), pen.frame(2000*(1+i%2), fmt.Sprint("v", i, strings.Repeat("x", 500*(i%2)))))) // some in parts
		if i%4 == 3 {
			must(t, pen.keyframe(t.Context(), w))
		}
		time.Sleep(2 * time.Millisecond)
		at = append(at, time.Now())
		time.Sleep(2 * time.Millisecond)
	}
	for i, x := range at {
		got, err := snapshot.At(t.Context(), p.worker, "le", exercise, x)
		must(t, err)
		if got.Revision() != uint64(i+1) {
			t.Errorf("moment %d: revision %d", i, got.Revision())
		}
	}
	stored := p.all("le", subject.SnapshotStream(exercise))
	for _, m := range stored {
		if m.Subject == subject.Frame(exercise, 5) {
			got, err := snapshot.At(t.Context(), p.worker, "le", exercise, m.Time)
			must(t, err)
			if got.Revision() != 5 {
				t.Errorf("at the very time of frame 5: revision %d", got.Revision())
			}
		}
	}
}

// Where a frame is missing there is no answer, wherever it is missing.
func TestAsOfNeverLeavesAFrameOut(t *testing.T) {
	p := newPast(t)
	var pen pen
	w := p.writer(p.worker, "w")
	must(t, w.Commit(t.Context(), pen.frame(3, "one")))
	must(t, pen.keyframe(t.Context(), w))
	for i := range 6 {
		must(t, w.Commit(t.Context(), pen.frame(3, fmt.Sprint("v", i))))
	}
	must(t, pen.keyframe(t.Context(), w))
	time.Sleep(2 * time.Millisecond)
	all := p.all("le", subject.SnapshotStream(exercise))
	js, err := jetstream.New(brokertest.Dial(t, brokertest.AsRoot(t, p.broker, "le")))
	must(t, err)
	s, err := js.Stream(t.Context(), subject.SnapshotStream(exercise))
	must(t, err)
	// Revision 4 is gone: 1 to 3 can still be told, 4 to 7 cannot until the keyframe.
	for _, m := range all {
		if m.Subject == subject.Frame(exercise, 4) {
			must(t, s.SecureDeleteMsg(t.Context(), m.Sequence))
		}
	}
	for i, m := range all {
		if !strings.Contains(m.Subject, ".frame.") {
			continue
		}
		revision := uint64(i)
		if i == 0 {
			revision = 1
		}
		got, err := snapshot.At(t.Context(), p.worker, "le", exercise, m.Time)
		switch {
		case revision <= 2:
			must(t, err)
			if got.Revision() != revision {
				t.Errorf("revision %d, want %d", got.Revision(), revision)
			}
		case revision == 3:
			// What came after it cannot be told from what did not.
			if !errors.Is(err, snapshot.ErrNoHistory) {
				t.Errorf("revision 3, the next is missing: got %v", err)
			}
		default:
			if !errors.Is(err, snapshot.ErrNoHistory) {
				t.Errorf("revision %d, after the gap: got %v", revision, err)
			}
		}
	}
	got, err := snapshot.At(t.Context(), p.worker, "le", exercise, time.Now())
	must(t, err)
	if got.Revision() != 7 {
		t.Errorf("after the keyframe: revision %d", got.Revision())
	}
}

const canary = "Zvanarymarker"

// A purge leaves no trace of the report in any stored frame, and what the
// picture was before is told without it; also when the worker dies before it
// has erased anything.
func TestPurgeErasesItsFrames(t *testing.T) {
	for _, dies := range []bool{false, true} {
		t.Run(fmt.Sprint("worker dies: ", dies), func(t *testing.T) {
			p := newPast(t)
			f := p.follow()
			stop := p.run()
			rng := rand.New(rand.NewPCG(1, 1))
			marked := p.told(100, 1, rng)
			marked.State = wf.ReportState_REPORT_STATE_ACTIVE
			marked.Record = canary
			p.put("le", marked, false, admission.Record{Event: admission.Admitted})
			other := proto.Clone(marked).(*wf.Report)
			other.Id = report(101, 1, "").GetId()
			other.Record = "26-1"
			p.put("open", other, false, admission.Record{Event: admission.Admitted})
			until(t, f, "both reports", func(x *snapshot.Picture) bool { return x.Reports() == 2 })
			p.live(newLife(1), 30, false)
			before := time.Now()
			if n := p.count("le", marked.GetId()); n == 0 {
				t.Fatal("no stored frame names the report: this test shows nothing")
			}
			for end := time.Now().Add(20 * time.Second); p.keyframes(canary) == 0; time.Sleep(20 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatal("no stored keyframe holds the canary: this test shows nothing")
				}
			}
			if dies {
				// It publishes the purge, and ends before it has erased anything.
				must(t, stop())
				stop = p.run(p.still)
			}
			p.purge(marked)
			if dies {
				until(t, f, "the purge", func(x *snapshot.Picture) bool { return x.Purged() == 1 && x.Erased() == 0 })
				must(t, stop())
				if n := p.count("le", canary); n == 0 {
					t.Fatal("the frames are erased already: this test shows nothing")
				}
				p.run()
			}
			until(t, f, "the frames are erased", erased)
			for _, word := range []string{canary, marked.GetId()} {
				if n := p.count("le", word); n != 0 {
					t.Errorf("%d stored messages still hold %q", n, word)
				}
			}
			if _, err := snapshot.At(t.Context(), p.worker, "le", exercise, before); !errors.Is(err, snapshot.ErrNoHistory) {
				t.Errorf("by frames: got %v, want ErrNoHistory", err)
			}
			out := p.replay(worker.Cut{AsOf: before})
			text, err := proto.Marshal(out.Picture.Snapshot())
			must(t, err)
			if strings.Contains(string(text), canary) || strings.Contains(string(text), marked.GetId()) {
				t.Error("the replay shows the purged report")
			}
			found := false
			for _, x := range out.Purges {
				found = found || x.GetReportId() == marked.GetId() && x.GetCell() == "le" && x.GetAgency() == "fbi"
			}
			if !found {
				t.Error("the replay does not say that the report was purged")
			}
			if late := p.load(p.reader()); late.Digest() != digestOf(f) {
				t.Error("a late joiner sees another picture")
			}
		})
	}
}

// purge records that a report is purged and deletes its bytes, as retention does.
func (p *past) purge(x *wf.Report) {
	p.t.Helper()
	js, err := jetstream.New(brokertest.Dial(p.t, brokertest.AsRoot(p.t, p.broker, "le")))
	must(p.t, err)
	s, err := js.Stream(p.t.Context(), subject.Reports)
	must(p.t, err)
	p.put("le", x, false, admission.Record{Event: admission.Purged})
	for _, m := range p.all("le", subject.Reports) {
		if strings.Contains(string(m.Data), x.GetId()) {
			must(p.t, s.SecureDeleteMsg(p.t.Context(), m.Sequence))
		}
	}
}

// count is how many stored frames hold a word.
func (p *past) count(cell, word string) (n int) {
	p.t.Helper()
	for _, m := range p.all(cell, subject.SnapshotStream(exercise)) {
		if strings.Contains(string(m.Data), word) {
			n++
		}
	}
	return n
}

// keyframes is how many stored keyframes hold a word.
func (p *past) keyframes(word string) (n int) {
	p.t.Helper()
	for _, m := range p.all("le", subject.SnapshotStream(exercise)) {
		if strings.Contains(m.Subject, ".keyframe.") && strings.Contains(string(m.Data), word) {
			n++
		}
	}
	return n
}

// Two replays do not mix: the second says that it must wait.
func TestTwoReplaysOfOneConsumer(t *testing.T) {
	p := newPast(t)
	for i := range 3000 {
		p.post(p.guards["le"], report(i, 1, "x"))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conf := worker.ReplayConfig{Cell: "le", Status: exercise, Sources: p.sources(), Clock: worker.Wall, NewEngine: trueEngine, Cut: worker.Cut{AsOf: time.Now()}}
	results := make(chan error, 2)
	for range 2 {
		go func() {
			out, err := worker.Replay(ctx, conf)
			if err == nil && out.Records != 3000 {
				err = fmt.Errorf("%d records of 3000 and no error", out.Records)
			}
			results <- err
		}()
	}
	for range 2 {
		if err := <-results; err != nil && !errors.Is(err, worker.ErrBusy) {
			t.Error(err)
		}
	}
}
