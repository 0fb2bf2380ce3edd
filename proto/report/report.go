// Package report says what a report is: its identity, what makes it valid, the
// normal form of its identifiers, and what is left of it when it is withdrawn.
//
// It judges everything that can be judged without a policy: [Decode] the bytes,
// [Validate] the message. It knows no cell and no agency list, reads no clock
// (the time comes in as a value) and changes nothing: what is not in normal
// form is refused, never repaired.
package report

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// MaxSize is the largest encoded report in bytes.
const MaxSize = 1 << 20

// MaxRevision is the highest revision: it stays exact in every JSON reader.
const MaxRevision = 1<<53 - 1

// Limits are the bounds of Validate that a policy may set. A zero field takes
// the value of [DefaultLimits]; there is no way to say "unlimited".
type Limits struct {
	// MaxSkew is how far report_time may lie in the future: the clocks differ.
	MaxSkew time.Duration
	// MaxAhead is how far event times may lie in the future: forecasts and plans.
	MaxAhead time.Duration
	// MaxReasons bounds the list of reasons; one more says how many were left out.
	MaxReasons int
}

// DefaultLimits are the limits of a policy that sets none.
func DefaultLimits() Limits {
	return Limits{MaxSkew: 5 * time.Minute, MaxAhead: 2 * 366 * 24 * time.Hour, MaxReasons: 64}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	if l.MaxSkew <= 0 {
		l.MaxSkew = d.MaxSkew
	}
	if l.MaxAhead <= 0 {
		l.MaxAhead = d.MaxAhead
	}
	if l.MaxReasons <= 0 {
		l.MaxReasons = d.MaxReasons
	}
	return l
}

// KindOf is the kind that the body of r says; unspecified without a body.
func KindOf(r *wf.Report) wf.Kind {
	switch r.GetBody().(type) {
	case *wf.Report_Sar:
		return wf.Kind_KIND_SAR
	case *wf.Report_Threat:
		return wf.Kind_KIND_THREAT
	case *wf.Report_Hazard:
		return wf.Kind_KIND_HAZARD
	case *wf.Report_Cyber:
		return wf.Kind_KIND_CYBER
	case *wf.Report_Incident:
		return wf.Kind_KIND_INCIDENT
	case *wf.Report_Asset:
		return wf.Kind_KIND_ASSET
	case *wf.Report_Resource:
		return wf.Kind_KIND_RESOURCE
	case *wf.Report_Bulletin:
		return wf.Kind_KIND_BULLETIN
	}
	return wf.Kind_KIND_UNSPECIFIED
}

// Withdraw makes the revision that takes r back. It keeps the identity, kind,
// status, label, record class and times, and of the places only county and
// state, so that the withdrawal goes to the same subject. It shares no memory
// with r except the label's words.
func Withdraw(r *wf.Report, revision uint64, at time.Time) *wf.Report {
	w := &wf.Report{
		Id: r.GetId(), Revision: revision, State: wf.ReportState_REPORT_STATE_WITHDRAWN,
		Agency: r.GetAgency(), Record: r.GetRecord(), Kind: r.GetKind(), Status: r.GetStatus(),
		Label: bareLabel(r.GetLabel()), RecordClass: r.GetRecordClass(),
		EventTime: copyRange(r.GetEventTime()), ReportTime: timestamppb.New(at),
		SourceFormat: r.GetSourceFormat(),
	}
	for _, p := range r.GetPlaces() {
		if p.GetCountyFips() != "" || p.GetState() != "" {
			w.Places = append(w.Places, &wf.Place{CountyFips: p.GetCountyFips(), State: p.GetState()})
		}
	}
	return w
}

// bareLabel is the label without the source's own words, which are content.
func bareLabel(m *wf.Label) *wf.Label {
	if m == nil {
		return nil
	}
	return &wf.Label{
		Level: m.Level, Sides: m.Sides, Compartments: m.Compartments, Controls: m.Controls,
		ReleasableTo: m.ReleasableTo, Tlp: m.Tlp, OrconCells: m.OrconCells,
	}
}

func copyRange(t *wf.TimeRange) *wf.TimeRange {
	if t == nil {
		return nil
	}
	return &wf.TimeRange{Start: copyTime(t.Start), End: copyTime(t.End)}
}

func copyTime(t *timestamppb.Timestamp) *timestamppb.Timestamp {
	if t == nil {
		return nil
	}
	return &timestamppb.Timestamp{Seconds: t.Seconds, Nanos: t.Nanos}
}
