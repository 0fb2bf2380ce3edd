package exercise

import "math/bits"

// rng is SplitMix64: small, fast, and the same on every machine and in every
// version of the language.
type rng struct {
	s        uint64
	story    uint64 // whose it is
	licenses uint64 // how many it has given
}

// seeded makes a generator that depends on every part.
func seeded(parts ...uint64) rng {
	r := rng{s: 0x9e3779b97f4a7c15}
	for _, p := range parts {
		r.s ^= p
		r.s = r.next()
	}
	return r
}

func (r *rng) next() uint64 {
	r.s += 0x9e3779b97f4a7c15
	z := r.s
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// n is a number from 0 to n-1.
func (r *rng) n(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// between is a number from lo to hi, both included.
func (r *rng) between(lo, hi int) int { return lo + r.n(hi-lo+1) }

// chance is true in permille of 1000 cases.
func (r *rng) chance(permille int) bool { return r.n(1000) < permille }

// digits writes n decimal digits.
func (r *rng) digits(n int) string { return r.from("0123456789", n) }

// from writes n characters of an alphabet.
func (r *rng) from(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.n(len(alphabet))]
	}
	return string(b)
}

// one picks an element.
func one[T any](r *rng, list []T) T { return list[r.n(len(list))] }

// zipf picks an index of n with weight 1/(index+shift).
func (r *rng) zipf(t *zipfTable) int {
	x := r.n(t.total)
	lo, hi := 0, len(t.upTo)-1
	for lo < hi {
		mid := (lo + hi) / 2
		if t.upTo[mid] <= x {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// zipfTable is a cumulated table of integer weights.
type zipfTable struct {
	upTo  []int
	total int
}

func newZipf(n, shift int) *zipfTable {
	return cumulate(n, func(i int) int { return 1_000_000 / (i + shift) })
}

// cumulate builds a table of any weights.
func cumulate(n int, weight func(i int) int) *zipfTable {
	t := &zipfTable{upTo: make([]int, n)}
	for i := range n {
		t.total += weight(i)
		t.upTo[i] = t.total
	}
	return t
}
