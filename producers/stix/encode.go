package stix

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Encode writes a cyber, threat or incident report as a STIX 2.1 bundle: the
// object, and beside it what it refers to and was folded into it. A label that
// TLP cannot say is written as a statement, so that no reader misses it; who
// may receive it is decided before, not here.
func Encode(r *wf.Report) ([]byte, error) {
	if r.GetState() != wf.ReportState_REPORT_STATE_ACTIVE {
		return nil, fmt.Errorf("encode STIX bundle: report %s is not active", r.GetId())
	}
	typ, err := encodedType(r)
	if err != nil {
		return nil, err
	}
	e := &encoder{r: r, typ: typ, id: r.GetRecord(), modified: r.GetReportTime().AsTime()}
	if !validID(e.id) {
		e.id = typ + "--" + r.GetId()
	}
	if shapes[typ].folded && typ != "identity" {
		return nil, fmt.Errorf("encode STIX bundle: report %s is about a %s, which states nothing by itself", r.GetId(), typ)
	}
	e.main()
	e.references()
	e.entities()
	e.places()
	if err := e.complete(); err != nil {
		return nil, err
	}
	all := append([]any{e.m}, e.objects...)
	out, err := json.MarshalIndent(map[string]any{"type": "bundle", "id": "bundle--" + r.GetId(), "objects": all}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode STIX bundle: %w", err)
	}
	return append(out, '\n'), nil
}

// encodedType is the STIX type of the report's object.
func encodedType(r *wf.Report) (string, error) {
	t := typeOf(r.GetRecord())
	if validID(r.GetRecord()) {
		return t, nil
	}
	switch r.GetBody().(type) {
	case *wf.Report_Cyber:
		if t := r.GetCyber().GetObjectType(); t != "event" && typeName(t) {
			return t, nil
		}
		return "incident", nil
	case *wf.Report_Threat:
		return "threat-actor", nil
	case *wf.Report_Incident:
		return "incident", nil
	}
	return "", fmt.Errorf("encode STIX bundle: report %s is neither cyber nor a threat nor an incident", r.GetId())
}

// encoder collects the objects of a bundle.
type encoder struct {
	r        *wf.Report
	typ, id  string
	modified time.Time
	m        map[string]any
	objects  []any
}

// contains says whether the type holds things by object_refs.
func (e *encoder) contains() bool {
	_, ok := shapes[e.typ].required["object_refs"]
	return ok || e.typ == "observed-data"
}

func (e *encoder) main() {
	r := e.r
	e.m = map[string]any{"type": e.typ, "spec_version": "2.1", "id": e.id, "created": timeText(e.created()), "modified": timeText(e.modified)}
	e.put("name", e.name())
	e.put(narrativeProperty(e.typ), r.GetNarrative())
	e.put("lang", r.GetLanguage())
	if by := r.GetLineage().GetOriginator(); typeOf(by) == "identity" && validID(by) {
		e.m["created_by_ref"] = by
	}
	e.times()
	e.cyber()
	e.markings()
}

func (e *encoder) put(name, value string) {
	if value != "" {
		e.m[name] = value
	}
}

// name is the name the object had; the title may be derived.
func (e *encoder) name() string {
	switch y := e.r.GetBody().(type) {
	case *wf.Report_Cyber:
		return y.Cyber.GetName()
	case *wf.Report_Threat:
		return y.Threat.GetActor()
	}
	return e.r.GetTitle()
}

func narrativeProperty(typ string) string {
	switch typ {
	case "note":
		return "content"
	case "opinion":
		return "explanation"
	}
	return "description"
}

// spans are the types that say when, by first_ and last_ of a verb.
var spans = map[string]string{"sighting": "seen", "campaign": "seen", "malware": "seen", "infrastructure": "seen",
	"threat-actor": "seen", "intrusion-set": "seen", "observed-data": "observed"}

// created is when the object was first said; never after its version.
func (e *encoder) created() time.Time {
	start := e.r.GetEventTime().GetStart()
	if start == nil || spans[e.typ] != "" || e.typ == "indicator" || e.typ == "report" || start.AsTime().After(e.modified) {
		return e.modified
	}
	return start.AsTime()
}

func (e *encoder) times() {
	start, end := e.r.GetEventTime().GetStart(), e.r.GetEventTime().GetEnd()
	if e.typ == "report" && start != nil {
		e.m["published"] = timeText(start.AsTime())
	}
	verb := spans[e.typ]
	if verb == "" || start == nil {
		return
	}
	e.m["first_"+verb] = timeText(start.AsTime())
	switch {
	case end != nil:
		e.m["last_"+verb] = timeText(end.AsTime())
	case verb == "observed":
		e.m["last_observed"] = timeText(start.AsTime())
	}
}

