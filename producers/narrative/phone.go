package narrative

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// phone reads a telephone number that begins at token i: +CC and 7 to 13
// digits; three, three and four digits with the same mark between them; or ten
// digits after a word that says what they are.
func (s *scan) phone(i int) int {
	if s.glued(i) && i > 0 && !s.symbolAt(i-1, "(:=,;/\"'") || s.tok(i).shape == number && s.tok(i).end-s.tok(i).start > 11 {
		return i
	}
	groups, marks, j := s.digitGroups(i)
	if j == i {
		return i
	}
	raw := s.span(i, j)
	why := ""
	switch {
	case raw[0] == '+':
		if n := digitsIn(groups); n < 8 || n > 15 {
			return i
		}
		why = "a plus and a country code"
	case american(groups, marks):
		if s.near(i, 3, otherNumber) && !s.phoneNear(i) {
			return i
		}
		why = "three, three and four digits"
	case len(groups) == 1 && (len(groups[0]) == 10 || len(groups[0]) == 11 && groups[0][0] == '1') && s.near(i, 4, phoneCue) && !s.near(i, 2, otherNumber):
		why = "ten digits after a word for a telephone"
	default:
		return i
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_PHONE, raw, normal.Hints{})
	if !s.identify(Phone, id, err, i, j, why) {
		return i
	}
	return j
}

// phoneNear says whether one of the three words before i is for a telephone;
// "number" alone is for anything.
func (s *scan) phoneNear(i int) bool {
	for k := i - 1; k >= 0 && k >= i-3; k-- {
		if s.is(k, phoneCue) && s.word(k) != "number" {
			return true
		}
	}
	return false
}

// digitGroups are the runs of digits of a number and what stands between them.
func (s *scan) digitGroups(i int) (groups, marks []string, next int) {
	j := i
	if s.symbolAt(j, "+") {
		j++
		if !s.glued(j) {
			return nil, nil, i
		}
	}
	from := j
	for j < len(s.toks) && len(groups) < 6 {
		mark := ""
		for k := j; k < j+3 && s.symbolAt(k, "()-."); k++ {
			mark += s.raw(k)
		}
		n := j + len(mark)
		t := s.tok(n)
		if t.shape != number || t.end == t.start || len(mark) == 0 && j > from && !t.gap || strings.HasPrefix(mark, ".") && t.gap {
			break
		}
		if t.gap && mark == "" && j > from {
			mark = " "
		}
		if t.line && j > from || t.end-t.start > 14 {
			break
		}
		groups, marks = append(groups, s.raw(n)), append(marks, mark)
		j = n + 1
		if american(groups, marks) && s.text[s.toks[i].start] != '+' {
			break
		}
	}
	// A letter, or a digit past a hyphen, goes on: then it is another number.
	if len(groups) == 0 || s.glued(j) && (s.tok(j).shape != symbol || s.symbolAt(j, "-/") && s.glued(j+1) && s.tok(j+1).shape != symbol) {
		return nil, nil, i
	}
	return groups, marks, j
}

func digitsIn(groups []string) int {
	n := 0
	for _, g := range groups {
		n += len(g)
	}
	return n
}

// american says whether the groups are [1] NPA NXX XXXX, marked alike.
func american(groups, marks []string) bool {
	if len(groups) == 4 && groups[0] == "1" {
		groups, marks = groups[1:], marks[1:]
	}
	if len(groups) != 3 || len(groups[0]) != 3 || len(groups[1]) != 3 || len(groups[2]) != 4 {
		return false
	}
	if groups[0][0] < '2' || groups[1][0] < '2' {
		return false
	}
	first, last := strings.Trim(marks[1], "() "), strings.Trim(marks[2], " ")
	return first == last || first == "" && last == "-" || strings.Contains(marks[1], ")")
}

// socialNumber is NNN-NN-NNNN after a word that says what it is.
func (s *scan) socialNumber(i int) int {
	if s.tok(i).end-s.tok(i).start != 3 || !s.symbolAt(i+1, "-") || !s.symbolAt(i+3, "-") || s.tok(i+2).shape != number || s.tok(i+4).shape != number || s.glued(i+5) && s.tok(i+5).shape != symbol {
		return i
	}
	if len(s.raw(i+2)) != 2 || len(s.raw(i+4)) != 4 || !s.socialCue(i) {
		return i
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_SSN, s.span(i, i+5), normal.Hints{})
	if !s.identify(SSN, id, err, i, i+5, "three, two and four digits after SSN") {
		return i
	}
	return i + 5
}

func (s *scan) socialCue(i int) bool {
	for k := i - 1; k >= 0 && k > i-6; k-- {
		if w := s.word(k); w == "ssn" || w == "social" || w == "ssan" || w == "soc" {
			return true
		}
	}
	return false
}
