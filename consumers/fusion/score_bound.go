package fusion

import "strings"

// decide is score for a pair that reaches the threshold; for any other it is
// something below, found without comparing names wherever the rest leaves
// them too little to make up for.
func (e *Engine) decide(a, b int32) int32 {
	if e.nodes[b].before(&e.nodes[a]) {
		a, b = b, a
	}
	p := &e.pairing
	*p = pairing{e: e, least: e.threshold, bounded: true}
	p.weigh(e.facts(a), e.facts(b))
	return p.sum
}

// hopeless says whether the pair stays below the threshold whatever its
// persons say, rest being what place, time and all that is told after them give.
func (p *pairing) hopeless(a, b *facts, rest int32) bool {
	need := p.least - p.sum - rest
	return need > 0 && p.mostOfPeople(a, b) < need
}

// mostOfPeople is a bound of what people adds.
func (p *pairing) mostOfPeople(a, b *facts) int32 {
	var best int32
	for i := range a.persons {
		for j := range b.persons {
			best = max(best, p.mostOf(&a.persons[i], &b.persons[j], a, b))
		}
	}
	if len(a.persons) > 1 && len(b.persons) > 1 {
		best += max(0, int32(int64(best)*int64(p.w(wSecondPerson))/1000))
	}
	return best
}

// mostOf is a bound of what compare gives.
func (p *pairing) mostOf(x, y *person, a, b *facts) int32 {
	var most int32
	for i := range x.names {
		for j := range y.names {
			if m := p.mostOfName(&x.names[i], &y.names[j]); m > most {
				most = m
			}
		}
	}
	born := p.born(x, y)
	if born == wNone {
		born = ageRow(x, y, a.time, b.time)
	}
	most += p.w(born)
	if len(x.numbers) > 0 && len(y.numbers) > 0 {
		most += max(0, p.w(wNumberOneEdit), p.w(wNumberTwoEdits), p.w(wNumberDiffers))
	}
	if x.line != y.line {
		most += max(0, p.w(wSuffixDiffers))
	}
	if x.sex != 0 && y.sex != 0 && x.sex != y.sex {
		most += p.w(wSexDiffers)
	}
	return most
}

// mostOfName is a bound of what two names give: only equal parts are worth
// more than parts that are alike.
func (p *pairing) mostOfName(x, y *name) int32 {
	most := p.mostOfParts(x.family != "" && x.family == y.family, x.given != "" && x.given == y.given) + max(0, p.w(wNamesSwapped))
	if p.crosswise(x, y) {
		most = max(most, p.mostOfParts(true, true)+p.w(wNamesSwapped))
	}
	if x.middle != "" && y.middle != "" {
		most += max(0, p.w(wMiddle), p.w(wMiddle)/2, p.w(wMiddleDiffers))
	}
	return most
}

// crosswise says whether a part of one name may equal the other part of the
// other. What begins with a given name may be that and a middle name.
func (p *pairing) crosswise(x, y *name) bool {
	return x.given != "" && strings.HasPrefix(y.family, x.given) || y.given != "" && strings.HasPrefix(x.family, y.given)
}

func (p *pairing) mostOfParts(surname, given bool) int32 {
	s := max(0, p.w(wSurnameSimilar), p.w(wSurnamePart), p.w(wSurnameLike), p.w(wSurnameDiffers))
	g := max(0, p.w(wGivenSimilar), p.w(wGivenLike), p.w(wInitial), p.w(wGivenDiffers), p.w(wInitialDiffers))
	if surname {
		s = max(s, min(rareSurname, p.w(wSurname)))
	}
	if given {
		g = max(g, min(rareGiven, p.w(wGiven)))
	}
	return s + g
}
