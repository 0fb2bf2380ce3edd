package fusion

import "unsafe"

// edge is a link to another report, with its score.
type edge struct {
	to   int32
	bits int32
}

// component is a cluster: its reports are a ring through next and prev.
type component struct {
	head  int32
	size  int32
	dirty bool
}

// scratch is working memory, so that a report costs few allocations.
type scratch struct {
	stamp   uint32
	sides   []uint8 // of a cut under way, by node
	pairs   []pair
	near    []pair
	posts   []post
	spots   []place
	carried []int32
	leaving []key
	again   []key
	sink    uint64 // keeps loads that only warm the cache
	queues  [2][]int32
	members []int32
	local   []int32
	links   []span
	// gathered is of the cluster being shown, piece of a part of a mass situation.
	gathered, piece gathering
	buf             []byte
	ext             extraction
	pairing         pairing
	tally           tally
	wordsA, wordsB  wordList
	lines           []reason
}

// A node's edges are a block of the arena ties: how many, then each. Its
// block is as large as they need.

// edges are the links of a report. They hold until one is added or dropped.
func (e *Engine) edges(n int32) []edge {
	r := e.nodes[n].links
	if r == 0 {
		return nil
	}
	b := (*int32)(unsafe.Pointer(unsafe.SliceData(e.ties.at(r))))
	return unsafe.Slice((*edge)(unsafe.Add(unsafe.Pointer(b), 4)), int(*b))
}

// resize gives a report room for size edges and keeps the first of them.
func (e *Engine) resize(n int32, size int) []edge {
	old := e.edges(n)
	r := e.nodes[n].links
	if size == 0 || r == 0 || classOf(4+8*size) != classOf(4+8*len(old)) {
		e.nodes[n].links = 0
		if size > 0 {
			e.nodes[n].links = e.ties.take(4 + 8*size)
		}
		if r != 0 {
			if size > 0 {
				copy(e.ties.at(e.nodes[n].links)[4:4+8*size], e.ties.at(r)[4:4+8*len(old)])
			}
			e.ties.give(r)
		}
	}
	if size == 0 {
		return nil
	}
	*(*int32)(unsafe.Pointer(unsafe.SliceData(e.ties.at(e.nodes[n].links)))) = int32(size)
	return e.edges(n)
}

func (e *Engine) addEdge(n int32, x edge) {
	l := e.resize(n, len(e.edges(n))+1)
	l[len(l)-1] = x
}

func (e *Engine) dropEdge(a, b int32) {
	l := e.edges(a)
	l[edgeTo(l, b)] = l[len(l)-1]
	e.resize(a, len(l)-1)
}

// edgeTo is the place of the edge to b, -1 none.
func edgeTo(l []edge, b int32) int {
	for i := range l {
		if l[i].to == b {
			return i
		}
	}
	return -1
}

func (e *Engine) linked(a, b int32) bool {
	x, y := e.edges(a), e.edges(b)
	if len(y) < len(x) {
		return edgeTo(y, a) >= 0
	}
	return edgeTo(x, b) >= 0
}

// touch marks a component for the next Commit.
func (e *Engine) touch(c int32) {
	if !e.comps[c].dirty {
		e.comps[c].dirty = true
		e.dirty = append(e.dirty, c)
	}
}

// alone puts a new report into a component of its own.
func (e *Engine) alone(n int32) {
	c := e.newComp()
	e.comps[c].head, e.comps[c].size = n, 1
	e.nodes[n].comp, e.nodes[n].next, e.nodes[n].prev = c, n, n
	e.touch(c)
}

func (e *Engine) newComp() int32 {
	if l := len(e.freeComps); l > 0 {
		c := e.freeComps[l-1]
		e.freeComps = e.freeComps[:l-1]
		return c
	}
	e.comps = append(e.comps, component{})
	return int32(len(e.comps) - 1)
}

// dropComp ends the component of an isolated report. A dirty one is freed by
// Commit, which still has it in its list.
func (e *Engine) dropComp(n int32) {
	c := e.nodes[n].comp
	e.comps[c].head, e.comps[c].size = 0, 0
	e.touch(c)
}

