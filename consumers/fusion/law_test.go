package fusion

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var t0 = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// cramped is a configuration in which hubs, K limits and the size from which a
// situation is shown by its parts bite all the time.
func cramped() Config {
	return Config{
		Status: wf.Status_STATUS_EXERCISE, HubLimit: 3, K: 2, Threshold: 16_000, massSize: 7,
		Windows: map[wf.Kind]time.Duration{wf.Kind_KIND_SAR: 36 * time.Hour, wf.Kind_KIND_HAZARD: 12 * time.Hour},
	}
}

// drawReport makes a report from a small world, so that everything collides.
func drawReport(t *rapid.T, i int) Input {
	pick := func(name string, n int) int { return rapid.IntRange(0, n-1).Draw(t, name) }
	agency := []string{"fbi", "atf", "nws"}[pick("agency", 3)]
	at := t0.Add(time.Duration(pick("hour", 72)+18*24*pick("month", 2)) * time.Hour)
	r := &wf.Report{
		Id: fmt.Sprintf("00000000-0000-7000-8000-%012d", i), Agency: agency, Record: fmt.Sprintf("R-%d", i),
		Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE, Status: wf.Status_STATUS_EXERCISE,
		EventTime: &wf.TimeRange{Start: timestamppb.New(at)}, ReportTime: timestamppb.New(at.Add(time.Hour)),
		SourceReliability: wf.SourceReliability(pick("reliability", 7)), InformationCredibility: wf.InformationCredibility(pick("credibility", 7)),
		Severity: wf.Severity(pick("severity", 6)),
	}
	r.Kind, r.Body = wf.Kind_KIND_SAR, &wf.Report_Sar{Sar: &wf.Sar{Behaviors: []wf.Behavior{wf.Behavior(1 + pick("behavior", 2))}}}
	if pick("hazard", 3) == 0 {
		r.Kind, r.Body = wf.Kind_KIND_HAZARD, &wf.Report_Hazard{Hazard: &wf.Hazard{Event: "Tornado Warning"}}
		r.Expires = timestamppb.New(at.Add(time.Duration(pick("lasts", 6)) * time.Hour))
	}
	r.Places = []*wf.Place{{
		Point:      &wf.Point{Latitude: 32.3 + 0.02*float64(pick("lat", 4)), Longitude: -90.2},
		CountyFips: []string{"28049", "28121"}[pick("county", 2)], State: "MS",
	}}
	phone := &wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: fmt.Sprintf("+1601555012%d", pick("phone", 3))}
	plate := &wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_PLATE, Value: fmt.Sprintf("HNC48%d", pick("plate", 25)), Issuer: "US-MS"}
	ip := &wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_IP, Value: fmt.Sprintf("203.0.113.%d", pick("ip", 2))}
	switch pick("entity", 5) {
	case 3:
		r.Entities = []*wf.Entity{{Identifiers: []*wf.Identifier{phone, ip}}}
	case 0:
		r.Entities = []*wf.Entity{{Identifiers: []*wf.Identifier{phone}}}
	case 1:
		r.Entities = []*wf.Entity{{Identifiers: []*wf.Identifier{plate, ip}}}
	case 2:
		r.Entities = []*wf.Entity{{Identifiers: []*wf.Identifier{phone, plate}, Detail: &wf.Entity_Person{Person: &wf.Person{
			Names: []*wf.PersonName{{Given: []string{"Karim", "Kareem"}[pick("given", 2)], Family: []string{"Haddad", "Hadad"}[pick("family", 2)]}},
			Birth: &wf.PartialDate{Year: 1988, Month: 4, Day: int32(1 + pick("day", 2))},
		}}}}
	}
	switch pick("said", 6) { // names, addresses and texts that are hubs before long
	case 0:
		r.Entities = append(r.Entities, &wf.Entity{Detail: &wf.Entity_Organization{Organization: &wf.Organization{Name: []string{"Zwetschge Laundry", "Laundry Zwetschge", "Zwetschke Laundry"}[pick("name", 3)]}}})
	case 1:
		r.Entities = append(r.Entities, &wf.Entity{Addresses: []*wf.Address{{
			Number: "12", Street: []string{"Idaho Ave", "Idhao Ave"}[pick("street", 2)], City: "Natchez", Postcode: []string{"39120", "39210"}[pick("postcode", 2)]}}})
	case 2:
		r.Narrative = longTale
	case 3:
		r.Entities = append(r.Entities, &wf.Entity{Identifiers: []*wf.Identifier{
			{Type: wf.IdentifierType_IDENTIFIER_TYPE_EMAIL, Value: []string{"k.haddad@quickmail.net", "k.hadad@quickmail.net"}[pick("mail", 2)]},
			{Type: wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN, Value: []string{"a.evil.net", "b.evil.net", "evil.net"}[pick("host", 3)]}}})
	}
	if pick("refers", 4) == 0 {
		r.References = []*wf.Reference{{
			Type: wf.ReferenceType(1 + pick("type", 7)), Record: fmt.Sprintf("R-%d", pick("record", 20)), Agency: agency,
		}}
	}
	return Input{Cell: []string{"le", "intel"}[pick("cell", 2)], Report: r}
}

