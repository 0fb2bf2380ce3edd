package spine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// pen commits pictures of n situations whose headlines are their version.
type pen struct {
	have map[string]*wf.Situation
}

// frame changes situations 0 to n-1 to a version.
func (p *pen) frame(n int, version string) *wf.Frame {
	if p.have == nil {
		p.have = map[string]*wf.Situation{}
	}
	f := &wf.Frame{}
	for i := range n {
		s := &wf.Situation{Id: fmt.Sprintf("%032x", i), Headline: version}
		p.have[s.Id] = s
		f.Changes = append(f.Changes, &wf.Change{Change: &wf.Change_Upsert{Upsert: s}})
	}
	return p.sign(f)
}

func (p *pen) sign(f *wf.Frame) *wf.Frame {
	var all []*wf.Situation
	for _, s := range p.have {
		all = append(all, s)
	}
	d := fusion.DigestOf(all)
	f.Digest, f.Situations = d[:], uint64(len(all))
	return f
}

func (p *pen) keyframe(ctx context.Context, w *snapshot.Writer) error {
	return w.CommitKeyframe(ctx, p.sign(&wf.Frame{}), maps.Values(p.have))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// oneVersion fails when a picture mixes two commits.
func oneVersion(t *testing.T, p *snapshot.Picture) string {
	t.Helper()
	seen := map[string]int{}
	for _, s := range p.Situations() {
		seen[s.GetHeadline()]++
	}
	if len(seen) > 1 {
		t.Errorf("revision %d is torn: %v", p.Revision(), seen)
	}
	for v := range seen {
		return v
	}
	return ""
}

// A commit of 25,000 changes whose writer dies between two parts is never seen,
// neither live nor by a late joiner, and the next writer goes on from before it.
func TestCommitKilledBetweenItsParts(t *testing.T) {
	for _, what := range []string{"frame", "keyframe"} {
		for _, k := range []int{1, 2, 3} {
			t.Run(fmt.Sprint(what, " after part ", k), func(t *testing.T) { killedBetween(t, what, k) })
		}
	}
}

// killedBetween is a death after part k is stored and before the next is sent.
func killedBetween(t *testing.T, what string, k int) {
	r := newRig(t)
	f, late := r.follow(), r.reader()
	var p pen
	nc, wire := r.cuttable()
	w := r.writer(nc, "first")
	must(t, w.Commit(t.Context(), p.frame(25000, strings.Repeat("old", 30))))
	must(t, p.keyframe(t.Context(), w))
	f.Watch(func(u snapshot.Update) { oneVersion(t, u.Picture) })
	before := p

	wire.cutAt("exercise."+what+".", k+1)
	var err error
	if what == "frame" {
		err = w.Commit(t.Context(), p.frame(25000, strings.Repeat("new", 30)))
	} else {
		err = p.keyframe(t.Context(), w)
	}
	if err == nil || !wire.isCut() {
		t.Fatalf("the commit ended with %v, its connection cut: %v", err, wire.isCut())
	}
	if got := r.load(late); got.Revision() != 1 || !strings.HasPrefix(oneVersion(t, got), "old") {
		t.Errorf("a late joiner sees revision %d", got.Revision())
	}
	w2, last, err := snapshot.OpenWriter(t.Context(), r.worker(), "le", exercise, "second")
	must(t, err)
	if last.Revision() != 1 || last.Len() != 25000 {
		t.Fatalf("the next writer continues revision %d", last.Revision())
	}
	if what == "frame" {
		p = before
	}
	must(t, w2.Commit(t.Context(), p.frame(25000, "next")))
	until(t, f, "next version live", func(p *snapshot.Picture) bool { return p.Revision() == 2 && oneVersion(t, p) == "next" })
	must(t, p.keyframe(t.Context(), w2))
	if got := r.load(late); got.Revision() != 2 || oneVersion(t, got) != "next" {
		t.Errorf("a late joiner sees revision %d", got.Revision())
	}
}

// Of two writers the one that opened first is refused and stores nothing.
func TestStaleWriterStoresNothing(t *testing.T) {
	r := newRig(t)
	var p pen
	old := r.writer(r.worker(), "old")
	must(t, old.Commit(t.Context(), p.frame(3, "one")))
	next := r.writer(r.worker(), "next")
	must(t, next.Commit(t.Context(), p.frame(3, "two")))
	if held, err := old.Holds(t.Context()); err != nil || held {
		t.Errorf("the old writer believes it holds the fence (%v)", err)
	}
	for range 3 {
		if err := old.Commit(t.Context(), p.frame(3, "stale")); !errors.Is(err, snapshot.ErrFenced) {
			t.Fatalf("got %v, want ErrFenced", err)
		}
		if err := p.keyframe(t.Context(), old); !errors.Is(err, snapshot.ErrFenced) {
			t.Fatalf("got %v, want ErrFenced", err)
		}
	}
	js, err := jetstream.New(r.worker())
	must(t, err)
	s, err := js.Stream(t.Context(), subject.SnapshotStream(exercise))
	must(t, err)
	if n := s.CachedInfo().State.LastSeq; n != 2 {
		t.Errorf("%d messages stored, want 2", n)
	}
	if got := r.load(r.reader()); oneVersion(t, got) != "two" {
		t.Errorf("picture is %q", oneVersion(t, got))
	}
}

// Whoever joins while the writer is busy, with frames in parts and keyframes
// between, gets the picture of one revision, never an older one than before.
func TestJoinersWhileWriting(t *testing.T) {
	r := newRig(t)
	nc := r.worker()
	w := r.writer(nc, "busy")
	done := make(chan error, 1)
	go func() {
		var p pen
		for i := range 100 {
			if err := w.Commit(t.Context(), p.frame(50+i%7*800, fmt.Sprint("v", i))); err != nil {
				done <- err
				return
			}
			// Make all of one version again, so that a torn picture shows.
			if err := w.Commit(t.Context(), p.frame(len(p.have), fmt.Sprint("v", i))); err != nil {
				done <- err
				return
			}
			if w.KeyframeDue(i%2 == 0) {
				if err := p.keyframe(t.Context(), w); err != nil {
					done <- err
					return
				}
			}
		}
		done <- nil
	}()
	late, last, joins := r.reader(), uint64(0), 0
	for {
		select {
		case err := <-done:
			must(t, err)
			if got := r.load(late); got.Revision() != 200 || oneVersion(t, got) != "v99" {
				t.Errorf("at the end: revision %d", got.Revision())
			}
			if joins < 5 {
				t.Errorf("only %d joins", joins)
			}
			return
		default:
		}
		p := r.load(late)
		if p.Revision() < last {
			t.Errorf("revision %d after %d", p.Revision(), last)
		}
		if p.Revision()%2 == 0 {
			oneVersion(t, p)
		}
		last, joins = p.Revision(), joins+1
	}
}

// A follower that missed live frames goes on from the stream: by frames when
// its own last one is still there, by a reset when the stream is another one.
func TestFollowerFindsWhatItMissed(t *testing.T) {
	r := newRig(t)
	nc := r.worker()
	var p pen
	w := r.writer(nc, "first")
	must(t, w.Commit(t.Context(), p.frame(10, "one")))
	rnc := r.reader()
	f, err := snapshot.Follow(t.Context(), rnc, "le", exercise, nil)
	must(t, err)
	var resets atomic.Int32
	f.Watch(func(u snapshot.Update) {
		if u.Reset {
			resets.Add(1)
		}
		oneVersion(t, u.Picture)
	})
	resets.Store(0)

	// Away while three frames go by.
	must(t, rnc.ForceReconnect())
	for i := range 3 {
		must(t, w.Commit(t.Context(), p.frame(10, fmt.Sprint("away ", i))))
	}
	until(t, f, "what was missed", func(p *snapshot.Picture) bool { return oneVersion(t, p) == "away 2" })
	if n := resets.Load(); n != 0 {
		t.Errorf("%d resets although the frames were there", n)
	}

	// The disk forgot what readers had seen: the stream holds other frames now.
	r.broker.Close()
	keep := t.TempDir()
	must(t, os.CopyFS(keep, os.DirFS(filepath.Join(r.dir, "data"))))
	r.open()
	lost := r.writer(r.worker(), "lost")
	must(t, lost.Commit(t.Context(), p.frame(10, "lost")))
	until(t, f, "what is to be lost", func(p *snapshot.Picture) bool { return oneVersion(t, p) == "lost" })
	r.broker.Close()
	must(t, os.RemoveAll(filepath.Join(r.dir, "data")))
	must(t, os.CopyFS(filepath.Join(r.dir, "data"), os.DirFS(keep)))
	r.open()
	resets.Store(0)
	must(t, r.writer(r.worker(), "other").Commit(t.Context(), p.frame(10, "other")))
	until(t, f, "the other frame of the same revision", func(p *snapshot.Picture) bool { return oneVersion(t, p) == "other" })
	if n := resets.Load(); n != 1 {
		t.Errorf("%d resets although the stream holds another frame, want 1", n)
	}
}

// What JetStream did not republish is not believed, whoever puts it on the
// live subject and whatever it says.
func TestForgedLiveFrameIsIgnored(t *testing.T) {
	r := newRig(t)
	nc := r.worker()
	var p pen
	w := r.writer(nc, "true")
	must(t, w.Commit(t.Context(), p.frame(3, "one")))
	f := r.follow()

	evil := r.reader()
	// A report, stored by whoever may submit one, whose payload is a frame;
	// made to appear live by a pull whose answer is pointed there.
	forged := (&pen{}).frame(5, "forged")
	forged.Epoch, forged.Cell, forged.Status, forged.Revision = "true", "le", exercise, 2
	data, _, err := snapshot.Encode(forged, nil)
	must(t, err)
	x := report(1, 1, "")
	x.Status = wf.Status_STATUS_ACTUAL
	r.store(r.guard(), stored(x).String(), data[0], admission.Record{Event: admission.Admitted, ID: x.GetId(), Revision: 1})
	seen := make(chan *nats.Msg, 10)
	watch := r.reader()
	_, err = watch.ChanSubscribe(subject.LiveFrames(exercise), seen)
	must(t, err)
	must(t, watch.Flush())
	must(t, evil.PublishRequest("$JS.API.CONSUMER.MSG.NEXT.REPORTS."+subject.FeedConsumer("watch-le", "all"), "live.exercise.frame.2", []byte("1")))
	select {
	case m := <-seen:
		if len(m.Data) != len(data[0]) {
			t.Fatal("something else appeared live")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the forged frame did not appear live: this test shows nothing")
	}
	// A real frame of the past, made to appear live by a get whose answer is
	// pointed at the live subject.
	must(t, evil.PublishRequest(subject.DirectGet(subject.SnapshotStream(exercise), subject.Frame(exercise, 1)), "live.exercise.frame.2", nil))
	must(t, evil.Flush())
	must(t, w.Commit(t.Context(), p.frame(3, "two")))
	until(t, f, "the true frame", func(p *snapshot.Picture) bool { return p.Revision() == 2 })
	f.Read(func(p *snapshot.Picture) {
		if oneVersion(t, p) != "two" || p.Len() != 3 {
			t.Errorf("the picture has %d situations of version %q", p.Len(), oneVersion(t, p))
		}
	})
	if live, _ := f.Live(); !live {
		t.Error("the follower is not live")
	}
}

// A commit whose answer is lost is not stored twice: repeated, it finds itself.
func TestLostAnswerIsLookedUp(t *testing.T) {
	r := newRig(t)
	g := newGate(t, r.broker.ClientURL())
	nc, stream := r.through(g), lastSequence(t, r)
	var p pen
	w := r.writer(nc, "w")
	must(t, w.Commit(t.Context(), p.frame(1, "one")))
	for i := range 10 {
		f := p.frame(1, fmt.Sprint("version ", i))
		g.deaf.Store(true)
		lost := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { lost <- w.Commit(ctx, f) }()
		for deadline := time.Now().Add(10 * time.Second); stream() < uint64(i)+2; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("commit %d is not stored", i)
			}
		}
		cancel()
		if err := <-lost; err == nil {
			t.Fatalf("commit %d was answered: this test shows nothing", i)
		}
		g.deaf.Store(false)
		was := nc.Stats().Reconnects
		g.cut() // what was told half is forgotten
		for deadline := time.Now().Add(10 * time.Second); (nc.Stats().Reconnects == was || !nc.IsConnected()) && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		again, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		must(t, w.Commit(again, f))
		cancel()
	}
	if got := r.load(r.reader()); got.Revision() != 11 || got.Sequence() != 11 {
		t.Errorf("revision %d at sequence %d, want both 11", got.Revision(), got.Sequence())
	}
}

// lastSequence asks how many messages the snapshot stream has taken.
func lastSequence(t *testing.T, r *rig) func() uint64 {
	t.Helper()
	js, err := jetstream.New(r.worker())
	must(t, err)
	return func() uint64 {
		s, err := js.Stream(t.Context(), subject.SnapshotStream(exercise))
		must(t, err)
		return s.CachedInfo().State.LastSeq
	}
}
