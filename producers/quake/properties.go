package quake

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// endOfTime makes Validate leave times in the future to the guard, which has a clock.
var endOfTime = time.Date(2199, 12, 31, 0, 0, 0, 0, time.UTC)

// maxIDs bounds the ids of one event; the catalogue has seldom more than four.
const maxIDs = 32

func (e *event) bad(code admission.Code, field, message, remedy string) {
	e.reasons.Add(code, field, message, remedy)
}

func (e *event) text(name string) string {
	s, _ := e.properties[name].(string)
	return codec.Line(s)
}

// number is a property that is a number; absent and null are unknown.
func (e *event) number(name string) (float64, bool) {
	n, ok := e.properties[name].(json.Number)
	if !ok {
		return 0, false
	}
	v, err := n.Float64()
	return v, err == nil && !math.IsInf(v, 0)
}

// id is the preferred id: a network and its number.
func (e *event) id() string {
	id, _ := e.feature["id"].(string)
	if id == "" {
		id = e.text("net") + e.text("code")
	}
	if !word(id) {
		e.bad(admission.Missing, "id", "the event has no id of letters, digits, '-', '_' and '.'", "send the feature with its id")
	}
	return id
}

// ids lists what the networks call the event: ",ci37868143,us1000abcd,".
func (e *event) ids() []string {
	var out []string
	for id := range strings.SplitSeq(e.text("ids"), ",") {
		if id = strings.TrimSpace(id); word(id) && !slices.Contains(out, id) && len(out) < maxIDs {
			out = append(out, id)
		}
	}
	return out
}

// word says whether s can be an event id.
func word(s string) bool {
	return len(s) > 0 && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	})
}

// moment is a time in milliseconds since 1970.
func (e *event) moment(name string, required bool) *timestamppb.Timestamp {
	v, ok := e.number(name)
	if !ok && !required && e.properties[name] == nil {
		return nil
	}
	if !ok || math.Abs(v) > 1e14 {
		e.bad(admission.BadTime, "properties."+name, "it is no time in milliseconds", "write milliseconds since 1970")
		return nil
	}
	return timestamppb.New(time.UnixMilli(int64(v)).UTC())
}

// place is the epicentre, with the source's words for it.
func (e *event) place() *wf.Place {
	p := &wf.Place{Role: wf.PlaceRole_PLACE_ROLE_EVENT, Name: e.text("place")}
	lon, lat, _, ok := e.coordinates()
	if !ok {
		e.bad(admission.Missing, "geometry", "the event has no point with longitude and latitude", "send the feature with its geometry")
		return p
	}
	p.Point = &wf.Point{Latitude: lat, Longitude: lon}
	return p
}

// coordinates are longitude, latitude and depth in kilometres; NaN for a depth
// that is not known.
func (e *event) coordinates() (lon, lat, depth float64, ok bool) {
	g, _ := e.feature["geometry"].(map[string]any)
	list, _ := g["coordinates"].([]any)
	depth = math.NaN()
	if g["type"] != "Point" || len(list) < 2 {
		return 0, 0, depth, false
	}
	for i, to := range []*float64{&lon, &lat, &depth}[:min(len(list), 3)] {
		n, isNumber := list[i].(json.Number)
		v, err := n.Float64()
		if isNumber && err == nil {
			*to = v
		} else if i < 2 {
			return 0, 0, depth, false
		}
	}
	return lon, lat, depth, true
}

// severity is that of the impact estimate where there is one, else of the
// magnitude, after the classes of the Survey: from 7 major, from 5 damage is
// possible, from 4 widely felt.
func (e *event) severity() wf.Severity {
	switch e.text("alert") {
	case "red":
		return wf.Severity_SEVERITY_EXTREME
	case "orange":
		return wf.Severity_SEVERITY_SEVERE
	case "yellow":
		return wf.Severity_SEVERITY_MODERATE
	case "green":
		return wf.Severity_SEVERITY_MINOR
	}
	switch m, ok := e.number("mag"); {
	case !ok:
		return wf.Severity_SEVERITY_UNSPECIFIED
	case m >= 7:
		return wf.Severity_SEVERITY_EXTREME
	case m >= 5:
		return wf.Severity_SEVERITY_SEVERE
	case m >= 4:
		return wf.Severity_SEVERITY_MODERATE
	}
	return wf.Severity_SEVERITY_MINOR
}

// measures says in words what the schema has no field for.
func (e *event) measures() string {
	var out []string
	if m, ok := e.number("mag"); ok {
		out = append(out, strings.TrimSpace(fmt.Sprintf("magnitude %g %s", m, e.text("magType"))))
	}
	if _, _, depth, _ := e.coordinates(); !math.IsNaN(depth) {
		out = append(out, fmt.Sprintf("depth %g km", depth))
	}
	if n, ok := e.number("felt"); ok && n > 0 {
		out = append(out, fmt.Sprintf("felt by %g who said so", n))
	}
	if n, ok := e.number("tsunami"); ok && n > 0 {
		out = append(out, "see the tsunami centers for a tsunami")
	}
	if s := e.text("status"); s != "" {
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}
