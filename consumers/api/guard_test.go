package api

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchfloor/watchfloor/consumers/access"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
)

// ask makes one request of any form.
func (r *rig) ask(t *testing.T, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Add(header[i], header[i+1])
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

const good = "Bearer good"

var paths = []string{"/v1/cell", "/v1/snapshot", "/v1/snapshot.geojson", "/v1/situations/" + "00000000000000000000000000000000", "/v1/events", "/v1/replay", "/metrics", "/v1/nothing", "/v1", "/v1/cell/more"}

// Every answer, errors too, says to browsers to run, show, load and keep
// nothing.
func TestEveryAnswerIsClosed(t *testing.T) {
	r := newRig(t)
	want := map[string]string{
		"Content-Security-Policy":      contentPolicy,
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           permissions,
		"Cache-Control":                "no-store",
	}
	for _, c := range []struct {
		method, path string
		header       []string
		code         int
	}{
		{"GET", "/v1/cell", []string{"Authorization", good}, 200},
		{"HEAD", "/v1/cell", []string{"Authorization", good}, 200},
		{"HEAD", "/v1/events", []string{"Authorization", good}, 200},
		{"GET", "/metrics", []string{"Authorization", good}, 200},
		{"GET", "/healthz", nil, 200},
		{"GET", "/v1/cell", nil, 401},
		{"GET", "/v1/cell?x=1", []string{"Authorization", good}, 400},
		{"GET", "/v1/nothing", []string{"Authorization", good}, 404},
		{"GET", "/v1/../v1/cell", []string{"Authorization", good}, 404},
		{"GET", "//v1/cell", []string{"Authorization", good}, 404},
		{"GET", "/v1/cell/", []string{"Authorization", good}, 404},
		{"POST", "/v1/cell", []string{"Authorization", good}, 405},
		{"OPTIONS", "/v1/cell", []string{"Origin", "https://evil.example", "Access-Control-Request-Method", "GET"}, 405},
		{"TRACE", "/", nil, 405},
		{"GET", "/v1/cell", []string{"Authorization", good, "Host", "evil.example"}, 421},
		{"GET", "/", []string{"Host", "evil.example"}, 421},
		{"GET", "/v1/cell", []string{"Authorization", good, "Origin", "https://evil.example"}, 403},
	} {
		resp, body := r.ask(t, c.method, c.path, c.header...)
		if resp.StatusCode != c.code {
			t.Errorf("%s %s %v: got %d %s, want %d", c.method, c.path, c.header, resp.StatusCode, body, c.code)
		}
		for name, value := range want {
			if got := resp.Header.Get(name); got != value {
				t.Errorf("%s %s %v: %s is %q, want %q", c.method, c.path, c.header, name, got, value)
			}
		}
		for name := range resp.Header {
			if strings.HasPrefix(name, "Access-Control-") || name == "Server" || name == "X-Powered-By" || name == "Set-Cookie" || name == "Location" || name == "Strict-Transport-Security" {
				t.Errorf("%s %s %v: answers with %s", c.method, c.path, c.header, name)
			}
		}
		if c.method == "HEAD" && body != "" {
			t.Errorf("HEAD %s has a body", c.path)
		}
	}
	for _, word := range []string{"unsafe", "http", "*", "data:", "self"} {
		if strings.Contains(contentPolicy, word) {
			t.Errorf("the policy of data allows %q", word)
		}
	}
}

// Over TLS a browser is told never to come without.
func TestStrictTransport(t *testing.T) {
	r := newRig(t)
	srv := httptest.NewTLSServer(r.Handler())
	t.Cleanup(srv.Close)
	resp, err := srv.Client().Get(srv.URL + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Strict-Transport-Security"); got != "max-age=31536000" {
		t.Errorf("got %q", got)
	}
}

// Whoever shows no token of this cell gets one answer, whatever is there and
// whatever they show instead.
func TestNoOracle(t *testing.T) {
	r := newRig(t)
	type answer struct {
		Code   int
		Header http.Header
		Body   string
	}
	var want *answer
	for _, path := range append(paths, "/v1/situations/x", "/v1/snapshot?status=nonsense", "/v1/snapshot?as_of=2020-01-01T00:00:00Z", "/v1/cell?token=good", "/v1/cell?access_token=good") {
		for _, header := range [][]string{
			nil, {"Authorization", "Bearer "}, {"Authorization", "Bearer bad"}, {"Authorization", "Bearer old"}, {"Authorization", "good"},
			{"Authorization", good, "Authorization", good}, {"Cookie", "token=good; Authorization=Bearer good"}, {"Authorization", "Bearer " + strings.Repeat("x", 8000)},
		} {
			r.pass(time.Second) // the limit of strangers is another test's
			resp, body := r.ask(t, "GET", path, header...)
			resp.Header.Del("Date")
			got := &answer{resp.StatusCode, resp.Header, body}
			if want == nil {
				want = got
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s %v is answered otherwise (-first +this):\n%s", path, header, d)
			}
		}
	}
	if want.Code != 401 {
		t.Errorf("the answer is %d, want 401", want.Code)
	}
	if got := r.recorded(); len(got) != 0 {
		t.Errorf("recorded: %v", got)
	}
}

// A page of another origin gets nothing, and none of its requests is let
// through by a name that it points here.
func TestOtherOrigins(t *testing.T) {
	r := newRig(t)
	r.Hosts = []string{"floor.example"}
	here := strings.TrimPrefix(r.url, "http://")
	for _, c := range []struct {
		header []string
		code   int
	}{
		{nil, 200},
		{[]string{"Origin", r.url}, 200},
		{[]string{"Origin", r.url, "Sec-Fetch-Site", "same-origin"}, 200},
		{[]string{"Sec-Fetch-Site", "none"}, 200},
		{[]string{"Host", "floor.example"}, 200},
		{[]string{"Host", "FLOOR.example.:8443", "Origin", "https://FLOOR.example.:8443"}, 200},
		{[]string{"Host", "localhost:9000"}, 200},
		{[]string{"Host", "[::1]:9000"}, 200},
		{[]string{"Host", "10.0.0.7"}, 200},
		{[]string{"Origin", "https://evil.example"}, 403},
		{[]string{"Origin", "null"}, 403},
		{[]string{"Origin", ""}, 403},
		{[]string{"Origin", "http://127.0.0.1:1"}, 403},
		{[]string{"Origin", "ftp://" + here}, 403},
		{[]string{"Origin", r.url, "Origin", "https://evil.example"}, 403},
		{[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		{[]string{"Sec-Fetch-Site", "same-site"}, 403},
		{[]string{"Host", "evil.example"}, 421},
		{[]string{"Host", "evil.example:80", "Origin", "http://evil.example:80"}, 421},
		{[]string{"Host", "localhost.evil.example"}, 421},
		{[]string{"Host", "127.0.0.1.evil.example"}, 421},
		{[]string{"Host", "127.1"}, 421},
		{[]string{"Host", "xfloor.example"}, 421},
	} {
		for _, path := range []string{"/v1/cell", "/metrics"} {
			resp, body := r.ask(t, "GET", path, append([]string{"Authorization", good}, c.header...)...)
			if resp.StatusCode != c.code {
				t.Errorf("%s with %v: got %d %s, want %d", path, c.header, resp.StatusCode, body, c.code)
			}
		}
	}
	// A link to the page may stand anywhere.
	if resp, _ := r.ask(t, "GET", "/", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"); resp.StatusCode != 200 {
		t.Errorf("a link to the page: %d", resp.StatusCode)
	}
}

// Before anything is answered it is recorded who reads what for which purpose.
func TestReadsAreRecorded(t *testing.T) {
	r := newRig(t)
	r.src.commit(t, situation(7))
	id := situation(7).Id
	base := access.Record{Time: r.now(), Cell: "le", Reader: "watch-le", Kind: "person", Token: "1d", Purpose: "watch", What: access.Read}
	with := func(change func(*access.Record)) access.Record {
		x := base
		change(&x)
		return x
	}
	for _, c := range []struct {
		path string
		want access.Record
	}{
		{"/v1/cell", with(func(x *access.Record) { x.Endpoint = "/v1/cell" })},
		{"/metrics", with(func(x *access.Record) { x.Endpoint = "/metrics" })},
		{"/v1/snapshot?status=exercise", with(func(x *access.Record) { x.Endpoint, x.Status = "/v1/snapshot", "exercise" })},
		{"/v1/snapshot?as_of=2026-01-02T03:04:05Z", with(func(x *access.Record) { x.Endpoint, x.AsOf = "/v1/snapshot", "2026-01-02T03:04:05Z" })},
		{"/v1/situations/" + id + "?status=exercise", with(func(x *access.Record) {
			x.Endpoint, x.Status, x.Situation = "/v1/situations/{id}", "exercise", id
		})},
		{"/v1/situations/SECRET?status=SECRET&as_of=SECRET", with(func(x *access.Record) { x.Endpoint = "/v1/situations/{id}" })},
	} {
		r.ask(t, "GET", c.path, "Authorization", good)
		if d := cmp.Diff([]access.Record{c.want}, r.recorded()); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.path, d)
		}
	}
	r.ask(t, "GET", "/v1/nothing", "Authorization", good)
	r.ask(t, "GET", "/healthz", "Authorization", good)
	if got := r.recorded(); len(got) != 0 {
		t.Errorf("recorded of nothing read: %v", got)
	}
}

// A stream is recorded when it opens, for as long as it is read, and when it ends.
func TestStreamsAreRecorded(t *testing.T) {
	r := newRig(t)
	r.recordEvery = 5 * time.Millisecond
	s := r.stream(t, "")
	s.next(t)
	var whats []access.What
	wait := func(want access.What) {
		t.Helper()
		deadline := time.Now().Add(20 * time.Second)
		for !slices.Contains(whats, want) {
			if time.Now().After(deadline) {
				t.Fatalf("recorded %v, want %s", whats, want)
			}
			for _, x := range r.recorded() {
				if x.Endpoint != "/v1/events" || x.Status != "exercise" || x.Reader != "watch-le" {
					t.Errorf("got %+v", x)
				}
				whats = append(whats, x.What)
			}
			time.Sleep(time.Millisecond)
		}
	}
	wait(access.Reading)
	if whats[0] != access.Opened {
		t.Errorf("recorded %v, want %s first", whats, access.Opened)
	}
	s.close()
	wait(access.Ended)
}

// What cannot be recorded is not answered, and a stream that is read already ends.
func TestNoRecordNoAnswer(t *testing.T) {
	r := newRig(t)
	r.src.commit(t, situation(7))
	r.recordEvery = 5 * time.Millisecond
	s := r.stream(t, "")
	s.next(t)
	r.unrecorded.Store(true)
	for s.lines.Scan() {
	}
	if err := s.lines.Err(); err != nil {
		t.Errorf("the stream went on until %v", err)
	}
	for _, path := range paths {
		want := 503
		if path == "/v1/nothing" || path == "/v1" || path == "/v1/cell/more" {
			want = 404
		}
		resp, body := r.ask(t, "GET", path, "Authorization", good)
		var p problem
		if err := json.Unmarshal([]byte(body), &p); err != nil || resp.StatusCode != want || p.Status != want || strings.Contains(body, "secret detail") {
			t.Errorf("%s: got %d %s, want %d and nothing else", path, resp.StatusCode, body, want)
		}
		if want == 503 && resp.Header.Get("Retry-After") == "" {
			t.Errorf("%s does not say when to ask again", path)
		}
	}
}

// A stream ends soon after its token is revoked or has expired, without
// waiting for anything to be sent.
func TestStreamEndsWithItsToken(t *testing.T) {
	for why, end := range map[string]func(*rig){
		"revoked": func(r *rig) { r.revoked.Store(true) },
		"expired": func(r *rig) { r.expired.Store(true) },
	} {
		r := newRig(t)
		r.pingEvery = time.Hour
		s := r.stream(t, "")
		s.next(t)
		began := time.Now()
		end(r)
		for s.lines.Scan() {
		}
		if err := s.lines.Err(); err != nil {
			t.Errorf("%s: the stream went on until %v", why, err)
		}
		t.Logf("%s: the stream ended after %s", why, time.Since(began).Round(time.Millisecond))
	}
	if checkEvery > time.Second/2 {
		t.Errorf("a token is looked at every %s: too seldom to end a stream within a second", checkEvery)
	}
}

// Strangers are slowed down by address, and a reader behind the same address
// is not.
func TestStrangersAreSlowed(t *testing.T) {
	r := newRig(t)
	codes := map[int]int{}
	for range strangersAtOnce + 20 {
		resp, _ := r.ask(t, "GET", "/v1/snapshot", "Authorization", "Bearer bad")
		codes[resp.StatusCode]++
		if resp.StatusCode == 429 && resp.Header.Get("Retry-After") == "" {
			t.Error("429 does not say when to ask again")
		}
	}
	if d := cmp.Diff(map[int]int{401: strangersAtOnce, 429: 20}, codes); d != "" {
		t.Error(d)
	}
	r.get(t, "/v1/cell", 200)
	r.pass(time.Second)
	if resp, _ := r.ask(t, "GET", "/v1/snapshot"); resp.StatusCode != 401 {
		t.Errorf("a second later: %d", resp.StatusCode)
	}
}

// However many come from however many addresses, the tables stay small.
func TestTablesAreBounded(t *testing.T) {
	now := time.Unix(1700000000, 0)
	s := newStrangers(func() time.Time { return now })
	at := func(i int) string { return fmt.Sprintf("10.%d.%d.%d:99", i>>16, i>>8&255, i&255) }
	for i := range maxStrangers + 500 {
		if wait := s.take(at(i)); (wait == 0) != (i < maxStrangers) {
			t.Fatalf("address %d: wait %s", i, wait)
		}
	}
	if len(s.of) != maxStrangers {
		t.Errorf("%d addresses are kept, want %d", len(s.of), maxStrangers)
	}
	now = now.Add(time.Minute)
	if wait := s.take(at(maxStrangers + 600)); wait != 0 || len(s.of) != 1 {
		t.Errorf("a minute later: wait %s, %d addresses", wait, len(s.of))
	}
	l := newLimiter(func() time.Time { return now })
	leave, _ := l.stream(Reader{Name: "streams"})
	for i := range maxReaders + 500 {
		now = now.Add(time.Second)
		l.take(Reader{Name: fmt.Sprint(i)}, 1)
	}
	if len(l.of) > maxReaders || l.of["streams"] == nil {
		t.Errorf("%d readers are kept", len(l.of))
	}
	leave()
	for _, c := range [][2]string{{"10.1.2.3:4", "10.1.2.3/32"}, {"[::ffff:10.1.2.3]:4", "10.1.2.3/32"}, {"[2001:db8:1:2:3::4]:5", "2001:db8:1:2::/64"}, {"[fe80::1%eth0]:5", "fe80::/64"}, {"pipe", "invalid Prefix"}, {"", "invalid Prefix"}} {
		if got := network(c[0]).String(); got != c[1] {
			t.Errorf("network of %q: got %s, want %s", c[0], got, c[1])
		}
	}
}

// A reader has so many streams open at once, by its own limit.
func TestStreamsAreBounded(t *testing.T) {
	l := newLimiter(time.Now)
	a, b := Reader{Name: "a", Limits: Limits{Streams: 2}}, Reader{Name: "b"}
	first, ok := l.stream(a)
	if !ok {
		t.Fatal("the first stream is refused")
	}
	for i := range defaultStreams {
		if _, ok := l.stream(a); ok != (i == 0) {
			t.Errorf("stream %d of two: %v", i+2, ok)
		}
		if _, ok := l.stream(b); !ok {
			t.Error("another reader's is refused")
		}
	}
	if _, ok := l.stream(b); ok {
		t.Error("one more than the default is let in")
	}
	first()
	if _, ok := l.stream(a); !ok {
		t.Error("refused although one was closed")
	}
}

// addressed is a connection of which only its address is asked.
type addressed struct {
	net.Conn
	at     string
	closed bool
}

func (a *addressed) RemoteAddr() net.Addr {
	at, _ := net.ResolveTCPAddr("tcp", a.at)
	return at
}
func (a *addressed) Close() error { a.closed = true; return nil }

// One address holds so many connections, all together so many, and what is
// closed makes room.
func TestConnectionsAreBounded(t *testing.T) {
	c := newConnections()
	var open []*addressed
	for i := range maxConnections + 10 {
		conn := &addressed{at: fmt.Sprintf("10.0.%d.1:99", i/perAddress)}
		c.changed(conn, http.StateNew)
		if conn.closed != (i >= maxConnections) {
			t.Fatalf("connection %d: closed %v", i, conn.closed)
		}
		open = append(open, conn)
	}
	one := &addressed{at: "10.0.0.1:99"}
	c.changed(open[perAddress], http.StateClosed)
	if c.changed(one, http.StateNew); !one.closed {
		t.Error("one address holds more than its part")
	}
	other := &addressed{at: "10.9.9.9:99"}
	if c.changed(other, http.StateNew); other.closed {
		t.Error("closed although there is room")
	}
	for _, x := range append(open, one, other) {
		c.changed(x, http.StateActive)
		c.changed(x, http.StateClosed)
		c.changed(x, http.StateClosed)
	}
	if len(c.open) != 0 || len(c.of) != 0 {
		t.Errorf("%d connections of %d addresses are left", len(c.open), len(c.of))
	}
}

// Who sends a header byte by byte, or one without end, is let go.
func TestSlowAndLongHeaders(t *testing.T) {
	r := newRig(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := r.server()
	srv.ReadHeaderTimeout = 50 * time.Millisecond
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	if s := r.server(); s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.WriteTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 || s.ConnState == nil {
		t.Errorf("a limit is missing: %+v", s)
	}
	send := func(text string) string {
		t.Helper()
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		go io.WriteString(conn, text)
		line, err := bufio.NewReader(conn).ReadString('\n')
		if e, ok := err.(net.Error); ok && e.Timeout() {
			t.Errorf("%.20q is waited for without end", text)
		}
		return line
	}
	if got := send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: "); strings.Contains(got, "200") {
		t.Errorf("half a header is answered %q", got)
	}
	if got := send("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n\r\n"); !strings.Contains(got, "431") {
		t.Errorf("a header of 64 KiB is answered %q, want 431", got)
	}
}

// What fails here says so, and nothing of what.
func TestPanicSaysNothing(t *testing.T) {
	r := newRig(t)
	r.Console = nil
	r.views[exercise].src = broken{}
	resp, body := r.ask(t, "GET", "/v1/snapshot?status=exercise", "Authorization", good)
	if resp.StatusCode != 500 || strings.Contains(body, "informant") || resp.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %d %s", resp.StatusCode, body)
	}
	r.get(t, "/v1/cell", 200)
}

