package fusion

import (
	"cmp"
	"slices"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// credits is r*log2(p/(1-p)) in thousandths for information credibility 1 to
// 6 (p .95, .80, .65, .35, .10, unknown), before the weight of the source.
// What cannot be judged says nothing, for or against.
var credits = [...]int32{0, 4248, 2000, 893, -893, -3170, 0}

// trust is the weight of source reliability A to F in tenths; F is unknown,
// not worst.
var trust = [...]int32{5, 10, 8, 6, 4, 2, 5}

// corroboration is what each further independent originator adds, in
// thousandths of a bit, whatever its evaluation says.
const corroboration = 600

// confidence sets the confidence of a situation: the strongest statement of
// each independent originator, added up. Reports of one originator, copies by
// lineage and all but identical texts are one vote. It returns the votes.
func (e *Engine) confidence(s *wf.Situation, m []int32) int {
	if len(m) == 1 {
		s.ConfidencePermille = permille(e.vote(m[0]))
		return 1
	}
	u := e.votes(m)
	strongest := make([]int32, len(m))
	for i, n := range m {
		r := u.find(int32(i))
		v := e.vote(n)
		if a, b := max(v, -v), max(strongest[r], -strongest[r]); a > b || a == b && v > strongest[r] {
			strongest[r] = v
		}
	}
	units, total := 0, int32(0)
	for i := range m {
		if u.find(int32(i)) == int32(i) {
			units++
			total = min(max(total+strongest[i], -64000), 64000)
		}
	}
	total += min(int32(units-1)*corroboration, 16000)
	s.ConfidencePermille = permille(total)
	return units
}

func (e *Engine) vote(n int32) int32 {
	f := e.facts(n)
	r, c := int(f.reliability), int(f.credibility)
	if r >= len(trust) || c >= len(credits) {
		return 0
	}
	return credits[c] * trust[r] / 10
}

// votes joins members that are one voice: same originator, or one text.
func (e *Engine) votes(m []int32) union {
	u := newUnion(len(m))
	order := make([]int32, len(m))
	for i := range order {
		order[i] = int32(i)
	}
	of := func(i int32) *facts { return e.facts(m[i]) }
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(of(a).origin, of(b).origin), cmp.Compare(a, b)) })
	for i := 1; i < len(order); i++ {
		if of(order[i]).origin == of(order[i-1]).origin {
			u.join(order[i], order[i-1])
		}
	}
	// All but equal texts share their smallest or second smallest shingle.
	for k := range 2 {
		slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(of(a).sketch[k], of(b).sketch[k]), cmp.Compare(a, b)) })
		for i := range order {
			for j := i - 1; j >= 0 && j >= i-8; j-- {
				x, y := &of(order[i]).sketch, &of(order[j]).sketch
				if x[k] != y[k] || x[k] == 0 {
					break
				}
				if nearCopy(x, y) {
					u.join(order[i], order[j])
				}
			}
		}
	}
	return u
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
