package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// marking checks the report's label and returns its access part, unmarked when
// it cannot be read.
func (c *checker) marking(m *wf.Label) label.Label {
	c.enter("label", -1)
	defer c.leave()
	access := c.access(m)
	if m != nil {
		c.dissemination(m)
	}
	return access
}

// access reads level, sides and compartments.
func (c *checker) access(m *wf.Label) label.Label {
	if !known(m.GetLevel(), wf.Level_LEVEL_TOP_SECRET) || m.GetLevel() == wf.Level_LEVEL_UNSPECIFIED {
		c.refuse(admission.UnknownLevel, "level", fmt.Sprintf("level %d is not UNCLASSIFIED, CUI, CONFIDENTIAL, SECRET or TOP SECRET", m.GetLevel()),
			"mark the report; an unmarked report is never guessed")
		return label.Label{}
	}
	if !c.count("compartments", len(m.GetCompartments()), maxFew) {
		return label.Label{}
	}
	access, err := label.FromProto(m)
	if err != nil {
		field := "compartments"
		if strings.Contains(err.Error(), "side") {
			field = "sides"
		}
		c.refuse(admission.UnknownMarking, field, err.Error(), "use the sides of the schema and compartments of A-Z, 0-9 and '-', each once")
		return label.Label{}
	}
	return access
}

// dissemination checks controls, REL TO, TLP and the cells of an ORCON report.
func (c *checker) dissemination(m *wf.Label) {
	var have uint32
	for i, k := range m.GetControls() {
		if !known(k, wf.Control_CONTROL_NOCON) || k == 0 {
			c.refuseAt(admission.UnknownMarking, "controls", i, fmt.Sprintf("control %d is not in the schema", k), "use a control of the schema")
			continue
		}
		if have&(1<<k) != 0 {
			c.refuseAt(admission.Invalid, "controls", i, "the control is named twice", "name it once")
		}
		have |= 1 << k
	}
	if !known(m.GetTlp(), wf.Tlp_TLP_RED) {
		c.refuse(admission.UnknownMarking, "tlp", fmt.Sprintf("TLP value %d is not in TLP 2.0", m.GetTlp()), "use CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
	}
	noforn := have&(1<<wf.Control_CONTROL_NOFORN) != 0
	c.releasable(m.GetReleasableTo(), noforn)
	if noforn && have&(1<<wf.Control_CONTROL_RELIDO) != 0 {
		c.refuse(admission.Invalid, "controls", "NOFORN and RELIDO exclude each other", "keep one")
	}
	c.orcon(m.GetOrconCells(), have&(1<<wf.Control_CONTROL_ORCON) != 0)
	c.line("original", m.GetOriginal(), maxName)
}

func (c *checker) releasable(list []string, noforn bool) {
	if len(list) == 0 || !c.count("releasable_to", len(list), 300) {
		return
	}
	if noforn {
		c.refuse(admission.Invalid, "releasable_to", "NOFORN and REL TO exclude each other", "drop the list, or the control")
	}
	for i, w := range list {
		if !country(w) {
			c.refuseAt(admission.UnknownMarking, "releasable_to", i, quoted("code", w)+" is not a trigraph or tetragraph", "use ISO 3166-1 alpha-3 codes such as GBR, or tetragraphs such as FVEY")
		} else if slices.Contains(list[:i], w) {
			c.refuseAt(admission.Invalid, "releasable_to", i, quoted("code", w)+" is named twice", "name it once")
		}
	}
}

func country(w string) bool {
	if len(w) != 3 && len(w) != 4 {
		return false
	}
	for i := range len(w) {
		if !isUpper(w[i]) {
			return false
		}
	}
	return true
}

func (c *checker) orcon(cells []string, controlled bool) {
	if len(cells) == 0 {
		return
	}
	if !controlled {
		c.refuse(admission.Orcon, "orcon_cells", "cells are named but the report is not ORCON", "add the control ORCON, or drop the cells")
	}
	if !c.count("orcon_cells", len(cells), subject.MaxCellsAbove) {
		return
	}
	for i, w := range cells {
		if !subject.Word(w) || w == subject.None {
			c.refuseAt(admission.Orcon, "orcon_cells", i, quoted("cell", w)+" cannot be the name of a cell", "use the name of a cell above, as in the policy")
		} else if slices.Contains(cells[:i], w) {
			c.refuseAt(admission.Orcon, "orcon_cells", i, quoted("cell", w)+" is named twice", "name it once")
		}
	}
}

// tearlines checks that each can be released by itself: marked, dominated by
// the report's label, and without a trace of its parent.
func (c *checker) tearlines(list []*wf.Tearline, access label.Label) {
	if !c.count("tearlines", len(list), maxFew) {
		return
	}
	for i, t := range list {
		c.enter("tearlines", i)
		c.tearline(t, access)
		for _, o := range list[:i] {
			if o.GetId() == t.GetId() {
				c.refuse(admission.Tearline, "id", "another tearline of this report has the same id", "give each its own")
				break
			}
		}
		c.leave()
	}
}

func (c *checker) tearline(t *wf.Tearline, access label.Label) {
	if !token(t.GetId(), maxToken) {
		c.refuse(admission.Tearline, "id", quoted("id", t.GetId())+" is not 1 to 128 of letters, digits and '-', '_', '.'", "give the tearline an id of its own")
	}
	c.need("text", t.GetText(), "write what may be released, or drop the tearline")
	c.text("text", t.GetText(), maxText)
	if c.traces(t.GetId()) || c.traces(t.GetText()) {
		c.refuse(admission.Tearline, "text", "the tearline names the id or the record of its parent", "write it so that nothing leads back to the parent")
	}
	own := c.marking(t.GetLabel())
	if !own.IsZero() && !access.IsZero() && !access.Dominates(own) {
		c.refuse(admission.Tearline, "label", fmt.Sprintf("the tearline's label %s is not dominated by the report's %s", own, access),
			"a tearline is for wider release: lower its label, or move the text into the narrative")
	}
}

// traces says whether s names the parent. Record ids under six characters are
// too common as words and numbers to be told from them.
func (c *checker) traces(s string) bool {
	return c.id != "" && strings.Contains(s, c.id) || len(c.record) >= 6 && strings.Contains(s, c.record)
}

// token says whether s is a word of letters, digits and -_. up to limit bytes.
func token(s string, limit int) bool {
	if s == "" || len(s) > limit {
		return false
	}
	for i := range len(s) {
		if b := s[i]; !isAlpha(b) && !isDigit(b) && b != '-' && b != '_' && b != '.' {
			return false
		}
	}
	return true
}
