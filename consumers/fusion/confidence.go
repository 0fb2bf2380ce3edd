package fusion

import (
	"cmp"
	"math/bits"
	"slices"
)

// credits is log2(p/(1-p)) in thousandths for information credibility 1 to 6
// (p .95, .80, .65, .35, .10, unknown), before the trust in the source. What
// cannot be judged says nothing, for or against.
var credits = [...]int32{0, 4248, 2000, 893, -893, -3170, 0}

// trust is the weight of source reliability A to F in tenths; F is unknown,
// not worst.
var trust = [...]int32{5, 10, 8, 6, 4, 2, 5}

const (
	// corroboration is what each further independent originator who speaks for
	// it adds, in thousandths of a bit.
	corroboration = 600
	// again is what an originator's further statements count, in tenths; all of
	// them together never more than its strongest.
	again = 2
	// most bounds every sum, in thousandths of a bit: far beyond what is shown.
	most = 64_000
)

// confidence is what the members say together, in thousandths of a bit, and
// how many independent originators there are. Reports of one originator are
// one voice: its strongest statement, and a fifth of each other. Copies by
// lineage and all but identical texts say nothing again.
func (g *gathering) confidence(e *Engine) (mb int32, voices int) {
	if len(g.all) == 1 {
		return g.all[0].vote(), 1
	}
	g.hearVoices()
	type voice struct {
		strongest int32
		rest      int64
	}
	heard := make(map[int32]*voice, 8)
	g.eachStatement(e, func(root, vote int32) {
		v := heard[root]
		if v == nil {
			heard[root] = &voice{strongest: vote}
			return
		}
		if stronger(vote, v.strongest) {
			vote, v.strongest = v.strongest, vote
		}
		v.rest += int64(vote)
	})
	var total int64
	for _, v := range heard {
		cap := int64(max(v.strongest, -v.strongest))
		total += int64(v.strongest) + min(max(v.rest*again/10, -cap), cap)
		if v.strongest > 0 {
			total += corroboration
			voices++
		}
	}
	if voices > 0 {
		total -= corroboration // the first does not corroborate itself
	}
	return int32(min(max(total, -most), most)), len(heard)
}

func stronger(a, b int32) bool {
	x, y := max(a, -a), max(b, -b)
	return x > y || x == y && a > b
}

// vote is what one report says, in thousandths of a bit.
func (w *witness) vote() int32 {
	r, c := int(w.reliability), int(w.credibility)
	if r >= len(trust) || c >= len(credits) {
		return 0
	}
	return credits[c] * trust[r] / 10
}

// gravity is the severity of one report times the trust in its source, in
// thousandths of a step.
func (w *witness) gravity() int32 {
	if r := int(w.reliability); r < len(trust) {
		return int32(w.severity) * trust[r] * 100
	}
	return 0
}

// hearVoices joins members that are one voice: same originator, or one text.
// Afterwards voices.find of an index is its voice.
func (g *gathering) hearVoices() {
	g.texts = resized(g.texts, len(g.all))
	g.eachCopy(func(i, j int32) { g.texts.join(i, j) })
	g.voices = append(g.voices[:0], g.texts...)
	g.eachRun(func(w *witness) uint32 { return w.origin + 1 }, func(run []uint64) {
		for _, x := range run[1:] {
			g.voices.join(int32(uint32(run[0])), int32(uint32(x)))
		}
	})
}

// eachStatement calls f once for every statement that is no copy of another of
// its voice, with the voice and its vote: that of the first who reported it,
// so that no later copy says more than what it copies.
func (g *gathering) eachStatement(e *Engine, f func(root, vote int32)) {
	said := make([]speech, len(g.all))
	for i := range g.all {
		text := g.texts.find(int32(i))
		if w := &g.all[i]; w.agency != w.origin { // passed on: nothing new, whatever its words
			text = -1
		}
		said[i] = speech{g.voices.find(int32(i)), text, int32(i)}
	}
	slices.SortFunc(said, func(a, b speech) int {
		return cmp.Or(cmp.Compare(a.root, b.root), cmp.Compare(b.text, a.text), g.first(e, a.who, b.who))
	})
	for i, s := range said {
		again := i > 0 && said[i-1].root == s.root
		if again && (said[i-1].text == s.text || s.text < 0) {
			continue // what was passed on speaks only where the originator is silent
		}
		f(s.root, g.all[s.who].vote())
	}
}

// speech is a member as one who says something.
type speech struct{ root, text, who int32 }

// first orders members by when they were reported.
func (g *gathering) first(e *Engine, a, b int32) int {
	if x := cmp.Compare(g.all[a].reported, g.all[b].reported); x != 0 || a == b {
		return x
	}
	if e.nodes[g.members[a]].before(&e.nodes[g.members[b]]) {
		return -1
	}
	return 1
}

// eachRun calls f for every run of two or more members with one value that is
// not zero: the value above, the index below 32 bits.
func (g *gathering) eachRun(value func(*witness) uint32, f func(run []uint64)) {
	o := g.order[:0]
	for i := range g.all {
		if v := value(&g.all[i]); v != 0 {
			o = append(o, uint64(v)<<32|uint64(i))
		}
	}
	g.order = o
	slices.Sort(o)
	for i := 0; i < len(o); {
		j := i + 1
		for j < len(o) && o[j]>>32 == o[i]>>32 {
			j++
		}
		if j > i+1 {
			f(o[i:j])
		}
		i = j
	}
}

// eachCopy calls f for pairs that join all but equal texts: they share their
// smallest or second smallest shingle. In a crowd that does, a text is
// compared with the eight before it in the order of their fingerprints.
func (g *gathering) eachCopy(f func(i, j int32)) {
	sketchOf := func(x uint64) *[sketchSize]uint32 { return &g.all[uint32(x)].sketch }
	for k := range 2 {
		g.eachRun(func(w *witness) uint32 { return w.sketch[k] }, func(run []uint64) {
			slices.SortFunc(run, func(a, b uint64) int { return slices.Compare(sketchOf(a)[:], sketchOf(b)[:]) })
			for i := range run {
				for j := max(0, i-8); j < i; j++ {
					if nearCopy(sketchOf(run[i]), sketchOf(run[j])) {
						f(int32(uint32(run[i])), int32(uint32(run[j])))
					}
				}
			}
		})
	}
}

// odds is 1000*2^x/(1+2^x) for x from 0 to 10.
var odds = [...]int32{500, 667, 800, 889, 941, 970, 985, 992, 996, 998, 999}

// permille turns thousandths of a bit into thousandths of certainty.
func permille(mb int32) int32 {
	if mb < 0 {
		return 1000 - permille(-mb)
	}
	i := int(mb / 1000)
	if i >= len(odds)-1 {
		return odds[len(odds)-1]
	}
	return odds[i] + (odds[i+1]-odds[i])*(mb%1000)/1000
}

// manyVoices is a quarter of log2(1+n) in thousandths: what n independent
// originators add to a situation's gravity.
func manyVoices(n int) int32 {
	v := uint32(n) + 1
	whole := bits.Len32(v) - 1
	rest := int32(uint64(v-1<<whole) * 1000 >> whole) // log2 between powers of two, as a line
	return (int32(whole)*1000 + rest) / 4
}
