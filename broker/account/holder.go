package account

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// Holder is whose signing key a credential was signed with.
type Holder struct {
	Principal Principal
	Cell      string
}

var (
	// ErrNotOutside: the principal is a part of the broker. Its credential is
	// of use on the broker's machine alone.
	ErrNotOutside = errors.New("a part of the broker does not connect from outside")
	// ErrCertificate: the connection shows no certificate of its principal. Give
	// the one issued to it, or have the policy name it under certificates.
	ErrCertificate = errors.New("the certificate is not that of the credential's principal")
)

// holdersOf maps the public signing keys of all roles to whom they are for.
func (a *Authority) holdersOf(roles map[string]map[Principal]Role) (map[string]Holder, error) {
	out := map[string]Holder{}
	for cell, principals := range roles {
		for p := range principals {
			kp, err := a.ring.signer(cell, p)
			if err != nil {
				return nil, err
			}
			key, err := kp.PublicKey()
			if err != nil {
				return nil, fmt.Errorf("read signing key of %s: %w", p, err)
			}
			out[key] = Holder{Principal: p, Cell: cell}
		}
	}
	return out, nil
}

// MayEnter decides whether a credential signed with a key may sign in from
// outside this machine over a connection that shows a certificate, nil for
// none. An agency needs a certificate of its own; a reader needs one when the
// policy names it; nobody else enters. The certificate's chain has been
// verified, and the server checks the credential itself afterwards.
func (a *Authority) MayEnter(signingKey string, leaf *x509.Certificate) (Holder, error) {
	a.mu.Lock()
	h, known := a.holders[signingKey]
	p := a.policy
	a.mu.Unlock()
	if !known {
		return Holder{}, ErrUnknown
	}
	names, ok := certificateNames(p, h.Principal)
	switch {
	case !ok:
		return h, ErrNotOutside
	case len(names) == 0:
		return h, nil
	case leaf == nil:
		return h, fmt.Errorf("no certificate is shown: %w", ErrCertificate)
	case !slices.ContainsFunc(transport.Names(leaf), func(n string) bool { return slices.Contains(names, n) }):
		return h, ErrCertificate
	}
	return h, nil
}

// certificateNames are the names of which a certificate must carry one; ok is
// false for whoever does not connect from outside at all.
func certificateNames(p *policy.Policy, who Principal) (names []string, ok bool) {
	switch who.Kind {
	case kindAgency:
		a, ok := p.Agency(who.Name)
		return a.Certificates, ok && len(a.Certificates) > 0
	case kindReader:
		r, ok := p.Reader(who.Name)
		return r.Certificates, ok
	}
	return nil, false
}
