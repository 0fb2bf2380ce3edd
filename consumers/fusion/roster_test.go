package fusion

import (
	"slices"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"
	"pgregory.net/rapid"
)

func TestARosterHoldsWhatItWasMadeOf(t *testing.T) {
	word := rapid.StringMatching(`[ab]{1,18}`)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.MapOf(word, rapid.Int()).Draw(t, "words")
		r := rosterOf(words)
		for _, w := range append(rapid.SliceOf(word).Draw(t, "others"), "", strings.Repeat("a", 40)) {
			if v, ok := r.find(w); ok != has(words, w) || v != words[w] {
				t.Fatalf("%q: %d, %v; want %d", w, v, ok, words[w])
			}
		}
		for w, want := range words {
			if v, ok := r.find(w); !ok || v != want {
				t.Fatalf("%q: %d, %v; want %d", w, v, ok, want)
			}
		}
	})
}

func has(m map[string]int, w string) bool { _, ok := m[w]; return ok }

// A sketch is the smallest distinct hashes of all runs of three words.
func TestASketchIsTheSmallestShingles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ \n]{0,2}([abc]{1,3}[ \n\t\r]{1,2}){0,40}[ab]{0,2}`).Draw(t, "text")
		var starts, ends []int
		for i := range len(text) {
			if !strings.ContainsRune(" \n\t\r", rune(text[i])) {
				if i == 0 || strings.ContainsRune(" \n\t\r", rune(text[i-1])) {
					starts = append(starts, i)
				}
				if i+1 == len(text) || strings.ContainsRune(" \n\t\r", rune(text[i+1])) {
					ends = append(ends, i+1)
				}
			}
		}
		var all []uint32
		for i := 2; i < len(starts); i++ {
			all = append(all, uint32(xxh3.HashString(text[starts[i-2]:ends[i]])>>32))
		}
		slices.Sort(all)
		all = slices.Compact(all)
		var want [sketchSize]uint32
		if len(starts) >= 10 {
			copy(want[:], all)
		}
		if got, n := sketch(text); got != want || n != len(starts) {
			t.Fatalf("%v of %d words, want %v of %d", got, n, want, len(starts))
		}
	})
}

func TestSoundsThatBeginAlike(t *testing.T) {
	name := rapid.StringMatching(`[ckqszvfe][ae]{0,2}[bdl][ae][gmn]?[ckqszvfé ]{0,3}`)
	rapid.Check(t, func(t *rapid.T) {
		x, y := name.Draw(t, "x"), name.Draw(t, "y")
		if rapid.Bool().Draw(t, "respelt") {
			y = strings.NewReplacer("c", "k", "k", "q", "s", "z", "z", "s", "v", "f", "f", "v", "e", "a").Replace(x)
		}
		var a, b [16]byte
		n := skeleton(&a, x)
		if want := n >= 3 && n == skeleton(&b, y) && a == b; soundsLike(x, y) != want {
			t.Fatalf("%q and %q: %v, want %v", x, y, !want, want)
		}
	})
}
