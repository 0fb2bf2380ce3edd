// Package quake turns earthquake feeds of the US Geological Survey (GeoJSON,
// summary feeds and event queries of earthquake.usgs.gov) into hazard reports.
//
// An event of the catalogue is one report: its record is the preferred id, its
// revision the time of its last update. Every other id that networks gave the
// same event is a reference, so that it stays one situation when the preferred
// id changes or a network sends its own. The feed gives no uncertainty of the
// epicentre, so none is made up. It fetches nothing.
package quake

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Format is the source format of the reports.
const Format = "usgs-quake"

// Network is the seismic network that gave an id: its first two letters. It is
// the originator of the report, and the agency of a reference to the id.
func Network(id string) string { return id[:min(2, len(id))] }

// Decode reads a FeatureCollection or one Feature. Items are named
// "features[0]" on, a single one "feature".
func Decode(data []byte, o codec.Options) []codec.Item {
	root, reasons := codec.ParseJSON(data)
	if reasons != nil {
		return []codec.Item{{Where: "document", Reasons: reasons}}
	}
	doc, _ := root.(map[string]any)
	switch kind, _ := doc["type"].(string); kind {
	case "Feature":
		it := feature(doc, o)
		it.Where = "feature"
		return []codec.Item{it}
	case "FeatureCollection":
		if list, ok := doc["features"].([]any); ok {
			return collection(list, o)
		}
	}
	reasons.Add(admission.Malformed, "features", "the document is neither a Feature nor a FeatureCollection with its list", "send GeoJSON of earthquake.usgs.gov")
	return []codec.Item{{Where: "document", Reasons: reasons}}
}

func collection(list []any, o codec.Options) []codec.Item {
	items := make([]codec.Item, len(list))
	for i, f := range list {
		m, _ := f.(map[string]any)
		items[i] = feature(m, o)
		items[i].Where = fmt.Sprintf("features[%d]", i)
	}
	return items
}

// feature converts one event.
func feature(f map[string]any, o codec.Options) codec.Item {
	p, ok := f["properties"].(map[string]any)
	if !ok {
		var reasons admission.Reasons
		reasons.Add(admission.Malformed, "properties", "the feature has no properties", "send an event of earthquake.usgs.gov")
		return codec.Item{Reasons: reasons}
	}
	e := &event{feature: f, properties: p}
	r := e.report(o)
	if e.text("status") == "deleted" {
		r = report.Withdraw(r, r.Revision, r.GetReportTime().AsTime())
	}
	if len(e.reasons) == 0 {
		// What the guard would refuse is refused here, where the source is known.
		e.reasons = report.Validate(r, endOfTime, report.Limits{})
	}
	if len(e.reasons) > 0 {
		return codec.Item{Reasons: e.reasons}
	}
	return codec.Item{Report: r}
}

// event reads one feature and collects what is wrong with it.
type event struct {
	feature, properties map[string]any
	reasons             admission.Reasons
}

func (e *event) report(o codec.Options) *wf.Report {
	id := e.id()
	happened, updated := e.moment("time", true), e.moment("updated", false)
	if updated == nil {
		updated = happened
	}
	r := &wf.Report{
		Id: report.RecordID(o.Agency, id), Record: id, Agency: o.Agency, Revision: uint64(max(updated.AsTime().UnixMilli(), 1)),
		State: wf.ReportState_REPORT_STATE_ACTIVE, Kind: wf.Kind_KIND_HAZARD, Status: wf.Status_STATUS_ACTUAL,
		RecordClass: wf.RecordClass_RECORD_CLASS_PUBLIC_ALERT, SourceFormat: Format,
		EventTime: &wf.TimeRange{Start: happened}, ReportTime: updated,
		Places:   []*wf.Place{e.place()},
		Title:    e.text("title"),
		Severity: e.severity(),
		Lineage:  &wf.Lineage{Originator: Network(id), OriginatorRecord: id},
	}
	if o.Label != nil {
		r.Label = proto.CloneOf(o.Label)
	}
	for _, other := range e.ids() {
		if other != id {
			r.References = append(r.References, &wf.Reference{Type: wf.ReferenceType_REFERENCE_TYPE_RELATED, Record: other, Agency: Network(other), Relationship: "same event"})
		}
	}
	r.Body = &wf.Report_Hazard{Hazard: e.hazard(happened)}
	return r
}

func (e *event) hazard(onset *timestamppb.Timestamp) *wf.Hazard {
	h := &wf.Hazard{
		MessageType: wf.MessageType_MESSAGE_TYPE_ALERT, Categories: []string{"Geo"}, Scope: "Public", Event: eventName(e.text("type")),
		Urgency: wf.Urgency_URGENCY_PAST, Certainty: wf.Certainty_CERTAINTY_LIKELY, Onset: onset, Sender: "earthquake.usgs.gov",
		Infos: []*wf.HazardInfo{{Headline: e.text("title"), Description: e.measures()}},
	}
	if e.text("status") == "reviewed" {
		h.Certainty = wf.Certainty_CERTAINTY_OBSERVED
	}
	return h
}

// eventName is the kind of event with a capital: "Earthquake", "Quarry blast".
func eventName(kind string) string {
	if kind == "" {
		kind = "earthquake"
	}
	return strings.ToUpper(kind[:1]) + kind[1:]
}
