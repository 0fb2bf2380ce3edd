package narrative

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// maxNameWords bounds a name without its suffix.
const maxNameWords = 4

// name is a person's name in parts, and where it ends.
type name struct {
	given, middle, family, suffix string
	sure                          bool // the given name is one, and nothing else
	known                         bool // the given name is in the table
	next                          int
}

// name reads a name that begins at token i, if the words around it or the
// given name itself say that it is one. What officials are called is left out:
// they are the writer's colleagues, and tie what they write together.
func (s *scan) name(i int) int {
	t := s.tok(i)
	if t.letters == lower || s.glued(i) && i > 0 && !s.symbolAt(i-1, "(\"'“:") {
		return i
	}
	if t.class&honorific != 0 && t.letters != upper || t.class&honorific != 0 && s.shouted {
		return s.titled(i)
	}
	if s.reversed(i) > i {
		n := s.surnameFirst(i)
		return s.person0(i, n, "family name, given name")
	}
	n, ok := s.read(i)
	if !ok || s.placeAfter(n.next) || s.is(i-1, official) && s.tok(i-1).letters != lower || s.symbolAt(i-1, ".") && s.is(i-2, official) {
		return i
	}
	if s.inPlace(i) || s.goesOn(i) {
		return i
	}
	before, after := s.cueBefore(i), s.cueAfter(n.next)
	score := boolInt(before) + boolInt(after) + 2*boolInt(n.sure) + boolInt(n.known && !n.sure)
	if s.shouted || s.ctx.Heading {
		score = 2*boolInt(before) + boolInt(after) + boolInt(n.sure)
		if s.shouted && n.middle == "" && !before && (!after || !n.sure) {
			return i
		}
	} else if before && (s.alias(i) || s.is(i-1, introducer) || s.symbolAt(i-1, ":") || s.strictRole(i)) {
		score++
	}
	if !n.known && s.strange(i, n.next) {
		score += boolInt(after && s.is(n.next, bodily)) + 2*boolInt(s.listedWith(i))
	}
	if score < 2 || s.aPlace(i, n.next) {
		return i
	}
	switch {
	case before:
		return s.person0(i, n, "a name after a word for a role or a name")
	case after:
		return s.person0(i, n, "a name before what is said of a person")
	}
	return s.person0(i, n, "a given name and a family name")
}

// inPlace says whether the words stand where a place does: "in Isla Vista".
func (s *scan) inPlace(i int) bool {
	switch s.word(i - 1) {
	case "in", "at", "near", "outside", "around", "through", "toward", "towards", "inside":
		return true
	}
	return false
}

// goesOn says whether the words before i are of the same run of capitals, as
// in "San Juan Mountains": then the name is no more than a part of it.
func (s *scan) goesOn(i int) bool {
	t := s.tok(i - 1)
	if s.shouted || t.shape != word || t.letters == lower || s.tok(i).line || s.tok(i).start-t.end > 1 {
		return false
	}
	return t.class&(subjectRole|victimRole|witnessRole|introducer|honorific|official|timeWord|weekday|cue) == 0 && !s.ends(i-1)
}

// listedWith says whether the words stand in one list with a person: "Hamid
// Alwan and Yasein Mosed".
func (s *scan) listedWith(i int) bool {
	w := s.word(i - 1)
	return s.person > 0 && s.personEnd == i-1 && (w == "and" || w == "or" || w == "with")
}

// strange says whether no word of the name is a word of the language.
func (s *scan) strange(i, j int) bool {
	for k := i; k < j; k++ {
		if t := s.tok(k); t.class != 0 || t.shape != word || t.letters != title || t.end-t.start < 3 {
			return false
		}
	}
	return !s.shouted
}

// strictRole says whether the word before i is a role in singular, so that a
// name must follow: "Driver Stephan Reinhardt".
func (s *scan) strictRole(i int) bool {
	return s.is(i-1, subjectRole|victimRole|witnessRole) && s.tok(i-1).letters != upper || s.is(i-1, subjectRole|victimRole|witnessRole) && s.shouted
}

