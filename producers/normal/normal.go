// Package normal brings what people and systems write into the normal form
// that reports carry: phone numbers, plates, hosts, hashes, dates, names.
//
// A codec calls it once, at the edge; everything behind the edge compares
// bytes. It never guesses: what it cannot bring into normal form is an error,
// and the caller keeps the raw text where a person can read it (narrative or
// description). It repairs only what is certain, such as a letter O in a VIN
// whose check digit then holds.
//
// A placeholder (UNKNOWN, 000-00-0000, 1/1/1900) is [ErrPlaceholder]: it says
// that nothing is known, and as an identifier it would tie strangers together,
// so the caller drops it.
//
// It is not validation: package report judges the normal form, and a test here
// holds that whatever this package returns is judged normal.
package normal

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// What a caller does about an error.
var (
	// ErrPlaceholder: the text stands for nothing known. Drop it.
	ErrPlaceholder = errors.New("placeholder for an unknown value")
	// ErrNotNormal: the text has no normal form of its type. Keep it as text.
	ErrNotNormal = errors.New("no normal form")
)

func notNormal(what string) error { return fmt.Errorf("%w: %s", ErrNotNormal, what) }

// MaxRaw is the longest text that is looked at.
const MaxRaw = 8 << 10

// Hints say what the raw text alone does not.
type Hints struct {
	// Issuer: the jurisdiction of a plate or license (MS or US-MS), the country
	// of a passport, the function of a hash, whoever gave the number.
	Issuer string
	// Region is the ISO 3166-1 alpha-2 code for phone numbers without a
	// country code; empty is US.
	Region string
}

// form normalises one type; it returns the value, the issuer, and whether the
// value is partial.
type form func(raw string, h Hints) (value, issuer string, partial bool, err error)

// forms has an entry for every identifier type; a test holds that.
var forms = map[wf.IdentifierType]form{
	wf.IdentifierType_IDENTIFIER_TYPE_PHONE:          whole(func(s string, h Hints) (string, error) { return Phone(s, h.Region) }),
	wf.IdentifierType_IDENTIFIER_TYPE_EMAIL:          plain(Email),
	wf.IdentifierType_IDENTIFIER_TYPE_PLATE:          Plate,
	wf.IdentifierType_IDENTIFIER_TYPE_VIN:            masked(VIN),
	wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT:       passport,
	wf.IdentifierType_IDENTIFIER_TYPE_DRIVER_LICENSE: license,
	wf.IdentifierType_IDENTIFIER_TYPE_SSN:            masked(SSN),
	wf.IdentifierType_IDENTIFIER_TYPE_NATIONAL_ID:    word,
	wf.IdentifierType_IDENTIFIER_TYPE_IMEI:           plain(IMEI),
	wf.IdentifierType_IDENTIFIER_TYPE_SERIAL:         word,
	wf.IdentifierType_IDENTIFIER_TYPE_IP:             plain(IP),
	wf.IdentifierType_IDENTIFIER_TYPE_CIDR:           plain(CIDR),
	wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN:         plain(Domain),
	wf.IdentifierType_IDENTIFIER_TYPE_URL:            plain(URL),
	wf.IdentifierType_IDENTIFIER_TYPE_HASH:           Hash,
	wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT:        lowerText,
	wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER:    upperText,
	wf.IdentifierType_IDENTIFIER_TYPE_TAIL_NUMBER:    word,
	wf.IdentifierType_IDENTIFIER_TYPE_IMO:            plain(IMO),
	wf.IdentifierType_IDENTIFIER_TYPE_MMSI:           plain(MMSI),
	wf.IdentifierType_IDENTIFIER_TYPE_HULL:           word,
	wf.IdentifierType_IDENTIFIER_TYPE_STIX:           lowerText,
	wf.IdentifierType_IDENTIFIER_TYPE_VTEC:           upperText,
	wf.IdentifierType_IDENTIFIER_TYPE_MAC:            plain(MAC),
	wf.IdentifierType_IDENTIFIER_TYPE_FBI:            word,
	wf.IdentifierType_IDENTIFIER_TYPE_CVE:            upperText,
	wf.IdentifierType_IDENTIFIER_TYPE_STORM:          upperText,
	wf.IdentifierType_IDENTIFIER_TYPE_OTHER:          asWritten,
}

// Identifier brings raw into the normal form of its type.
func Identifier(t wf.IdentifierType, raw string, h Hints) (*wf.Identifier, error) {
	f, ok := forms[t]
	if !ok {
		return nil, notNormal(fmt.Sprintf("identifier type %d is not in the schema", t))
	}
	if len(raw) > MaxRaw {
		return nil, notNormal(fmt.Sprintf("the text has %d bytes", len(raw)))
	}
	if Placeholder(raw) {
		return nil, ErrPlaceholder
	}
	value, issuer, partial, err := f(Text(raw), h)
	if err != nil {
		return nil, err
	}
	if Placeholder(value) {
		return nil, ErrPlaceholder
	}
	id := &wf.Identifier{Type: t, Value: value, Issuer: issuer, Partial: partial}
	if err := report.NormalIdentifier(id); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotNormal, err)
	}
	return id, nil
}

func plain(f func(string) (string, error)) form {
	return func(raw string, h Hints) (string, string, bool, error) {
		v, err := f(raw)
		return v, h.Issuer, false, err
	}
}

func whole(f func(string, Hints) (string, error)) form {
	return func(raw string, h Hints) (string, string, bool, error) {
		v, err := f(raw, h)
		return v, h.Issuer, false, err
	}
}

func masked(f func(string) (string, bool, error)) form {
	return func(raw string, h Hints) (string, string, bool, error) {
		v, partial, err := f(raw)
		return v, h.Issuer, partial, err
	}
}

// word keeps letters, digits and hyphens, in upper case.
func word(raw string, h Hints) (string, string, bool, error) {
	v, partial := unseen(upperKeep(raw, "-"))
	v = strings.Trim(v, "-")
	if v == "" {
		return "", "", false, notNormal("it holds no letter or digit")
	}
	if partial {
		v = strings.ReplaceAll(v, "-", "")
	}
	return v, strings.TrimSpace(h.Issuer), partial, nil
}

func upperText(raw string, h Hints) (string, string, bool, error) {
	return strings.ToUpper(raw), strings.TrimSpace(h.Issuer), false, nil
}

func lowerText(raw string, h Hints) (string, string, bool, error) {
	return strings.ToLower(raw), strings.ToLower(strings.TrimSpace(h.Issuer)), false, nil
}

func asWritten(raw string, h Hints) (string, string, bool, error) {
	return raw, strings.TrimSpace(h.Issuer), false, nil
}

// Text is raw on one line: NFC, without control and format characters, one
// space between words.
func Text(raw string) string {
	raw = strings.ToValidUTF8(raw, "")
	clean := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, raw)
	return norm.NFC.String(strings.Join(strings.Fields(clean), " "))
}

// upperKeep keeps A-Z, 0-9, the marks for an unseen character and those of
// also, in upper case.
func upperKeep(s, also string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '?', r == '*', r == '_', strings.ContainsRune(also, r):
			return r
		}
		return -1
	}, s)
}

// unseen writes every mark for an unseen character as '?'.
func unseen(s string) (string, bool) {
	s = strings.NewReplacer("*", "?", "_", "?").Replace(s)
	return s, strings.Contains(s, "?")
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
