package stix

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// identifier is raw in the normal form of its type; nil when it has none: such
// a value is not guessed at, the pattern or the text still holds it.
func identifier(t wf.IdentifierType, raw, issuer string) *wf.Identifier {
	id, err := normal.Identifier(t, raw, normal.Hints{Issuer: issuer})
	if err != nil || id.Partial {
		return nil
	}
	return id
}

var addressTypes = map[string]wf.IdentifierType{
	"domain-name": wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN, "url": wf.IdentifierType_IDENTIFIER_TYPE_URL,
	"email-addr": wf.IdentifierType_IDENTIFIER_TYPE_EMAIL, "mac-addr": wf.IdentifierType_IDENTIFIER_TYPE_MAC,
}

// addressIdentifier is the value of an observable type.
func addressIdentifier(typ, value string) *wf.Identifier {
	if typ == "ipv4-addr" || typ == "ipv6-addr" {
		return ip(value)
	}
	t, ok := addressTypes[typ]
	if !ok {
		return nil
	}
	return identifier(t, value, "")
}

// ip is an address, or a range in prefix notation; a range of one is an address.
func ip(s string) *wf.Identifier {
	s = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(s), "/32"), "/128")
	if strings.Contains(s, "/") {
		return identifier(wf.IdentifierType_IDENTIFIER_TYPE_CIDR, s, "")
	}
	return identifier(wf.IdentifierType_IDENTIFIER_TYPE_IP, s, "")
}

func hash(name, value string) *wf.Identifier {
	return identifier(wf.IdentifierType_IDENTIFIER_TYPE_HASH, value, strings.Trim(name, "'"))
}

// account needs the service: root and admin are everywhere.
func account(value, service string) *wf.Identifier {
	if len(value) < 3 || service == "" {
		return nil
	}
	return identifier(wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT, value, service)
}
