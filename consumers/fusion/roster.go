package fusion

import (
	"encoding/binary"
	"iter"
	"unsafe"
)

// roster is a fixed table of words, for texts of which most stand in no table:
// those are told from the first and last bytes and an empty slot.
type roster[V any] struct {
	slots   []rosterSlot[V]
	longest int
}

type rosterSlot[V any] struct {
	word  string
	value V
}

func rosterOf[V any](words map[string]V) *roster[V] {
	size := 8
	for size < 4*len(words) {
		size *= 2
	}
	r := &roster[V]{slots: make([]rosterSlot[V], size)}
	for w, v := range words {
		if w == "" {
			panic("fusion: a word of a roster is empty")
		}
		r.longest = max(r.longest, len(w))
		i := r.start(w)
		for r.slots[i].word != "" {
			i = (i + 1) & uint64(size-1)
		}
		r.slots[i] = rosterSlot[V]{w, v}
	}
	return r
}

// find is the value of a word, and whether it stands there.
func (r *roster[V]) find(s string) (v V, ok bool) {
	if len(s) == 0 || len(s) > r.longest {
		return v, false
	}
	for i := r.start(s); ; i = (i + 1) & uint64(len(r.slots)-1) {
		x := &r.slots[i]
		if x.word == s {
			return x.value, true
		}
		if x.word == "" {
			return v, false
		}
	}
}

func (r *roster[V]) has(s string) bool {
	_, ok := r.find(s)
	return ok
}

// all lists the words, in no order that means anything.
func (r *roster[V]) all() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, x := range r.slots {
			if x.word != "" && !yield(x.word, x.value) {
				return
			}
		}
	}
}

// start is the first slot that a word may stand in.
func (r *roster[V]) start(s string) uint64 {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	n := len(b)
	var head, tail uint64
	switch {
	case n >= 8:
		head, tail = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		head, tail = uint64(binary.LittleEndian.Uint32(b)), uint64(binary.LittleEndian.Uint32(b[n-4:]))
	default:
		head, tail = uint64(b[0])|uint64(b[n/2])<<8, uint64(b[n-1])
	}
	h := (head ^ tail*0x9e3779b97f4a7c15 ^ uint64(n)) * 0xbf58476d1ce4e5b9
	return (h >> 32) & uint64(len(r.slots)-1)
}
