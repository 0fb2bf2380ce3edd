package report

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const maxIdentifier = 8 << 10 // a URL

// rule is the normal form of one identifier type.
type rule struct {
	ok   func(value string) bool
	want string
	// issuer checks the issuer; nil allows any word or none.
	issuer     func(string) bool
	issuerWant string
	// mask allows a partial value of these characters and '?'; nil allows none.
	mask func(byte) bool
}

var rules = [...]rule{
	wf.IdentifierType_IDENTIFIER_TYPE_PHONE:          {ok: e164, want: "E.164 with plus, such as +16015550123", mask: orPlus(isDigit)},
	wf.IdentifierType_IDENTIFIER_TYPE_EMAIL:          {ok: email, want: "lower case without a plus-tag"},
	wf.IdentifierType_IDENTIFIER_TYPE_PLATE:          {ok: upperDigits(1, 10), want: "1 to 10 of A-Z and 0-9, without spaces", issuer: optional(jurisdiction), issuerWant: "a jurisdiction such as US-MS, or empty", mask: upperDigit},
	wf.IdentifierType_IDENTIFIER_TYPE_VIN:            {ok: VIN, want: "17 characters whose check digit holds", mask: upperDigit},
	wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT:       {ok: upperDigits(3, 20), want: "A-Z and 0-9", issuer: alpha3, issuerWant: "an ISO 3166-1 alpha-3 code such as USA", mask: upperDigit},
	wf.IdentifierType_IDENTIFIER_TYPE_DRIVER_LICENSE: {ok: upperDigits(3, 25), want: "A-Z and 0-9", issuer: jurisdiction, issuerWant: "a jurisdiction such as US-MS", mask: upperDigit},
	wf.IdentifierType_IDENTIFIER_TYPE_SSN:            {ok: SSN, want: "nine digits that may be given out", mask: isDigit},
	wf.IdentifierType_IDENTIFIER_TYPE_NATIONAL_ID:    {ok: upperWord, want: "A-Z, 0-9 and '-'", issuer: given, issuerWant: "a word for who gave it", mask: upperDigit},
	wf.IdentifierType_IDENTIFIER_TYPE_IMEI:           {ok: IMEI, want: "15 digits whose check digit holds", mask: isDigit},
	wf.IdentifierType_IDENTIFIER_TYPE_SERIAL:         {ok: upperWord, want: "A-Z, 0-9 and '-'", mask: upperDigit},
	wf.IdentifierType_IDENTIFIER_TYPE_IP:             {ok: address, want: "an IPv4 or IPv6 address in canonical text"},
	wf.IdentifierType_IDENTIFIER_TYPE_CIDR:           {ok: prefix, want: "a masked prefix in canonical text, such as 192.0.2.0/24"},
	wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN:         {ok: Hostname, want: "a host name in lower case without a trailing dot"},
	wf.IdentifierType_IDENTIFIER_TYPE_URL:            {ok: normalURL, want: "scheme and host in lower case, without a fragment"},
	wf.IdentifierType_IDENTIFIER_TYPE_HASH:           {ok: hexText, want: "lower-case hexadecimal", issuer: hashName, issuerWant: "md5, sha1, sha256 or sha512"},
	wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT:        {ok: trimmed, want: "one line without spaces around it"},
	wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER:    {ok: trimmed, want: "one line without spaces around it", issuer: given, issuerWant: "the agency that gave it"},
	wf.IdentifierType_IDENTIFIER_TYPE_TAIL_NUMBER:    {ok: upperWord, want: "a registration such as N12345", mask: upperDigit},
	wf.IdentifierType_IDENTIFIER_TYPE_IMO:            {ok: digits(7), want: "seven digits"},
	wf.IdentifierType_IDENTIFIER_TYPE_MMSI:           {ok: digits(9), want: "nine digits"},
	wf.IdentifierType_IDENTIFIER_TYPE_HULL:           {ok: upperWord, want: "A-Z, 0-9 and '-'", mask: upperDigit},
	wf.IdentifierType_IDENTIFIER_TYPE_STIX:           {ok: stixID, want: "type--uuid"},
	wf.IdentifierType_IDENTIFIER_TYPE_VTEC:           {ok: vtec, want: "office.phenomenon.significance.number.year, such as KJAN.TO.W.0012.2024"},
	wf.IdentifierType_IDENTIFIER_TYPE_MAC:            {ok: mac, want: "six lower-case pairs, such as 00:1a:2b:3c:4d:5e"},
	wf.IdentifierType_IDENTIFIER_TYPE_FBI:            {ok: upperWord, want: "A-Z, 0-9 and '-'", issuer: given, issuerWant: "a word for whose number it is"},
	wf.IdentifierType_IDENTIFIER_TYPE_CVE:            {ok: cve, want: "CVE-YYYY-N"},
	wf.IdentifierType_IDENTIFIER_TYPE_STORM:          {ok: storm, want: "basin, number and year, such as AL092005"},
	wf.IdentifierType_IDENTIFIER_TYPE_OTHER:          {ok: trimmed, want: "one line without spaces around it"},
}

