package fusion

import (
	"cmp"
	"slices"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// span is a link between two members, by their index, a < b.
type span struct{ a, b, bits int32 }

// spans lists every link between two of the members, in no order.
func (e *Engine) spans(m []int32) []span {
	if len(e.local) < len(e.nodes) {
		e.local = make([]int32, len(e.nodes)+len(e.nodes)/4)
	}
	for i, n := range m {
		e.local[n] = int32(i)
	}
	all := e.links[:0]
	for i, n := range m {
		for _, x := range e.edges(n) {
			if j := e.local[x.to]; int32(i) < j && int(j) < len(m) && m[j] == x.to {
				all = append(all, span{int32(i), j, x.bits})
			}
		}
	}
	e.links = all
	return all
}

// spanning keeps of the links a maximum spanning forest, sorted by member.
func spanning(all []span, members int) []span {
	slices.SortFunc(all, func(x, y span) int {
		return cmp.Or(cmp.Compare(y.bits, x.bits), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	u := newUnion(members)
	var kept []span
	for _, x := range all {
		if u.join(x.a, x.b) {
			kept = append(kept, x)
		}
	}
	slices.SortFunc(kept, func(x, y span) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
	return kept
}

// tree fills in the links of a maximum spanning tree: the strongest reasons
// that hold the cluster together, and the weakest of them.
func (e *Engine) tree(s *wf.Situation, m []int32) {
	all := e.spans(m)
	s.LinkCount = uint32(len(all))
	kept := spanning(all, len(m))
	s.Links = e.shownLinks(kept, m)
	weakest := uint32(0)
	for i, x := range kept {
		if x.bits < kept[weakest].bits {
			weakest = uint32(i)
		}
	}
	s.WeakestLink = &weakest
	s.Bridge = bridge(all, kept, int(weakest), len(m))
}

// shownLinks are links with the evidence of each.
func (e *Engine) shownLinks(kept []span, m []int32) []*wf.Link {
	out, links := make([]*wf.Link, len(kept)), make([]wf.Link, len(kept))
	for i, x := range kept {
		l := &links[i]
		l.A, l.B, l.Millibits = uint32(x.a), uint32(x.b), x.bits
		l.Evidence = evidenceOf(e.reasons(m[x.a], m[x.b]))
		out[i] = l
	}
	return out
}

// bridge says what the tree falls apart into without its weakest link, and by
// how many links the two sides hang together: none is stronger than it, or it
// would be in the tree instead.
func bridge(all, kept []span, weakest, members int) *wf.Bridge {
	u := newUnion(members)
	for i, x := range kept {
		if i != weakest {
			u.join(x.a, x.b)
		}
	}
	b := &wf.Bridge{}
	side := u.find(kept[weakest].a)
	for i := range members {
		if u.find(int32(i)) == side {
			b.AReports++
		} else {
			b.BReports++
		}
	}
	for _, x := range all {
		if (u.find(x.a) == side) != (u.find(x.b) == side) {
			b.Links++
		}
	}
	return b
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

func newUnion(n int) union { return resized(nil, n) }

// resized is a union of n sets of one, in u's memory if that is enough.
func resized(u union, n int) union {
	u = slices.Grow(u[:0], n)[:n]
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
