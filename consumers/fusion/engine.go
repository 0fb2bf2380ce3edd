package fusion

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// maxK bounds Config.K: the windows of a posting list live on the stack.
const maxK = 16

// ident is the identity of a report or situation: 128 bits of SHA-256, so that
// no agency can craft a second report with another's identity.
type ident [16]byte

// Engine is the state machine. Reports live in nodes, their keys in index,
// links in the nodes' edges, clusters in comps; pictures is what was committed.
type Engine struct {
	status    wf.Status
	threshold int32
	hubLimit  int32
	k         int
	massSize  int
	weights   Weights
	windows   [wf.Kind_KIND_BULLETIN + 1]int64
	now       int64

	nodes   []node
	free    []int32
	records arena // packed facts of live reports
	ties    arena // edges of nodes
	views   views
	known   lookup           // live reports by identity
	buried  map[ident]uint64 // withdrawn or expired: revision
	words   vocabulary
	index   index
	timers  timers

	comps     []component
	freeComps []int32
	dirty     []int32

	pictures     []picture
	freePictures []int32

	pulses pulses

	lost             []int32 // pictures that lost a report
	bySituation      lookup  // pictures by identity
	digest           sum
	situations       int
	reports          int
	committedReports int

	stats Stats
	scratch
}

// node is a live report: 64 bytes, one line of the cache.
type node struct {
	id     ident
	time   int64 // event time; with id the order of everything
	record ref   // its facts, packed; 0 for a node that is free
	links  ref   // its edges
	comp   int32
	next   int32 // in the component
	prev   int32
	pict   int32 // committed picture it belongs to
	mark   uint32
	due    uint32 // tick of its timer, 0 none
	// in the bucket of its timer
	timerNext int32
	timerPrev int32
}

// before is the one order of reports: event time, then identity.
func (a *node) before(b *node) bool {
	if a.time != b.time {
		return a.time < b.time
	}
	return string(a.id[:]) < string(b.id[:])
}

func identOf(cell, agency, id string) ident {
	var b [160]byte
	p := append(b[:0], "report"...)
	for _, s := range [...]string{cell, agency, id} {
		p = append(p, 0)
		p = append(p, s...)
	}
	h := sha256.Sum256(p)
	return ident(h[:16])
}

// Apply inserts a report, replaces it by a higher revision or withdraws it. A
// revision that is not higher than the known one changes nothing; a withdrawal
// of an unknown report is remembered, so that the report stays out when it
// arrives later.
func (e *Engine) Apply(in Input) {
	r := in.Report
	if r == nil || r.Agency == "" || r.Id == "" {
		e.stats.Malformed++
		return
	}
	if e.status == wf.Status_STATUS_UNSPECIFIED || r.Status != e.status {
		e.stats.OtherStatus++
		return
	}
	if r.State != wf.ReportState_REPORT_STATE_ACTIVE && r.State != wf.ReportState_REPORT_STATE_WITHDRAWN {
		e.stats.Malformed++
		return
	}
	id := identOf(in.Cell, r.Agency, r.Id)
	n := e.know(id)
	live := n != 0
	if rev, dead := e.buried[id]; live && r.Revision <= e.revision(n) || dead && r.Revision <= rev {
		e.stats.Stale++
		return
	}
	e.stats.Applied++
	was := int32(0) // the situation it is in, until the next Commit
	if live {
		was = e.nodes[n].pict
		e.remove(n)
	}
	delete(e.buried, id)
	if r.State == wf.ReportState_REPORT_STATE_WITHDRAWN {
		e.buried[id] = r.Revision
		return
	}
	f := e.extract(in)
	if f.leave != 0 && f.leave <= e.now {
		e.dropWords(f)
		e.buried[id] = r.Revision
		return
	}
	e.insert(id, f)
	e.nodes[e.know(id)].pict = was
}

// Remove takes out a record that was purged or expired in its stream, and
// forgets that it ever was there.
func (e *Engine) Remove(cell, agency, id string) {
	i := identOf(cell, agency, id)
	if n := e.know(i); n != 0 {
		e.remove(n)
	}
	delete(e.buried, i)
}

// Leave takes out a report whose given revision went to where this engine's
// cell may not read, and every earlier revision that may still come. Like all
// else it may come before or after them.
func (e *Engine) Leave(cell, agency, id string, revision uint64) {
	if revision == 0 {
		return
	}
	i := identOf(cell, agency, id)
	if n := e.know(i); n != 0 {
		if e.revision(n) >= revision {
			return
		}
		e.remove(n)
	}
	e.buried[i] = max(e.buried[i], revision-1)
}

