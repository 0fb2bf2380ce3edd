package normal

import (
	"net/netip"
	"strings"

	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// Plate is a license plate in A-Z and 0-9 with its jurisdiction. '?', '*' and
// '_' stand for an unseen character. O and 0 stay apart: which plates hold
// which is the jurisdiction's rule, and scoring knows that they look alike.
func Plate(raw string, h Hints) (value, issuer string, partial bool, err error) {
	if issuer, err = Jurisdiction(h.Issuer); err != nil {
		return "", "", false, err
	}
	value, partial = unseen(upperKeep(raw, ""))
	if value == "" || strings.Trim(value, "?") == "" {
		return "", "", false, ErrPlaceholder
	}
	return value, issuer, partial, nil
}

// Jurisdiction is a country or a part of one as ISO 3166 writes it: MS and
// US-MS give US-MS, CA-ON and MX stay. Empty stays empty. A two-letter code is
// a state before it is a country, as American records write it.
func Jurisdiction(raw string) (string, error) {
	s := strings.ToUpper(strings.TrimSpace(raw))
	switch country, part, found := strings.Cut(s, "-"); {
	case s == "":
		return "", nil
	case found && country == "US" && !subject.IsState(part):
		return "", notNormal("not a state of the United States")
	case !found && subject.IsState(s):
		return "US-" + s, nil
	}
	return s, nil // its form is judged with the identifier
}

// VIN is a vehicle identification number whose check digit holds. The letters
// I, O and Q do not occur in one: they are read as 1, 0 and 0, and only if the
// check digit then holds.
func VIN(raw string) (value string, partial bool, err error) {
	s, partial := unseen(upperKeep(raw, ""))
	if partial {
		return s, true, nil
	}
	if len(s) == 17 {
		s = strings.NewReplacer("I", "1", "O", "0", "Q", "0").Replace(s)
		if s == "11111111111111111" {
			return "", false, ErrPlaceholder
		}
	}
	if !report.VIN(s) {
		return "", false, notNormal("not 17 characters whose check digit holds")
	}
	return s, false, nil
}

// SSN is nine digits. With X, * or ? for unseen digits it is partial.
func SSN(raw string) (value string, partial bool, err error) {
	s := strings.ReplaceAll(upperKeep(raw, ""), "X", "?")
	s, partial = unseen(s)
	if partial {
		return s, true, nil
	}
	if len(s) == 9 && (s[:3] == "000" || s == "123456789" || s == "078051120" || s == "219099999") {
		return "", false, ErrPlaceholder // the last two were printed in advertisements
	}
	if !report.SSN(s) {
		return "", false, notNormal("not nine digits that may be given out")
	}
	return s, false, nil
}

// IMEI is 15 digits whose check digit holds; 14 digits get theirs, and the
// software version of 16 is dropped.
func IMEI(raw string) (string, error) {
	d := onlyDigits(raw)
	if strings.Trim(raw, "0123456789 -./") != "" || len(d) < 14 || len(d) > 16 {
		return "", notNormal("not 14 to 16 digits")
	}
	if strings.Trim(d, d[:1]) == "" {
		return "", ErrPlaceholder
	}
	if len(d) != 15 {
		d = d[:14] + luhnDigit(d[:14])
	}
	if !report.IMEI(d) {
		return "", notNormal("the check digit does not hold")
	}
	return d, nil
}

func luhnDigit(d string) string {
	sum := 0
	for i := range d {
		v := int(d[i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return string(rune('0' + (10-sum%10)%10))
}

// IMO is the seven digits of a ship number whose check digit holds.
func IMO(raw string) (string, error) {
	d := strings.TrimSpace(strings.TrimPrefix(strings.ToUpper(raw), "IMO"))
	if len(d) != 7 || onlyDigits(d) != d {
		return "", notNormal("not seven digits")
	}
	sum := 0
	for i := range 6 {
		sum += int(d[i]-'0') * (7 - i)
	}
	if byte('0'+sum%10) != d[6] {
		return "", notNormal("the check digit does not hold")
	}
	return d, nil
}

// MMSI is nine digits.
func MMSI(raw string) (string, error) {
	d := onlyDigits(raw)
	if len(d) != 9 || strings.Trim(raw, "0123456789 ") != "" {
		return "", notNormal("not nine digits")
	}
	return d, nil
}

func passport(raw string, h Hints) (string, string, bool, error) {
	v, partial := unseen(upperKeep(raw, ""))
	country := strings.ToUpper(strings.TrimSpace(h.Issuer))
	if country == "US" {
		country = "USA"
	}
	return v, country, partial, nil
}

func license(raw string, h Hints) (string, string, bool, error) {
	v, partial := unseen(upperKeep(raw, ""))
	issuer, err := Jurisdiction(h.Issuer)
	return v, issuer, partial, err
}

// IP is an address in canonical text; an IPv4 address inside IPv6 is IPv4.
func IP(raw string) (string, error) {
	a, err := netip.ParseAddr(strings.Trim(refang(strings.TrimSpace(raw)), "[]"))
	if err != nil || a.Zone() != "" {
		return "", notNormal("not an IP address")
	}
	if a.IsUnspecified() {
		return "", ErrPlaceholder
	}
	return a.Unmap().String(), nil
}

// CIDR is a masked prefix in canonical text.
func CIDR(raw string) (string, error) {
	p, err := netip.ParsePrefix(refang(strings.TrimSpace(raw)))
	if err != nil {
		return "", notNormal("not a prefix")
	}
	if a := p.Addr(); a.Is4In6() {
		if p.Bits() < 96 {
			return "", notNormal("a prefix of IPv6 that holds all of IPv4")
		}
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked().String(), nil
}

// MAC is a hardware address in six lower-case pairs.
func MAC(raw string) (string, error) {
	h := strings.ToLower(strings.NewReplacer(":", "", "-", "", ".", "", " ", "").Replace(raw))
	if len(h) != 12 || strings.Trim(h, "0123456789abcdef") != "" {
		return "", notNormal("not six pairs of hexadecimal digits")
	}
	if h == "000000000000" || h == "ffffffffffff" {
		return "", ErrPlaceholder
	}
	return h[:2] + ":" + h[2:4] + ":" + h[4:6] + ":" + h[6:8] + ":" + h[8:10] + ":" + h[10:], nil
}

// hashes names the functions by length, for input that does not.
var hashes = map[int]string{32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}

// emptyHashes are the hashes of no bytes at all: they identify nothing.
var emptyHashes = map[string]bool{
	"d41d8cd98f00b204e9800998ecf8427e":                                 true,
	"da39a3ee5e6b4b0d3255bfef95601890afd80709":                         true,
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": true,
}

// Hash is a hash in lower-case hexadecimal; the issuer names the function in
// any spelling, or is taken from the length.
func Hash(raw string, h Hints) (value, issuer string, partial bool, err error) {
	v := strings.ToLower(strings.TrimSpace(raw))
	name := strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(h.Issuer))
	if name == "" {
		name = hashes[len(v)]
	}
	if emptyHashes[v] {
		return "", "", false, ErrPlaceholder
	}
	if name == "" || strings.Trim(v, "0123456789abcdef") != "" {
		return "", "", false, notNormal("not a hash of a known function in hexadecimal")
	}
	return v, name, false, nil
}
