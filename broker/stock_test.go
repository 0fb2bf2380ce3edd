package broker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func newReport(agency string) *wf.Report {
	now := time.Now()
	return &wf.Report{
		Id: uuid.Must(uuid.NewV7()).String(), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: agency, Record: "26-000001", Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_ACTUAL,
		Label:       &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
		RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT,
		EventTime:   &wf.TimeRange{Start: timestamppb.New(now.Add(-time.Hour))}, ReportTime: timestamppb.New(now),
		Places:                 []*wf.Place{{CountyFips: "28049", State: "MS"}},
		SourceReliability:      wf.SourceReliability_SOURCE_RELIABILITY_B,
		InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Severity:               wf.Severity_SEVERITY_MODERATE,
		Title:                  "Vehicle against the gate", Narrative: "A vehicle struck the north gate and left.",
		Language: "en-US", SourceFormat: "native",
		Body: &wf.Report_Incident{Incident: &wf.Incident{Type: "hit and run"}},
	}
}

// stock signs in as a stranger would: nats.go, a credentials file and the
// inbox prefix of the context file.
func stock(t *testing.T, c account.Credential, name string) jetstream.JetStream {
	t.Helper()
	creds, contextFile, err := c.WriteFiles(t.TempDir(), name)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{creds, contextFile} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", path, info.Mode(), err)
		}
	}
	data, err := os.ReadFile(contextFile)
	if err != nil {
		t.Fatal(err)
	}
	var ctx struct {
		URL         string `json:"url"`
		Creds       string `json:"creds"`
		InboxPrefix string `json:"inbox_prefix"`
	}
	if err := json.Unmarshal(data, &ctx); err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(ctx.URL, nats.UserCredentials(ctx.Creds), nats.CustomInboxPrefix(ctx.InboxPrefix))
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

func publish(t *testing.T, js jetstream.JetStream, r *wf.Report) *jetstream.PubAck {
	t.Helper()
	data, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ack, err := js.Publish(ctx, subject.Submit(r), data)
	if err != nil {
		t.Fatal(err)
	}
	return ack
}

// next fetches and acknowledges one report of a feed.
func next(t *testing.T, js jetstream.JetStream, reader, feed string, wait time.Duration) *wf.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cons, err := js.Consumer(ctx, subject.Reports, subject.FeedConsumer(reader, feed))
	if err != nil {
		t.Fatal(err)
	}
	batch, err := cons.Fetch(1, jetstream.FetchMaxWait(wait))
	if err != nil {
		t.Fatal(err)
	}
	m, ok := <-batch.Messages()
	if !ok {
		return nil
	}
	if err := m.DoubleAck(ctx); err != nil {
		t.Fatalf("acknowledge: %v", err)
	}
	var r wf.Report
	if err := proto.Unmarshal(m.Data(), &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func TestStockClientPublishesAndFollows(t *testing.T) {
	b := brokertest.Start(t)
	js := stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi")
	sent := newReport("fbi")
	ack := publish(t, js, sent)
	if ack.Stream != subject.Reports || ack.Sequence == 0 || ack.Duplicate {
		t.Errorf("got %+v, want a first acknowledgement", ack)
	}
	if again := publish(t, js, sent); again.Sequence != ack.Sequence || !again.Duplicate {
		t.Errorf("the same again: got %+v, want the first acknowledgement", again)
	}
	own := stock(t, brokertest.Credential(t, b, "watch-le", "le"), "watch-le")
	if got := next(t, own, "watch-le", "all", 5*time.Second); !proto.Equal(got, sent) {
		t.Errorf("watch-le: got %v, want what was sent", got)
	}
	up := stock(t, brokertest.Credential(t, b, "watch-noc", "le"), "watch-noc")
	if got := next(t, up, "watch-noc", "all", 5*time.Second); !proto.Equal(got, sent) {
		t.Errorf("watch-noc, reading down: got %v, want what was sent", got)
	}
}

// An originator-controlled report is read upward only by the cells it names.
func TestOrconIsReadByNamedCells(t *testing.T) {
	b := brokertest.Start(t)
	js := stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi")
	sent := newReport("fbi")
	sent.Label.Controls, sent.Label.OrconCells = []wf.Control{wf.Control_CONTROL_ORCON}, []string{"fused-s"}
	publish(t, js, sent)
	for reader, reads := range map[string]bool{"watch-le": true, "watch-fused-s": true, "watch-noc": false} {
		c := stock(t, brokertest.Credential(t, b, reader, "le"), reader)
		wait := 5 * time.Second
		if !reads {
			wait = 300 * time.Millisecond
		}
		if got := next(t, c, reader, "all", wait); (got != nil) != reads {
			t.Errorf("%s reads it: got %v, want %v", reader, got != nil, reads)
		}
	}
}

// Only who is cleared signs in below: the intelligence side has no credential
// for the law enforcement side at all, nor the other way round.
func TestNoCredentialAcross(t *testing.T) {
	b := brokertest.Start(t, brokertest.WithoutGuards())
	for _, pair := range [][2]string{{"watch-le", "intel"}, {"watch-intel", "le"}, {"watch-le", "fused"}, {"watch-open", "le"}, {"worker/le", "intel"}, {"fbi", "open"}} {
		if _, err := b.Credential(pair[0], pair[1]); err == nil {
			t.Errorf("%s has a credential in %s", pair[0], pair[1])
		}
	}
	for i, name := range []string{"*", ">", "a.b", "", "{{name()}}", "A"} {
		_, err := b.Issue(account.Request{Principal: account.Agency("fbi"), Cell: "le", User: name})
		if (err == nil) != (name == "") {
			t.Errorf("user %d, %q: got %v", i, name, err)
		}
	}
}

// T2 and T22: the reader's own consumer works with both forms of
// acknowledgement; another's does not answer.
func TestOwnConsumerOnly(t *testing.T) {
	b := brokertest.Start(t, brokertest.WithoutGuards(), brokertest.Root())
	k := brokertest.NewClient(t, brokertest.Credential(t, b, "watch-le", "le"))
	for consumer, own := range map[string]bool{
		subject.FeedConsumer("watch-le", "all"): true, subject.FeedConsumer("feed-le", "all"): false,
		subject.WorkerConsumer("le", wf.Status_STATUS_ACTUAL, subject.Open): false, subject.WorkerConsumer("fused", wf.Status_STATUS_ACTUAL, subject.Open): false,
	} {
		for _, s := range []string{"$JS.API.CONSUMER.INFO.REPORTS.%s", "$JS.ACK.REPORTS.%s.1.1.1.1.0", "$JS.ACK._.x.REPORTS.%s.1.1.1.1.0.r"} {
			denied, _, err := k.Try(brokertest.Call{Subject: fmt.Sprintf(s, consumer), Silent: true})
			if err != nil || denied == own {
				t.Errorf("watch-le on "+s+": refused %v, %v", consumer, denied, err)
			}
		}
	}
}
