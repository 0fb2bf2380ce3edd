// Package nws turns the alerts of api.weather.gov (GeoJSON with the elements
// of CAP as properties) into hazard reports.
//
// An alert is the same message as in the weather service's CAP feed, so it is
// converted by package cap and gets the same record, revision and references:
// whichever way it arrives, it is one report. It fetches no zone shapes: an
// alert without a geometry has the places of its county and zone codes.
package nws

import (
	"fmt"
	"strings"

	"github.com/watchfloor/watchfloor/producers/cap"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
)

// Format is the source format of the reports.
const Format = "nws-json"

// Decode reads a FeatureCollection or one Feature. Items are named
// "features[0]" on, a single one "feature".
func Decode(data []byte, o codec.Options) []codec.Item {
	root, reasons := codec.ParseJSON(data)
	if reasons != nil {
		return []codec.Item{{Where: "document", Reasons: reasons}}
	}
	doc, _ := root.(map[string]any)
	switch text(doc, "type") {
	case "FeatureCollection":
		return collection(doc, o)
	case "Feature":
		it := feature(doc, o)
		it.Where = "feature"
		return []codec.Item{it}
	}
	reasons.Add(admission.Malformed, "type", "the document is neither a FeatureCollection nor a Feature", "send the answer of api.weather.gov/alerts as GeoJSON")
	return []codec.Item{{Where: "document", Reasons: reasons}}
}

func collection(doc map[string]any, o codec.Options) []codec.Item {
	list, ok := doc["features"].([]any)
	if !ok {
		var reasons admission.Reasons
		reasons.Add(admission.Malformed, "features", "the collection has no list of features", "send the answer of api.weather.gov/alerts as GeoJSON")
		return []codec.Item{{Where: "document", Reasons: reasons}}
	}
	items := make([]codec.Item, len(list))
	for i, f := range list {
		m, _ := f.(map[string]any)
		items[i] = feature(m, o)
		items[i].Where = fmt.Sprintf("features[%d]", i)
	}
	return items
}

// feature converts one alert.
func feature(f map[string]any, o codec.Options) codec.Item {
	p, ok := f["properties"].(map[string]any)
	if !ok {
		var reasons admission.Reasons
		reasons.Add(admission.Malformed, "properties", "the feature has no properties", "send a wx:Alert feature")
		return codec.Item{Reasons: reasons}
	}
	r := &reader{}
	a := r.alert(f, p)
	it := a.Convert(o)
	it.Reasons = append(r.reasons, inJSON(it.Reasons)...)
	if len(r.reasons) > 0 {
		it.Report, it.Notes = nil, nil
	}
	return it
}

// paths turns the paths of a CAP alert into those of the feature.
var paths = strings.NewReplacer(
	"alert.info[0].area[0].areaDesc", "properties.areaDesc", "alert.info[0].area[0].polygon", "geometry",
	"alert.info[0].area[0].circle", "geometry", "alert.info[0].area[0].geocode", "properties.geocode",
	"alert.info[0].responseType", "properties.response", "alert.info[0].", "properties.",
	"alert.identifier", "properties.id", "alert.msgType", "properties.messageType", "alert.", "properties.",
)

func inJSON(reasons admission.Reasons) admission.Reasons {
	for _, r := range reasons {
		r.Field = paths.Replace(r.Field)
	}
	return reasons
}

// reader reads properties and collects what has the wrong shape.
type reader struct{ reasons admission.Reasons }

func (r *reader) alert(f, p map[string]any) *cap.Alert {
	a := &cap.Alert{
		Version: "1.2", Format: Format,
		Identifier: identifier(f, p), Sender: text(p, "sender"), Sent: text(p, "sent"), Status: text(p, "status"),
		MsgType: text(p, "messageType"), Scope: text(p, "scope"), Note: text(p, "note"),
	}
	if a.Scope == "" {
		// The interface serves public alerts only, and long did not say so.
		a.Scope = "Public"
	}
	in := cap.Info{
		Language: text(p, "language"), Event: text(p, "event"), Urgency: text(p, "urgency"), Severity: text(p, "severity"),
		Certainty: text(p, "certainty"), Effective: text(p, "effective"), Onset: text(p, "onset"), Expires: text(p, "expires"),
		Ends: text(p, "ends"), SenderName: text(p, "senderName"), Headline: text(p, "headline"),
		Description: text(p, "description"), Instruction: text(p, "instruction"),
		Categories: r.words(p, "category"), ResponseTypes: r.words(p, "response"),
		EventCodes: r.values(p, "eventCode"), Parameters: r.values(p, "parameters"),
	}
	a.References = r.references(p, in.Parameters)
	in.Areas = []cap.Area{r.area(f, p)}
	a.Infos = []cap.Info{in}
	return a
}

// identifier is the CAP identifier; the address of the alert ends with it.
func identifier(f, p map[string]any) string {
	id := text(p, "id")
	if id == "" {
		id = text(f, "id")
	}
	return strings.TrimPrefix(id, "https://api.weather.gov/alerts/")
}

func text(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return strings.TrimSpace(s)
}
