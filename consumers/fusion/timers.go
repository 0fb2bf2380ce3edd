package fusion

// timers say when a report's hold on the picture changes: a wheel of three
// rings of buckets, of a tick, 1024 ticks and 1024 x 1024 ticks each. A bucket
// is a list through the nodes, so that a report that leaves takes its timer
// along.
type timers struct {
	now   uint32 // last tick served
	rings [wheelRings][wheelSize]int32
	count [wheelRings]int
	ready []int32 // taken out and not yet handed on
}

const (
	wheelRings = 3
	wheelBits  = 10
	wheelSize  = 1 << wheelBits
	lastTick   = 1<<(wheelRings*wheelBits) - 1 // in the year 2310
)

// tickOf is the first tick at or after a time.
func tickOf(ms int64) uint32 {
	if ms <= 0 {
		return 0
	}
	return uint32(min((ms-1)/grid+1, lastTick))
}

// bucket is where a tick to come belongs.
func (t *timers) bucket(due uint32) (ring, slot uint32) {
	switch {
	case due>>wheelBits == t.now>>wheelBits:
		return 0, due % wheelSize
	case due>>(2*wheelBits) == t.now>>(2*wheelBits):
		return 1, due >> wheelBits % wheelSize
	}
	return 2, due >> (2 * wheelBits)
}

// set queues a node for a tick after now.
func (t *timers) set(nodes []node, n int32, due uint32) {
	ring, slot := t.bucket(due)
	head := &t.rings[ring][slot]
	x := &nodes[n]
	x.due, x.timerNext, x.timerPrev = due, *head, 0
	if *head != 0 {
		nodes[*head].timerPrev = n
	}
	*head = n
	t.count[ring]++
}

// clear takes a node's timer out.
func (t *timers) clear(nodes []node, n int32) {
	x := &nodes[n]
	if x.due == 0 {
		return
	}
	ring, slot := t.bucket(x.due)
	if x.timerPrev != 0 {
		nodes[x.timerPrev].timerNext = x.timerNext
	} else {
		t.rings[ring][slot] = x.timerNext
	}
	if x.timerNext != 0 {
		nodes[x.timerNext].timerPrev = x.timerPrev
	}
	t.count[ring]--
	x.due = 0
}

// advance moves to a later tick and returns the nodes that are due by then, in
// no order.
func (t *timers) advance(nodes []node, to uint32) []int32 {
	t.ready = t.ready[:0]
	for t.now < to {
		last := min(to, t.now|(wheelSize-1)) // of the ticks in the first ring
		if t.count[0] > 0 {
			for i := t.now%wheelSize + 1; i <= last%wheelSize; i++ {
				t.empty(nodes, 0, i)
			}
		}
		t.now = last
		if last < to {
			t.turn(nodes, to)
		}
	}
	return t.ready
}

// turn goes from the last tick of the first ring to the first of the next that
// may have something due, at most to, and brings down what belongs there.
func (t *timers) turn(nodes []node, to uint32) {
	top := t.now >> (2 * wheelBits)
	next := t.now + 1
	if t.count[1] == 0 {
		next = min((top+1)<<(2*wheelBits), to&^(wheelSize-1))
	}
	t.now = next
	if next>>(2*wheelBits) != top {
		t.empty(nodes, 2, next>>(2*wheelBits))
	}
	t.empty(nodes, 1, next>>wheelBits%wheelSize)
}

// empty takes a bucket out; what is not due yet goes to where it now belongs.
func (t *timers) empty(nodes []node, ring, slot uint32) {
	n := t.rings[ring][slot]
	t.rings[ring][slot] = 0
	for n != 0 {
		next := nodes[n].timerNext
		t.count[ring]--
		if due := nodes[n].due; due > t.now && ring > 0 {
			t.set(nodes, n, due)
		} else {
			nodes[n].due = 0
			t.ready = append(t.ready, n)
		}
		n = next
	}
}