func drawReports(t *rapid.T) []Input {
	n := rapid.IntRange(1, 40).Draw(t, "reports")
	out := make([]Input, n)
	for i := range out {
		out[i] = drawReport(t, i)
	}
	return out
}

// revised is a later revision of the same report.
func revised(t *rapid.T, in Input, revision uint64) Input {
	next := drawReport(t, 0)
	next.Cell = in.Cell
	next.Report.Id, next.Report.Agency, next.Report.Record = in.Report.Id, in.Report.Agency, in.Report.Record
	next.Report.Revision = revision
	return next
}

func withdrawal(in Input, revision uint64) Input {
	return Input{Cell: in.Cell, Report: &wf.Report{
		Id: in.Report.Id, Agency: in.Report.Agency, Revision: revision, Status: in.Report.Status, Kind: in.Report.Kind,
		State: wf.ReportState_REPORT_STATE_WITHDRAWN,
	}}
}

func fed(c Config, inputs []Input) *Engine {
	e := New(c)
	for _, in := range inputs {
		e.Apply(in)
	}
	e.Commit()
	return e
}

// same fails unless two engines hold one picture.
func same(t *rapid.T, what string, got, want *Engine) {
	t.Helper()
	if diff := cmp.Diff(want.Situations(), got.Situations(), protocmp.Transform()); diff != "" {
		t.Fatalf("%s: another picture (-want +got):\n%s", what, diff)
	}
	if got.Digest() != want.Digest() {
		t.Fatalf("%s: same situations, digest %x, want %x", what, got.Digest(), want.Digest())
	}
	if got.Digest() != DigestOf(got.Situations()) {
		t.Fatalf("%s: digest %x is not that of the situations", what, got.Digest())
	}
}

func shuffled(t *rapid.T, in []Input) []Input {
	return rapid.Permutation(in).Draw(t, "order")
}

func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawReports(t)
		for i := range in {
			if rapid.IntRange(0, 3).Draw(t, "revise") == 0 {
				in = append(in, revised(t, in[i], 2))
			}
		}
		in = append(in, in[:len(in)/3]...) // delivered twice
		want := fed(cramped(), in)
		got := fed(cramped(), shuffled(t, in))
		same(t, "shuffled", got, want)
	})
}

func TestWithdrawnWasNever(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawReports(t)
		var kept, all []Input
		for _, x := range in {
			all = append(all, x)
			if rapid.Bool().Draw(t, "withdraw") {
				all = append(all, withdrawal(x, 2))
			} else {
				kept = append(kept, x)
			}
		}
		same(t, "withdrawn", fed(cramped(), shuffled(t, all)), fed(cramped(), kept))
	})
}

func TestRemovedWasNever(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawReports(t)
		e := fed(cramped(), in)
		var kept []Input
		for _, x := range in {
			if rapid.Bool().Draw(t, "remove") {
				e.Remove(x.Cell, x.Report.Agency, x.Report.Id)
				continue
			}
			kept = append(kept, x)
		}
		e.Commit()
		same(t, "removed", e, fed(cramped(), kept))
		for _, x := range in {
			e.Apply(x)
		}
		e.Commit()
		same(t, "put back", e, fed(cramped(), in))
	})
}

func TestExpiredWasNever(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawReports(t)
		tick := t0.Add(time.Duration(rapid.IntRange(0, 600).Draw(t, "tick")) * time.Hour)
		if rapid.Bool().Draw(t, "to the minute") { // the moment at which one of them leaves
			x := rapid.SampledFrom(in).Draw(t, "who leaves").Report
			tick = x.EventTime.Start.AsTime()
			if x.Expires != nil && x.Expires.AsTime().After(tick) {
				tick = x.Expires.AsTime()
			}
			tick = tick.Add(cramped().Windows[x.Kind])
		}
		early := fed(cramped(), in)
		early.Tick(tick)
		early.Commit()
		late := New(cramped())
		late.Tick(tick)
		for _, x := range shuffled(t, in) {
			late.Apply(x)
		}
		late.Commit()
		same(t, "ticked before", late, early)
		var live []Input
		c := cramped()
		for _, x := range in {
			end := x.Report.EventTime.Start.AsTime()
			if x.Report.Expires != nil && x.Report.Expires.AsTime().After(end) {
				end = x.Report.Expires.AsTime()
			}
			if end.Add(c.Windows[x.Report.Kind]).After(tick) {
				live = append(live, x)
			}
		}
		never := New(c)
		for _, x := range live {
			never.Apply(x)
		}
		never.Tick(tick)
		never.Commit()
		same(t, "never seen", early, never)
	})
}