// link adds a link or gives it a new score, and merges the clusters.
func (e *Engine) link(a, b, bits int32) {
	if l := e.edges(a); edgeTo(l, b) >= 0 {
		x, back := &l[edgeTo(l, b)], e.edges(b)
		if x.bits != bits {
			x.bits, back[edgeTo(back, a)].bits = bits, bits
			e.touch(e.nodes[a].comp)
		}
		return
	}
	e.addEdge(a, edge{b, bits})
	e.addEdge(b, edge{a, bits})
	ca, cb := e.nodes[a].comp, e.nodes[b].comp
	e.touch(ca)
	if ca == cb {
		return
	}
	e.touch(cb)
	if e.comps[ca].size < e.comps[cb].size {
		ca, cb = cb, ca
	}
	h := e.comps[cb].head
	for n := h; ; {
		e.nodes[n].comp = ca
		if n = e.nodes[n].next; n == h {
			break
		}
	}
	e.splice(e.comps[ca].head, h)
	e.comps[ca].size += e.comps[cb].size
	e.comps[cb].head, e.comps[cb].size = 0, 0
}

// splice joins two rings.
func (e *Engine) splice(a, b int32) {
	an, bp := e.nodes[a].next, e.nodes[b].prev
	e.nodes[a].next, e.nodes[b].prev = b, a
	e.nodes[bp].next, e.nodes[an].prev = an, bp
}

// cut removes a link. If that parts the cluster, the piece that a search from
// both ends exhausts first becomes a cluster of its own: the cost is that of
// the smaller piece.
func (e *Engine) cut(a, b int32) {
	e.dropEdge(a, b)
	e.dropEdge(b, a)
	e.touch(e.nodes[a].comp)
	if piece := e.parted(a, b); piece != nil {
		e.separate(piece)
	}
}

// isolate removes every link of n.
func (e *Engine) isolate(n int32) {
	e.touch(e.nodes[n].comp)
	for l := e.edges(n); len(l) > 0; l = e.edges(n) {
		e.cut(n, l[len(l)-1].to)
	}
}

// parted searches from both ends in turn, one edge list at a time. It returns
// the reports of the side that ran out, or nil when the sides met.
func (e *Engine) parted(a, b int32) []int32 {
	e.queues[0] = append(e.queues[0][:0], a)
	e.queues[1] = append(e.queues[1][:0], b)
	e.sides[a], e.sides[b] = 1, 2
	defer e.unsided()
	var at, spent [2]int
	for {
		s := 0
		if spent[1] < spent[0] {
			s = 1
		}
		if at[s] == len(e.queues[s]) {
			return e.queues[s]
		}
		n := e.queues[s][at[s]]
		at[s]++
		l := e.edges(n)
		spent[s] += 1 + len(l)
		for _, x := range l {
			switch e.sides[x.to] {
			case 0:
				e.sides[x.to] = uint8(s + 1)
				e.queues[s] = append(e.queues[s], x.to)
			case uint8(2 - s):
				return nil
			}
		}
	}
}

// unsided forgets the sides of a search.
func (e *Engine) unsided() {
	for _, q := range e.queues {
		for _, n := range q {
			e.sides[n] = 0
		}
	}
}

// separate takes a piece out of its component's ring into a new one.
func (e *Engine) separate(piece []int32) {
	old := e.nodes[piece[0]].comp
	c := e.newComp()
	for _, n := range piece {
		next, prev := e.nodes[n].next, e.nodes[n].prev
		e.nodes[next].prev, e.nodes[prev].next = prev, next
		if e.comps[old].head == n {
			e.comps[old].head = next
		}
		e.nodes[n].comp = c
	}
	for i, n := range piece {
		e.nodes[n].next = piece[(i+1)%len(piece)]
		e.nodes[n].prev = piece[(i+len(piece)-1)%len(piece)]
	}
	e.comps[old].size -= int32(len(piece))
	e.comps[c].head, e.comps[c].size = piece[0], int32(len(piece))
	e.touch(c)
}
