package cap

import (
	"fmt"
	"strconv"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// Alert is one message as its source wrote it, surrounding space removed. An
// empty string is an absent element: CAP knows no other difference.
type Alert struct {
	// Version of CAP: "1.0", "1.1" or "1.2". Format is the report's source format.
	Version, Format                        string
	Identifier, Sender, Sent, Status       string
	MsgType, Source, Scope, Restriction    string
	Addresses, Note, References, Incidents string
	Codes                                  []string
	Infos                                  []Info
	Wrapper                                Wrapper
}

// Info is one info block.
type Info struct {
	Language, Event, Urgency, Severity     string
	Certainty, Audience, Effective, Onset  string
	Expires, SenderName, Headline          string
	Description, Instruction, Web, Contact string
	// Ends is when the event ends, where the source tells it apart from
	// Expires (api.weather.gov).
	Ends                      string
	Categories, ResponseTypes []string
	EventCodes, Parameters    []Value
	Areas                     []Area
	// Embedded are the resources whose bytes came with the alert.
	Embedded int
	// EmbeddedBytes is their size in base64.
	EmbeddedBytes int
}

// Value is a named value: an event code, a parameter or a geocode.
type Value struct{ Name, Value string }

// Area is one area block.
type Area struct {
	Description       string
	Polygons, Circles []string
	Geocodes          []Value
}

// readAlert reads the element; it refuses what is said twice, because two
// readers could take a different one.
func readAlert(n *node, version string) (*Alert, admission.Reasons) {
	r := &reader{version: version}
	a := &Alert{Version: version, Format: "cap-" + version}
	one := map[string]*string{
		"identifier": &a.Identifier, "sender": &a.Sender, "sent": &a.Sent, "status": &a.Status,
		"msgType": &a.MsgType, "source": &a.Source, "scope": &a.Scope, "restriction": &a.Restriction,
		"addresses": &a.Addresses, "note": &a.Note, "references": &a.References, "incidents": &a.Incidents,
	}
	r.read(n, "alert", one, func(k *node, path string) {
		switch k.local {
		case "code":
			a.Codes = append(a.Codes, k.value())
		case "info":
			a.Infos = append(a.Infos, r.info(k, path))
		}
	})
	return a, r.reasons
}

// reader walks an alert and collects what is wrong with its structure.
type reader struct {
	version string
	reasons admission.Reasons
}

// read fills the single elements of n and hands the others over with their path.
func (r *reader) read(n *node, path string, one map[string]*string, other func(*node, string)) {
	seen := map[string]int{}
	for _, k := range n.kids {
		if k.space != n.space && k.space != "" {
			continue
		}
		i := seen[k.local]
		seen[k.local]++
		p, single := one[k.local]
		switch {
		case !single:
			other(k, path+"."+k.local+"["+strconv.Itoa(i)+"]")
		case i > 0:
			r.reasons.Add(admission.Invalid, path+"."+k.local, fmt.Sprintf("<%s> stands here more than once", k.local), "keep one")
		default:
			*p = k.value()
		}
	}
}

func (r *reader) info(n *node, path string) Info {
	var in Info
	one := map[string]*string{
		"language": &in.Language, "event": &in.Event, "urgency": &in.Urgency, "severity": &in.Severity,
		"certainty": &in.Certainty, "audience": &in.Audience, "effective": &in.Effective, "onset": &in.Onset,
		"expires": &in.Expires, "senderName": &in.SenderName, "headline": &in.Headline,
		"description": &in.Description, "instruction": &in.Instruction, "web": &in.Web, "contact": &in.Contact,
	}
	r.read(n, path, one, func(k *node, path string) {
		switch k.local {
		case "category":
			in.Categories = append(in.Categories, k.value())
		case "responseType":
			in.ResponseTypes = append(in.ResponseTypes, k.value())
		case "eventCode":
			in.EventCodes = append(in.EventCodes, r.values(k, path)...)
		case "parameter":
			in.Parameters = append(in.Parameters, r.values(k, path)...)
		case "resource":
			in.addResource(k)
		case "area":
			in.Areas = append(in.Areas, r.area(k, path))
		}
	})
	return in
}

func (in *Info) addResource(n *node) {
	for _, k := range n.kids {
		if k.local == "derefUri" && k.dropped > 0 {
			in.Embedded++
			in.EmbeddedBytes += k.dropped
		}
	}
}

func (r *reader) area(n *node, path string) Area {
	var a Area
	var unused string
	one := map[string]*string{"areaDesc": &a.Description, "altitude": &unused, "ceiling": &unused}
	r.read(n, path, one, func(k *node, path string) {
		switch k.local {
		case "polygon":
			a.Polygons = append(a.Polygons, k.value())
		case "circle":
			a.Circles = append(a.Circles, k.value())
		case "geocode":
			a.Geocodes = append(a.Geocodes, r.values(k, path)...)
		}
	})
	return a
}
