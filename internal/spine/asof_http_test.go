package spine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// leReport is an actual report of the LE side whose record is the canary.
func leReport(agency, record string) *wf.Report {
	now := time.Now().Add(-time.Minute).Truncate(time.Second)
	return &wf.Report{
		Id: uuid.Must(uuid.NewV7()).String(), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE, Agency: agency, Record: record,
		Kind: wf.Kind_KIND_SAR, Status: wf.Status_STATUS_ACTUAL, RecordClass: wf.RecordClass_RECORD_CLASS_SAR,
		Label:     &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
		EventTime: &wf.TimeRange{Start: timestamppb.New(now)}, ReportTime: timestamppb.New(now),
		Places:   []*wf.Place{{CountyFips: "28049", State: "MS"}},
		Entities: []*wf.Entity{{Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: fmt.Sprintf("+16015550%03d", 100+len(record))}}}},
		Body: &wf.Report_Sar{Sar: &wf.Sar{Behaviors: []wf.Behavior{wf.Behavior_BEHAVIOR_PHOTOGRAPHY},
			Circumstances: []string{"Twice within a week."}}},
	}
}

// As of T over HTTP and by the SDK, on a whole floor: what was shown, in the
// cell of the report and above it and nowhere else; and after a purge the same
// time without the report, by name of what is missing.
func TestAsOfOverHTTP(t *testing.T) {
	dir := t.TempDir()
	s, err := spine.Start(t.Context(), spine.Config{
		Policy: policy.Default(), DataDir: filepath.Join(dir, "data"), KeysDir: filepath.Join(dir, "keys"), Port: -1, HTTPPort: -1,
		Clock: worker.Wall, Statuses: []wf.Status{wf.Status_STATUS_ACTUAL}, Version: "test",
		Broker: func(c *broker.Config) { brokertest.Root()(c) },
	})
	must(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_ = s.Close(ctx)
	})
	cells := map[string]spine.Cell{}
	for _, c := range s.Cells() {
		cells[c.Name] = c
	}
	a := &agencies{t, s, map[string]jetstream.JetStream{}}
	marked := leReport("jackson-pd", canary)
	a.publish("le", marked)
	a.publish("le", leReport("hinds-so", "26-1"))
	settle, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	must(t, s.Settled(settle))
	at := time.Now()
	body := func(cell, path string, want int) string {
		t.Helper()
		resp := ask(t, cells[cell], path)
		data, err := io.ReadAll(resp.Body)
		must(t, err)
		if resp.StatusCode != want {
			t.Fatalf("%s of %s: %d %s, want %d", path, cell, resp.StatusCode, data, want)
		}
		return string(data)
	}
	asOf := "?as_of=" + url.QueryEscape(at.UTC().Format(time.RFC3339Nano))
	for _, cell := range []string{"le", "fused", "fused-s"} {
		if text := body(cell, "/v1/snapshot"+asOf, 200); !strings.Contains(text, canary) || !strings.Contains(text, `"origin":"frames"`) {
			t.Errorf("%s before the purge: %.300s", cell, text)
		}
	}
	for _, cell := range []string{"open", "intel", "intel-s"} {
		if text := body(cell, "/v1/snapshot"+asOf, 404); strings.Contains(text, "jackson") || strings.Contains(text, time.Now().UTC().Format("2006-01-02")) {
			t.Errorf("%s, which may read none of it, says %s", cell, text)
		}
	}
	client := sdk(t, s, cells["le"])
	shownThen, err := client.SnapshotAsOf(t.Context(), wf.Status_STATUS_ACTUAL, at)
	must(t, err)
	again, err := client.ReplayAsOf(t.Context(), wf.Status_STATUS_ACTUAL, at)
	must(t, err)
	if string(shownThen.GetDigest()) != string(again.GetDigest()) || again.GetAsOf().GetOrigin() != wf.Origin_ORIGIN_REPLAY || len(again.GetCheckpoint()) == 0 {
		t.Errorf("by frames %x, by replay %x", shownThen.GetDigest(), again.GetDigest())
	}
	kept := body("le", "/v1/snapshot"+asOf+"&page_size=1", 200)

	purgeStored(t, s, marked)
	follower := s.Picture("le", wf.Status_STATUS_ACTUAL)
	until(t, follower, "the purge", func(p *snapshot.Picture) bool { return p.Purged() == 1 })
	// At once, while frames still hold it, and again when they are erased.
	for _, erased := range []uint64{0, 1} {
		until(t, follower, "the frames' state", func(p *snapshot.Picture) bool { return p.Erased() >= erased })
		for _, path := range []string{"/v1/snapshot" + asOf, "/v1/snapshot.geojson" + asOf, "/v1/snapshot"} {
			if text := body("le", path, 200); strings.Contains(text, canary) {
				t.Errorf("%s still shows the purged report", path)
			}
		}
		if text := body("le", "/v1/snapshot"+asOf, 200); !strings.Contains(text, `"origin":"replay"`) || !strings.Contains(text, `"report_id":"`+marked.GetId()+`"`) || !strings.Contains(text, `"removed_since":"1"`) {
			t.Errorf("after the purge, erased %d: %.400s", erased, text)
		}
	}
	var page struct {
		Next string `json:"next_page_token"`
	}
	must(t, json.Unmarshal([]byte(kept), &page))
	if page.Next == "" {
		t.Fatal("one page holds the picture: this test shows too little")
	}
	body("le", "/v1/snapshot?page_size=1&page_token="+page.Next, 410)
	then, err := client.SnapshotAsOf(t.Context(), wf.Status_STATUS_ACTUAL, at)
	must(t, err)
	if p := then.GetAsOf().GetPurges(); len(p) != 1 || p[0].GetAgency() != "jackson-pd" || then.GetReports() != 1 {
		t.Errorf("the SDK says %v of %d reports", p, then.GetReports())
	}
}

func sdk(t *testing.T, s *spine.Spine, c spine.Cell) *consumers.Client {
	t.Helper()
	cred, err := s.Broker().Credential(c.Reader, c.Name)
	must(t, err)
	client, err := consumers.Connect(t.Context(), cred.URL, consumers.WithUser(cred.JWT, cred.Seed), consumers.WithInboxPrefix(cred.InboxPrefix),
		consumers.WithCell(c.Name), consumers.WithAPI(c.URL, c.Token))
	must(t, err)
	t.Cleanup(client.Close)
	return client
}

// purgeStored records the purge of a report and deletes its bytes.
func purgeStored(t *testing.T, s *spine.Spine, x *wf.Report) {
	t.Helper()
	js, err := jetstream.New(brokertest.Dial(t, brokertest.AsRoot(t, s.Broker(), "le")))
	must(t, err)
	stream, err := js.Stream(t.Context(), subject.Reports)
	must(t, err)
	for seq := uint64(1); seq <= stream.CachedInfo().State.LastSeq; seq++ {
		m, err := stream.GetMsg(t.Context(), seq)
		must(t, err)
		if !strings.Contains(string(m.Data), x.GetId()) {
			continue
		}
		rec := admission.Record{Event: admission.Purged, ID: x.GetId(), Revision: x.GetRevision(), Received: time.Now(), Rule: "retention@test"}
		_, err = js.PublishMsg(t.Context(), &nats.Msg{Subject: s.Broker().Inlet("le", subject.Reports).Of(m.Subject), Header: nats.Header{admission.Header: {rec.Encode()}}})
		must(t, err)
		must(t, stream.SecureDeleteMsg(t.Context(), seq))
	}
}
