package fusion

import (
	"slices"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// thing is something that has a name and is no person: an organization, a
// facility, a published work or product. Its kind is the row that it counts
// under at most.
type thing struct {
	kind weight
	name string // folded
}

const (
	maxThings = 8
	maxTokens = 24
)

// works are the kinds of items that their name tells apart. Of a weapon or a
// material the name only says what sort of thing it is.
var works = words(`publication paper article book journal report thesis patent movie film show series episode video song track album
	recording music game software app application product good goods model work title website blog post news story`)

// item notes an item of a report.
func (x *extraction) item(it *wf.Item) {
	kind := fold(it.GetKind())
	switch {
	case kind == "malware" || kind == "campaign" || kind == "tool":
		x.named(keyMalware, wMalware, it.GetName())
	case works[kind] || works[lastWord(kind)]:
		x.thing(wWork, keyWork, it.GetName())
	default:
		x.thing(wItem, keyNone, it.GetName())
	}
}

// thing notes a name and proposes by it and by pairs of its rarest words.
func (x *extraction) thing(kind weight, t keyType, s string) {
	n := fold(s)
	if len(n) < 2 || nobody.has(n) || len(x.things) == maxThings {
		return
	}
	o := thing{kind, n}
	if slices.Contains(x.things, o) {
		return
	}
	x.things = append(x.things, o)
	if t == keyNone {
		return
	}
	var w wordList
	w.split(n)
	x.mark(t, mark{kind: kind, value: n}, w.hash(t))
	pairs, _ := w.rarest()
	for _, h := range pairs {
		if h != 0 {
			x.key(keyWords, mix(uint64(t), h))
		}
	}
}

// thingKeys propose things by each of their two rarest words with the town.
func (x *extraction) thingKeys() {
	if len(x.towns) == 0 || len(x.persons) > 0 {
		return
	}
	for i := range x.things {
		var w wordList
		w.split(x.things[i].name)
		_, single := w.rarest()
		for _, h := range single {
			for _, t := range x.towns {
				if h != 0 {
					x.key(keyWords, mix(t, h))
				}
			}
		}
	}
}

// wordList is a name cut into words with their weights, in no memory but its own.
type wordList struct {
	n     int
	words [maxTokens]string
	bits  [maxTokens]int32
	total int32
	// lone: it holds a number that the name it was last matched with does not.
	lone bool
}

func (w *wordList) split(name string) {
	w.n, w.total = 0, 0
	for s := range strings.SplitSeq(name, " ") {
		if s == "" || w.n == maxTokens {
			continue
		}
		w.words[w.n], w.bits[w.n] = s, bitsOfWord(s)
		w.total += w.bits[w.n]
		w.n++
	}
}

// hash is of the words that say something, in any order.
func (w *wordList) hash(t keyType) uint64 {
	var sum uint64
	for i := range w.n {
		if w.bits[i] >= wordNoise || w.total < 4*wordNoise {
			sum += mix(uint64(t), hashString(w.words[i]))
		}
	}
	return sum
}

// rarest hashes the pairs of the three rarest words, the longer the rarer and
// then by their letters, and the two rarest by themselves; the one word of a
// name that has but one is found by its sound.
func (w *wordList) rarest() (out [3]uint64, single [2]uint64) {
	var top [3]int
	n := 0
	better := func(i, j int) bool {
		if w.bits[i] != w.bits[j] {
			return w.bits[i] > w.bits[j]
		}
		if len(w.words[i]) != len(w.words[j]) {
			return len(w.words[i]) > len(w.words[j])
		}
		return w.words[i] < w.words[j]
	}
	for i := range w.n {
		if w.bits[i] < wordNoise || slices.Contains(w.words[:i], w.words[i]) {
			continue
		}
		at := n
		for at > 0 && better(i, top[at-1]) {
			at--
		}
		if at == len(top) {
			continue
		}
		if n < len(top) {
			n++
		}
		copy(top[at+1:n], top[at:n-1])
		top[at] = i
	}
	for i := range min(n, 2) {
		single[i] = hashString(stem(w.words[top[i]]))
	}
	switch n {
	case 1:
		out[0] = hashParts("sound", soundex(w.words[top[0]]))
	case 2, 3:
		k := 0
		for i := range n {
			for j := range i {
				a, b := hashString(stem(w.words[top[i]])), hashString(stem(w.words[top[j]]))
				out[k] = mix(min(a, b), max(a, b))
				k++
			}
		}
	}
	return out, single
}

// stem drops the end of a plural, so that it proposes like its singular.
func stem(s string) string {
	if len(s) > 4 {
		s = strings.TrimRight(s, "s")
	}
	return s
}

// thingScore compares two names word by word: a word in both is worth what it
// is rare, one with a typo or shortened a part of that, at most the row of
// their kind in all; words that stand in one alone count against it, less when
// the other name is merely shorter. against is what was taken off; other says
// that the names share next to nothing.
func (p *pairing) thingScore(x, y *thing) (got, against int32, other bool) {
	a, b := &p.e.wordsA, &p.e.wordsB
	a.split(x.name)
	b.split(y.name)
	if a.total == 0 || b.total == 0 {
		return 0, 0, false
	}
	got, restA, restB := a.match(b)
	other = got*4 < min(a.total, b.total)
	if restA > restB {
		restA, restB = restB, restA
	}
	against = restA + (restB-restA)/4
	switch {
	case a.lone && b.lone:
		against -= p.w(wWorkNumber)
	case a.lone != b.lone:
		against -= p.w(wWorkNumber) / 2
	}
	return min(got, p.w(x.kind)) - against, against, other
}

// match is the weight of what both say, and of what each says alone.
func (w *wordList) match(o *wordList) (got, restA, restB int32) {
	var used, done uint32
	take := func(i, j int, part int32) {
		used |= 1 << i
		done |= 1 << j
		got += min(w.bits[i], o.bits[j]) * part / 10
	}
	for i := range w.n {
		for j := range o.n {
			if done>>j&1 == 0 && w.words[i] == o.words[j] {
				take(i, j, 10)
				break
			}
		}
	}
	for i := range w.n {
		for j := range o.n {
			if used>>i&1 == 0 && done>>j&1 == 0 {
				if part := wordsAlike(w.words[i], o.words[j]); part > 0 {
					take(i, j, part)
				}
			}
		}
	}
	got += w.joined(o, &used, &done) + o.joined(w, &done, &used)
	return got, w.rest(used), o.rest(done)
}

// rest is the weight of the words that nothing was found for.
func (w *wordList) rest(used uint32) (sum int32) {
	w.lone = false
	for i := range w.n {
		if used>>i&1 == 0 {
			sum += w.bits[i]
			w.lone = w.lone || numeral(w.words[i])
		}
	}
	return sum
}

// numeral says whether a word counts: digits, a model number, a Roman numeral.
func numeral(s string) bool {
	switch s {
	case "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix":
		return true
	}
	for i := range len(s) {
		if digit(s[i]) {
			return true
		}
	}
	return false
}

// joined matches two neighbours with one word that the other name writes
// together: "web base" and "webbase".
func (w *wordList) joined(o *wordList, used, done *uint32) (got int32) {
	for i := 0; i+1 < w.n; i++ {
		if *used>>i&3 != 0 {
			continue
		}
		x, y := w.words[i], w.words[i+1]
		for j := range o.n {
			z := o.words[j]
			if *done>>j&1 == 0 && len(z) == len(x)+len(y) && z[:len(x)] == x && z[len(x):] == y {
				*used |= 3 << i
				*done |= 1 << j
				got += o.bits[j]
				break
			}
		}
	}
	return got
}

// wordsAlike says how much of a word's weight another spelling keeps, in tenths.
func wordsAlike(x, y string) int32 {
	if len(x) > len(y) {
		x, y = y, x
	}
	switch {
	case len(x) < 3 || digit(x[0]) || digit(y[0]):
		return 0
	case len(y) == len(x)+1 && y[len(x)] == 's' && y[:len(x)] == x:
		return 10
	case len(x) >= 4 && oneEdit(x, y):
		return 8
	case x[0] != y[0] && (len(x) < 7 || x[len(x)-1] != y[len(y)-1]):
		return 0
	case len(y) > len(x) && y[:len(x)] == x:
		return 6 // shortened: trans, transactions
	case len(x) >= 6 && (similarity(x, y) >= 920 || twoEdits(x, y)):
		return 7
	}
	return 0
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// verdict on the works that two reports name.
type verdict uint8

const (
	noWork verdict = iota
	sameWork
	otherWork
)

// aboutThings is what the names of things said.
type aboutThings struct {
	works   verdict
	site    int32 // bits of what stands in one place: a facility, or a target with whoever runs it
	title   int32 // bits of a work's title
	against int32 // bits that two titles lack of being one
}

// things adds the best agreement of things of each kind.
func (p *pairing) things(a, b *facts) (out aboutThings) {
	if len(a.things) == 0 || len(b.things) == 0 {
		return out
	}
	var named int32 // bits of an organization
	for _, kind := range [...]weight{wWork, wOrganization, wFacility, wTarget, wTitle, wItem, wCraftName} {
		m := p.bestThing(a, b, kind)
		if !m.found {
			continue
		}
		if m.bits < thingFloor {
			if (m.other || kind == wWork) && p.otherThing(kind, m, a, b) {
				out.works = otherWork
			}
			continue
		}
		if p.crowded(sharedKey(a, b, kind, m.x, m.y), a, b) {
			m.bits = min(m.bits, p.w(wHub))
		}
		bits := m.bits
		if kind == wTarget { // whoever runs it, the facility and the target are one name
			bits, _ = beyond(bits, max(named, out.site))
			out.site = max(out.site, named, m.bits)
		}
		p.add(kind, min(m.x, m.y), bits)
		switch kind {
		case wOrganization:
			named = m.bits
			p.branches(a, b)
		case wWork:
			out.works, out.title, out.against = sameWork, m.bits, m.against
		case wFacility:
			out.site = m.bits
		}
	}
	return out
}

// branches counts other phones against one organization's name, where nobody
// is named who may hold either.
func (p *pairing) branches(a, b *facts) {
	x, y := a.of(keyPhone), b.of(keyPhone)
	if len(x) == 1 && len(y) == 1 && p.phone == 0 && len(a.persons)+len(b.persons) == 0 {
		p.add(wPhoneDiffers, "", p.w(wPhoneDiffers))
	}
}

// thingMatch is the best pair of things of one kind, and how many there are.
type thingMatch struct {
	found, other  bool
	bits, against int32
	x, y          string
	n, m          int
}

// titles says whether a short title stands for a work: it is compared with the
// works that others name, and two of them are no works.
func (t *thing) titles(kind weight) bool { return kind == wWork && t.kind == wTitle }

func (p *pairing) bestThing(a, b *facts, kind weight) (best thingMatch) {
	for i := range a.things {
		x := &a.things[i]
		if x.kind != kind && !x.titles(kind) {
			continue
		}
		best.n++
		best.m = 0
		for j := range b.things {
			y := &b.things[j]
			if y.kind != kind && (!y.titles(kind) || x.kind != kind) {
				continue
			}
			best.m++
			bits, against, other := p.thingScore(x, y)
			if v := min(x.name, y.name); !best.found || bits > best.bits || bits == best.bits && v < min(best.x, best.y) {
				best.found, best.other, best.bits, best.against = true, other, bits, against
				best.x, best.y = x.name, y.name
			}
		}
	}
	return best
}

// edition bounds what one title, its makers and its publisher say together, the
// less the titles agree: makers write much alike. Another year counts against.
func (p *pairing) edition(a, b *facts, before int32, t aboutThings) {
	most := min(max(0, p.w(wWorkCap)-t.against), t.title+p.w(wWorkMakers))
	if over := p.sum - before - most; over > 0 {
		p.add(wWorkCap, "", -over)
	}
	if gap := a.time - b.time; gap > 300*dayMs || gap < -300*dayMs {
		p.add(wWorkYear, "", p.w(wWorkYear))
	}
}

// sharedKey is the key of a name that both reports carry, 0 when they differ.
func sharedKey(a, b *facts, kind weight, x, y string) key {
	for i := range a.ids {
		m := &a.ids[i]
		if m.kind != kind || m.value != x {
			continue
		}
		for j := range b.ids {
			if o := &b.ids[j]; o.key == m.key && o.value == y {
				return m.key
			}
		}
	}
	return 0
}

// thingFloor is the agreement in thousandths of a bit below which two names are other names.
const thingFloor = 3000

// otherThing counts two names that do not agree against the pair, where each
// report is about one thing of that kind and nobody is named in it.
func (p *pairing) otherThing(kind weight, t thingMatch, a, b *facts) bool {
	switch kind {
	case wWork:
		p.add(wWorkDiffers, "", p.w(wWorkDiffers))
		return true
	case wOrganization, wFacility:
		if t.n == 1 && t.m == 1 && len(a.persons)+len(b.persons) == 0 {
			p.add(wOrganizationDiffers, "", p.w(wOrganizationDiffers))
		}
	}
	return false
}
