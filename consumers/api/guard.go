package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// contentPolicy lets the page load its own files and nothing else.
const contentPolicy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// guard is around everything: headers, methods, sizes, counting.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "geolocation=(), camera=(), microphone=()")
		cw := &counting{ResponseWriter: w}
		defer func() { s.metrics.request(r.Pattern, cw.code()) }()
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			writeProblem(cw, http.StatusMethodNotAllowed, "method-not-allowed", "this interface only reads: use GET")
			return
		}
		r.Body = http.MaxBytesReader(cw, r.Body, 0)
		next.ServeHTTP(cw, r)
	})
}

// counting remembers the status code.
type counting struct {
	http.ResponseWriter
	status int
}

func (c *counting) WriteHeader(code int) {
	if c.status == 0 {
		c.status = code
	}
	c.ResponseWriter.WriteHeader(code)
}

func (c *counting) code() int {
	if c.status == 0 {
		return http.StatusOK
	}
	return c.status
}

// Unwrap is for http.ResponseController.
func (c *counting) Unwrap() http.ResponseWriter { return c.ResponseWriter }

type (
	readerKey struct{}
	tokenKey  struct{}
)

// readerOf is whom the request's token belongs to.
func readerOf(r *http.Request) Reader {
	reader, _ := r.Context().Value(readerKey{}).(Reader)
	return reader
}

// holds says whether the request's token would still be let in.
func (s *Server) holds(r *http.Request) bool {
	token, _ := r.Context().Value(tokenKey{}).(string)
	reader, err := s.Verify(token)
	return err == nil && reader.Name != "" && (reader.Expires.IsZero() || s.Now().Before(reader.Expires))
}

// private demands a token of this cell in the Authorization header. A token
// in the address would end up in logs and histories, so it is not looked for.
func (s *Server) private(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		var reader Reader
		if ok && token != "" {
			var err error
			if reader, err = s.Verify(token); err != nil {
				reader = Reader{}
			}
		}
		if reader.Name == "" || !reader.Expires.IsZero() && !s.Now().Before(reader.Expires) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="watchfloor"`)
			writeProblem(w, http.StatusUnauthorized, "no-token", "send a valid token of this cell: Authorization: Bearer TOKEN")
			return
		}
		if after := s.limits.take(reader.Name, 1); after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(after/time.Second)+1))
			writeProblem(w, http.StatusTooManyRequests, "too-many-requests", "slow down: follow /v1/events instead of asking again")
			return
		}
		ctx := context.WithValue(r.Context(), readerKey{}, reader)
		next(w, r.WithContext(context.WithValue(ctx, tokenKey{}, token)))
	})
}

const (
	// perSecond and burst bound the requests of one reader.
	perSecond = 50
	burst     = 200
	// maxStreams bounds the event streams of one reader.
	maxStreams = 32
)

// limiter bounds what one reader may ask, so that it costs the others nothing.
type limiter struct {
	now func() time.Time
	mu  sync.Mutex
	of  map[string]*allowance
}

type allowance struct {
	tokens  float64
	at      time.Time
	streams int
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, of: map[string]*allowance{}}
}

func (l *limiter) get(reader string) *allowance {
	a := l.of[reader]
	if a == nil {
		a = &allowance{tokens: burst, at: l.now()}
		l.of[reader] = a
	}
	return a
}

// take spends so many requests; it returns how long to wait when they are not there.
func (l *limiter) take(reader string, n float64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, now := l.get(reader), l.now()
	a.tokens = min(burst, a.tokens+max(0, now.Sub(a.at).Seconds())*perSecond)
	a.at = now
	if a.tokens < n {
		return time.Duration((n - a.tokens) / perSecond * float64(time.Second))
	}
	a.tokens -= n
	return 0
}

// stream takes one event stream; leave gives it back. It fails at the bound.
func (l *limiter) stream(reader string) (leave func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.get(reader)
	if a.streams >= maxStreams {
		return nil, false
	}
	a.streams++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		a.streams--
	}, true
}
