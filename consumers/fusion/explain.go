package fusion

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Explanation says why a situation is one.
type Explanation struct {
	Situation *wf.Situation
	// Lines can be read aloud: those of Read, then what is near it and not
	// part of it.
	Lines []string
	// Attached are other situations that all their near misses with this one
	// together tie to it more than to any other.
	Attached []Attached
	// Related are reports of other situations just below the threshold.
	Related []Related
}

// Related is a pair that is near the threshold and not linked.
type Related struct {
	// Member is the index of the situation's own report.
	Member uint32
	// Situation and Report are the other side.
	Situation string
	Report    string
	Agency    string
	// Apart is the time between the two events.
	Apart     time.Duration
	Millibits int32
	Evidence  []*wf.Evidence
}

// Attached is a small situation that hangs on another without being part of it.
type Attached struct {
	Situation string
	Headline  string
	Size      int
	// Millibits are those of all its near misses together, Pairs how many.
	Millibits int32
	Pairs     int
}

const (
	// relatedBand is how far below the threshold a pair is still worth a pointer.
	relatedBand = 10_000
	maxRelated  = 20
	// attachable is the most reports that a situation has which is listed under
	// another, attachedFrom what ties it there at least.
	attachable   = 3
	attachedFrom = 20_000
	maxAttached  = 20
)

// Explain explains one situation as it is now, or one part of a mass
// situation. The first reports of a large one are looked at for near misses.
func (e *Engine) Explain(id string) (Explanation, bool) {
	m, ok := e.find(id)
	if !ok {
		return Explanation{}, false
	}
	m = slices.Clone(m)
	s := seal(e.build(m))
	if len(m) > e.massSize {
		m = e.shown(s)
	}
	x := Explanation{Situation: s, Lines: Read(s)}
	x.Related, x.Attached = e.nearMisses(m)
	if s.Size == 1 && len(x.Related) == 0 {
		x.Lines = append(x.Lines, "No other report was found within "+bitsOf(relatedBand)+" of a link with it.")
	}
	for _, a := range x.Attached {
		x.Lines = append(x.Lines, fmt.Sprintf("Weakly attached, not part of it: situation %s, %s. %s together come to %s.",
			a.Situation[:min(8, len(a.Situation))], a.Headline, plural(a.Pairs, "near miss"), bitsOf(a.Millibits)))
	}
	for _, r := range x.Related {
		x.Lines = append(x.Lines, e.relatedLine(r))
	}
	return x, true
}

func (e *Engine) relatedLine(r Related) string {
	return fmt.Sprintf("Related, not part of it: %s of %s in situation %s, with report %d, %s: %s, %s short of a link: %s.",
		r.Report, r.Agency, r.Situation[:min(8, len(r.Situation))], r.Member+1, spanText(r.Apart),
		bitsOf(r.Millibits), bitsOf(e.threshold-r.Millibits), reasonsText(r.Evidence))
}

// shown are the nodes of the members that a situation lists.
func (e *Engine) shown(s *wf.Situation) []int32 {
	var out []int32
	for _, m := range s.Members {
		if n := e.know(identOf(m.Cell, m.Agency, m.ReportId)); n != 0 {
			out = append(out, n)
		}
	}
	return out
}

// miss is a pair in the related band.
type miss struct{ own, other, bits int32 }

// missesOf are the near misses of a report with those of other components, the
// same from both ends.
func (e *Engine) missesOf(n int32, f func(miss)) {
	seen := map[int32]bool{n: true}
	for _, k := range slices.Clone(e.facts(n).keys) {
		w := e.index.window(k, n, e.k)
		for _, o := range append(slices.Clone(w.older()), w.newer()...) {
			if gap := e.nodes[o].time - e.nodes[n].time; seen[o] || e.nodes[o].comp == e.nodes[n].comp || max(gap, -gap) > k.rule().ttl {
				continue
			}
			seen[o] = true
			if s := e.score(n, o); s < e.threshold && s >= e.threshold-relatedBand && s > 0 {
				f(miss{n, o, s})
			}
		}
	}
}

// nearMisses lists the strongest pairs below the threshold between members and
// reports of other situations, and the small situations that hang on this one.
func (e *Engine) nearMisses(m []int32) ([]Related, []Attached) {
	type found struct {
		miss
		member int32
	}
	var all []found
	near := map[int32]bool{}
	for i, n := range m[:min(len(m), e.massSize)] {
		e.missesOf(n, func(x miss) {
			all = append(all, found{x, int32(i)})
			if c := e.nodes[x.other].comp; e.comps[c].size <= attachable {
				near[c] = true
			}
		})
	}
	slices.SortFunc(all, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.bits, a.bits), cmp.Compare(a.member, b.member), slices.Compare(e.nodes[a.other].id[:], e.nodes[b.other].id[:]))
	})
	related := make([]Related, 0, min(len(all), maxRelated))
	for _, x := range all[:min(len(all), maxRelated)] {
		related = append(related, e.pointer(uint32(x.member), x.miss))
	}
	if len(m) == 0 {
		return related, nil
	}
	return related, e.attached(e.nodes[m[0]].comp, near)
}

// attached lists those of the near components whose near misses tie them to c
// more than to any other; never by way of a third.
func (e *Engine) attached(c int32, near map[int32]bool) []Attached {
	var out []Attached
	for small := range near {
		if best, bits, pairs := e.hangsOn(small); best == c && bits >= attachedFrom {
			s := e.build(e.ring(small))
			out = append(out, Attached{Situation: s.Id, Headline: s.Headline, Size: int(s.Size), Millibits: bits, Pairs: pairs})
		}
	}
	slices.SortFunc(out, func(a, b Attached) int {
		return cmp.Or(cmp.Compare(b.Millibits, a.Millibits), strings.Compare(a.Situation, b.Situation))
	})
	return out[:min(len(out), maxAttached)]
}

// hangsOn is the larger component that the near misses of a small one tie it to
// most; of equals the one with the smaller id. 0 when there is none.
func (e *Engine) hangsOn(small int32) (best, bits int32, pairs int) {
	type tie struct {
		bits  int32
		pairs int
	}
	ties := map[int32]tie{}
	for _, n := range slices.Clone(e.ring(small)) {
		e.missesOf(n, func(x miss) {
			if c := e.nodes[x.other].comp; e.comps[c].size > e.comps[small].size {
				ties[c] = tie{min(ties[c].bits+x.bits, most), ties[c].pairs + 1}
			}
		})
	}
	for c, t := range ties {
		if t.bits > bits || t.bits == bits && e.idOf(c).less(e.idOf(best)) {
			best, bits, pairs = c, t.bits, t.pairs
		}
	}
	return best, bits, pairs
}

// idOf is the id of a component as a situation.
func (e *Engine) idOf(c int32) ident { return e.nodes[e.ring(c)[0]].id }

func (id ident) less(o ident) bool { return slices.Compare(id[:], o[:]) < 0 }

func (e *Engine) pointer(member uint32, x miss) Related {
	f := e.facts(x.other)
	r := Related{Member: member, Report: f.id.String(), Agency: strings.Clone(e.words.texts[f.agency]), Millibits: x.bits,
		Apart: time.Duration(e.nodes[x.other].time-e.nodes[x.own].time) * time.Millisecond}
	if f.record != "" {
		r.Report = strings.Clone(f.record)
	}
	r.Situation = e.idOf(e.nodes[x.other].comp).String()
	r.Evidence = evidenceOf(e.reasons(x.own, x.other))
	sealEvidence(r.Evidence, cloneIt)
	return r
}
