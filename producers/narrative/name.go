package narrative

import "strings"

// name is a person's name in parts, and where it ends.
type name struct {
	given, middle, family, suffix string
	sure                          bool // the given name is one, and nothing else
	known                         bool // the given name is in the table
	next                          int
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
	if last := s.tok(j - 1); len(parts) == 2 && t.letters == upper && last.letters == title && !s.shouted && t.end-t.start > 2 {
		n.given, n.family = n.family, n.given // KOVALENKO Andriy
		n.sure, n.known = last.class&given != 0 && last.class&givenAlso == 0, last.class&(given|givenAlso) != 0
	}
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
