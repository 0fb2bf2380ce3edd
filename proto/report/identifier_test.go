package report_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func typed(name string) wf.IdentifierType {
	return wf.IdentifierType(wf.IdentifierType_value["IDENTIFIER_TYPE_"+name])
}

// normals has normal values of every type, as "value issuer".
var normals = map[string][]string{
	"PHONE": {"+16015550123", "+442079460958"}, "EMAIL": {"jo.roe@example.net", "jo_'x@xn--bcher-kva.example"},
	"PLATE": {"HNB4421 US-MS", "A", "1ABC234 MX", "ABC12 CA-ON"}, "VIN": {"1M8GDM9AXKP042788", "11111111111111111"},
	"PASSPORT": {"C0123456 USA"}, "DRIVER_LICENSE": {"801234567 US-MS"}, "SSN": {"219099998"}, "NATIONAL_ID": {"12345678-K cl"},
	"IMEI": {"490154203237518"}, "SERIAL": {"AB-12 acme", "AB12"}, "IP": {"198.51.100.7", "2001:db8::1", "::"}, "CIDR": {"192.0.2.0/24", "2001:db8::/32", "0.0.0.0/0"},
	"DOMAIN": {"example.net", "_dmarc.example.net", "a.b.c.d.example"}, "URL": {"http://example.net/A?b=C", "https://[2001:db8::1]:8443/", "ftp://host/x", "http://user@example.net"},
	"HASH":    {strings.Repeat("a", 32) + " md5", strings.Repeat("0", 40) + " sha1", strings.Repeat("f", 64) + " sha256", strings.Repeat("1", 128) + " sha512"},
	"ACCOUNT": {"joroe77 telegram", "S-1-5-21"}, "CASE_NUMBER": {"18-001804 stl-pd"}, "TAIL_NUMBER": {"N123AB", "G-ABCD"}, "IMO": {"9074729"}, "MMSI": {"367123450"},
	"HULL": {"ABC12345D404"}, "STIX": {"malware--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061", "x-thing-2--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061"},
	"VTEC": {"KJAN.TO.W.0012.2025"}, "MAC": {"00:1a:2b:3c:4d:5e"}, "FBI": {"123456AB7 fbi"}, "CVE": {"CVE-2024-3094", "CVE-2021-44228"}, "STORM": {"AL092005"}, "OTHER": {"badge 77", "日本 acme"},
}

// others are values that are not in normal form, as "value issuer".
var others = map[string][]string{
	"PHONE": {"16015550123", "+0601555012", "+1601", "+160155501234567890", "+1601555O123"}, "EMAIL": {"jo", "@example.net", "Jo@example.net", "jo+x@example.net", "jo@localhost", "jo\x7f@example.net", strings.Repeat("x", 65) + "@example.net", "j@o@example.net"},
	"PLATE": {"hnb4421", "HNB-4421", "ABCDEFGHIJK", "HNB4421 MISSISSIPPI", "HNB4421 US-MISS", "HNB4421 us"}, "VIN": {"1M8GDM9A1KP042788", "1M8GDM9AXKP04278", "1M8GDM9AXKPO42788", "1m8gdm9axkp042788"},
	"PASSPORT": {"C0123456", "C0123456 US", "c0123456 USA"}, "DRIVER_LICENSE": {"801234567", "801-234 US-MS"}, "SSN": {"219-09-9998", "000123456", "666123456", "900123456", "219009998", "219090000", "21909999"}, "NATIONAL_ID": {"12345678", "12345678k cl", "-12 cl"},
	"IMEI": {"490154203237519", "000000000000000", "49015420323751"}, "SERIAL": {"ab12", strings.Repeat("A", 65)}, "IP": {"198.51.100.07", "::ffff:192.0.2.1", "fe80::1%eth0", "2001:DB8::1", "example.net"}, "CIDR": {"192.0.2.7/24", "192.0.2.0", "192.0.2.0/024", "::ffff:192.0.2.0/120"},
	"DOMAIN":  {"example", "example.net.", "Example.net", "10.0.0.1", "a..b", "-a.net", "a-.net", ".net", "a b.net", strings.Repeat("a", 64) + ".net", strings.Repeat("a.", 130) + "net", "bücher.example"},
	"URL":     {"example.net/a", "HTTP://example.net", "http://Example.net", "http://example.net/#a", "http:///a", "http://a b", "://a", "http://a\x00b", "1http://a"},
	"HASH":    {strings.Repeat("A", 32) + " md5", strings.Repeat("a", 31) + " md5", strings.Repeat("a", 32), strings.Repeat("a", 32) + " crc", strings.Repeat("g", 32) + " md5"},
	"ACCOUNT": {"\x1b"}, "CASE_NUMBER": {"18-001804"}, "TAIL_NUMBER": {"n123ab", "N 123"}, "IMO": {"907472", "90747290", "907472X"}, "MMSI": {"36712345"},
	"HULL": {"abc"}, "STIX": {"malware", "malware--", "--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061", "Malware--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061", "malware--0C7B5B88-8FF7-4A4D-AA9D-FEB398CD0061", "malware--0c7b5b888ff7-4a4d-aa9d-feb398cd0061a"},
	"VTEC": {"KJAN.TO.W.12.2025", "KJAN-TO-W-0012-2025", "kjan.to.w.0012.2025"}, "MAC": {"00:1A:2B:3C:4D:5E", "001a2b3c4d5e", "00-1a-2b-3c-4d-5e"}, "FBI": {"123456AB7"}, "CVE": {"CVE-2024-1", "cve-2024-3094", "CVE-20X4-3094", "CVE-2024-3094a"}, "STORM": {"Katrina", "AL9"}, "OTHER": {"x\n"},
}

