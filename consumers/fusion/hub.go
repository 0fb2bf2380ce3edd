package fusion

import "math"

// limit is how many reports of an epoch may carry k before it is a hub.
func (e *Engine) limit(k key) int32 { return e.hubLimit * k.rule().slack }

// hub says whether k has lost its weight for a report of time t: more live
// reports of t's epoch carry it than the limit. It is a function of the set of
// live reports alone.
func (e *Engine) hub(k key, t int64) bool {
	k = k.list()
	r := k.rule()
	if r.epoch == 0 || e.index.count(k) <= e.hubLimit {
		return false
	}
	return e.index.counts[keyEpoch{k, r.epochOf(t)}] > e.hubLimit*r.slack
}

// hubOfEither is hub for the times of two reports.
func (e *Engine) hubOfEither(k key, t, u int64) bool {
	k = k.list()
	r := k.rule()
	if r.epoch == 0 || e.index.count(k) <= e.hubLimit {
		return false
	}
	most := e.hubLimit * r.slack
	return e.index.counts[keyEpoch{k, r.epochOf(t)}] > most || e.index.counts[keyEpoch{k, r.epochOf(u)}] > most
}

// countUp follows the insertion of a report of time t under k, which c reports
// now carry.
func (e *Engine) countUp(k key, t int64, c int32) {
	r := k.rule()
	if r.epoch == 0 {
		return
	}
	switch {
	case c <= e.hubLimit:
		return
	case c == e.hubLimit+1:
		e.index.epochNodes(k, math.MinInt64, math.MaxInt64, func(m int32) {
			e.index.counts[keyEpoch{k, r.epochOf(e.nodes[m].time)}]++
		})
	default:
		e.index.counts[keyEpoch{k, r.epochOf(t)}]++
	}
	if e.index.counts[keyEpoch{k, r.epochOf(t)}] == e.limit(k)+1 {
		e.damp(k, r.epochOf(t))
	}
}

// countDown follows the removal of a report of time t under k, which c reports
// carry now.
func (e *Engine) countDown(k key, t int64, c int32) {
	r := k.rule()
	if r.epoch == 0 {
		return
	}
	if c < e.hubLimit {
		return
	}
	ke := keyEpoch{k, r.epochOf(t)}
	was := e.index.counts[ke]
	if e.index.counts[ke]--; was <= 1 {
		delete(e.index.counts, ke)
	}
	if c == e.hubLimit {
		e.index.epochNodes(k, math.MinInt64, math.MaxInt64, func(m int32) {
			delete(e.index.counts, keyEpoch{k, r.epochOf(e.nodes[m].time)})
		})
	}
	if was == e.limit(k)+1 {
		e.restore(k, ke.epoch)
	}
}

// crossing is the reports of an epoch that carry k, at most the limit and one.
func (e *Engine) crossing(k key, epoch int64) []int32 {
	r := k.rule()
	var out []int32
	e.index.epochNodes(k, epoch*r.epoch, (epoch+1)*r.epoch, func(m int32) { out = append(out, m) })
	return out
}

// damp weakens every link that rests on k in an epoch where it became a hub.
func (e *Engine) damp(k key, epoch int64) {
	for _, m := range e.crossing(k, epoch) {
		e.touch(e.nodes[m].comp) // what it says of the hub changes too
		for i := len(e.edges(m)) - 1; i >= 0; i-- {
			if i >= len(e.edges(m)) {
				continue
			}
			x := e.edges(m)[i].to
			if !e.facts(x).has(k) {
				continue
			}
			if s := e.decide(m, x); s >= e.threshold {
				e.link(m, x, s)
			} else {
				e.cut(m, x)
			}
		}
	}
}

// restore re-proposes every pair that shares k in an epoch where it is a hub
// no more.
func (e *Engine) restore(k key, epoch int64) {
	for _, m := range e.crossing(k, epoch) {
		e.touch(e.nodes[m].comp)
		e.again = append(e.again[:0], e.facts(m).keys...)
		e.begin(m)
		for _, q := range e.again {
			w := e.index.window(q, m, e.k)
			for _, o := range w.older() {
				if e.facts(o).has(k) {
					e.consider(q, m, o)
				}
			}
			for _, y := range w.newer() {
				if e.facts(y).has(k) {
					e.consider(q, m, y)
				}
			}
		}
	}
}
