package proof

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// inletRoot is the first token of where a stream takes in what it stores; the
// second is the word that only its writers know.
const inletRoot = "inlet"

// guessless is a word that nobody guesses: 128 bits, in lower-case hexadecimal.
var guessless = regexp.MustCompile(`^[0-9a-f]{32,}$`)

// word is the secret of a captured subject; none where the subject can be known.
func (p pattern) word() string {
	if len(p) < 3 || p[0] != inletRoot || !guessless.MatchString(p[1]) {
		return ""
	}
	return p[1]
}

// written finds words where they are printed.
var written = regexp.MustCompile(`\binlet\.[^.*> ]+\.`)

// Masked is text without the words of inlets, to be shown.
func Masked(text string) string { return written.ReplaceAllString(text, inletRoot+".(word).") }

// checkInlets refuses streams that take in where somebody may have an answer of
// the server sent: NATS checks no reply subject (T3), so what keeps answers out
// of a stream is that nobody who is answered can name where it takes in.
func (m *model) checkInlets() {
	owner := map[string]string{}
	for _, r := range m.rooms {
		for _, s := range r.stores {
			say := func(format string, args ...any) {
				m.leak(Leak{Kind: "inlet", Cell: r.Name, Path: []string{"stream " + s.name}, Message: fmt.Sprintf(format, args...)})
			}
			name := s.name + " of " + r.Name
			for _, c := range s.captures {
				w := c.word()
				if w == "" {
					say("takes in on %s, which can be known: whoever the server answers may name it as where the answer goes", c)
					continue
				}
				if other := owner[w]; other != "" && other != name {
					say("takes in by the same word as %s: whoever writes the one knows where the other takes in", other)
				}
				owner[w] = name
			}
			for _, k := range s.kept {
				if k.word() != "" || touches(k, pattern{inletRoot, ">"}) {
					say("stores on %s: who reads a message reads where the stream takes in", k)
				}
			}
		}
	}
	m.checkWords(owner)
}

// checkWords refuses configurations that tell a word to whoever sees a consumer
// or a message.
func (m *model) checkWords(owner map[string]string) {
	for _, r := range m.rooms {
		for _, s := range r.stores {
			for _, d := range s.drains {
				m.checkWord(owner, r, "consumer "+d.name, d.text)
			}
			for _, to := range s.republish {
				m.checkWord(owner, r, "stream "+s.name+" republishes", to.to.String())
			}
			m.checkWord(owner, r, "stream "+s.name, s.name)
		}
	}
}

func (m *model) checkWord(owner map[string]string, r *room, where, text string) {
	for w, stream := range owner {
		if strings.Contains(text, w) {
			m.leak(Leak{Kind: "inlet", Cell: r.Name, Path: []string{where}, Message: "tells where " + stream + " takes in"})
		}
	}
}

// insider is a principal whose credentials are made and used only inside a
// process that holds the keys, and so the words.
func (p Principal) insider() bool {
	return p.Kind == Provision || p.Kind == Backup || p.Kind == Doctor
}

// knowledge is the words that a principal knows, each with how it comes to.
type knowledge map[string][]string

// learns collects the words that a standing tells its principal: those of its
// own permissions, and those of streams whose configuration it may see.
func (j *judge) learns(u *user, grants []Grant) knowledge {
	out := knowledge{}
	for _, g := range grants {
		for _, s := range u.cell.stores {
			for _, c := range s.captures {
				w := c.word()
				if w == "" || out[w] != nil {
					continue
				}
				if strings.Contains(g.Subject, w) {
					out[w] = []string{g.Subject + " in " + u.cell.Name}
				} else if g.shows(s.name) {
					out[w] = []string{g.Subject + " in " + u.cell.Name, "the configuration of stream " + s.name}
				}
			}
		}
	}
	return out
}

// shows says whether a grant tells the configuration of a stream.
func (g Grant) shows(stream string) bool {
	return slices.ContainsFunc(g.Effects, func(e Effect) bool {
		switch e.call {
		case "STREAM.LIST":
			return true
		case "STREAM.INFO", "STREAM.CREATE", "STREAM.UPDATE", "STREAM.SNAPSHOT", "STREAM.RESTORE":
			return e.stream == stream
		}
		return e.Verb == Hears && e.stream == stream && !e.named
	})
}

// answers holds what every principal knows, from whichever cell, against the
// streams of the cells it stands in: it names where the server answers it, and
// what is answered on a captured subject is stored.
func (j *judge) answers() {
	known := map[string]knowledge{}
	for i, u := range j.model.users {
		of := known[u.who.String()+"@"+u.who.In]
		if of == nil {
			of = knowledge{}
			known[u.who.String()+"@"+u.who.In] = of
		}
		for w, path := range j.learns(u, j.standings[i].Grants) {
			of[w] = path
		}
	}
	for i, u := range j.model.users {
		at := slices.IndexFunc(j.standings[i].Grants, Grant.answered)
		if at < 0 || u.who.insider() {
			continue
		}
		for _, s := range u.cell.stores {
			j.stored(u, j.standings[i].Grants[at], s, known[u.who.String()+"@"+u.who.In])
		}
	}
}

// answered says whether a grant has the server answer: every request, and
// whatever a stream takes in.
func (g Grant) answered() bool {
	return g.asks() || !g.Subscribe && slices.ContainsFunc(g.Effects, func(e Effect) bool { return e.Verb == Stores })
}

func (j *judge) stored(u *user, ask Grant, s *store, known knowledge) {
	if duty(u, Effect{Verb: Stores, Cell: u.cell.Name, What: "stream " + s.name, stream: s.name}) != "" {
		return
	}
	for _, c := range s.captures {
		path, knows := known[c.word()]
		if c.word() != "" && !knows {
			continue
		}
		path = append(slices.Clone(path), "publish "+ask.Subject, "the answer goes to "+c.String(), "stream "+s.name)
		j.leak(u, "answer", path, "the server's answers would be stored: NATS checks no reply subject")
	}
}
