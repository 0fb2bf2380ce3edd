package api

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/access"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/transport"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	actual   = wf.Status_STATUS_ACTUAL
	exercise = wf.Status_STATUS_EXERCISE
)

// fixed is a picture that a test commits to by hand.
type fixed struct {
	mu    sync.Mutex
	p     *snapshot.Picture
	tell  []func(snapshot.Update)
	stale bool
	// purged is what the next commits say of it.
	purged uint64
}

func newFixed(status wf.Status) *fixed { return &fixed{p: snapshot.NewPicture("le", status)} }

func (f *fixed) Read(fn func(*snapshot.Picture)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn(f.p)
}

func (f *fixed) Watch(fn func(snapshot.Update)) func() {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn(snapshot.Update{Reset: true, Picture: f.p})
	f.tell = append(f.tell, fn)
	return func() {}
}

func (f *fixed) Live() (bool, time.Time) { return !f.stale, time.Now() }

// commit makes the next revision.
func (f *fixed) commit(t *testing.T, upserts ...*wf.Situation) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	now := map[string]*wf.Situation{}
	for _, s := range f.p.Situations() {
		now[s.GetId()] = s
	}
	frame := &wf.Frame{Epoch: "e-1", Cell: "le", Status: f.p.Status(), Revision: f.p.Revision() + 1, Parts: 1, Tick: timestamppb.New(time.Unix(1700000000, 0))}
	for _, s := range upserts {
		now[s.GetId()] = s
		frame.Changes = append(frame.Changes, &wf.Change{Change: &wf.Change_Upsert{Upsert: s}})
	}
	var all []*wf.Situation
	for _, s := range now {
		all = append(all, s)
	}
	d := fusion.DigestOf(all)
	frame.Digest, frame.Situations, frame.Reports = d[:], uint64(len(all)), uint64(len(all))
	frame.Purged = f.purged
	frame.Feeds = []*wf.FeedHealth{{Cell: "le", Agency: "fbi", LastReceived: timestamppb.New(time.Unix(1700000000, 0)), Reports: f.p.Revision() + 1}}
	if err := f.p.Apply(frame, frame.Revision); err != nil {
		t.Fatal(err)
	}
	for _, fn := range f.tell {
		fn(snapshot.Update{Frame: frame, Picture: f.p})
	}
}

func situation(i int) *wf.Situation {
	return &wf.Situation{Id: fmt.Sprintf("%032x", i), Headline: fmt.Sprint("headline ", i), Score: int32(i), Kind: wf.Kind_KIND_SAR,
		Members: []*wf.Member{{Agency: "fbi", Record: fmt.Sprint("R-", i)}}, Originators: 1, Center: &wf.Point{Latitude: 32.3, Longitude: -90.2}}
}

type rig struct {
	*Server
	url     string
	src     *fixed
	clockMu sync.Mutex
	clock   time.Time
	revoked atomic.Bool // the policy no longer clears watch-le

	expired    atomic.Bool // the token's time is over
	unrecorded atomic.Bool // nothing can be recorded
	recordMu   sync.Mutex
	records    []access.Record
}

func (r *rig) record(_ context.Context, x access.Record) error {
	if r.unrecorded.Load() {
		return errors.New("secret detail")
	}
	r.recordMu.Lock()
	defer r.recordMu.Unlock()
	r.records = append(r.records, x)
	return nil
}

// recorded is what was recorded since the last look.
func (r *rig) recorded() []access.Record {
	r.recordMu.Lock()
	defer r.recordMu.Unlock()
	out := r.records
	r.records = nil
	return out
}

// reader is whom the token "good" belongs to.
func (r *rig) reader() Reader {
	x := Reader{Name: "watch-le", Kind: "person", Purpose: "watch", Token: "1d", Expires: r.now().Add(time.Hour)}
	if r.expired.Load() {
		x.Expires = r.now()
	}
	return x
}

func (r *rig) now() time.Time {
	r.clockMu.Lock()
	defer r.clockMu.Unlock()
	return r.clock
}

