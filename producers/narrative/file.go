package narrative

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// caseNumber is the number of a file after a word for one. The one who gave it
// is who reports, unless the text says another's name.
func (s *scan) caseNumber(i int) int {
	if !s.is(i, cue) || !caseWords[s.word(i)] {
		return i
	}
	k := i + 1
	if caseWords[s.word(k)] { // "case file", "incident report"
		k++
	}
	k, marked := s.past(k)
	v, digits, j := s.code(k, "-/.")
	switch {
	case digits < 4 || len(v) < 5 || len(v) > 32, !marked && digits < 5, s.symbolAt(j, "%"), dateLike(v), strings.Count(v, ".") > 0 && digits+strings.Count(v, ".") == len(v):
		return i
	}
	return s.file(i, k, j, v, "a number after a word for a file")
}

var caseWords = wordSet("case file ref reference incident report complaint cad docket warrant ticket citation event cfs offense run cr")

func wordSet(s string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

// file notes the number of a case of tokens i to j, announced at token from.
func (s *scan) file(from, i, j int, v, why string) int {
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER, v, normal.Hints{Issuer: s.issuer(from, v)})
	if !s.identify(Case, id, err, i, j, why) {
		return from
	}
	return j
}

// issuer is whose number it is: whom the text names before the word ("FBI
// case"), else the series that its own letters name, so that two agencies that
// quote it mean the same; else who reports.
func (s *scan) issuer(from int, v string) string {
	if t := s.tok(from - 1); from > 0 && t.letters == upper && t.shape == word && t.end-t.start <= 6 && !s.shouted && t.class&stateCode == 0 && !s.ends(from) {
		return s.word(from - 1)
	}
	n := 0
	for n < len(v) && n < 6 && isAlpha(v[n]) && v[n] < 0x80 {
		n++
	}
	digits := strings.TrimPrefix(v[n:], "-")
	if prefix := foldASCII(v[:n]); n > 0 && n < 6 && len(digits) >= 6 && digitsOnly([]string{digits}) && !commonSeries[prefix] {
		return prefix
	}
	if s.ctx.Agency == "" {
		return "unknown"
	}
	return s.ctx.Agency
}

// commonSeries are letters that many agencies put before their numbers.
var commonSeries = wordSet("cr inc case ref rpt no id cad ev ca dr cfs f c sr")

// dateLike says whether v is a date rather than a number.
func dateLike(v string) bool {
	for _, sep := range []string{"/", "-", "."} {
		p := strings.Split(v, sep)
		if len(p) == 3 && len(p[0]) <= 4 && len(p[1]) <= 2 && len(p[2]) <= 4 && (len(p[0]) <= 2 || len(p[2]) <= 2) && digitsOnly(p) {
			return true
		}
	}
	return false
}

func digitsOnly(p []string) bool {
	for _, x := range p {
		if x == "" || strings.Trim(x, "0123456789") != "" {
			return false
		}
	}
	return true
}

// prefixed is a number that says whose series it is: NRC-3231128.
func (s *scan) prefixed(i int) int {
	t := s.tok(i)
	if t.letters != upper && t.letters != initial || t.shape != word || t.end-t.start > 5 || !s.symbolAt(i+1, "-") || !s.glued(i+1) || !s.glued(i+2) || s.glued(i) && i > 0 && !s.symbolAt(i-1, "(\"'") {
		return i
	}
	v, digits, j := s.code(i, "-")
	if digits < 6+boolInt(t.letters == initial) || len(v) > 24 || s.tok(i+2).shape != number || dateLike(v[strings.IndexByte(v, '-')+1:]) {
		return i
	}
	switch s.word(i) {
	case "isbn", "issn", "iso", "upc", "sku", "zip", "rfc", "cve", "cas", "pmid":
		return i
	}
	return s.file(i, i, j, v, "a prefix and six digits or more")
}

// tail is an aircraft's registration: N and up to five digits and letters.
func (s *scan) tail(i int) int {
	v := s.raw(i)
	if len(v) < 4 || len(v) > 6 || v[0] != 'N' || v[1] < '1' || v[1] > '9' || s.glued(i) || s.symbolAt(i+1, "-") && s.glued(i+1) {
		return i
	}
	rest := strings.TrimLeft(v[1:], "0123456789")
	if len(rest) > 2 || strings.Trim(rest, "ABCDEFGHJKLMNPQRSTUVWXYZ") != "" || !s.near(i, 7, craftCue) && !s.upcoming(i+1, 5, craftCue) {
		return i
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_TAIL_NUMBER, v, normal.Hints{})
	if !s.identify(Tail, id, err, i, i+1, "N and digits beside a word for an aircraft") {
		return i
	}
	return i + 1
}

// storm is the id of a tropical storm: AL092005.
func (s *scan) storm(i int) int {
	v := s.raw(i)
	if len(v) != 8 || v[:2] != "AL" && v[:2] != "EP" && v[:2] != "CP" || strings.Trim(v[2:], "0123456789") != "" || v[2] > '4' || v[4:6] != "19" && v[4:6] != "20" {
		return i
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_STORM, v, normal.Hints{})
	if !s.identify(Storm, id, err, i, i+1, "basin, number and year") {
		return i
	}
	return i + 1
}
