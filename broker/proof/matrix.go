package proof

import (
	"fmt"
	"slices"
	"strings"
)

// Row is one principal of the matrix.
type Row struct {
	Principal string
	// Can holds, for every cell of the proof in order, what the principal can
	// do there; empty when it has no credential for the cell.
	Can []string
}

// Matrix is principal by cell.
func (p *Proof) Matrix() []Row {
	var out []Row
	for _, s := range p.Standings {
		name := s.Principal.String()
		if len(out) == 0 || out[len(out)-1].Principal != name {
			out = append(out, Row{Principal: name, Can: make([]string, len(p.Cells))})
		}
		if i := slices.Index(p.Cells, s.Cell); i >= 0 {
			out[len(out)-1].Can[i] = s.Summary()
		}
	}
	return out
}

// Legend explains the words of a summary, one per line.
const Legend = `submit:N  sends reports to the guard, N pairs of status and kind    store:N   writes N streams
read:N    pulls stored reports by N consumers                        reset:N   sets N consumers back
picture   sees the picture                                           answer:N  answers N others in their inboxes
create    makes consumers                                            declare   makes and changes streams and consumers
admit     hears what agencies submit                                 erase:N   deletes single messages of N streams
hear      hears its twin                                             speak:N   speaks to N twins
copy:N    copies N streams out, whole                                look      sees how streams and consumers stand
http      reads the picture over HTTP, with a token                  -         is heard in its own inbox only`

// words are the parts of a summary, in order.
var words = []string{"submit", "admit", "store", "read", "reset", "picture", "http", "copy", "look", "erase", "create", "declare", "answer", "hear", "get", "speak", "control"}

// word is what an effect is called in a summary, and the thing it counts; no
// word for what only goes with another.
func (e Effect) word() (word, thing string) {
	switch e.call {
	case "STREAM.SNAPSHOT":
		return "copy", e.stream
	case "SNAPSHOT.ACK":
		return "", ""
	case "STREAM.LIST":
		return "look", ""
	}
	switch e.Verb {
	case Submits:
		return "submit", e.Subjects
	case Stores:
		return "store", e.stream
	case Fetches:
		return "read", e.consumer
	case Creates:
		return "create", ""
	case Answers:
		return "answer", e.owner
	case Speaks:
		return "speak", e.What
	case Controls:
		return "control", ""
	case Gets, Hears:
		return e.readWord(), ""
	case Manages:
		switch e.call {
		case "CONSUMER.RESET":
			return "reset", e.consumer
		case "STREAM.MSG.DELETE":
			return "erase", e.stream
		}
		return "declare", ""
	}
	return "", ""
}

func (e Effect) readWord() string {
	switch {
	case isPicture(e.stream):
		return "picture"
	case e.Verb == Gets:
		return "get"
	case e.What == "submissions":
		return "admit"
	case e.Why == "its own inbox":
		return ""
	}
	return "hear"
}

// Summary is what the principal can do in the cell, in a few words: see [Legend].
func (s Standing) Summary() string {
	things := map[string]map[string]bool{}
	for _, g := range s.Grants {
		for _, e := range g.Effects {
			if w, thing := e.word(); w != "" {
				if things[w] == nil {
					things[w] = map[string]bool{}
				}
				things[w][thing] = true
			}
		}
	}
	if len(s.HTTP) > 0 {
		things["http"] = map[string]bool{"": true}
	}
	var out []string
	for _, w := range words {
		switch have := things[w]; {
		case have == nil:
		case have[""]:
			out = append(out, w)
		case have["*"]:
			out = append(out, w+":all")
		default:
			out = append(out, fmt.Sprintf("%s:%d", w, len(have)))
		}
	}
	if len(out) == 0 {
		return "-"
	}
	return strings.Join(out, "+")
}

// Askers counts the credentials that may ask JetStream anything: they name the
// subject of their own cell that the answer is sent to, and NATS checks it no
// further (trap T3).
func (p *Proof) Askers() int {
	n := 0
	for _, s := range p.Standings {
		if slices.ContainsFunc(s.Grants, Grant.asks) {
			n++
		}
	}
	return n
}

func (g Grant) asks() bool {
	return slices.ContainsFunc(g.Effects, func(e Effect) bool { return e.call != "" && e.call != seatCall })
}

// Count sums up what was looked at.
func (p *Proof) Count() (principals, credentials, permissions, effects int) {
	seen := map[string]bool{}
	for _, s := range p.Standings {
		seen[s.Principal.String()+"@"+s.Principal.In] = true
		permissions += len(s.Grants)
		for _, g := range s.Grants {
			effects += len(g.Effects)
		}
	}
	return len(seen), len(p.Standings), permissions, effects
}

// May says whether the user of the name is permitted to publish or subscribe
// to the subject, which may be a pattern.
func (s Standing) May(subscribe bool, subject, user string) bool {
	_, ok := s.permit(subscribe, subject, user)
	return ok
}

// Why says for what the principal may use a subject, and the labels it reads
// with it.
func (s Standing) Why(subscribe bool, subject, user string) string {
	g, ok := s.permit(subscribe, subject, user)
	if !ok {
		return ""
	}
	for _, e := range g.Effects {
		if e.Why == "" {
			continue
		}
		for _, l := range e.Labels {
			return e.Why + ", " + l.String()
		}
		return e.Why
	}
	return ""
}

func (s Standing) permit(subscribe bool, subject, user string) (Grant, bool) {
	want, ok := parse(subject)
	if !ok {
		return Grant{}, false
	}
	for _, g := range s.Grants {
		have, ok := parse(strings.ReplaceAll(g.Subject, "{{name()}}", user))
		if ok && g.Subscribe == subscribe && within(want, have) {
			return g, true
		}
	}
	return Grant{}, false
}
