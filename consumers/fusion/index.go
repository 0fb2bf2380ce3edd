package fusion

import (
	"slices"
	"unsafe"
)

// index holds one posting list per key: the live reports that carry it, in the
// order of before. A list of one is the report's number in the table; a short
// one a block of numbers in an arena, its length first; a long one chunks.
//
// The keys of an index are those of lists, 48 bits (key.list), which is what a
// segment and a tag of the table hold: equal tags are equal keys.
type index struct {
	e     *Engine
	table lookup
	lists arena
	longs []long
	spare []int32 // free longs
	// counts is how many reports of an epoch carry a key, for keys with more
	// reports than the hub limit.
	counts map[keyEpoch]int32
}

// post is a list: 0 none, a node, or a block of lists.
type post uint32

type keyEpoch struct {
	key   key
	epoch int64
}

const (
	indexBits = 12
	isList    = 1 << (refBits - 1)
	shortList = 63
	chunkSize = 256
)

// long is a list of chunks, each sorted, none empty.
type long struct {
	chunks [][]int32
	n      int32
}

func (x *index) init(e *Engine) {
	x.e = e
	x.table.init(indexBits)
	x.lists.init()
	x.counts = map[keyEpoch]int32{}
}

// spread is the hash of a list's key in the table: its first 48 bits are a
// bijection of the key's.
func (k key) spread() uint64 { return uint64(k) * 0x9e3779b97f4a7c15 }

// find is the list of a key.
func (x *index) find(k key) post { return post(x.table.get(k.list().spread())) }

func (p post) many() bool { return p&isList != 0 }

// block is the memory of a list: its length, or -1 less its place in longs,
// and its numbers.
func (x *index) block(p post) *[shortList + 1]int32 {
	return (*[shortList + 1]int32)(unsafe.Pointer(unsafe.SliceData(x.lists.at(ref(p &^ isList)))))
}

// entries is the numbers of a list that is not long.
func entries(b *[shortList + 1]int32) []int32 { return unsafe.Slice(&b[1], int(b[0])) }

func (x *index) long(b *[shortList + 1]int32) *long { return &x.longs[-1-b[0]] }

// size is how many reports a list holds.
func (x *index) size(p post) int32 {
	if !p.many() {
		return min(int32(p), 1)
	}
	if b := x.block(p); b[0] >= 0 {
		return b[0]
	} else {
		return x.long(b).n
	}
}

func (x *index) count(k key) int32 { return x.size(x.find(k)) }

// newList takes a block for a list of n.
func (x *index) newList(n int) (post, *[shortList + 1]int32) {
	r := x.lists.take(4 * (n + 1))
	if r >= isList {
		panic("fusion: more than 2 GiB of posting lists: split the cell over several engines")
	}
	p := post(r) | isList
	return p, x.block(p)
}

func (x *index) freeList(p post) { x.lists.give(ref(p &^ isList)) }

// roomy says whether a list of n and one of one more take blocks of one size.
func roomy(n int32) bool { return classOf(4*(int(n)+1)) == classOf(4*(int(n)+2)) }

