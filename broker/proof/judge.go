package proof

import (
	"fmt"
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// judge holds every effect against what is the principal's to do.
type judge struct {
	model     *model
	standings []Standing
	leaks     []Leak
}

func (j *judge) leak(u *user, kind string, path []string, format string, args ...any) {
	j.leaks = append(j.leaks, Leak{Kind: kind, Who: u.who.String(), Cell: u.cell.Name, Path: path, Message: fmt.Sprintf(format, args...)})
}

// standing looks at all that a principal may do in an account.
func (j *judge) standing(u *user) {
	j.belongs(u)
	s := Standing{Principal: u.who, Cell: u.cell.Name}
	for _, p := range u.pubs {
		r := &reach{m: j.model, u: u, at: u.cell, path: []string{"publish " + p.text}}
		r.published(p.pattern)
		s.Grants = append(s.Grants, j.grant(u, Grant{Subject: p.text, Effects: r.out}))
	}
	for _, p := range u.subs {
		r := &reach{m: j.model, u: u, at: u.cell, path: []string{"subscribe " + p.text}}
		r.subscribed(p.pattern)
		s.Grants = append(s.Grants, j.grant(u, Grant{Subscribe: true, Subject: p.text, Effects: r.out}))
	}
	j.standings = append(j.standings, s)
}

// belongs: a principal stands only where one of its labels dominates, an
// agency only where it submits.
func (j *judge) belongs(u *user) {
	if u.who.Kind == Agency {
		if !slices.ContainsFunc(u.who.Submits, func(s Submission) bool { return s.Cell == u.cell.Name }) {
			j.leak(u, "standing", []string{"its scope"}, "signs in to a cell that it does not submit to")
		}
		return
	}
	if !j.reads(u.who, u.cell.Label) {
		j.leak(u, "standing", []string{"its scope", u.cell.Label.String()}, "signs in to a cell that its own label, %s, does not dominate", j.own(u.who))
	}
}

func (j *judge) reads(p Principal, l label.Label) bool {
	return slices.ContainsFunc(p.Cells, func(c string) bool { return dominates(j.model.labelOf(c), l) })
}

func (j *judge) own(p Principal) string {
	if len(p.Cells) == 0 {
		return "none"
	}
	var out []string
	for _, c := range p.Cells {
		out = append(out, j.model.labelOf(c).String())
	}
	return strings.Join(out, " and ")
}

func (j *judge) grant(u *user, g Grant) Grant {
	if len(g.Effects) == 0 {
		j.leak(u, "unused", []string{g.Subject}, "is permitted what leads to nothing that exists")
	}
	for i, e := range g.Effects {
		bad := false
		for _, l := range e.Labels {
			if !j.reads(u.who, l) {
				bad = true
				j.leak(u, "label", append(e.Path, l.String()), "its own label is %s", j.own(u.who))
			}
		}
		if named := j.named(u, e); named != "" {
			bad = true
			j.leak(u, "originator control", append(e.Path, named), "an originator-controlled report is read from above only by the cells it names")
		}
		why := duty(u, e)
		if why == "" && !bad {
			j.leak(u, string(e.Verb), e.Path, "to reach %s is none of its duties", e.What)
		}
		g.Effects[i].Why = why
	}
	return g
}

// named says which originator-controlled subjects of a lower cell an effect
// reads that name none of the principal's cells; empty when there are none.
func (j *judge) named(u *user, e Effect) string {
	if len(e.Labels) == 0 || e.Verb == Learns || e.stream != subject.Reports || slices.Contains(u.who.Cells, e.Cell) || len(u.who.Cells) == 0 {
		return ""
	}
	for _, f := range e.filters {
		both, ok := meet(f, controlled)
		if !ok {
			continue
		}
		set, ok := both.token(1)
		if !ok || !slices.ContainsFunc(strings.Split(set, "+"), func(c string) bool { return slices.Contains(u.who.Cells, c) }) {
			return both.String()
		}
	}
	return ""
}

// controlled is where originator-controlled reports are stored: under the sets
// of cells that they name.
var controlled = pattern{"orcon", "*", ">"}

// duty says why an effect is the principal's to have; empty: it is not.
func duty(u *user, e Effect) string {
	if e.imported {
		return ""
	}
	if e.Verb == Hears && e.owner == u.who.String() {
		return "its own inbox"
	}
	switch u.who.Kind {
	case Agency:
		return u.agency(e)
	case Reader:
		return u.reader(e)
	case Worker:
		return u.worker(e)
	case Guard:
		return u.guard(e)
	case API:
		return u.picture(e)
	case Provision:
		return u.provision(e)
	case Backup:
		return u.backup(e)
	case Doctor:
		return u.doctor(e)
	}
	return ""
}

// agency: it submits under its own name what the policy says, nothing else.
func (u *user) agency(e Effect) string {
	if e.Verb != Submits {
		return ""
	}
	for _, f := range e.filters {
		if name, ok := f.token(5); !ok || name != u.who.Name {
			return ""
		}
		if !slices.ContainsFunc(u.who.Submits, func(s Submission) bool {
			st, ok := f.token(1)
			k, ok2 := f.token(2)
			return ok && ok2 && s.Cell == u.cell.Name && st == subject.StatusToken(s.Status) && k == subject.KindToken(s.Kind)
		}) {
			return ""
		}
	}
	return "submits as itself"
}

// reader: the feeds provisioned for it, and where it is cleared the picture.
func (u *user) reader(e Effect) string {
	for _, f := range u.who.Feeds {
		if e.consumer == subject.FeedConsumer(u.who.Name, f) && e.stream == subject.Reports {
			return u.consumes(e, "feed "+f)
		}
	}
	if slices.Contains(u.who.Cells, u.cell.Name) {
		return u.picture(e)
	}
	return ""
}

// consumes is what the use of one's own consumer takes.
func (u *user) consumes(e Effect, whose string) string {
	if e.Verb == Fetches || e.call == "CONSUMER.INFO" || u.who.Kind == Worker && e.call == "CONSUMER.RESET" {
		return "its own " + whose
	}
	return ""
}

// picture: by the last message of a subject, and live.
func (u *user) picture(e Effect) string {
	if isPicture(e.stream) && (e.Verb == Hears || e.call == "DIRECT.GET") && e.named {
		return "the picture"
	}
	return ""
}

// worker: its consumers in every cell it reads, and in its own the picture.
func (u *user) worker(e Effect) string {
	for _, status := range subject.Statuses {
		for _, c := range subject.Channels {
			if e.stream != subject.Reports {
				continue
			}
			switch e.consumer {
			case subject.Seats[0].Consumer(u.who.Name, status, c), subject.Seats[1].Consumer(u.who.Name, status, c):
				return u.consumes(e, "channel")
			case subject.ReplayConsumer(u.who.Name, status, c):
				return u.consumes(e, "channel, read again")
			}
		}
	}
	if why := u.twin(e); why != "" {
		return why
	}
	if u.cell.Name != u.who.Name || !isPicture(e.stream) {
		return ""
	}
	switch {
	case e.Verb == Hears && e.named:
		return "follows its twin"
	case e.Verb == Stores || e.call == "STREAM.INFO" || e.call == "DIRECT.GET":
		return "writes the picture"
	case e.call == "STREAM.MSG.DELETE":
		return "erases frames of what was purged"
	}
	return ""
}

// twin: two workers of a cell tell each other in which seats they sit.
func (u *user) twin(e Effect) string {
	told := e.call == seatCall && e.owner == u.who.String()
	hears := e.Verb == Hears && e.What == "what "+u.who.String()+" publishes" && (within(e.filters[0], seats[0]) || within(e.filters[0], seats[1]))
	if u.cell.Name == u.who.Name && (told || hears) {
		return "knows of its twin"
	}
	return ""
}

// guard: it hears what is submitted, stores, answers agencies, and reads
// REPORTS again to know what it has admitted.
func (u *user) guard(e Effect) string {
	switch {
	case e.Verb == Hears && e.What == "submissions":
		return "admits"
	case e.Verb == Stores && (e.stream == subject.Reports || e.stream == subject.Refusals):
		return "stores what it admits and refuses"
	case e.Verb == Answers && strings.HasPrefix(e.owner, string(Agency)+"/"):
		return "answers agencies"
	case e.stream == subject.Reports && (e.call == "CONSUMER.CREATE" || e.call == "CONSUMER.MSG.NEXT"):
		return "rebuilds its index"
	}
	return ""
}

// provision: it declares and looks, in the broker's own process.
func (u *user) provision(e Effect) string {
	switch e.call {
	case "INFO", "STREAM.NAMES", "STREAM.LIST", "STREAM.INFO", "STREAM.CREATE", "STREAM.UPDATE",
		"CONSUMER.NAMES", "CONSUMER.LIST", "CONSUMER.INFO", "CONSUMER.CREATE", "CONSUMER.DELETE":
		return "declares streams and consumers"
	}
	return ""
}

// backup: every stream of its cell as a whole.
func (u *user) backup(e Effect) string {
	if e.call == "STREAM.SNAPSHOT" || e.call == "SNAPSHOT.ACK" {
		return "copies the stream out"
	}
	return ""
}

// doctor: how streams and consumers stand, never a message.
func (u *user) doctor(e Effect) string {
	switch e.call {
	case "INFO", "STREAM.LIST", "CONSUMER.LIST":
		return "looks how streams and consumers stand"
	}
	return ""
}
