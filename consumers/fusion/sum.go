package fusion

import (
	"encoding/binary"
	"math/bits"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// sum is a number modulo 2^256: the digest of a picture is the sum of the
// hashes of its situations, so that it follows every change in constant time
// and depends on no order.
type sum [4]uint64

func sumOf(h [32]byte) (s sum) {
	for i := range s {
		s[i] = binary.BigEndian.Uint64(h[24-8*i:])
	}
	return s
}

func (s sum) bytes() (out [32]byte) {
	for i, v := range s {
		binary.BigEndian.PutUint64(out[24-8*i:], v)
	}
	return out
}

func (s *sum) add(o sum) {
	var c uint64
	for i := range s {
		s[i], c = bits.Add64(s[i], o[i], c)
	}
}

func (s *sum) sub(o sum) {
	var b uint64
	for i := range s {
		s[i], b = bits.Sub64(s[i], o[i], b)
	}
}

// Sum is the digest of a picture as a number that follows changes: a reader
// adds the hash of what comes and subtracts that of what goes.
type Sum struct{ s sum }

// Add adds a situation's hash.
func (s *Sum) Add(h [32]byte) { s.s.add(sumOf(h)) }

// Sub takes a situation's hash away.
func (s *Sum) Sub(h [32]byte) { s.s.sub(sumOf(h)) }

// Digest is the digest of what was added and not taken away.
func (s *Sum) Digest() [32]byte { return s.s.bytes() }

// DigestOf is the digest of a picture: the sum modulo 2^256 of the hashes of
// its situations, big-endian.
func DigestOf(situations []*wf.Situation) [32]byte {
	var s sum
	for _, x := range situations {
		s.add(sumOf(Hash(x)))
	}
	return s.bytes()
}
