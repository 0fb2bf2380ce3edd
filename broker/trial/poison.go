package trial

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// poison: a stream that drops duplicates by the sender's header would drop the
// report of whoever comes second with the same one (T4).
func (t *trial) poison(ctx context.Context) error {
	for _, c := range t.cfg.Policy.Cells {
		var pair []string
		for _, a := range t.cfg.Policy.AgenciesOf(c.Name) {
			if t.cfg.Policy.MaySubmit(a, c.Name, wf.Status_STATUS_TEST, wf.Kind_KIND_INCIDENT) {
				pair = append(pair, a)
			}
		}
		if len(pair) < 2 {
			t.note("fewer than two agencies may submit test incidents to %s: no identifiers to poison there", c.Name)
			continue
		}
		if err := t.poisonOf(ctx, c, pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

func (t *trial) poisonOf(ctx context.Context, c policy.Cell, first, second string) error {
	id := "trial-" + uuid.NewString()
	var acks []ack
	for _, agency := range []string{first, second} {
		a, err := t.submits(ctx, c, agency, id)
		if err != nil {
			return fmt.Errorf("%s submits to %s: %w", agency, c.Name, err)
		}
		acks = append(acks, a)
	}
	out := Attempt{
		Trap: "T4", Principal: "agency/" + first, Cell: c.Name, Action: "poison", Subject: "the Nats-Msg-Id of agency/" + second, Where: "twin",
		Outcome: Refused, Answer: fmt.Sprintf("both are stored, at %d and %d", acks[0].Sequence, acks[1].Sequence), Why: "the guard knows a report by its agency and identity",
	}
	if acks[1].Duplicate || acks[1].Sequence <= acks[0].Sequence {
		out.Outcome, out.Why = Leak, "the second is taken for the first"
	}
	t.tell(out)
	return nil
}

type ack struct {
	Sequence  uint64          `json:"seq"`
	Duplicate bool            `json:"duplicate"`
	Error     json.RawMessage `json:"error"`
}

func (t *trial) submits(ctx context.Context, c policy.Cell, agency, id string) (ack, error) {
	cred, err := t.twin.Issue(account.Request{Principal: account.Agency(agency), Cell: c.Name, User: user})
	if err != nil {
		return ack{}, err
	}
	k, err := dial(cred)
	if err != nil {
		return ack{}, err
	}
	defer k.close()
	r := incident(c, agency)
	data, err := proto.Marshal(r)
	if err != nil {
		return ack{}, err
	}
	m, err := k.nc.RequestMsgWithContext(ctx, &nats.Msg{Subject: subject.Submit(r), Data: data, Header: nats.Header{"Nats-Msg-Id": {id}}})
	if err != nil {
		return ack{}, err
	}
	var a ack
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return ack{}, err
	}
	if len(a.Error) > 0 {
		return ack{}, fmt.Errorf("refused: %.300s", a.Error)
	}
	return a, nil
}

// incident is the least report that a guard admits.
func incident(c policy.Cell, agency string) *wf.Report {
	now := time.Now()
	return &wf.Report{
		Id: uuid.Must(uuid.NewV7()).String(), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE, Agency: agency, Record: "trial",
		Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_TEST, Label: c.Label.Proto(), RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT,
		EventTime: &wf.TimeRange{Start: timestamppb.New(now.Add(-time.Hour))}, ReportTime: timestamppb.New(now),
		SourceReliability: wf.SourceReliability_SOURCE_RELIABILITY_B, InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Severity: wf.Severity_SEVERITY_MINOR, Title: "Trial", Narrative: "A trial of the broker.", Language: "en-US", SourceFormat: "native",
		Body: &wf.Report_Incident{Incident: &wf.Incident{Type: "trial"}},
	}
}
