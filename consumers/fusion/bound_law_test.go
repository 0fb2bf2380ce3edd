package fusion

import (
	"testing"

	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// drawPersonEntity is a person out of few, whose names are equal, alike, in
// each other's place, short, of several words or absent.
func drawPersonEntity(t *rapid.T) *wf.Entity {
	pick := func(name string, of ...string) string { return of[rapid.IntRange(0, len(of)-1).Draw(t, name)] }
	given := []string{"", "Karim", "Kareem", "Robert", "Bob", "K", "Haddad", "Maria", "Luz Maria", "Xiomaraq"}
	family := []string{"", "Haddad", "Hadad", "Karim", "Karim Lee", "Haddad Lee", "Lee", "Smith", "Smyth", "Quxworthy", "Maria Lee", "Maria"}
	p := &wf.Person{Sex: pick("sex", "", "m", "f"), Age: int32(rapid.IntRange(0, 1).Draw(t, "aged") * rapid.IntRange(30, 44).Draw(t, "age"))}
	for range rapid.IntRange(1, 2).Draw(t, "names") {
		p.Names = append(p.Names, &wf.PersonName{Given: pick("given", given...), Middle: pick("middle", "", "", "Lee", "L", "Maria"),
			Family: pick("family", family...), Suffix: pick("suffix", "", "jr", "sr")})
	}
	if rapid.Bool().Draw(t, "born") {
		p.Birth = &wf.PartialDate{Year: int32(1984 + rapid.IntRange(0, 4).Draw(t, "year")), Month: int32(rapid.IntRange(0, 4).Draw(t, "month")), Day: int32(rapid.IntRange(0, 5).Draw(t, "day"))}
	}
	e := &wf.Entity{Detail: &wf.Entity_Person{Person: p}}
	if n := pick("number", "", "", "123456780", "123456789", "123456798", "999456789"); n != "" {
		e.Identifiers = append(e.Identifiers, &wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT, Value: n, Issuer: "US"})
	}
	return e
}

// drawWeights is the table with some rows replaced, for better and worse.
func drawWeights(t *rapid.T) Weights {
	w := DefaultWeights()
	for range rapid.IntRange(0, 4).Draw(t, "rows") {
		w.bits[rapid.IntRange(1, int(weightCount)-1).Draw(t, "row")] = int32(rapid.IntRange(-20_000, 30_000).Draw(t, "bits"))
	}
	return w
}

// What is decided by a bound is what the whole score decides: at a threshold
// that the pair just reaches it gets its score, above that it does not.
func TestABoundDecidesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := cramped()
		c.Weights = drawWeights(t)
		e := New(c)
		n := rapid.IntRange(2, 5).Draw(t, "reports")
		for i := range n {
			in := drawReport(t, i)
			for range rapid.IntRange(0, 3).Draw(t, "persons") {
				in.Report.Entities = append(in.Report.Entities, drawPersonEntity(t))
			}
			e.Apply(in)
		}
		for a := int32(1); int(a) < len(e.nodes); a++ {
			for b := int32(1); b < a; b++ {
				if e.nodes[a].record == 0 || e.nodes[b].record == 0 {
					continue
				}
				s := e.score(a, b)
				if e.threshold = s; e.decide(a, b) != s {
					t.Fatalf("%d and %d score %d and are given up at that", a, b, s)
				}
				if e.threshold = s + 1; e.decide(a, b) > s {
					t.Fatalf("%d and %d score %d and pass %d", a, b, s, s+1)
				}
			}
		}
	})
}
