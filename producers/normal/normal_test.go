package normal_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/producers/normal"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	phone    = wf.IdentifierType_IDENTIFIER_TYPE_PHONE
	email    = wf.IdentifierType_IDENTIFIER_TYPE_EMAIL
	plate    = wf.IdentifierType_IDENTIFIER_TYPE_PLATE
	vin      = wf.IdentifierType_IDENTIFIER_TYPE_VIN
	passport = wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT
	license  = wf.IdentifierType_IDENTIFIER_TYPE_DRIVER_LICENSE
	ssn      = wf.IdentifierType_IDENTIFIER_TYPE_SSN
	national = wf.IdentifierType_IDENTIFIER_TYPE_NATIONAL_ID
	imei     = wf.IdentifierType_IDENTIFIER_TYPE_IMEI
	serial   = wf.IdentifierType_IDENTIFIER_TYPE_SERIAL
	ip       = wf.IdentifierType_IDENTIFIER_TYPE_IP
	cidr     = wf.IdentifierType_IDENTIFIER_TYPE_CIDR
	domain   = wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN
	link     = wf.IdentifierType_IDENTIFIER_TYPE_URL
	hash     = wf.IdentifierType_IDENTIFIER_TYPE_HASH
	account  = wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT
	caseNo   = wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER
	tail     = wf.IdentifierType_IDENTIFIER_TYPE_TAIL_NUMBER
	imo      = wf.IdentifierType_IDENTIFIER_TYPE_IMO
	mmsi     = wf.IdentifierType_IDENTIFIER_TYPE_MMSI
	hull     = wf.IdentifierType_IDENTIFIER_TYPE_HULL
	stix     = wf.IdentifierType_IDENTIFIER_TYPE_STIX
	vtec     = wf.IdentifierType_IDENTIFIER_TYPE_VTEC
	mac      = wf.IdentifierType_IDENTIFIER_TYPE_MAC
	fbi      = wf.IdentifierType_IDENTIFIER_TYPE_FBI
	cve      = wf.IdentifierType_IDENTIFIER_TYPE_CVE
	storm    = wf.IdentifierType_IDENTIFIER_TYPE_STORM
	other    = wf.IdentifierType_IDENTIFIER_TYPE_OTHER
)

type written struct {
	t           wf.IdentifierType
	raw, issuer string
	want        string
}

