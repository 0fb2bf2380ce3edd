package broker_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// T3: NATS checks no reply subject. A reader who names one that a stream stores
// has nothing stored, and no guard loses a fence for it. By the stream's inlet,
// which no reader knows, the same answer is stored: the calls are not misspelt.
func TestAReadersAnswersAreNotStored(t *testing.T) {
	b := brokertest.Start(t, brokertest.Root())
	reader := brokertest.NewClient(t, brokertest.Credential(t, b, "feed-le", "le")).Conn()
	r, _ := b.Policy().Reader("feed-le")
	feed := subject.Reports + "." + subject.FeedConsumer(r.Name, r.Feeds[0].Name)
	agency := stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi")
	publish(t, agency, newReport("fbi"))
	ask := func(to string) {
		t.Helper()
		for _, s := range []string{"$JS.API.CONSUMER.MSG.NEXT." + feed, "$JS.API.CONSUMER.INFO." + feed} {
			if err := reader.PublishRequest(s, to, []byte(`{"batch":1,"no_wait":true}`)); err != nil {
				t.Fatal(err)
			}
		}
		// Answers leave in order: after this one those before it have left.
		if _, err := reader.Request("$JS.API.CONSUMER.INFO."+feed, nil, 10*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	targets := map[string]string{
		"report.le.cui.le.actual.incident.none.none.dea": subject.Reports, "report.x": subject.Reports, "orcon.none.y": subject.Reports,
		subject.Refusal("le", "dea"):              subject.Refusals,
		subject.Frame(wf.Status_STATUS_ACTUAL, 1): subject.SnapshotStream(wf.Status_STATUS_ACTUAL),
	}
	for to := range targets {
		ask(to)
	}
	if ack := publish(t, agency, newReport("fbi")); ack.Sequence != 2 || b.GuardMetrics("le").FenceLost.Load() != 0 {
		t.Errorf("the next report is stored at %d and %d fences are lost, want 2 and none", ack.Sequence, b.GuardMetrics("le").FenceLost.Load())
	}
	for to, stream := range targets {
		before := lengthOf(t, b, stream)
		if stream != subject.Reports && before != 0 {
			t.Errorf("%s holds %d messages", stream, before)
		}
		ask(b.Inlet("le", stream).Of(to))
		eventually(t, "the answer by the inlet of "+stream, func() bool { return lengthOf(t, b, stream) > before })
	}
}

// lengthOf is how many messages a stream of le has ever held.
func lengthOf(t *testing.T, b *broker.Broker, stream string) uint64 {
	t.Helper()
	return config(t, asRoot(t, b), stream).State.LastSeq
}

func asRoot(t *testing.T, b *broker.Broker) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(b.ClientURL(), brokertest.AsRoot(t, b, "le").Options()...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func config(t *testing.T, js jetstream.JetStream, stream string) *jetstream.StreamInfo {
	t.Helper()
	s, err := js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo()
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// What a release before inlets let into REPORTS does not keep a guard from
// admitting, now or after a restart.
func TestAForeignRecordDoesNotStopAGuard(t *testing.T) {
	dir := t.TempDir()
	b := brokertest.Start(t, brokertest.Dir(dir), brokertest.Root())
	agency := stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi")
	publish(t, agency, newReport("fbi"))
	root := asRoot(t, b)
	for _, to := range []string{"report.le.cui.le.actual.incident.none.none.dea", "report.x", "orcon.none.y"} {
		if _, err := root.Publish(t.Context(), b.Inlet("le", subject.Reports).Of(to), []byte("an answer")); err != nil {
			t.Fatal(err)
		}
		publish(t, agency, newReport("fbi"))
	}
	if n := b.GuardMetrics("le").Foreign.Load(); n != 3 {
		t.Errorf("%d foreign messages are counted, want 3", n)
	}
	b.Close()
	b = brokertest.Start(t, brokertest.Dir(dir))
	publish(t, stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi"), newReport("fbi"))
}

// A store of a release before inlets is brought to them at the start: what it
// holds stays, and the next report comes after it.
func TestStreamsOfAnEarlierReleaseGetInlets(t *testing.T) {
	dir := t.TempDir()
	b := brokertest.Start(t, brokertest.Dir(dir), brokertest.Root())
	sent := newReport("fbi")
	publish(t, stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi"), sent)
	root := asRoot(t, b)
	plain := map[string][]string{subject.Reports: subject.ReportSubjects, subject.Refusals: subject.RefusalSubjects}
	for _, status := range subject.Statuses {
		plain[subject.SnapshotStream(status)] = subject.SnapshotSubjects(status)
	}
	for stream, subjects := range plain {
		cfg := config(t, root, stream).Config
		cfg.Subjects, cfg.SubjectTransform = subjects, nil
		if _, err := root.UpdateStream(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := root.Publish(t.Context(), "report.x", []byte("an answer")); err != nil {
		t.Fatalf("a stream of an earlier release takes in on plain subjects: %v", err)
	}
	b.Close()

	b = brokertest.Start(t, brokertest.Dir(dir), brokertest.Root())
	root = asRoot(t, b)
	for stream, subjects := range plain {
		cfg := config(t, root, stream).Config
		if in, ok := subject.InletOf(cfg.SubjectTransform.Source); !ok || in != b.Inlet("le", stream) || len(cfg.Subjects) != len(subjects) || cfg.Subjects[0] != in.Of(subjects[0]) {
			t.Errorf("%s takes in on %d subjects, transformed %v; want its inlet", stream, len(cfg.Subjects), cfg.SubjectTransform != nil)
		}
	}
	agency := stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi")
	if ack := publish(t, agency, sent); !ack.Duplicate || ack.Sequence != 1 {
		t.Errorf("the report of before: got %+v, want its first acknowledgement", ack)
	}
	if ack := publish(t, agency, newReport("fbi")); ack.Sequence != 3 {
		t.Errorf("the next report: got %+v, want it third, behind the answer that got in before", ack)
	}
}

// A keys directory of a release before inlets gets its words at the start, and
// keeps them.
func TestWordsAreMadeOnceAndKept(t *testing.T) {
	dir := t.TempDir()
	b := brokertest.Start(t, brokertest.Dir(dir))
	first := b.Inlet("le", subject.Reports)
	b.Close()
	b = brokertest.Start(t, brokertest.Dir(dir))
	if b.Inlet("le", subject.Reports) != first {
		t.Error("another start takes in elsewhere: what is under way to a stream is lost")
	}
	seen := map[subject.Inlet]bool{}
	for _, cell := range b.Policy().CellNames() {
		for _, stream := range []string{subject.Reports, subject.Refusals, subject.SnapshotStream(wf.Status_STATUS_ACTUAL)} {
			in := b.Inlet(cell, stream)
			if len(in.Word()) != 32 || seen[in] {
				t.Errorf("%s of %s: a word of %d, seen before: %v", stream, cell, len(in.Word()), seen[in])
			}
			seen[in] = true
		}
	}
	if other := brokertest.Start(t).Inlet("le", subject.Reports); other == first {
		t.Error("two brokers have the same word")
	}
}
