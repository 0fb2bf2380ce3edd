package fusion

import (
	"net/netip"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// stopped says whether an identifier is one that everybody has: a placeholder,
// a private address, a public resolver, a toll-free number. It gets no weight
// and proposes nothing, and the picture says so.
func stopped(t wf.IdentifierType, v string) bool {
	switch t {
	case wf.IdentifierType_IDENTIFIER_TYPE_SSN, wf.IdentifierType_IDENTIFIER_TYPE_NATIONAL_ID,
		wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT, wf.IdentifierType_IDENTIFIER_TYPE_DRIVER_LICENSE,
		wf.IdentifierType_IDENTIFIER_TYPE_FBI, wf.IdentifierType_IDENTIFIER_TYPE_SERIAL, wf.IdentifierType_IDENTIFIER_TYPE_IMEI:
		return stoppedNumber(t, v)
	case wf.IdentifierType_IDENTIFIER_TYPE_PHONE:
		return stoppedPhone(v)
	case wf.IdentifierType_IDENTIFIER_TYPE_IP:
		return stoppedIP(v)
	case wf.IdentifierType_IDENTIFIER_TYPE_CIDR:
		ip, _, _ := strings.Cut(v, "/")
		return stoppedIP(ip) || strings.HasSuffix(v, "/0")
	case wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN:
		v = strings.TrimPrefix(strings.ToLower(v), "www.")
		return stopDomains[v] || disposable[v] || mailHosts[v]
	case wf.IdentifierType_IDENTIFIER_TYPE_VIN:
		return placeholder(v) || strings.HasPrefix(v, "12345678") || strings.HasPrefix(v, "ABCDEFGH")
	case wf.IdentifierType_IDENTIFIER_TYPE_URL:
		return stoppedURL(v)
	case wf.IdentifierType_IDENTIFIER_TYPE_EMAIL:
		return stoppedEmail(strings.ToLower(v))
	case wf.IdentifierType_IDENTIFIER_TYPE_HASH:
		return emptyHashes[strings.ToLower(v)]
	case wf.IdentifierType_IDENTIFIER_TYPE_MAC:
		return uniform(macSeparators.Replace(strings.ToLower(v)))
	case wf.IdentifierType_IDENTIFIER_TYPE_PLATE:
		return placeholder(v) || v == "NEW" || v == "TEMP" || v == "NOPLATE" || v == "DEALER"
	}
	return placeholder(v)
}

var (
	macSeparators    = strings.NewReplacer(":", "", "-", "", ".", "")
	numberSeparators = strings.NewReplacer("-", "", " ", "")
)

func placeholder(v string) bool {
	f := fold(v)
	return nobody.has(f) || len(v) > 2 && uniform(v)
}

// uniform says whether a value is one character over and over.
func uniform(v string) bool { return v != "" && strings.Trim(v, v[:1]) == "" }

func stoppedNumber(t wf.IdentifierType, v string) bool {
	if placeholder(v) {
		return true
	}
	d := numberSeparators.Replace(v)
	if uniform(d) || d == "123456789" || d == "987654321" || d == "1234567890" || d == "0123456789" {
		return true
	}
	if t != wf.IdentifierType_IDENTIFIER_TYPE_SSN || len(d) != 9 {
		return false
	}
	// Never issued, and numbers printed in advertisements.
	return d[:3] == "000" || d[:3] == "666" || d[0] == '9' || d[3:5] == "00" || d[5:] == "0000" ||
		d == "078051120" || d == "219099999" || d == "457555462"
}

var tollFree = [...]string{"+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888", "+1900"}

func stoppedPhone(v string) bool {
	for _, p := range tollFree {
		if strings.HasPrefix(v, p) {
			return true
		}
	}
	d := strings.TrimPrefix(strings.TrimPrefix(v, "+"), "1")
	return len(d) < 7 || uniform(d) || uniform(d[len(d)-7:]) || strings.HasSuffix(d, "1234567") || strings.HasSuffix(d, "5551212")
}

var publicDNS = map[string]bool{
	"8.8.8.8": true, "8.8.4.4": true, "1.1.1.1": true, "1.0.0.1": true, "9.9.9.9": true, "149.112.112.112": true,
	"94.140.14.14": true, "94.140.15.15": true, "185.228.168.9": true, "76.76.2.0": true, "84.200.69.80": true, "8.26.56.26": true,
	"208.67.222.222": true, "208.67.220.220": true, "4.2.2.1": true, "4.2.2.2": true, "64.6.64.6": true,
	"2001:4860:4860::8888": true, "2001:4860:4860::8844": true, "2606:4700:4700::1111": true, "2620:fe::fe": true,
	"2606:4700:4700::1001": true, "2620:119:35::35": true, "2620:fe::9": true,
}

var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

func stoppedIP(v string) bool {
	a, err := netip.ParseAddr(v)
	if err != nil {
		return true
	}
	a = a.Unmap()
	return publicDNS[a.String()] || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() ||
		a.IsUnspecified() || sharedSpace.Contains(a) || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

var stopDomains = words(`example.com example.org example.net localhost google.com www.google.com microsoft.com
	www.microsoft.com windowsupdate.com apple.com facebook.com www.facebook.com twitter.com x.com youtube.com github.com
	raw.githubusercontent.com cloudflare.com amazonaws.com gmail.com outlook.com hotmail.com yahoo.com aol.com icloud.com
	bit.ly tinyurl.com t.co goo.gl pastebin.com dropbox.com drive.google.com wikipedia.org en.wikipedia.org linkedin.com
	weather.gov www.weather.gov nhc.noaa.gov dhs.gov www.dhs.gov fbi.gov www.fbi.gov cisa.gov www.cisa.gov`)

var disposable = words(`mailinator.com guerrillamail.com 10minutemail.com tempmail.com temp-mail.org yopmail.com
	trashmail.com sharklasers.com getnada.com dispostable.com maildrop.cc throwawaymail.com fakeinbox.com mintemail.com
	discard.email mohmal.com moakt.com emailondeck.com spamgourmet.com mailnesia.com`)

var nobodysBox = words(`noreply no.reply no-reply donotreply do-not-reply postmaster mailer-daemon webmaster abuse admin info
	none unknown test`)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

func stoppedURL(v string) bool {
	_, rest, ok := strings.Cut(v, "://")
	if !ok {
		return false
	}
	host, path, _ := strings.Cut(rest, "/")
	return path == "" && stopDomains[strings.ToLower(host)]
}

func stoppedEmail(v string) bool {
	box, domain, ok := strings.Cut(v, "@")
	return !ok || nobodysBox[box] || disposable[domain] || domain == "example.com" || domain == "example.org" || domain == "example.net"
}

// emptyHashes are the digests of nothing.
var emptyHashes = words(`d41d8cd98f00b204e9800998ecf8427e da39a3ee5e6b4b0d3255bfef95601890afd80709
	e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
	cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e
	68b329da9893e34099c7d8ad5cb9c940 adc83b19e793491b1c6ea0fd8b46cd9f32e592fc`)
