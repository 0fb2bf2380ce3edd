package fusion

import "strings"

// people adds the best pair of persons, and part of the best of the others:
// members of one group who appear together. home is what phone and address
// gave, mail what a mailbox did: a household has them in common.
func (p *pairing) people(a, b *facts, home, mail int32) {
	if len(a.persons) == 0 || len(b.persons) == 0 {
		return
	}
	var sums [maxPersons][maxPersons]int32
	bi, bj := 0, 0
	for i := range a.persons {
		for j := range b.persons {
			sums[i][j] = p.compare(&a.persons[i], &b.persons[j], a, b).total()
			if sums[i][j] > sums[bi][bj] {
				bi, bj = i, j
			}
		}
	}
	alone := len(a.persons) == 1 && len(b.persons) == 1
	if sums[bi][bj] < 0 && (!alone || p.sum-home-mail >= p.w(wReference)) {
		return // different people say nothing against one event
	}
	s := &p.e.tally // of the pair compared last
	if !alone {
		s = p.compare(&a.persons[bi], &b.persons[bj], a, b)
	}
	if alone {
		p.household(s, home, mail)
	}
	for _, l := range s.lines[:s.n] {
		p.add(l.kind, "", l.bits)
	}
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

// household bounds what a home and its mailbox say of two who are not one. Of
// namesakes, father and son perhaps, the home says the same.
func (p *pairing) household(t *tally, home, mail int32) {
	switch {
	case t.strangers:
		home += mail
	case !t.namesakes:
		return
	}
	if over := home - p.w(wHousehold); over > 0 {
		p.add(wHousehold, "", -over)
	}
}

// tally is evidence in the making: rows and their bits.
type tally struct {
	lines [12]struct {
		kind weight
		bits int32
	}
	n int
	// strangers have another given name, and no birth date in common; namesakes
	// one name and wholly other birth dates.
	strangers, namesakes bool
}

func (t *tally) add(k weight, bits int32) {
	if k != wNone && t.n < len(t.lines) {
		t.lines[t.n].kind, t.lines[t.n].bits = k, bits
		t.n++
	}
}

func (t *tally) total() (sum int32) {
	for _, l := range t.lines[:t.n] {
		sum += l.bits
	}
	return sum
}

// compare weighs two persons by name, birth, age, sex and number. The reasons
// name no name: a frame never carries one.
func (p *pairing) compare(x, y *person, a, b *facts) *tally {
	t := &p.e.tally
	t.n, t.strangers, t.namesakes = 0, false, false
	born := p.born(x, y)
	best := p.bestName(x, y)
	switch born {
	case wBirth, wBirthSwapped, wBirthOneDigit:
	default:
		t.strangers = best.apart()
		t.namesakes = born == wBirthDiffers && !t.strangers
	}
	if t.strangers {
		best.kin()
	}
	t.add(best.sk, best.surname)
	t.add(best.gk, best.given)
	if best.swapped {
		t.add(wNamesSwapped, p.w(wNamesSwapped))
	}
	t.add(best.mk, best.middle)
	if x.line != 0 && y.line != 0 && x.line != y.line {
		t.add(wSuffixDiffers, p.w(wSuffixDiffers))
	}
	if x.sex != 0 && y.sex != 0 && x.sex != y.sex { // the same says nothing: the given name did
		t.add(wSexDiffers, p.w(wSexDiffers))
	}
	t.add(born, p.w(born))
	if born == wNone {
		k := ageRow(x, y, a.time, b.time)
		t.add(k, p.w(k))
	}
	if over := t.total() - p.w(wNamesakes); t.namesakes && over > 0 {
		t.add(wNamesakes, -over)
	}
	k := numberRow(x, y)
	t.add(k, p.w(k))
	return t
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

// nameScore is what two names say, part by part.
type nameScore struct {
	surname, given, middle, penalty int32
	sk, gk, mk                      weight
	swapped                         bool
}

// apart says whether the names are of two people, of one family at most.
func (s *nameScore) apart() bool {
	if s.swapped {
		return s.sk == wSurnameDiffers || s.gk == wGivenDiffers
	}
	return s.gk == wGivenDiffers || s.gk == wInitialDiffers
}

// kin takes the weight from what a family has in common.
func (s *nameScore) kin() {
	s.surname = min(s.surname, 0)
	if s.swapped {
		s.given = min(s.given, 0)
	}
}

func (s *nameScore) total() int32 { return s.surname + s.given + s.middle + s.penalty }

// nameScore compares two names as they stand and, where that says little, with
// given name and surname in each other's place.
func (p *pairing) nameScore(x, y *name) nameScore {
	s := p.parts(x.given, x.family, y.given, y.family)
	if s.sk == wSurname && s.gk == wGiven {
		p.middle(&s, x.middle, y.middle)
		return s
	}
	if s.surname+s.given <= 0 || s.gk == wNone || s.sk == wNone {
		given := x.given
		if x.middle != "" && strings.IndexByte(y.family, ' ') > 0 {
			given += " " + x.middle
		}
		other := y.given
		if y.middle != "" && strings.IndexByte(x.family, ' ') > 0 {
			other += " " + y.middle
		}
		c := p.parts(x.family, given, other, y.family)
		c.swapped, c.penalty = true, p.w(wNamesSwapped)
		if c.total() > s.total() && c.surname+c.given > 0 {
			return c
		}
	}
	if s.gk == wGivenDiffers && (x.middle != "" || y.middle != "") && p.byMiddle(x, y) {
		s.gk, s.given = wGivenLike, p.w(wGivenLike)
		return s
	}
	p.middle(&s, x.middle, y.middle)
	return s
}

// byMiddle says whether one goes by what is the other's middle name.
func (p *pairing) byMiddle(x, y *name) bool {
	return len(x.given) > 1 && x.given == y.middle || len(y.given) > 1 && y.given == x.middle
}

func (p *pairing) parts(xg, xf, yg, yf string) (s nameScore) {
	if xf != "" && yf != "" {
		s.sk, s.surname = p.surname(xf, yf)
	}
	if xg != "" && yg != "" {
		s.gk, s.given = p.given(xg, yg)
	}
	if s.sk == wSurnameDiffers && s.gk == wNone || s.sk == wNone && s.gk == wNone || s.sk == wSurnameDiffers && s.gk == wGivenDiffers {
		// Written as one word in one of them.
		if sameLetters(xg, xf, yg, yf) {
			s = nameScore{sk: wSurname, surname: p.w(wSurnameSimilar), gk: wGiven, given: p.w(wGivenSimilar)}
		}
	}
	return s
}

// sameLetters says whether two names are one, written without spaces.
func sameLetters(xg, xf, yg, yf string) bool {
	i, j := 0, 0
	at := func(g, f string, i int) byte {
		if i < len(g) {
			return g[i]
		}
		return f[i-len(g)]
	}
	nx, ny, some := len(xg)+len(xf), len(yg)+len(yf), false
	for {
		for i < nx && at(xg, xf, i) == ' ' {
			i++
		}
		for j < ny && at(yg, yf, j) == ' ' {
			j++
		}
		if i == nx || j == ny {
			return i == nx && j == ny && some
		}
		if at(xg, xf, i) != at(yg, yf, j) {
			return false
		}
		i, j, some = i+1, j+1, true
	}
}

func (p *pairing) middle(s *nameScore, x, y string) {
	if x == "" || y == "" || s.gk == wNone || s.gk == wGivenDiffers {
		return
	}
	switch {
	case x == y && len(x) > 1:
		s.mk, s.middle = wMiddle, p.w(wMiddle)
	case x[0] == y[0] && (len(x) == 1 || len(y) == 1):
		s.mk, s.middle = wMiddle, p.w(wMiddle)/2
	case x[0] == y[0] && (similarity(x, y) >= 860 || strings.HasPrefix(x, y) || strings.HasPrefix(y, x)):
		s.mk, s.middle = wMiddle, p.w(wMiddle)/2
	default:
		s.mk, s.middle = wMiddleDiffers, p.w(wMiddleDiffers)
	}
}

func (p *pairing) surname(x, y string) (weight, int32) {
	if x == y {
		return wSurname, min(bitsOfSurname(x), p.w(wSurname))
	}
	switch s := resemblance(x, y); {
	case s >= 920 || len(x) >= 4 && oneEdit(x, y) || squeezed(x) == squeezed(y):
		return wSurnameSimilar, min(max(0, min(bitsOfSurname(x), bitsOfSurname(y))-2500), p.w(wSurnameSimilar))
	case oneOfTwo(x, y):
		return wSurnamePart, min(max(0, bitsOfSurname(shorter(x, y))-3000), p.w(wSurnamePart))
	case s >= 860 || soundsLike(x, y) || len(x) >= 6 && len(y) >= 6 && twoEdits(x, y):
		return wSurnameLike, p.w(wSurnameLike)
	}
	return wSurnameDiffers, p.w(wSurnameDiffers)
}

// oneOfTwo says whether one surname is a word of the other.
func oneOfTwo(x, y string) bool {
	x, y = shorter(x, y), longer(x, y)
	if len(x) < 3 || len(x) == len(y) {
		return false
	}
	for w := range strings.SplitSeq(y, " ") {
		if w == x {
			return true
		}
	}
	return false
}

func shorter(x, y string) string {
	if len(x) <= len(y) {
		return x
	}
	return y
}

func longer(x, y string) string {
	if len(x) <= len(y) {
		return y
	}
	return x
}

func (p *pairing) given(x, y string) (weight, int32) {
	if x == y && len(x) > 1 {
		return wGiven, min(bitsOfGiven(x), p.w(wGiven))
	}
	if len(x) == 1 || len(y) == 1 {
		if x[0] == y[0] {
			return wInitial, p.w(wInitial)
		}
		return wInitialDiffers, p.w(wInitialDiffers)
	}
	fx, fy := formal(x), formal(y)
	if fx == fy {
		return wGivenSimilar, p.w(wGivenSimilar)
	}
	switch s := resemblance(x, y); {
	case s >= 920 || len(x) >= 4 && oneEdit(x, y):
		return wGivenSimilar, min(max(0, min(bitsOfGiven(fx), bitsOfGiven(fy))-2500), p.w(wGivenSimilar))
	case s >= 860 || soundsLike(x, y) || len(x) >= 6 && len(y) >= 6 && twoEdits(x, y) || len(x) == len(y) && oneEdit(x, y):
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
	if x.month == 0 || x.day == 0 || y.month == 0 || y.day == 0 {
		switch {
		case x.year == y.year && x.month != 0 && x.month == y.month:
			return wBirthMonth
		case x.year == y.year && (x.month == 0 || y.month == 0):
			return wBirthYear
		case x.year == y.year:
			return wNone
		}
		return wBirthDiffers
	}
	agree := 0
	for _, same := range [...]bool{x.year == y.year, x.month == y.month, x.day == y.day} {
		if same {
			agree++
		}
	}
	switch {
	case agree == 3:
		return wBirth
	case x.year == y.year && x.month == y.day && x.day == y.month:
		return wBirthSwapped
	case garbledDate(x, y):
		return wBirthOneDigit
	case agree == 2:
		return wBirthTwoParts
	}
	switch d := x.days() - y.days(); {
	case d <= 45 && d >= -45:
		return wBirthNear
	case d <= 400 && d >= -400:
		return wBirthYearNear
	}
	return wBirthDiffers
}

// days counts days, months taken for 30.4.
func (b birth) days() int { return int(b.year)*365 + (int(b.month)*304+5)/10 + int(b.day) }

// garbledDate says whether two dates, written as eight digits, differ in one,
// or two neighbours changed places.
func garbledDate(x, y birth) bool {
	a, b := x.digits(), y.digits()
	return garbled(string(a[:]), string(b[:]))
}

func (b birth) digits() (out [8]byte) {
	v := int(b.year)*10000 + int(b.month)*100 + int(b.day)
	for i := 7; i >= 0; i-- {
		out[i] = byte('0' + v%10)
		v /= 10
	}
	return out
}

// yearMs is a mean year.
const yearMs = 31_556_952_000

// ageRow compares two stated ages, or one with the other's year of birth.
func ageRow(x, y *person, atX, atY int64) weight {
	switch {
	case x.age != 0 && y.age != 0:
		// Both grow older.
		d := int(x.age) - int(y.age) + int(floorDiv(atY-atX, yearMs))
		switch d = max(d, -d); {
		case d <= 1:
			return wAge
		case d > 6:
			return wAgeDiffers
		}
	case x.age != 0 && y.birth.year != 0:
		return ageFits(x.age, atX, y.birth.year)
	case y.age != 0 && x.birth.year != 0:
		return ageFits(y.age, atY, x.birth.year)
	}
	return wNone
}

func ageFits(age uint8, at int64, year uint16) weight {
	d := 1970 + int(floorDiv(at, yearMs)) - int(age) - int(year)
	switch d = max(d, -d); {
	case d <= 1:
		return wAgeBirth
	case d > 6:
		return wAgeDiffers
	}
	return wNone
}

// numberRow compares what was written of one kind of number; equal ones have
// counted as identifiers.
func numberRow(a, b *person) weight {
	kind := wNone
	rank := func(k weight) int {
		switch k {
		case wNumberOneEdit:
			return 3
		case wNumberTwoEdits:
			return 2
		case wNumberDiffers:
			return 1
		}
		return 0
	}
	for i := range a.numbers {
		for j := range b.numbers {
			x, y := &a.numbers[i], &b.numbers[j]
			if x.class != y.class {
				continue
			}
			if x.value == y.value {
				return wNone
			}
			k := wNumberDiffers
			switch {
			case len(x.value) >= 6 && oneEdit(x.value, y.value):
				k = wNumberOneEdit
			case len(x.value) >= 7 && len(y.value) >= 7 && twoEdits(x.value, y.value):
				k = wNumberTwoEdits
			}
			if rank(k) > rank(kind) {
				kind = k
			}
		}
	}
	return kind
}