// TestCommitsDoNotMatter replays with commits and ticks in between, and
// follows the changes as a reader does.
func TestCommitsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawReports(t)
		for i := range in {
			switch rapid.IntRange(0, 5).Draw(t, "then") {
			case 0:
				in = append(in, withdrawal(in[i], 2))
			case 1:
				in = append(in, revised(t, in[i], 3))
			}
		}
		end := t0.Add(100 * time.Hour)
		e, view, sum := New(cramped()), map[string]*wf.Situation{}, Sum{}
		step := t0
		for _, x := range in {
			e.Apply(x)
			if rapid.IntRange(0, 4).Draw(t, "tick") == 0 {
				step = step.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "by")) * time.Hour)
				e.Tick(step)
			}
			if rapid.IntRange(0, 2).Draw(t, "commit") == 0 {
				follow(t, e, e.Commit(), view, &sum)
			}
		}
		e.Tick(end)
		follow(t, e, e.Commit(), view, &sum)
		once := New(cramped())
		for _, x := range in {
			once.Apply(x)
		}
		once.Tick(end)
		once.Commit()
		same(t, "replayed", e, once)
	})
}

func follow(t *rapid.T, e *Engine, d Delta, view map[string]*wf.Situation, sum *Sum) {
	for _, c := range d.Changes {
		switch c := c.Change.(type) {
		case *wf.Change_Removed:
			old, ok := view[c.Removed]
			if !ok {
				t.Fatalf("removed %s, which was not there", c.Removed)
			}
			sum.Sub(Hash(old))
			delete(view, c.Removed)
		case *wf.Change_Upsert:
			if old, ok := view[c.Upsert.Id]; ok {
				sum.Sub(Hash(old))
			}
			sum.Add(Hash(c.Upsert))
			view[c.Upsert.Id] = c.Upsert
		}
	}
	if sum.Digest() != e.Digest() {
		t.Fatalf("a reader who followed the changes has digest %x, the engine %x", sum.Digest(), e.Digest())
	}
	if n, _ := e.Len(); n != len(view) {
		t.Fatalf("a reader who followed the changes has %d situations, the engine %d", len(view), n)
	}
}

// TestChurn takes a larger set through random insertions and removals, far
// beyond the length at which posting lists change their form.
func TestChurn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	c := Config{Status: wf.Status_STATUS_EXERCISE, HubLimit: 30, K: 3}
	var in []Input
	for i := range 1500 {
		at := t0.Add(time.Duration(rng.IntN(30*24*60)) * time.Minute)
		in = append(in, Input{Cell: "le", Report: &wf.Report{
			Id: fmt.Sprint(i), Agency: "fbi", Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE, Status: wf.Status_STATUS_EXERCISE,
			Kind: wf.Kind_KIND_SAR, ReportTime: timestamppb.New(at),
			Places: []*wf.Place{{Point: &wf.Point{Latitude: 32.3, Longitude: -90.2}}},
			Entities: []*wf.Entity{{Identifiers: []*wf.Identifier{
				{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: fmt.Sprintf("+1601555%04d", rng.IntN(3))},
				{Type: wf.IdentifierType_IDENTIFIER_TYPE_EMAIL, Value: fmt.Sprintf("a%d@b.test", rng.IntN(300))},
			}}},
		}})
	}
	live := map[int]bool{}
	e := New(c)
	for range 6000 {
		if i := rng.IntN(len(in)); live[i] {
			e.Remove("le", "fbi", in[i].Report.Id)
			delete(live, i)
		} else {
			e.Apply(in[i])
			live[i] = true
		}
		if rng.IntN(50) == 0 {
			e.Commit()
		}
	}
	e.Commit()
	fresh := New(c)
	for i := range live {
		fresh.Apply(in[i])
	}
	fresh.Commit()
	if diff := cmp.Diff(fresh.Situations(), e.Situations(), protocmp.Transform()); diff != "" {
		t.Errorf("after churn, another picture (-fresh +churned):\n%.4000s", diff)
	}
	if e.Digest() != fresh.Digest() {
		t.Errorf("after churn, digest %x, want %x", e.Digest(), fresh.Digest())
	}
	if n, _ := e.Len(); n == len(live) || n == 1 {
		t.Errorf("%d situations of %d reports: nothing was tested", n, len(live))
	}
}
