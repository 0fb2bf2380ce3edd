package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Token is what a reader's HTTP token says. It is signed with a key of its
// cell, so a token of one cell says nothing at another's listener.
type Token struct {
	Reader  string    `json:"reader"`
	Cell    string    `json:"cell"`
	Purpose string    `json:"purpose"`
	Expires time.Time `json:"expires"`
	ID      string    `json:"id"`
}

const tokenPrefix = "wf1"

var b64 = base64.RawURLEncoding

// maxToken bounds what is looked at before the signature is known to be ours.
const maxToken = 2048

// IssueToken makes a token for a reader that is cleared for the cell.
func (a *Authority) IssueToken(reader, cell string, lifetime time.Duration) (string, Token, error) {
	a.mu.Lock()
	p := a.policy
	a.mu.Unlock()
	r, ok := p.Reader(reader)
	if !ok || !p.Cleared(reader, cell) {
		return "", Token{}, fmt.Errorf("reader %q in cell %q: %w", reader, cell, ErrUnknown)
	}
	if lifetime <= 0 {
		return "", Token{}, fmt.Errorf("token for %s: give a lifetime above zero", reader)
	}
	key, err := a.tokenKey(cell)
	if err != nil {
		return "", Token{}, err
	}
	id := make([]byte, 8)
	_, _ = rand.Read(id) // never fails: package crypto/rand ends the program first
	t := Token{
		Reader: reader, Cell: cell, Purpose: r.Purpose,
		Expires: a.now().Add(lifetime).UTC().Truncate(time.Second), ID: hex.EncodeToString(id),
	}
	body, err := json.Marshal(t)
	if err != nil {
		return "", Token{}, fmt.Errorf("write token: %w", err)
	}
	signed := tokenPrefix + "." + b64.EncodeToString(body)
	return signed + "." + b64.EncodeToString(mac(key, signed)), t, nil
}

// VerifyToken returns what a token of the cell says, or [ErrToken] and nothing
// about why: the caller has not shown who it is.
func (a *Authority) VerifyToken(cell, token string) (Token, error) {
	if len(token) > maxToken {
		return Token{}, ErrToken
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[0] != tokenPrefix {
		return Token{}, ErrToken
	}
	sum, err := b64.Strict().DecodeString(parts[2])
	if err != nil {
		return Token{}, ErrToken
	}
	key, err := a.tokenKey(cell)
	if err != nil || !hmac.Equal(sum, mac(key, parts[0]+"."+parts[1])) {
		return Token{}, ErrToken
	}
	body, err := b64.DecodeString(parts[1])
	if err != nil {
		return Token{}, ErrToken
	}
	var t Token
	if err := json.Unmarshal(body, &t); err != nil {
		return Token{}, ErrToken
	}
	a.mu.Lock()
	p := a.policy
	a.mu.Unlock()
	if t.Cell != cell || !a.now().Before(t.Expires) || !p.Cleared(t.Reader, cell) {
		return Token{}, ErrToken
	}
	return t, nil
}

func (a *Authority) tokenKey(cell string) ([]byte, error) {
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
