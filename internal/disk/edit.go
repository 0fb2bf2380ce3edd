//go:build linux

package disk

import "math/rand/v2"

// sector is what a disk writes whole or not at all.
const sector = 512

// edit is how to take one unsynced change of a file's content back.
type edit struct {
	off  int64
	old  []byte // what stood at off
	size int64  // of the file before
}

// content is the bytes of a file as processes see them, and the way back to
// those that are on disk.
type content struct {
	data  []byte
	edits []edit
}

// write puts b at off; a hole before it is zeros.
func (c *content) write(b []byte, off int64) {
	size := int64(len(c.data))
	var old []byte
	if off < size {
		old = append(old, c.data[off:min(size, off+int64(len(b)))]...)
	}
	c.edits = append(c.edits, edit{off: min(off, size), old: old, size: size})
	c.data = resize(c.data, max(size, off+int64(len(b))))
	copy(c.data[off:], b)
}

func (c *content) truncate(to int64) {
	size := int64(len(c.data))
	if to == size {
		return
	}
	e := edit{off: min(to, size), size: size}
	if to < size {
		e.old = append(e.old, c.data[to:]...)
	}
	c.edits = append(c.edits, e)
	c.data = resize(c.data, to)
}

// sync makes what processes see what is on disk.
func (c *content) sync() { c.edits = nil }

// back takes the last n edits back.
func (c *content) back(n int) {
	for ; n > 0; n-- {
		e := c.edits[len(c.edits)-1]
		c.edits = c.edits[:len(c.edits)-1]
		c.data = resize(c.data, e.size)
		copy(c.data[e.off:], e.old)
	}
}

// cut leaves what a power cut leaves: what was synced and, as s says, some of
// what was not.
func (c *content) cut(s Survival, rng *rand.Rand) {
	n := len(c.edits)
	switch {
	case n == 0 || s == Everything:
	case s == Nothing:
		c.back(n)
	default:
		c.tear(rng)
	}
	c.edits = nil
}

// tear lets a prefix of the edits reach the disk, the last of them in part, or
// any sectors of that prefix: a cache is written back in any order.
func (c *content) tear(rng *rand.Rand) {
	k := rng.IntN(len(c.edits) + 1)
	c.back(len(c.edits) - k)
	if k == 0 {
		return
	}
	how := rng.IntN(3)
	if how == 0 { // k edits, whole
		return
	}
	later := append([]byte(nil), c.data...)
	if how == 1 { // the last of k edits up to a sector
		e := c.edits[k-1]
		end := int64(len(later))
		c.back(1)
		if end <= e.off {
			return
		}
		cut := (e.off + rng.Int64N(end-e.off+1)) / sector * sector
		c.mix(later, max(cut, min(e.size, end)), func(i int64) bool { return i < cut })
		return
	}
	c.back(k) // any sectors
	lo, hi := min(len(c.data), len(later)), max(len(c.data), len(later))
	c.mix(later, int64(lo+rng.IntN(hi-lo+1)), func(int64) bool { return rng.IntN(2) == 0 })
}

// mix makes a file of size bytes with the sectors of later that take says.
func (c *content) mix(later []byte, size int64, take func(off int64) bool) {
	c.data = resize(c.data, size)
	for off := int64(0); off < size; off += sector {
		if off < int64(len(later)) && take(off) {
			copy(c.data[off:min(off+sector, size)], later[off:])
		}
	}
}

// resize keeps what fits and fills with zeros.
func resize(b []byte, n int64) []byte {
	have := int64(len(b))
	if n <= have {
		return b[:n]
	}
	if n <= int64(cap(b)) {
		b = b[:n]
		clear(b[have:])
		return b
	}
	grown := make([]byte, n, max(n, min(2*have, have+(4<<20))))
	copy(grown, b)
	return grown
}
