package broker

import (
	"errors"
	"testing"
)

// A stream in the making looks to the server like one that it could not recover:
// a complaint counts when nothing changed from before the question to the answer.
func TestComplaintWhileStreamsChange(t *testing.T) {
	lost := errors.New("could not be recovered")
	for _, c := range []struct {
		name         string
		before, then func(*vigil) // before the server is asked, and before its answer is noted
		counts       bool
	}{
		{"nothing changes", nil, nil, true},
		{"a change ended before", func(v *vigil) { v.changing()() }, nil, true},
		{"a change is under way", func(v *vigil) { v.changing() }, nil, false},
		{"a change begins", nil, func(v *vigil) { v.changing() }, false},
		{"a change begins and ends", nil, func(v *vigil) { v.changing()() }, false},
		{"one ends and another begins", func(v *vigil) { v.changing() }, func(v *vigil) { v.changes.Add(1); v.changing() }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var v vigil
			step := func(f func(*vigil)) {
				if f != nil {
					f(&v)
				}
			}
			step(c.before)
			changes := v.changes.Load()
			step(c.then)
			v.noteNATS(lost, changes)
			if got := v.health().Err() != nil; got != c.counts {
				t.Errorf("the complaint counts: got %v, want %v", got, c.counts)
			}
			v.noteNATS(nil, changes)
			if err := v.health().Err(); err != nil {
				t.Errorf("well again: got %v", err)
			}
		})
	}
}
