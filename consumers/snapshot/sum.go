package snapshot

import (
	"encoding/binary"
	"math/bits"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
)

// sum is a digest under construction: the sum of hashes modulo 2^256, read as
// big-endian numbers, as fusion.DigestOf defines it. Least word first.
type sum [4]uint64

func words(h [32]byte) (w sum) {
	for i := range w {
		w[i] = binary.BigEndian.Uint64(h[24-8*i:])
	}
	return w
}

func (s *sum) add(h [32]byte) {
	w, c := words(h), uint64(0)
	for i := range s {
		s[i], c = bits.Add64(s[i], w[i], c)
	}
}

func (s *sum) remove(h [32]byte) {
	w, b := words(h), uint64(0)
	for i := range s {
		s[i], b = bits.Sub64(s[i], w[i], b)
	}
}

func (s sum) bytes() (out [32]byte) {
	for i := range s {
		binary.BigEndian.PutUint64(out[24-8*i:], s[i])
	}
	return out
}

// stamp is t as a message; absent when t is zero.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
