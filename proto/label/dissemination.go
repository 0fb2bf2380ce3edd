package label

import (
	"slices"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Dissemination is what binds the further use of a report. It joins
// restrictively: controls by union, REL TO by intersection (an empty
// intersection becomes NOFORN), TLP by the stricter one.
type Dissemination struct {
	Controls []wf.Control
	// ReleasableTo is nil when no list was given.
	ReleasableTo []string
	TLP          wf.Tlp
}

// DisseminationOf reads the dissemination part of m. NOFORN leaves no REL TO
// list: of the two the stricter one holds.
func DisseminationOf(m *wf.Label) Dissemination {
	d := Dissemination{TLP: m.GetTlp()}
	d.Controls = sortedUnion(m.GetControls(), nil)
	if len(m.GetReleasableTo()) > 0 && !d.Has(wf.Control_CONTROL_NOFORN) {
		d.ReleasableTo = sortedUnion(m.GetReleasableTo(), nil)
	}
	return d
}

// Has says whether the control is present.
func (d Dissemination) Has(c wf.Control) bool { return slices.Contains(d.Controls, c) }

// Join combines two dissemination rules; it is commutative, associative and
// idempotent, and never widens access.
func (d Dissemination) Join(o Dissemination) Dissemination {
	out := Dissemination{Controls: sortedUnion(d.Controls, o.Controls), TLP: max(d.TLP, o.TLP)}
	switch {
	case out.Has(wf.Control_CONTROL_NOFORN):
	case d.ReleasableTo == nil:
		out.ReleasableTo = o.ReleasableTo
	case o.ReleasableTo == nil:
		out.ReleasableTo = d.ReleasableTo
	default:
		for _, c := range d.ReleasableTo {
			if slices.Contains(o.ReleasableTo, c) {
				out.ReleasableTo = append(out.ReleasableTo, c)
			}
		}
		if len(out.ReleasableTo) == 0 {
			out.Controls = sortedUnion(out.Controls, []wf.Control{wf.Control_CONTROL_NOFORN})
		}
	}
	return out
}

func sortedUnion[T interface{ ~int32 | ~string }](a, b []T) []T {
	if len(a)+len(b) == 0 {
		return nil
	}
	u := slices.Concat(a, b)
	slices.Sort(u)
	return slices.Compact(u)
}
