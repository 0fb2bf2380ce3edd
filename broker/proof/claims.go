package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/jwt/v2"
)

// user is a principal in an account: what its scope permits.
type user struct {
	who  Principal
	cell *room
	key  string // of the scope
	pubs []permit
	subs []permit
}

// permit is one entry of an allow list at its widest.
type permit struct {
	text string
	pattern
}

func (m *model) readAccount(token string) {
	c, err := jwt.DecodeAccountClaims(token)
	if err != nil {
		m.leak(Leak{Kind: "account", Message: "is no account that can be read: " + err.Error()})
		return
	}
	m.accounts[c.Subject] = c
	name := c.Name
	at := m.byKey[c.Subject]
	say := func(kind, format string, args ...any) {
		m.leak(Leak{Kind: kind, Cell: name, Path: []string{"account " + name}, Message: fmt.Sprintf(format, args...)})
	}
	m.checkAccount(c, say)
	for _, key := range sortedKeys(c.SigningKeys) {
		scope, ok := c.SigningKeys[key].(*jwt.UserScope)
		switch {
		case at == nil:
			say("account", "is no cell's, and key %s signs users of it", key)
		case !ok || scope == nil:
			say("credential", "key %s signs without a scope: its users may do everything", key)
		default:
			m.readScope(at, scope)
		}
	}
}

// checkAccount refuses what would make permissions mean something else.
func (m *model) checkAccount(c *jwt.AccountClaims, say func(kind, format string, args ...any)) {
	for _, e := range c.Exports {
		say("export", "exports %s: whoever imports it gets what is there", e.Subject)
	}
	for _, i := range c.Imports {
		say("import", "imports %s of account %s", i.Subject, m.nameOf(i.Account))
	}
	if len(c.Mappings) > 0 {
		say("account", "maps subjects: a permission no longer says what is reached")
	}
	if c.Authorization.IsEnabled() {
		say("account", "lets an outside service say who signs in")
	}
	if c.Trace != nil {
		say("account", "sends traces of messages to %s", c.Trace.Destination)
	}
	if !c.Limits.DisallowBearer {
		say("credential", "accepts bearer credentials: a copy of a JWT signs in")
	}
	if c.Limits.LeafNodeConn != 0 && c.Subject != m.system {
		say("account", "accepts leaf nodes, which speak for whole accounts")
	}
}

func (m *model) readScope(at *room, s *jwt.UserScope) {
	say := func(kind, format string, args ...any) {
		m.leak(Leak{Kind: kind, Who: s.Role, Cell: at.Name, Path: []string{"scope of " + s.Role}, Message: fmt.Sprintf(format, args...)})
	}
	who, ok := m.principal(s.Role, at.Name)
	if !ok {
		say("credential", "is nobody of the policy")
		return
	}
	if literal(who.Name) != nil {
		say("credential", "its name %q would stand in a subject: %v", who.Name, literal(who.Name))
	}
	if s.Template.BearerToken {
		say("credential", "is a bearer credential: a copy of its JWT signs in")
	}
	for _, t := range s.Template.AllowedConnectionTypes {
		if t != jwt.ConnectionTypeStandard && t != jwt.ConnectionTypeInProcess {
			say("credential", "signs in as %s, where permissions are checked otherwise", t)
		}
	}
	if len(s.Template.AllowedConnectionTypes) == 0 {
		say("credential", "signs in over every kind of connection, leaf nodes included")
	}
	u := &user{who: who, cell: at, key: s.Key, pubs: permits(s.Template.Pub), subs: permits(s.Template.Sub)}
	if s.Template.Resp != nil {
		u.pubs = append(u.pubs, permit{text: "allow_responses", pattern: fixed(">")})
	}
	for _, p := range slices.Concat(u.pubs, u.subs) {
		if p.pattern == nil {
			say("credential", "is permitted %q, which is no subject", p.text)
		}
	}
	nothing := func(p permit) bool { return p.pattern == nil }
	u.pubs, u.subs = slices.DeleteFunc(u.pubs, nothing), slices.DeleteFunc(u.subs, nothing)
	m.users = append(m.users, u)
	m.scopes[s.Key] = u
}

// permits reads a list at its widest. Without an allow list everything is
// allowed that is not denied, and deny lists have been got around before: only
// denying everything counts.
func permits(p jwt.Permission) []permit {
	if len(p.Allow) == 0 {
		if slices.Contains(p.Deny, ">") {
			return nil
		}
		return []permit{{"everything", fixed(">")}}
	}
	var out []permit
	for _, text := range p.Allow {
		subject, _, _ := strings.Cut(text, " ") // a queue may follow
		w, _ := parse(widened(subject, "{{"))
		out = append(out, permit{text, w})
	}
	return out
}

// readUser checks a credential as it was issued: its name and tags stand where
// a scope's template says, so a wildcard there would be everybody's (T7).
func (m *model) readUser(token string) {
	c, err := jwt.DecodeUserClaims(token)
	if err != nil {
		m.leak(Leak{Kind: "credential", Message: "is no user that can be read: " + err.Error()})
		return
	}
	u, ok := m.scopes[c.Issuer]
	if !ok {
		m.leak(Leak{Kind: "credential", Who: c.Name, Path: []string{"user " + c.Name}, Message: "is signed by a key of no scope"})
		return
	}
	say := func(format string, args ...any) {
		m.leak(Leak{Kind: "credential", Who: u.who.String(), Cell: u.cell.Name, Path: []string{"user " + c.Name}, Message: fmt.Sprintf(format, args...)})
	}
	if c.IssuerAccount != u.cell.Account {
		say("is signed with a key of %s for account %s", u.cell.Name, m.nameOf(c.IssuerAccount))
	}
	if !c.HasEmptyPermissions() {
		say("has permissions of its own beside its scope's")
	}
	if c.BearerToken {
		say("is a bearer credential: a copy of its JWT signs in")
	}
	if err := literal(c.Name); err != nil {
		say("its name would stand in a subject: %v", err)
	}
	for _, tag := range c.Tags {
		_, value, _ := strings.Cut(tag, ":")
		if err := literal(value); err != nil {
			say("its tag %q would stand in a subject: %v", tag, err)
		}
	}
}

// literal is nil for one token that no wildcard, dot or blank is in.
func literal(word string) error {
	if word == "" {
		return fmt.Errorf("it is empty")
	}
	for _, r := range word {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') {
			return fmt.Errorf("%q is not of a-z, 0-9 and '-'", r)
		}
	}
	return nil
}
