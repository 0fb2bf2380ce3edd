package stix

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// tlpByID holds the marking definitions that every STIX tool knows: TLP 1.0
// (first four) and 2.0.
var tlpByID = map[string]wf.Tlp{
	"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": wf.Tlp_TLP_CLEAR,
	"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": wf.Tlp_TLP_GREEN,
	"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": wf.Tlp_TLP_AMBER,
	"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": wf.Tlp_TLP_RED,
	"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": wf.Tlp_TLP_CLEAR,
	"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": wf.Tlp_TLP_GREEN,
	"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": wf.Tlp_TLP_AMBER,
	"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": wf.Tlp_TLP_AMBER_STRICT,
	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": wf.Tlp_TLP_RED,
}

var tlpWords = map[string]wf.Tlp{
	"clear": wf.Tlp_TLP_CLEAR, "white": wf.Tlp_TLP_CLEAR, "green": wf.Tlp_TLP_GREEN, "amber": wf.Tlp_TLP_AMBER,
	"amber+strict": wf.Tlp_TLP_AMBER_STRICT, "red": wf.Tlp_TLP_RED,
}

var tlpNames = map[wf.Tlp]string{
	wf.Tlp_TLP_CLEAR: "TLP:CLEAR", wf.Tlp_TLP_GREEN: "TLP:GREEN", wf.Tlp_TLP_AMBER: "TLP:AMBER",
	wf.Tlp_TLP_AMBER_STRICT: "TLP:AMBER+STRICT", wf.Tlp_TLP_RED: "TLP:RED",
}

const tlp2Extension = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

// marking is what one marking definition means.
type marking struct {
	tlp wf.Tlp
	// statement restricts nothing by itself, unless the policy maps its words.
	statement string
	problem   string
}

// readMarking reads a marking definition object.
func readMarking(o *object) marking {
	if ext, ok := o.m["extensions"].(map[string]any); ok {
		tlp2, ok := ext[tlp2Extension].(map[string]any)
		if !ok || len(ext) != 1 {
			return marking{problem: "the marking is of an extension that is not known"}
		}
		return tlpMarking(tlp2["tlp_2_0"])
	}
	def, _ := o.m["definition"].(map[string]any)
	switch strings.ToLower(o.str("definition_type")) {
	case "tlp":
		for name, v := range def {
			if strings.EqualFold(name, "tlp") {
				return tlpMarking(v)
			}
		}
	case "statement":
		if s, ok := def["statement"].(string); ok {
			return marking{statement: s}
		}
	}
	return marking{problem: "the marking is neither TLP nor a statement"}
}

func tlpMarking(v any) marking {
	s, _ := v.(string)
	word := strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "tlp:")
	if t := tlpWords[word]; t != 0 {
		return marking{tlp: t}
	}
	return marking{problem: quote(s) + " is not a TLP label"}
}

// marks collects the label of a report from the markings of its parts.
type marks struct {
	b       *bundle
	label   *wf.Label
	reasons admission.Reasons
}

// own is the label of one object: the join of its markings, or nil when it
// carries none.
func (b *bundle) own(o *object) (*wf.Label, admission.Reasons) {
	if known, ok := b.labels[o]; ok {
		return known.label, known.reasons
	}
	m := marks{b: b}
	defer func() { b.labels[o] = ownLabel{m.label, m.reasons} }()
	for _, id := range o.strs("object_marking_refs") {
		m.add(id, "object_marking_refs")
	}
	for _, id := range o.granularRefs() {
		m.add(id, "granular_markings")
	}
	return m.label, m.reasons
}

// add joins the marking of that id, wherever in the bundle its definition stands.
func (m *marks) add(id, field string) {
	known, standard := tlpByID[id]
	if standard {
		m.join(m.b.options.Markings.TLP[known], tlpNames[known], field)
	}
	def := m.b.newest[id]
	if def == nil {
		if !standard {
			m.refuse(field, "the marking "+quote(id)+" is defined nowhere in the bundle")
		}
		return
	}
	m.b.folded[id] = true
	meaning := readMarking(def)
	switch {
	case meaning.problem != "":
		m.refuse(field, meaning.problem)
	case meaning.tlp != 0:
		m.join(m.b.options.Markings.TLP[meaning.tlp], tlpNames[meaning.tlp], field)
	default:
		words := strings.ToUpper(codec.Line(meaning.statement))
		if l := m.b.options.Markings.Words[words]; l != nil {
			m.join(l, codec.Line(meaning.statement), field)
		}
	}
}

func (m *marks) refuse(field, message string) {
	m.reasons.Add(admission.UnknownMarking, field, message, "send the definition in the bundle, or use TLP 2.0")
}

func (m *marks) join(l *wf.Label, word, field string) {
	if l == nil {
		m.refuse(field, "the policy maps no label to "+word)
		return
	}
	l = m.b.options.Mark(l, word)
	if m.label == nil {
		m.label = l
		return
	}
	joined, err := codec.Join(m.label, l)
	if err != nil {
		m.refuse(field, err.Error())
		return
	}
	m.label = joined
}
