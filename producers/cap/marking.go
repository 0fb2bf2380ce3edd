package cap

import (
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// label is the scope's label by the policy, raised by every confidentiality
// of an EDXL-DE wrapper. A marking the policy does not map is refused.
func (c *converter) label() *wf.Label {
	out := c.scopeLabel()
	for _, word := range c.a.Wrapper.Confidentiality {
		l := c.wordLabel(word)
		if l == nil || out == nil {
			continue
		}
		joined, err := codec.Join(out, l)
		if err != nil {
			c.bad(admission.UnknownMarking, "alert.scope", err.Error(), "give the marking a level in the policy")
			return nil
		}
		out = joined
	}
	return out
}

func (c *converter) scopeLabel() *wf.Label {
	a := c.a
	if a.Scope == "" {
		return c.unscoped()
	}
	if !slices.Contains(scopes, a.Scope) {
		c.word("alert.scope", a.Scope, false, "use one of "+strings.Join(scopes, ", "))
		return nil
	}
	if a.Scope == "Restricted" && a.Restriction == "" {
		c.bad(admission.Missing, "alert.restriction", "an alert of scope Restricted does not say for whom", "give <restriction>")
	}
	if a.Scope == "Private" && a.Addresses == "" {
		c.bad(admission.Missing, "alert.addresses", "an alert of scope Private does not say to whom", "give <addresses>")
	}
	l := c.o.Markings.Scope[a.Scope]
	if l == nil {
		c.bad(admission.UnknownMarking, "alert.scope", "the policy maps no label to the scope "+quote(a.Scope), "map the scope in the policy, or send the alert natively with its label")
		return nil
	}
	return c.o.Mark(l, codec.Line(a.Scope+" "+a.Restriction))
}

// unscoped is CAP 1.0, where scope is optional: the agency's own label holds.
func (c *converter) unscoped() *wf.Label {
	if c.a.Version != "1.0" {
		c.require("alert.scope", "")
		return nil
	}
	if c.o.Label == nil {
		c.bad(admission.UnknownMarking, "alert.scope", "the alert has no scope and the agency no default label", "give <scope>")
		return nil
	}
	return c.o.Mark(c.o.Label, "")
}

// wordLabel maps a confidentiality word. The default of EDXL-DE restricts
// nothing and means the same as the plain word.
func (c *converter) wordLabel(word string) *wf.Label {
	const field = "EDXLDistribution.combinedConfidentiality"
	if !c.require(field, word) {
		return nil
	}
	w := strings.ToUpper(strings.Join(strings.Fields(word), " "))
	l := c.o.Markings.Words[w]
	if l == nil && w == "UNCLASSIFIED AND NOT SENSITIVE" {
		l = c.o.Markings.Words["UNCLASSIFIED"]
	}
	if l == nil {
		c.bad(admission.UnknownMarking, field, "the policy maps no label to the marking "+quote(word), "map the marking in the policy")
		return nil
	}
	return c.o.Mark(l, codec.Line(word))
}
