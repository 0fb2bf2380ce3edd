package account

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/register"
)

// Lifetimes of what is handed out, when none is asked for and at most. None is
// without end: what is forgotten ends by itself.
const (
	ServiceLifetime = 90 * 24 * time.Hour
	PersonLifetime  = 7 * 24 * time.Hour
	LongestLifetime = 400 * 24 * time.Hour
)

var (
	// ErrRevoked: what was revoked does not come back. Issue a new credential.
	ErrRevoked = errors.New("the credential is revoked")
	// ErrUnlisted: the register does not know the credential. Issue a new one.
	ErrUnlisted = errors.New("the credential is not in the register")
	// ErrReplacing: the signing key is about to be replaced. Try again; where no
	// broker runs, start it first.
	ErrReplacing = errors.New("the signing key is being replaced")
	// ErrLifetime: a credential has an end, at most [LongestLifetime] ahead.
	ErrLifetime = errors.New("lifetime is not allowed")
)

// Lifetime is how long a credential of the principal holds when nothing else
// is said.
func Lifetime(p *policy.Policy, who Principal) time.Duration {
	if r, ok := p.Reader(who.Name); ok && who.Kind == kindReader && r.Type == policy.Person {
		return PersonLifetime
	}
	return ServiceLifetime
}

func (q *Request) bound(p *policy.Policy) error {
	if q.Lifetime == 0 {
		q.Lifetime = Lifetime(p, q.Principal)
	}
	if q.Lifetime < time.Second || q.Lifetime > LongestLifetime {
		return fmt.Errorf("%s: use 1s to %s: %w", q.Lifetime, LongestLifetime, ErrLifetime)
	}
	return nil
}

// HandOut issues a credential that leaves the process: it has an end, and
// stands in the register before it is returned.
func (a *Authority) HandOut(q Request, why Reason) (Credential, error) {
	if err := q.bound(a.policyNow()); err != nil {
		return Credential{}, err
	}
	c, err := a.Issue(q)
	if err != nil {
		return Credential{}, err
	}
	key, err := c.PublicKey()
	if err != nil {
		return Credential{}, err
	}
	if err := a.enter(register.Issued, key, c, why); err != nil {
		return Credential{}, err
	}
	return c, nil
}

// HandOutToken is IssueTokenFor for a token that leaves the process: it stands
// in the register before it is returned.
func (a *Authority) HandOutToken(q TokenRequest, why Reason) (string, Token, error) {
	text, t, err := a.IssueTokenFor(q)
	if err != nil {
		return "", Token{}, err
	}
	c := Credential{Principal: Reader(t.Reader).String(), Cell: t.Cell, User: "http", Expires: t.Expires}
	if err := a.enter(register.Issued, register.TokenKey(t.ID), c, why); err != nil {
		return "", Token{}, err
	}
	return text, t, nil
}

// Renew gives the key of a credentials file a later end. Who it belongs to is
// what the register says, not the file. Revoked, stopped or unknown keys are
// not renewed.
func (a *Authority) Renew(file []byte, lifetime time.Duration, why Reason) (Credential, error) {
	kp, err := jwt.ParseDecoratedUserNKey(file)
	if err != nil {
		return Credential{}, fmt.Errorf("read credentials: %w", err)
	}
	defer kp.Wipe()
	seed, err := kp.Seed()
	if err != nil {
		return Credential{}, fmt.Errorf("read credentials: %w", err)
	}
	key, err := kp.PublicKey()
	if err != nil {
		return Credential{}, fmt.Errorf("read credentials: %w", err)
	}
	have, err := a.listed(key)
	if err != nil {
		return Credential{}, err
	}
	who, err := parseRole(have.Principal)
	if err != nil {
		return Credential{}, err
	}
	q := Request{Principal: who, Cell: have.Cell, User: have.User, Lifetime: lifetime}
	if err := q.bound(a.policyNow()); err != nil {
		return Credential{}, err
	}
	c, err := a.issue(q, key, string(seed))
	if err != nil {
		return Credential{}, err
	}
	return c, a.enter(register.Renewed, key, c, why)
}

// listed is what the register says of a key that may be renewed.
func (a *Authority) listed(key string) (register.Credential, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.desk == nil {
		return register.Credential{}, register.ErrMissing
	}
	if _, err := a.desk.reg.Read(); err != nil {
		return register.Credential{}, err
	}
	c, ok := a.desk.reg.Book().Find(key)
	switch {
	case !ok || c.Expires.IsZero():
		return c, fmt.Errorf("key %s: %w", key, ErrUnlisted)
	case !c.Revoked.IsZero():
		return c, fmt.Errorf("key %s: %w", key, ErrRevoked)
	}
	return c, nil
}

// takenBack says whether the register revoked a token, or everything of its
// reader since it was issued; or that nobody knows.
func (a *Authority) takenBack(t Token) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.desk == nil {
		return false
	}
	book := a.desk.reg.Book()
	replaced := book.ReplacedAt(t.Cell, Reader(t.Reader).String())
	return a.unread != nil || book.Revoked(register.TokenKey(t.ID), a.now()) || !replaced.IsZero() && !t.Issued.After(replaced)
}

// enter writes what is handed out into the register.
func (a *Authority) enter(e register.Event, key string, c Credential, why Reason) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.desk == nil {
		return register.ErrMissing
	}
	entry := register.Entry{
		At: a.now().UTC(), Event: e, Key: key, Principal: c.Principal, Cell: c.Cell, User: c.User, Expires: c.Expires, By: why.By, Why: why.Why,
	}
	if c.JWT != "" {
		claims, err := jwt.DecodeUserClaims(c.JWT)
		if err != nil {
			return fmt.Errorf("read what was issued: %w", err)
		}
		entry.Signer = claims.Issuer
	}
	_, err := a.desk.reg.Append(func(book *register.Book) ([]register.Entry, error) {
		if book.Revoked(key, a.now()) {
			return nil, fmt.Errorf("key %s: %w", key, ErrRevoked)
		}
		if a.desk.replacing(c.Cell, c.Principal) || entry.Signer != "" && entry.Signer != a.ring.signerKey(c.Cell, c.Principal) {
			return nil, fmt.Errorf("%s in %s: %w", c.Principal, c.Cell, ErrReplacing)
		}
		return []register.Entry{entry}, nil
	})
	return err
}

func (a *Authority) policyNow() *policy.Policy {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.policy
}

// newUser makes the key of a user.
func newUser() (public, seed string, err error) {
	kp, err := nkeys.CreateUser()
	if err != nil {
		return "", "", fmt.Errorf("create user key: %w", err)
	}
	if public, err = kp.PublicKey(); err != nil {
		return "", "", fmt.Errorf("create user key: %w", err)
	}
	s, err := kp.Seed()
	if err != nil {
		return "", "", fmt.Errorf("create user key: %w", err)
	}
	return public, string(s), nil
}
