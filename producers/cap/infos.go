package cap

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// infoTimes are the instants of one info block; zero where it gives none.
type infoTimes struct{ start, onset, end, expires time.Time }

func (t infoTimes) expiry() time.Time { return t.expires }

// infos checks every info block and returns its times.
func (c *converter) infos() []infoTimes {
	out := make([]infoTimes, len(c.a.Infos))
	for i := range c.a.Infos {
		in, path := &c.a.Infos[i], fmt.Sprintf("alert.info[%d]", i)
		c.checkInfo(in, path)
		out[i] = c.infoTimes(in, path)
	}
	return out
}

func (c *converter) checkInfo(in *Info, path string) {
	if len(in.Categories) == 0 && c.a.Version != "1.0" {
		c.require(path+".category", "")
	}
	c.words(path+".category", in.Categories, categories)
	c.words(path+".responseType", in.ResponseTypes, responseTypes)
	c.require(path+".event", in.Event)
	if c.require(path+".urgency", in.Urgency) {
		c.word(path+".urgency", in.Urgency, urgencies[in.Urgency] != 0, oneOf(urgencies))
	}
	if c.require(path+".severity", in.Severity) {
		c.word(path+".severity", in.Severity, severities[in.Severity] != 0, oneOf(severities))
	}
	if c.require(path+".certainty", in.Certainty) {
		if in.Certainty == "Very Likely" && c.a.Version == "1.0" {
			in.Certainty = "Likely"
		}
		c.word(path+".certainty", in.Certainty, certainties[in.Certainty] != 0, oneOf(certainties))
	}
	for j, code := range in.EventCodes {
		if code.Name == "" {
			c.bad(admission.Missing, fmt.Sprintf("%s.eventCode[%d].valueName", path, j), "the event code does not say of which list", "give <valueName>")
		}
	}
}

func (c *converter) infoTimes(in *Info, path string) infoTimes {
	opt := func(name, s string) time.Time {
		if s == "" {
			return time.Time{}
		}
		return c.time(path+"."+name, s)
	}
	effective := opt("effective", in.Effective)
	t := infoTimes{onset: opt("onset", in.Onset), expires: opt("expires", in.Expires), end: opt("ends", in.Ends)}
	if ending := first(in.Parameters, "eventEndingTime"); t.end.IsZero() && ending != "" {
		// A parameter is free text: one that is no time is none.
		t.end, _ = parseTime(ending)
	}
	if t.end.IsZero() {
		t.end = t.expires
	}
	switch {
	case !t.onset.IsZero():
		t.start = t.onset
	case !effective.IsZero():
		t.start = effective
	default:
		t.start = c.sent
	}
	return t
}

// eventTime spans the infos; without any it is the instant of sending.
func (c *converter) eventTime(infos []infoTimes) *wf.TimeRange {
	start := c.sent
	for i, t := range infos {
		if i == 0 || t.start.Before(start) {
			start = t.start
		}
	}
	end := latest(infos, func(t infoTimes) time.Time { return t.end })
	out := &wf.TimeRange{Start: stamp(start)}
	if end.After(start) {
		out.End = stamp(end)
	}
	return out
}

// latest is the latest of a time; zero if one info leaves it open.
func latest(infos []infoTimes, of func(infoTimes) time.Time) time.Time {
	var out time.Time
	for _, t := range infos {
		if of(t).IsZero() {
			return time.Time{}
		}
		if of(t).After(out) {
			out = of(t)
		}
	}
	return out
}

// describe fills what the infos say. The first info leads; the others add
// their texts, and raise severity, urgency and certainty.
func (c *converter) describe(r *wf.Report, h *wf.Hazard, times []infoTimes) {
	if len(c.a.Infos) == 0 {
		r.Title = strings.TrimSpace(c.a.MsgType + " " + c.a.Identifier)
		r.Narrative = codec.Clean(c.a.Note)
		h.Event = "unspecified"
		return
	}
	lead := &c.a.Infos[0]
	h.Event, h.EventCode = codec.Line(lead.Event), codec.Line(eventCode(lead.EventCodes))
	h.Onset = stamp(times[0].onset)
	r.Language = lead.Language
	r.Title = codec.Line(lead.Headline)
	if r.Title == "" {
		r.Title = h.Event
	}
	r.Narrative = joinText(codec.Clean(lead.Description), codec.Clean(lead.Instruction))
	if c.a.MsgType == "Cancel" || c.a.MsgType == "Error" {
		r.Narrative = joinText(r.Narrative, codec.Clean(c.a.Note))
	}
	for i := range c.a.Infos {
		in := &c.a.Infos[i]
		r.Severity = max(r.Severity, severities[in.Severity])
		h.Urgency = max(h.Urgency, urgencies[in.Urgency])
		h.Certainty = max(h.Certainty, certainties[in.Certainty])
		h.Categories = union(h.Categories, in.Categories)
		h.ResponseTypes = union(h.ResponseTypes, in.ResponseTypes)
		h.Infos = append(h.Infos, &wf.HazardInfo{Language: in.Language, Headline: codec.Line(in.Headline),
			Description: codec.Clean(in.Description), Instruction: codec.Clean(in.Instruction), Event: codec.Line(in.Event)})
	}
	if len(h.Categories) == 0 {
		// CAP 1.0 does not require one.
		h.Categories = []string{"Other"}
	}
}

// eventCode prefers the three-letter code that the country uses.
func eventCode(codes []Value) string {
	if s := first(codes, "SAME"); s != "" {
		return s
	}
	for _, v := range codes {
		if v.Value != "" {
			return v.Value
		}
	}
	return ""
}

func union(have, more []string) []string {
	for _, w := range more {
		if !slices.Contains(have, w) {
			have = append(have, w)
		}
	}
	return have
}

func joinText(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n\n" + b
}
