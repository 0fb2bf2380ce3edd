package fusion

import (
	queue "container/heap"
	"math"
	"slices"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Time alone changes a trend. When a situation is committed, the first tick at
// which its trend may be another is put into a heap; Tick touches what is due,
// and Commit decides exactly. The forecast only has to be early enough: it
// reckons with bounds, in floating point, and enters no picture.

// pulses is a heap of committed pictures by when their trend may change. An
// entry whose picture has another time, or none, is skipped.
type pulses []pulse

type pulse struct {
	due  int64
	pict int32
}

func (p pulses) Len() int           { return len(p) }
func (p pulses) Less(i, j int) bool { return p[i].due < p[j].due }
func (p pulses) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *pulses) Push(x any)        { *p = append(*p, x.(pulse)) }
func (p *pulses) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

// expect queues the committed picture p.
func (e *Engine) expect(p int32) {
	due := e.pictures[p].due
	if due == 0 {
		return
	}
	if len(e.pulses) > 1024 && len(e.pulses) > 2*len(e.pictures) {
		e.pulses = slices.DeleteFunc(e.pulses, func(x pulse) bool { return e.pictures[x.pict].due != x.due })
		queue.Init(&e.pulses)
	}
	queue.Push(&e.pulses, pulse{due, p})
}

// beat touches the situations whose trend may have changed by now.
func (e *Engine) beat() {
	for len(e.pulses) > 0 && e.pulses[0].due <= e.now {
		x := queue.Pop(&e.pulses).(pulse)
		p := &e.pictures[x.pict]
		if p.due != x.due {
			continue
		}
		p.due = 0
		if n := &e.nodes[p.head]; n.pict == x.pict {
			e.touch(n.comp)
		}
	}
}

// forecast bounds f and s after some time without new reports.
type forecast struct {
	f, s float64 // now, in reports per hour
	// off is how far the sum of rounded terms may lie from what is reckoned here.
	off float64
	is  wf.Trend
}

// slack is the same as a share: the halving is a line between 64ths.
const slack = 1e-4

// nextTrend is the first tick after now at which the trend may differ from
// what it is at the reference time at (now, or the last event if that is
// later); 0: never by time alone.
func (r rates) nextTrend(at, now int64, members int) int64 {
	p := forecast{
		f: float64(r.hour) / rateOne, s: float64(r.day) / 24 / rateOne,
		off: float64(members+1) * 8 / rateOne, is: r.trend(),
	}
	horizon := p.horizon()
	if horizon == 0 {
		return 0
	}
	d, ok := p.first(0, horizon)
	if !ok {
		return 0
	}
	return max(-floorDiv(-(at+d), grid)*grid, floorDiv(now, grid)*grid+grid)
}

// horizon is when both rates are so low that the trend is steady for good.
func (p *forecast) horizon() int64 {
	until := func(v, low float64, half int64) float64 { return math.Log2(max(v/low, 1)) * float64(half) }
	return int64(math.Ceil(max(until(p.f, 1.2, hourFade), until(p.s, 1.4, dayFade))/grid)) * grid
}

// first finds the first stretch of at most one tick in which the trend may be
// another.
func (p *forecast) first(from, to int64) (int64, bool) {
	if p.certain(from, to) {
		return 0, false
	}
	if to-from <= grid {
		return from, true
	}
	mid := from + floorDiv((to-from)/2+grid-1, grid)*grid
	if d, ok := p.first(from, mid); ok || mid >= to {
		return d, ok
	}
	return p.first(mid, to)
}

// certain says whether the trend stays what it is all the way.
func (p *forecast) certain(from, to int64) bool {
	left := func(v float64, d, half int64) float64 { return v * math.Exp2(-float64(d)/float64(half)) }
	over := func(v float64) float64 { return v*(1+slack) + p.off }
	under := func(v float64) float64 { return max(0, v*(1-slack)-p.off) }
	fLow, fHigh := under(left(p.f, to, hourFade)), over(left(p.f, from, hourFade))
	sLow, sHigh := under(left(p.s, to, dayFade)), over(left(p.s, from, dayFade))
	z := func(d, s float64) float64 { return d / math.Sqrt(s+1) }
	high := max(z(fHigh-sLow, sLow), z(fHigh-sLow, sHigh))
	low := min(z(fLow-sHigh, sLow), z(fLow-sHigh, sHigh))
	switch p.is {
	case wf.Trend_TREND_RISING:
		return low > 1.5
	case wf.Trend_TREND_FALLING:
		return high < -1
	}
	return low > -1 && high < 1.5
}
