package httptrial

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/trial"
)

// The listeners of the shipped policy hold, and every reader reads its own.
func TestTheListenersHold(t *testing.T) {
	p := policy.Default()
	f, end, err := Twin(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := end(); err != nil {
			t.Error(err)
		}
	}()
	read := map[string]bool{}
	sum, err := Run(t.Context(), Config{Policy: p, Floors: []Floor{f}, Tell: func(a trial.Attempt) {
		if a.Outcome == trial.Leak || a.Outcome == trial.Wrong {
			t.Error(a)
		}
		if a.Outcome == trial.Allowed {
			read[a.Principal+" "+a.Cell] = true
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if sum.Leaks+sum.Wrong > 0 || sum.Refused < 500 || sum.Allowed != 12*len(endpoints) || len(read) != 12 {
		t.Errorf("got %+v, %d readers read", sum, len(read))
	}
	t.Log(sum)
}

// planted is a listener that is asked with who reads what, and a check that
// somebody left out.
func planted(t *testing.T, cell string, a *account.Authority, answers func(cell string, r *http.Request) int) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code := answers(cell, r)
		w.WriteHeader(code)
		if code == 200 && r.URL.Path == "/v1/cell" {
			w.Write([]byte(`{"cell":"` + cell + `"}`))
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// sound is how a listener should answer.
func sound(a *account.Authority) func(cell string, r *http.Request) int {
	return func(cell string, r *http.Request) int {
		text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		_, err := a.VerifyToken(cell, text)
		switch {
		case r.Method != "GET" && r.Method != "HEAD":
			return 405
		case r.Host == "evil.example":
			return 421
		case r.Header.Get("Origin") != "":
			return 403
		case !ok || err != nil:
			return 401
		case strings.HasPrefix(r.URL.Path, "/v1/situations/"):
			return 404
		}
		return 200
	}
}

// What a listener does not refuse is told.
func TestPlantedLeaksAreTold(t *testing.T) {
	p := policy.Default()
	a, err := account.Draft(p, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	early, err := account.Draft(p, func() time.Time { return time.Now().Add(-2 * time.Hour) })
	if err != nil {
		t.Fatal(err)
	}
	ok := sound(a)
	for _, c := range []struct {
		what    string
		answers func(cell string, r *http.Request) int
		issue   Issue
		want    string // of an attempt that does not hold; empty: all hold
		outcome trial.Outcome
	}{
		{"nothing", ok, nil, "", ""},
		{"no token needed for metrics", func(cell string, r *http.Request) int {
			if r.URL.Path == "/metrics" {
				return 200
			}
			return ok(cell, r)
		}, nil, "/metrics with no token", trial.Leak},
		{"a token of any cell", func(cell string, r *http.Request) int {
			for _, x := range p.CellNames() {
				if code := ok(x, r); code < 401 || code == 404 {
					return code
				}
			}
			return ok(cell, r)
		}, nil, "/v1/situations/" + nobody + " with token of open", trial.Leak},
		{"a token in a cookie", func(cell string, r *http.Request) int {
			if c, err := r.Cookie("token"); err == nil {
				r.Header.Set("Authorization", "Bearer "+c.Value)
			}
			return ok(cell, r)
		}, nil, "with a token in a cookie", trial.Leak},
		{"a token in the address", func(cell string, r *http.Request) int {
			if x := r.URL.Query().Get("access_token"); x != "" {
				r.Header.Set("Authorization", "Bearer "+x)
			}
			return ok(cell, r)
		}, nil, "with a token in the address", trial.Leak},
		{"any host", func(cell string, r *http.Request) int { r.Host = "localhost"; return ok(cell, r) }, nil, "with another name for this address", trial.Leak},
		{"any origin", func(cell string, r *http.Request) int { r.Header.Del("Origin"); return ok(cell, r) }, nil, "with a page of another origin", trial.Leak},
		{"any method", func(cell string, r *http.Request) int { r.Method = "GET"; return ok(cell, r) }, nil, "POST", trial.Leak},
		{"an oracle: 403 for a token of another cell", func(cell string, r *http.Request) int {
			if code := ok(cell, r); code != 401 || r.Header.Get("Authorization") == "" {
				return code
			}
			return 403
		}, nil, "with token of open", trial.Wrong},
		{"the reader is not let in", func(cell string, r *http.Request) int { return 401 }, nil, "/v1/cell with its own token", trial.Wrong},
		{"a token for anybody", ok, func(q account.TokenRequest) (string, account.Token, error) {
			if text, k, err := a.IssueTokenFor(q); err == nil {
				return text, k, nil
			}
			return "wf2.x.y", account.Token{}, nil
		}, "a token", trial.Leak},
	} {
		f := Floor{Where: "twin", Doors: map[string]string{}, Issue: a.IssueTokenFor, Earlier: early.IssueTokenFor, Reads: true}
		if c.issue != nil {
			f.Issue = c.issue
		}
		for _, cell := range []string{"le", "intel"} {
			f.Doors[cell] = planted(t, cell, a, c.answers)
		}
		var bad []trial.Attempt
		sum, err := Run(t.Context(), Config{Policy: p, Floors: []Floor{f}, Tell: func(a trial.Attempt) {
			if a.Outcome == trial.Leak || a.Outcome == trial.Wrong {
				bad = append(bad, a)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if (sum.Err() == nil) != (c.want == "") {
			t.Errorf("%s: got %v", c.what, sum.Err())
		}
		if c.want != "" && !slices.ContainsFunc(bad, func(x trial.Attempt) bool {
			return x.Outcome == c.outcome && strings.Contains(x.Action+" "+x.Subject, c.want)
		}) {
			t.Errorf("%s: nothing is told of %q: %v", c.what, c.want, bad[:min(3, len(bad))])
		}
	}
}

// A listener that goes on with a stream, and lets a revoked token in, is told
// of; one that opens none, or a trial without tokens, is no trial.
func TestStreamThatGoesOnIsTold(t *testing.T) {
	p := policy.Default()
	a, err := account.Draft(p, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ok := sound(a)
	f := Floor{Where: "twin", Doors: map[string]string{}, Issue: a.IssueTokenFor, Earlier: a.IssueTokenFor, Reads: true, Revoke: func(string) error { return nil }}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code := ok("open", r)
		w.WriteHeader(code)
		if r.Method == "GET" && r.URL.Path == "/v1/events" && code == 200 {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
	}))
	t.Cleanup(srv.Close)
	f.Doors["open"] = srv.URL
	var leaks []string
	r := &run{cfg: Config{Policy: p, soon: 50 * time.Millisecond, Tell: func(a trial.Attempt) {
		if a.Outcome == trial.Leak {
			leaks = append(leaks, a.String())
		}
	}}, client: &http.Client{}}
	keys, err := r.keys(f)
	if err != nil {
		t.Fatal(err)
	}
	keys = slices.DeleteFunc(keys, func(k key) bool { return k.cell != "open" })
	if err := r.revoked(t.Context(), f, keys); err != nil {
		t.Fatal(err)
	}
	if len(leaks) != 1+len(endpoints) || !strings.Contains(leaks[0], "the stream went on") {
		t.Errorf("told: %q", leaks)
	}
	f.Issue = func(account.TokenRequest) (string, account.Token, error) {
		return "", account.Token{}, errors.New("the keys are gone")
	}
	if _, err := Run(t.Context(), Config{Policy: p, Floors: []Floor{f}}); err == nil {
		t.Error("a trial without tokens is taken for one")
	}
}
