package api

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/consumers/access"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// contentPolicy is of data and errors, which nobody shows as a page: nothing
// runs, loads or frames. The page says its own.
const contentPolicy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

// permissions are what neither page nor data needs.
const permissions = "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), " +
	"microphone=(), midi=(), payment=(), publickey-credentials-get=(), screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()"

// secure says to browsers what they may do with any answer.
func secure(h http.Header, r *http.Request) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissions)
	h.Set("Cache-Control", "no-store")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// guard is around everything: headers, methods, hosts, sizes, counting, and an
// answer that says nothing when a handler fails.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header(), r)
		cw := &counting{ResponseWriter: w}
		defer func() { s.metrics.request(r.Pattern, cw.code()) }()
		defer s.recovered(cw, r)
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			writeProblem(cw, http.StatusMethodNotAllowed, "method-not-allowed", "this interface only reads: use GET")
		case r.TLS == nil && !s.known(r.Host):
			writeProblem(cw, http.StatusMisdirectedRequest, "not-this-host", "this listener is not known under the name that was asked for")
		case path.Clean(r.URL.Path) != r.URL.Path:
			notFound(cw, r)
		default:
			r.Body = http.MaxBytesReader(cw, r.Body, 0)
			next.ServeHTTP(cw, r)
		}
	})
}

// recovered turns a panic into an answer without detail. What it was about may
// be a payload: the log gets its type and the place.
func (s *Server) recovered(w *counting, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if v == http.ErrAbortHandler {
		panic(v)
	}
	s.Log.Error("a request failed", zap.String("path", r.Pattern), zap.String("panic", fmt.Sprintf("%T", v)), zap.Stack("at"))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // half an answer is cut off, not ended
	}
	writeProblem(w, http.StatusInternalServerError, "internal", "the request failed here")
}

// known says whether a Host header names this listener. A name that anybody
// may point at this address (DNS rebinding) is none of ours; an address or
// localhost nobody can point elsewhere. Over TLS the certificate says it.
func (s *Server) known(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" {
		return true
	}
	return slices.ContainsFunc(s.Hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// foreign says whether a browser sent the request for a page of another origin,
// which has no business with data.
func foreign(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return true
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return false
	}
	u, err := url.Parse(origins[0])
	return len(origins) > 1 || err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) || u.Scheme != "http" && u.Scheme != "https"
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

func (c *counting) Write(data []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	return c.ResponseWriter.Write(data)
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

// reader says whose token it is; the zero reader for any doubt.
func (s *Server) reader(token string) Reader {
	if token == "" {
		return Reader{}
	}
	reader, err := s.Verify(token)
	if err != nil || reader.Name == "" || reader.Kind == "" || reader.Purpose == "" || reader.Token == "" || !s.Now().Before(reader.Expires) {
		return Reader{}
	}
	return reader
}

// holds says whether the request's token would still be let in.
func (s *Server) holds(r *http.Request) bool {
	token, _ := r.Context().Value(tokenKey{}).(string)
	return s.reader(token).Name != ""
}

// private demands a token of this cell in the Authorization header. A token
// in the address would end up in logs and histories, and one in a cookie would
// be sent to the listeners of other cells, for a browser keeps cookies by host
// and not by port: neither is looked at.
func (s *Server) private(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if foreign(r) {
			writeProblem(w, http.StatusForbidden, "other-origin", "this interface answers no page of another origin")
			return
		}
		token := ""
		if given := r.Header.Values("Authorization"); len(given) == 1 && strings.HasPrefix(given[0], "Bearer ") {
			token = given[0][len("Bearer "):]
		}
		reader := s.reader(token)
		if reader.Name == "" {
			s.stranger(w, r)
			return
		}
		if after := s.limits.take(reader, 1); after > 0 {
			later(w, http.StatusTooManyRequests, "too-many-requests", "slow down: follow /v1/events instead of asking again", seconds(after))
			return
		}
		ctx := context.WithValue(r.Context(), readerKey{}, reader)
		next(w, r.WithContext(context.WithValue(ctx, tokenKey{}, token)))
	})
}

// stranger answers whoever shows no token that holds: always alike, so that
// nothing is learnt of why, or of what there is.
func (s *Server) stranger(w http.ResponseWriter, r *http.Request) {
	if after := s.strangers.take(r.RemoteAddr); after > 0 {
		later(w, http.StatusTooManyRequests, "too-many-requests", "slow down, and send a valid token of this cell", seconds(after))
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="watchfloor"`)
	writeProblem(w, http.StatusUnauthorized, "no-token", "send a valid token of this cell: Authorization: Bearer TOKEN")
}

func seconds(d time.Duration) int { return int(d/time.Second) + 1 }

// recorded is private, with a record of who reads what for which purpose
// before anything of it is answered. No record, no answer.
func (s *Server) recorded(next http.HandlerFunc) http.Handler {
	return s.private(func(w http.ResponseWriter, r *http.Request) {
		if err := s.Record(r.Context(), s.access(r, access.Read)); err != nil {
			s.noRecord(w, r, err)
			return
		}
		next(w, r)
	})
}

func (s *Server) noRecord(w http.ResponseWriter, r *http.Request, err error) {
	s.Log.Error("an access could not be recorded", zap.String("path", r.Pattern), zap.String("token", readerOf(r).Token), zap.Error(err))
	s.metrics.unrecorded.Inc()
	later(w, http.StatusServiceUnavailable, "no-record", "what is read must be recorded first, and cannot be now", retryLong)
}

// access is the record of a request. Of what it asks for it holds what is well
// formed; the rest is refused anyhow.
func (s *Server) access(r *http.Request, what access.What) access.Record {
	reader := readerOf(r)
	out := access.Record{
		Time: s.Now(), Cell: s.Cell, Reader: reader.Name, Kind: reader.Kind, Token: reader.Token, Purpose: reader.Purpose,
		What: what, Endpoint: r.Pattern,
	}
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return out
	}
	if status, err := subject.ParseStatus(q.Get("status")); err == nil {
		out.Status = subject.StatusToken(status)
	}
	if id := r.PathValue("id"); situationID(id) {
		out.Situation = id
	}
	if t, ok := parseTime(q.Get("as_of")); ok {
		out.AsOf = instant(t)
	}
	return out
}
