package durability

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Key names one revision of a report.
type Key struct {
	Cell     string
	Agency   string
	ID       string
	Revision uint64
}

func (k Key) String() string {
	return fmt.Sprintf("%s/%s %s revision %d", k.Cell, k.Agency, k.ID, k.Revision)
}

// Sent is one revision of a report as its producer knows it.
type Sent struct {
	Key
	Digest [32]byte // SHA-256 of the payload
	// First and Last number the sendings of its agency in their order: when it was
	// sent for the first time, and for the last. Whoever sends again in the same
	// order what was never answered may leave Last at First, and is then held to
	// the order of the first sending.
	First, Last uint64
	// Acknowledged: the producer was told that it is stored. Sequence is where, 0
	// when that was not said. Superseded: it was told that a higher revision is.
	Acknowledged bool
	Sequence     uint64
	Superseded   bool
}

// Stored is one admitted report as REPORTS holds it.
type Stored struct {
	Key
	Digest   [32]byte
	Sequence uint64 // of the stream of its cell
}

// Verdict says how what was acknowledged and what is stored differ.
type Verdict struct {
	Sent, Acknowledged, Stored int
	// Lost were acknowledged and are not there, or not with the bytes sent, or not
	// where the acknowledgement said.
	Lost int
	// Duplicated are stored more than once, Reordered before one of the same agency
	// that was sent earlier.
	Duplicated, Reordered int
	// Strange are stored and were never sent.
	Strange int
	// Findings are the first of them in words.
	Findings []string
}

const maxFindings = 20

func (v *Verdict) find(n *int, format string, args ...any) {
	*n++
	if len(v.Findings) < maxFindings {
		v.Findings = append(v.Findings, fmt.Sprintf(format, args...))
	}
}

// Err is nil when nothing was lost, duplicated, reordered or strange.
func (v Verdict) Err() error {
	if v.Lost+v.Duplicated+v.Reordered+v.Strange == 0 {
		return nil
	}
	errs := []error{errors.New(v.String())}
	for _, f := range v.Findings {
		errs = append(errs, errors.New(f))
	}
	return errors.Join(errs...)
}

func (v Verdict) String() string {
	return fmt.Sprintf("%d sent, %d acknowledged, %d stored: %d lost, %d duplicated, %d reordered, %d strange",
		v.Sent, v.Acknowledged, v.Stored, v.Lost, v.Duplicated, v.Reordered, v.Strange)
}

// Check compares what producers sent, in any order, with what is stored, in any
// order.
func Check(sent []Sent, stored []Stored) Verdict {
	v := Verdict{Sent: len(sent), Stored: len(stored)}
	stored = slices.Clone(stored)
	slices.SortFunc(stored, func(a, b Stored) int { return cmp.Compare(a.Sequence, b.Sequence) })
	at := make(map[Key]Stored, len(stored))
	for _, s := range stored {
		if first, twice := at[s.Key]; twice {
			v.find(&v.Duplicated, "%s is stored at %d and at %d", s.Key, first.Sequence, s.Sequence)
			continue
		}
		at[s.Key] = s
	}
	known := make(map[Key]Sent, len(sent))
	for _, s := range sent {
		known[s.Key] = s
		v.lost(s, at)
	}
	for k, s := range at {
		if _, ok := known[k]; !ok {
			v.find(&v.Strange, "%s is stored at %d and was never sent", k, s.Sequence)
		}
	}
	v.order(stored, at, known)
	return v
}

func (v *Verdict) lost(s Sent, at map[Key]Stored) {
	if !s.Acknowledged {
		return
	}
	v.Acknowledged++
	have, ok := at[s.Key]
	switch {
	case !ok && s.Superseded && higher(s.Key, at):
	case !ok:
		v.find(&v.Lost, "%s was acknowledged at %d and is not there", s.Key, s.Sequence)
	case have.Digest != s.Digest:
		v.find(&v.Lost, "%s was acknowledged and is stored at %d with other bytes", s.Key, have.Sequence)
	case s.Sequence != 0 && s.Sequence != have.Sequence:
		v.find(&v.Lost, "%s was acknowledged at %d and is stored at %d", s.Key, s.Sequence, have.Sequence)
	}
}

// higher says whether a higher revision of the same report is stored.
func higher(k Key, at map[Key]Stored) bool {
	for have := range at {
		if have.Cell == k.Cell && have.Agency == k.Agency && have.ID == k.ID && have.Revision > k.Revision {
			return true
		}
	}
	return false
}

// order walks back over what is stored: a report is out of order when everything
// that says so comes after it, that is when a later stored one was sent for the
// last time before this one was for the first.
func (v *Verdict) order(stored []Stored, at map[Key]Stored, known map[Key]Sent) {
	type sender struct{ cell, agency string }
	earliest := map[sender]Sent{} // of what is stored later, the one sent last the longest ago
	for _, s := range slices.Backward(stored) {
		sent, ok := known[s.Key]
		if !ok || at[s.Key].Sequence != s.Sequence {
			continue
		}
		who := sender{s.Cell, s.Agency}
		e, some := earliest[who]
		if some && e.Last < sent.First {
			v.find(&v.Reordered, "%s was sent before %s and is stored after it", e.Key, s.Key)
		}
		if !some || sent.Last < e.Last {
			earliest[who] = sent
		}
	}
}
