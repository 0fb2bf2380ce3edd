package normal

import (
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var suffixes = map[string]string{"jr": "Jr", "sr": "Sr", "ii": "II", "iii": "III", "iv": "IV", "v": "V"}

// Name puts the parts of a person's name on one line each, as written but for
// spaces; nil when nothing is known.
func Name(given, middle, family string) *wf.PersonName {
	n := &wf.PersonName{Given: part(given), Middle: part(middle), Family: part(family)}
	if n.Given == "" && n.Middle == "" && n.Family == "" {
		return nil
	}
	n.Family, n.Suffix = cutSuffix(n.Family)
	return n
}

func part(s string) string {
	s = strings.Trim(Text(s), " ,;")
	if Placeholder(s) {
		return ""
	}
	return s
}

// FullName reads a whole name. "Family, Given Middle" says its parts; a name
// without a comma does not, and stays whole: the order differs between people.
func FullName(raw string) *wf.PersonName {
	s := part(raw)
	if s == "" {
		return nil
	}
	family, rest, found := strings.Cut(s, ",")
	rest = strings.TrimSpace(rest)
	if !found || rest == "" {
		return &wf.PersonName{Full: s}
	}
	if suffix, ok := suffixOf(rest); ok { // "John Doe, Jr."
		return &wf.PersonName{Full: strings.TrimSpace(family), Suffix: suffix}
	}
	given, middle, _ := strings.Cut(rest, " ")
	n := &wf.PersonName{Given: given, Middle: strings.TrimSpace(middle), Family: strings.TrimSpace(family)}
	n.Family, n.Suffix = cutSuffix(n.Family)
	return n
}

func suffixOf(s string) (string, bool) {
	v, ok := suffixes[strings.ToLower(strings.Trim(s, " ."))]
	return v, ok
}

// cutSuffix takes Jr, III and the like off a family name of two words or more.
func cutSuffix(family string) (rest, suffix string) {
	i := strings.LastIndexByte(family, ' ')
	if i < 0 {
		return family, ""
	}
	if v, ok := suffixOf(family[i+1:]); ok {
		return strings.Trim(family[:i], " ,"), v
	}
	return family, ""
}

// AddressPart is one part of an address: lower case, one space between words;
// empty for a placeholder.
func AddressPart(raw string) string {
	s := strings.Trim(Text(raw), " ,;")
	if Placeholder(s) {
		return ""
	}
	return Text(strings.ToLower(s))
}

// Street takes the house number off the front of "6431 Idaho Ave"; number is
// empty when there is none.
func Street(raw string) (number, street string) {
	s := AddressPart(raw)
	first, rest, found := strings.Cut(s, " ")
	if !found || first[0] < '0' || first[0] > '9' || strings.Trim(first, "0123456789-/abcdefgh") != "" {
		return "", s
	}
	return first, rest
}