func (r *rig) pass(d time.Duration) {
	r.clockMu.Lock()
	defer r.clockMu.Unlock()
	r.clock = r.clock.Add(d)
}

func newRig(t testing.TB) *rig {
	t.Helper()
	l, err := label.New(label.TopSecret, label.LE|label.Intel)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{src: newFixed(exercise), clock: time.Unix(1700000100, 0)}
	r.Server, err = New(Config{
		Cell: "le", Label: l, Sources: map[wf.Status]Source{exercise: r.src, actual: newFixed(actual)}, Version: "test",
		Verify: func(token string) (Reader, error) {
			switch {
			case r.revoked.Load():
			case token == "good":
				return r.reader(), nil
			case token == "other":
				return Reader{Name: "feed-le", Kind: "service", Purpose: "feed", Token: "2d", Expires: r.now().Add(time.Hour)}, nil
			case token == "old":
				x := r.reader()
				x.Expires = r.now()
				return x, nil
			case token == "endless":
				x := r.reader()
				x.Expires = time.Time{}
				return x, nil
			case token == "aimless":
				x := r.reader()
				x.Purpose = ""
				return x, nil
			}
			return Reader{Name: "nobody"}, errors.New("secret detail")
		},
		Expect: map[Feed]time.Duration{{"le", "fbi"}: time.Minute, {"le", "atf"}: time.Hour},
		Now:    r.now,
		Record: r.record,
		Console: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, "page")
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(r.Handler())
	t.Cleanup(srv.Close)
	t.Cleanup(r.Close)
	r.url = srv.URL
	return r
}

// get asks with a good token and decodes the answer into a map.
func (r *rig) get(t *testing.T, path string, wantCode int) map[string]any {
	t.Helper()
	return r.getAs(t, "good", path, wantCode)
}

func (r *rig) getAs(t *testing.T, token, path string, wantCode int) map[string]any {
	t.Helper()
	req, err := http.NewRequest("GET", r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != wantCode {
		t.Fatalf("%s: got %d %s, want %d", path, resp.StatusCode, body, wantCode)
	}
	wantType := "application/json"
	if wantCode >= 400 {
		wantType = "application/problem+json"
	}
	if got := resp.Header.Get("Content-Type"); got != wantType && !strings.Contains(path, "geojson") {
		t.Errorf("%s: content type %q, want %q", path, got, wantType)
	}
	out := map[string]any{}
	if err := json.Unmarshal(body, &out); err != nil {
		t.Fatalf("%s: %v in %s", path, err, body)
	}
	return out
}

// Pages of a listing are of one revision, whatever is committed meanwhile, and
// together they are the picture, each situation once.
func TestPagesAreOfOneRevision(t *testing.T) {
	r := newRig(t)
	for i := range 25 {
		r.src.commit(t, situation(i))
	}
	seen, token, digest := map[string]bool{}, "", ""
	for page := 0; ; page++ {
		got := r.get(t, "/v1/snapshot?status=exercise&page_size=10&page_token="+token, 200)
		if got["revision"] != "25" || got["total"] != 25.0 {
			t.Fatalf("page %d: revision %v of %v situations", page, got["revision"], got["total"])
		}
		for _, s := range got["situations"].([]any) {
			id := s.(map[string]any)["id"].(string)
			if seen[id] {
				t.Errorf("%s came twice", id)
			}
			seen[id] = true
		}
		digest = got["digest"].(string)
		r.src.commit(t, situation(100+page))
		if token, _ = got["next_page_token"].(string); token == "" {
			break
		}
	}
	if len(seen) != 25 {
		t.Errorf("got %d situations, want 25", len(seen))
	}
	var all []*wf.Situation
	for i := range 25 {
		all = append(all, situation(i))
	}
	if want := fusion.DigestOf(all); digest != hex.EncodeToString(want[:]) {
		t.Errorf("digest %s is not of the situations of the pages", digest)
	}
}

// However many revisions one reader begins to page through, another reader's
// listing stays.
func TestReadersPageByThemselves(t *testing.T) {
	r := newRig(t)
	r.src.commit(t, situation(1), situation(2))
	const first = "/v1/snapshot?status=exercise&page_size=1"
	token := r.get(t, first, 200)["next_page_token"].(string)
	for i := range 2 * keptPages {
		r.src.commit(t, situation(10+i))
		r.getAs(t, "other", first, 200)
	}
	r.get(t, first+"&page_token="+token, 200)
}

// A revision that is no longer kept is gone, not replaced by another.
func TestPageOfForgottenRevisionIsGone(t *testing.T) {
	r := newRig(t)
	r.src.commit(t, situation(1), situation(2), situation(3))
	token := r.get(t, "/v1/snapshot?status=exercise&page_size=1", 200)["next_page_token"].(string)
	r.get(t, "/v1/snapshot?status=exercise&page_size=1&page_token="+token, 200)
	r.pass(keptPaging + time.Second)
	r.get(t, "/v1/snapshot?status=exercise&page_size=1&page_token="+token, 410)
}

func TestBadInputIsNamed(t *testing.T) {
	r := newRig(t)
	for path, field := range map[string]string{
		"/v1/snapshot?status=real":                        "status",
		"/v1/snapshot?status=exercise&page_size=0":        "page_size",
		"/v1/snapshot?status=exercise&page_size=2001":     "page_size",
		"/v1/snapshot?status=exercise&page_token=%21":     "page_token",
		"/v1/snapshot?status=exercise&colour=red":         "colour",
		"/v1/snapshot?status=exercise&status=actual":      "status",
		"/v1/situations/NOT-AN-ID?status=exercise":        "id",
		"/v1/snapshot.geojson?status=":                    "",
		"/v1/situations/" + strings.Repeat("0", 32) + "0": "id",
	} {
		if field == "" {
			continue
		}
		if got := r.get(t, path, 400)["field"]; got != field {
			t.Errorf("%s: blames %v, want %s", path, got, field)
		}
	}
	r.get(t, "/v1/situations/"+strings.Repeat("0", 32)+"?status=exercise", 404)
	r.get(t, "/v1/snapshot?status=test", 404)
	r.get(t, "/v1/nothing", 404)
}

// Without a token nothing but health and the page is told, and a refused
// answer says nothing of why.
func TestNoTokenNoAnswer(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/v1/cell", "/v1/snapshot", "/v1/snapshot.geojson", "/v1/events", "/v1/situations/x", "/v1/zzz", "/metrics"} {
		for _, auth := range []string{"", "Bearer ", "Bearer bad", "Bearer old", "Bearer endless", "Bearer aimless", "Basic good", "good"} {
			req, _ := http.NewRequest("GET", r.url+path, nil)
			if auth != "" {
				req.Header.Set("Authorization", auth)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if resp.StatusCode != 401 || strings.Contains(string(body), "secret detail") {
				t.Errorf("%s with %q: got %d %s", path, auth, resp.StatusCode, body)
			}
		}
	}
	for path, want := range map[string]string{"/healthz": `{"status":"ok"}`, "/": "page"} {
		resp, err := http.Get(r.url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || string(body) != want {
			t.Errorf("%s: got %d %s", path, resp.StatusCode, body)
		}
	}
	r.src.stale = true
	resp, err := http.Get(r.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 503 {
		t.Errorf("health of a picture that is not live: got %d, want 503", resp.StatusCode)
	}
}

func TestOnlyReads(t *testing.T) {
	r := newRig(t)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		req, _ := http.NewRequest(method, r.url+"/v1/snapshot", strings.NewReader("{}"))
		req.Header.Set("Authorization", "Bearer good")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: got %d", method, resp.StatusCode)
		}
	}
}

func TestCellSituationFeedsGeoJSON(t *testing.T) {
	r := newRig(t)
	r.src.commit(t, situation(7))
	m := r.get(t, "/v1/cell", 200)["marking"].(map[string]any)
	if m["banner"] != "TOP SECRET//LE//INTEL" || m["color"] != "#ff8c00" || m["text_color"] != "#000000" {
		t.Errorf("marking %v", m)
	}
	s := r.get(t, "/v1/situations/"+situation(7).Id+"?status=exercise", 200)
	if s["revision"] != "1" || len(s["explanation"].([]any)) < 2 {
		t.Errorf("situation %v", s)
	}
	f := r.get(t, "/v1/snapshot.geojson?status=exercise", 200)["features"].([]any)[0].(map[string]any)
	if at := f["geometry"].(map[string]any)["coordinates"].([]any); at[0] != -90.2 || at[1] != 32.3 {
		t.Errorf("coordinates %v, want longitude first", at)
	}
	silent := func(status string) map[string]bool {
		out := map[string]bool{}
		for _, x := range r.get(t, "/v1/snapshot?status="+status, 200)["feeds"].([]any) {
			out[x.(map[string]any)["agency"].(string)] = x.(map[string]any)["silent"].(bool)
		}
		return out
	}
	if got := fmt.Sprint(silent("exercise")); got != "map[fbi:true]" {
		t.Errorf("100 s after a feed of every 60 s: %s", got)
	}
	if got := fmt.Sprint(silent("actual")); got != "map[atf:true fbi:true]" {
		t.Errorf("actual feeds never heard: %s", got)
	}
	r.pass(-50 * time.Second)
	if got := fmt.Sprint(silent("exercise")); got != "map[fbi:false]" {
		t.Errorf("50 s after: %s", got)
	}
}

// sse is one event stream being read.
type sse struct {
	lines *bufio.Scanner
	close func()
}

func (r *rig) stream(t *testing.T, last string) *sse {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	req, _ := http.NewRequestWithContext(ctx, "GET", r.url+"/v1/events?status=exercise", nil)
	req.Header.Set("Authorization", "Bearer good")
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 {
		t.Fatalf("events: %d", resp.StatusCode)
	}
	s := &sse{bufio.NewScanner(resp.Body), func() { cancel(); resp.Body.Close() }}
	s.lines.Buffer(nil, 1<<20)
	t.Cleanup(s.close)
	return s
}

// next reads one event: its name, id and data.
func (s *sse) next(t *testing.T) (name, id, data string) {
	t.Helper()
	for s.lines.Scan() {
		line := s.lines.Text()
		switch {
		case strings.HasPrefix(line, "event: "):
			name = line[7:]
		case strings.HasPrefix(line, "id: "):
			id = line[4:]
		case strings.HasPrefix(line, "data: "):
			data = line[6:]
		case line == "" && name != "":
			return name, id, data
		}
	}
	t.Fatalf("stream ended: %v", s.lines.Err())
	return
}

// A client that says what it has gets exactly what it lacks, in order; one
// that has nothing, or something unknown, is told to load.
func TestEventsResume(t *testing.T) {
	r := newRig(t)
	for i := range 5 {
		r.src.commit(t, situation(i))
	}
	s := r.stream(t, "e-1-2")
	for want := 3; want <= 5; want++ {
		name, id, data := s.next(t)
		if name != "frame" || id != fmt.Sprint("e-1-", want) || !strings.Contains(data, fmt.Sprintf(`"revision":"%d"`, want)) {
			t.Fatalf("got %s %s, want frame e-1-%d", name, id, want)
		}
	}
	r.src.commit(t, situation(9))
	if name, id, _ := s.next(t); name != "frame" || id != "e-1-6" {
		t.Fatalf("got %s %s, want frame e-1-6", name, id)
	}
	for _, last := range []string{"", "e-1-99", "e-2-3", "nonsense"} {
		s := r.stream(t, last)
		if name, id, _ := s.next(t); name != "reset" || id != "e-1-6" {
			t.Errorf("after %q: got %s %s, want reset e-1-6", last, name, id)
		}
	}
}

// A stream outlives no clearance: when the policy takes its reader away, it ends.
func TestStreamEndsWithItsClearance(t *testing.T) {
	r := newRig(t)
	r.checkEvery = 10 * time.Millisecond
	s := r.stream(t, "")
	s.next(t)
	r.revoked.Store(true)
	for s.lines.Scan() {
	}
	if err := s.lines.Err(); err != nil {
		t.Errorf("the stream went on until %v", err)
	}
}

// A client that does not read is told to load again and makes nobody wait.
func TestSlowClientIsResetAlone(t *testing.T) {
	r := newRig(t)
	r.src.commit(t, situation(0))
	v := r.views[exercise]
	slow, _ := v.join(mark{"e-1", 1}, true)
	quick, _ := v.join(mark{"e-1", 1}, true)
	for i := range queued + 10 {
		r.src.commit(t, situation(i))
		if e := <-quick.events; e.after.revision != uint64(i+2) {
			t.Fatalf("the quick client got %d, want %d", e.after.revision, i+2)
		}
	}
	if !slow.lost.Load() || quick.lost.Load() {
		t.Errorf("lost: slow %v, quick %v; want true, false", slow.lost.Load(), quick.lost.Load())
	}
}

// The picture read anew resets every client.
func TestResetReachesClients(t *testing.T) {
	r := newRig(t)
	r.src.commit(t, situation(0))
	s := r.stream(t, "e-1-1")
	r.src.commit(t, situation(1))
	if name, _, _ := s.next(t); name != "frame" {
		t.Fatalf("got %s, want frame", name)
	}
	for _, fn := range r.src.tell {
		fn(snapshot.Update{Reset: true, Picture: r.src.p})
	}
	if name, id, _ := s.next(t); name != "reset" || id != "e-1-2" {
		t.Fatalf("got %s %s, want reset", name, id)
	}
}

// One reader's flood is answered with 429 and costs another reader nothing.
func TestReaderIsLimited(t *testing.T) {
	r := newRig(t)
	a, b := Reader{Name: "a", Limits: Limits{Requests: 5}}, Reader{Name: "b"}
	for range atOnce * 5 {
		if wait := r.limits.take(a, 1); wait != 0 {
			t.Fatal("refused inside the burst")
		}
	}
	if wait := r.limits.take(a, 1); wait <= 0 || wait > time.Second/5 {
		t.Errorf("the request after the burst: wait %s", wait)
	}
	if r.limits.take(b, 1) != 0 {
		t.Error("another reader was refused")
	}
	r.pass(time.Second)
	if r.limits.take(a, 5) != 0 {
		t.Error("refused a second later")
	}
}

// Serve ends with its context although a stream is open.
func TestServeEndsWithOpenStreams(t *testing.T) {
	r := newRig(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Serve(ctx, l) }()
	r.url = "http://" + l.Addr().String()
	s := r.stream(t, "")
	s.next(t)
	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("still serving")
	}
	for s.lines.Scan() {
	}
	if err := s.lines.Err(); err != nil {
		t.Errorf("the stream was cut off instead of ended: %v", err)
	}
}

// A listener that others reach is served over TLS or not at all.
func TestServeRefusesOthersWithoutTLS(t *testing.T) {
	r := newRig(t)
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Serve(t.Context(), l); !errors.Is(err, transport.ErrPlain) {
		t.Errorf("got %v, want %v", err, transport.ErrPlain)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is left open: %v", err)
	}
}

// What else is not well makes the cell degraded, without a word of what it is.
func TestHealthTellsNoReason(t *testing.T) {
	r := newRig(t)
	r.Health = func() error { return errors.New("certificate of broker.example.org expired") }
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "http://127.0.0.1/healthz", nil))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "example") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestMetricsOfTheCell(t *testing.T) {
	r := newRig(t)
	r.src.commit(t, situation(1))
	r.get(t, "/v1/cell", 200)
	req, _ := http.NewRequest("GET", r.url+"/metrics", nil)
	req.Header.Set("Authorization", "Bearer good")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	for _, want := range []string{`watchfloor_api_revision{cell="le",status="exercise"} 1`, `watchfloor_api_requests_total{cell="le",code="200",path="/v1/cell"} 1`,
		`watchfloor_api_silent_feeds{cell="le",status="actual"} 2`} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
}
