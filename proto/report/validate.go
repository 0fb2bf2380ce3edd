package report

import (
	"fmt"
	"strconv"
	"time"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Validate says everything that is wrong with r, as far as it can be judged
// without a policy; nothing for a valid report. now bounds times in the future.
func Validate(r *wf.Report, now time.Time, l Limits) admission.Reasons {
	if r == nil {
		var rs admission.Reasons
		rs.Add(admission.Missing, "", "there is no report", "send a report")
		return rs
	}
	c := checker{limits: l.orDefault(), now: now.Unix(), id: r.GetId(), record: r.GetRecord()}
	c.identity(r)
	access := c.marking(r.GetLabel())
	c.times(r)
	c.places(r.GetPlaces())
	if r.GetState() == wf.ReportState_REPORT_STATE_WITHDRAWN {
		c.withdrawn(r)
	} else {
		c.content(r, access)
	}
	return c.done()
}

// checker collects reasons. It holds where it is as a stack of field names, so
// that a valid report costs no text.
type checker struct {
	limits  Limits
	now     int64 // Unix seconds
	id      string
	record  string
	reasons admission.Reasons
	omitted int
	depth   int
	stack   [6]step
}

type step struct {
	name  string
	index int // -1 when the field is not repeated
}

// enter goes into element i of a repeated message field, -1 for a single one.
func (c *checker) enter(name string, i int) {
	c.stack[c.depth] = step{name, i}
	c.depth++
}

func (c *checker) leave() { c.depth-- }

// path is the field path of a field of the message the checker is in.
func (c *checker) path(field string) string {
	var b []byte
	for _, s := range c.stack[:c.depth] {
		b = append(b, s.name...)
		if s.index >= 0 {
			b = append(strconv.AppendInt(append(b, '['), int64(s.index), 10), ']')
		}
		b = append(b, '.')
	}
	return string(append(b, field...))
}

// refuse adds a reason about a field of the message the checker is in.
func (c *checker) refuse(code admission.Code, field, message, remedy string) {
	if len(c.reasons) >= c.limits.MaxReasons {
		c.omitted++
		return
	}
	c.reasons.Add(code, c.path(field), message, remedy)
}

// refuseAt is refuse for element i of a repeated field.
func (c *checker) refuseAt(code admission.Code, field string, i int, message, remedy string) {
	if len(c.reasons) >= c.limits.MaxReasons {
		c.omitted++
		return
	}
	c.refuse(code, field+"["+strconv.Itoa(i)+"]", message, remedy)
}

func (c *checker) done() admission.Reasons {
	if c.omitted > 0 {
		c.reasons.Add(admission.Invalid, "", fmt.Sprintf("%d more reasons are left out", c.omitted), "fix these first")
	}
	return c.reasons
}

// identity checks who says what: id, revision, agency, record, kind, status, class.
func (c *checker) identity(r *wf.Report) {
	switch UUIDVersion(r.GetId()) {
	case 7:
	case 5:
		if want := recordID(r.GetAgency(), r.GetRecord()); r.GetId() != string(want[:]) {
			c.refuse(admission.Invalid, "id", "the version 5 UUID is not the one of this agency and record",
				"derive it with report.RecordID(agency, record), or use a version 7 UUID")
		}
	default:
		c.refuse(codeOf(r.GetId() == ""), "id", quoted("id", r.GetId())+" is not a version 5 or 7 UUID in lower-case canonical text",
			"use a version 7 UUID, or report.RecordID(agency, record)")
	}
	if v := r.GetRevision(); v == 0 || v > MaxRevision {
		c.refuse(codeOf(v == 0), "revision", fmt.Sprintf("revision %d is not between 1 and %d", v, uint64(MaxRevision)),
			"start at 1, or take the source's version clock in milliseconds since 1970")
	}
	if !subject.Word(r.GetAgency()) {
		c.refuse(codeOf(r.GetAgency() == ""), "agency", quoted("agency", r.GetAgency())+" is not a token of 2 to 32 of a-z, 0-9 and '-'",
			"use the token of the agency in the policy")
	}
	c.line("record", r.GetRecord(), maxName)
	c.format(r.GetSourceFormat())
	if s := r.GetState(); s != wf.ReportState_REPORT_STATE_ACTIVE && s != wf.ReportState_REPORT_STATE_WITHDRAWN {
		c.refuse(codeOf(s == 0), "state", fmt.Sprintf("state %d is not ACTIVE or WITHDRAWN", s), "say ACTIVE, or WITHDRAWN to take the report back")
	}
	if subject.StatusToken(r.GetStatus()) == "" {
		c.refuse(admission.UnknownStatus, "status", fmt.Sprintf("status %d is not ACTUAL, EXERCISE or TEST", r.GetStatus()), "say which; it is never guessed")
	}
	c.kind(r)
}

// kind checks the kind and what depends on it: the body and the record class.
func (c *checker) kind(r *wf.Report) {
	if subject.KindToken(r.GetKind()) == "" {
		c.refuse(admission.UnknownKind, "kind", fmt.Sprintf("kind %d is not in the schema", r.GetKind()),
			"use sar, threat, hazard, cyber, incident, asset, resource or bulletin")
		return
	}
	if !AllowsClass(r.GetKind(), r.GetRecordClass()) {
		c.refuse(admission.Retention, "record_class",
			fmt.Sprintf("record class %s cannot hold a report of kind %s", r.GetRecordClass(), subject.KindToken(r.GetKind())),
			"use "+ClassOf(r.GetKind()).String()+" or another class of this kind")
	}
}

// withdrawn checks that a withdrawal carries no content.
func (c *checker) withdrawn(r *wf.Report) {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"body", r.GetBody() != nil}, {"title", r.GetTitle() != ""}, {"narrative", r.GetNarrative() != ""},
		{"entities", len(r.GetEntities()) > 0}, {"references", len(r.GetReferences()) > 0},
		{"tearlines", len(r.GetTearlines()) > 0}, {"lineage", r.GetLineage() != nil}, {"language", r.GetLanguage() != ""},
		{"severity", r.GetSeverity() != 0}, {"source_reliability", r.GetSourceReliability() != 0},
		{"information_credibility", r.GetInformationCredibility() != 0},
	} {
		if f.set {
			c.refuse(admission.Invalid, f.name, "a withdrawal carries no content", "leave it out, or make it with report.Withdraw")
		}
	}
	for i, p := range r.GetPlaces() {
		if p.GetPoint() != nil || p.GetPolygon() != nil || p.GetAddress() != nil || p.GetName() != "" {
			c.refuseAt(admission.Invalid, "places", i, "a withdrawal keeps only county and state of a place", "leave the rest out, or make it with report.Withdraw")
		}
	}
}

