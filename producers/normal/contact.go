package normal

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"

	"github.com/watchfloor/watchfloor/proto/report"
)

// Phone is raw as E.164 with plus. Region is where a number without a country
// code belongs; empty is US. An extension is dropped: it names a desk, not a
// line.
func Phone(raw, region string) (string, error) {
	if len(raw) > 64 {
		return "", notNormal("too long for a telephone number")
	}
	if region == "" {
		region = "US"
	}
	if region == "US" {
		if v, ok := northAmerican(raw); ok {
			return v, placeholderNumber(v)
		}
	}
	n, err := phonenumbers.Parse(raw, strings.ToUpper(region))
	if err != nil {
		return "", notNormal("not a telephone number")
	}
	if phonenumbers.IsPossibleNumberWithReason(n) != phonenumbers.IS_POSSIBLE {
		return "", notNormal("a telephone number of impossible length")
	}
	v := phonenumbers.Format(n, phonenumbers.E164)
	return v, placeholderNumber(v)
}

// northAmerican reads the usual ten or eleven digits without the tables of the
// world's numbering plans.
func northAmerican(raw string) (string, bool) {
	if strings.Trim(raw, "0123456789 ()-./") != "" {
		return "", false
	}
	d := onlyDigits(raw)
	if len(d) == 11 && d[0] == '1' {
		d = d[1:]
	}
	if len(d) != 10 || d[0] < '2' || d[3] < '2' {
		return "", false
	}
	return "+1" + d, true
}

// placeholderNumber finds numbers that are typed to satisfy a form.
func placeholderNumber(e164 string) error {
	d := e164[max(1, len(e164)-7):]
	if strings.Count(d, d[:1]) == len(d) || strings.HasSuffix(e164, "1234567890") || strings.HasSuffix(e164, "5551212") {
		return ErrPlaceholder
	}
	return nil
}

// Email is raw in lower case, without a display name, mailto: and plus-tag,
// the host in its ASCII form.
func Email(raw string) (string, error) {
	s := strings.ToLower(refang(raw))
	if i, j := strings.LastIndexByte(s, '<'), strings.LastIndexByte(s, '>'); i >= 0 && j > i {
		s = s[i+1 : j]
	}
	s = strings.Trim(strings.TrimPrefix(strings.TrimSpace(s), "mailto:"), " .,;")
	at := strings.LastIndexByte(s, '@')
	if at <= 0 {
		return "", notNormal("not an e-mail address")
	}
	local, _, _ := strings.Cut(s[:at], "+")
	host, err := Domain(s[at+1:])
	if err != nil {
		return "", err
	}
	if local == "" || Placeholder(local) || host == "example.com" && local == "test" {
		return "", ErrPlaceholder
	}
	return local + "@" + host, nil
}

// refang undoes the usual ways of making an indicator unclickable.
func refang(s string) string {
	s = strings.NewReplacer("[.]", ".", "(.)", ".", "{.}", ".", "[dot]", ".", "(dot)", ".", "[:]", ":", "[://]", "://",
		"[@]", "@", "[at]", "@", "(at)", "@").Replace(s)
	if len(s) > 4 && strings.EqualFold(s[:4], "hxxp") {
		s = "http" + s[4:]
	}
	return s
}

// Domain is a host name in lower case and ASCII, without a trailing dot. It is
// not reduced to the registered domain: a.example.org is not example.org.
func Domain(raw string) (string, error) {
	s := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(refang(raw))), ".")
	for i := range len(s) {
		if s[i] >= 0x80 {
			ascii, err := idna.Lookup.ToASCII(s)
			if err != nil {
				return "", notNormal("not a host name")
			}
			s = ascii
			break
		}
	}
	if !report.Hostname(s) {
		return "", notNormal("not a host name")
	}
	return s, nil
}

// URL has scheme and host in lower case, no default port and no fragment; the
// rest is as written.
func URL(raw string) (string, error) {
	u, err := url.Parse(refang(strings.TrimSpace(raw)))
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "", notNormal("not a URL with scheme and host")
	}
	u.Scheme = strings.ToLower(u.Scheme)
	host := u.Hostname()
	if a, err := netip.ParseAddr(host); err == nil {
		host = a.WithZone("").String()
		if a.Is6() {
			host = "[" + host + "]"
		}
	} else if host, err = hostOf(host); err != nil {
		return "", err
	}
	if p := u.Port(); p != "" && !(u.Scheme == "http" && p == "80" || u.Scheme == "https" && p == "443" || u.Scheme == "ftp" && p == "21") {
		host += ":" + p
	}
	u.Host, u.Fragment, u.RawFragment = host, "", ""
	return u.String(), nil
}

// hostOf also takes a bare name, as URLs inside a network have them.
func hostOf(host string) (string, error) {
	if h, err := Domain(host); err == nil {
		return h, nil
	}
	h := strings.ToLower(host)
	if h == "" || strings.Trim(h, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return "", notNormal("not a URL: its host is no host name")
	}
	return h, nil
}
