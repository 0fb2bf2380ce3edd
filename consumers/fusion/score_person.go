package fusion

// people adds the best pair of persons, and part of the best of the others:
// members of one group who appear together.
func (p *pairing) people(a, b *facts) {
	if len(a.persons) == 0 || len(b.persons) == 0 {
		return
	}
	var sums [maxPersons][maxPersons]int32
	bi, bj := 0, 0
	for i := range a.persons {
		for j := range b.persons {
			m := pairing{e: p.e}
			m.person(&a.persons[i], &b.persons[j])
			sums[i][j] = m.sum
			if m.sum > sums[bi][bj] {
				bi, bj = i, j
			}
		}
	}
	if sums[bi][bj] < 0 && (len(a.persons) > 1 || len(b.persons) > 1 || p.sum >= p.w(wReference)) {
		return // different people say nothing against one event
	}
	p.person(&a.persons[bi], &b.persons[bj])
	var second int32
	for i := range a.persons {
		for j := range b.persons {
			if i != bi && j != bj {
				second = max(second, sums[i][j])
			}
		}
	}
	p.add(wSecondPerson, "", int32(int64(second)*int64(p.w(wSecondPerson))/1000))
}

// person compares two persons by name, birth, age and number. The reasons
// name no name: a frame never carries one.
func (p *pairing) person(a, b *person) {
	best := p.bestName(a, b)
	born := p.born(a, b)
	if best.gk == wGivenDiffers && born == wBirthDiffers {
		best.surname = min(best.surname, 0) // two of one family
	}
	p.add(best.sk, "", best.surname)
	p.add(best.gk, "", best.given)
	p.add(wNamesSwapped, "", best.swapped)
	p.add(wInitial, "", best.initial)
	if born == wNone {
		p.age(a, b)
	}
	p.add(born, "", p.w(born))
	p.numbers(a, b)
}

func (p *pairing) bestName(a, b *person) nameScore {
	var best nameScore
	found := false
	for i := range a.names {
		for j := range b.names {
			if s := p.nameScore(&a.names[i], &b.names[j]); !found || s.total() > best.total() {
				best, found = s, true
			}
		}
	}
	return best
}

type nameScore struct {
	surname, given, swapped, initial int32
	sk, gk                           weight
}

func (s nameScore) total() int32 { return s.surname + s.given + s.swapped + s.initial }

func (p *pairing) nameScore(x, y *name) (s nameScore) {
	if x.family != "" && y.family != "" {
		s.sk, s.surname = p.surname(x.family, y.family)
	}
	if x.given != "" && y.given != "" {
		s.gk, s.given = p.given(x.given, y.given)
		if s.gk == wInitial {
			s.initial, s.given = s.given, 0
		}
	}
	if x.given != "" && x.family != "" && x.given == y.family && x.family == y.given {
		c := nameScore{
			surname: min(bitsOfSurname(x.family), p.w(wSurname)), sk: wSurname,
			given: min(bitsOfGiven(x.given), p.w(wGiven)), gk: wGiven, swapped: p.w(wNamesSwapped),
		}
		if c.total() > s.total() {
			return c
		}
	}
	return s
}

func (p *pairing) surname(x, y string) (weight, int32) {
	if x == y {
		return wSurname, min(bitsOfSurname(x), p.w(wSurname))
	}
	switch s := similarity(x, y); {
	case s >= 920:
		return wSurnameSimilar, min(max(0, min(bitsOfSurname(x), bitsOfSurname(y))-2500), p.w(wSurnameSimilar))
	case s >= 860:
		return wSurnameLike, p.w(wSurnameLike)
	}
	return wSurnameDiffers, p.w(wSurnameDiffers)
}

func (p *pairing) given(x, y string) (weight, int32) {
	if x == y {
		return wGiven, min(bitsOfGiven(x), p.w(wGiven))
	}
	if len(x) == 1 || len(y) == 1 {
		if x[0] == y[0] {
			return wInitial, p.w(wInitial)
		}
		return wGivenDiffers, p.w(wGivenDiffers)
	}
	fx, fy := formal(x), formal(y)
	if fx == fy {
		return wGivenSimilar, p.w(wGivenSimilar)
	}
	switch s := similarity(x, y); {
	case s >= 920:
		return wGivenSimilar, min(max(0, min(bitsOfGiven(fx), bitsOfGiven(fy))-2500), p.w(wGivenSimilar))
	case s >= 860:
		return wGivenLike, p.w(wGivenLike)
	}
	return wGivenDiffers, p.w(wGivenDiffers)
}

// born is the row that two dates of birth fall under; wNone when one is unknown.
func (p *pairing) born(a, b *person) weight {
	x, y := a.birth, b.birth
	if x.year == 0 || y.year == 0 {
		return wNone
	}
	k := wBirthDiffers
	full := x.month != 0 && x.day != 0 && y.month != 0 && y.day != 0
	switch {
	case x == y && full:
		k = wBirth
	case full && x.year == y.year && x.month == y.day && x.day == y.month:
		k = wBirthSwapped
	case full && oneDigit(x, y):
		k = wBirthOneDigit
	case full:
	case x.year == y.year && x.month != 0 && x.month == y.month:
		k = wBirthMonth
	case x.year == y.year && (x.month == 0 || y.month == 0):
		k = wBirthYear
	}
	return k
}

// oneDigit says whether two dates, written as eight digits, differ in one.
func oneDigit(x, y birth) bool {
	a := int(x.year)*10000 + int(x.month)*100 + int(x.day)
	b := int(y.year)*10000 + int(y.month)*100 + int(y.day)
	d := 0
	for range 8 {
		if a%10 != b%10 {
			d++
		}
		a, b = a/10, b/10
	}
	return d == 1
}

func (p *pairing) age(a, b *person) {
	if a.age == 0 || b.age == 0 {
		return
	}
	d := int(a.age) - int(b.age)
	switch d = max(d, -d); {
	case d <= 1:
		p.add(wAge, "", p.w(wAge))
	case d > 6:
		p.add(wAgeDiffers, "", p.w(wAgeDiffers))
	}
}

// numbers compares what was written of one kind of number; equal ones have
// counted as identifiers.
func (p *pairing) numbers(a, b *person) {
	var best int32
	var kind weight
	for i := range a.numbers {
		for j := range b.numbers {
			x, y := &a.numbers[i], &b.numbers[j]
			if x.class != y.class {
				continue
			}
			if x.value == y.value {
				return
			}
			k := wNumberDiffers
			if len(x.value) >= 6 && oneEdit(x.value, y.value) {
				k = wNumberOneEdit
			}
			if kind == wNone || p.w(k) > best {
				best, kind = p.w(k), k
			}
		}
	}
	if kind != wNone {
		p.add(kind, "", best)
	}
}
