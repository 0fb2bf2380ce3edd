package account

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/nats-io/jwt/v2"

	"github.com/watchfloor/watchfloor/broker/policy"
)

// Bearer is who signed in, by a JWT that the server has checked.
type Bearer struct {
	Principal Principal
	Cell      string
	User      string
	// Home is the cell whose label what the bearer does may be shown at; empty:
	// at that of no cell, only to who holds the keys.
	Home string
}

// Bearer reads whose a JWT is. It fails with [ErrUnknown] for one that none of
// the keys in force signed.
func (a *Authority) Bearer(token string) (Bearer, error) {
	claims, err := jwt.DecodeUserClaims(token)
	if err != nil {
		return Bearer{}, fmt.Errorf("read credential: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	h, ok := a.holders[claims.Issuer]
	if !ok {
		return Bearer{}, ErrUnknown
	}
	return Bearer{Principal: h.Principal, Cell: h.Cell, User: claims.Name, Home: home(a.policy, h.Principal, h.Cell)}, nil
}

// home is the lowest cell that dominates all that a principal may read. What a
// reader of a higher cell tries in a lower one is the higher one's to know: the
// words it tried may be. An agency reads nothing; what it says in a cell it
// says there.
func home(p *policy.Policy, who Principal, cell string) string {
	own := []string{cell}
	switch who.Kind {
	case kindReader:
		r, _ := p.Reader(who.Name)
		own = append(own, r.Cells...)
	case kindWorker:
		own = append(own, who.Name)
	}
	var above []policy.Cell
	for _, c := range p.Cells {
		if !slices.ContainsFunc(own, func(o string) bool { l, ok := p.Cell(o); return !ok || !c.Label.Dominates(l.Label) }) {
			above = append(above, c)
		}
	}
	for _, c := range above {
		if !slices.ContainsFunc(above, func(o policy.Cell) bool { return !o.Label.Dominates(c.Label) }) {
			return c.Name
		}
	}
	return ""
}

// violationKey seals the record of violations of a cell; of an empty cell, that
// which is for who holds the keys alone.
func (r *keyring) violationKey(cell string) ([]byte, error) {
	secret, err := base64.StdEncoding.DecodeString(r.get("violations"))
	if err != nil || len(secret) < 32 {
		return nil, fmt.Errorf("there is no key for the record of violations: start the broker of this release once: %w", ErrUnknown)
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte("violations/" + cell))
	return h.Sum(nil), nil
}

// ViolationKey seals the record of violations of a cell, and of no other.
func (a *Authority) ViolationKey(cell string) ([]byte, error) { return a.ring.violationKey(cell) }

// ViolationKey opens the record of violations of a cell; of an empty cell, that
// of sign-ins and of whom no cell may know.
func (d *Desk) ViolationKey(cell string) ([]byte, error) { return d.ring.violationKey(cell) }
