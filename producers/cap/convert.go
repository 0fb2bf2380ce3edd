package cap

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Convert judges the alert by the rules of CAP and makes its report. Every
// reason is collected; with one there is no report.
func (a *Alert) Convert(o codec.Options) codec.Item {
	c := &converter{a: a, o: o}
	r := c.report()
	if len(c.reasons) == 0 && proto.Size(r) > report.MaxSize {
		c.reasons.Add(admission.TooLarge, "alert", fmt.Sprintf("the report has %d bytes, at most %d are admitted", proto.Size(r), report.MaxSize),
			"split the alert by area, or use fewer polygon points")
	}
	if len(c.reasons) == 0 {
		// What the guard would refuse is refused here, where the source is known.
		c.reasons = report.Validate(r, endOfTime, report.Limits{})
	}
	if len(c.reasons) > 0 {
		return codec.Item{Reasons: c.reasons}
	}
	return codec.Item{Report: r, Notes: c.notes}
}

// endOfTime makes Validate leave times in the future to the guard, which has a clock.
var endOfTime = time.Date(2199, 12, 31, 0, 0, 0, 0, time.UTC)

// converter holds what one conversion collects.
type converter struct {
	a       *Alert
	o       codec.Options
	reasons admission.Reasons
	notes   []string
	sent    time.Time
}

func (c *converter) bad(code admission.Code, field, message, remedy string) {
	c.reasons.Add(code, field, message, remedy)
}

func (c *converter) report() *wf.Report {
	a := c.a
	c.head()
	infos := c.infos()
	record := a.Sender + "," + a.Identifier
	r := &wf.Report{
		Id: report.RecordID(c.o.Agency, record), Revision: uint64(max(c.sent.UnixMilli(), 1)),
		State: wf.ReportState_REPORT_STATE_ACTIVE, Agency: c.o.Agency, Record: record,
		Kind: wf.Kind_KIND_HAZARD, Status: c.status(), Label: c.label(), RecordClass: recordClass(a.Scope),
		ReportTime: stamp(c.sent), EventTime: c.eventTime(infos), Expires: stamp(latest(infos, infoTimes.expiry)),
		Lineage:      &wf.Lineage{Originator: a.Sender, OriginatorRecord: record},
		References:   c.references(record),
		SourceFormat: a.Format,
	}
	h := &wf.Hazard{MessageType: messageTypes[a.MsgType], Scope: a.Scope, Sender: a.Sender, Addresses: splitList(a.Addresses)}
	r.Body = &wf.Report_Hazard{Hazard: h}
	c.describe(r, h, infos)
	c.places(r, h)
	c.vtec(r)
	c.noteEmbedded()
	return r
}

// recordClass keeps what is not public out of the class of public alerts.
func recordClass(scope string) wf.RecordClass {
	if scope == "Public" {
		return wf.RecordClass_RECORD_CLASS_PUBLIC_ALERT
	}
	return wf.RecordClass_RECORD_CLASS_INCIDENT
}

// head checks the elements of the alert itself.
func (c *converter) head() {
	a := c.a
	c.name("alert.identifier", a.Identifier)
	c.name("alert.sender", a.Sender)
	if c.require("alert.sent", a.Sent) {
		c.sent = c.time("alert.sent", a.Sent)
	}
	if c.require("alert.msgType", a.MsgType) {
		c.word("alert.msgType", a.MsgType, messageTypes[a.MsgType] != 0, oneOf(messageTypes))
	}
}

// name checks an identifier or sender: it is half of the message's identity.
func (c *converter) name(field, s string) {
	if !c.require(field, s) {
		return
	}
	if strings.ContainsAny(s, ",<&") || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		c.bad(admission.Invalid, field, quote(s)+" holds a space, a comma, '<' or '&'", "use a name without them: references could not name this alert")
	}
}

func (c *converter) require(field, s string) bool {
	if s == "" {
		c.bad(admission.Missing, field, field[strings.LastIndexByte(field, '.')+1:]+" is required", "give a value")
		return false
	}
	return true
}

func (c *converter) word(field, s string, known bool, remedy string) {
	if !known {
		c.bad(admission.Invalid, field, quote(s)+" is not a word of CAP", remedy)
	}
}

func (c *converter) time(field, s string) time.Time {
	t, ok := parseTime(s)
	if !ok {
		c.bad(admission.BadTime, field, quote(s)+" is not a time with a zone", "write it as 2005-08-29T06:10:00-05:00")
	}
	return t
}

// status is the alert's, or its wrapper's if that is farther from the real world.
func (c *converter) status() wf.Status {
	s := c.oneStatus("alert.status", c.a.Status)
	if c.a.Wrapper.Wrapped {
		s = max(s, c.oneStatus("EDXLDistribution.distributionStatus", c.a.Wrapper.Status))
	}
	return s
}

func (c *converter) oneStatus(field, word string) wf.Status {
	if !c.require(field, word) {
		return 0
	}
	if word == "Draft" {
		c.bad(admission.Invalid, field, "a draft is not a message", "send it when it is issued")
		return 0
	}
	s := statuses[word]
	if s == 0 {
		c.bad(admission.UnknownStatus, field, quote(word)+" is not a status of CAP", oneOf(statuses))
	}
	return s
}

func (c *converter) noteEmbedded() {
	n, size := 0, 0
	for _, in := range c.a.Infos {
		n += in.Embedded
		size += in.EmbeddedBytes
	}
	if n > 0 {
		c.notes = append(c.notes, fmt.Sprintf("%d embedded resources of %d bytes in base64 are left out", n, size))
	}
}

// words checks a list of words of a closed vocabulary.
func (c *converter) words(field string, list, known []string) {
	for i, w := range list {
		if !slices.Contains(known, w) {
			c.word(fmt.Sprintf("%s[%d]", field, i), w, false, "use one of "+strings.Join(known, ", "))
		}
	}
}
