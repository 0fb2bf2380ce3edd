package label_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/watchfloor/watchfloor/proto/label"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// rules is every dissemination rule over two controls, NOFORN, three countries
// and three TLP values, as messages may say it: contradictions included.
var rules = func() []label.Dissemination {
	controls := []wf.Control{wf.Control_CONTROL_LES, wf.Control_CONTROL_NOFORN, wf.Control_CONTROL_ORCON}
	countries := []string{"AUS", "GBR", "USA"}
	var out []label.Dissemination
	for _, tlp := range []wf.Tlp{wf.Tlp_TLP_UNSPECIFIED, wf.Tlp_TLP_AMBER, wf.Tlp_TLP_RED} {
		for cs := range 1 << len(controls) {
			for rs := range 1 << len(countries) {
				m := &wf.Label{Tlp: tlp}
				for i, c := range controls {
					if cs&(1<<i) != 0 {
						m.Controls = append(m.Controls, c)
					}
				}
				for i, c := range countries {
					if rs&(1<<i) != 0 {
						m.ReleasableTo = append(m.ReleasableTo, c)
					}
				}
				out = append(out, label.DisseminationOf(m))
			}
		}
	}
	return out
}()

// foreigners says whether a foreign country may see what the rule binds.
func foreigners(d label.Dissemination, country string) bool {
	return !d.Has(wf.Control_CONTROL_NOFORN) && (d.ReleasableTo == nil || slices.Contains(d.ReleasableTo, country))
}

func TestNOFORNLeavesNoList(t *testing.T) {
	d := label.DisseminationOf(&wf.Label{Controls: []wf.Control{wf.Control_CONTROL_NOFORN}, ReleasableTo: []string{"USA", "GBR"}})
	if d.ReleasableTo != nil || !d.Has(wf.Control_CONTROL_NOFORN) {
		t.Errorf("got %v, want NOFORN alone", d)
	}
}

func TestDisseminationJoinIsASemilattice(t *testing.T) {
	for _, a := range rules {
		if got := a.Join(a); !reflect.DeepEqual(got, a) {
			t.Fatalf("join of %v with itself is %v", a, got)
		}
		for _, b := range rules {
			ab := a.Join(b)
			if ba := b.Join(a); !reflect.DeepEqual(ab, ba) {
				t.Fatalf("join of %v and %v: got %v, other way round %v", a, b, ab, ba)
			}
			for i := 0; i < len(rules); i += 7 {
				c := rules[i]
				if x, y := ab.Join(c), a.Join(b.Join(c)); !reflect.DeepEqual(x, y) {
					t.Fatalf("join of %v, %v, %v: got %v and %v", a, b, c, x, y)
				}
			}
		}
	}
}

func TestDisseminationJoinNeverWidens(t *testing.T) {
	for _, a := range rules {
		for _, b := range rules {
			j := a.Join(b)
			if j.TLP < a.TLP || j.TLP < b.TLP {
				t.Fatalf("join of %v and %v loosens TLP: %v", a, b, j)
			}
			for _, c := range append(slices.Clone(a.Controls), b.Controls...) {
				if !j.Has(c) {
					t.Fatalf("join of %v and %v loses a control: %v", a, b, j)
				}
			}
			for _, country := range []string{"AUS", "GBR", "USA", "NZL"} {
				if foreigners(j, country) && !(foreigners(a, country) && foreigners(b, country)) {
					t.Fatalf("join of %v and %v lets %s in: %v", a, b, country, j)
				}
			}
		}
	}
}

func TestAnEmptyIntersectionIsNOFORN(t *testing.T) {
	a := label.DisseminationOf(&wf.Label{ReleasableTo: []string{"GBR"}})
	b := label.DisseminationOf(&wf.Label{ReleasableTo: []string{"AUS"}})
	if j := a.Join(b); !j.Has(wf.Control_CONTROL_NOFORN) || j.ReleasableTo != nil {
		t.Errorf("got %v", j)
	}
	c := label.DisseminationOf(&wf.Label{ReleasableTo: []string{"USA", "GBR", "USA"}})
	if j := a.Join(c); !slices.Equal(j.ReleasableTo, []string{"GBR"}) {
		t.Errorf("got %v, want GBR", j)
	}
}
