package subject_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var hostile = []string{"", ".", "*", ">", "a.b", "a b", "A", "Ü", "a\x00", "a\n", "ab>", "-a", "report", " le", strings.Repeat("x", 33), "a+b", "$JS", "_INBOX"}

var areas = []struct{ state, county string }{{"ms", "28049"}, {"multi", "multi"}, {"none", "none"}, {"mo", "multi"}, {"ms", "none"}}

func submissions() []subject.Submission {
	var out []subject.Submission
	for _, st := range subject.Statuses {
		for _, k := range subject.Kinds {
			for _, a := range areas {
				out = append(out, subject.Submission{Status: st, Kind: k, State: a.state, County: a.county, Agency: "jackson-pd"})
			}
		}
	}
	return out
}

func TestSubmitRoundTrip(t *testing.T) {
	for _, want := range submissions() {
		got, err := subject.ParseSubmit(want.String())
		if err != nil || got != want {
			t.Errorf("%s: got %v, %v", want, got, err)
		}
		if pattern := subject.SubmitPattern(want.Status, want.Kind, want.Agency); !matches(pattern, want.String()) || !matches(subject.SubmitAll, want.String()) {
			t.Errorf("%s is outside of %s", want, pattern)
		}
	}
}

func TestStoredRoundTrip(t *testing.T) {
	l, err := label.New(label.TopSecret, label.LE|label.Intel)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range submissions() {
		for _, cells := range [][]string{nil, {}, {"fused"}, {"fused-s", "fused"}} {
			m := &wf.Label{}
			if cells != nil {
				m.Controls, m.OrconCells = []wf.Control{wf.Control_CONTROL_ORCON}, cells
			}
			want := subject.StoredOf(s, "le", l, m)
			got, err := subject.ParseStored(want.String())
			if err != nil || got.String() != want.String() || got.Submission != s || got.Cell != "le" || got.Orcon != (cells != nil) || len(got.OrconCells) != len(cells) {
				t.Fatalf("%s: got %+v, %v", want, got, err)
			}
			if !slices.ContainsFunc(subject.ReportSubjects, func(p string) bool { return matches(p, want.String()) }) {
				t.Errorf("%s is not captured by %v", want, subject.ReportSubjects)
			}
		}
	}
}

// A subject with a token that the grammar does not hold is refused, whole.
func TestHostileTokensAreRefused(t *testing.T) {
	submit := strings.Split("submit.actual.sar.ms.28049.jackson-pd", ".")
	stored := strings.Split("report.le.cui.le.actual.sar.ms.28049.jackson-pd", ".")
	orcon := strings.Split("orcon.fused+fused-s.le.cui.le.actual.sar.ms.28049.jackson-pd", ".")
	for _, bad := range hostile {
		for i := range submit {
			if bad == "report" && i == len(submit)-1 {
				continue // an agency may be called so
			}
			if s := with(submit, i, bad); parsesSubmit(s) {
				t.Errorf("%q parses as a submission", s)
			}
		}
		for i := range stored {
			if bad == "report" && (i == 0 || i == 3 || i == len(stored)-1) {
				continue
			}
			if s := with(stored, i, bad); parsesStored(s) {
				t.Errorf("%q parses as a stored report", s)
			}
		}
		for i := range orcon {
			if bad == "report" && (i == 1 || i == 4 || i == len(orcon)-1) {
				continue
			}
			if s := with(orcon, i, bad); bad != "a+b" && parsesStored(s) {
				t.Errorf("%q parses as a stored report", s)
			}
		}
	}
	for _, s := range []string{"", "submit", "submit.actual.sar.ms.28049", "submit.actual.sar.ms.28049.jackson-pd.x", "report.actual.sar.ms.28049.jackson-pd",
		"submit.actual.sar.multi.28O49.ab", "submit.actual.sar.MS.28049.ab", "submit.actual.sar.ms.2804.ab"} {
		if _, err := subject.ParseSubmit(s); err == nil {
			t.Errorf("%q parses as a submission", s)
		}
	}
	for _, s := range []string{"orcon.fused-s+fused.le.cui.le.actual.sar.ms.28049.ab", "orcon.fused+fused.le.cui.le.actual.sar.ms.28049.ab", "orcon.+.le.cui.le.actual.sar.ms.28049.ab",
		"report.fed.cui.le.actual.sar.ms.28049.ab", "report.le.cosmic.le.actual.sar.ms.28049.ab"} {
		if parsesStored(s) {
			t.Errorf("%q parses as a stored report", s)
		}
	}
}

