package fusion

import (
	"cmp"
	"slices"
)

// timers is a heap of the moments at which a report's hold on the picture
// changes. An entry whose report has moved on is skipped when it comes up.
type timers struct{ heap []timer }

type timer struct {
	due int64
	n   int32
}

func (t *timers) push(due int64, n int32, e *Engine) {
	if len(t.heap) > 1024 && len(t.heap) > 2*len(e.nodes) {
		t.prune(e)
	}
	t.heap = append(t.heap, timer{due, n})
	for i := len(t.heap) - 1; i > 0; {
		p := (i - 1) / 2
		if t.heap[p].due <= t.heap[i].due {
			return
		}
		t.heap[p], t.heap[i] = t.heap[i], t.heap[p]
		i = p
	}
}

// prune drops what no report waits for any more.
func (t *timers) prune(e *Engine) {
	t.heap = slices.DeleteFunc(t.heap, func(x timer) bool { return e.nodes[x.n].due != x.due })
	slices.SortFunc(t.heap, func(a, b timer) int { return cmp.Compare(a.due, b.due) })
}

// pop returns the next report that is due.
func (t *timers) pop(now int64, e *Engine) (int32, bool) {
	for len(t.heap) > 0 && t.heap[0].due <= now {
		top := t.heap[0]
		last := len(t.heap) - 1
		t.heap[0] = t.heap[last]
		t.heap = t.heap[:last]
		t.sink()
		if n := &e.nodes[top.n]; n.record != 0 && n.due == top.due {
			n.due = 0
			return top.n, true
		}
	}
	return 0, false
}

func (t *timers) sink() {
	for i := 0; ; {
		c := 2*i + 1
		if c >= len(t.heap) {
			return
		}
		if c+1 < len(t.heap) && t.heap[c+1].due < t.heap[c].due {
			c++
		}
		if t.heap[i].due <= t.heap[c].due {
			return
		}
		t.heap[i], t.heap[c] = t.heap[c], t.heap[i]
		i = c
	}
}