// Tick moves the clock forward to t, floored to the grid, and lets go of what
// has run out. An earlier tick changes nothing.
func (e *Engine) Tick(t time.Time) {
	ms := floorDiv(t.UnixMilli(), grid) * grid
	if ms <= e.now {
		return
	}
	e.now = ms
	for _, n := range e.timers.advance(e.nodes, tickOf(ms)) {
		f := e.facts(n)
		if f.leave != 0 && f.leave <= ms {
			id, rev := e.nodes[n].id, f.revision
			e.remove(n)
			e.buried[id] = rev
			continue
		}
		e.touch(e.nodes[n].comp)
		e.schedule(n, f)
	}
	e.beat()
}

// schedule queues the next moment at which time alone changes what n says.
func (e *Engine) schedule(n int32, f *facts) {
	var due int64
	for _, t := range [...]int64{f.expires, f.leave} {
		if t > e.now && (due == 0 || t < due) {
			due = t
		}
	}
	if tick := tickOf(due); tick > e.timers.now {
		e.timers.set(e.nodes, n, tick)
	}
}

// insert adds a live report: its keys, its links, its timer.
func (e *Engine) insert(id ident, f *facts) {
	n := e.newNode(id, f)
	e.learn(n)
	e.reports++
	e.warm(f.keys)
	carried, posts := e.carried[:0], e.posts[:0]
	for i := range f.keys {
		p, c := e.index.insert(&e.spots[i], n)
		posts, carried = append(posts, p), append(carried, c)
	}
	e.carried, e.posts = carried, posts
	for i, k := range f.keys {
		e.countUp(k, f.time, carried[i])
	}
	e.propose(n, f.keys)
	e.schedule(n, f)
}

// warm finds the places of a report's keys in the index, e.spots, and loads
// what they lead to, one level after the other: loads that do not wait for each
// other cost a fraction of those that do.
func (e *Engine) warm(keys []key) {
	x, sum, spots := &e.index, uint64(0), e.spots[:0]
	for _, k := range keys {
		s, tag := x.table.segment(k.spread())
		spots = append(spots, place{segment: s, tag: tag})
		sum += s.warm(tag)
	}
	e.spots = spots
	for i := range spots {
		p := x.resolve(&spots[i])
		if p.many() {
			sum += uint64(x.block(p)[0])
		} else {
			sum += uint64(e.nodes[p].time)
		}
	}
	for i := range spots {
		if p := spots[i].post; p.many() {
			if b := x.block(p); b[0] > 0 {
				for _, n := range b[max(1, int(b[0])-e.k) : b[0]+1] {
					sum += uint64(e.nodes[n].time)
				}
			}
		}
	}
	e.sink += sum
}

// pair is two reports, the older first.
type pair struct{ a, b int32 }

// propose links n with everything near it in the posting lists of its keys,
// which are e.posts, and re-checks the pairs that n, by standing between them,
// has pushed out of each other's reach.
func (e *Engine) propose(n int32, keys []key) {
	e.begin(n)
	near, apart := e.near[:0], e.pairs[:0]
	var w window
	for i, k := range keys {
		e.index.around(e.posts[i], n, e.k, &w)
		for _, o := range w.older() {
			if e.candidate(k, n, o) {
				near = append(near, pair{o, n})
			}
		}
		for j, y := range w.newer() {
			if e.candidate(k, n, y) {
				near = append(near, pair{n, y})
			}
			if i := e.k - 1 - j; i < w.olders && e.linked(w.old[i], y) {
				apart = append(apart, pair{w.old[i], y})
			}
		}
	}
	e.near, e.pairs = near, apart
	for _, p := range near {
		e.sink += e.warmRecord(p.a + p.b - n)
	}
	for _, p := range near {
		if s := e.decide(p.a, p.b); s >= e.threshold {
			e.link(p.a, p.b, s)
		}
	}
	for _, p := range apart {
		if e.linked(p.a, p.b) && !e.proposed(p.a, p.b) {
			e.cut(p.a, p.b)
		}
	}
}

// warmRecord loads the lines of a stored report.
func (e *Engine) warmRecord(n int32) (sum uint64) {
	b := e.records.at(e.nodes[n].record)
	for i := 0; i < 256 && i < len(b); i += 64 {
		sum += uint64(b[i])
	}
	return sum
}

// begin starts to look for the candidates of n.
func (e *Engine) begin(n int32) {
	if e.stamp++; e.stamp == 0 { // after four thousand million reports
		for i := range e.nodes {
			e.nodes[i].mark = 0
		}
		e.stamp = 1
	}
	e.nodes[n].mark = e.stamp
}