func with(tokens []string, i int, s string) string {
	c := slices.Clone(tokens)
	c[i] = s
	return strings.Join(c, ".")
}

func parsesSubmit(s string) bool { _, err := subject.ParseSubmit(s); return err == nil }
func parsesStored(s string) bool { _, err := subject.ParseStored(s); return err == nil }

func TestMalformedSaysSo(t *testing.T) {
	if _, err := subject.ParseSubmit("submit.x"); !errors.Is(err, subject.ErrMalformed) {
		t.Errorf("got %v", err)
	}
	if _, err := subject.ParseStored("report.x"); !errors.Is(err, subject.ErrMalformed) {
		t.Errorf("got %v", err)
	}
}

// A reader above gets every report but the originator-controlled ones that do
// not name it; a cell gets all of its own. For every set of named cells.
func TestUpwardFiltersAreExactlyTheReportsForTheReader(t *testing.T) {
	above := []string{"fused", "fused-s", "intel", "zeta"}
	l, err := label.New(label.CUI, label.LE)
	if err != nil {
		t.Fatal(err)
	}
	s := submissions()[0]
	other := submissions()[len(submissions())-1]
	for set := range 1 << len(above) {
		var named []string
		for i, c := range above {
			if set&(1<<i) != 0 {
				named = append(named, c)
			}
		}
		slices.Reverse(named) // the order in which they are named says nothing
		controlled := &wf.Label{Controls: []wf.Control{wf.Control_CONTROL_ORCON}, OrconCells: named}
		for _, reader := range above {
			filters := slices.Concat(subject.Open.UpwardFilters(s.Status, reader, above), subject.Controlled.UpwardFilters(s.Status, reader, above))
			got := delivered(filters, subject.StoredOf(s, "le", l, controlled).String())
			want := 0
			if slices.Contains(named, reader) {
				want = 1
			}
			if got != want {
				t.Errorf("named %v, reader %s: delivered by %d filters, want %d", named, reader, got, want)
			}
			if n := delivered(filters, subject.StoredOf(s, "le", l, nil).String()); n != 1 {
				t.Errorf("reader %s: an open report is delivered by %d filters, want 1", reader, n)
			}
			if n := delivered(filters, subject.StoredOf(other, "le", l, controlled).String()); n != 0 {
				t.Errorf("reader %s: a report of another status is delivered", reader)
			}
		}
		if n := delivered(slices.Concat(subject.Open.OwnFilters(s.Status), subject.Controlled.OwnFilters(s.Status)), subject.StoredOf(s, "le", l, controlled).String()); n != 1 {
			t.Errorf("named %v: the own cell gets it by %d filters, want 1", named, n)
		}
	}
}

func delivered(filters []string, s string) int {
	n := 0
	for _, f := range filters {
		if matches(f, s) {
			n++
		}
	}
	return n
}

// matches is NATS wildcard matching.
func matches(pattern, s string) bool {
	p, t := strings.Split(pattern, "."), strings.Split(s, ".")
	for i := range p {
		switch {
		case p[i] == ">":
			return i < len(t)
		case i >= len(t) || p[i] != "*" && p[i] != t[i]:
			return false
		}
	}
	return len(p) == len(t)
}

