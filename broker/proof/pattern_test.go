package proof

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// small draws patterns over so few words and tokens that all subjects can be tried.
func small(name string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "*"}), 1, 3).Draw(t, name)
		if rapid.Bool().Draw(t, name+" tail") {
			words[len(words)-1] = ">"
		}
		return strings.Join(words, ".")
	})
}

// subjects are all of up to four tokens over the words, and one word more.
func subjects() []pattern {
	var out, last []pattern
	last = []pattern{{}}
	for range 4 {
		var next []pattern
		for _, p := range last {
			for _, w := range []string{"a", "b", "c"} {
				next = append(next, append(append(pattern{}, p...), w))
			}
		}
		out, last = append(out, next...), next
	}
	return out
}

func TestMeetAndWithinAreThoseOfSets(t *testing.T) {
	all := subjects()
	rapid.Check(t, func(t *rapid.T) {
		a, b := fixed(small("a").Draw(t, "a")), fixed(small("b").Draw(t, "b"))
		both, ok := meet(a, b)
		if ok != touches(a, b) {
			t.Fatalf("%s and %s: meet %v, touches %v", a, b, ok, touches(a, b))
		}
		inside := true
		for _, s := range all {
			inA, inB := within(s, a), within(s, b)
			if inBoth := ok && within(s, both); inBoth != (inA && inB) {
				t.Fatalf("%s of %s and %s: in their meeting %s %v, in both %v", s, a, b, both, inBoth, inA && inB)
			}
			if inA && !inB {
				inside = false
			}
		}
		if got := within(a, b); got != inside {
			t.Fatalf("%s within %s: %v, by all subjects %v", a, b, got, inside)
		}
	})
}

func TestNoPattern(t *testing.T) {
	for _, s := range []string{"", ".", "a.", ".a", "a..b", ">.a", "a b", "a.>.b", "a\tb"} {
		if p, ok := parse(s); ok {
			t.Errorf("%q is read as %v", s, p)
		}
	}
}

func TestWidened(t *testing.T) {
	for in, want := range map[string]string{
		"a.b": "a.b", "_INBOX.fbi.{{name()}}.>": "_INBOX.fbi.>", "a.x{{tag(y)}}": "a.>", "{{name()}}": ">",
	} {
		if got := widened(in, "{{"); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