// ErrIdentifier is wrapped by every error of NormalIdentifier.
var ErrIdentifier = errors.New("identifier is not in normal form")

// NormalIdentifier says how id is not in the normal form of its type; nil when
// it is. The forms stand beside the types in entity.proto.
func NormalIdentifier(id *wf.Identifier) error {
	t := id.GetType()
	if t <= 0 || int(t) >= len(rules) {
		return fmt.Errorf("%w: type %d is not in the schema", ErrIdentifier, t)
	}
	r, v := &rules[t], id.GetValue()
	switch {
	case v == "" || len(v) > maxIdentifier:
		return fmt.Errorf("%w: the value has %d bytes, want 1 to %d", ErrIdentifier, len(v), maxIdentifier)
	case id.GetPartial() && !partial(v, r.mask):
		return fmt.Errorf("%w: a partial value has at least two seen characters of its type and '?' for each unseen one", ErrIdentifier)
	case !id.GetPartial() && !r.ok(v):
		return fmt.Errorf("%w: want %s", ErrIdentifier, r.want)
	case len(id.GetIssuer()) > maxToken || !cleanText(id.GetIssuer(), false):
		return fmt.Errorf("%w: the issuer is not one short line", ErrIdentifier)
	case r.issuer != nil && !r.issuer(id.GetIssuer()):
		return fmt.Errorf("%w: the issuer must be %s", ErrIdentifier, r.issuerWant)
	case t == wf.IdentifierType_IDENTIFIER_TYPE_HASH && len(v) != hashLength(id.GetIssuer()):
		return fmt.Errorf("%w: a %s hash has %d characters", ErrIdentifier, id.GetIssuer(), hashLength(id.GetIssuer()))
	}
	return nil
}

func partial(v string, mask func(byte) bool) bool {
	if mask == nil || len(v) > maxToken {
		return false
	}
	seen, unseen := 0, 0
	for i := range len(v) {
		switch {
		case v[i] == '?':
			unseen++
		case mask(v[i]):
			seen++
		default:
			return false
		}
	}
	return seen >= 2 && unseen > 0
}

func upperDigit(b byte) bool { return isUpper(b) || isDigit(b) }

func orPlus(f func(byte) bool) func(byte) bool {
	return func(b byte) bool { return b == '+' || f(b) }
}

func optional(f func(string) bool) func(string) bool {
	return func(s string) bool { return s == "" || f(s) }
}

func given(s string) bool { return s != "" }

func every(s string, f func(byte) bool) bool {
	for i := range len(s) {
		if !f(s[i]) {
			return false
		}
	}
	return true
}

func digits(n int) func(string) bool {
	return func(s string) bool { return len(s) == n && every(s, isDigit) }
}

func upperDigits(least, most int) func(string) bool {
	return func(s string) bool { return len(s) >= least && len(s) <= most && every(s, upperDigit) }
}

func upperWord(s string) bool {
	return len(s) <= 64 && s[0] != '-' && every(s, func(b byte) bool { return upperDigit(b) || b == '-' })
}

func alpha3(s string) bool { return len(s) == 3 && every(s, isUpper) }

// jurisdiction is a country, or a part of one as in ISO 3166-2: US, US-MS.
func jurisdiction(s string) bool {
	country, part, found := strings.Cut(s, "-")
	return len(country) == 2 && every(country, isUpper) && (!found || upperDigits(1, 3)(part))
}

func trimmed(s string) bool {
	return s[0] != ' ' && s[len(s)-1] != ' ' && cleanText(s, false)
}

func e164(s string) bool {
	return len(s) >= 8 && len(s) <= 16 && s[0] == '+' && s[1] != '0' && every(s[1:], isDigit)
}

func email(s string) bool {
	local, host, ok := strings.Cut(s, "@")
	if !ok || local == "" || len(local) > 64 || !Hostname(host) {
		return false
	}
	return every(local, func(b byte) bool {
		return b > ' ' && b != 0x7f && !isUpper(b) && b != '+' && b != '@' && b != '"' && b != ',' && b != ';' && b != '<' && b != '>'
	}) && cleanText(local, false)
}

