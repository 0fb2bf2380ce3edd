package admitbench

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	cell   = "le"
	agency = "jackson-pd"
)

// payload makes encoded reports that differ in their id alone.
type payload struct {
	subject string
	data    []byte
	id      int // offset of the id
	n       uint64
	epoch   uint64
}

func newPayload(now time.Time) (*payload, error) {
	const id = "01890000-0000-7000-8000-000000000000"
	r := &wf.Report{
		Id: id, Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE, Agency: agency, Record: "26-000123",
		Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_EXERCISE,
		Label:       &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}, Controls: []wf.Control{wf.Control_CONTROL_LES}},
		RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT,
		EventTime:   &wf.TimeRange{Start: timestamppb.New(now.Add(-time.Hour)), End: timestamppb.New(now.Add(-30 * time.Minute))},
		ReportTime:  timestamppb.New(now),
		Places: []*wf.Place{{
			Point: &wf.Point{Latitude: 32.2988, Longitude: -90.1848}, UncertaintyM: 20, CountyFips: "28049", State: "MS",
			Name: "Water treatment plant, north gate", Role: wf.PlaceRole_PLACE_ROLE_EVENT,
		}},
		SourceReliability: wf.SourceReliability_SOURCE_RELIABILITY_B, InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Severity: wf.Severity_SEVERITY_MODERATE, Title: "Repeated photography of the intake",
		Narrative: strings.Repeat("A grey pickup stopped at the north gate; the driver photographed the intake. ", 3),
		Entities: []*wf.Entity{{
			Role: wf.EntityRole_ENTITY_ROLE_SUBJECT,
			Identifiers: []*wf.Identifier{
				{Type: wf.IdentifierType_IDENTIFIER_TYPE_PLATE, Value: "HNB4421", Issuer: "US-MS"},
				{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: "+16015550123"},
			},
			Detail: &wf.Entity_Vehicle{Vehicle: &wf.Vehicle{Make: "Ford", Model: "F-150", Color: "grey", Year: 2019}},
		}},
		Language: "en-US", SourceFormat: "native",
		Body: &wf.Report_Incident{Incident: &wf.Incident{Type: "suspicious vehicle"}},
	}
	data, err := proto.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode report: %w", err)
	}
	at := bytes.Index(data, []byte(id))
	if at < 0 {
		return nil, fmt.Errorf("encode report: the id is not in it")
	}
	return &payload{subject: subject.Submit(r), data: data, id: at, epoch: uint64(now.UnixMilli())}, nil
}

// next is a fresh report.
func (p *payload) next() []byte {
	p.n++
	out := slices.Clone(p.data)
	id := out[p.id : p.id+36]
	var b [8]byte
	for i := range 6 {
		b[i] = byte(p.epoch >> (8 * (5 - i)))
	}
	hex.Encode(id[0:8], b[0:4])
	hex.Encode(id[9:13], b[4:6])
	for i := range 6 {
		b[i] = byte(p.n >> (8 * (5 - i)))
	}
	hex.Encode(id[24:36], b[0:6])
	return out
}

// sample is one round: how many per second, and the latencies.
type sample struct {
	rate      float64
	latencies []time.Duration
	processor time.Duration
}

// round publishes for d with n in flight.
func round(nc *nats.Conn, subj string, p *payload, n int, d time.Duration) (sample, error) {
	if n == 1 {
		return sequential(nc, subj, p, d)
	}
	return windowed(nc, subj, p, n, d)
}

// sequential is one caller of js.Publish.
func sequential(nc *nats.Conn, subj string, p *payload, d time.Duration) (sample, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return sample{}, err
	}
	var s sample
	ctx := context.Background()
	start := time.Now()
	for time.Since(start) < d {
		at := time.Now()
		if _, err := js.Publish(ctx, subj, p.next()); err != nil {
			return sample{}, fmt.Errorf("publish: %w", err)
		}
		s.latencies = append(s.latencies, time.Since(at))
	}
	s.rate = float64(len(s.latencies)) / time.Since(start).Seconds()
	return s, nil
}

// windowed is js.PublishAsync with a window of n, as a stock client uses it.
func windowed(nc *nats.Conn, subj string, p *payload, n int, d time.Duration) (sample, error) {
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(n+1))
	if err != nil {
		return sample{}, err
	}
	type flying struct {
		at time.Time
		f  jetstream.PubAckFuture
	}
	window := make(chan flying, n-1)
	var s sample
	failed := make(chan error, 1)
	go func() {
		defer close(failed)
		for x := range window {
			select {
			case <-x.f.Ok():
				s.latencies = append(s.latencies, time.Since(x.at))
			case err := <-x.f.Err():
				failed <- err
				for range window {
				}
				return
			}
		}
	}()
	start := time.Now()
	for time.Since(start) < d {
		at := time.Now()
		f, err := js.PublishAsync(subj, p.next(), jetstream.WithStallWait(30*time.Second))
		if err != nil {
			return sample{}, fmt.Errorf("publish: %w", err)
		}
		window <- flying{at, f}
	}
	close(window)
	if err := <-failed; err != nil {
		return sample{}, fmt.Errorf("publish: %w", err)
	}
	s.rate = float64(len(s.latencies)) / time.Since(start).Seconds()
	return s, nil
}
