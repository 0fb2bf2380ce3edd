package stix

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"

	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// normal is the identifier if the value is in normal form; nil otherwise: a
// value that is none is not guessed at, the pattern or the text still has it.
func normal(t wf.IdentifierType, value, issuer string) *wf.Identifier {
	id := &wf.Identifier{Type: t, Value: value, Issuer: issuer}
	if report.NormalIdentifier(id) != nil {
		return nil
	}
	return id
}

// addressIdentifier normalises the value of an observable type.
func addressIdentifier(typ, value string) *wf.Identifier {
	value = refang(strings.TrimSpace(value))
	switch typ {
	case "ipv4-addr", "ipv6-addr":
		return ip(value)
	case "domain-name":
		return domain(value)
	case "url":
		return link(value)
	case "email-addr":
		return email(value)
	case "mac-addr":
		return normal(wf.IdentifierType_IDENTIFIER_TYPE_MAC, strings.ToLower(strings.ReplaceAll(value, "-", ":")), "")
	}
	return nil
}

// refang undoes the usual ways to make an address harmless to click.
func refang(s string) string {
	s = strings.NewReplacer("[.]", ".", "(.)", ".", "[dot]", ".", "[:]", ":", "[@]", "@").Replace(s)
	if rest, ok := strings.CutPrefix(s, "hxxp"); ok {
		return "http" + rest
	}
	return s
}

func ip(s string) *wf.Identifier {
	if a, err := netip.ParseAddr(s); err == nil {
		return normal(wf.IdentifierType_IDENTIFIER_TYPE_IP, a.Unmap().String(), "")
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return nil
	}
	if p.IsSingleIP() {
		return normal(wf.IdentifierType_IDENTIFIER_TYPE_IP, p.Addr().Unmap().String(), "")
	}
	return normal(wf.IdentifierType_IDENTIFIER_TYPE_CIDR, p.Masked().String(), "")
}

func domain(s string) *wf.Identifier {
	if host, ok := hostname(s); ok {
		return normal(wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN, host, "")
	}
	return nil
}

// hostname is a host name in lower-case ASCII without a trailing dot.
func hostname(s string) (string, bool) {
	s = strings.TrimSuffix(strings.ToLower(s), ".")
	for i := range len(s) {
		if s[i] >= 0x80 {
			a, err := idna.Lookup.ToASCII(s)
			return a, err == nil
		}
	}
	return s, s != ""
}

func email(s string) *wf.Identifier {
	local, host, ok := strings.Cut(strings.ToLower(s), "@")
	if !ok {
		return nil
	}
	local, _, _ = strings.Cut(local, "+")
	host, ok = hostname(host)
	if !ok {
		return nil
	}
	return normal(wf.IdentifierType_IDENTIFIER_TYPE_EMAIL, local+"@"+host, "")
}

func link(s string) *wf.Identifier {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Opaque != "" {
		return nil
	}
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return nil
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	tail, _, _ := strings.Cut(rest[end:], "#")
	return normal(wf.IdentifierType_IDENTIFIER_TYPE_URL, strings.ToLower(scheme)+"://"+strings.ToLower(rest[:end])+tail, "")
}

func hash(name, value string) *wf.Identifier {
	issuer := strings.ToLower(strings.ReplaceAll(strings.Trim(name, "'"), "-", ""))
	return normal(wf.IdentifierType_IDENTIFIER_TYPE_HASH, strings.ToLower(strings.TrimSpace(value)), issuer)
}

func account(value, service string) *wf.Identifier {
	value = line(value)
	// Names and numbers that every machine has identify nobody.
	if len(value) < 3 || service == "" {
		return nil
	}
	return normal(wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT, value, short(line(service), 100))
}
