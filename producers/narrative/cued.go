package narrative

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// cued reads the number that a word announces: "SSN", "case no.", "VIN".
func (s *scan) cued(i int) int {
	switch s.word(i) {
	case "plate", "plates", "tag", "tags", "lp", "registration", "reg":
		return s.plate(i)
	case "partial":
		if w := s.word(i + 1); w == "plate" || w == "tag" || w == "license" {
			return s.plate(i + 1 + boolInt(w == "license" && plateWord(s.word(i+2))))
		}
	case "lic", "license", "licence":
		if s.word(i) == "lic" && s.symbolAt(i+1, "/") {
			return s.plate(i)
		}
		if plateWord(s.word(i + 1)) {
			return s.plate(i + 1)
		}
		return s.license(i, i+1)
	case "driver's", "drivers", "operator's", "driver":
		if w := s.word(i + 1); w == "license" || w == "licence" || w == "lic" {
			return s.license(i, i+2)
		}
	case "dl", "oln", "odl":
		return s.license(i, i+1)
	case "passport":
		return s.passport(i)
	case "ssn", "ssan", "social":
		return s.social(i)
	case "fbi", "sid":
		return s.bureau(i)
	case "imei":
		return s.checked(i, IMEI, 14)
	case "imo":
		return s.checked(i, IMO, 7)
	case "mmsi":
		return s.checked(i, MMSI, 9)
	case "serial", "sn", "remote":
		return s.serial(i)
	case "s":
		if s.symbolAt(i+1, "/") && s.word(i+2) == "n" && s.glued(i+2) {
			return s.serial(i + 2)
		}
		return i
	case "account", "acct", "username", "user", "handle", "screenname", "screen", "nickname", "telegram", "whatsapp":
		return s.account(i)
	case "dob", "born", "birth", "birthdate", "birthday":
		return s.birth(i)
	case "age", "aged":
		return s.ageAfter(i)
	}
	return s.caseNumber(i)
}

func plateWord(w string) bool { return w == "plate" || w == "plates" || w == "tag" }

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// past skips what stands between a cue and its number: "no.", "#", ":", "number".
// marked says that there was such a thing.
func (s *scan) past(i int) (next int, marked bool) {
	for n := 0; n < 5; n++ {
		switch w := s.word(i); {
		case s.symbolAt(i, "#:.-=") || w == "/" && false:
			marked = marked || s.symbolAt(i, "#:=")
		case w == "no", w == "num", w == "number", w == "nbr", w == "id", w == "is", w == "of":
			marked = marked || w != "is" && w != "of"
		default:
			return i, marked
		}
		i++
	}
	return i, marked
}

// code takes the letters and digits at i with the marks of also glued between
// them, and counts the digits.
func (s *scan) code(i int, also string) (value string, digits, next int) {
	j := i
	for j < len(s.toks) && (j == i || s.glued(j)) && j < i+12 {
		t := &s.toks[j]
		if t.shape == symbol {
			if j == i || !s.symbolAt(j, also) || !s.glued(j+1) || s.tok(j+1).shape == symbol {
				break
			}
		}
		j++
	}
	value = s.span(i, j)
	for k := range len(value) {
		if isDigit(value[k]) {
			digits++
		}
	}
	return value, digits, j
}

// license is a driver licence number. Its jurisdiction is the state beside it,
// else where the report is from.
func (s *scan) license(from, i int) int {
	state := s.ctx.State
	if c, _ := s.state(from - 1); c != "" {
		state = c
	}
	i, _ = s.past(i)
	if c, j := s.state(i); c != "" {
		state = c
		i, _ = s.past(j)
	}
	if s.symbolAt(i, "(") {
		if c, j := s.state(i + 1); c != "" && s.symbolAt(j, ")") {
			state = c
			i, _ = s.past(j + 1)
		}
	}
	v, digits, j := s.code(i, "-")
	if digits < 5 || len(v) > 20 {
		return from
	}
	if s.symbolAt(j, "(") {
		if c, k := s.state(j + 1); c != "" && s.symbolAt(k, ")") {
			state, j = c, k+1
		}
	}
	if state == "" {
		state = "US"
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_DRIVER_LICENSE, v, normal.Hints{Issuer: state})
	if !s.identify(License, id, err, i, j, "a number after driver licence") {
		return from
	}
	return j
}

// countries are the adjectives that stand before "passport".
var countries = map[string]string{
	"us": "USA", "u.s": "USA", "american": "USA", "mexican": "MEX", "canadian": "CAN", "british": "GBR", "uk": "GBR", "russian": "RUS", "chinese": "CHN", "iranian": "IRN",
	"iraqi": "IRQ", "syrian": "SYR", "german": "DEU", "french": "FRA", "spanish": "ESP", "italian": "ITA", "indian": "IND", "pakistani": "PAK", "ukrainian": "UKR", "turkish": "TUR",
	"saudi": "SAU", "yemeni": "YEM", "venezuelan": "VEN", "cuban": "CUB", "colombian": "COL", "brazilian": "BRA", "belarusian": "BLR", "jordanian": "JOR", "egyptian": "EGY",
	"lebanese": "LBN", "dutch": "NLD", "swedish": "SWE", "japanese": "JPN", "korean": "KOR", "nigerian": "NGA", "kenyan": "KEN", "somali": "SOM", "afghan": "AFG",
}

