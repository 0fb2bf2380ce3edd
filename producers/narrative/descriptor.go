package narrative

import (
	"strconv"
	"time"

	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// descriptor is race and sex: "W/M", "white male", "male".
func (s *scan) descriptor(i int) int {
	j := s.descriptorAt(i)
	if j == i {
		return i
	}
	race, sex := "", ""
	switch w := s.word(i); {
	case j == i+1 && (w == "male" || w == "female"):
		sex = w
	default:
		race, sex = raceCodes[w], s.word(j-1)
	}
	switch sex {
	case "m", "male", "man", "males", "wm", "bm", "hm":
		sex = "M"
	case "f", "female", "woman", "females", "wf", "bf", "hf":
		sex = "F"
	}
	of := s.whose(i)
	if of > 0 && (i-s.personEnd > 6 || s.personEnd < s.sentence) {
		of = 0
	}
	k := s.add(Finding{Kind: Sex, Normal: sex, Why: "a word or code for sex", Of: of}, i, j)
	if of == 0 {
		s.await(k, j)
	}
	if race != "" {
		k = s.add(Finding{Kind: Race, Normal: race, Why: "a word or code for race beside one for sex", Of: of}, i, j)
		if of == 0 {
			s.await(k, j)
		}
	}
	return j
}

// await keeps a finding for a person who is named soon.
func (s *scan) await(k, end int) {
	if s.aheadEnd < s.sentence || end-s.aheadEnd > 8 {
		s.ahead = s.ahead[:0]
	}
	s.ahead, s.aheadEnd = append(s.ahead, k), end
}

// raceCodes are the letters and words of police records.
var raceCodes = map[string]string{"w": "white", "b": "black", "h": "hispanic", "a": "asian", "wm": "white", "wf": "white", "bm": "black", "bf": "black", "hm": "hispanic", "hf": "hispanic",
	"white": "white", "black": "black", "hispanic": "hispanic", "asian": "asian", "latino": "hispanic", "latina": "hispanic", "african": "black", "caucasian": "white"}

// descriptorAt says where a descriptor that begins at i ends.
func (s *scan) descriptorAt(i int) int {
	w := s.word(i)
	switch {
	case len(w) == 1 && s.symbolAt(i+1, "/") && s.glued(i+1) && s.glued(i+2) && (s.word(i+2) == "m" || s.word(i+2) == "f") && s.tok(i).letters == initial && (!s.glued(i+3) || s.tok(i+3).shape == symbol):
		if raceCodes[w] != "" {
			return i + 3
		}
	case len(w) == 2 && s.tok(i).class&descriptor != 0 && s.tok(i).letters == upper:
		if (s.personEnd == i || s.personEnd == i-1) && s.person > 0 {
			return i + 1
		}
	case s.is(i, raceWord):
		k := i + 1
		if w == "african" && s.symbolAt(k, "-") {
			k++
		}
		if s.word(k) == "american" {
			k++
		}
		if s.is(k, sexWord) {
			return k + 1
		}
	case w == "male" || w == "female":
		if s.person > 0 && i-s.personEnd <= 4 {
			return i + 1
		}
	}
	return i
}

// age is "43 yoa", "43-year-old", "43 years old", and ", 43," after a name.
func (s *scan) age(i int) int {
	v, err := strconv.Atoi(s.word(i))
	if err != nil {
		if v = numberWords[s.word(i)]; v == 0 || s.word(i+1) != "years" {
			return i
		}
	}
	if v < 1 || v > 110 || s.glued(i) && i > 0 && !s.symbolAt(i-1, "(/,") {
		return i
	}
	j := i + 1
	if s.symbolAt(j, "-") {
		j++
	}
	why := ""
	switch w := s.word(j); {
	case w == "yoa", w == "yo":
		why, j = "a number before yoa", j+1
	case w == "y" && s.symbolAt(j+1, "/.") && s.word(j+2) == "o":
		why, j = "a number before y/o", j+3
	case (w == "year" || w == "years" || w == "yr" || w == "yrs") && s.oldAfter(j+1) > 0:
		why, j = "a number before years old", s.oldAfter(j+1)
	case s.person > 0 && i == s.personEnd+1 && s.symbolAt(i-1, ",(") && s.symbolAt(i+1, ",.;)") && v >= 10 && !s.is(i+2, month):
		why = "a number after a name"
	case s.person > 0 && s.symbolAt(i-1, ",") && s.symbolAt(i+1, ",.;)") && v >= 10 && s.justDescribed(i):
		why = "a number after race and sex"
	case s.person > 0 && i == s.personEnd+1 && s.symbolAt(i-1, ",") && s.word(j) == "of" && v >= 10:
		why = "a number after a name"
	default:
		return i
	}
	s.noteAge(v, i, j, why)
	return j
}

// justDescribed says whether race and sex of a person end just before token i.
func (s *scan) justDescribed(i int) bool {
	last := len(s.out)
	if last == 0 || s.out[last-1].Of == 0 {
		return false
	}
	f := &s.out[last-1]
	return (f.Kind == Race || f.Kind == Sex) && int(s.toks[i].start)-f.End <= 3
}

func (s *scan) oldAfter(j int) int {
	if s.symbolAt(j, "-") {
		j++
	}
	switch {
	case s.word(j) == "old":
		return j + 1
	case s.word(j) == "of" && s.word(j+1) == "age":
		return j + 2
	}
	return 0
}

func (s *scan) noteAge(v, i, j int, why string) {
	of := s.whose(i)
	if of > 0 && i-s.personEnd > 12 {
		of = 0
	}
	described := s.justDescribed(i)
	k := s.add(Finding{Kind: Age, Normal: strconv.Itoa(v), Why: why, Count: v, Of: of}, i, j)
	if of == 0 || i-s.personEnd > 3 && !described {
		s.await(k, j)
	}
}

// ageAfter is "age 43", "aged 43".
func (s *scan) ageAfter(i int) int {
	k, _ := s.past(i + 1)
	v, err := strconv.Atoi(s.word(k))
	if err != nil || v < 1 || v > 110 || s.symbolAt(k+1, "-%") || s.word(k+1) == "to" || s.word(k+1) == "or" || s.word(k+1) == "and" {
		return i
	}
	s.noteAge(v, i, k+1, "a number after age")
	return k + 1
}

// birth is the date after DOB or born.
func (s *scan) birth(i int) int {
	k := i + 1
	if s.word(i) == "birth" && (s.word(i-1) != "of" && s.word(k) != "date") {
		return i
	}
	for s.word(k) == "on" || s.word(k) == "date" || s.word(k) == "of" || s.word(k) == "in" || s.symbolAt(k, ":.-#") || s.word(k) == "is" {
		k++
	}
	d, j, ok := s.date(k, true)
	if !ok {
		return i
	}
	if limit := s.ctx.Reported; d.Year < 1900 || !limit.IsZero() && d.Year > int32(limit.Year()) {
		return i
	}
	s.add(Finding{Kind: Birth, Normal: dateText(d), Why: "a date after DOB or born", Date: d, Of: s.whose(i)}, k, j)
	return j
}

func dateText(d *wf.PartialDate) string {
	out := strconv.Itoa(int(d.Year))
	for _, p := range []int32{d.Month, d.Day} {
		if p > 0 {
			out += "-" + strconv.Itoa(int(100 + p))[1:]
		}
	}
	return out
}

var months = map[string]int32{"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12}

// date reads a date at i; past says that years of two digits lie in the past,
// as births do.
func (s *scan) date(i int, past bool) (d *wf.PartialDate, next int, ok bool) {
	switch t := s.tok(i); {
	case t.shape == number && (s.symbolAt(i+1, "/") || s.symbolAt(i+1, "-") || s.symbolAt(i+1, ".")) && s.glued(i+1) && s.glued(i+2) && s.tok(i+2).shape == number &&
		s.raw(i+1) == s.raw(i+3) && s.glued(i+3) && s.glued(i+4) && s.tok(i+4).shape == number:
		return s.numericDate(i, past)
	case t.shape == number && s.is(i+1, month) && len(s.raw(i)) <= 2: // 14 March 2025
		return s.spelled(i+1, i, i+2, past)
	case t.class&month != 0 && (t.letters != lower) && s.tok(i+1).shape == number && len(s.raw(i+1)) <= 2: // March 14, 2025
		j := i + 2
		if s.word(j) == "st" || s.word(j) == "nd" || s.word(j) == "rd" || s.word(j) == "th" {
			j++
		}
		if s.symbolAt(j, ",") {
			j++
		}
		return s.spelled(i, i+1, j, past)
	case t.class&month != 0 && t.letters != lower && s.tok(i+1).shape == mixed && len(s.raw(i+1)) <= 4: // March 14th, 2025
		j := i + 2
		if s.symbolAt(j, ",") {
			j++
		}
		return s.spelled(i, i+1, j, past)
	case t.shape == mixed && len(s.raw(i)) >= 7 && len(s.raw(i)) <= 9: // 14MAR2025
		return s.military(i, past)
	case t.shape == number && past && len(s.raw(i)) == 4: // born 1999
		y, _ := strconv.Atoi(s.raw(i))
		return checkDate(int32(y), 0, 0, i+1)
	}
	return nil, i, false
}

func leading(s string) int32 {
	n := int32(0)
	for k := 0; k < len(s) && k < 4 && isDigit(s[k]); k++ {
		n = n*10 + int32(s[k]-'0')
	}
	return n
}

// numericDate is month, day, year as Americans write them, or year first.
func (s *scan) numericDate(i int, past bool) (*wf.PartialDate, int, bool) {
	a, b, c := s.raw(i), s.raw(i+2), s.raw(i+4)
	if s.glued(i+5) && s.tok(i+5).shape != symbol || len(a) > 4 || len(b) > 2 || len(c) > 4 || len(c) == 3 || len(a) == 3 {
		return nil, i, false
	}
	if len(a) == 4 {
		return checkDate(leading(a), leading(b), leading(c), i+5)
	}
	if s.symbolAt(i+1, ".") {
		// Full stops are Europe's: the day first, unless that cannot be, and
		// where both can be nobody knows.
		switch first, second := leading(a), leading(b); {
		case len(c) < 4 || first <= 12 && second <= 12 && first != second:
			return nil, i, false
		case second <= 12:
			return checkDate(s.year(c, past), second, first, i+5)
		}
	}
	return checkDate(s.year(c, past), leading(a), leading(b), i+5)
}

func (s *scan) spelled(m, day, y int, past bool) (*wf.PartialDate, int, bool) {
	if s.tok(y).shape != number || len(s.raw(y)) != 4 && len(s.raw(y)) != 2 || len(s.raw(y)) == 2 && !past {
		return nil, m, false
	}
	return checkDate(s.year(s.raw(y), past), months[s.word(m)[:3]], leading(s.raw(day)), y+1)
}

func (s *scan) military(i int, past bool) (*wf.PartialDate, int, bool) {
	v := s.word(i)
	n := 0
	for n < len(v) && isDigit(v[n]) {
		n++
	}
	if n < 1 || n > 2 || len(v) < n+5 {
		return nil, i, false
	}
	m, ok := months[v[n:n+3]]
	if !ok || len(v) != n+5 && len(v) != n+7 || digitsIn([]string{v}) == 0 || !digitsOnly([]string{v[n+3:]}) {
		return nil, i, false
	}
	return checkDate(s.year(v[n+3:], past), m, leading(v[:n]), i+1)
}

// year reads two digits as the latest year that is not after the report (for a
// birth: that is past); without a report date, as none.
func (s *scan) year(v string, past bool) int32 {
	y := leading(v)
	if len(v) != 2 {
		return y
	}
	now := int32(s.ctx.Reported.Year())
	if s.ctx.Reported.IsZero() {
		if !past {
			return 0
		}
		now = 2015 // then only what is past for certain
		if y <= 25 && y >= 15 {
			return 0
		}
	}
	y += now / 100 * 100
	if y > now || past && y > now-1 {
		y -= 100
	}
	return y
}

func checkDate(y, m, d int32, next int) (*wf.PartialDate, int, bool) {
	if y < 1900 || y > 2199 || m < 0 || m > 12 || d < 0 || d > 31 {
		return nil, 0, false
	}
	p := &wf.PartialDate{Year: y, Month: m, Day: d}
	if m > 0 && d > 0 {
		t := time.Date(int(y), time.Month(m), int(d), 0, 0, 0, 0, time.UTC)
		if t.Day() != int(d) {
			return nil, 0, false
		}
	}
	if _, err := normal.Date(dateText(p), "YYYY-MM-DD"); err != nil {
		return nil, 0, false
	}
	return p, next, true
}
