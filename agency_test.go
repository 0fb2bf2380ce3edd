package main

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// These tests are the agency SDK against a whole broker. Package producers may
// not import the broker, so they live here.

const sender = "jackson-pd"

func agencyReport() *wf.Report {
	now := time.Now()
	return &wf.Report{
		Id: uuid.Must(uuid.NewV7()).String(), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: sender, Record: "26-1", Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_EXERCISE,
		Label:       &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
		RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT,
		EventTime:   &wf.TimeRange{Start: timestamppb.New(now.Add(-time.Hour))}, ReportTime: timestamppb.New(now),
		Places:            []*wf.Place{{CountyFips: "28049", State: "MS"}},
		SourceReliability: wf.SourceReliability_SOURCE_RELIABILITY_B, InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Severity: wf.Severity_SEVERITY_MODERATE, Title: "Gate", Language: "en-US", SourceFormat: "native",
		Body: &wf.Report_Incident{Incident: &wf.Incident{Type: "collision"}},
	}
}

func agencyClient(t *testing.T, b *broker.Broker, opts ...producers.Option) *producers.Client {
	t.Helper()
	c := brokertest.Credential(t, b, sender, "le")
	client, err := producers.Connect(t.Context(), c.URL, sender, append(opts, producers.WithJWT(c.JWT, c.Seed), producers.WithCell("le"))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func TestAgencyPublishes(t *testing.T) {
	b := brokertest.Start(t)
	c := agencyClient(t, b)
	r := agencyReport()
	first, err := c.Publish(t.Context(), r)
	if err != nil || first.Sequence == 0 || first.Duplicate {
		t.Fatalf("publish: %+v, %v", first, err)
	}
	again, err := c.Publish(t.Context(), r)
	if err != nil || again.Sequence != first.Sequence || !again.Duplicate {
		t.Errorf("the same report again: %+v, %v", again, err)
	}
	r.Title = "Other words"
	var refused *producers.Refused
	if _, err = c.Publish(t.Context(), r); !errors.As(err, &refused) || !refused.Has(admission.Conflict) {
		t.Errorf("other words, same revision: %v, want a conflict", err)
	}
	r = agencyReport()
	r.Label.Level = wf.Level_LEVEL_SECRET
	if _, err = c.Publish(t.Context(), r); !errors.As(err, &refused) || !refused.Has(admission.LabelAboveCell) {
		t.Errorf("above the cell: %v", err)
	}
	r = agencyReport()
	r.Agency = "fbi"
	if _, err = c.Publish(t.Context(), r); !errors.As(err, &refused) || !refused.Has(admission.AgencyMismatch) {
		t.Errorf("as another agency: %v", err)
	}
	if err := c.Drain(t.Context()); err != nil {
		t.Errorf("drain: %v", err)
	}
}

// The credential decides, not the program: it permits no hazards.
func TestAgencyIsNotPermitted(t *testing.T) {
	b := brokertest.Start(t)
	c := agencyClient(t, b)
	r := agencyReport()
	r.Kind, r.RecordClass = wf.Kind_KIND_HAZARD, wf.RecordClass_RECORD_CLASS_PUBLIC_ALERT
	r.Body = &wf.Report_Hazard{Hazard: &wf.Hazard{Event: "Flood Warning"}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := c.Publish(ctx, r); !errors.Is(err, producers.ErrNotPermitted) {
		t.Fatalf("publish: %v, want %v", err, producers.ErrNotPermitted)
	}
}

func TestAgencyCredentialIsRefused(t *testing.T) {
	b := brokertest.Start(t)
	le, fbi := brokertest.Credential(t, b, sender, "le"), brokertest.Credential(t, b, "fbi", "le")
	if _, err := producers.Connect(t.Context(), le.URL, sender, producers.WithJWT(le.JWT, fbi.Seed)); !errors.Is(err, producers.ErrCredential) {
		t.Errorf("another key's seed: %v, want %v", err, producers.ErrCredential)
	}
	if _, err := producers.Connect(t.Context(), le.URL, sender, producers.WithJWT("nonsense", fbi.Seed)); !errors.Is(err, producers.ErrCredential) {
		t.Errorf("no JWT: %v, want %v", err, producers.ErrCredential)
	}
	if _, err := producers.Connect(t.Context(), "nats://127.0.0.1:1", sender, producers.WithJWT(le.JWT, le.Seed)); !errors.Is(err, producers.ErrUnreachable) {
		t.Errorf("nobody listens: %v, want %v", err, producers.ErrUnreachable)
	}
}

// Drain names exactly the reports that were not acknowledged, in order.
func TestAgencyDrain(t *testing.T) {
	b := brokertest.Start(t)
	c := agencyClient(t, b, producers.WithWindow(64))
	var want []producers.Identity
	for i := range 500 {
		r := agencyReport()
		if i%100 == 7 {
			r.Label.Level = wf.Level_LEVEL_SECRET
			want = append(want, producers.Identity{ID: r.Id, Revision: 1})
		}
		if _, err := c.PublishAsync(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	err := c.Drain(t.Context())
	var un *producers.Unacknowledged
	if !errors.As(err, &un) || len(un.Reports) != len(want) {
		t.Fatalf("drain: %v, want %d reports", err, len(want))
	}
	for i, f := range un.Reports {
		var refused *producers.Refused
		if f.Report != want[i] || !errors.As(f.Err, &refused) {
			t.Errorf("%d: %v: %v, want %v refused", i, f.Report, f.Err, want[i])
		}
	}
	if err := c.Drain(t.Context()); err != nil {
		t.Errorf("drained again: %v", err)
	}
}

// The broker goes away under load and comes back: everything is acknowledged,
// and stored once.
func TestAgencyOutlivesARestart(t *testing.T) {
	port, dir := freePort(t), t.TempDir()
	at := brokertest.With(func(c *broker.Config) { c.Port = port })
	cfg := brokertest.Config(t, brokertest.Dir(dir), at)
	b, err := broker.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := agencyClient(t, b, producers.WithWindow(32))
	const n = 600
	pending := make(chan *producers.Pending, n)
	go func() {
		defer close(pending)
		for range n {
			p, err := c.PublishAsync(context.Background(), agencyReport())
			if err != nil {
				t.Errorf("publish: %v", err)
				return
			}
			pending <- p
			time.Sleep(time.Millisecond)
		}
	}()
	time.Sleep(200 * time.Millisecond)
	b.Close()
	brokertest.Start(t, brokertest.Dir(dir), at)
	seen := map[uint64]string{}
	for p := range pending {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		ack, err := p.Wait(ctx)
		cancel()
		if err != nil {
			t.Fatalf("report %s: %v", p.Report().ID, err)
		}
		if other, twice := seen[ack.Sequence]; twice {
			t.Fatalf("reports %s and %s are both at %d", other, p.Report().ID, ack.Sequence)
		}
		seen[ack.Sequence] = p.Report().ID
	}
	for seq := uint64(1); seq <= n; seq++ {
		if seen[seq] == "" {
			t.Errorf("sequence %d belongs to no report: something is stored twice", seq)
		}
	}
	if err := c.Drain(t.Context()); err != nil {
		t.Errorf("drain: %v", err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