// passport is a passport number; of an unnamed country it is a number of a
// person whose issuer is the word itself.
func (s *scan) passport(i int) int {
	k, _ := s.past(i + 1)
	v, digits, j := s.code(k, "")
	if digits < 5 || len(v) > 12 || len(v) < 6 {
		return i
	}
	t, issuer := wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT, countries[s.word(i-1)]
	if w := s.raw(i - 1); issuer == "" && len(w) == 3 && s.tok(i-1).letters == upper && !s.shouted && s.tok(i-1).class == 0 {
		issuer = w // UKR
	}
	if issuer == "" && s.symbolAt(i-1, ".") {
		issuer = countries[s.word(i-2)] // U.S.
		if s.word(i-2) == "s" && s.word(i-4) == "u" {
			issuer = "USA"
		}
	}
	if w := s.raw(j + 1); issuer == "" && s.symbolAt(j, "(") && s.symbolAt(j+2, ")") && len(w) == 3 && s.tok(j+1).letters == upper {
		issuer, j = w, j+3
	}
	if issuer == "" {
		t, issuer = wf.IdentifierType_IDENTIFIER_TYPE_NATIONAL_ID, "passport"
	}
	id, err := normal.Identifier(t, v, normal.Hints{Issuer: issuer})
	if !s.identify(Passport, id, err, k, j, "a number after passport") {
		return i
	}
	return j
}

// social is an SSN whose digits stand together, or of which a part is masked.
func (s *scan) social(i int) int {
	k := i + 1
	if s.word(k) == "security" {
		k++
	}
	k, _ = s.past(k)
	v, digits, j := s.code(k, "-")
	if len(strings.ReplaceAll(v, "-", "")) != 9 || digits < 4 || strings.Trim(strings.ToUpper(v), "0123456789-X") != "" {
		return i
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_SSN, v, normal.Hints{})
	if !s.identify(SSN, id, err, k, j, "nine digits after SSN") {
		return i
	}
	return j
}

// bureau is an FBI number or a state identifier.
func (s *scan) bureau(i int) int {
	k, marked := s.past(i + 1)
	v, digits, j := s.code(k, "")
	if !marked && s.word(i) == "fbi" || digits < 4 || len(v) < 6 || len(v) > 12 {
		return i
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_FBI, v, normal.Hints{Issuer: s.word(i)})
	if !s.identify(FBI, id, err, k, j, "a number after FBI no. or SID") {
		return i
	}
	return j
}

// checked is a number of digits alone after the name of its kind.
func (s *scan) checked(i int, k Kind, least int) int {
	n, _ := s.past(i + 1)
	v, digits, j := s.code(n, "-")
	if digits < least {
		return i
	}
	id, err := normal.Identifier(identifierTypes[k], strings.ReplaceAll(v, "-", ""), normal.Hints{})
	if !s.identify(k, id, err, n, j, "a number after "+strings.ToUpper(string(k))) {
		return i
	}
	return j
}

// handset is the number of a device that stands beside a word for one.
func (s *scan) handset(i int) int {
	v := s.raw(i)
	if len(v) != 15 || v[:2] == "34" || v[:2] == "37" || s.glued(i) && i > 0 || s.glued(i+1) && s.tok(i+1).shape != symbol {
		return i
	}
	for k := i - 5; k < i+6; k++ {
		switch s.word(k) {
		case "handset", "imei", "phone", "device", "cellphone", "smartphone":
			id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_IMEI, v, normal.Hints{})
			if s.identify(IMEI, id, err, i, i+1, "15 digits whose check digit holds beside a word for a device") {
				return i + 1
			}
			return i
		}
	}
	return i
}

// serial is a serial number; its maker is that of the weapon named before.
func (s *scan) serial(i int) int {
	k := i + 1
	if s.word(i) == "remote" {
		if s.word(k) != "id" {
			return i
		}
		k++
	}
	k, _ = s.past(k)
	v, digits, j := s.code(k, "-")
	if digits < 3 || len(v) < 5 || len(v) > 32 {
		return i
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_SERIAL, v, normal.Hints{Issuer: s.maker})
	if !s.identify(Serial, id, err, k, j, "a number after serial") {
		return i
	}
	return j
}

// account is the name of an account: one that no word of the language is, or
// that stands in quotes.
func (s *scan) account(i int) int {
	if s.symbolAt(i+1, "-_./") && s.glued(i+1) {
		return i // part of a longer word
	}
	k := i + 1
	if w := s.word(k); w == "name" || w == "handle" || w == "account" || w == "user" {
		k++
	}
	k, marked := s.past(k)
	quoted := s.symbolAt(k, "\"'@“")
	if quoted {
		k++
	}
	v, digits, j := s.code(k, "_.-")
	if len(v) < 3 || len(v) > 40 || j == k {
		return i
	}
	t := s.tok(k)
	odd := digits > 0 && digits < len(v) || strings.ContainsAny(v, "_")
	number := digits == len(v) && digits >= 6 && (s.word(i) == "account" || s.word(i) == "acct")
	if !quoted && !odd && !number && !(marked && t.class == 0 && t.letters == lower) || digitsIn([]string{v}) > 0 && strings.Count(v, "-") > 2 {
		return i
	}
	id, err := normal.Identifier(wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT, v, normal.Hints{Issuer: s.service(i, j)})
	if !s.identify(Account, id, err, k, j, "a name after account, user or handle") {
		return i
	}
	return j
}
