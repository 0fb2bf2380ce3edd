package stix

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// maxEntities leaves room below the limit of a report.
const maxEntities = 1000

// converter makes the report of one object.
type converter struct {
	b *bundle
	o *object
	r *wf.Report
	// parts are the objects folded into it, itself first.
	parts []*object
	taken map[string]bool
	// named are the references it has, by record and relationship.
	named map[string]bool
	notes []string
	// sectors of the organizations it is about.
	sectors []string
	left    int
}

// report converts one object with everything folded into it.
func (b *bundle) report(o *object) *codec.Item {
	c := &converter{b: b, o: o, parts: []*object{o}, taken: map[string]bool{o.id: true}, named: map[string]bool{}}
	b.folded[o.id] = true
	c.r = c.head()
	c.body()
	c.own()
	if b.newest[o.id] == o {
		c.related()
	}
	c.r.Revision = c.revision()
	if b.budget < 0 {
		var reasons admission.Reasons
		reasons.Add(admission.TooLarge, "", "the reports of this document would hold too many observables, each in many reports", "split the document")
		return &codec.Item{Reasons: reasons}
	}
	if reasons := c.label(); len(reasons) > 0 {
		return &codec.Item{Reasons: reasons}
	}
	c.order()
	if o.flag("revoked") {
		c.r = report.Withdraw(c.r, c.r.Revision, o.version())
		c.notes = nil
	}
	if reasons := report.Validate(c.r, endOfTime, report.Limits{}); len(reasons) > 0 {
		return &codec.Item{Reasons: reasons}
	}
	return &codec.Item{Report: c.r, Notes: c.notes}
}

// endOfTime makes Validate leave times in the future to the guard, which has a clock.
var endOfTime = time.Date(2199, 12, 31, 0, 0, 0, 0, time.UTC)

func (c *converter) head() *wf.Report {
	o, opt := c.o, c.b.options
	r := &wf.Report{
		Id: report.RecordID(opt.Agency, o.id), State: wf.ReportState_REPORT_STATE_ACTIVE, Agency: opt.Agency, Record: o.id,
		Kind: kindOf(o.typ), Status: opt.Status, RecordClass: wf.RecordClass_RECORD_CLASS_CYBER,
		ReportTime: stamp(c.clock()), EventTime: eventTime(o), Title: c.title(), Narrative: narrative(o),
		Language: o.str("lang"), SourceFormat: Format,
	}
	if t := o.instant("valid_until"); !t.IsZero() {
		r.Expires = stamp(t)
	}
	if by := o.str("created_by_ref"); by != "" {
		// The creator is named by its id: names differ between copies.
		r.Lineage = &wf.Lineage{Originator: by, OriginatorRecord: o.id}
		c.b.fold(by)
	}
	return r
}

// clock is the version of the object; observables have none and take the
// latest of the document, so that the same document gives the same report.
func (c *converter) clock() time.Time {
	for _, t := range []time.Time{c.o.version(), c.b.latest, c.b.options.Received} {
		if !t.IsZero() {
			return t
		}
	}
	return time.UnixMilli(1).UTC()
}

// revision is the latest version of what the report holds, in milliseconds.
func (c *converter) revision() uint64 {
	latest := c.clock()
	for _, p := range c.parts {
		if v := p.version(); v.After(latest) {
			latest = v
		}
	}
	return uint64(max(latest.UnixMilli(), 1))
}

func kindOf(typ string) wf.Kind {
	switch typ {
	case "campaign", "threat-actor", "intrusion-set":
		return wf.Kind_KIND_THREAT
	case "incident":
		return wf.Kind_KIND_INCIDENT
	}
	return wf.Kind_KIND_CYBER
}

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// eventTime is when it happened, as far as the object says; else when it was
// first said.
func eventTime(o *object) *wf.TimeRange {
	for _, p := range [][2]string{{"first_seen", "last_seen"}, {"first_observed", "last_observed"}, {"valid_from", ""}, {"published", ""}, {"created", ""}} {
		start, end := o.instant(p[0]), time.Time{}
		if p[1] != "" {
			end = o.instant(p[1])
		}
		if start.IsZero() {
			start, end = end, time.Time{}
		}
		if start.IsZero() {
			continue
		}
		out := &wf.TimeRange{Start: stamp(start)}
		if end.After(start) {
			out.End = stamp(end)
		}
		return out
	}
	return nil
}

func narrative(o *object) string {
	for _, name := range []string{"description", "content", "explanation"} {
		if s := codec.Clean(o.str(name)); s != "" {
			return s
		}
	}
	return ""
}