// broken is a picture that cannot be read.
type broken struct{ Source }

func (broken) Read(func(*snapshot.Picture)) { panic("the informant is at") }

// Whatever is asked, the answer is a page of the API, never a failure, and what
// is recorded of it is well formed.
func FuzzRequest(f *testing.F) {
	r := newRig(f)
	f.Add("/v1/snapshot", "status=exercise&page_size=1&page_token=ZS0xLTIvMQ", "Bearer good", "127.0.0.1", "")
	f.Add("/v1/situations/00000000000000000000000000000000", "as_of=2026-01-01T00:00:00Z&replay=true", "Bearer good", "localhost:1", "http://localhost:1")
	f.Add("/v1/events", "last_event_id=e-1-2", "Bearer bad", "[::1]", "null")
	f.Add("/", "a=%zz", "Basic", "evil.example", "https://evil.example")
	f.Add("/v1/snapshot.geojson", "status=actual;x=1", "Bearer good", "127.0.0.1:80", "http://127.0.0.1:80")
	f.Fuzz(func(t *testing.T, path, query, auth, host, origin string) {
		req := httptest.NewRequest("HEAD", "http://127.0.0.1/", nil)
		req.URL = &url.URL{Path: path, RawQuery: query}
		req.Host = host
		req.Header.Set("Authorization", auth)
		req.Header.Set("Last-Event-ID", query)
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		r.pass(time.Minute)
		r.recorded()
		w := httptest.NewRecorder()
		r.Handler().ServeHTTP(w, req)
		if w.Code == 500 || w.Code < 200 || w.Header().Get("Content-Security-Policy") == "" {
			t.Fatalf("%q?%q is answered %d %s", path, query, w.Code, w.Body)
		}
		for _, x := range r.recorded() {
			if auth != good || x.Situation != "" && !situationID(x.Situation) || x.Status != "" && x.Status != "exercise" && x.Status != "actual" && x.Status != "test" {
				t.Fatalf("%q?%q with %q is recorded as %+v", path, query, auth, x)
			}
		}
	})
}
