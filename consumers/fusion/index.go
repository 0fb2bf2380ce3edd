package fusion

import "slices"

// index holds one posting list per key: the live reports that carry it, in the
// order of before. It is a hash table with open addressing and 16-byte slots
// (no pointer, so nothing for the collector to walk); a list of one lives in
// its slot, a short one in a pool of its size, a long one in chunks.
type index struct {
	e     *Engine
	slots []slot
	used  int
	shift uint
	pools [poolClasses]pool
	longs []long
	spare []int32 // free longs
	// counts is how many reports of an epoch carry a key, for keys with more
	// reports than the hub limit.
	counts map[keyEpoch]int32
}

type slot struct {
	key key
	n   int32
	ref int32 // n==1: the node; n<=shortList: offset in its pool; else index in longs
}

type keyEpoch struct {
	key   key
	epoch int64
}

const (
	poolClasses = 6 // 2, 4, 8, 16, 32, 64
	shortList   = 2 << (poolClasses - 1)
	chunkSize   = 256
)

type pool struct {
	data []int32
	free []int32
}

// long is a list of chunks, each sorted, none empty.
type long struct{ chunks [][]int32 }

func (x *index) init(e *Engine) {
	x.e = e
	x.slots = make([]slot, 1<<8)
	x.shift = 64 - 8
	x.counts = map[keyEpoch]int32{}
}

func (x *index) home(k key) uint64 { return uint64(k) * 0x9e3779b97f4a7c15 >> x.shift }

// find returns the slot of k, or the empty one where it belongs.
func (x *index) find(k key) uint64 {
	mask := uint64(len(x.slots) - 1)
	i := x.home(k)
	for x.slots[i].key != k && x.slots[i].key != 0 {
		i = (i + 1) & mask
	}
	return i
}

func (x *index) count(k key) int32 { return x.slots[x.find(k)].n }

func (x *index) grow() {
	old := x.slots
	x.slots = make([]slot, 2*len(old))
	x.shift--
	for _, s := range old {
		if s.key != 0 {
			x.slots[x.find(s.key)] = s
		}
	}
}

// erase empties slot i and moves back what had to go past it.
func (x *index) erase(i uint64) {
	mask := uint64(len(x.slots) - 1)
	x.used--
	for j := (i + 1) & mask; x.slots[j].key != 0; j = (j + 1) & mask {
		if h := x.home(x.slots[j].key); (j-h)&mask >= (j-i)&mask {
			x.slots[i] = x.slots[j]
			i = j
		}
	}
	x.slots[i] = slot{}
}

func class(n int32) int {
	c := 0
	for size := int32(2); size < n; size *= 2 {
		c++
	}
	return c
}

func (p *pool) take(c int) int32 {
	if l := len(p.free); l > 0 {
		r := p.free[l-1]
		p.free = p.free[:l-1]
		return r
	}
	r := int32(len(p.data))
	p.data = append(p.data, make([]int32, 2<<c)...)
	return r
}

// short is the list of a slot with 2 to shortList entries.
func (x *index) short(s *slot) []int32 {
	return x.pools[class(s.n)].data[s.ref : s.ref+s.n]
}