// candidate says whether another report that a key brings to n is to be
// compared with it: within the key's time to live, and once.
func (e *Engine) candidate(k key, n, other int32) bool {
	x := &e.nodes[other]
	if gap := x.time - e.nodes[n].time; x.mark == e.stamp || max(gap, -gap) > k.rule().ttl {
		return false
	}
	x.mark = e.stamp
	return true
}

// consider compares n with a candidate and links them if they reach the threshold.
func (e *Engine) consider(k key, n, other int32) {
	if e.candidate(k, n, other) {
		if s := e.decide(n, other); s >= e.threshold {
			e.link(n, other, s)
		}
	}
}

// proposed says whether some key still brings the two together.
func (e *Engine) proposed(a, b int32) bool {
	if e.nodes[b].before(&e.nodes[a]) {
		a, b = b, a
	}
	gap := e.nodes[b].time - e.nodes[a].time
	ka, kb := e.facts(a).keys, e.facts(b).keys
	for i, j := 0, 0; i < len(ka) && j < len(kb); {
		switch {
		case ka[i] < kb[j]:
			i++
		case ka[i] > kb[j]:
			j++
		default:
			if gap <= ka[i].rule().ttl && e.index.reaches(ka[i], a, b, e.k) {
				return true
			}
			i++
			j++
		}
	}
	return false
}

// remove takes a report out: exactly what insert did, backwards.
func (e *Engine) remove(n int32) {
	time := e.nodes[n].time
	r := reader{b: e.records.at(e.nodes[n].record), at: 4}
	keys := r.keys(e.leaving[:0])
	e.leaving = keys
	e.warm(keys)
	e.parting(n, keys)
	e.isolate(n)
	for i := range keys {
		e.carried[i] = e.index.remove(&e.spots[i], n)
	}
	for i, k := range keys {
		e.countDown(k, time, e.carried[i])
	}
	for _, p := range e.pairs {
		if !e.linked(p.a, p.b) {
			if s := e.decide(p.a, p.b); s >= e.threshold {
				e.link(p.a, p.b, s)
			}
		}
	}
	e.unlearn(n)
	e.reports--
	e.freeNode(n)
}

// parting lists the pairs that n's leaving brings into reach of each other, in
// e.pairs. It uses what warm found.
func (e *Engine) parting(n int32, keys []key) {
	pairs, carried := e.pairs[:0], e.carried[:0]
	var w window
	for i, k := range keys {
		carried = append(carried, 0)
		e.index.around(e.spots[i].post, n, e.k, &w)
		for j, y := range w.newer() {
			if i := e.k - 1 - j; i < w.olders && e.nodes[y].time-e.nodes[w.old[i]].time <= k.rule().ttl {
				pairs = append(pairs, pair{w.old[i], y})
			}
		}
	}
	if len(pairs) > 1 { // each once, whatever keys they share
		slices.SortFunc(pairs, func(x, y pair) int { return cmp.Or(cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b)) })
		pairs = slices.Compact(pairs)
	}
	e.pairs, e.carried = pairs, carried
}

func (e *Engine) newNode(id ident, f *facts) int32 {
	var n int32
	if l := len(e.free); l > 0 {
		n, e.free = e.free[l-1], e.free[:l-1]
	} else {
		n = int32(len(e.nodes))
		e.nodes, e.sides = append(e.nodes, node{}), append(e.sides, 0)
		if n >= isList {
			panic("fusion: more than 134 million live reports: split the cell over several engines")
		}
	}
	e.nodes[n] = node{id: id, time: f.time, record: e.store(f)}
	e.alone(n)
	return n
}

// store packs the facts of a report into the arena.
func (e *Engine) store(f *facts) ref {
	e.buf = pack(e.buf[:0], f)
	r := e.records.take(len(e.buf))
	copy(e.records.at(r), e.buf)
	return r
}

// freeNode forgets an isolated report.
func (e *Engine) freeNode(n int32) {
	if p := e.nodes[n].pict; p != 0 {
		e.loseFrom(p)
	}
	e.dropComp(n)
	h := e.head(n)
	e.words.drop(h.cell)
	e.words.drop(h.agency)
	e.words.drop(h.origin)
	e.views.forget(n)
	e.records.give(e.nodes[n].record)
	e.timers.clear(e.nodes, n)
	e.nodes[n] = node{}
	e.free = append(e.free, n)
}

func (e *Engine) dropWords(f *facts) {
	e.words.drop(f.cell)
	e.words.drop(f.agency)
	e.words.drop(f.origin)
}

// revision of a live report.
func (e *Engine) revision(n int32) uint64 { return e.head(n).revision }

func (e *Engine) head(n int32) head { return peek(e.records.at(e.nodes[n].record)) }