func (c *converter) title() string {
	o := c.o
	for _, name := range []string{"name", "abstract", "opinion", "product", "value", "path", "display_name", "account_login", "user_id", "key", "subject", "command_line"} {
		if s := codec.Line(o.str(name)); s != "" {
			return short(s, 400)
		}
	}
	switch o.typ {
	case "sighting":
		return "sighting of " + c.called(o.str("sighting_of_ref"))
	case "observed-data":
		if ids := o.strs("object_refs"); len(ids) > 0 {
			return "observed " + c.called(ids[0])
		}
	case "relationship":
		return short(c.called(o.str("source_ref"))+" "+codec.Line(o.str("relationship_type"))+" "+c.called(o.str("target_ref")), 400)
	case "indicator":
		return short(codec.Line(o.str("pattern")), 200)
	case "note":
		return short(codec.Line(o.str("content")), 200)
	}
	return o.typ
}

// called is the name of the object of that id, or its type.
func (c *converter) called(id string) string {
	if o := c.b.newest[id]; o != nil {
		for _, name := range []string{"name", "value"} {
			if s := codec.Line(o.str(name)); s != "" {
				return short(s, 150)
			}
		}
	}
	return typeOf(id)
}

func (c *converter) body() {
	o := c.o
	switch c.r.Kind {
	case wf.Kind_KIND_THREAT:
		c.r.Body = &wf.Report_Threat{Threat: &wf.Threat{Type: threatType(o), Actor: short(codec.Line(o.str("name")), 900)}}
	case wf.Kind_KIND_INCIDENT:
		c.r.Body = &wf.Report_Incident{Incident: &wf.Incident{Type: incidentType(o)}}
	default:
		c.r.Body = &wf.Report_Cyber{Cyber: c.cyber()}
	}
}

// threatType is cyber, unless the actor is named as something else.
func threatType(o *object) wf.ThreatType {
	types := o.strs("threat_actor_types")
	switch {
	case slices.Contains(types, "terrorist"):
		return wf.ThreatType_THREAT_TYPE_OTHER
	case slices.Contains(types, "insider-accidental"), slices.Contains(types, "insider-disgruntled"):
		return wf.ThreatType_THREAT_TYPE_INSIDER
	}
	return wf.ThreatType_THREAT_TYPE_CYBER
}

func incidentType(o *object) string {
	for _, name := range []string{"incident_types", "labels"} {
		if l := lines(o.strs(name)); len(l) > 0 {
			return short(l[0], 200)
		}
	}
	return "cyber incident"
}

func (c *converter) cyber() *wf.Cyber {
	o := c.o
	y := &wf.Cyber{
		ObjectType: short(o.typ, 120), Name: short(codec.Line(o.str("name")), 4000), Types: c.list(typesOf(o), 64),
		KillChainPhases: c.list(killChain(o), 64), ValidFrom: stamp(o.instant("valid_from")), ValidUntil: stamp(o.instant("valid_until")),
	}
	if p := codec.Clean(o.str("pattern")); p != "" {
		y.Pattern, y.PatternType = p, codec.Line(o.str("pattern_type"))
	}
	if n, ok := o.number("confidence"); ok {
		confidence := int32(n)
		y.Confidence = &confidence
	}
	for _, name := range []string{"number_observed", "count"} {
		if n, ok := o.number(name); ok {
			y.ObservedCount = n
		}
	}
	return y
}

// typesOf is the type's own vocabulary, else its labels.
func typesOf(o *object) []string {
	for _, name := range []string{strings.ReplaceAll(o.typ, "-", "_") + "_types", "context", "identity_class", "result", "labels"} {
		if l := lines(o.strs(name)); len(l) > 0 {
			return l
		}
		if s := codec.Line(o.str(name)); s != "" {
			return []string{s}
		}
	}
	return nil
}

func killChain(o *object) []string {
	list, _ := o.m["kill_chain_phases"].([]any)
	var out []string
	for _, v := range list {
		m, _ := v.(map[string]any)
		chain, _ := m["kill_chain_name"].(string)
		phase, _ := m["phase_name"].(string)
		if s := codec.Line(chain + ":" + phase); s != ":" {
			out = append(out, s)
		}
	}
	return out
}

// list cuts a list at most elements and notes how many were left out.
func (c *converter) list(l []string, most int) []string {
	for i := range l {
		l[i] = short(l[i], 900)
	}
	if len(l) > most {
		c.notes = append(c.notes, fmt.Sprintf("%d of %d words are left out", len(l)-most, len(l)))
		l = l[:most]
	}
	return l
}
