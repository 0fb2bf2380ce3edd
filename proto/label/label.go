// Package label is the lattice of access labels: level x sides x compartments.
//
// A cell has a label, and so has a report. Whoever holds a label may read what
// it dominates. Dissemination controls (ORCON, REL TO, TLP ...) ride on a
// report in the same message; package label carries them as [Dissemination]
// and joins them, but they never widen access.
//
// It is not a policy: which cell has which label stands in package policy.
package label

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Level is the classification level. The zero value is unmarked.
type Level uint8

// The levels in rising order.
const (
	Unmarked Level = iota
	Unclassified
	CUI
	Confidential
	Secret
	TopSecret
)

var levelTokens = [...]string{"", "u", "cui", "c", "s", "ts"}
var levelNames = [...]string{"UNMARKED", "UNCLASSIFIED", "CUI", "CONFIDENTIAL", "SECRET", "TOP SECRET"}

// String is the marking word spelled out.
func (l Level) String() string {
	if int(l) >= len(levelNames) {
		return levelNames[Unmarked]
	}
	return levelNames[l]
}

// Token is the level in a subject: u, cui, c, s or ts; empty when unmarked.
func (l Level) Token() string {
	if int(l) >= len(levelTokens) {
		return ""
	}
	return levelTokens[l]
}

// ParseLevel reads a marking word; any other word is an error, never a guess.
func ParseLevel(s string) (Level, error) {
	for i, n := range levelNames {
		if i > 0 && s == n {
			return Level(i), nil
		}
	}
	return Unmarked, fmt.Errorf("unknown level %q: use one of %s", s, strings.Join(levelNames[1:], ", "))
}

// Sides is a set of sides.
type Sides uint8

// The sides.
const (
	LE Sides = 1 << iota
	Intel
)

// Contains says whether every side of o is in s.
func (s Sides) Contains(o Sides) bool { return s&o == o }

// Token is the set in a subject: none, le, intel or le-intel.
func (s Sides) Token() string {
	switch s {
	case 0:
		return "none"
	case LE:
		return "le"
	case Intel:
		return "intel"
	case LE | Intel:
		return "le-intel"
	}
	return ""
}

// Names lists the sides as marking words.
func (s Sides) Names() []string {
	var out []string
	if s&LE != 0 {
		out = append(out, "LE")
	}
	if s&Intel != 0 {
		out = append(out, "INTEL")
	}
	return out
}

// ParseSide reads LE or INTEL.
func ParseSide(s string) (Sides, error) {
	switch s {
	case "LE":
		return LE, nil
	case "INTEL":
		return Intel, nil
	}
	return 0, fmt.Errorf("unknown side %q: use LE or INTEL", s)
}

// Label is an access label. The zero label reads nothing and nobody reads it.
type Label struct {
	level        Level
	sides        Sides
	compartments string // sorted, each followed by '\n'
}

// ErrUnmarked is returned for a label without a level.
var ErrUnmarked = errors.New("label has no level")

// New makes a label. Compartments are words of [A-Z0-9-], each once.
func New(level Level, sides Sides, compartments ...string) (Label, error) {
	if level == Unmarked || int(level) >= len(levelNames) {
		return Label{}, ErrUnmarked
	}
	if sides&^(LE|Intel) != 0 {
		return Label{}, fmt.Errorf("unknown side in set %#x", uint8(sides))
	}
	c := slices.Clone(compartments)
	slices.Sort(c)
	for i, w := range c {
		if !compartmentWord(w) {
			return Label{}, fmt.Errorf("compartment %q: use 1 to 32 of A-Z, 0-9 and '-'", w)
		}
		if i > 0 && c[i-1] == w {
			return Label{}, fmt.Errorf("compartment %q is named twice", w)
		}
	}
	l := Label{level: level, sides: sides}
	if len(c) > 0 {
		l.compartments = strings.Join(c, "\n") + "\n"
	}
	return l, nil
}

func compartmentWord(w string) bool {
	if w == "" || len(w) > 32 {
		return false
	}
	for _, r := range []byte(w) {
		if !(r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-') {
			return false
		}
	}
	return true
}

// Level returns the level.
func (a Label) Level() Level { return a.level }

// Sides returns the sides.
func (a Label) Sides() Sides { return a.sides }

// Compartments returns the compartments, sorted.
func (a Label) Compartments() []string {
	if a.compartments == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(a.compartments, "\n"), "\n")
}

// IsZero says whether the label is unmarked.
func (a Label) IsZero() bool { return a.level == Unmarked }

// Dominates says whether whoever holds a may read b.
func (a Label) Dominates(b Label) bool {
	if a.level == Unmarked || b.level == Unmarked || a.level < b.level {
		return false
	}
	return a.sides.Contains(b.sides) && containsAll(a.compartments, b.compartments)
}

func containsAll(a, b string) bool {
	if b == "" || a == b {
		return true
	}
	have := "\n" + a
	for _, w := range strings.SplitAfter(b, "\n") {
		if w != "" && !strings.Contains(have, "\n"+w) {
			return false
		}
	}
	return true
}

// Join is the least label that dominates both; unmarked if either is.
func (a Label) Join(b Label) Label {
	if a.IsZero() || b.IsZero() {
		return Label{}
	}
	words := append(a.Compartments(), b.Compartments()...)
	slices.Sort(words)
	words = slices.Compact(words)
	l := Label{level: max(a.level, b.level), sides: a.sides | b.sides}
	if len(words) > 0 {
		l.compartments = strings.Join(words, "\n") + "\n"
	}
	return l
}

// String is the access label in words: "TOP SECRET LE+INTEL ALPHA".
func (a Label) String() string {
	if a.IsZero() {
		return levelNames[Unmarked]
	}
	parts := []string{a.level.String()}
	if a.sides != 0 {
		parts = append(parts, strings.Join(a.sides.Names(), "+"))
	}
	if c := a.Compartments(); len(c) > 0 {
		parts = append(parts, strings.Join(c, "+"))
	}
	return strings.Join(parts, " ")
}

// FromProto reads the access part of m. Nil, an unknown level, side or
// compartment is an error: what cannot be read is refused, never guessed.
func FromProto(m *wf.Label) (Label, error) {
	if m == nil || m.Level == wf.Level_LEVEL_UNSPECIFIED {
		return Label{}, ErrUnmarked
	}
	if m.Level < 0 || int(m.Level) >= len(levelNames) {
		return Label{}, fmt.Errorf("unknown level %d", m.Level)
	}
	var sides Sides
	for _, s := range m.Sides {
		var bit Sides
		switch s {
		case wf.Side_SIDE_LE:
			bit = LE
		case wf.Side_SIDE_INTEL:
			bit = Intel
		default:
			return Label{}, fmt.Errorf("unknown side %d", s)
		}
		if sides&bit != 0 {
			return Label{}, fmt.Errorf("side %s is named twice", bit.Token())
		}
		sides |= bit
	}
	return New(Level(m.Level), sides, m.Compartments...)
}

// Proto writes the access part as a message.
func (a Label) Proto() *wf.Label {
	m := &wf.Label{Level: wf.Level(a.level), Compartments: a.Compartments()}
	if a.sides&LE != 0 {
		m.Sides = append(m.Sides, wf.Side_SIDE_LE)
	}
	if a.sides&Intel != 0 {
		m.Sides = append(m.Sides, wf.Side_SIDE_INTEL)
	}
	return m
}
