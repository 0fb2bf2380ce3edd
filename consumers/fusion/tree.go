package fusion

import (
	"cmp"
	"slices"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// tree fills in the links of a maximum spanning tree: the strongest reasons
// that hold the cluster together, and the weakest of them.
func (e *Engine) tree(s *wf.Situation, m []int32) {
	if len(e.local) < len(e.nodes) {
		e.local = make([]int32, len(e.nodes)+len(e.nodes)/4)
	}
	for i, n := range m {
		e.local[n] = int32(i)
	}
	type span struct{ a, b, bits int32 }
	var all []span
	for i, n := range m {
		for _, x := range e.nodes[n].edges {
			if j := e.local[x.to]; int32(i) < j {
				all = append(all, span{int32(i), j, x.bits})
			}
		}
	}
	s.LinkCount = uint32(len(all))
	slices.SortFunc(all, func(x, y span) int {
		return cmp.Or(cmp.Compare(y.bits, x.bits), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	u := newUnion(len(m))
	kept := all[:0]
	for _, x := range all {
		if u.join(x.a, x.b) {
			kept = append(kept, x)
		}
	}
	slices.SortFunc(kept, func(x, y span) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	s.Links = make([]*wf.Link, len(kept))
	links := make([]wf.Link, len(kept))
	weakest := uint32(0)
	for i, x := range kept {
		l := &links[i]
		l.A, l.B, l.Millibits = uint32(x.a), uint32(x.b), x.bits
		l.Evidence = evidenceOf(e.reasons(m[x.a], m[x.b]))
		s.Links[i] = l
		if x.bits < kept[weakest].bits {
			weakest = uint32(i)
		}
	}
	s.WeakestLink = &weakest
}

// evidenceOf is a score's reasons as they are shown.
func evidenceOf(list []reason) []*wf.Evidence {
	all, out := make([]wf.Evidence, len(list)), make([]*wf.Evidence, len(list))
	for i, r := range list {
		all[i].Kind, all[i].Value, all[i].Millibits = table[r.kind].name, r.value, r.bits
		out[i] = &all[i]
	}
	return out
}

// union is a forest of sets with path halving.
type union []int32

func newUnion(n int) union {
	u := make(union, n)
	for i := range u {
		u[i] = int32(i)
	}
	return u
}

func (u union) find(x int32) int32 {
	for u[x] != x {
		u[x] = u[u[x]]
		x = u[x]
	}
	return x
}

// join merges two sets, the smaller index leads; false when they were one.
func (u union) join(a, b int32) bool {
	a, b = u.find(a), u.find(b)
	if a == b {
		return false
	}
	if b < a {
		a, b = b, a
	}
	u[b] = a
	return true
}