// timeText has milliseconds, as STIX wants, or as many digits as it takes.
func timeText(t time.Time) string {
	if t.Nanosecond()%1e6 == 0 {
		return t.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return t.UTC().Format("2006-01-02T15:04:05.000000000Z")
}

func (e *encoder) cyber() {
	y := e.r.GetCyber()
	if e.typ == "malware" {
		e.m["is_family"] = false
	}
	if n := e.r.GetIncident(); n != nil && n.GetType() != "" {
		e.m["incident_types"] = []string{n.GetType()}
	}
	if y == nil {
		return
	}
	e.put("pattern", y.GetPattern())
	e.put("pattern_type", y.GetPatternType())
	if t := y.GetValidFrom(); t != nil {
		e.m["valid_from"] = timeText(t.AsTime())
	}
	if t := y.GetValidUntil(); t != nil {
		e.m["valid_until"] = timeText(t.AsTime())
	}
	if y.Confidence != nil {
		e.m["confidence"] = y.GetConfidence()
	}
	switch n := y.GetObservedCount(); {
	case e.typ == "observed-data":
		e.m["number_observed"] = n
	case n > 0:
		e.m["count"] = n
	}
	e.vocabulary(y)
	var phases []map[string]string
	for _, s := range y.GetKillChainPhases() {
		chain, phase, _ := strings.Cut(s, ":")
		phases = append(phases, map[string]string{"kill_chain_name": chain, "phase_name": phase})
	}
	if len(phases) > 0 {
		e.m["kill_chain_phases"] = phases
	}
}

// vocabulary writes the types back where typesOf reads them.
func (e *encoder) vocabulary(y *wf.Cyber) {
	types := y.GetTypes()
	if len(types) == 0 {
		return
	}
	switch e.typ {
	case "grouping":
		e.m["context"] = types[0]
	case "identity":
		e.m["identity_class"] = types[0]
	case "malware-analysis":
		e.m["result"] = types[0]
	default:
		e.m[strings.ReplaceAll(e.typ, "-", "_")+"_types"] = types
	}
}

// markings writes TLP as the standard definitions, and the access label as a
// statement when it says more than TLP can.
func (e *encoder) markings() {
	l := e.r.GetLabel()
	var refs []string
	for _, id := range tlp2IDs {
		if tlpByID[id] == l.GetTlp() {
			refs = append(refs, id)
		}
	}
	if l.GetLevel() > wf.Level_LEVEL_UNCLASSIFIED || len(l.GetSides())+len(l.GetCompartments())+len(l.GetControls())+len(l.GetReleasableTo()) > 0 {
		words := statement(l)
		id := "marking-definition--" + report.RecordID("label", words)
		refs = append(refs, id)
		e.objects = append(e.objects, map[string]any{"type": "marking-definition", "spec_version": "2.1", "id": id, "created": "2017-01-20T00:00:00.000Z",
			"definition_type": "statement", "definition": map[string]string{"statement": words}})
	}
	if len(refs) > 0 {
		e.m["object_marking_refs"] = refs
	}
}

var tlp2IDs = []string{
	"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
	"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}

// statement is the label in words.
func statement(l *wf.Label) string {
	word := func(prefix, s string) string { return strings.ReplaceAll(strings.TrimPrefix(s, prefix), "_", " ") }
	parts := []string{word("LEVEL_", l.GetLevel().String())}
	for _, s := range l.GetSides() {
		parts = append(parts, word("SIDE_", s.String()))
	}
	parts = append(parts, l.GetCompartments()...)
	for _, c := range l.GetControls() {
		parts = append(parts, word("CONTROL_", c.String()))
	}
	if len(l.GetReleasableTo()) > 0 {
		parts = append(parts, "REL TO "+strings.Join(l.GetReleasableTo(), ", "))
	}
	return strings.Join(parts, "//")
}

// complete says what the type requires and the report does not have.
func (e *encoder) complete() error {
	data, err := json.Marshal(e.m)
	if err != nil {
		return fmt.Errorf("encode STIX bundle: %w", err)
	}
	var back any
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	if err := d.Decode(&back); err != nil {
		return fmt.Errorf("encode STIX bundle: %w", err)
	}
	if o := newObject(0, back); len(o.reasons) > 0 {
		return fmt.Errorf("encode STIX bundle: report %s makes no %s: %s", e.r.GetId(), e.typ, o.reasons)
	}
	return nil
}
