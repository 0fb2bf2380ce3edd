package quality

import (
	"hash/fnv"
	"math/bits"
	"time"
)

// rng is SplitMix64: the same on every machine and in every version of the language.
type rng struct{ s uint64 }

// seeded makes a generator that depends on a name alone.
func seeded(name string) *rng {
	h := fnv.New64a()
	h.Write([]byte(name))
	r := &rng{h.Sum64()}
	r.next()
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

// chance is true in percent of 100 cases.
func (r *rng) chance(percent int) bool { return r.n(100) < percent }

// float is a number from 0 to 1.
func (r *rng) float() float64 { return float64(r.next()>>11) / (1 << 53) }

// duration is a time from 0 to below.
func (r *rng) duration(below time.Duration) time.Duration { return time.Duration(r.n(int(below))) }
