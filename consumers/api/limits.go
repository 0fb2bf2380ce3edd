package api

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Limits are what one reader may ask for. The zero value is the default.
type Limits struct {
	// Requests per second; four times as many at once.
	Requests int
	// Streams of events, open at once.
	Streams int
}

const (
	defaultRequests = 50
	defaultStreams  = 32
	// atOnce is how many seconds' worth of requests may come at once.
	atOnce = 4
	// perStranger and strangersAtOnce bound the requests without a token that
	// holds, of one address.
	perStranger     = 10
	strangersAtOnce = 100
	// maxStrangers and maxReaders bound the tables.
	maxStrangers = 4096
	maxReaders   = 4096
	// perAddress and maxConnections bound open connections.
	perAddress     = 512
	maxConnections = 2048
)

func (l Limits) requests() float64 { return float64(orElse(l.Requests, defaultRequests)) }
func (l Limits) streams() int      { return orElse(l.Streams, defaultStreams) }

func orElse(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// bucket fills by rate per second up to most.
type bucket struct {
	tokens, rate, most float64
	at                 time.Time
}

func (b *bucket) fill(now time.Time) {
	b.tokens = min(b.most, b.tokens+max(0, now.Sub(b.at).Seconds())*b.rate)
	b.at = now
}

// take spends n; it returns how long to wait when they are not there.
func (b *bucket) take(n float64) time.Duration {
	if b.tokens < n {
		return time.Duration((n - b.tokens) / b.rate * float64(time.Second))
	}
	b.tokens -= n
	return 0
}

// limiter bounds what one reader may ask, with however many tokens, so that it
// costs the others nothing.
type limiter struct {
	now func() time.Time
	mu  sync.Mutex
	of  map[string]*allowance
}

type allowance struct {
	bucket
	streams int
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, of: map[string]*allowance{}}
}

func (l *limiter) allowance(r Reader) *allowance {
	now := l.now()
	a := l.of[r.Name]
	if a == nil {
		if len(l.of) >= maxReaders {
			l.tidy(now)
		}
		a = &allowance{bucket: bucket{tokens: atOnce * r.Limits.requests(), at: now}}
		l.of[r.Name] = a
	}
	a.rate, a.most = r.Limits.requests(), atOnce*r.Limits.requests()
	a.fill(now)
	return a
}

// tidy forgets those who ask for nothing at the moment.
func (l *limiter) tidy(now time.Time) {
	for name, a := range l.of {
		if a.fill(now); a.tokens >= a.most && a.streams == 0 {
			delete(l.of, name)
		}
	}
}

// take spends so many requests; it returns how long to wait when they are not there.
func (l *limiter) take(r Reader, n float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.allowance(r).take(n)
}

// stream takes one event stream; leave gives it back. It fails at the bound.
func (l *limiter) stream(r Reader) (leave func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.allowance(r)
	if a.streams >= r.Limits.streams() {
		return nil, false
	}
	a.streams++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		a.streams--
	}, true
}

// strangers bounds the requests without a token that holds, by address. It
// looks at no other: a reader behind the same address is answered.
type strangers struct {
	now func() time.Time
	mu  sync.Mutex
	of  map[netip.Prefix]*bucket
}

func newStrangers(now func() time.Time) *strangers {
	return &strangers{now: now, of: map[netip.Prefix]*bucket{}}
}

// take spends one request of an address; it returns how long to wait when
// there is none left. When more addresses come than are kept, new ones wait.
func (s *strangers) take(remote string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, from := s.now(), network(remote)
	b := s.of[from]
	if b == nil {
		if len(s.of) >= maxStrangers {
			s.tidy(now)
		}
		if len(s.of) >= maxStrangers {
			return time.Second
		}
		b = &bucket{tokens: strangersAtOnce, rate: perStranger, most: strangersAtOnce, at: now}
		s.of[from] = b
	}
	b.fill(now)
	return b.take(1)
}

func (s *strangers) tidy(now time.Time) {
	for from, b := range s.of {
		if b.fill(now); b.tokens >= b.most {
			delete(s.of, from)
		}
	}
}

// network is whom an address belongs to: one of IPv4, the 64 bits of IPv6 that
// one subscriber is given. What is no address is one of its own.
func network(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr, bits := at.Addr().Unmap().WithZone(""), 64
	if addr.Is4() {
		bits = 32
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// connections bounds what is open, of one address and in all. It is told of
// connections by http.Server.ConnState, before anything is read from them.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]netip.Prefix
	of   map[netip.Prefix]int
}

func newConnections() *connections {
	return &connections{open: map[net.Conn]netip.Prefix{}, of: map[netip.Prefix]int{}}
}

func (c *connections) changed(conn net.Conn, to http.ConnState) {
	switch to {
	case http.StateNew:
		if !c.enter(conn) {
			_ = conn.Close() // nobody to tell: that is the point
		}
	case http.StateClosed, http.StateHijacked:
		c.leave(conn)
	}
}

func (c *connections) enter(conn net.Conn) bool {
	from := network(conn.RemoteAddr().String())
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) >= maxConnections || c.of[from] >= perAddress {
		return false
	}
	c.open[conn] = from
	c.of[from]++
	return true
}

func (c *connections) leave(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	from, ok := c.open[conn]
	if !ok {
		return
	}
	delete(c.open, conn)
	if c.of[from]--; c.of[from] == 0 {
		delete(c.of, from)
	}
}