// rank is where n stands, or would stand, in a sorted list.
func (x *index) rank(list []int32, n int32) int {
	nodes := x.e.nodes
	lo, hi := 0, len(list)
	for lo < hi {
		// Most reports arrive in order: look at the end first.
		mid := int(uint(lo+hi) >> 1)
		if lo == 0 && hi == len(list) {
			mid = hi - 1
		}
		if nodes[list[mid]].before(&nodes[n]) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// place is where a key stands in the table, as long as its segment is as large
// as it was.
type place struct {
	*segment
	tag  uint64
	size uint64
	slot int
	post post
}

// resolve finds the slot of a place and the list in it.
func (x *index) resolve(l *place) post {
	l.slot, l.size = l.seek(l.tag), l.used
	l.post = post(l.at(l.slot, l.tag))
	return l.post
}

// stale says whether other keys have come or gone since the place was found.
func (l *place) stale() bool { return l.size != l.used }

// insert adds n to the list of a place and returns it and how many it holds now.
func (x *index) insert(l *place, n int32) (post, int32) {
	if l.stale() {
		x.resolve(l)
	}
	s, tag, i, p := l.segment, l.tag, l.slot, l.post
	if p == 0 {
		s.add(i, tag, uint32(n))
		return post(n), 1
	}
	if !p.many() {
		q, b := x.newList(2)
		b[0], b[1], b[2] = 2, int32(p), n
		if x.e.nodes[n].before(&x.e.nodes[p]) {
			b[1], b[2] = n, int32(p)
		}
		s.set(i, uint32(q))
		return q, 2
	}
	b := x.block(p)
	if b[0] >= 0 && b[0] < shortList {
		q := x.insertShort(p, b, n)
		if q != p {
			s.set(i, uint32(q))
		}
		return q, x.block(q)[0]
	}
	if b[0] >= 0 {
		p = x.lengthen(p, b)
		s.set(i, uint32(p))
		b = x.block(p)
	}
	many := x.long(b)
	many.insert(x, n)
	return p, many.n
}

func (x *index) insertShort(p post, b *[shortList + 1]int32, n int32) post {
	old := entries(b)
	at := x.rank(old, n)
	q, to := p, b
	if !roomy(b[0]) {
		q, to = x.newList(len(old) + 1)
		copy(to[1:], old[:at])
	}
	copy(to[at+2:len(old)+2], old[at:])
	to[at+1] = n
	to[0] = int32(len(old)) + 1
	if q != p {
		x.freeList(p)
	}
	return q
}

func (x *index) lengthen(p post, b *[shortList + 1]int32) post {
	l := long{chunks: [][]int32{slices.Clone(entries(b))}, n: b[0]}
	x.freeList(p)
	var i int32
	if m := len(x.spare); m > 0 {
		i, x.spare = x.spare[m-1], x.spare[:m-1]
		x.longs[i] = l
	} else {
		i = int32(len(x.longs))
		x.longs = append(x.longs, l)
	}
	q, to := x.newList(0)
	to[0] = -1 - i
	return q
}

// chunk is the one that holds n or takes it.
func (l *long) chunk(x *index, n int32) int {
	nodes := x.e.nodes
	lo, hi := 0, len(l.chunks)-1
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if lo == 0 && hi == len(l.chunks)-1 {
			mid = hi - 1 // most reports arrive in order
		}
		c := l.chunks[mid]
		if nodes[c[len(c)-1]].before(&nodes[n]) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (l *long) insert(x *index, n int32) {
	l.n++
	ci := l.chunk(x, n)
	c := l.chunks[ci]
	c = slices.Insert(c, x.rank(c, n), n)
	l.chunks[ci] = c
	if len(c) <= chunkSize {
		return
	}
	// A list that only grows at its end leaves full chunks behind.
	cut := chunkSize / 2
	if ci == len(l.chunks)-1 {
		cut = chunkSize * 15 / 16
	}
	rest := append(make([]int32, 0, chunkSize+1), c[cut:]...)
	l.chunks[ci] = c[:cut:cut]
	l.chunks = slices.Insert(l.chunks, ci+1, rest)
}

func (l *long) remove(x *index, n int32) {
	l.n--
	ci := l.chunk(x, n)
	c := l.chunks[ci]
	p := x.rank(c, n)
	l.chunks[ci] = slices.Delete(c, p, p+1)
	if len(l.chunks[ci]) == 0 {
		l.chunks = slices.Delete(l.chunks, ci, ci+1)
	}
}

// remove takes n from the list of a place, which holds it, and returns how
// many it holds now.
func (x *index) remove(l *place, n int32) int32 {
	if l.stale() {
		x.resolve(l)
	}
	s, i, p := l.segment, l.slot, l.post
	if !p.many() {
		if p == post(n) {
			s.drop(i)
		}
		return 0
	}
	b := x.block(p)
	if b[0] >= 0 {
		if q := x.removeShort(p, b, n); q != p {
			s.set(i, uint32(q))
			p = q
		}
		return x.size(p)
	}
	many := x.long(b)
	many.remove(x, n)
	left := many.n
	if left > shortList*3/4 {
		return left
	}
	s.set(i, uint32(x.shorten(p, b)))
	return left
}

func (x *index) removeShort(p post, b *[shortList + 1]int32, n int32) post {
	old := entries(b)
	at := x.rank(old, n)
	if len(old) == 2 {
		left := old[1-at]
		x.freeList(p)
		return post(left)
	}
	if roomy(b[0] - 1) {
		copy(old[at:], old[at+1:])
		b[0]--
		return p
	}
	q, to := x.newList(len(old) - 1)
	to[0] = int32(len(old)) - 1
	copy(to[1:], old[:at])
	copy(to[at+1:], old[at+1:])
	x.freeList(p)
	return q
}

func (x *index) shorten(p post, b *[shortList + 1]int32) post {
	i := -1 - b[0]
	l := &x.longs[i]
	q, to := x.newList(int(l.n))
	to[0] = l.n
	at := to[1:1]
	for _, c := range l.chunks {
		at = append(at, c...)
	}
	*l = long{}
	x.spare = append(x.spare, i)
	x.freeList(p)
	return q
}

// window is what stands around a report in a posting list, nearest first.
type window struct {
	old, new       [maxK]int32
	olders, newers int
}

func (w *window) older() []int32 { return w.old[:w.olders] }
func (w *window) newer() []int32 { return w.new[:w.newers] }

// around sets w to the reach reports before n and after it in a list that
// holds n.
func (x *index) around(p post, n int32, reach int, w *window) {
	w.olders, w.newers = 0, 0
	if !p.many() {
		return
	}
	b := x.block(p)
	if b[0] < 0 {
		x.long(b).window(x, n, reach, w)
		return
	}
	list := entries(b)
	at := x.position(list, n)
	for i := at - 1; i >= 0 && w.olders < reach; i-- {
		w.old[w.olders] = list[i]
		w.olders++
	}
	for i := at + 1; i < len(list) && w.newers < reach; i++ {
		w.new[w.newers] = list[i]
		w.newers++
	}
}

// position is where n stands in a short list that holds it: to look for its
// number is cheaper than to compare times.
func (x *index) position(list []int32, n int32) int {
	for i := len(list) - 1; i > 0; i-- {
		if list[i] == n {
			return i
		}
	}
	return 0
}

// window is around for a key.
func (x *index) window(k key, n int32, reach int) (w window) {
	x.around(x.find(k), n, reach, &w)
	return w
}

func (l *long) window(x *index, n int32, reach int, w *window) {
	ci := l.chunk(x, n)
	p := x.rank(l.chunks[ci], n)
	l.backward(ci, p, func(m int32) bool {
		w.old[w.olders] = m
		w.olders++
		return w.olders < reach
	})
	l.forward(ci, p, func(m int32) bool {
		w.new[w.newers] = m
		w.newers++
		return w.newers < reach
	})
}

func (l *long) backward(ci, p int, f func(int32) bool) {
	for ; ci >= 0; ci-- {
		for p--; p >= 0; p-- {
			if !f(l.chunks[ci][p]) {
				return
			}
		}
		if ci > 0 {
			p = len(l.chunks[ci-1])
		}
	}
}

func (l *long) forward(ci, p int, f func(int32) bool) {
	for ; ci < len(l.chunks); ci++ {
		for p++; p < len(l.chunks[ci]); p++ {
			if !f(l.chunks[ci][p]) {
				return
			}
		}
		p = -1
	}
}

// reaches says whether a is among the reach nearest before b.
func (x *index) reaches(k key, a, b int32, reach int) bool {
	w := x.window(k, b, reach)
	return slices.Contains(w.older(), a)
}

// epochNodes calls f for every report of one epoch, oldest first.
func (x *index) epochNodes(k key, from, to int64, f func(int32)) {
	visit := func(list []int32) bool {
		i, _ := slices.BinarySearchFunc(list, from, func(n int32, t int64) int {
			if x.e.nodes[n].time < t {
				return -1
			}
			return 1
		})
		for _, n := range list[i:] {
			if x.e.nodes[n].time >= to {
				return false
			}
			f(n)
		}
		return true
	}
	p := x.find(k)
	if p == 0 {
		return
	}
	if !p.many() {
		visit([]int32{int32(p)})
		return
	}
	b := x.block(p)
	if b[0] >= 0 {
		visit(entries(b))
		return
	}
	l := x.long(b)
	ci, _ := slices.BinarySearchFunc(l.chunks, from, func(c []int32, t int64) int {
		if x.e.nodes[c[len(c)-1]].time < t {
			return -1
		}
		return 1
	})
	for ; ci < len(l.chunks) && visit(l.chunks[ci]); ci++ {
	}
}