// namePart says whether token i can be part of a name.
func (s *scan) namePart(i int) bool {
	t := s.tok(i)
	switch s.word(i) {
	case "jr", "sr", "ii", "iii", "iv":
		return false
	}
	return t.shape == word && (t.letters == title || t.letters == camel && isUpper(s.text[t.start]) || t.letters == upper && t.end-t.start > 1) && t.class&stop == 0
}

func (s *scan) isInitial(i int) bool { return s.tok(i).letters == initial && s.tok(i).shape == word }

// read takes given, middle and family name from token i.
func (s *scan) read(i int) (n name, ok bool) {
	t := s.tok(i)
	if !s.namePart(i) && !(t.class&(given|givenAlso) != 0 && (t.letters == title || t.letters == upper)) && !(s.isInitial(i) && s.symbolAt(i+1, ".")) {
		return n, false
	}
	n.sure, n.known = t.class&given != 0 && t.class&givenAlso == 0, t.class&(given|givenAlso) != 0
	var parts []string
	j := i
	for len(parts) < maxNameWords {
		t := s.tok(j)
		if len(parts) > 0 && (t.line || s.glued(j) && !s.symbolAt(j-1, "-.")) {
			break
		}
		switch {
		case len(parts) == 0, s.namePart(j), len(parts) > 0 && n.known && t.class&surnameAlso != 0 && t.letters == s.tok(i).letters && t.shape == word,
			s.isInitial(j) && (s.namePart(j+1) || s.symbolAt(j+1, ".") || s.is(j+1, surnameAlso)),
			t.class&particle != 0 && len(parts) > 0 && (s.namePart(j+1) || s.symbolAt(j+1, "-") && s.namePart(j+2)) && !s.tok(j+1).line:
			p := s.raw(j)
			j++
			for s.symbolAt(j, "-") && s.glued(j) && s.glued(j+1) && s.tok(j+1).letters == title {
				p += "-" + s.raw(j+1)
				j += 2
			}
			parts = append(parts, p)
			if s.symbolAt(j, ".") && s.glued(j) && len(p) == 1 {
				j++
			}
			continue
		case s.symbolAt(j, "\"“") && s.symbolAt(j+2, "\"”") && s.namePart(j+3): // a nickname inside
			j += 3
			continue
		}
		break
	}
	if len(parts) < 2 || len(parts[len(parts)-1]) < 2 {
		return n, false
	}
	n.given, n.family = parts[0], parts[len(parts)-1]
	n.middle = strings.Join(parts[1:len(parts)-1], " ")
	n.next = j
	s.suffix(&n)
	return n, s.wholesome(i, &n)
}

// suffix takes Jr, III and the like.
func (s *scan) suffix(n *name) {
	j := n.next
	if s.symbolAt(j, ",") {
		j++
	}
	switch s.word(j) {
	case "jr", "sr":
		n.suffix = strings.ToUpper(s.word(j)[:1]) + "r"
	case "ii", "iii", "iv":
		n.suffix = strings.ToUpper(s.word(j))
	default:
		return
	}
	n.next = j + 1
	if s.symbolAt(n.next, ".") && s.glued(n.next) && !s.tok(n.next+1).gap || s.symbolAt(n.next, ".") && s.tok(n.next+1).letters == lower {
		n.next++
	}
}

// wholesome refuses what reads like a name and is a place, a firm or a title.
func (s *scan) wholesome(i int, n *name) bool {
	j := n.next
	if s.is(j, streetType|countyWord|facilityWord|orgSuffix) && s.tok(j).letters != lower || s.is(j, orgSuffix) {
		return false
	}
	if s.symbolAt(j, ",") && s.is(j+1, orgSuffix) || s.symbolAt(j, "&") {
		return false
	}
	if s.tok(j-1).class&(stateName|facilityWord|streetType|countyWord|carMake) != 0 && !(n.sure && s.is(j-1, surnameAlso)) {
		return false
	}
	if s.tok(i).class&stateName != 0 && s.is(i-1, preposition) {
		return false
	}
	return true
}

// aPlace says whether the tables know the words as a place.
func (s *scan) aPlace(i, j int) bool {
	name := placeName(s.span(i, j))
	return len(entries(cityTable, name)) > 0 || len(entries(facilityTable, name)) > 0
}

