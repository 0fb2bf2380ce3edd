package proof

import (
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/proto/label"
)

// reach collects what one permission leads to.
type reach struct {
	m       *model
	u       *user
	at      *room // whose account it is used in
	path    []string
	through bool // an import
	out     []Effect
}

func (r *reach) add(e Effect) {
	e.Cell, e.imported = r.at.Name, r.through
	e.Path = append(slices.Clone(r.path), e.Path...)
	for _, have := range r.out {
		if have.Verb == e.Verb && have.Cell == e.Cell && have.What == e.What && have.call == e.call && have.Subjects == e.Subjects {
			return
		}
	}
	r.out = append(r.out, e)
}

// subscribed is what somebody hears who subscribes to p.
func (r *reach) subscribed(p pattern) {
	for _, x := range r.m.presences[r.at.Account] {
		if both, ok := meet(p, x.pattern); ok {
			r.add(Effect{
				Verb: Hears, What: x.what, Subjects: both.String(), Labels: r.m.labels(x.from), filters: []pattern{both},
				stream: strings.TrimPrefix(x.what, "stream "), named: len(x.path) > 0, Path: append(slices.Clone(x.path), x.what),
			})
		}
	}
	for _, other := range r.at.users {
		for _, theirs := range other.subs {
			if both, ok := meet(p, theirs.pattern); ok && touches(both, inboxes) {
				r.hearsInbox(other, both)
			}
		}
	}
	for _, room := range rooms {
		if touches(p, room) {
			r.add(Effect{Verb: Controls, What: "the server's own subjects", Subjects: p.String(), Labels: []label.Label{{}}, Path: []string{room.String()}})
		}
	}
}

func (r *reach) hearsInbox(other *user, both pattern) {
	e := Effect{Verb: Hears, What: "its own answers", Subjects: both.String(), owner: other.who.String()}
	if other != r.u {
		e.What, e.Labels = "answers to "+e.owner, []label.Label{r.at.Label}
		e.Path = []string{e.What}
	}
	r.add(e)
}

// published is what somebody reaches who publishes to p.
func (r *reach) published(p pattern) {
	known := r.called(p)
	for _, room := range rooms {
		if touches(p, room) && !(known && room[0] == "$JS") {
			r.add(Effect{Verb: Controls, What: "the server", Subjects: p.String(), Path: []string{room.String()}})
		}
	}
	for _, s := range r.at.stores {
		for _, c := range s.captures {
			if both, ok := meet(p, c); ok {
				r.add(Effect{Verb: Stores, What: "stream " + s.name, stream: s.name, Subjects: both.String(), Path: []string{"stream " + s.name}})
			}
		}
	}
	if both, ok := meet(p, submissions); ok {
		r.add(Effect{Verb: Submits, What: "the guard", Subjects: both.String(), filters: []pattern{both}, Path: []string{both.String(), "the guard"}})
	}
	r.spoken(p)
	for _, i := range r.m.imports(r.at.Account) {
		if i.service && touches(p, i.local) {
			r.across(i)
		}
	}
}

// spoken finds who listens.
func (r *reach) spoken(p pattern) {
	r.beside(p)
	for _, other := range r.at.users {
		if other == r.u {
			continue
		}
		for _, theirs := range other.subs {
			both, ok := meet(p, theirs.pattern)
			switch {
			case !ok:
			case touches(both, inboxes):
				r.add(Effect{Verb: Answers, What: other.who.String(), owner: other.who.String(), Subjects: both.String(), Path: []string{"inbox of " + other.who.String()}})
			case !within(both, submissions) && !touchesAny(both, seats):
				r.add(Effect{Verb: Speaks, What: other.who.String(), Subjects: both.String(), Path: []string{other.who.String() + " listens"}})
			}
		}
	}
}

// beside finds whom p tells in which seat a worker sits: those who are signed
// in as the same principal are told too.
func (r *reach) beside(p pattern) {
	for _, other := range r.at.users {
		for _, x := range other.subs {
			if both, ok := meet(p, x.pattern); ok && touchesAny(both, seats) {
				what := "the other seat of " + other.who.String()
				r.add(Effect{Verb: Speaks, What: what, owner: other.who.String(), call: seatCall, Subjects: both.String(), Path: []string{what}})
			}
		}
	}
}

func touchesAny(p pattern, list []pattern) bool {
	return slices.ContainsFunc(list, func(x pattern) bool { return touches(p, x) })
}

// across follows a service import into the exporter's account; what is
// answered there comes back.
func (r *reach) across(i entry) {
	step := "import of " + i.text + " from " + r.m.nameOf(i.account)
	if slices.Contains(r.path, step) {
		return
	}
	other, ok := r.m.byKey[i.account]
	if !ok {
		r.add(Effect{Verb: Controls, What: r.m.nameOf(i.account), Subjects: i.local.String(), Labels: []label.Label{{}}, Path: []string{step}})
		return
	}
	next := &reach{m: r.m, u: r.u, at: other, path: append(slices.Clone(r.path), step), through: true}
	next.published(i.remote)
	// What the other account does with a request is not known: it answers with
	// anything it has.
	next.add(Effect{Verb: Gets, What: "answers of " + other.Name, Subjects: i.remote.String(), Labels: []label.Label{other.Label}})
	r.out = append(r.out, next.out...)
}

// called finds the requests to JetStream and says whether there are any.
func (r *reach) called(p pattern) bool {
	found := false
	for _, list := range [][]call{calls, acks} {
		for _, c := range list {
			if both, ok := meet(p, c.subject); ok {
				found = true
				r.request(c, both)
			}
		}
	}
	return found
}

func (r *reach) request(c call, both pattern) {
	e := Effect{Verb: c.verb, call: c.name, Subjects: both.String(), Path: []string{both.String()}}
	if c.stream == 0 {
		e.What = "the account"
		if e.Verb == Learns {
			e.Labels = []label.Label{r.at.Label}
		}
		r.add(e)
		return
	}
	word, literal := both.token(c.stream)
	found := false
	for _, s := range r.at.stores {
		if !literal || s.name == word {
			found = true
			r.ofStream(c, both, s, e)
		}
	}
	if !found && c.verb == Manages && c.consumer == 0 || !literal && c.verb == Manages && c.consumer == 0 {
		e.What = "new streams"
		r.add(e)
	}
}

func (r *reach) ofStream(c call, both pattern, s *store, e Effect) {
	e.stream, e.What = s.name, "stream "+s.name
	e.Path = append(slices.Clone(e.Path), e.What)
	if e.Verb != Manages {
		e.Labels = r.m.labels(s.content)
	}
	e.filters = s.kept
	if c.tail > 0 && c.tail < len(both) {
		e.filters, e.named = []pattern{both[c.tail:]}, true
	}
	if c.consumer == 0 || e.Verb == Creates {
		r.add(e)
		return
	}
	word, literal := both.token(c.consumer)
	for _, d := range s.drains {
		if literal && d.name != word {
			continue
		}
		of := e
		of.consumer, of.filters = d.name, d.filters
		of.What = "consumer " + d.name + " of " + s.name
		of.Path = append(slices.Clone(e.Path[:len(e.Path)-1]), "consumer "+d.name, "stream "+s.name)
		r.add(of)
	}
	if !literal {
		e.consumer, e.What = "*", "every consumer of "+s.name
		r.add(e)
	}
}