// place is where n stands, or would stand, in a sorted list.
func (x *index) place(list []int32, n int32) int {
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

// insert adds n to the list of k and returns how many it holds now.
func (x *index) insert(k key, n int32) int32 {
	if x.used*3 >= len(x.slots)*2 {
		x.grow()
	}
	s := &x.slots[x.find(k)]
	switch {
	case s.n == 0:
		x.used++
		*s = slot{key: k, n: 1, ref: n}
		return 1
	case s.n == 1:
		at := x.pools[0].take(0)
		d := x.pools[0].data[at : at+2]
		d[0], d[1] = s.ref, n
		if x.e.nodes[n].before(&x.e.nodes[s.ref]) {
			d[0], d[1] = n, s.ref
		}
		s.n, s.ref = 2, at
		return 2
	case s.n < shortList:
		x.insertShort(s, n)
		return s.n
	case s.n == shortList:
		x.lengthen(s)
	}
	x.longs[s.ref].insert(x, n)
	s.n++
	return s.n
}

func (x *index) insertShort(s *slot, n int32) {
	c, d := class(s.n), class(s.n+1)
	list := x.short(s)
	if c != d {
		at := x.pools[d].take(d)
		copy(x.pools[d].data[at:], list)
		x.pools[c].free = append(x.pools[c].free, s.ref)
		s.ref = at
	}
	list = x.pools[d].data[s.ref : s.ref+s.n+1]
	i := x.place(list[:s.n], n)
	copy(list[i+1:], list[i:s.n])
	list[i] = n
	s.n++
}

func (x *index) lengthen(s *slot) {
	list := slices.Clone(x.short(s))
	x.pools[poolClasses-1].free = append(x.pools[poolClasses-1].free, s.ref)
	l := long{chunks: [][]int32{list}}
	if m := len(x.spare); m > 0 {
		s.ref, x.spare = x.spare[m-1], x.spare[:m-1]
		x.longs[s.ref] = l
		return
	}
	s.ref = int32(len(x.longs))
	x.longs = append(x.longs, l)
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
	ci := l.chunk(x, n)
	c := l.chunks[ci]
	c = slices.Insert(c, x.place(c, n), n)
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

func (x *index) remove(k key, n int32) {
	i := x.find(k)
	s := &x.slots[i]
	switch {
	case s.n <= 1:
		if s.n == 1 && s.ref == n {
			x.erase(i)
		}
	case s.n <= shortList:
		x.removeShort(s, n)
	default:
		l := &x.longs[s.ref]
		ci := l.chunk(x, n)
		c := l.chunks[ci]
		p := x.place(c, n)
		l.chunks[ci] = slices.Delete(c, p, p+1)
		if len(l.chunks[ci]) == 0 {
			l.chunks = slices.Delete(l.chunks, ci, ci+1)
		}
		s.n--
		if s.n == shortList {
			x.shorten(s)
		}
	}
}

func (x *index) removeShort(s *slot, n int32) {
	list := x.short(s)
	p := x.place(list, n)
	copy(list[p:], list[p+1:])
	c := class(s.n)
	s.n--
	if s.n == 1 {
		x.pools[c].free = append(x.pools[c].free, s.ref)
		s.ref = list[0]
		return
	}
	if d := class(s.n); d != c {
		at := x.pools[d].take(d)
		copy(x.pools[d].data[at:], list[:s.n])
		x.pools[c].free = append(x.pools[c].free, s.ref)
		s.ref = at
	}
}

func (x *index) shorten(s *slot) {
	const c = poolClasses - 1
	at := x.pools[c].take(c)
	d := x.pools[c].data[at:at]
	for _, chunk := range x.longs[s.ref].chunks {
		d = append(d, chunk...)
	}
	x.longs[s.ref] = long{}
	x.spare = append(x.spare, s.ref)
	s.ref = at
}

// window is what stands around a report in a posting list, nearest first.
type window struct {
	old, new       [maxK]int32
	olders, newers int
}

func (w *window) older() []int32 { return w.old[:w.olders] }
func (w *window) newer() []int32 { return w.new[:w.newers] }

// window returns the k reports before n and the k after it in the list of key.
func (x *index) window(k key, n int32, reach int) (w window) {
	s := &x.slots[x.find(k)]
	switch {
	case s.n <= 1:
	case s.n <= shortList:
		list := x.short(s)
		p := x.place(list, n)
		for i := p - 1; i >= 0 && w.olders < reach; i-- {
			w.old[w.olders] = list[i]
			w.olders++
		}
		for i := p + 1; i < len(list) && w.newers < reach; i++ {
			w.new[w.newers] = list[i]
			w.newers++
		}
	default:
		x.longs[s.ref].window(x, n, reach, &w)
	}
	return w
}

func (l *long) window(x *index, n int32, reach int, w *window) {
	ci := l.chunk(x, n)
	p := x.place(l.chunks[ci], n)
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
	s := &x.slots[x.find(k)]
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
	switch {
	case s.n == 1:
		visit([]int32{s.ref})
	case s.n == 0:
	case s.n <= shortList:
		visit(x.short(s))
	default:
		l := &x.longs[s.ref]
		ci, _ := slices.BinarySearchFunc(l.chunks, from, func(c []int32, t int64) int {
			if x.e.nodes[c[len(c)-1]].time < t {
				return -1
			}
			return 1
		})
		for ; ci < len(l.chunks) && visit(l.chunks[ci]); ci++ {
		}
	}
}
