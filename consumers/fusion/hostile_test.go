package fusion

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func TestOneReportCostsBoundedWork(t *testing.T) {
	big := func(r *wf.Report) {
		r.Narrative = strings.Repeat("word and another ", 60_000)
		for i := range 10_000 {
			v := fmt.Sprintf("%07d", i)
			r.Entities = append(r.Entities, &wf.Entity{
				Identifiers: []*wf.Identifier{{Type: phoneID, Value: "+1601" + v}, {Type: plateID, Value: v}},
				Detail:      &wf.Entity_Person{Person: &wf.Person{Names: []*wf.PersonName{{Given: "G" + v, Family: strings.Repeat("F", 9_000)}}}},
			})
			r.References = append(r.References, &wf.Reference{Type: relatedTo, Record: "X" + v, Agency: "fbi"})
			r.Places = append(r.Places, &wf.Place{Point: &wf.Point{Latitude: float64(i%90) / 2, Longitude: float64(i%180) / 2}, CountyFips: "28049"})
		}
		ring := &wf.Polygon{}
		for i := range 20_000 {
			ring.Points = append(ring.Points, &wf.Point{Latitude: float64(i % 80), Longitude: float64(i % 170)})
		}
		r.Places = append(r.Places, &wf.Place{Polygon: ring})
	}
	e := New(Config{Status: wf.Status_STATUS_EXERCISE})
	start := time.Now()
	for i := range 50 {
		e.Apply(say("fbi", time.Duration(i)*time.Minute, big, record(fmt.Sprint("B-", i))))
	}
	e.Commit()
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("50 hostile reports took %v", took)
	}
	for n := range e.nodes[1:] {
		if f := e.facts(int32(n + 1)); len(f.keys) > maxKeys || len(f.ids) > maxMarks || len(f.persons) > maxPersons || len(f.places) > maxSpots {
			t.Fatalf("kept %d keys, %d identifiers, %d persons, %d places", len(f.keys), len(f.ids), len(f.persons), len(f.places))
		}
	}
}

// TestAFloodAtOnePoint: many reports of one minute, place, behavior and phone
// cost what any others do, and are not merged.
func TestAFloodAtOnePoint(t *testing.T) {
	e := New(Config{Status: wf.Status_STATUS_EXERCISE})
	const n = 30_000
	start := time.Now()
	for i := range n {
		e.Apply(say("fbi", time.Duration(i%60)*time.Second, at(32.3, -90.18), behavior(11), id(phoneID, "+16015550123"), record(fmt.Sprint("F-", i)),
			func(r *wf.Report) { r.Id = fmt.Sprint(i) }))
		if i%1000 == 0 {
			e.Commit()
		}
	}
	e.Commit()
	if took := time.Since(start); took > 60*time.Second {
		t.Errorf("%d reports at one point took %v", n, took)
	}
	if s, r := e.Len(); r != n || s != n {
		t.Errorf("%d situations of %d reports, want each alone", s, r)
	}
}

func TestAnyTextIsTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		f := fold(s)
		if !utf8.ValidString(f) || fold(f) != f {
			t.Fatalf("fold(%q) = %q, and again %q", s, f, fold(f))
		}
		in := say("fbi", 0, human(s, s, 1980, 1, 2), id(phoneID, s), issued(plateID, s, s), narrative(s), record(s), id(ipID, s), id(ssnID, s),
			id(wf.IdentifierType_IDENTIFIER_TYPE_EMAIL, s), id(wf.IdentifierType_IDENTIFIER_TYPE_URL, s), refer(relatedTo, s, s), behavior(wf.Behavior(len(s))),
			func(r *wf.Report) {
				r.Kind = wf.Kind(rapid.Int32().Draw(t, "kind"))
				r.Severity = wf.Severity(rapid.Int32().Draw(t, "severity"))
				r.Places = []*wf.Place{{CountyFips: s, Point: &wf.Point{Latitude: rapid.Float64().Draw(t, "lat"), Longitude: rapid.Float64().Draw(t, "lon")}, RadiusM: rapid.Float64().Draw(t, "radius")}, nil}
				r.Entities = append(r.Entities, nil)
			})
		e := fed(Config{Status: wf.Status_STATUS_EXERCISE}, []Input{in})
		for _, x := range e.Situations() {
			e.Explain(x.Id)
		}
	})
}

func TestSimilarityIsSymmetricAndBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.StringMatching(`[a-f]{1,12}`).Draw(t, "a"), rapid.StringMatching(`[a-f]{1,12}`).Draw(t, "b")
		s := similarity(a, b)
		if s < 0 || s > 1000 || a == b && s != 1000 {
			t.Fatalf("similarity(%q, %q) = %d", a, b, s)
		}
		if oneEdit(a, b) != oneEdit(b, a) || garbled(a, a) || len(a) == len(b) && garbled(a, b) != garbled(b, a) {
			t.Fatalf("oneEdit or garbled of %q and %q depend on their order", a, b)
		}
	})
	for _, c := range []struct {
		a, b string
		want int32
	}{{"martha", "marhta", 961}, {"dixon", "dicksonx", 813}, {"dwayne", "duane", 840}} {
		if got := similarity(c.a, c.b); got < c.want-3 || got > c.want+3 {
			t.Errorf("similarity(%s, %s) = %d, want about %d", c.a, c.b, got, c.want)
		}
	}
}