func TestIdentifiersHaveOneForm(t *testing.T) {
	for _, c := range []written{
		{phone, "(601) 555-0123", "", "+16015550123"},
		{phone, "1-601-555-0123", "", "+16015550123"},
		{phone, "601.555.0123 ext. 4", "", "+16015550123"},
		{phone, "404/231-1368", "", "+14042311368"},
		{phone, "212/ 319-1660", "", "+12123191660"},
		{phone, "+44 20 7946 0958", "", "+442079460958"},
		{phone, "1-800-FLOWERS", "", "+18003569377"},
		{email, " Jo.Roe+bank@Example.NET ", "", "jo.roe@example.net"},
		{email, "Jo Roe <jo@example.org>", "", "jo@example.org"},
		{email, "mailto:jo[@]example[.]org", "", "jo@example.org"},
		{email, "jo@bücher.example", "", "jo@xn--bcher-kva.example"},
		{plate, "hnb 4421", "MS", "HNB4421 US-MS"},
		{plate, "HNB-4421", "us-ms", "HNB4421 US-MS"},
		{plate, "HNB**21", "", "HNB??21 partial"},
		{plate, "ABC 12", "CA-ON", "ABC12 CA-ON"},
		{vin, "1m8gdm9axkp042788", "", "1M8GDM9AXKP042788"},
		{vin, "IM8GDM9AXKPO42788", "", "1M8GDM9AXKP042788"},
		{vin, "1M8GDM9AXKP0427??", "", "1M8GDM9AXKP0427?? partial"},
		{ssn, "219-09-9998", "", "219099998"},
		{ssn, "XXX-XX-1234", "", "?????1234 partial"},
		{passport, "c 0123456", "US", "C0123456 USA"},
		{license, "801-23-4567", "MS", "801234567 US-MS"},
		{national, "12.345.678-K", "cl", "12345678-K cl"},
		{imei, "49-015420-323751-8", "", "490154203237518"},
		{imei, "49015420323751", "", "490154203237518"},
		{imei, "4901542032375101", "", "490154203237518"},
		{serial, "sn: ab-12", "acme", "SNAB-12 acme"},
		{ip, "198[.]51[.]100[.]7", "", "198.51.100.7"},
		{ip, "2001:DB8:0:0::1", "", "2001:db8::1"},
		{ip, "::ffff:192.0.2.1", "", "192.0.2.1"},
		{cidr, "192.0.2.77/24", "", "192.0.2.0/24"},
		{cidr, "::ffff:192.0.2.77/120", "", "192.0.2.0/24"},
		{domain, "WWW.Example.COM.", "", "www.example.com"},
		{domain, "update[.]example(.)net", "", "update.example.net"},
		{link, "HXXP://Example[.]net:80/A%20b?C=d#e", "", "http://example.net/A%20b?C=d"},
		{link, "https://[2001:DB8::1]:8443/x", "", "https://[2001:db8::1]:8443/x"},
		{hash, "0CC175B9C0F1B6A831C399E269772661", "", "0cc175b9c0f1b6a831c399e269772661 md5"},
		{hash, "0cc175b9c0f1b6a831c399e269772661", "MD-5", "0cc175b9c0f1b6a831c399e269772661 md5"},
		{account, " JoRoe77 ", "Telegram", "joroe77 telegram"},
		{caseNo, "18-001804  a", "stl-pd", "18-001804 A stl-pd"},
		{tail, "n123ab", "", "N123AB"},
		{imo, "IMO 9074729", "", "9074729"},
		{mmsi, "367 123 450", "", "367123450"},
		{hull, "abc 12345 d404", "", "ABC12345D404"},
		{stix, "Malware--0C7B5B88-8FF7-4A4D-AA9D-FEB398CD0061", "", "malware--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"},
		{vtec, "kjan.to.w.0012.2025", "", "KJAN.TO.W.0012.2025"},
		{mac, "00-1A-2B-3C-4D-5E", "", "00:1a:2b:3c:4d:5e"},
		{mac, "001a.2b3c.4d5e", "", "00:1a:2b:3c:4d:5e"},
		{fbi, "123456 ab7", "fbi", "123456AB7 fbi"},
		{cve, "cve-2024-3094", "", "CVE-2024-3094"},
		{storm, "al092005", "", "AL092005"},
		{other, "badge\t 77", "", "badge 77"},
	} {
		id, err := normal.Identifier(c.t, c.raw, normal.Hints{Issuer: c.issuer})
		if err != nil {
			t.Errorf("%s %q: %v", c.t, c.raw, err)
			continue
		}
		if got := show(id); got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.t, c.raw, got, c.want)
		}
	}
}

func show(id *wf.Identifier) string {
	s := id.GetValue()
	if id.GetIssuer() != "" {
		s += " " + id.GetIssuer()
	}
	if id.GetPartial() {
		s += " partial"
	}
	return s
}

func TestWhatHasNoNormalFormIsAnError(t *testing.T) {
	for _, c := range []written{
		{phone, "555-0123", "", ""}, {phone, "call me", "", ""}, {phone, "60155501234567890123", "", ""},
		{email, "jo at example", "", ""}, {email, "@example.net", "", ""}, {plate, "HNB4421", "US-ZZ", ""}, {plate, "A VERY LONG PLATE", "", ""},
		{vin, "1M8GDM9A1KP042788", "", ""}, {vin, "4421", "", ""}, {ssn, "666-12-3456", "", ""}, {ssn, "6988048", "", ""},
		{passport, "123456780", "Ruritania", ""}, {license, "801234567", "", ""}, {national, "12", "", ""}, {imei, "490154203237519", "", ""},
		{ip, "fe80::1%eth0", "", ""}, {ip, "198.051.100.7", "", ""}, {cidr, "192.0.2.0/33", "", ""}, {cidr, "::ffff:0.0.0.0/64", "", ""}, {domain, "localhost", "", ""}, {domain, "10.0.0.1", "", ""},
		{link, "/etc/passwd", "", ""}, {link, "http://exa mple/", "", ""}, {hash, "xyz", "", ""}, {hash, "0cc175b9", "md5", ""}, {mac, "00:1a:2b", "", ""},
		{imo, "9074720", "", ""}, {mmsi, "123", "", ""}, {stix, "malware", "", ""}, {cve, "CVE-1", "", ""}, {wf.IdentifierType(99), "x1", "", ""},
	} {
		if id, err := normal.Identifier(c.t, c.raw, normal.Hints{Issuer: c.issuer}); !errors.Is(err, normal.ErrNotNormal) {
			t.Errorf("%s %q: got %v, %v; want ErrNotNormal", c.t, c.raw, id, err)
		}
	}
}

