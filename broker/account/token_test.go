package account_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
)

func refusedToken(t *testing.T, a *account.Authority, cell, text, why string) {
	t.Helper()
	if got, err := a.VerifyToken(cell, text); !errors.Is(err, account.ErrToken) || got != (account.Token{}) {
		t.Errorf("%s: got %+v, %v, want %v and nothing else", why, got, err, account.ErrToken)
	}
}

func accepted(t *testing.T, a *account.Authority, cell, text string) account.Token {
	t.Helper()
	got, err := a.VerifyToken(cell, text)
	if err != nil {
		t.Fatalf("in %s: %v", cell, err)
	}
	return got
}

func issued(t *testing.T, a *account.Authority, reader, cell string) string {
	t.Helper()
	text, _, err := a.IssueToken(reader, cell, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func changed(t *testing.T, old, by string) *policy.Policy {
	t.Helper()
	text := string(policy.DefaultYAML())
	if !strings.Contains(text, old) {
		t.Fatalf("the default policy has no %q", old)
	}
	p, err := policy.Parse([]byte(strings.Replace(text, old, by, 1)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A token says who, as what, where, what for and until when, and is worth
// nothing changed, elsewhere or later.
func TestTokens(t *testing.T) {
	c := &clock{time.Date(2026, 11, 21, 5, 0, 0, 0, time.UTC)}
	a := open(t, t.TempDir(), policy.Default(), c.now)
	text, want, err := a.IssueToken("watch-le", "le", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	got := accepted(t, a, "le", text)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	want.ID = ""
	if d := cmp.Diff(account.Token{Reader: "watch-le", Kind: "person", Cell: "le", Purpose: "watch floor", Issued: c.t, Expires: c.t.Add(time.Hour)}, want); d != "" {
		t.Error(d)
	}
	parts := strings.Split(text, ".")
	forged := base64.RawURLEncoding.EncodeToString([]byte(`{"reader":"watch-le","cell":"le","expires":"2099-01-01T00:00:00Z"}`))
	for name, bad := range map[string]string{
		"empty": "", "dots": "..", "no signature": parts[0] + "." + parts[1] + ".", "other body": parts[0] + "." + forged + "." + parts[2],
		"other version": "wf1." + parts[1] + "." + parts[2], "longer": text + ".x", "huge": strings.Repeat("x", 1<<20), "last bit": text[:len(text)-1] + string(text[len(text)-1]^1),
		"line break": text[:20] + "\n" + text[20:], "padded": text + "=", "signed with nothing": parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 32)),
	} {
		refusedToken(t, a, "le", bad, name)
	}
	for _, cell := range []string{"open", "intel", "fused", "nowhere", ""} {
		refusedToken(t, a, cell, text, "in cell "+cell)
	}
	for _, pair := range [][2]string{{"watch-le", "fused"}, {"watch-le", "open"}, {"nobody", "le"}, {"fbi", "le"}} {
		if _, _, err := a.IssueToken(pair[0], pair[1], time.Hour); !errors.Is(err, account.ErrUnknown) {
			t.Errorf("token for %s in %s: got %v, want %v", pair[0], pair[1], err, account.ErrUnknown)
		}
	}
	c.t = c.t.Add(time.Hour)
	refusedToken(t, a, "le", text, "expired")
	c.t = c.t.Add(-3 * time.Hour)
	refusedToken(t, a, "le", text, "issued hours ahead")
}

// No token is endless, and a person's holds shorter than a service's.
func TestNoEndlessToken(t *testing.T) {
	a := open(t, t.TempDir(), policy.Default(), time.Now)
	for _, c := range []struct {
		reader   string
		lifetime time.Duration
		ok       bool
	}{
		{"watch-le", 0, false}, {"watch-le", -time.Hour, false}, {"watch-le", time.Nanosecond, false},
		{"watch-le", 12 * time.Hour, true}, {"watch-le", 12*time.Hour + 1, false},
		{"feed-le", 30 * 24 * time.Hour, true}, {"feed-le", 31 * 24 * time.Hour, false}, {"feed-le", 1<<63 - 1, false},
	} {
		text, _, err := a.IssueToken(c.reader, "le", c.lifetime)
		if (err == nil) != c.ok {
			t.Errorf("%s for %s: %v", c.reader, c.lifetime, err)
		}
		if err == nil {
			accepted(t, a, "le", text)
		}
	}
}

// What is signed with the cell's own key is still held against the policy: a
// stolen key makes no token that outlives it.
func TestSignedIsNotEnough(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, changed(t, "type: person\n    cells: [le]", "type: person\n    cells: [open, le]"), time.Now)
	data, err := os.ReadFile(filepath.Join(dir, "keys", "keyring.json"))
	if err != nil {
		t.Fatal(err)
	}
	var ring struct{ Keys map[string]string }
	if err := json.Unmarshal(data, &ring); err != nil {
		t.Fatal(err)
	}
	key, err := base64.StdEncoding.DecodeString(ring.Keys["token/le"])
	if err != nil || len(key) != 32 {
		t.Fatalf("key of %d bytes, %v", len(key), err)
	}
	sign := func(body string) string {
		signed := "wf2." + base64.RawURLEncoding.EncodeToString([]byte(body))
		h := hmac.New(sha256.New, key)
		h.Write([]byte(signed))
		return signed + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
	}
	now := time.Now().UTC()
	good := account.Token{ID: "0011223344556677", Reader: "watch-le", Kind: "person", Cell: "le", Purpose: "watch floor", Issued: now.Add(-time.Minute), Expires: now.Add(time.Hour)}
	text := func(change func(*account.Token)) string {
		x := good
		change(&x)
		body, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		return sign(string(body))
	}
	accepted(t, a, "le", text(func(*account.Token) {}))
	for why, change := range map[string]func(*account.Token){
		"a reader of another cell":       func(x *account.Token) { x.Reader = "watch-intel" },
		"nobody":                         func(x *account.Token) { x.Reader = "" },
		"another cell":                   func(x *account.Token) { x.Cell = "fused" },
		"another that it is cleared for": func(x *account.Token) { x.Cell = "open" },
		"no cell":                        func(x *account.Token) { x.Cell = "" },
		"a service that is none":         func(x *account.Token) { x.Kind = "service" },
		"no kind":                        func(x *account.Token) { x.Kind = "" },
		"a purpose that is none":         func(x *account.Token) { x.Purpose = "curiosity" },
		"no purpose":                     func(x *account.Token) { x.Purpose = "" },
		"no end":                         func(x *account.Token) { x.Expires = time.Time{} },
		"no beginning":                   func(x *account.Token) { x.Issued = time.Time{} },
		"an end too far":                 func(x *account.Token) { x.Expires = now.Add(13 * time.Hour) },
		"a beginning ahead":              func(x *account.Token) { x.Issued = now.Add(30 * time.Minute) },
		"no id, so no way to revoke":     func(x *account.Token) { x.ID = "" },
	} {
		refusedToken(t, a, "le", text(change), why)
	}
	body, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	for why, bad := range map[string]string{
		"a claim that nobody knows": strings.Replace(string(body), "{", `{"admin":true,`, 1),
		"more after the claims":     string(body) + "{}",
		"no claims":                 "", "null": "null", "a list": "[]", "a claim of another type": `{"reader":1}`,
	} {
		refusedToken(t, a, "le", sign(bad), why)
	}
}

// The policy in force decides, not the one of when the token was issued.
func TestTokenOfAChangedPolicy(t *testing.T) {
	for why, p := range map[string]*policy.Policy{
		"reader removed":      changed(t, "- name: watch-le\n", "- name: watch-two\n"),
		"person made service": changed(t, "side\n    type: person\n    cells: [le]", "side\n    type: service\n    cells: [le]"),
		"other purpose":       changed(t, "cells: [le]\n    purpose: watch floor", "cells: [le]\n    purpose: downstream analysis"),
		"other cell":          changed(t, "type: person\n    cells: [le]", "type: person\n    cells: [open]"),
		"shorter":             changed(t, "person_token: 12h", "person_token: 59m"),
	} {
		a := open(t, t.TempDir(), policy.Default(), time.Now)
		text := issued(t, a, "watch-le", "le")
		if _, err := a.Apply(p); err != nil {
			t.Fatal(err)
		}
		refusedToken(t, a, "le", text, why)
	}
}

// A purpose is asked for by name, and only one of the reader's.
func TestTokenForAPurpose(t *testing.T) {
	a := open(t, t.TempDir(), changed(t, "cells: [le]\n    purpose: watch floor", "cells: [le]\n    purposes: [watch floor, downstream analysis]"), time.Now)
	text, _, err := a.IssueTokenFor(account.TokenRequest{Reader: "watch-le", Cell: "le", Purpose: "downstream analysis", Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if got := accepted(t, a, "le", text); got.Purpose != "downstream analysis" {
		t.Errorf("got %+v", got)
	}
	if _, _, err := a.IssueTokenFor(account.TokenRequest{Reader: "watch-le", Cell: "le", Purpose: "curiosity", Lifetime: time.Hour}); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("got %v, want %v", err, account.ErrUnknown)
	}
}

// What another process revokes holds no more here, and nothing else is touched;
// a token issued after all of a reader's were revoked holds.
func TestRevokedTokens(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, policy.Default(), time.Now)
	other, err := account.OpenIssuer(filepath.Join(dir, "keys"), filepath.Join(dir, "data"), policy.Default(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	one, two, service := issued(t, a, "watch-le", "le"), issued(t, a, "watch-le", "le"), issued(t, a, "feed-le", "le")
	elsewhere := issued(t, a, "watch-open", "open")
	gone := func(text, why string) {
		t.Helper()
		deadline := time.Now().Add(20 * time.Second)
		for {
			if _, err := a.VerifyToken("le", text); err != nil {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: the token still holds", why)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	if err := other.RevokeToken(accepted(t, a, "le", one).ID); err != nil {
		t.Fatal(err)
	}
	gone(one, "by id")
	accepted(t, a, "le", two)
	if err := other.RevokeTokens("watch-le", ""); err != nil {
		t.Fatal(err)
	}
	gone(two, "by reader")
	accepted(t, a, "le", service)
	accepted(t, a, "le", issued(t, a, "watch-le", "le"))
	if err := other.RevokeTokens("", "le"); err != nil {
		t.Fatal(err)
	}
	gone(service, "by cell")
	accepted(t, a, "open", elsewhere)

	again := open(t, dir, policy.Default(), time.Now)
	for _, text := range []string{one, two, service} {
		refusedToken(t, again, "le", text, "after a restart")
	}
	accepted(t, again, "open", elsewhere)
	for _, bad := range []string{"", "../../x", "zz", "reader.watch-le", "0123ABCD"} {
		if err := other.RevokeToken(bad); err == nil {
			t.Errorf("%q is taken for an id", bad)
		}
		if err := other.RevokeTokens("", "../"+bad); err == nil {
			t.Errorf("%q is taken for a cell", bad)
		}
	}
}

// A list that cannot be read may hold anything: nobody gets in.
func TestUnreadableRevocationsRevokeAll(t *testing.T) {
	dir := t.TempDir()
	a := open(t, dir, policy.Default(), time.Now)
	text := issued(t, a, "watch-le", "le")
	if err := os.WriteFile(filepath.Join(dir, "keys", "revoked-tokens"), []byte("no directory"), 0o600); err != nil {
		t.Fatal(err)
	}
	refusedToken(t, a, "le", text, "the list is no directory")
}

// Whatever comes as a token is refused unless it is one, whole and unchanged.
func FuzzVerifyToken(f *testing.F) {
	a, err := account.Draft(policy.Default(), time.Now)
	if err != nil {
		f.Fatal(err)
	}
	good, _, err := a.IssueToken("watch-le", "le", 12*time.Hour)
	if err != nil {
		f.Fatal(err)
	}
	f.Add("le", "wf2.e30.AA", 0, byte(0))
	f.Add("le", "wf2..", 7, byte(1))
	f.Add("open", "", 40, byte(255))
	f.Add("", "wf1.e30.", -1, byte(32))
	f.Fuzz(func(t *testing.T, cell, text string, at int, flip byte) {
		if got, err := a.VerifyToken(cell, text); err == nil || got != (account.Token{}) {
			t.Fatalf("%q is accepted in %q as %+v", text, cell, got)
		}
		if at < 0 || at >= len(good) || flip == 0 {
			return
		}
		bad := []byte(good)
		bad[at] ^= flip
		if _, err := a.VerifyToken("le", string(bad)); err == nil {
			t.Fatalf("byte %d changed by %x: accepted", at, flip)
		}
	})
}
