package admit

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func TestAnswers(t *testing.T) {
	b := newBed(t, -1)
	g := b.start(nil)
	r := newReport()
	older := marshal(t, r)
	if a := b.submit(r); a.Error != nil || a.Sequence != 1 || a.Stream != subject.Reports || a.Duplicate {
		t.Fatalf("first: %+v", a)
	}
	if a := b.submit(r); a.Sequence != 1 || !a.Duplicate || a.Superseded {
		t.Errorf("same bytes: %+v, want the first acknowledgement", a)
	}
	changed := proto.Clone(r).(*wf.Report)
	changed.Title = "Other words"
	wantRefused(t, b.submit(changed), admission.Conflict)
	changed.Revision = 2
	if a := b.submit(changed); a.Error != nil || a.Sequence != 2 {
		t.Errorf("revision 2: %+v", a)
	}
	if a := b.submitBytes(subject.Submit(r), older); a.Sequence != 2 || !a.Superseded || !a.Duplicate {
		t.Errorf("revision 1 after 2: %+v, want superseded by 2", a)
	}
	if err := g.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	stored := b.reports()
	if len(stored) != 2 || !slices.Equal(stored[0].data, older) || stored[0].rec.Revision != 1 {
		t.Errorf("stored %d messages, want the two revisions with their sender's bytes", len(stored))
	}
	m := g.Metrics()
	if m.Admitted.Load() != 2 || m.Duplicate.Load() != 1 || m.Superseded.Load() != 1 || m.Refused.Load() != 1 || m.Codes()[admission.Conflict] != 1 {
		t.Errorf("counted %d admitted, %d duplicate, %d superseded, %d refused, %v", m.Admitted.Load(), m.Duplicate.Load(), m.Superseded.Load(), m.Refused.Load(), m.Codes())
	}
}

func wantRefused(t *testing.T, a admission.Answer, code admission.Code) {
	t.Helper()
	if a.Error == nil || len(a.Error.Refusal) == 0 || a.Error.Refusal[0].Code != code {
		t.Fatalf("answer %+v, want %s", a, code)
	}
	want := 400
	if code.Retryable() {
		want = 503
	}
	if a.Error.Code != want {
		t.Errorf("error code %d, want %d", a.Error.Code, want)
	}
}

// A stock client needs to know nothing of Watchfloor but the subject.
func TestStockClient(t *testing.T) {
	b := newBed(t, -1)
	b.start(nil)
	r := newReport()
	ack, err := b.js.Publish(t.Context(), subject.Submit(r), marshal(t, r))
	if err != nil || ack.Stream != subject.Reports || ack.Sequence != 1 {
		t.Fatalf("js.Publish: %+v, %v", ack, err)
	}
	r = newReport()
	r.Label.Level = wf.Level_LEVEL_SECRET
	_, err = b.js.Publish(t.Context(), subject.Submit(r), marshal(t, r))
	var api *jetstream.APIError
	if !errors.As(err, &api) || api.Code != 400 || api.ErrorCode != jetstream.ErrorCode(admission.ErrRefused) {
		t.Fatalf("js.Publish above the cell: %v, want an API error", err)
	}
	const want = "label-above-cell at label.level: SECRET is above the cell's CUI (send it to a cell whose label dominates it)"
	if api.Description != want {
		t.Errorf("description %q, want %q", api.Description, want)
	}
}

// Refused: answered, counted, recorded without the payload, and nothing stored.
func TestRefusalIsRecorded(t *testing.T) {
	b := newBed(t, -1)
	g := b.start(nil)
	r := newReport()
	r.Label.Level, r.Narrative = wf.Level_LEVEL_SECRET, "the secret text"
	wantRefused(t, b.submit(r), admission.LabelAboveCell)
	eventually(t, "the refusal is recorded", func() bool { return g.Metrics().Recorded.Load() == 1 })
	s, err := b.js.Stream(t.Context(), subject.Refusals)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	var rec wf.Refusal
	if err := proto.Unmarshal(m.Data, &rec); err != nil {
		t.Fatal(err)
	}
	if m.Subject != subject.Refusal(cell, agency) || rec.ReportId != r.Id || len(rec.Hash) != 32 || len(rec.Reasons) == 0 || rec.Received == nil {
		t.Errorf("record on %s: %v", m.Subject, &rec)
	}
	if bytes.Contains(m.Data, []byte(r.Narrative)) {
		t.Error("the record holds the payload")
	}
	if n := len(b.reports()); n != 0 {
		t.Errorf("stored %d", n)
	}
}

