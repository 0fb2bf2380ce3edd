package label_test

import (
	"errors"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/label"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var levels = []label.Level{label.Unclassified, label.CUI, label.Confidential, label.Secret, label.TopSecret}

// labels is the whole lattice over two sides and three compartments, where "A"
// is the end of "X-A": laws are checked on all of it, not on samples.
var labels = func() []label.Label {
	words := []string{"A", "B", "X-A"}
	out := []label.Label{{}}
	for _, level := range levels {
		for sides := range label.Sides(4) {
			for set := range 1 << len(words) {
				var c []string
				for i, w := range words {
					if set&(1<<i) != 0 {
						c = append(c, w)
					}
				}
				l, err := label.New(level, sides, c...)
				if err != nil {
					panic(err)
				}
				out = append(out, l)
			}
		}
	}
	return out
}()

func TestTheUnmarkedLabelReadsNothingAndNobodyReadsIt(t *testing.T) {
	var zero label.Label
	for _, l := range labels {
		if zero.Dominates(l) || l.Dominates(zero) {
			t.Errorf("unmarked and %s: want no dominance in either direction", l)
		}
		if !zero.Join(l).IsZero() || !l.Join(zero).IsZero() {
			t.Errorf("a join of unmarked and %s is marked", l)
		}
	}
}

func TestDominanceIsAPartialOrder(t *testing.T) {
	marked := labels[1:]
	for _, a := range marked {
		if !a.Dominates(a) {
			t.Errorf("%s does not dominate itself", a)
		}
		for _, b := range marked {
			ab := a.Dominates(b)
			if ab && b.Dominates(a) && a != b {
				t.Errorf("%s and %s dominate each other", a, b)
			}
			if ab != dominates(a, b) {
				t.Errorf("%s dominates %s: got %v", a, b, ab)
			}
			if !ab {
				continue
			}
			for _, c := range marked {
				if b.Dominates(c) && !a.Dominates(c) {
					t.Fatalf("%s dominates %s dominates %s, but not through", a, b, c)
				}
			}
		}
	}
}

// dominates is the definition, written apart from the code under test.
func dominates(a, b label.Label) bool {
	for _, w := range b.Compartments() {
		if !slices.Contains(a.Compartments(), w) {
			return false
		}
	}
	return a.Level() >= b.Level() && a.Sides()&b.Sides() == b.Sides()
}

func TestJoinIsTheLeastUpperBound(t *testing.T) {
	marked := labels[1:]
	for _, a := range marked {
		if a.Join(a) != a {
			t.Errorf("join of %s with itself is %s", a, a.Join(a))
		}
		for _, b := range marked {
			j := a.Join(b)
			if j != b.Join(a) {
				t.Fatalf("join of %s and %s depends on the order", a, b)
			}
			if !j.Dominates(a) || !j.Dominates(b) {
				t.Fatalf("join %s does not dominate %s and %s", j, a, b)
			}
			for _, c := range marked {
				if c.Dominates(a) && c.Dominates(b) && !c.Dominates(j) {
					t.Fatalf("%s dominates %s and %s, but not their join %s", c, a, b, j)
				}
			}
		}
	}
}

func TestProtoRoundTrip(t *testing.T) {
	for _, l := range labels[1:] {
		got, err := label.FromProto(l.Proto())
		if err != nil || got != l {
			t.Errorf("%s: got %s, %v", l, got, err)
		}
	}
	if _, err := label.FromProto(label.Label{}.Proto()); !errors.Is(err, label.ErrUnmarked) {
		t.Errorf("unmarked: got %v, want ErrUnmarked", err)
	}
}

func TestTheOrderOfWordsIsOneLabel(t *testing.T) {
	a, errA := label.FromProto(&wf.Label{Level: wf.Level_LEVEL_SECRET, Sides: []wf.Side{wf.Side_SIDE_INTEL, wf.Side_SIDE_LE}, Compartments: []string{"B", "A"}})
	b, errB := label.New(label.Secret, label.LE|label.Intel, "A", "B")
	if errA != nil || errB != nil || a != b {
		t.Errorf("got %s and %s, %v, %v", a, b, errA, errB)
	}
	if got, want := a.String(), "SECRET LE+INTEL A+B"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatCannotBeReadIsNoLabel(t *testing.T) {
	for name, m := range map[string]*wf.Label{
		"nothing":             nil,
		"no level":            {Sides: []wf.Side{wf.Side_SIDE_LE}},
		"level above the top": {Level: 6},
		"negative level":      {Level: -1},
		"level 257":           {Level: 257},
		"level 256":           {Level: 256},
		"unknown side":        {Level: 2, Sides: []wf.Side{3}},
		"no side":             {Level: 2, Sides: []wf.Side{0}},
		"side twice":          {Level: 2, Sides: []wf.Side{1, 1}},
		"empty compartment":   {Level: 2, Compartments: []string{""}},
		"lower case":          {Level: 2, Compartments: []string{"alpha"}},
		"line end":            {Level: 2, Compartments: []string{"A\nB"}},
		"compartment twice":   {Level: 2, Compartments: []string{"A", "A"}},
		"long compartment":    {Level: 2, Compartments: []string{"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"}},
	} {
		if l, err := label.FromProto(m); err == nil || !l.IsZero() {
			t.Errorf("%s: got %s, %v; want an error and no label", name, l, err)
		}
	}
	for _, bad := range []label.Level{label.Unmarked, 6, 255} {
		if l, err := label.New(bad, 0); err == nil || !l.IsZero() {
			t.Errorf("level %d: got %s, %v", bad, l, err)
		}
	}
	if _, err := label.New(label.CUI, 4); err == nil {
		t.Error("a third side is a label")
	}
}

func TestWordsAndTokens(t *testing.T) {
	for _, l := range levels {
		if got, err := label.ParseLevel(l.String()); err != nil || got != l || l.Token() == "" {
			t.Errorf("%s: got %s, %v", l, got, err)
		}
	}
	for _, s := range []string{"", "UNMARKED", "secret", "COSMIC", "TOP-SECRET"} {
		if l, err := label.ParseLevel(s); err == nil {
			t.Errorf("%q is level %s", s, l)
		}
	}
	if got := label.Level(9); got.Token() != "" || got.String() != "UNMARKED" {
		t.Errorf("level 9: got %q, %q", got.Token(), got)
	}
	seen := map[string]bool{}
	for s := range label.Sides(4) {
		seen[s.Token()] = true
		var back label.Sides
		for _, n := range s.Names() {
			one, err := label.ParseSide(n)
			if err != nil {
				t.Fatal(err)
			}
			back |= one
		}
		if back != s {
			t.Errorf("sides %v: got %v", s, back)
		}
	}
	if len(seen) != 4 || seen[""] {
		t.Errorf("got tokens %v, want four", seen)
	}
	if _, err := label.ParseSide("le"); err == nil {
		t.Error("le is a side in lower case")
	}
	if label.Sides(8).Token() != "" {
		t.Error("an unknown set of sides has a token")
	}
}

func TestCompartmentsAreACopy(t *testing.T) {
	words := []string{"B", "A"}
	l, err := label.New(label.CUI, 0, words...)
	if err != nil {
		t.Fatal(err)
	}
	words[0] = "X"
	l.Compartments()[0] = "Y"
	if got := l.Compartments(); !slices.Equal(got, []string{"A", "B"}) {
		t.Errorf("got %v", got)
	}
	if !proto.Equal(l.Proto(), &wf.Label{Level: 2, Compartments: []string{"A", "B"}}) {
		t.Errorf("got %v", l.Proto())
	}
}
