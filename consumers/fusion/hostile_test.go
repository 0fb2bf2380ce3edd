package fusion

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// cost is what a report of a kind costs an engine that holds only such.
type cost struct {
	time  time.Duration // a report, its commit included
	bytes float64       // kept for a live report
}

// costOf applies reports with a commit every batch.
func costOf(t *testing.T, in []Input, batch int) (cost, *Engine) {
	t.Helper()
	e := New(Config{Status: wf.Status_STATUS_EXERCISE})
	before := heap()
	start := time.Now()
	for i, x := range in {
		e.Apply(x)
		if i%batch == batch-1 {
			e.Commit()
		}
	}
	e.Commit()
	took := time.Since(start)
	c := cost{took / time.Duration(len(in)), float64(heap()-before) / float64(len(in))}
	if _, n := e.Len(); n != len(in) {
		t.Fatalf("%d live reports of %d", n, len(in))
	}
	return c, e
}

// within fails when a hostile report costs more than so many usual ones. The
// bounds are far above what is measured, and far below what grows with the
// square of anything.
func within(t *testing.T, what string, got, usual cost, slower, larger float64) {
	t.Helper()
	x, y := float64(got.time)/float64(usual.time), got.bytes/usual.bytes
	t.Logf("%s: %v and %.0f bytes a report, %.1f and %.1f times the usual %v and %.0f", what, got.time, got.bytes, x, y, usual.time, usual.bytes)
	if x > slower || y > larger {
		t.Errorf("%s: %.1f times the time (at most %.0f), %.1f times the memory (at most %.0f) of a usual report", what, x, slower, y, larger)
	}
}

// huge has too much of everything: ten thousand people with numbers, as many
// references and places, a polygon of twenty thousand corners, a narrative of a
// megabyte.
func huge(r *wf.Report) {
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

// scripts are a name in every script that a report may come in.
func scripts(r *wf.Report) {
	for _, n := range []string{"Ärzte Öztürk", "Владимир Иванов", "عبد الرحمن", "王小明", "ひらがな カタカナ", "김철수", "Ελένη", "שלום", "देवनागरी", "ไทย", "Zalg\u0335\u0322\u0301o\u0301", "\u202eRTL\u202c", "\xff\xfe"} {
		r.Entities = append(r.Entities, &wf.Entity{Detail: &wf.Entity_Person{Person: &wf.Person{Names: []*wf.PersonName{{Given: n, Family: strings.Repeat(n, 50)}}}}})
	}
}

func TestAHostileReportCostsBoundedWork(t *testing.T) {
	usual, _ := costOf(t, traffic(5_000), 256)
	of := func(n int, parts ...func(*wf.Report)) []Input {
		one := say("fbi", 0, parts...).Report // made once: they share what they hold
		var in []Input
		for i := range n {
			x := say("fbi", time.Duration(i)*time.Minute, record(fmt.Sprint("B-", i)), func(r *wf.Report) { r.Id = fmt.Sprint(i) })
			x.Report.Narrative, x.Report.Entities, x.Report.References, x.Report.Places = one.Narrative, one.Entities, one.References, one.Places
			in = append(in, x)
		}
		return in
	}
	got, e := costOf(t, of(50, huge), 10)
	within(t, "ten thousand of everything", got, usual, 1_000, 80)
	for n := range e.nodes[1:] {
		f := e.facts(int32(n + 1))
		if len(f.keys) > maxKeys || len(f.ids) > maxMarks || len(f.persons) > maxPersons || len(f.places) > maxSpots || len(f.outline) > maxOutline {
			t.Fatalf("kept %d keys, %d identifiers, %d persons, %d places, %d corners", len(f.keys), len(f.ids), len(f.persons), len(f.places), len(f.outline))
		}
	}
	got, _ = costOf(t, of(200, scripts), 256)
	within(t, "names in every script", got, usual, 1_000, 20)
	text := func(r *wf.Report) { r.Narrative = strings.Repeat("a gate b c ", 100_000) }
	got, _ = costOf(t, of(50, text), 10)
	within(t, "a narrative of a megabyte", got, usual, 300, 20)
}

// floodAt is n reports of one minute, place, behavior and phone.
func floodAt(n int) []Input {
	in := make([]Input, n)
	for i := range in {
		in[i] = say("fbi", time.Duration(i%60)*time.Second, at(32.3, -90.18), behavior(11), id(phoneID, "+16015550123"), record(fmt.Sprint("F-", i)),
			func(r *wf.Report) { r.Id = fmt.Sprint(i) })
	}
	return in
}

// TestAFloodAtOnePoint: many reports of one minute, place, behavior and phone
// cost what any others do, and are not merged. BenchmarkFlood takes a million.
func TestAFloodAtOnePoint(t *testing.T) {
	const n = 50_000
	usual, _ := costOf(t, traffic(n/5), 1000)
	got, e := costOf(t, floodAt(n), 1000)
	within(t, "a flood", got, usual, 12, 3)
	if s, r := e.Len(); r != n || s != n {
		t.Errorf("%d situations of %d reports, want each alone", s, r)
	}
}

// TestACrowdOfOneRecord: many reports that all name one record are one mass
// situation, and what a commit of it costs grows no faster than it does.
func TestACrowdOfOneRecord(t *testing.T) {
	crowd := func(n int) (time.Duration, int) {
		in := traffic(n)
		for i := range in {
			in[i].Report.References = []*wf.Reference{{Type: relatedTo, Record: "STORM-1", Agency: "nws"}}
		}
		e := fed(Config{Status: wf.Status_STATUS_EXERCISE}, in[1:])
		best, size := time.Hour, 0
		for range 5 { // the machine may be busy: the fastest counts
			start := time.Now()
			e.Apply(in[0])
			d := e.Commit()
			best = min(best, time.Since(start))
			for _, c := range d.Changes {
				size += proto.Size(c)
			}
			e.Remove(in[0].Cell, in[0].Report.Agency, in[0].Report.Id)
			e.Commit()
		}
		if s, _ := e.Len(); s > n/20 {
			t.Fatalf("%d situations of %d reports: no mass", s, n)
		}
		return best, size / 5
	}
	few, small := crowd(2_000)
	many, large := crowd(16_000)
	t.Logf("a commit takes %v and %d bytes at 2,000 reports, %v and %d bytes at 16,000", few, small, many, large)
	if many > 40*few || large > 3*small {
		t.Errorf("eight times the reports: %v and %d bytes instead of %v and %d", many, large, few, small)
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
