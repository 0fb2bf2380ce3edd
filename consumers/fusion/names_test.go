package fusion

import (
	"testing"

	"pgregory.net/rapid"
)

// TestShortWays: what is written for speed says what the plain form says.
func TestShortWays(t *testing.T) {
	name := rapid.OneOf(rapid.StringMatching(`[a-d ]{0,9}`), rapid.StringMatching(`[a-z]{1,14}`), rapid.StringN(0, 70, -1))
	rapid.Check(t, func(t *rapid.T) {
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		if rapid.Bool().Draw(t, "near") && len(a) > 2 {
			b = a[:len(a)/2] + b[:len(b)/3] + a[len(a)/2:]
		}
		if rapid.Bool().Draw(t, "stem") { // alike by how they begin
			stem := rapid.StringMatching(`[a-h]{3,5}`).Draw(t, "stem")
			a, b = stem+rapid.StringMatching(`[i-p]{0,3}`).Draw(t, "one end"), stem+rapid.StringMatching(`[q-z]{0,3}`).Draw(t, "another")
		}
		if got, want := resemblance(a, b), similarity(a, b); got != want && (want >= 860 || got >= 860) {
			t.Fatalf("resemblance(%q, %q) = %d, similarity %d", a, b, got, want)
		}
		c, d := name.Draw(t, "c"), name.Draw(t, "d")
		x, y := squeezed(a+b), squeezed(c+d)
		if got := sameLetters(a, b, c, d); got != (x != "" && x == y) {
			t.Fatalf("sameLetters(%q, %q, %q, %q) = %v", a, b, c, d, got)
		}
		if i := len(a) / 2; x != "" && !sameLetters(a, b, a[:i], " "+a[i:]+b) {
			t.Fatalf("%q %q is not itself without spaces", a, b)
		}
		s := rapid.StringMatching(`[ -~]{0,200}`).Draw(t, "ascii")
		if len(s) > maxName {
			s = s[:maxName]
		}
		if got, want := foldedASCII(s), folded(s); got != want {
			t.Fatalf("foldedASCII(%q) = %q, want %q", s, got, want)
		}
	})
}
