package fusion

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// fold is the form in which names are compared: lower case, accents gone,
// other alphabets in Latin letters, anything that is no letter or digit a
// single space. A script that no table knows stays as it is, and is compared
// with its like.
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
	if ascii {
		return foldedASCII(s)
	}
	return folded(norm.NFKD.String(s))
}

// foldedASCII is folded for a text without accents: most are.
func foldedASCII(s string) string {
	var b [maxName]byte
	n, gap := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\'' || c == '`' || c == '.':
			continue
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		default:
			gap = true
			continue
		}
		if n+2 > maxName {
			break
		}
		if gap && n > 0 {
			b[n] = ' '
			n++
		}
		gap = false
		b[n] = c
		n++
	}
	return string(b[:n])
}

func folded(s string) string {
	var b strings.Builder
	b.Grow(min(len(s), maxName))
	gap := false
	var before rune
	for _, r := range s {
		switch {
		case r == '\'' || r == '’' || r == '`' || r == '.' || unicode.Is(unicode.Mn, r):
			continue
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			r = unicode.ToLower(r)
			as, known := latin[r]
			if r == 'υ' && before == 'ο' {
				as = "u"
			}
			before = r
			if !known {
				as = string(r)
			}
			if b.Len()+len(as)+1 > maxName {
				return b.String()
			}
			if gap && b.Len() > 0 && as != "" {
				b.WriteByte(' ')
				gap = false
			}
			gap = gap && as == ""
			b.WriteString(as)
		default:
			gap = true
		}
	}
	return b.String()
}

// maxName is how many bytes of a name, address or word are read.
const maxName = 128

// titles and generational suffixes say nothing of who it is.
var titles = rosterOf(words(`mr mrs ms miss mx dr prof professor rev reverend sir dame lord lady jr sr ii iii iv esq md phd dds rn
	capt captain col colonel gen general sgt sergeant lt lieutenant maj cpl pvt officer agent hon sheikh shaykh haji hajji mullah imam`))

// particles belong to the surname that follows them.
var particles = words(`van von der den de del della da di do dos das du la las le los el al ibn bin bint ben abu ter ten st saint mac mc o san santa`)

// nobody holds what people write where a name is unknown.
var nobody = func() *roster[bool] {
	out := words(`unknown unk unkn none na doe anonymous test nil null unidentified xxx redacted withheld subject suspect unsub tbd tba
		lnu fnu nln noname unnamed undisclosed refused various unspecified missing blank male female jdoe`)
	for _, s := range []string{"n a", "not known", "no name", "not given", "not available", "not stated", "john doe", "jane doe", "first name unknown", "last name unknown"} {
		out[s] = true
	}
	return rosterOf(out)
}()

// splitName takes a whole name apart: "Smith, John Q" or "John Q Smith". Words
// between the first and the surname are the middle.
func splitName(full string) (n name) {
	if head, tail, ok := strings.Cut(full, ","); ok {
		if t := dropTitles(fold(tail)); t != "" && !titles.has(t) && (t[0] < '0' || t[0] > '9') {
			n.family = dropTitles(fold(head))
			n.given, n.middle, _ = strings.Cut(t, " ")
			return n
		}
		full = head
	}
	all := dropTitles(fold(full))
	last := strings.LastIndexByte(all, ' ')
	if last < 0 {
		n.family = all
		return n
	}
	first := strings.IndexByte(all, ' ')
	for last > first {
		before := strings.LastIndexByte(all[:last], ' ')
		if !particles[all[before+1:last]] {
			break
		}
		last = before
	}
	n.given, n.family = all[:first], all[last+1:]
	if last > first {
		n.middle = all[first+1 : last]
	}
	return n
}

func dropTitles(s string) string {
	if !strings.Contains(s, " ") {
		if titles.has(s) {
			return ""
		}
		return s
	}
	words := strings.Fields(s)
	kept := words[:0]
	for _, w := range words {
		if !titles.has(w) {
			kept = append(kept, w)
		}
	}
	if len(kept) == len(words) {
		return s
	}
	return strings.Join(kept, " ")
}

// soundex is the four-character code of a name; a name in another script is
// its own code.
func soundex(s string) string {
	if s == "" || s[0] >= 0x80 {
		return s
	}
	c := soundexOf(s)
	return string(c[:])
}

func soundexOf(s string) [4]byte {
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
	return out
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

// resemblance is similarity where that is at least 860, and anything below that
// where it is not: names that have few letters in common are told apart by
// those alone.
func resemblance(a, b string) int32 {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 0 || len(b) > 64 {
		return similarity(a, b)
	}
	var set uint64
	for i := range len(b) {
		set |= 1 << (b[i] & 63)
	}
	m := 0
	for i := range len(a) {
		m += int(set >> (a[i] & 63) & 1)
	}
	most := (1000*m/len(a)+1000*m/len(b)+1000)/3 + 1
	p := 0
	for p < 4 && p < len(a) && a[p] == b[p] {
		p++
	}
	if most <= 700 || most+p*(1000-most)/10+1 < 860 {
		return 0
	}
	return similarity(a, b)
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

// twoEdits says whether a and b are at most two insertions, deletions,
// substitutions or exchanges of neighbours apart.
func twoEdits(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 2 {
		return false
	}
	for len(a) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(b) <= 2 {
		return true
	}
	if len(a) == 0 {
		return false
	}
	// One edit at the front, and the rest is one edit or none.
	rest := func(x, y string) bool { return x == y || oneEdit(x, y) }
	if rest(a, b[1:]) || rest(a[1:], b[1:]) || len(a) > 0 && rest(a[1:], b) {
		return true
	}
	return len(a) > 1 && a[0] == b[1] && a[1] == b[0] && rest(a[2:], b[2:])
}