// Trap T3: a reader may have a stored report delivered, or the server's answer
// sent, to where agencies submit. Of neither anything is stored.
func TestWhatTheServerSendsIsNotTaken(t *testing.T) {
	b := newBed(t, -1)
	g := b.start(nil)
	r := newReport()
	if a := b.submit(r); a.Sequence != 1 {
		t.Fatalf("got %+v, want it stored", a)
	}
	c, err := b.js.CreateConsumer(t.Context(), subject.Reports, jetstream.ConsumerConfig{Name: "reader", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	for _, ask := range []string{"$JS.API.CONSUMER.INFO.", "$JS.API.CONSUMER.MSG.NEXT."} {
		if err := b.nc.PublishRequest(ask+subject.Reports+"."+c.CachedInfo().Name, subject.Submit(r), []byte(`{"batch":1}`)); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both have come to the guard", func() bool { return g.Metrics().Delivered.Load() == 1 && g.Metrics().Misdirected.Load() == 1 })
	// What it took before is decided, and its records have their answers.
	if a := b.submitBytes(subject.Submit(r), []byte("no report")); a.Error == nil {
		t.Errorf("got %+v, want a refusal", a)
	}
	// An agency that wants no answer sends what no answer looks like.
	if err := b.nc.Publish(subject.Submit(r), []byte("no report")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the two refusals of an agency are recorded", func() bool { return g.Metrics().Recorded.Load() == 2 })
	s, err := b.js.Stream(t.Context(), subject.Refusals)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.CachedInfo().State.LastSeq; n != 2 || len(b.reports()) != 1 {
		t.Errorf("%d refusals and %d reports are stored, want 2 and 1", n, len(b.reports()))
	}
}

// Trap T3: the guard publishes nowhere but into the agency's own inbox.
func TestForeignReplyIsNotAnswered(t *testing.T) {
	b := newBed(t, -1)
	g := b.start(nil)
	heard := make(chan *nats.Msg, 10)
	for _, s := range []string{"cmd.admin", subject.InboxPrefix("fbi", "x"), subject.InboxPrefix("jackson-pd-2", "x")} {
		if _, err := b.nc.ChanSubscribe(s, heard); err != nil {
			t.Fatal(err)
		}
		r := newReport()
		if err := b.nc.PublishRequest(subject.Submit(r), s, marshal(t, r)); err != nil {
			t.Fatal(err)
		}
	}
	if a := b.submit(newReport()); a.Sequence != 1 {
		t.Errorf("a report of the same agency afterwards: %+v", a)
	}
	if n := g.Metrics().ForeignReply.Load(); n != 3 {
		t.Errorf("counted %d, want 3", n)
	}
	eventually(t, "three are recorded", func() bool { return g.Metrics().Recorded.Load() == 3 })
	if len(heard) > 0 {
		t.Errorf("answered on %s", (<-heard).Subject)
	}
	if n := len(b.reports()); n != 1 {
		t.Errorf("stored %d, want 1", n)
	}
}

// A revision with another subject and its tombstone are one commit, tombstone first.
func TestMovedReport(t *testing.T) {
	b := newBed(t, -1)
	b.start(nil)
	r := newReport()
	b.submit(r)
	old := subject.Submit(r)
	r.Revision, r.Places = 2, []*wf.Place{{CountyFips: "28047", State: "MS"}}
	if a := b.submit(r); a.Error != nil || a.Sequence != 3 {
		t.Fatalf("moved: %+v", a)
	}
	got := b.reports()
	if len(got) != 3 || got[1].rec.Event != admission.Moved || got[1].subject != got[0].subject || len(got[1].data) != 0 {
		t.Fatalf("stored %+v, want the report, its tombstone on the old subject, and the new one", got)
	}
	if got[2].rec.Event != admission.Admitted || got[2].subject == got[0].subject || got[1].rec.Hash == got[2].rec.Hash {
		t.Errorf("after %s: %+v", old, got[2])
	}
	if got[1].batch == "" || got[1].batch != got[2].batch {
		t.Errorf("tombstone in batch %q, report in %q: want one commit", got[1].batch, got[2].batch)
	}
}

func TestWithdrawalOfAnUnknownReport(t *testing.T) {
	b := newBed(t, -1)
	b.start(nil)
	r := newReport()
	if a := b.submit(report.Withdraw(r, 5, time.Now())); a.Error != nil || a.Sequence != 1 {
		t.Fatalf("withdrawal: %+v", a)
	}
	if a := b.submit(r); !a.Superseded {
		t.Errorf("the report afterwards: %+v, want superseded", a)
	}
}

// What is sent in one order by one sender is stored in that order.
func TestOrderPerSender(t *testing.T) {
	b := newBed(t, -1)
	b.start(nil)
	const n = 3000
	var want []string
	for range n {
		r := newReport()
		want = append(want, r.Id)
		if _, err := b.js.PublishAsync(subject.Submit(r), marshal(t, r)); err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-b.js.PublishAsyncComplete():
	case <-time.After(30 * time.Second):
		t.Fatal("not acknowledged after 30 s")
	}
	var got []string
	for _, m := range b.reports() {
		got = append(got, m.rec.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("stored %d reports in another order than sent", len(got))
	}
}

// Many senders of the same report at once: one is stored, all get its sequence.
func TestDuplicatesInOneCommit(t *testing.T) {
	b := newBed(t, -1)
	b.start(nil)
	r := newReport()
	data, subj := marshal(t, r), subject.Submit(r)
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if a := b.submitBytes(subj, data); a.Sequence != 1 {
				t.Errorf("answer %+v, want sequence 1", a)
			}
		})
	}
	wg.Wait()
	if n := len(b.reports()); n != 1 {
		t.Errorf("stored %d times", n)
	}
}

// Stopping answers everything taken and loses nothing; a new guard continues.
func TestStopInOrder(t *testing.T) {
	b := newBed(t, -1)
	g := b.start(nil)
	l := newLoad(b, 40)
	l.run(500 * time.Millisecond)
	if err := g.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	g2 := b.start(nil)
	l.stop()
	l.verify()
	eventually(t, "the new guard knows what the stream holds", func() bool {
		return g2.Metrics().Reports.Load() == uint64(len(b.reports()))
	})
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("after 10 s: not so: %s", what)
}
