package account

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
)

// Token is what a reader's HTTP token says: who reads, as what, where, what
// for and until when. It is signed with a key of its cell, so a token of one
// cell says nothing at another's listener.
type Token struct {
	// ID names the token where it is revoked and in the record of what was
	// read with it; it opens nothing.
	ID     string `json:"id"`
	Reader string `json:"reader"`
	// Kind is person or service.
	Kind    string    `json:"kind"`
	Cell    string    `json:"cell"`
	Purpose string    `json:"purpose"`
	Issued  time.Time `json:"issued"`
	Expires time.Time `json:"expires"`
}

// TokenRequest asks for a token.
type TokenRequest struct {
	Reader, Cell string
	// Purpose is one of the reader's; empty is the first.
	Purpose string
	// Lifetime above zero and within what the policy allows such readers.
	Lifetime time.Duration
}

const tokenPrefix = "wf2"

var b64 = base64.RawURLEncoding

const (
	// maxToken bounds what is looked at before the signature is known to be ours.
	maxToken = 2048
	// tokenSkew is how far in the future a token may have been issued.
	tokenSkew = time.Minute
)

// IssueToken makes a token for a reader that is cleared for the cell, for the
// first of its purposes.
func (a *Authority) IssueToken(reader, cell string, lifetime time.Duration) (string, Token, error) {
	return a.IssueTokenFor(TokenRequest{Reader: reader, Cell: cell, Lifetime: lifetime})
}

// IssueTokenFor makes a token. It holds for as long as the policy in force
// clears the reader, and no longer than it says.
func (a *Authority) IssueTokenFor(q TokenRequest) (string, Token, error) {
	a.mu.Lock()
	p := a.policy
	a.mu.Unlock()
	t, err := drawn(p, q)
	if err != nil {
		return "", Token{}, err
	}
	key, err := a.TokenKey(q.Cell)
	if err != nil {
		return "", Token{}, err
	}
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails: package crypto/rand ends the program first
	now := a.now().UTC()
	t.ID, t.Issued, t.Expires = hex.EncodeToString(id), now, now.Add(q.Lifetime).Truncate(time.Second)
	body, err := json.Marshal(t)
	if err != nil {
		return "", Token{}, fmt.Errorf("write token: %w", err)
	}
	signed := tokenPrefix + "." + b64.EncodeToString(body)
	return signed + "." + b64.EncodeToString(mac(key, signed)), t, nil
}

// drawn checks a request against the policy.
func drawn(p *policy.Policy, q TokenRequest) (Token, error) {
	r, ok := p.Reader(q.Reader)
	if !ok || !p.Cleared(q.Reader, q.Cell) {
		return Token{}, fmt.Errorf("reader %q in cell %q: %w", q.Reader, q.Cell, ErrUnknown)
	}
	if q.Purpose == "" {
		q.Purpose = r.Purpose
	}
	longest := p.LongestToken(r.Type)
	switch {
	case !p.ReadsFor(r.Name, q.Purpose):
		return Token{}, fmt.Errorf("token for %s: it reads for %s, not for %q: %w", r.Name, strings.Join(r.Purposes, ", "), q.Purpose, ErrUnknown)
	case q.Lifetime < time.Second:
		return Token{}, fmt.Errorf("token for %s: give a lifetime of at least a second", r.Name)
	case q.Lifetime > longest:
		return Token{}, fmt.Errorf("token for %s: %s is longer than a token of a %s may hold, %s", r.Name, q.Lifetime, r.Type, longest)
	}
	return Token{Reader: r.Name, Kind: string(r.Type), Cell: q.Cell, Purpose: q.Purpose}, nil
}

// VerifyToken returns what a token of the cell says, or [ErrToken] and nothing
// about why: the caller has not shown who it is.
func (a *Authority) VerifyToken(cell, token string) (Token, error) {
	t, err := a.readToken(cell, token)
	if err != nil {
		return Token{}, ErrToken
	}
	a.mu.Lock()
	p := a.policy
	a.mu.Unlock()
	if !holds(p, t, a.now()) || a.revoked.has(t) || a.takenBack(t) {
		return Token{}, ErrToken
	}
	return t, nil
}

// HTTP is what the policy in force lets readers ask for over HTTP.
func (a *Authority) HTTP() policy.HTTP {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.policy.HTTP
}

// holds says whether the policy in force lets the token hold at a time.
func holds(p *policy.Policy, t Token, now time.Time) bool {
	r, ok := p.Reader(t.Reader)
	return ok && p.Cleared(t.Reader, t.Cell) && t.Kind == string(r.Type) && p.ReadsFor(t.Reader, t.Purpose) &&
		now.Before(t.Expires) && !t.Issued.After(now.Add(tokenSkew)) && t.Expires.Sub(t.Issued) <= p.LongestToken(r.Type)
}

// readToken checks that we have signed a token for the cell and reads it.
func (a *Authority) readToken(cell, token string) (t Token, err error) {
	if len(token) > maxToken {
		return t, errors.New("too long")
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[0] != tokenPrefix {
		return t, errors.New("no token")
	}
	sum, err := b64.Strict().DecodeString(parts[2])
	if err != nil {
		return t, err
	}
	key, err := a.TokenKey(cell)
	if err != nil {
		return t, err
	}
	if !hmac.Equal(sum, mac(key, parts[0]+"."+parts[1])) {
		return t, errors.New("not ours")
	}
	body, err := b64.Strict().DecodeString(parts[1])
	if err != nil {
		return t, err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return t, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || t.Cell != cell || t.ID == "" {
		return t, errors.New("not of this cell")
	}
	return t, nil
}

// TokenKey signs the tokens of a cell. It never leaves the process.
func (a *Authority) TokenKey(cell string) ([]byte, error) {
	key, err := base64.StdEncoding.DecodeString(a.ring.secret("token/" + cell))
	if err != nil || len(key) < 32 {
		return nil, fmt.Errorf("cell %q has no token key: %w", cell, ErrUnknown)
	}
	return key, nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
