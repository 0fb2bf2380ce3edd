package policy

import (
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/proto/label"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
	"google.golang.org/protobuf/proto"
)

// markings maps what source formats write to level and dissemination. A
// marking says nothing of sides: those are the cell's a report is sent to.
type markings struct {
	tlp   map[wf.Tlp]*wf.Label
	scope map[string]*wf.Label
	words map[string]*wf.Label
}

// Markings maps the markings of source formats to labels, for reports sent to
// one cell. Its fields are those of the codecs' own type, so that one converts
// to the other.
type Markings struct {
	TLP map[wf.Tlp]*wf.Label
	// Scope maps CAP scope words: Public, Restricted, Private.
	Scope map[string]*wf.Label
	// Words maps legacy and national markings as written, upper case.
	Words map[string]*wf.Label
}

// Markings returns the markings with the cell's sides. A marking above the
// cell is in the map too: the report is then refused for what it says, not
// for being unreadable. An unknown cell has no markings.
func (p *Policy) Markings(cell string) Markings {
	c, ok := p.Cell(cell)
	if !ok {
		return Markings{}
	}
	sides := c.Label.Proto().GetSides()
	return Markings{
		TLP:   withSides(p.markings.tlp, sides),
		Scope: withSides(p.markings.scope, sides),
		Words: withSides(p.markings.words, sides),
	}
}

func withSides[K comparable](in map[K]*wf.Label, sides []wf.Side) map[K]*wf.Label {
	out := make(map[K]*wf.Label, len(in))
	for k, m := range in {
		l := proto.Clone(m).(*wf.Label)
		l.Sides = slices.Clone(sides)
		out[k] = l
	}
	return out
}

var tlpNames = map[string]wf.Tlp{
	"CLEAR": wf.Tlp_TLP_CLEAR, "GREEN": wf.Tlp_TLP_GREEN, "AMBER": wf.Tlp_TLP_AMBER,
	"AMBER+STRICT": wf.Tlp_TLP_AMBER_STRICT, "RED": wf.Tlp_TLP_RED,
}

func (c *checker) markings(e markingsEntry) markings {
	m := markings{tlp: map[wf.Tlp]*wf.Label{}, scope: map[string]*wf.Label{}, words: map[string]*wf.Label{}}
	for _, name := range sortedKeys(e.TLP) {
		path := "$.markings.tlp." + name
		t, ok := tlpNames[name]
		if !ok {
			c.fail(path, "is no TLP 2.0 label; use CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
			continue
		}
		m.tlp[t] = c.marking(path, e.TLP[name])
	}
	for _, name := range sortedKeys(e.Scope) {
		if !slices.Contains([]string{"Public", "Restricted", "Private"}, name) {
			c.fail("$.markings.cap_scope."+name, "is no CAP scope; use Public, Restricted or Private")
			continue
		}
		m.scope[name] = c.marking("$.markings.cap_scope."+name, e.Scope[name])
	}
	for _, name := range sortedKeys(e.Words) {
		path := "$.markings.words." + name
		if name == "" || name != strings.ToUpper(name) || strings.TrimSpace(name) != name {
			c.fail(path, "write the marking in upper case without spaces around it")
			continue
		}
		m.words[name] = c.marking(path, e.Words[name])
	}
	return m
}

func (c *checker) marking(path string, e markingEntry) *wf.Label {
	level, err := label.ParseLevel(e.Level)
	if err != nil {
		c.fail(path+".level", "%v", err)
	}
	out := &wf.Label{Level: wf.Level(level), ReleasableTo: e.ReleasableTo}
	for _, w := range e.Controls {
		v, ok := wf.Control_value["CONTROL_"+w]
		if !ok || v == 0 {
			c.fail(path+".controls", "unknown control %q; use ORCON, NOFORN, LES, FISA, PROPIN, IMCON, RELIDO, DSEN, FED_ONLY, FEDCON or NOCON", w)
			continue
		}
		out.Controls = append(out.Controls, wf.Control(v))
	}
	slices.Sort(out.Controls)
	for _, w := range e.ReleasableTo {
		if !upperWord(w, 3, 4) {
			c.fail(path+".releasable_to", "%q is neither a three-letter country code nor a tetragraph", w)
		}
	}
	if e.TLP != "" {
		t, ok := tlpNames[e.TLP]
		if !ok {
			c.fail(path+".tlp", "%q is no TLP 2.0 label", e.TLP)
		}
		out.Tlp = t
	}
	return out
}

func upperWord(s string, shortest, longest int) bool {
	if len(s) < shortest || len(s) > longest {
		return false
	}
	for _, b := range []byte(s) {
		if b < 'A' || b > 'Z' {
			return false
		}
	}
	return true
}