func split(s string) (value, issuer string) {
	for _, p := range []string{" cl", " acme", " md5", " sha1", " sha256", " sha512", " crc", " telegram", " stl-pd", " fbi", " USA", " US-MS", " US-MISS", " US", " us", " MX", " CA-ON", " MISSISSIPPI"} {
		if v, ok := strings.CutSuffix(s, p); ok {
			return v, p[1:]
		}
	}
	return s, ""
}

func TestNormalForms(t *testing.T) {
	for n, name := range wf.IdentifierType_name {
		name = strings.TrimPrefix(name, "IDENTIFIER_TYPE_")
		if n == 0 {
			continue
		}
		if len(normals[name]) == 0 || len(others[name]) == 0 {
			t.Errorf("%s: no example", name)
		}
		for _, s := range normals[name] {
			value, issuer := split(s)
			if err := report.NormalIdentifier(&wf.Identifier{Type: typed(name), Value: value, Issuer: issuer}); err != nil {
				t.Errorf("%s %q: %v", name, s, err)
			}
		}
		for _, s := range append([]string{"", " " + strings.Repeat("x", 9000)}, others[name]...) {
			value, issuer := split(s)
			if err := report.NormalIdentifier(&wf.Identifier{Type: typed(name), Value: value, Issuer: issuer}); !errors.Is(err, report.ErrIdentifier) {
				t.Errorf("%s %.80q: got %v, want ErrIdentifier", name, s, err)
			}
		}
	}
}

func TestPartialValues(t *testing.T) {
	for _, c := range []struct {
		name, value string
		ok          bool
	}{
		{"PLATE", "HNB??21", true}, {"PLATE", "??21", true}, {"PLATE", "?1", false}, {"PLATE", "HNB4421", false}, {"PLATE", "hn??", false}, {"PLATE", strings.Repeat("A?", 100), false},
		{"PHONE", "+1601555????", true}, {"PHONE", "601555????", true}, {"PHONE", "CALL????", false}, {"VIN", "1M8GDM9AXKP0?????", true},
		{"SSN", "?????1234", true}, {"IP", "192.0.2.?", false}, {"EMAIL", "jo?@example.net", false}, {"DOMAIN", "ex??", false}, {"OTHER", "ab?", false},
	} {
		err := report.NormalIdentifier(&wf.Identifier{Type: typed(c.name), Value: c.value, Partial: true})
		if (err == nil) != c.ok {
			t.Errorf("%s %.80q: got %v", c.name, c.value, err)
		}
	}
}

func TestIssuersAreOneShortLine(t *testing.T) {
	for _, issuer := range []string{strings.Repeat("x", 200), "a\nb", "\xff"} {
		if err := report.NormalIdentifier(&wf.Identifier{Type: typed("OTHER"), Value: "x", Issuer: issuer}); err == nil {
			t.Errorf("%.40q: want an error", issuer)
		}
	}
	if err := report.NormalIdentifier(nil); err == nil {
		t.Error("nothing is an identifier")
	}
}
