package fusion

import (
	"cmp"
	"slices"
	"strings"
)

// witness is what the picture needs of one member, copied out of its facts
// once: everything that is shown is made from these, and never asks again.
type witness struct {
	time     int64
	reported int64
	expires  int64
	revision uint64
	own      uint64
	sender   uint64 // hash of the sender that its record name begins with; 0 none
	hazard   uint64

	sketch    [sketchSize]uint32
	cell      uint32
	agency    uint32
	origin    uint32
	behaviors uint32

	kind        uint8
	severity    uint8
	reliability uint8
	credibility uint8
	cancel      bool
	over        bool // a later message of its chain replaces it

	spots, outline, fips extent
}

// extent is a run in a list of the gathering.
type extent struct{ at, n int32 }

func of[T any](list []T, x extent) []T { return list[x.at : x.at+x.n] }

// sighting is one identifier of one member.
type sighting struct {
	key   key
	who   int32 // index in members
	kind  weight
	value string
}

// successor is a message that may replace the ones named by a hash.
type successor struct {
	of  uint64
	who int32
}

// gathering is what is known of the members of a cluster, in memory that is
// used again.
type gathering struct {
	members []int32
	all     []witness
	spots   []spot
	outline []geo
	fips    []uint32
	seen    []sighting
	later   []successor
	order   []uint64 // scratch
	texts   union    // all but identical texts
	voices  union    // what one originator says, in whatever texts
}

func (g *gathering) reset(m []int32) {
	clear(g.seen) // strings of reports that may leave
	g.members, g.all = m, g.all[:0]
	g.spots, g.outline, g.fips, g.seen, g.later = g.spots[:0], g.outline[:0], g.fips[:0], g.seen[:0], g.later[:0]
}

// gather reads every member once. also may look at the facts meanwhile.
func (e *Engine) gather(g *gathering, m []int32, also func(i int, f *facts)) {
	g.reset(m)
	for i, n := range m {
		f := e.facts(n)
		g.take(int32(i), f, len(m) > 1)
		if also != nil {
			also(i, f)
		}
	}
	g.replace(e)
}

func (g *gathering) take(i int32, f *facts, shared bool) {
	w := witness{
		time: f.time, reported: f.reported, expires: f.expires, revision: f.revision, own: f.own, hazard: f.hazard, sketch: f.sketch,
		cell: f.cell, agency: f.agency, origin: f.origin, behaviors: f.behaviors,
		kind: f.kind, severity: f.severity, reliability: f.reliability, credibility: f.credibility, cancel: f.cancel,
		spots:   extent{int32(len(g.spots)), int32(len(f.places))},
		outline: extent{int32(len(g.outline)), int32(len(f.outline))},
		fips:    extent{int32(len(g.fips)), int32(len(f.counties))},
	}
	if sender, _, ok := strings.Cut(f.record, ","); ok {
		w.sender = hashString(strings.ToLower(sender))
	}
	g.spots = append(g.spots, f.places...)
	g.outline = append(g.outline, f.outline...)
	g.fips = append(g.fips, f.counties...)
	for _, h := range f.supersede {
		if h != 0 {
			g.later = append(g.later, successor{h, i})
		}
	}
	if shared {
		g.sight(i, f)
	}
	g.all = append(g.all, w)
}

func (g *gathering) sight(i int32, f *facts) {
	for j := range f.ids {
		if d := &f.ids[j]; d.kind != wReference && d.kind != wObject {
			g.seen = append(g.seen, sighting{d.key, i, d.kind, d.value})
		}
	}
	for _, l := range f.ignored {
		g.seen = append(g.seen, sighting{l.key, i, wNone, l.value})
	}
}

// replace marks the members that a later message of their chain replaces. It
// goes by report time, whatever came first.
func (g *gathering) replace(e *Engine) {
	if len(g.later) == 0 {
		return
	}
	slices.SortFunc(g.later, func(a, b successor) int { return cmp.Or(cmp.Compare(a.of, b.of), cmp.Compare(a.who, b.who)) })
	for i := range g.all {
		own := g.all[i].own
		if own == 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(g.later, own, func(s successor, h uint64) int { return cmp.Compare(s.of, h) })
		for ; at < len(g.later) && g.later[at].of == own; at++ {
			if u := g.later[at].who; u != int32(i) && g.replaces(e, u, int32(i)) {
				g.all[i].over = true
				break
			}
		}
	}
}

// replaces says whether u may replace i: later, and from the same source.
func (g *gathering) replaces(e *Engine, u, i int32) bool {
	a, b := &g.all[u], &g.all[i]
	if a.reported < b.reported || a.reported == b.reported && e.nodes[g.members[u]].before(&e.nodes[g.members[i]]) {
		return false
	}
	return a.agency == b.agency || a.sender != 0 && a.sender == b.sender
}

// pick gathers some members of another gathering, by index.
func (g *gathering) pick(from *gathering, m []int32, which []int32) {
	g.reset(m)
	for _, i := range which {
		w := from.all[i]
		spots, outline, fips := of(from.spots, w.spots), of(from.outline, w.outline), of(from.fips, w.fips)
		w.spots, w.outline, w.fips = extent{int32(len(g.spots)), w.spots.n}, extent{int32(len(g.outline)), w.outline.n}, extent{int32(len(g.fips)), w.fips.n}
		g.spots, g.outline, g.fips = append(g.spots, spots...), append(g.outline, outline...), append(g.fips, fips...)
		g.all = append(g.all, w)
	}
}
