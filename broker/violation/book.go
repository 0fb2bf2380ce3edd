// Package violation keeps count of what credentials tried and were refused:
// who, what, how often, first and last when.
//
// A book is small however much is tried. Each holder has a few lines of its
// own; what no longer fits is counted in wider ones, by the beginning of its
// subject and at last by its action. No holder takes a line from another, so a
// flood hides nobody. There is a book for each cell, sealed with a key of that
// cell: what a credential of one cell typed is nobody else's to read.
//
// It is not the log, and decides nothing: NATS has refused already.
package violation

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// The bounds of a book.
const (
	// maxHolders is how many holders have lines of their own; the others share
	// those of [Others].
	maxHolders = 512
	// maxExact lines of a holder say the whole subject, maxWide its beginning.
	maxExact = 16
	maxWide  = 8
	// maxSubject is how much of a subject is kept, in bytes.
	maxSubject = 160
	// kept is how long a line is kept after it was last added to.
	kept = 90 * 24 * time.Hour
)

// Others is who has the lines of everybody whom a book has no room for.
const Others = "others"

// Holder is who holds a credential: a principal, the cell it is for, the name
// of the user.
type Holder struct {
	Principal string `json:"principal"`
	Cell      string `json:"cell"`
	User      string `json:"user"`
}

// Attempt is one refused attempt.
type Attempt struct {
	Holder
	// Key is the public key of the user.
	Key     string
	Action  string
	Subject string
}

// Line is what a holder tried.
type Line struct {
	Holder
	// Key is the public key that tried last.
	Key    string `json:"key"`
	Action string `json:"action"`
	// Subject is whole, or its beginning and ".>", or ">" for the rest.
	Subject string    `json:"subject"`
	Count   uint64    `json:"count"`
	First   time.Time `json:"first"`
	Last    time.Time `json:"last"`
}

// what is a line among those of its holder.
type what struct{ action, subject string }

// Book is the record of one cell. It is for one goroutine at a time.
type Book struct {
	holders map[Holder]map[what]*Line
}

// NewBook makes an empty book.
func NewBook() *Book { return &Book{holders: map[Holder]map[what]*Line{}} }

// Add counts an attempt.
func (b *Book) Add(a Attempt, at time.Time) {
	lines := b.of(&a.Holder)
	w := place(lines, a)
	l := lines[w]
	if l == nil {
		l = &Line{Holder: a.Holder, Action: w.action, Subject: w.subject, First: at}
		lines[w] = l
	}
	l.Key, l.Last = a.Key, at
	l.Count++
}

// of returns the lines of a holder, or of the others when there is no room.
func (b *Book) of(h *Holder) map[what]*Line {
	if lines := b.holders[*h]; lines != nil {
		return lines
	}
	if len(b.holders) >= maxHolders {
		*h = Holder{Principal: Others, Cell: h.Cell, User: Others}
	}
	lines := b.holders[*h]
	if lines == nil {
		lines = map[what]*Line{}
		b.holders[*h] = lines
	}
	return lines
}

// place is the line that an attempt belongs to: that of its subject, while
// there is room a new one, then a wider one.
func place(lines map[what]*Line, a Attempt) what {
	exact := what{a.Action, cut(a.Subject)}
	wide := what{a.Action, beginning(a.Subject)}
	for _, w := range []what{exact, wide} {
		if lines[w] != nil {
			return w
		}
	}
	switch n := len(lines); {
	case n < maxExact:
		return exact
	case n < maxExact+maxWide:
		return wide
	}
	return what{a.Action, ">"}
}

// beginning is the first two tokens of a subject.
func beginning(s string) string {
	first, rest, ok := strings.Cut(s, ".")
	second, _, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 {
		return ">"
	}
	return cut(first+"."+second) + ".>"
}

func cut(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if len(s) > maxSubject {
		return strings.ToValidUTF8(s[:maxSubject], "") + "..."
	}
	return s
}

// Lines lists the book, the newest first.
func (b *Book) Lines() []Line {
	var out []Line
	for _, lines := range b.holders {
		for _, l := range lines {
			out = append(out, *l)
		}
	}
	slices.SortFunc(out, func(a, b Line) int {
		return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.User, b.User), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Subject, b.Subject))
	})
	return out
}

// restore puts lines of a file back; more than a book holds are left out.
func (b *Book) restore(lines []Line) {
	for _, l := range lines {
		have := b.of(&l.Holder)
		if len(have) < maxExact+maxWide+3 { // of each action a rest
			have[what{l.Action, l.Subject}] = &l
		}
	}
}

// Forget drops lines that nothing was added to for long, and says whether
// there were any.
func (b *Book) Forget(now time.Time) bool {
	dropped := false
	maps.DeleteFunc(b.holders, func(_ Holder, lines map[what]*Line) bool {
		maps.DeleteFunc(lines, func(_ what, l *Line) bool {
			old := now.Sub(l.Last) > kept
			dropped = dropped || old
			return old
		})
		return len(lines) == 0
	})
	return dropped
}