func TestArea(t *testing.T) {
	for _, c := range []struct {
		places        []*wf.Place
		state, county string
	}{
		{nil, "none", "none"},
		{[]*wf.Place{{Name: "somewhere"}}, "none", "none"},
		{[]*wf.Place{{CountyFips: "28049"}}, "ms", "28049"},
		{[]*wf.Place{{State: "MS"}}, "ms", "none"},
		{[]*wf.Place{{CountyFips: "28049"}, {CountyFips: "28049"}, {Name: "x"}}, "ms", "28049"},
		{[]*wf.Place{{CountyFips: "28049"}, {CountyFips: "28047"}}, "ms", "multi"},
		{[]*wf.Place{{CountyFips: "28049"}, {CountyFips: "29510"}}, "multi", "multi"},
		{[]*wf.Place{{CountyFips: "28049"}, {CountyFips: "29510"}, {CountyFips: "28049"}}, "multi", "multi"},
	} {
		if state, county := subject.Area(&wf.Report{Places: c.places}); state != c.state || county != c.county {
			t.Errorf("%v: got %s, %s; want %s, %s", c.places, state, county, c.state, c.county)
		}
	}
}

// A county feed holds what is of the county, of several counties, and of none.
func TestFeeds(t *testing.T) {
	s := subject.Stored{Submission: subject.Submission{Status: wf.Status_STATUS_ACTUAL, Kind: wf.Kind_KIND_SAR, State: "ms", County: "28049", Agency: "hinds-so"}}
	area := func(state, county string) subject.Stored {
		c := s
		c.State, c.County = state, county
		return c
	}
	for _, c := range []struct {
		name string
		feed subject.Feed
		of   subject.Stored
		want bool
	}{
		{"everything", subject.Feed{}, s, true},
		{"county", subject.Feed{County: "28049"}, s, true},
		{"county, several", subject.Feed{County: "28049"}, area("ms", "multi"), true},
		{"county, none", subject.Feed{County: "28049"}, area("none", "none"), true},
		{"other county", subject.Feed{County: "28047"}, s, false},
		{"other state", subject.Feed{State: "mo"}, s, false},
		{"kind", subject.Feed{Kind: wf.Kind_KIND_SAR, Agency: "hinds-so"}, s, true},
		{"other kind", subject.Feed{Kind: wf.Kind_KIND_CYBER}, s, false},
		{"other agency", subject.Feed{Agency: "hinds"}, s, false},
		{"exercise does not show by itself", subject.Feed{Status: wf.Status_STATUS_EXERCISE}, s, false},
	} {
		if got := c.feed.Matches(c.of); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	ex := s
	ex.Status = wf.Status_STATUS_EXERCISE
	if (subject.Feed{}).Matches(ex) {
		t.Error("a feed without a status holds an exercise report")
	}
}

func TestTokens(t *testing.T) {
	for _, k := range subject.Kinds {
		if got, err := subject.ParseKind(subject.KindToken(k)); err != nil || got != k {
			t.Errorf("%s: got %s, %v", k, got, err)
		}
	}
	for _, s := range subject.Statuses {
		if got, err := subject.ParseStatus(subject.StatusToken(s)); err != nil || got != s {
			t.Errorf("%s: got %s, %v", s, got, err)
		}
	}
	if len(subject.Kinds) != len(wf.Kind_name)-1 || len(subject.Statuses) != len(wf.Status_name)-1 {
		t.Error("a kind or status of the schema has no token")
	}
	for _, w := range hostile {
		if w != "report" && subject.Word(w) {
			t.Errorf("%q is a word", w)
		}
	}
	for _, bad := range []string{"", "SAR", "rumor"} {
		if _, err := subject.ParseKind(bad); err == nil {
			t.Errorf("%q is a kind", bad)
		}
		if _, err := subject.ParseStatus(bad); err == nil {
			t.Errorf("%q is a status", bad)
		}
	}
}

func TestStates(t *testing.T) {
	if !subject.IsState("MS") || subject.IsState("ms") || subject.IsState("ZZ") || subject.IsState("") {
		t.Error("states are USPS codes in upper case")
	}
	if got := subject.StateOfFIPS("28049"); got != "ms" {
		t.Errorf("got %q", got)
	}
	if got := subject.StateOfFIPS("99"); got != "" {
		t.Errorf("got %q", got)
	}
	if got := subject.StateOfFIPS("2"); got != "" {
		t.Errorf("got %q", got)
	}
}
