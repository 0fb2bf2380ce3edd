//go:build linux

package durability

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// message is a report on its way.
type message struct {
	Sent
	subject string
	data    []byte
	refused bool // it breaks a rule, and must be answered so
	pushed  bool // its sender was told to try again
}

var counties = []string{"28049", "28047", "28121", "28035", "28059", "28033"}

// compose makes the nth message of an agency: mostly new reports, of which three
// each share a telephone; every eighth a higher revision in another county (its
// old subject gets a tombstone), every thirteenth a withdrawal, every fortieth a
// report that the guard must refuse.
func compose(agency string, n int, begin time.Time) message {
	about, revision, withdrawn := n, uint64(1), false
	switch {
	case n%8 == 7:
		about, revision = n-5, 2
	case n%13 == 12:
		about, revision, withdrawn = n-9, 3, true
	}
	cell := agencies[agency]
	record := fmt.Sprintf("%d-%d-%s", begin.UnixNano(), about, padding)
	id := report.RecordID(agency, record)
	r := incident(agency, cell, id, begin)
	r.Revision, r.State, r.Record = revision, wf.ReportState_REPORT_STATE_ACTIVE, record
	r.Places = []*wf.Place{{CountyFips: counties[(about+int(revision))%len(counties)], State: "MS"}}
	r.Title = fmt.Sprintf("Number %d of %s", about, agency)
	r.Entities = []*wf.Entity{{
		Role:        wf.EntityRole_ENTITY_ROLE_SUBJECT,
		Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: fmt.Sprintf("+1601%07d", 2000000+about/3)}},
	}}
	if withdrawn {
		r = report.Withdraw(r, revision, begin)
	}
	m := message{refused: revision == 1 && n%40 == 20}
	if m.refused {
		r.ReportTime = nil
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil {
		panic(err)
	}
	m.data, m.subject = data, subject.Submit(r)
	m.Key = Key{Cell: cell, Agency: agency, ID: id, Revision: revision}
	m.Digest, m.First, m.Last = sha256.Sum256(data), uint64(n), uint64(n)
	return m
}

// padding makes frames long: every member of a situation is named by its record.
var padding = strings.Repeat("x", 700)

// narrative makes reports as long as real ones, and blocks of the store full sooner.
var narrative = strings.Repeat("Nothing else was seen. ", 60)

func incident(agency, cell, id string, begin time.Time) *wf.Report {
	label := &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}}
	if cell == "open" {
		label = &wf.Label{Level: wf.Level_LEVEL_UNCLASSIFIED}
	}
	return &wf.Report{
		Id: id, Agency: agency, Kind: wf.Kind_KIND_INCIDENT, Status: actual, Label: label, RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT,
		EventTime: &wf.TimeRange{Start: timestamppb.New(begin.Add(-time.Hour))}, ReportTime: timestamppb.New(begin),
		SourceReliability: wf.SourceReliability_SOURCE_RELIABILITY_B, InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Narrative: narrative, Severity: wf.Severity_SEVERITY_MODERATE, Language: "en-US", SourceFormat: "native",
		Body: &wf.Report_Incident{Incident: &wf.Incident{Type: "collision"}},
	}
}
