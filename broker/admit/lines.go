package admit

import (
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/guard"
)

// lines is where submissions wait to be examined: a line for each agency, taken
// from in turn, so that nobody waits behind the flood of another.
type lines struct {
	most, mostBytes int           // of all lines; one takes up to half
	more            chan struct{} // told when there is something

	mu       sync.Mutex
	by       map[string]*line
	turn     []*line // those that are not empty, whose turn it is first
	n, bytes int
}

type line struct {
	agency string
	msgs   []*nats.Msg
	bytes  int
}

func newLines(most, mostBytes int) *lines {
	return &lines{most: most, mostBytes: mostBytes, more: make(chan struct{}, 1), by: map[string]*line{}}
}

// push adds a submission to its agency's line; false when there is no room.
func (q *lines) push(m *nats.Msg) bool {
	agency, size := guard.AgencyOf(m.Subject), len(m.Data)
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.by[agency]
	if l == nil {
		l = &line{agency: agency}
	}
	if q.n >= q.most || q.bytes+size > q.mostBytes || len(l.msgs) > 0 && (2*len(l.msgs) >= q.most || 2*(l.bytes+size) > q.mostBytes) {
		return false
	}
	if len(l.msgs) == 0 {
		q.by[agency] = l
		q.turn = append(q.turn, l)
	}
	l.msgs = append(l.msgs, m)
	l.bytes += size
	q.n, q.bytes = q.n+1, q.bytes+size
	q.tell()
	return true
}

// pop takes the next submission; nil when none waits.
func (q *lines) pop() *nats.Msg {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.turn) == 0 {
		return nil
	}
	l := q.turn[0]
	m := l.msgs[0]
	l.msgs[0] = nil
	l.msgs = l.msgs[1:]
	l.bytes -= len(m.Data)
	q.n, q.bytes = q.n-1, q.bytes-len(m.Data)
	q.turn[0] = nil
	q.turn = q.turn[1:]
	if len(l.msgs) > 0 {
		q.turn = append(q.turn, l)
	} else {
		delete(q.by, l.agency)
	}
	if q.n > 0 {
		q.tell()
	}
	return m
}

func (q *lines) tell() {
	select {
	case q.more <- struct{}{}:
	default:
	}
}

func (q *lines) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.n
}
