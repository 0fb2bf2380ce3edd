package producers_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/producers"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// An agency reports an incident and learns what became of it.
func Example() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	client, err := producers.Connect(ctx, "nats://127.0.0.1:4222", "jackson-pd", producers.WithCredentials("jackson-pd.creds"))
	if err != nil {
		log.Print(err)
		return
	}
	defer client.Close()

	report := &wf.Report{
		Id: uuid.Must(uuid.NewV7()).String(), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: "jackson-pd", Record: "26-000123", Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_ACTUAL,
		Label:       &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
		RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT,
		EventTime:   &wf.TimeRange{Start: timestamppb.Now()}, ReportTime: timestamppb.Now(),
		Places:            []*wf.Place{{CountyFips: "28049", State: "MS"}},
		SourceReliability: wf.SourceReliability_SOURCE_RELIABILITY_B, InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Severity: wf.Severity_SEVERITY_MODERATE, Title: "Vehicle against the north gate",
		Body: &wf.Report_Incident{Incident: &wf.Incident{Type: "collision"}},
	}
	ack, err := client.Publish(ctx, report)
	var refused *producers.Refused
	switch {
	case errors.As(err, &refused):
		fmt.Println("fix the report:", refused)
	case err != nil:
		fmt.Println("send it again later:", err)
	default:
		fmt.Println("on disk at", ack.Sequence)
	}
}