// placeAfter says whether what follows makes a name that of a place.
func (s *scan) placeAfter(j int) bool {
	if s.symbolAt(j, ".") && s.is(j-1, abbreviation) && s.tok(j+1).letters == title && s.is(j+1, streetType|facilityWord) {
		return true // King Jr. Drive
	}
	return s.tok(j).letters != lower && s.is(j, streetType|facilityWord|countyWord|direction) && s.tok(j).shape == word && !s.tok(j).line && !s.symbolAt(j-1, ".,;:")
}

// cueBefore says whether the words before i announce a person.
func (s *scan) cueBefore(i int) bool {
	k := i - 1
	for n := 0; n < 4 && k >= 0; n++ {
		c := s.toks[k].class
		switch {
		case c&(introducer|subjectRole|victimRole|witnessRole) != 0:
			return true
		case s.symbolAt(k, ":,(/.\"-"), s.word(k) == "as", s.word(k) == "was", s.word(k) == "is", s.word(k) == "a", s.word(k) == "k", s.word(k) == "by", s.word(k) == "to", s.word(k) == "name", s.word(k) == "of" && s.word(k-1) == "name":
		case s.word(k) == "seen", s.word(k) == "involved", s.word(k) == "contacted", s.word(k) == "interviewed", s.word(k) == "arrested", s.word(k) == "with", s.word(k) == "travelling", s.word(k) == "traveling":
			return s.word(k) != "with"
		default:
			return false
		}
		if s.symbolAt(k, ".") && s.ends(k+1) {
			return false
		}
		k--
	}
	return false
}

// cueAfter says whether what follows is said of persons.
func (s *scan) cueAfter(j int) bool {
	if s.is(j, speech) && (s.tok(j).letters == lower || s.shouted) {
		return true
	}
	k := j
	if s.symbolAt(k, ",(") {
		k++
	} else if !s.shouted && !s.is(k, cue|descriptor) {
		return false
	}
	switch w := s.word(k); {
	case w == "dob", w == "born", w == "age", w == "aged", w == "ssn", w == "passport", w == "aka", w == "dl", w == "oln", w == "d" && s.symbolAt(k+1, "."):
		return true
	case s.tok(k).shape == number && k > j:
		v := len(s.raw(k))
		return v == 2 && (s.symbolAt(k+1, ",.;)") || s.word(k+1) == "of" || s.word(k+1) == "years" || s.word(k+1) == "yoa" || s.word(k+1) == "y" || s.word(k+1) == "yo")
	case s.descriptorAt(k) > k:
		return true
	case s.symbolAt(k, "+"):
		return k > j
	}
	return false
}

// titled is a family name, or a whole one, after Mr. or Dr.
func (s *scan) titled(i int) int {
	k := i + 1
	if s.symbolAt(k, ".") && s.glued(k) {
		k++
	}
	if s.tok(k).line || !s.namePart(k) {
		return i
	}
	if n, ok := s.read(k); ok && !s.placeAfter(n.next) && !s.aPlace(k, n.next) {
		return s.person0(i, n, "a name after a form of address")
	}
	if len(s.raw(k)) < 3 || s.placeAfter(k+1) {
		return i
	}
	return s.person0(i, name{family: s.raw(k), next: k + 1}, "a family name after a form of address")
}

// reversed says whether "FAMILY, GIVEN" stands at i with something that
// confirms it, and where it ends.
func (s *scan) reversed(i int) int {
	if !s.namePart(i) && !(s.is(i, surnameAlso) && s.tok(i).letters != lower) || !s.symbolAt(i+1, ",") || !s.glued(i+1) {
		return i
	}
	g := i + 2
	if !s.is(g, given|givenAlso) || s.tok(g).letters != s.tok(i).letters && s.tok(g).letters != title || s.tok(g).line {
		return i
	}
	end := g + 1
	if s.isInitial(end) || s.namePart(end) && s.tok(end).letters == s.tok(g).letters && !s.ends(end) && !s.is(end, stateName) {
		end++
		if s.symbolAt(end, ".") && s.glued(end) && s.isInitial(end-1) {
			end++
		}
	}
	if s.symbolAt(g+1, ",") && s.namePart(g+2) { // a list: "Smith, John, Paul"
		return i
	}
	if s.is(g, stateName) && !s.cueAfter(end) {
		return i // Grundy, Virginia
	}
	sure := s.is(g, given) && !s.is(g, givenAlso)
	capitals := s.tok(i).letters == upper && s.tok(g).letters == upper
	if s.cueBefore(i) || s.cueAfter(end) || sure && (capitals || s.ends(i) && !s.is(g, stateName)) {
		return end
	}
	return i
}

