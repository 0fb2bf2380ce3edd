package proof

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nats-io/jwt/v2"

	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// model is the world as it is understood.
type model struct {
	rooms      []*room
	byKey      map[string]*room
	system     string
	principals map[string]Principal
	accounts   map[string]*jwt.AccountClaims
	users      []*user
	scopes     map[string]*user // by signing key
	presences  map[string][]presence
	leaks      []Leak
}

// room is a cell with what it stores.
type room struct {
	Cell
	stores []*store
	users  []*user
}

// presence is that messages are on their way in an account, on subjects of a
// pattern.
type presence struct {
	pattern
	what string
	from set // the accounts they stem from
	path []string
}

// known are the streams a cell has; any other is one that nobody reviewed.
func known(stream string) bool {
	if stream == subject.Reports || stream == subject.Refusals {
		return true
	}
	return isPicture(stream)
}

func isPicture(stream string) bool {
	for _, s := range subject.Statuses {
		if stream == subject.SnapshotStream(s) {
			return true
		}
	}
	return false
}

func readWorld(w World) *model {
	m := &model{
		byKey: map[string]*room{}, system: w.System, principals: map[string]Principal{}, accounts: map[string]*jwt.AccountClaims{},
		scopes: map[string]*user{}, presences: map[string][]presence{},
	}
	for _, p := range w.Principals {
		m.principals[p.String()+"@"+p.In] = p
	}
	for _, c := range w.Cells {
		r := &room{Cell: c}
		m.rooms = append(m.rooms, r)
		m.byKey[c.Account] = r
		m.readStores(r)
	}
	slices.SortFunc(m.rooms, func(a, b *room) int { return cmp.Or(compareLabels(a.Label, b.Label), strings.Compare(a.Name, b.Name)) })
	for _, token := range w.Accounts {
		m.readAccount(token)
	}
	for _, token := range w.Users {
		m.readUser(token)
	}
	slices.SortFunc(m.users, func(a, b *user) int {
		return cmp.Or(strings.Compare(a.cell.Name, b.cell.Name), strings.Compare(a.who.String(), b.who.String()))
	})
	for _, u := range m.users {
		u.cell.users = append(u.cell.users, u)
	}
	return m
}

func (m *model) readStores(r *room) {
	say := func(name, format string, args ...any) {
		m.leak(Leak{Kind: "stream", Cell: r.Name, Path: []string{name}, Message: fmt.Sprintf(format, args...)})
	}
	for _, data := range r.Streams {
		s, err := readStream(data)
		if err != nil {
			say("a stream", "%v", err)
			continue
		}
		if !known(s.name) {
			say("stream "+s.name, "is none that a cell has")
		}
		s.content[r.Account] = true
		r.stores = append(r.stores, s)
	}
	for _, c := range r.Consumers {
		s := r.store(c.Stream)
		d, err := readConsumer(c.Config)
		switch {
		case err != nil:
			say("a consumer of "+c.Stream, "%v", err)
		case s == nil:
			say("consumer "+d.name, "is on stream %s, which is not there", c.Stream)
		default:
			s.drains = append(s.drains, d)
		}
	}
}

func (r *room) store(name string) *store {
	for _, s := range r.stores {
		if s.name == name {
			return s
		}
	}
	return nil
}

// principal is who a scope of a cell is for.
func (m *model) principal(role, cell string) (Principal, bool) {
	p, ok := m.principals[role+"@"+cell]
	if !ok {
		p, ok = m.principals[role+"@"]
	}
	return p, ok
}

func (m *model) leak(l Leak) { m.leaks = append(m.leaks, l) }

func (m *model) nameOf(key string) string {
	if r, ok := m.byKey[key]; ok {
		return r.Name
	}
	if key == m.system {
		return "SYS"
	}
	return "unknown account " + key
}

// labels of what stems from these accounts; what stems from none of the cells
// has the label that nobody dominates.
func (m *model) labels(from set) []label.Label {
	var out []label.Label
	for _, key := range slices.Sorted(maps.Keys(from)) {
		var l label.Label
		if r, ok := m.byKey[key]; ok {
			l = r.Label
		}
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

func (m *model) columns() []string {
	out := make([]string, len(m.rooms))
	for i, r := range m.rooms {
		out[i] = r.Name
	}
	return out
}

// labelOf is the label of a cell; of an unknown one that which reads nothing.
func (m *model) labelOf(cell string) label.Label {
	for _, r := range m.rooms {
		if r.Name == cell {
			return r.Label
		}
	}
	return label.Label{}
}

// dominates is written a second time here, by the parts of a label: the proof
// does not lean on the lattice that the compiler leans on.
func dominates(a, b label.Label) bool {
	if a.IsZero() || b.IsZero() || a.Level() < b.Level() {
		return false
	}
	for _, side := range b.Sides().Names() {
		if !slices.Contains(a.Sides().Names(), side) {
			return false
		}
	}
	for _, c := range b.Compartments() {
		if !slices.Contains(a.Compartments(), c) {
			return false
		}
	}
	return true
}

// compareLabels orders by level, then by how many sides and compartments.
func compareLabels(a, b label.Label) int {
	return cmp.Or(cmp.Compare(a.Level(), b.Level()), cmp.Compare(len(a.Sides().Names()), len(b.Sides().Names())),
		cmp.Compare(len(a.Compartments()), len(b.Compartments())), strings.Compare(a.String(), b.String()))
}

func sortedKeys[V any](in map[string]V) []string { return slices.Sorted(maps.Keys(in)) }
