package report

import (
	"fmt"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// body checks that there is one of the report's kind, and what it says.
func (c *checker) body(r *wf.Report) {
	kind := KindOf(r)
	if kind == wf.Kind_KIND_UNSPECIFIED {
		c.refuse(admission.Missing, "body", "the report has no body", "set the body of its kind")
		return
	}
	if kind != r.GetKind() && subject.KindToken(r.GetKind()) != "" {
		c.refuse(admission.Invalid, "kind", fmt.Sprintf("the kind is %s but the body is %s", subject.KindToken(r.GetKind()), subject.KindToken(kind)), "make them agree")
	}
	c.enter(subject.KindToken(kind), -1)
	defer c.leave()
	switch b := r.GetBody().(type) {
	case *wf.Report_Sar:
		c.sar(b.Sar, r.GetNarrative())
	case *wf.Report_Threat:
		c.threat(b.Threat)
	case *wf.Report_Hazard:
		c.hazard(b.Hazard)
	case *wf.Report_Cyber:
		c.cyber(b.Cyber)
	case *wf.Report_Incident:
		c.incident(b.Incident)
	case *wf.Report_Asset:
		c.asset(b.Asset)
	case *wf.Report_Resource:
		c.resource(b.Resource)
	case *wf.Report_Bulletin:
		c.bulletin(b.Bulletin)
	}
}

// code refuses a code that is not in its list; empty is not stated.
func (c *checker) code(field, s string, list []string, want string) {
	if s != "" && !listed(list, s) {
		c.refuse(admission.Invalid, field, quoted("code", s)+" is not "+want, "use a code of the list, or leave it out")
	}
}

// codes is code for a list.
func (c *checker) codes(field string, values, list []string, want string) {
	if !c.count(field, len(values), maxFew) {
		return
	}
	for i, s := range values {
		if !listed(list, s) {
			c.refuseAt(admission.Invalid, field, i, quoted("word", s)+" is not "+want, "use a word of the list")
		}
	}
}

// between refuses a number outside its range.
func (c *checker) between(field string, v, least, most int64) {
	if v < least || v > most {
		c.refuse(admission.Invalid, field, fmt.Sprintf("%d is not between %d and %d", v, least, most), "correct the number")
	}
}

// GroupB says whether a behavior may be constitutionally protected, so that it
// needs an articulated circumstance (ISE-FS-200 1.5.5, group B).
func GroupB(b wf.Behavior) bool {
	return b >= wf.Behavior_BEHAVIOR_ELICITING && b <= wf.Behavior_BEHAVIOR_SECTOR_SPECIFIC
}

func (c *checker) sar(s *wf.Sar, narrative string) {
	if len(s.GetBehaviors()) == 0 {
		c.refuse(admission.Missing, "behaviors", "no behavior is named", "name at least one of the sixteen ISE-SAR behaviors")
	}
	var have uint32
	protected := false
	for i, b := range s.GetBehaviors() {
		if b == 0 || !known(b, wf.Behavior_BEHAVIOR_SECTOR_SPECIFIC) {
			c.refuseAt(admission.Invalid, "behaviors", i, fmt.Sprintf("behavior %d is not one of the sixteen", b), "use an ISE-SAR behavior of the schema")
			continue
		}
		if have&(1<<b) != 0 {
			c.refuseAt(admission.Invalid, "behaviors", i, "the behavior is named twice", "name it once")
		}
		have |= 1 << b
		protected = protected || GroupB(b)
	}
	if protected && blank(narrative) && allBlank(s.GetCircumstances()) {
		c.refuse(admission.Missing, "circumstances", "a behavior of group B may be protected activity and needs articulated facts",
			"write the facts that support the suspicion into circumstances or the narrative")
	}
	if c.count("circumstances", len(s.GetCircumstances()), maxFew) {
		for i, t := range s.GetCircumstances() {
			if blank(t) {
				c.refuseAt(admission.Missing, "circumstances", i, "the circumstance is empty", "write it, or leave it out")
			} else if len(t) > maxText || !cleanText(t, true) {
				c.refuseAt(admission.Invalid, "circumstances", i, "the circumstance is too long or holds control characters", "write plain text of at most 64 KiB")
			}
		}
	}
	c.code("target_sector", s.GetTargetSector(), TargetSectors, "a NIEM target sector code")
	c.code("tip_class", s.GetTipClass(), TipClasses, "a NIEM tip class code")
	c.code("tip_domain", s.GetTipDomain(), TipDomains, "a NIEM tip domain code, A to H")
	c.line("target_name", s.GetTargetName(), maxName)
	c.line("nature_of_source", s.GetNatureOfSource(), maxName)
	c.text("disposition", s.GetDisposition(), maxTitle)
	c.moment("privacy_purge_date", s.GetPrivacyPurgeDate())
}

func blank(s string) bool {
	for i := range len(s) {
		if b := s[i]; b != ' ' && b != '\t' && b != '\n' && b != '\r' {
			return false
		}
	}
	return true
}

func allBlank(list []string) bool {
	for _, s := range list {
		if !blank(s) {
			return false
		}
	}
	return true
}

func (c *checker) threat(t *wf.Threat) {
	if v := t.GetType(); v == 0 || !known(v, wf.ThreatType_THREAT_TYPE_OTHER) {
		c.enum("type", int32(v), "the threat types of the schema")
	}
	c.code("target_sector", t.GetTargetSector(), TargetSectors, "a NIEM target sector code")
	c.line("target_name", t.GetTargetName(), maxName)
	if p := t.GetLikelihoodPercent(); p < 0 || p > 99 {
		c.refuse(admission.Invalid, "likelihood_percent", fmt.Sprintf("%d is not a likelihood of ICD 203, 1 to 99 percent", p), "use 0 when no likelihood is stated; nothing is certain")
	}
	c.line("actor", t.GetActor(), maxName)
}

func (c *checker) bulletin(b *wf.Bulletin) {
	t := b.GetType()
	if t == 0 || !known(t, wf.BulletinType_BULLETIN_TYPE_IMMINENT) {
		c.enum("type", int32(t), "BULLETIN, ELEVATED or IMMINENT")
	}
	alert := t == wf.BulletinType_BULLETIN_TYPE_ELEVATED || t == wf.BulletinType_BULLETIN_TYPE_IMMINENT
	if alert && b.GetEnd() == nil {
		c.refuse(admission.Missing, "end", "an alert has no sunset", "give the time the alert ends by itself")
	}
	c.span("", "start", b.GetStart(), "end", b.GetEnd())
	c.need("summary", b.GetSummary(), "write the summary")
	c.text("summary", b.GetSummary(), maxText)
	c.text("details", b.GetDetails(), MaxSize)
	c.lines("sectors", b.GetSectors(), maxFew, maxName)
	c.lines("locations", b.GetLocations(), maxMany, maxName)
}