// VIN says whether s is a vehicle identification number in upper case whose
// check digit (ISO 3779, 49 CFR 565) holds.
func VIN(s string) bool {
	if len(s) != 17 {
		return false
	}
	const weights = "\x08\x07\x06\x05\x04\x03\x02\x0a\x00\x09\x08\x07\x06\x05\x04\x03\x02"
	const letters = "\x01\x02\x03\x04\x05\x06\x07\x08\x00\x01\x02\x03\x04\x05\x00\x07\x00\x09\x02\x03\x04\x05\x06\x07\x08\x09" // A to Z; 0 is I, O, Q
	sum := 0
	for i := range 17 {
		v := 0
		switch b := s[i]; {
		case isDigit(b):
			v = int(b - '0')
		case isUpper(b) && letters[b-'A'] != 0:
			v = int(letters[b-'A'])
		default:
			return false
		}
		sum += v * int(weights[i])
	}
	return s[8] == "0123456789X"[sum%11]
}

// SSN says whether s is nine digits that the Social Security Administration
// may have given out; 000-00-0000 and the like are not.
func SSN(s string) bool {
	return len(s) == 9 && every(s, isDigit) && s[:3] != "000" && s[:3] != "666" && s[0] != '9' && s[3:5] != "00" && s[5:] != "0000"
}

// IMEI says whether s is 15 digits whose Luhn check digit holds.
func IMEI(s string) bool {
	if len(s) != 15 || !every(s, isDigit) || strings.Trim(s, "0") == "" {
		return false
	}
	sum := 0
	for i := range 15 {
		d := int(s[i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

func address(s string) bool {
	a, err := netip.ParseAddr(s)
	var buf [64]byte
	return err == nil && a.Zone() == "" && !a.Is4In6() && string(a.AppendTo(buf[:0])) == s
}

func prefix(s string) bool {
	p, err := netip.ParsePrefix(s)
	var buf [64]byte
	return err == nil && !p.Addr().Is4In6() && p == p.Masked() && string(p.AppendTo(buf[:0])) == s
}

// Hostname says whether s is a host name of two labels or more in lower case.
// An underscore is allowed, as the DNS does; an all-digit last label is not,
// as that is an address.
func Hostname(s string) bool {
	if len(s) < 3 || len(s) > 253 {
		return false
	}
	start, dots, numeric := 0, 0, true
	for i := 0; i <= len(s); i++ {
		if i == len(s) || s[i] == '.' {
			if n := i - start; n < 1 || n > 63 || s[start] == '-' || s[i-1] == '-' {
				return false
			}
			if i < len(s) {
				dots, start, numeric = dots+1, i+1, true
			}
			continue
		}
		b := s[i]
		if !isLower(b) && !isDigit(b) && b != '-' && b != '_' {
			return false
		}
		numeric = numeric && isDigit(b)
	}
	return dots > 0 && !numeric
}

func normalURL(s string) bool {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok || scheme == "" || !isLower(scheme[0]) || !every(scheme, func(b byte) bool { return isLower(b) || isDigit(b) || b == '+' || b == '-' || b == '.' }) {
		return false
	}
	host := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		host = rest[:i]
	}
	return host != "" && every(host, func(b byte) bool { return !isUpper(b) }) &&
		every(rest, func(b byte) bool { return b > ' ' && b != 0x7f && b != '#' }) && cleanText(rest, false)
}

func hexText(s string) bool { return every(s, lowerHex) }

func hashLength(name string) int {
	switch name {
	case "md5":
		return 32
	case "sha1":
		return 40
	case "sha256":
		return 64
	case "sha512":
		return 128
	}
	return 0
}

func hashName(s string) bool { return hashLength(s) > 0 }

func stixID(s string) bool {
	kind, id, ok := strings.Cut(s, "--")
	if !ok || kind == "" || len(id) != 36 || !isLower(kind[0]) || !every(kind, func(b byte) bool { return isLower(b) || isDigit(b) || b == '-' }) {
		return false
	}
	for i := range len(id) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (id[i] == '-') || !dash && !lowerHex(id[i]) {
			return false
		}
	}
	return true
}

func vtec(s string) bool {
	return len(s) == 19 && every(s[:4], upperDigit) && s[4] == '.' && every(s[5:7], isUpper) && s[7] == '.' && isUpper(s[8]) && s[9] == '.' &&
		every(s[10:14], isDigit) && s[14] == '.' && every(s[15:], isDigit)
}

func mac(s string) bool {
	if len(s) != 17 {
		return false
	}
	for i := range len(s) {
		if colon := i%3 == 2; colon != (s[i] == ':') || !colon && !lowerHex(s[i]) {
			return false
		}
	}
	return true
}

func cve(s string) bool {
	return len(s) >= 13 && len(s) <= 28 && s[:4] == "CVE-" && every(s[4:8], isDigit) && s[8] == '-' && every(s[9:], isDigit)
}

func storm(s string) bool { return len(s) == 8 && every(s[:2], isUpper) && every(s[2:], isDigit) }