// content checks what an active report says.
func (c *checker) content(r *wf.Report, access label.Label) {
	c.text("title", r.GetTitle(), maxTitle)
	c.text("narrative", r.GetNarrative(), MaxSize)
	c.language("language", r.GetLanguage())
	if !known(r.GetSourceReliability(), wf.SourceReliability_SOURCE_RELIABILITY_F) {
		c.enum("source_reliability", int32(r.GetSourceReliability()), "the Admiralty letters A to F")
	}
	if !known(r.GetInformationCredibility(), wf.InformationCredibility_INFORMATION_CREDIBILITY_6) {
		c.enum("information_credibility", int32(r.GetInformationCredibility()), "the Admiralty figures 1 to 6")
	}
	if !known(r.GetSeverity(), wf.Severity_SEVERITY_EXTREME) {
		c.enum("severity", int32(r.GetSeverity()), "the severities of the schema")
	}
	c.lineage(r.GetLineage())
	c.entities(r.GetEntities())
	c.references(r.GetReferences())
	c.tearlines(r.GetTearlines(), access)
	c.body(r)
}

// known says whether an enum whose values run without a gap from 0 to last holds v.
func known[E ~int32](v, last E) bool { return v >= 0 && v <= last }

// enum refuses a value the schema does not know, or zero where one is needed.
func (c *checker) enum(field string, v int32, want string) {
	c.refuse(codeOf(v == 0), field, fmt.Sprintf("value %d is not one of %s", v, want), "use one of "+want)
}

// codeOf is Missing for a field that is not set, Invalid for one that is.
func codeOf(unset bool) admission.Code {
	if unset {
		return admission.Missing
	}
	return admission.Invalid
}

// quoted names a value in a message: short, printable, never the whole of a long one.
func quoted(what, v string) string {
	if v == "" {
		return "the empty " + what
	}
	if len(v) > 64 {
		return fmt.Sprintf("%q... (%d bytes)", v[:64], len(v))
	}
	return strconv.Quote(v)
}
