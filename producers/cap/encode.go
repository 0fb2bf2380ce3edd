package cap

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Encode writes a hazard report as a CAP 1.2 alert. What CAP has no element
// for (label beyond scope, evaluation, lineage, tearlines) is not written:
// encode only what may go to whom the scope names.
func Encode(r *wf.Report) ([]byte, error) {
	h := r.GetHazard()
	if h == nil {
		return nil, fmt.Errorf("encode CAP alert: report %s is not a hazard", r.GetId())
	}
	sender, identifier, ok := strings.Cut(r.GetRecord(), ",")
	if !ok {
		sender, identifier = h.GetSender(), r.GetRecord()
	}
	if sender == "" {
		sender = r.GetAgency()
	}
	if r.GetReportTime() == nil {
		return nil, fmt.Errorf("encode CAP alert: report %s has no report_time", r.GetId())
	}
	a := alertXML{
		Identifier: identifier, Sender: sender, Sent: capTime(r.GetReportTime()),
		Status: statusWord(r.GetStatus()), MsgType: wordOf(messageTypes, h.GetMessageType()), Scope: h.GetScope(),
		Addresses: joinList(h.GetAddresses()),
	}
	if a.Status == "" || a.MsgType == "" || !slices.Contains(scopes, a.Scope) {
		return nil, fmt.Errorf("encode CAP alert: report %s lacks a status, message type or scope", r.GetId())
	}
	if a.Scope == "Restricted" {
		a.Restriction = strings.TrimSpace(strings.TrimPrefix(r.GetLabel().GetOriginal(), a.Scope))
		if a.Restriction == "" {
			return nil, fmt.Errorf("encode CAP alert: report %s is restricted, but its marking does not say to whom", r.GetId())
		}
	}
	a.References, a.Incidents = encodeReferences(r)
	if err := encodeInfos(&a, r, h); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(a); err != nil {
		return nil, fmt.Errorf("encode CAP alert: %w", err)
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

// statusWord never writes System: it is read as a test.
func statusWord(s wf.Status) string {
	if s == wf.Status_STATUS_TEST {
		return "Test"
	}
	return wordOf(statuses, s)
}

type alertXML struct {
	XMLName     xml.Name  `xml:"urn:oasis:names:tc:emergency:cap:1.2 alert"`
	Identifier  string    `xml:"identifier"`
	Sender      string    `xml:"sender"`
	Sent        string    `xml:"sent"`
	Status      string    `xml:"status"`
	MsgType     string    `xml:"msgType"`
	Scope       string    `xml:"scope"`
	Restriction string    `xml:"restriction,omitempty"`
	Addresses   string    `xml:"addresses,omitempty"`
	Note        string    `xml:"note,omitempty"`
	References  string    `xml:"references,omitempty"`
	Incidents   string    `xml:"incidents,omitempty"`
	Infos       []infoXML `xml:"info"`
}

type infoXML struct {
	Language      string     `xml:"language,omitempty"`
	Categories    []string   `xml:"category"`
	Event         string     `xml:"event"`
	ResponseTypes []string   `xml:"responseType"`
	Urgency       string     `xml:"urgency"`
	Severity      string     `xml:"severity"`
	Certainty     string     `xml:"certainty"`
	EventCodes    []valueXML `xml:"eventCode"`
	Effective     string     `xml:"effective,omitempty"`
	Onset         string     `xml:"onset,omitempty"`
	Expires       string     `xml:"expires,omitempty"`
	Headline      string     `xml:"headline,omitempty"`
	Description   string     `xml:"description,omitempty"`
	Instruction   string     `xml:"instruction,omitempty"`
	Parameters    []valueXML `xml:"parameter"`
	Areas         []areaXML  `xml:"area"`
}

type valueXML struct {
	Name  string `xml:"valueName"`
	Value string `xml:"value"`
}

type areaXML struct {
	Description string     `xml:"areaDesc"`
	Polygons    []string   `xml:"polygon"`
	Circles     []string   `xml:"circle"`
	Geocodes    []valueXML `xml:"geocode"`
}

// encodeReferences writes triples and incidents. The time of a referenced
// message stands in the relationship; where it does not, the report's own
// time is the latest it can be.
func encodeReferences(r *wf.Report) (references, incidents string) {
	var refs, names []string
	for _, ref := range r.GetReferences() {
		if ref.GetType() == wf.ReferenceType_REFERENCE_TYPE_INCIDENT {
			names = append(names, ref.GetRecord())
			continue
		}
		if strings.Count(ref.GetRecord(), ",") != 1 {
			continue // another format's record: CAP cannot name it
		}
		sent := capTime(r.GetReportTime())
		if _, at, ok := strings.Cut(ref.GetRelationship(), " "); ok {
			sent = at
		}
		refs = append(refs, ref.GetRecord()+","+sent)
	}
	return strings.Join(refs, " "), joinList(names)
}

func joinList(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		if out[i] = s; strings.ContainsAny(s, " \t\n") {
			out[i] = `"` + s + `"`
		}
	}
	return strings.Join(out, " ")
}

// capTime writes UTC; CAP 1.2 has no fractions, so they are written only where
// they are: they are part of the revision.
func capTime(t *timestamppb.Timestamp) string {
	if t == nil {
		return ""
	}
	return formatTime(t.AsTime().Truncate(time.Millisecond))
}

func encodeInfos(a *alertXML, r *wf.Report, h *wf.Hazard) error {
	if len(h.GetInfos()) == 0 {
		a.Note = r.GetNarrative()
		return nil
	}
	if h.GetInfos()[0].GetEvent() == "" {
		return fmt.Errorf("encode CAP alert: report %s does not name the event", r.GetId())
	}
	lead := h.GetInfos()[0]
	if rest, ok := strings.CutPrefix(r.GetNarrative(), joinText(lead.GetDescription(), lead.GetInstruction())); ok {
		a.Note = strings.TrimSpace(rest)
	}
	for i, in := range h.GetInfos() {
		x := infoXML{
			Language: in.GetLanguage(), Categories: h.GetCategories(), Event: in.GetEvent(), ResponseTypes: h.GetResponseTypes(),
			Urgency: orUnknown(wordOf(urgencies, h.GetUrgency())), Severity: orUnknown(wordOf(severities, r.GetSeverity())),
			Certainty: orUnknown(wordOf(certainties, h.GetCertainty())), Effective: capTime(r.GetEventTime().GetStart()),
			Onset: capTime(h.GetOnset()), Expires: capTime(r.GetExpires()), Headline: in.GetHeadline(),
			Description: in.GetDescription(), Instruction: in.GetInstruction(),
		}
		if len(x.Categories) == 0 {
			x.Categories = []string{"Other"}
		}
		if h.GetEventCode() != "" {
			x.EventCodes = []valueXML{{"SAME", h.GetEventCode()}}
		}
		if end := r.GetEventTime().GetEnd(); end != nil {
			x.Parameters = append(x.Parameters, valueXML{"eventEndingTime", capTime(end)})
		}
		if i == 0 {
			x.Parameters = append(x.Parameters, encodeVTEC(r)...)
			x.Areas = encodeAreas(r.GetPlaces(), h.GetZones())
		}
		a.Infos = append(a.Infos, x)
	}
	return nil
}

func orUnknown(word string) string {
	if word == "" {
		return "Unknown"
	}
	return word
}

// encodeVTEC writes event keys back as VTEC strings of a continuing event.
func encodeVTEC(r *wf.Report) []valueXML {
	var out []valueXML
	for _, e := range r.GetEntities() {
		for _, id := range e.GetIdentifiers() {
			k := strings.Split(id.GetValue(), ".")
			if id.GetType() != wf.IdentifierType_IDENTIFIER_TYPE_VTEC || len(k) != 5 || len(k[4]) != 4 {
				continue
			}
			out = append(out, valueXML{"VTEC", "/O.CON." + strings.Join(k[:4], ".") + "." + k[4][2:] + "0101T0000Z-000000T0000Z/"})
		}
	}
	return out
}

// encodeAreas starts an area at every place with a name; the nameless ones
// after it belong to it.
func encodeAreas(places []*wf.Place, zones []string) []areaXML {
	var out []areaXML
	for _, p := range places {
		if len(out) == 0 || p.GetName() != "" {
			out = append(out, areaXML{Description: p.GetName()})
		}
		encodePlace(&out[len(out)-1], p)
	}
	if len(zones) > 0 && len(out) == 0 {
		out = append(out, areaXML{})
	}
	for _, z := range zones {
		a := &out[areaOf(z, out, places)]
		a.Geocodes = append(a.Geocodes, valueXML{"UGC", z})
	}
	for i := range out {
		if out[i].Description == "" {
			out[i].Description = "area"
		}
	}
	return out
}

// areaOf is the area that names the state of a zone already, so that the zone
// adds no place; the first area when none does.
func areaOf(zone string, areas []areaXML, places []*wf.Place) int {
	n := -1
	for i, p := range places {
		if i == 0 || p.GetName() != "" {
			n++
		}
		if n < len(areas) && p.GetState() == zone[:min(2, len(zone))] {
			return n
		}
	}
	return 0
}

func encodePlace(a *areaXML, p *wf.Place) {
	if pts := p.GetPolygon().GetPoints(); len(pts) > 0 {
		pairs := make([]string, len(pts))
		for i, pt := range pts {
			pairs[i] = encodePoint(pt)
		}
		a.Polygons = append(a.Polygons, strings.Join(pairs, " "))
	}
	if p.GetPoint() != nil {
		a.Circles = append(a.Circles, encodePoint(p.GetPoint())+" "+decimal(p.GetRadiusM()/1000))
	}
	switch {
	case p.GetCountyFips() != "":
		a.Geocodes = append(a.Geocodes, valueXML{"SAME", "0" + p.GetCountyFips()})
	case stateFIPS[p.GetState()] != "":
		a.Geocodes = append(a.Geocodes, valueXML{"SAME", "0" + stateFIPS[p.GetState()] + "000"})
	}
}

func encodePoint(p *wf.Point) string {
	return decimal(p.GetLatitude()) + "," + decimal(p.GetLongitude())
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
