package fusion

import (
	"crypto/sha256"
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
	views   views
	known   map[ident]int32  // live reports
	buried  map[ident]uint64 // withdrawn or expired: revision
	words   map[string]uint32
	names   []string // of words
	index   index
	timers  timers

	comps     []component
	freeComps []int32
	dirty     []int32

	pictures         []picture
	freePictures     []int32
	touched          []int32 // pictures that lost a report
	pulses           pulses
	bySituation      map[ident]int32
	digest           sum
	situations       int
	reports          int
	committedReports int

	stats Stats
	scratch
}

// node is a live report.
type node struct {
	id     ident
	time   int64 // event time; with id the order of everything
	record ref   // its facts, packed; 0 for a node that is free
	edges  []edge
	comp   int32
	next   int32 // in the component
	prev   int32
	pict   int32 // committed picture it belongs to
	due    int64 // next timer; 0 none
	mark   uint64
	side   uint8 // of a cut under way
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

// word interns a cell or agency token.
func (e *Engine) word(s string) uint32 {
	if i, ok := e.words[s]; ok {
		return i
	}
	i := uint32(len(e.names))
	e.words[s] = i
	e.names = append(e.names, s)
	return i
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
	n, live := e.known[id]
	if rev, dead := e.buried[id]; live && r.Revision <= e.facts(n).revision || dead && r.Revision <= rev {
		e.stats.Stale++
		return
	}
	e.stats.Applied++
	if live {
		e.remove(n)
	}
	delete(e.buried, id)
	if r.State == wf.ReportState_REPORT_STATE_WITHDRAWN {
		e.buried[id] = r.Revision
		return
	}
	f := e.extract(in)
	if f.leave != 0 && f.leave <= e.now {
		e.buried[id] = r.Revision
		return
	}
	e.insert(id, f)
}

// Remove takes out a record that was purged or expired in its stream, and
// forgets that it ever was there.
func (e *Engine) Remove(cell, agency, id string) {
	i := identOf(cell, agency, id)
	if n, ok := e.known[i]; ok {
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
	if n, ok := e.known[i]; ok {
		if e.facts(n).revision >= revision {
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
	for {
		n, ok := e.timers.pop(ms, e)
		if !ok {
			break
		}
		f := e.facts(n)
		if f.leave != 0 && f.leave <= ms {
			id, rev := e.nodes[n].id, f.revision
			e.remove(n)
			e.buried[id] = rev
			continue
		}
		e.touch(e.nodes[n].comp)
		e.schedule(n)
	}
	e.beat()
}

// schedule queues the next moment at which time alone changes what n says.
func (e *Engine) schedule(n int32) {
	f := e.facts(n)
	var due int64
	for _, t := range [...]int64{f.expires, f.leave} {
		if t > e.now && (due == 0 || t < due) {
			due = t
		}
	}
	e.nodes[n].due = due
	if due != 0 {
		e.timers.push(due, n, e)
	}
}

// insert adds a live report: its keys, its links, its timer.
func (e *Engine) insert(id ident, f *facts) {
	n := e.newNode(id, f)
	e.known[id] = n
	e.reports++
	carried := e.carried[:0]
	for _, k := range f.keys {
		carried = append(carried, e.index.insert(k, n))
	}
	e.carried = carried
	for i, k := range f.keys {
		e.countUp(k, f.time, carried[i])
	}
	e.propose(n, f.keys)
	e.schedule(n)
}

// propose links n with everything near it in the posting lists of its keys,
// and re-checks the pairs that n, by standing between them, has pushed out of
// each other's reach.
func (e *Engine) propose(n int32, keys []key) {
	e.stamp++
	e.nodes[n].mark = e.stamp
	for _, k := range keys {
		w := e.index.window(k, n, e.k)
		for _, o := range w.older() {
			e.consider(k, o, n)
		}
		for j, y := range w.newer() {
			e.consider(k, n, y)
			if i := e.k - 1 - j; i < w.olders {
				if o := w.old[i]; e.linked(o, y) && !e.proposed(o, y) {
					e.cut(o, y)
				}
			}
		}
	}
}

// consider scores a pair once per propose and links it if it reaches the threshold.
func (e *Engine) consider(k key, older, newer int32) {
	other := older
	if e.nodes[older].mark == e.stamp {
		other = newer
	}
	if e.nodes[other].mark == e.stamp || e.nodes[newer].time-e.nodes[older].time > k.rule().ttl {
		return
	}
	e.nodes[other].mark = e.stamp
	if s := e.score(older, newer); s >= e.threshold {
		e.link(older, newer, s)
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
	keys, time := append(e.leaving[:0], e.facts(n).keys...), e.nodes[n].time
	e.leaving = keys
	pairs := e.pairs[:0]
	for _, k := range keys {
		w := e.index.window(k, n, e.k)
		for j, y := range w.newer() {
			if i := e.k - 1 - j; i < w.olders && e.nodes[y].time-e.nodes[w.old[i]].time <= k.rule().ttl {
				pairs = append(pairs, [2]int32{w.old[i], y})
			}
		}
	}
	e.pairs = pairs
	e.isolate(n)
	for _, k := range keys {
		e.index.remove(k, n)
	}
	for _, k := range keys {
		e.countDown(k, time)
	}
	for _, p := range e.pairs {
		if !e.linked(p[0], p[1]) {
			if s := e.score(p[0], p[1]); s >= e.threshold {
				e.link(p[0], p[1], s)
			}
		}
	}
	delete(e.known, e.nodes[n].id)
	e.reports--
	e.freeNode(n)
}

func (e *Engine) newNode(id ident, f *facts) int32 {
	var n int32
	if l := len(e.free); l > 0 {
		n, e.free = e.free[l-1], e.free[:l-1]
	} else {
		n = int32(len(e.nodes))
		e.nodes = append(e.nodes, node{})
	}
	e.nodes[n] = node{id: id, time: f.time, record: e.store(f), edges: e.nodes[n].edges[:0]}
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
	e.views.forget(n)
	e.records.give(e.nodes[n].record)
	edges := e.nodes[n].edges
	if cap(edges) > 16 {
		edges = nil
	}
	e.nodes[n] = node{edges: edges}
	e.free = append(e.free, n)
}
