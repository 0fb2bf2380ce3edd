package policy

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// A policy may let tokens hold shorter, and what it does not say is bounded
// all the same; the zero policy lets none hold.
func TestTokensEnd(t *testing.T) {
	text := string(DefaultYAML())
	from, to := strings.Index(text, "http:\n"), strings.Index(text, "# A reader follows feeds")
	for _, c := range []struct {
		http                                 string
		longest, usual, longestApp, usualApp time.Duration
	}{
		{"", 12 * time.Hour, 8 * time.Hour, 720 * time.Hour, 24 * time.Hour},
		{"http: {person_token: 1h, service_token: 2h}\n", time.Hour, time.Hour, 2 * time.Hour, 2 * time.Hour},
	} {
		p, err := Parse([]byte(text[:from] + c.http + text[to:]))
		if err != nil {
			t.Fatal(err)
		}
		got := []time.Duration{p.LongestToken(Person), p.UsualToken(Person), p.LongestToken(Service), p.UsualToken(Service)}
		for i, want := range []time.Duration{c.longest, c.usual, c.longestApp, c.usualApp} {
			if got[i] != want {
				t.Errorf("http %q, %d: got %s, want %s", c.http, i, got[i], want)
			}
		}
		if p.HTTP.Requests != defaultRequests || p.HTTP.Streams != defaultStreams {
			t.Errorf("limits %+v", p.HTTP)
		}
	}
	var none Policy
	if none.LongestToken(Person) != 0 || none.LongestToken(Service) != 0 || Default().LongestToken("") != 0 || Default().UsualToken("robot") != 0 {
		t.Error("a token holds that nobody allowed")
	}
}

// A file of before there was a list is read as it was, and keeps its version.
func TestPurposesOfAnOldFile(t *testing.T) {
	text := string(DefaultYAML())
	from, to := strings.Index(text, "purposes:\n"), strings.Index(text, "# A reader follows feeds")
	old, err := Parse([]byte(text[:from] + strings.Replace(text[to:], "purpose: watch floor", "purpose: it's complicated & long", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if len(old.Purposes) != 0 || !old.ReadsFor("watch-open", "it's complicated & long") || old.ReadsFor("watch-open", "watch floor") || old.ReadsFor("nobody", "watch floor") || old.ReadsFor("watch-open", "") {
		t.Errorf("purposes %v", old.Purposes)
	}
	data, err := json.Marshal(file{Readers: []readerEntry{{}}})
	if err != nil || strings.Contains(string(data), "purposes") || strings.Contains(string(data), "http") {
		t.Errorf("what a file does not say is in its version: %s, %v", data, err)
	}
}

// Who reads for several purposes names the one a token is for.
func TestSeveralPurposes(t *testing.T) {
	p, err := Parse([]byte(strings.Replace(string(DefaultYAML()), "purpose: watch floor", "purposes: [watch floor, downstream analysis]", 1)))
	if err != nil {
		t.Fatal(err)
	}
	r, _ := p.Reader("watch-open")
	if r.Purpose != "watch floor" || !p.ReadsFor("watch-open", "downstream analysis") || p.ReadsFor("watch-le", "downstream analysis") {
		t.Errorf("got %+v", r)
	}
}