func (s *scan) surnameFirst(i int) name {
	n := name{family: s.raw(i), given: s.raw(i + 2), next: s.reversed(i)}
	if m := i + 3; m < n.next && s.tok(m).shape == word {
		n.middle = s.raw(m)
	}
	s.suffix(&n)
	return n
}

// person0 notes a person; with an alias, the one it is another name of.
func (s *scan) person0(i int, n name, why string) int {
	if placeholder(n) {
		return n.next
	}
	w := &wf.PersonName{Given: properCase(n.given), Middle: properCase(n.middle), Family: properCase(n.family), Suffix: n.suffix}
	whole := strings.Join(strings.Fields(w.Given+" "+w.Middle+" "+w.Family+" "+w.Suffix), " ")
	alias := s.alias(i) && s.whose(i) > 0
	f := Finding{Kind: Person, Normal: whole, Why: why, Role: s.role(i), Person: &wf.Person{Names: []*wf.PersonName{w}}}
	if alias {
		w.Alias = true
		f.Of, f.Why = s.person, "a name after aka"
		s.add(f, i, n.next)
		s.personEnd = n.next
		return n.next
	}
	s.person, s.personEnd = s.add(f, i, n.next), n.next
	if len(s.ahead) > 0 && i-s.aheadEnd <= 8 && s.aheadEnd >= s.sentence {
		for _, k := range s.ahead {
			s.out[k-1].Of = s.person
		}
	}
	s.ahead = s.ahead[:0]
	return n.next
}

// placeholder says whether a name stands for nobody known: John Doe.
func placeholder(n name) bool {
	given := foldASCII(n.given)
	return foldASCII(n.family) == "doe" && (given == "john" || given == "jane") || normal.Placeholder(n.given+n.family)
}

func (s *scan) alias(i int) bool {
	for k := i - 1; k >= 0 && k > i-6; k-- {
		switch s.word(k) {
		case "aka", "alias", "aliases", "a/k/a", "nickname":
			return true
		case "k", "a", "the", "and", "or":
			if s.word(k) == "k" && s.word(k-2) == "a" {
				return true
			}
			continue
		}
		if !s.symbolAt(k, "/.:,(\"'") {
			return false
		}
	}
	return false
}

// role is that of the word before the name.
func (s *scan) role(i int) wf.EntityRole {
	for k := i - 1; k >= 0 && k > i-5; k-- {
		c := s.toks[k].class
		switch {
		case c&victimRole != 0:
			return wf.EntityRole_ENTITY_ROLE_VICTIM
		case c&witnessRole != 0:
			return wf.EntityRole_ENTITY_ROLE_WITNESS
		case c&subjectRole != 0:
			return wf.EntityRole_ENTITY_ROLE_SUBJECT
		}
		if s.ends(k) {
			break
		}
	}
	return wf.EntityRole_ENTITY_ROLE_MENTIONED
}

// properCase writes a name in capitals as names are written; what is mixed
// already stays.
func properCase(s string) string {
	if s == "" || strings.ToUpper(s) != s || len(s) < 2 {
		return s
	}
	b := []byte(foldASCII(s))
	for i := range b {
		if isLower(b[i]) && (i == 0 || b[i-1] == ' ' || b[i-1] == '-' || b[i-1] == '\'') {
			b[i] -= 'a' - 'A'
		}
	}
	out := string(b)
	if strings.HasPrefix(out, "Mc") && len(out) > 3 {
		out = "Mc" + strings.ToUpper(out[2:3]) + out[3:]
	}
	return out
}
