package narrative

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// plateLength is how many characters a plate is taken to have when only its
// beginning or end is known: most states' seven.
const plateLength = 7

// plate reads what follows a word for a plate; the jurisdiction stands before
// the word, before the number or after it, and is never guessed.
func (s *scan) plate(i int) int {
	issuer := s.stateBefore(i)
	part, k := s.partOf(i)
	k, _ = s.past(k)
	if c, j := s.state(k); c != "" && issuer == "" {
		if _, digits, _ := s.plateValue(j); digits > 0 {
			issuer = c
			k, _ = s.past(j)
		}
	}
	if s.symbolAt(k, "/") || s.symbolAt(k, "\"") {
		k++
	}
	v, digits, j := s.plateValue(k)
	partial := strings.Contains(v, "?")
	if !s.plausible(v, digits, part != "" || partial) || digits == len(v) && s.symbolAt(k+1, "-") {
		return s.plateFirst(i)
	}
	if issuer == "" {
		issuer, j = s.stateAfter(j)
	}
	if part != "" && !partial && len(v) < plateLength {
		hidden := strings.Repeat("?", plateLength-len(v))
		if part == "end" {
			v = hidden + v
		} else {
			v += hidden
		}
		partial = true
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, v, normal.Hints{Issuer: issuer})
	why := "letters and digits after a word for a plate"
	if partial {
		why = "part of a plate"
	}
	if !s.identify(Plate, id, err, k, j, why) {
		return i
	}
	return j
}

// plateFirst is a plate before the word for one: "HNC4821 plate".
func (s *scan) plateFirst(i int) int {
	v := s.raw(i - 1)
	t := s.tok(i - 1)
	digits := digitsIn([]string{strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")})
	if t.shape != mixed || t.letters != upper || len(v) < 5 || len(v) > 7 || digits < 2 || len(s.out) > 0 && s.out[len(s.out)-1].End >= int(t.end) || s.glued(i-1) {
		return i
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, v, normal.Hints{})
	if !s.identify(Plate, id, err, i-1, i, "letters and digits before a word for a plate") {
		return i
	}
	return i + 1
}

// stateBefore is the state named before the word for a plate: "MS tag",
// "Mississippi license plate", "MS partial plate".
func (s *scan) stateBefore(i int) string {
	for k := i - 1; k >= 0 && k > i-5; k-- {
		switch s.word(k) {
		case "license", "licence", "lic", "partial", "vehicle", "a", "with":
			continue
		}
		if c, _ := s.state(k); c != "" && (s.tok(k).class&stateCode == 0 || s.tok(k).letters == upper) {
			return c
		}
		if c, ok := stateCodes[s.word(k-1)+" "+s.word(k)]; ok {
			return c
		}
		break
	}
	return ""
}

// partOf says which part of a plate the text gives: "start", "end", "some" or
// none; and the token to read on from.
func (s *scan) partOf(i int) (part string, next int) {
	if s.word(i-1) == "partial" || s.word(i-2) == "partial" {
		part = "start"
	}
	k := i + 1
	for n := 0; n < 6; n++ {
		switch s.word(k) {
		case "partial":
			part = "start"
		case "ending", "ends", "last":
			part = "end"
		case "beginning", "begins", "starting", "starts", "first":
			part = "start"
		case "in", "with", "three", "four", "digits", "characters", "letters", "numbers", "was", "were", "is", "reads", "reading", "displaying", "bearing", "possibly", "unknown", "and", "the", "plate", "number", "of", "two", "on":
		default:
			return part, k
		}
		if w := s.word(k); (w == "and" || w == "on" || w == "the" || w == "unknown" || w == "in" || w == "with" || w == "of") && part == "" {
			return part, k
		}
		k++
	}
	return part, k
}

// plateValue is the plate at i: one word, or letters and digits apart.
func (s *scan) plateValue(i int) (value string, digits, next int) {
	j := i
	for j < len(s.toks) && j < i+6 {
		t := &s.toks[j]
		switch {
		case t.shape == symbol && s.symbolAt(j, "?*_") && s.glued(j) && j > i, t.shape == symbol && s.symbolAt(j, "?*") && j == i:
		case t.shape == symbol && s.symbolAt(j, "-") && j > i && s.glued(j) && s.glued(j+1) && s.tok(j+1).shape != symbol:
		case t.shape == symbol || len(value) >= 8:
			return value, digits, j
		case j > i && t.gap && !s.joins(value, digits, j):
			return value, digits, j
		case t.shape == word && t.letters != upper && t.letters != initial && !(j == i && s.glued(j+1)):
			return value, digits, j
		}
		for _, c := range []byte(s.raw(j)) {
			switch {
			case isDigit(c):
				digits++
				value += string(c)
			case isUpper(c), isLower(c):
				value += strings.ToUpper(string(c))
			case c == '?' || c == '*' || c == '_':
				value += "?"
			}
		}
		j++
	}
	return value, digits, j
}

// joins says whether the token at j goes on with a plate of two parts: letters
// and then digits, or digits and then letters, both short.
func (s *scan) joins(value string, digits, j int) bool {
	t := s.tok(j)
	n := int(t.end - t.start)
	switch t.shape {
	case number:
		return digits < len(value) && n >= 2 && n <= 4 && len(value)+n <= 8
	case word:
		return digits > 0 && t.letters == upper && n >= 2 && n <= 3 && len(value)+n <= 8 && t.class&(stateCode|stop) == 0
	}
	return false
}

// plausible says whether v can be a plate, or a part of one.
func (s *scan) plausible(v string, digits int, part bool) bool {
	seen := len(v) - strings.Count(v, "?")
	switch {
	case len(v) > 8 || seen < 2:
		return false
	case part:
		return digits > 0 && seen >= 3
	case digits == 0:
		return false
	case digits == len(v):
		return len(v) >= 5 && len(v) <= 7
	}
	return len(v) >= 4
}

// stateAfter is the state after a plate: "(MS)", ", MS", "of Mississippi".
func (s *scan) stateAfter(j int) (string, int) {
	switch {
	case s.symbolAt(j, "(/"):
		if c, k := s.state(j + 1); c != "" {
			return c, k + boolInt(s.symbolAt(k, ")"))
		}
	case s.symbolAt(j, ",") && s.tok(j+1).letters == upper, s.word(j) == "of", s.word(j) == "out" && s.word(j+1) == "of":
		k := j + 1 + boolInt(s.word(j) == "out")
		if c, k := s.state(k); c != "" {
			return c, k
		}
	case s.tok(j).letters == upper && s.tok(j).class&stateCode != 0 && !s.shouted:
		return s.raw(j), j + 1
	}
	return "", j
}
