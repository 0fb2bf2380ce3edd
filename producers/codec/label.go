package codec

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/label"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Join is the least label that is at least as restrictive as both: access by
// the lattice, dissemination by its own rules. An unmarked label is an error,
// because it would read as the widest one.
func Join(a, b *wf.Label) (*wf.Label, error) {
	la, err := label.FromProto(a)
	if err != nil {
		return nil, fmt.Errorf("join labels: %w", err)
	}
	lb, err := label.FromProto(b)
	if err != nil {
		return nil, fmt.Errorf("join labels: %w", err)
	}
	out := la.Join(lb).Proto()
	d := label.DisseminationOf(a).Join(label.DisseminationOf(b))
	out.Controls, out.ReleasableTo, out.Tlp = d.Controls, d.ReleasableTo, d.TLP
	out.OrconCells = joinOrcon(a, b)
	out.Original = joinOriginal(a.GetOriginal(), b.GetOriginal())
	return out, nil
}

// Mark is a mapped label as a report carries it: with the sides of the agency's
// own label, because a marking names none, and the marking as written. The
// result never reads wider than l.
func (o Options) Mark(l *wf.Label, original string) *wf.Label {
	out := proto.CloneOf(l)
	for _, s := range o.Label.GetSides() {
		if !slices.Contains(out.Sides, s) {
			out.Sides = append(out.Sides, s)
		}
	}
	slices.Sort(out.Sides)
	out.Original = original
	return out
}

// joinOrcon keeps the cells that every originator-controlled part names.
func joinOrcon(a, b *wf.Label) []string {
	controlled := func(l *wf.Label) bool { return slices.Contains(l.GetControls(), wf.Control_CONTROL_ORCON) }
	switch {
	case !controlled(a):
		return slices.Clone(b.GetOrconCells())
	case !controlled(b):
		return slices.Clone(a.GetOrconCells())
	}
	var out []string
	for _, c := range a.GetOrconCells() {
		if slices.Contains(b.GetOrconCells(), c) {
			out = append(out, c)
		}
	}
	return out
}

func joinOriginal(a, b string) string {
	switch {
	case a == "":
		return b
	case b == "" || slices.Contains(strings.Split(a, "; "), b):
		return a
	}
	return a + "; " + b
}
