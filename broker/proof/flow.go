package proof

import (
	"strings"

	"github.com/nats-io/jwt/v2"

	"github.com/watchfloor/watchfloor/proto/subject"
)

// submissions is where agencies speak to the guard.
var submissions = fixed(subject.SubmitAll)

// flow finds which accounts' messages lie in every stream and pass on every
// subject, until nothing more is found.
func (m *model) flow() {
	m.checkSources()
	for {
		grew := false
		for _, r := range m.rooms {
			for _, s := range r.stores {
				grew = m.copies(r, s) || grew
			}
		}
		m.presences = map[string][]presence{}
		for _, r := range m.rooms {
			m.presences[r.Account] = m.within(r)
		}
		m.carry()
		for _, r := range m.rooms {
			for _, s := range r.stores {
				grew = s.takesIn(m.presences[r.Account]) || grew
			}
		}
		if !grew {
			return
		}
	}
}

// checkSources refuses a copy from where nothing can be seen.
func (m *model) checkSources() {
	for _, r := range m.rooms {
		for _, s := range r.stores {
			for _, from := range s.sources {
				if len(m.origins(r, from)) == 0 {
					m.leak(Leak{Kind: "stream", Cell: r.Name, Path: []string{"stream " + s.name, "source " + from.stream}, Message: "copies from where nothing is known"})
				}
			}
		}
	}
}

// copies adds what a stream's sources hold and says whether that is news.
func (m *model) copies(r *room, s *store) bool {
	grew := false
	for _, from := range s.sources {
		grew = s.content.add(m.origins(r, from)) || grew
	}
	return grew
}

// origins are the accounts whose messages a source brings. Another account's
// stream is reached over an import of its API or of what it delivers.
func (m *model) origins(r *room, from source) set {
	if from.api == "" && from.deliver == "" {
		if s := r.store(from.stream); s != nil {
			return s.content
		}
		return nil
	}
	out := set{}
	for _, i := range m.imports(r.Account) {
		if !underPrefix(i.local, from.api) && !underPrefix(i.local, from.deliver) {
			continue
		}
		out[i.account] = true
		if other, ok := m.byKey[i.account]; ok {
			if s := other.store(from.stream); s != nil {
				out.add(s.content)
			}
		}
	}
	return out
}

func underPrefix(p pattern, prefix string) bool {
	q, ok := parse(strings.TrimSuffix(prefix, ".") + ".>")
	return prefix != "" && ok && touches(p, q)
}

// entry is an import: local subjects of an account that are another's.
type entry struct {
	local, remote pattern
	account       string
	service       bool
	text          string
}

func (m *model) imports(account string) []entry {
	c := m.accounts[account]
	if c == nil {
		return nil
	}
	var out []entry
	for _, i := range c.Imports {
		remote, ok := parse(string(i.Subject))
		local := string(i.LocalSubject)
		if local == "" {
			//lint:ignore SA1019 the server still reads it
			local = string(i.To)
		}
		if local == "" {
			local = string(i.Subject)
		}
		l, ok2 := parse(widened(local, "$"))
		if !ok || !ok2 {
			l, remote = fixed(">"), fixed(">")
		}
		out = append(out, entry{local: l, remote: remote, account: i.Account, service: i.Type == jwt.Service, text: string(i.Subject)})
	}
	return out
}

// within lists what passes on subjects of a cell's account without imports.
func (m *model) within(r *room) []presence {
	own := set{r.Account: true}
	out := []presence{{pattern: submissions, what: "submissions", from: own}}
	for _, s := range r.stores {
		name := "stream " + s.name
		for _, c := range s.captures {
			out = append(out, presence{pattern: c, what: name, from: own})
		}
		for _, p := range s.republish {
			out = append(out, presence{pattern: p.to, what: name, from: s.content, path: []string{name + " republishes"}})
		}
		for _, d := range s.drains {
			if d.deliver != nil {
				out = append(out, presence{pattern: d.deliver, what: name, from: s.content, path: []string{"consumer " + d.name + " delivers"}})
			}
		}
	}
	for _, u := range r.users {
		for _, p := range u.pubs {
			if root, ok := p.token(0); ok && root != "$JS" && !touches(p.pattern, submissions) && !touches(p.pattern, inboxes) {
				out = append(out, presence{pattern: p.pattern, what: "what " + u.who.String() + " publishes", from: own})
			}
		}
	}
	return out
}

// carry follows stream imports from account to account.
func (m *model) carry() {
	for grew := true; grew; {
		grew = false
		for _, r := range m.rooms {
			for _, i := range m.imports(r.Account) {
				if !i.service && m.carryOne(r, i) {
					grew = true
				}
			}
		}
	}
}

func (m *model) carryOne(r *room, i entry) bool {
	from, path := set{i.account: true}, []string{"import of " + i.text + " from " + m.nameOf(i.account)}
	for _, p := range m.presences[i.account] {
		if touches(p.pattern, i.remote) {
			from.add(p.from)
			path = append(path, p.path...)
		}
	}
	for n, have := range m.presences[r.Account] {
		if have.what == "what "+m.nameOf(i.account)+" exports" && have.String() == i.local.String() {
			return m.presences[r.Account][n].from.add(from)
		}
	}
	m.presences[r.Account] = append(m.presences[r.Account],
		presence{pattern: i.local, what: "what " + m.nameOf(i.account) + " exports", from: from, path: path})
	return true
}

// takesIn adds what passes on subjects that a stream captures.
func (s *store) takesIn(passing []presence) bool {
	grew := false
	for _, p := range passing {
		for _, c := range s.captures {
			if touches(p.pattern, c) {
				grew = s.content.add(p.from) || grew
			}
		}
	}
	return grew
}