func TestPlaceholdersAreDropped(t *testing.T) {
	for _, c := range []written{
		{phone, "000-000-0000", "", ""}, {phone, "(999) 999-9999", "", ""}, {phone, "601-555-5555", "", ""}, {phone, "UNKNOWN", "", ""}, {phone, "601-555-1212", "", ""},
		{ssn, "000-00-0000", "", ""}, {ssn, "123-45-6789", "", ""}, {ssn, "000-12-3456", "", ""}, {ssn, "078-05-1120", "", ""}, {plate, "n/a", "", ""}, {plate, "???", "", ""}, {plate, "No Plate", "", ""},
		{vin, "11111111111111111", "", ""}, {email, "none@example.net", "", ""}, {email, "unknown@example.net", "", ""}, {imei, "000000000000000", "", ""},
		{mac, "FF:FF:FF:FF:FF:FF", "", ""}, {ip, "0.0.0.0", "", ""}, {hash, "d41d8cd98f00b204e9800998ecf8427e", "md5", ""}, {other, " - ", "", ""},
	} {
		if id, err := normal.Identifier(c.t, c.raw, normal.Hints{Issuer: c.issuer}); !errors.Is(err, normal.ErrPlaceholder) {
			t.Errorf("%s %q: got %v, %v; want ErrPlaceholder", c.t, c.raw, id, err)
		}
	}
}

var types = func() []wf.IdentifierType {
	var out []wf.IdentifierType
	for n := range wf.IdentifierType_name {
		if n != 0 {
			out = append(out, wf.IdentifierType(n))
		}
	}
	return out
}()

// Every type of the schema is known here.
func TestEveryTypeHasAForm(t *testing.T) {
	for _, typ := range types {
		if _, err := normal.Identifier(typ, "A1B2C3D4", normal.Hints{Issuer: "x1"}); err != nil && !errors.Is(err, normal.ErrNotNormal) {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

// What comes out is normal, and its own normal form.
func TestNormalFormIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(types).Draw(t, "type")
		raw := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9A-Za-z+@.:/?* -]{0,40}`), rapid.StringMatching(`[0-9]{7,16}`),
			rapid.StringMatching(`[A-Z0-9]{17}`), rapid.StringMatching(`https?://[A-Za-z.]{1,20}/[a-z#?]*`)).Draw(t, "raw")
		h := normal.Hints{Issuer: rapid.SampledFrom([]string{"", "MS", "US-MS", "USA", "md5", "SHA-256", "stl-pd"}).Draw(t, "issuer")}
		id, err := normal.Identifier(typ, raw, h)
		if err != nil {
			return
		}
		if err := report.NormalIdentifier(id); err != nil {
			t.Fatalf("%q gave %v: %v", raw, id, err)
		}
		again, err := normal.Identifier(typ, id.GetValue(), normal.Hints{Issuer: id.GetIssuer()})
		if err != nil || show(again) != show(id) {
			t.Fatalf("%q gave %q, that gave %v, %v", raw, show(id), again, err)
		}
	})
}

func TestPlaceholder(t *testing.T) {
	for _, s := range []string{"", "UNKNOWN", "unk.", "N/A", "none", "---", "000-00-0000", "XXXXXXX", "9999", "No fixed address"} {
		if !normal.Placeholder(s) {
			t.Errorf("%q is a placeholder", s)
		}
	}
	for _, s := range []string{"0", "A", "11", "Nan Li", "Unkle", "1001", "Idaho Ave"} {
		if normal.Placeholder(s) {
			t.Errorf("%q is none", s)
		}
	}
}
