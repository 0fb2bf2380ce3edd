package fusion

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold is the form in which names are compared: lower case, accents gone,
// anything that is no letter or digit a single space. Other scripts stay as
// they are, so that they are compared with their like.
func fold(s string) string {
	if len(s) > maxName {
		s = strings.ToValidUTF8(s[:maxName], "")
	}
	clean, ascii := true, true
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= 0x80:
			ascii, clean = false, false
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		case c == ' ' && i > 0 && s[i-1] != ' ' && i < len(s)-1:
		default:
			clean = false
		}
	}
	if clean {
		return s
	}
	if !ascii {
		s = norm.NFKD.String(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range s {
		switch {
		case r == '\'' || r == '’' || r == '`' || r == '.' || unicode.Is(unicode.Mn, r):
			continue
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
		default:
			gap = true
		}
	}
	return b.String()
}

// maxName is how many bytes of a name, address or word are read.
const maxName = 128

// titles and generational suffixes say nothing of who it is.
var titles = map[string]bool{
	"mr": true, "mrs": true, "ms": true, "miss": true, "dr": true, "prof": true, "rev": true, "sir": true,
	"jr": true, "sr": true, "ii": true, "iii": true, "iv": true,
}

// nobody holds what people write where a name is unknown.
var nobody = map[string]bool{
	"unknown": true, "unk": true, "none": true, "na": true, "n a": true, "doe": true, "anonymous": true,
	"test": true, "nil": true, "null": true, "not known": true, "unidentified": true, "xxx": true, "redacted": true,
	"withheld": true, "subject": true, "suspect": true, "unsub": true,
}

// splitName takes a whole name apart: "Smith, John Q" or "John Q Smith".
func splitName(full string) (given, family string) {
	if head, tail, ok := strings.Cut(full, ","); ok && strings.TrimSpace(tail) != "" && !titles[fold(tail)] {
		family = fold(head)
		given, _, _ = strings.Cut(dropTitles(fold(tail)), " ")
		return given, family
	}
	words := strings.Fields(dropTitles(fold(full)))
	switch len(words) {
	case 0:
		return "", ""
	case 1:
		return "", words[0]
	}
	last := len(words) - 1
	return words[0], words[last]
}

func dropTitles(s string) string {
	if !strings.Contains(s, " ") {
		return s
	}
	words := strings.Fields(s)
	kept := words[:0]
	for _, w := range words {
		if !titles[w] {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}

// soundex is the four-character code of a name; a name in another script is
// its own code.
func soundex(s string) string {
	if s == "" || s[0] >= 0x80 {
		return s
	}
	const codes = "01230120022455012623010202"
	out := [4]byte{s[0], '0', '0', '0'}
	n := 1
	var last byte
	if s[0] >= 'a' && s[0] <= 'z' {
		last = codes[s[0]-'a']
	}
	for i := 1; i < len(s) && n < 4; i++ {
		c := s[i]
		if c < 'a' || c > 'z' {
			continue
		}
		d := codes[c-'a']
		if d != '0' && d != last {
			out[n] = d
			n++
		}
		if c != 'h' && c != 'w' {
			last = d
		}
	}
	return string(out[:])
}

// similarity is Jaro-Winkler in thousandths, in integers so that it is the
// same everywhere.
func similarity(a, b string) int32 {
	if a == b {
		return 1000
	}
	if len(a) > 64 {
		a = a[:64]
	}
	if len(b) > 64 {
		b = b[:64]
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 {
		return 0
	}
	m, t := matches(a, b)
	if m == 0 {
		return 0
	}
	j := (1000*m/len(a) + 1000*m/len(b) + 1000*(m-t)/m) / 3
	p := 0
	for p < 4 && p < len(a) && a[p] == b[p] {
		p++
	}
	if j > 700 {
		j += p * (1000 - j) / 10
	}
	return int32(j)
}

// matches counts the characters in common and half of those out of order.
func matches(a, b string) (m, t int) {
	reach := max(len(b)/2-1, 0)
	var ua, ub uint64
	for i := range len(a) {
		for j := max(0, i-reach); j < min(len(b), i+reach+1); j++ {
			if ub>>j&1 == 0 && a[i] == b[j] {
				ua |= 1 << i
				ub |= 1 << j
				m++
				break
			}
		}
	}
	j := 0
	for i := range len(a) {
		if ua>>i&1 == 0 {
			continue
		}
		for ub>>j&1 == 0 {
			j++
		}
		if a[i] != b[j] {
			t++
		}
		j++
	}
	return m, t / 2
}

// oneEdit says whether a and b are one insertion, deletion, substitution or
// exchange of neighbours apart.
func oneEdit(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
