package report_test

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) *timestamppb.Timestamp { return timestamppb.New(now.Add(d)) }

// sampleSAR is a report with something in every part, as an agency would send it.
func sampleSAR() *wf.Report {
	return &wf.Report{
		Id: report.RecordID("jackson-pd", "26-000123"), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: "jackson-pd", Record: "26-000123", Kind: wf.Kind_KIND_SAR, Status: wf.Status_STATUS_EXERCISE,
		Label: &wf.Label{
			Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}, Controls: []wf.Control{wf.Control_CONTROL_LES, wf.Control_CONTROL_ORCON},
			OrconCells: []string{"fused"}, Tlp: wf.Tlp_TLP_AMBER, Original: "CUI//LES",
		},
		RecordClass: wf.RecordClass_RECORD_CLASS_SAR,
		EventTime:   &wf.TimeRange{Start: at(-2 * time.Hour), End: at(-time.Hour)},
		ReportTime:  at(-30 * time.Minute), Expires: at(90 * 24 * time.Hour),
		Places: []*wf.Place{{
			Point: &wf.Point{Latitude: 32.2988, Longitude: -90.1848}, RadiusM: 50, UncertaintyM: 20, CountyFips: "28049", State: "MS",
			Name: "Water treatment plant, north gate", Role: wf.PlaceRole_PLACE_ROLE_TARGET,
			Address: &wf.Address{Number: "2302", Street: "river bend road", City: "jackson", State: "ms", Postcode: "39202", Country: "us"},
		}},
		SourceReliability:      wf.SourceReliability_SOURCE_RELIABILITY_B,
		InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Lineage:                &wf.Lineage{Originator: "hinds-so", OriginatorRecord: "T-88", Path: []string{"hinds-so"}},
		Severity:               wf.Severity_SEVERITY_MODERATE,
		Title:                  "Repeated photography of the intake",
		Narrative:              strings.Repeat("A grey pickup stopped at the north gate; the driver photographed the intake. ", 6),
		Entities: []*wf.Entity{
			{
				Role:        wf.EntityRole_ENTITY_ROLE_SUBJECT,
				Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: "+16015550123"}},
				Detail: &wf.Entity_Person{Person: &wf.Person{
					Names: []*wf.PersonName{{Given: "Alex", Family: "Doe"}}, Birth: &wf.PartialDate{Year: 1985, Month: 2}, Age: 41, Sex: "M",
				}},
			},
			{
				Role: wf.EntityRole_ENTITY_ROLE_SUBJECT,
				Identifiers: []*wf.Identifier{
					{Type: wf.IdentifierType_IDENTIFIER_TYPE_PLATE, Value: "HNB4421", Issuer: "US-MS"},
					{Type: wf.IdentifierType_IDENTIFIER_TYPE_VIN, Value: "1M8GDM9AXKP042788"},
				},
				Detail: &wf.Entity_Vehicle{Vehicle: &wf.Vehicle{Make: "Ford", Model: "F-150", Color: "grey", Year: 2019}},
			},
		},
		References: []*wf.Reference{{Type: wf.ReferenceType_REFERENCE_TYPE_RELATED, Record: "26-000101", Agency: "jackson-pd", Relationship: "related"}},
		Tearlines: []*wf.Tearline{{
			Id: "t1", Label: &wf.Label{Level: wf.Level_LEVEL_UNCLASSIFIED}, Text: "Utilities should watch for photography of water intakes.",
		}},
		Language: "en-US", SourceFormat: "native",
		Body: &wf.Report_Sar{Sar: &wf.Sar{
			Behaviors:     []wf.Behavior{wf.Behavior_BEHAVIOR_PHOTOGRAPHY, wf.Behavior_BEHAVIOR_SURVEILLANCE},
			Circumstances: []string{"Third visit in a week, each at shift change."},
			TargetSector:  "WATR", TipClass: "SPCSA", TipDomain: "G", TargetName: "OB Curtis plant",
			PrivacyInformationExists: true, NatureOfSource: "trained interviewer", PrivacyPurgeDate: at(5 * 365 * 24 * time.Hour),
		}},
	}
}
