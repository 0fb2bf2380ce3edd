package register

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Mark is a place in the register: a line and its hash.
type Mark struct {
	Seq  uint64
	Hash string
}

// String is the mark as text, "12:0f...".
func (m Mark) String() string { return strconv.FormatUint(m.Seq, 10) + ":" + m.Hash }

// ParseMark is the inverse of String; of an empty text it is the zero mark.
func ParseMark(text string) (Mark, error) {
	if text == "" {
		return Mark{}, nil
	}
	n, hash, ok := strings.Cut(text, ":")
	seq, err := strconv.ParseUint(n, 10, 64)
	if !ok || err != nil || len(hash) != 32 {
		return Mark{}, fmt.Errorf("%q is no mark of a register", text)
	}
	return Mark{seq, hash}, nil
}

// Credential is what the register says of one key.
type Credential struct {
	Key       string
	Principal string
	Cell      string
	User      string
	// Signer is the signing key of its newest issue; empty for a token.
	Signer string
	Issued time.Time
	// Expires is the latest end of any credential of the key.
	Expires time.Time
	// Revoked is when it stops to hold before its time; zero: it does not.
	Revoked time.Time
	// By and Why are of its issue, and once it is revoked of that.
	By, Why string
	seq     uint64
}

// Token says whether it is one of HTTP.
func (c Credential) Token() bool { return strings.HasPrefix(c.Key, "token-") }

// place is a principal in a cell.
type place struct{ cell, principal string }

// Book is the register, added up.
type Book struct {
	mark      Mark
	anchor    Mark
	byKey     map[string]*Credential
	replaced  map[place]Entry // the last of each
	changed   uint64          // the last line that a broker has to enforce
	effective Entry           // the last word of one
}

func newBook(anchor Mark) *Book {
	return &Book{anchor: anchor, byKey: map[string]*Credential{}, replaced: map[place]Entry{}}
}

func (b *Book) clone() *Book {
	out := *b
	out.replaced = maps.Clone(b.replaced)
	out.byKey = make(map[string]*Credential, len(b.byKey))
	for k, c := range b.byKey {
		one := *c
		out.byKey[k] = &one
	}
	return &out
}

// Mark is the last line read.
func (b *Book) Mark() Mark { return b.mark }

// add takes in one line.
func (b *Book) add(line []byte) error {
	e, err := parse(line)
	if err == nil {
		err = b.follows(e)
	}
	if err == nil {
		err = b.enter(e)
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", b.mark.Seq+1, err)
	}
	b.mark = Mark{e.Seq, sum(line)}
	if b.mark.Seq == b.anchor.Seq && b.mark.Hash != b.anchor.Hash {
		return fmt.Errorf("line %d is not the one that the keys know", e.Seq)
	}
	return nil
}

func (b *Book) follows(e Entry) error {
	switch {
	case e.Seq != b.mark.Seq+1:
		return fmt.Errorf("it says that it is line %d", e.Seq)
	case e.Prev != b.mark.Hash:
		return errors.New("the line before it is another one")
	case (e.Event == Opened) != (e.Seq == 1):
		return errors.New("a register begins once")
	}
	return nil
}

func (b *Book) enter(e Entry) error {
	switch e.Event {
	case Issued:
		if b.byKey[e.Key] != nil {
			return errors.New("a key is issued twice")
		}
		b.byKey[e.Key] = &Credential{Key: e.Key, Principal: e.Principal, Cell: e.Cell, User: e.User, Signer: e.Signer, Issued: e.At, Expires: e.Expires, By: e.By, Why: e.Why, seq: e.Seq}
	case Renewed:
		c := b.byKey[e.Key]
		switch {
		case c == nil || c.Principal != e.Principal || c.Cell != e.Cell || c.User != e.User:
			return errors.New("what is renewed was issued to nobody, or to somebody else")
		case !c.Revoked.IsZero():
			return errors.New("what was revoked is renewed")
		}
		c.Signer = e.Signer
		if e.Expires.After(c.Expires) { // what was issued with a later end holds on
			c.Expires = e.Expires
		}
	case Revoked:
		c := b.byKey[e.Key]
		if c == nil { // issued before there was a register: no end is known
			c = &Credential{Key: e.Key, Principal: e.Principal, Cell: e.Cell, seq: e.Seq}
			b.byKey[e.Key] = c
		}
		if c.Cell != e.Cell || c.Principal != e.Principal {
			return errors.New("what is revoked was issued to somebody else")
		}
		if c.Revoked.IsZero() || e.From.Before(c.Revoked) {
			c.Revoked, c.By, c.Why = e.From, e.By, e.Why
		}
	case Replaced:
		b.replaced[place{e.Cell, e.Principal}] = e
	case Effective:
		if e.Upto >= e.Seq || e.Upto < b.effective.Upto {
			return errors.New("what is enforced lies ahead, or goes back")
		}
		b.effective = e
	}
	if e.Event == Revoked || e.Event == Replaced {
		b.changed = e.Seq
	}
	return nil
}

// Find returns what the register says of a key.
func (b *Book) Find(key string) (Credential, bool) {
	c := b.byKey[key]
	if c == nil {
		return Credential{}, false
	}
	return *c, true
}

// All lists every credential in the order of its first line.
func (b *Book) All() []Credential {
	out := make([]Credential, 0, len(b.byKey))
	for _, c := range b.byKey {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b Credential) int { return cmp.Compare(a.seq, b.seq) })
	return out
}

// slack keeps a revocation in force for longer than its credential could hold,
// should the clock be set back.
const slack = 7 * 24 * time.Hour

// RevokedIn lists the users of a cell's account whose credentials do not hold
// at a time and would without it: those that have expired are left out.
func (b *Book) RevokedIn(cell string, now time.Time) []string {
	var out []string
	for _, c := range b.byKey {
		if c.Cell != cell || c.Token() || c.Revoked.IsZero() || c.Revoked.After(now) {
			continue
		}
		if c.Expires.IsZero() || c.Expires.Add(slack).After(now) {
			out = append(out, c.Key)
		}
	}
	slices.Sort(out)
	return out
}

// Revoked says whether a key does not hold at a time.
func (b *Book) Revoked(key string, now time.Time) bool {
	c := b.byKey[key]
	return c != nil && !c.Revoked.IsZero() && !c.Revoked.After(now)
}

// Next is the first time after now at which a revocation begins to hold; zero:
// there is none.
func (b *Book) Next(now time.Time) time.Time {
	var next time.Time
	for _, c := range b.byKey {
		if c.Revoked.After(now) && (next.IsZero() || c.Revoked.Before(next)) {
			next = c.Revoked
		}
	}
	return next
}

// ReplacedSince lists the replacements of signing keys behind a line, in order.
func (b *Book) ReplacedSince(seq uint64) []Entry {
	var out []Entry
	for _, e := range b.replaced {
		if e.Seq > seq {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	return out
}

// ReplacedAt is when the signing key of a principal in a cell was last
// replaced; zero: never.
func (b *Book) ReplacedAt(cell, principal string) time.Time {
	return b.replaced[place{cell, principal}].At
}

// Effective is the last word of the broker on what it enforces.
func (b *Book) Effective() Entry { return b.effective }

// Waits says whether there is a revocation or a replacement of which no broker
// has said that it enforces it.
func (b *Book) Waits() bool { return b.changed > b.effective.Upto }
