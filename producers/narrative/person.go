package narrative

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// maxNameWords bounds a name without its suffix.
const maxNameWords = 4

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
	if s.symbolAt(i-1, ".") && (s.word(i-2) == "st" || s.word(i-2) == "ft" || s.word(i-2) == "mt") {
		return true
	}
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
