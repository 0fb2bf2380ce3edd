package account_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
)

var hostile = []string{"", "*", ">", "a.b", "a b", "a\tb", "a\nb", "é1", "FBI", "a*", "f>i", "-x", "x", "{{name()}}", "{{tag(agency)}}", "_INBOX", "a/b", "\u202eab", "a\x00b", "fbi.", ".fbi", "fbi\r\n", strings.Repeat("a", 300)}

func drawHostile(t *rapid.T) string {
	return rapid.OneOf(rapid.SampledFrom(hostile), rapid.String().Filter(func(s string) bool { return !subject.Word(s) })).Draw(t, "name")
}

// T7: nobody gets a credential whose user, principal or cell would be a
// wildcard or more than one token.
func TestHostileNamesAreNotIssued(t *testing.T) {
	a := open(t, t.TempDir(), policy.Default(), time.Now)
	rapid.Check(t, func(t *rapid.T) {
		s := drawHostile(t)
		if s != "" { // which stands for "main"
			if _, err := a.Issue(account.Request{Principal: account.Agency("fbi"), Cell: "le", User: s}); err == nil {
				t.Fatalf("a credential for user %q", s)
			}
			if _, err := a.HandOut(account.Request{Principal: account.Agency("fbi"), Cell: "le", User: s}, account.Reason{}); err == nil {
				t.Fatalf("a credential for user %q leaves the process", s)
			}
		}
		for _, q := range []account.Request{
			{Principal: account.Agency(s), Cell: "le"}, {Principal: account.Reader(s), Cell: "le"}, {Principal: account.Worker(s), Cell: "le"},
			{Principal: account.Principal{Kind: s, Name: "fbi"}, Cell: "le"}, {Principal: account.Agency("fbi"), Cell: s},
		} {
			if _, err := a.Issue(q); !errors.Is(err, account.ErrUnknown) {
				t.Fatalf("%v: got %v, want %v", q, err, account.ErrUnknown)
			}
		}
		if _, _, err := a.IssueToken(s, "le", time.Hour); err == nil {
			t.Fatalf("a token for reader %q", s)
		}
		if _, _, err := a.IssueToken("watch-le", s, time.Hour); err == nil {
			t.Fatalf("a token for cell %q", s)
		}
	})
}

// A policy file carries none into an account either: it is refused, or what
// YAML made of the name is one token.
func TestHostileNamesInAPolicy(t *testing.T) {
	shipped := string(policy.DefaultYAML())
	places := []string{"- name: %le\n", "- name: %fbi\n", "- name: %watch-le\n", "- {name: %all}\n"}
	for _, p := range places {
		p = strings.Replace(p, "%", "", 1)
		if !strings.Contains(shipped, p) {
			t.Fatalf("the default policy has no %q", p)
		}
	}
	parsed := 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawHostile(t)
		place := rapid.SampledFrom(places).Draw(t, "place")
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\0`).Replace(s) + `"`
		name := rapid.SampledFrom([]string{quoted, s}).Draw(t, "written")
		before, after, _ := strings.Cut(place, "%")
		end := strings.TrimLeft(after, "abcdefghijklmnopqrstuvwxyz-")
		p, err := policy.Parse([]byte(strings.Replace(shipped, before+after, before+name+end, 1)))
		if err != nil {
			return
		}
		parsed++
		a, err := account.Draft(p, time.Now)
		if err != nil {
			return
		}
		for _, token := range a.Accounts() {
			c, err := jwt.DecodeAccountClaims(token)
			if err != nil {
				t.Fatal(err)
			}
			if c.Name != "SYS" && !subject.Word(c.Name) {
				t.Fatalf("an account named %q", c.Name)
			}
			for _, scope := range c.SigningKeys {
				u, ok := scope.(*jwt.UserScope)
				if !ok {
					t.Fatalf("account %s has a key without a scope", c.Name)
				}
				kind, who, _ := strings.Cut(u.Role, "/")
				if !subject.Word(kind) || !subject.Word(who) {
					t.Fatalf("a scope for %q", u.Role)
				}
			}
		}
	})
	t.Log(parsed, "were names after all")
}
