package narrative_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/producers/narrative"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var reported = time.Date(2025, 3, 15, 12, 0, 0, 0, time.UTC)

// fragments are pieces that the rules look for; glued together at random they
// are right, half right and wrong.
var fragments = strings.Split(`John Smith|Smith, John|SMITH, JOHN A.|Mr. Jones|aka "Johnny" Smyth|suspect Jane Doe|Driver Ivan Petrov, 43,|W/M|DOB 3/4/1981|born 1999-04-02|43 yoa|age 44|
(601) 555-0123|601-555-0199|+44 20 7946 0958|call 6015550123|SSN 219-09-1234|OLN 801234567|MS DL 801234568|passport 992795700|FBI no. 123456AB1|white Ford F-150|2014 Honda Accord|black van|
plate ABC 1234|MS tag HNC4821|partial plate 7KB|tag ending in 456|plate CH?4339|VIN 1HGCM82633A004352|1423 W Capitol St|1200 block of N. State Street, Jackson, MS 39201|I-55 at exit 98|Main St and 5th Ave|
Hinds County|Rankin County, MS|Jackson, MS|in Biloxi|near Memphis, TN|Jackson-Evers International Airport|Vaught-Hemingway Stadium|32.2988, -90.1848|32°17'56"N 90°11'05"W|user@host.example|
user[at]evil[.]com|hxxp://bad.example/x|198.51.100.7|2001:db8::1|10.0.0.0/8|evil-login12.example|44d88612fea8a8f36de82e1278abb02f|CVE-2024-12345|00:1A:2B:3C:4D:5E|@badguy99 on telegram|account "ghost_77"|
AR-15 serial AB12345|50 lbs of ammonium nitrate|Delta Crane Services LLC|case no. 2025-00123|NRC-3231128|warrant W-69436461|IMO 9074729|MMSI 366123456|aircraft N12345|AL092005|on 3/14/2025 at 2145 hrs|
yesterday evening|two people were injured|killing three|tornado warning|/O.NEW.KJAN.TO.W.0012.240314T2145Z-240314T2215Z/|IMEI 490154203237518|lives at 12 Oak Ave, Biloxi, MS|. | |, |
|said|and|the|x|`+"\xff", "|")

func textOf(t *rapid.T) string {
	parts := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(fragments), rapid.SampledFrom(fragments), rapid.SampledFrom(fragments), rapid.String()), 0, 24).Draw(t, "parts")
	return strings.ToValidUTF8(strings.Join(parts, rapid.SampledFrom([]string{" ", ", ", "", "; "}).Draw(t, "join")), "")
}

// reportOf is a report that states some of what its text may say.
func reportOf(t *rapid.T) *wf.Report {
	r := &wf.Report{Agency: "jackson-pd", Record: "26-004711", State: wf.ReportState_REPORT_STATE_ACTIVE, Kind: wf.Kind_KIND_SAR, ReportTime: timestamppb.New(reported),
		Title: textOf(t), Narrative: textOf(t)}
	if rapid.Bool().Draw(t, "capitals") {
		r.Narrative = strings.ToUpper(r.Narrative)
	}
	if rapid.Bool().Draw(t, "person") {
		p := &wf.Person{Names: []*wf.PersonName{rapid.SampledFrom([]*wf.PersonName{{Given: "John", Family: "Smith"}, {Family: "Petrov"}, {Full: "Jane Doe"}, {Given: "J", Family: "Smyth"}}).Draw(t, "name")}}
		p.Age = rapid.SampledFrom([]int32{0, 44}).Draw(t, "age")
		r.Entities = append(r.Entities, &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_SUBJECT, Detail: &wf.Entity_Person{Person: p}})
	}
	if rapid.Bool().Draw(t, "vehicle") {
		r.Entities = append(r.Entities, &wf.Entity{Detail: &wf.Entity_Vehicle{Vehicle: &wf.Vehicle{Make: "Ford", Color: "white"}},
			Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PLATE, Value: "ABC1234", Issuer: "US-MS"}}})
	}
	if rapid.Bool().Draw(t, "phone") {
		r.Entities = append(r.Entities, &wf.Entity{Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: "+16015550123"}}})
	}
	if rapid.Bool().Draw(t, "place") {
		r.Places = append(r.Places, rapid.SampledFrom([]*wf.Place{{State: "MS"}, {CountyFips: "28049", State: "MS"}, {Point: &wf.Point{Latitude: 32.3, Longitude: -90.2}}}).Draw(t, "where"))
	}
	if rapid.Bool().Draw(t, "when") {
		r.EventTime = &wf.TimeRange{Start: timestamppb.New(reported.Add(-time.Hour))}
	}
	r = proto.CloneOf(r)
	return r
}

func TestEnrichmentIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := reportOf(t)
		narrative.Enrich(r)
		once := proto.CloneOf(r)
		if n := narrative.Enrich(r); n != 0 || !proto.Equal(r, once) {
			t.Fatalf("the second time added %d:\n%v\n%v", n, once, r)
		}
	})
}

// What a report states stays: without what is marked as extracted, it is what
// it was.
func TestEnrichmentAddsOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := reportOf(t)
		stated := proto.CloneOf(r)
		n := narrative.Enrich(r)
		if (n > 0) == proto.Equal(r, stated) {
			t.Fatalf("added %d, and equal is %v", n, n == 0)
		}
		narrative.Strip(r)
		if !proto.Equal(r, stated) {
			t.Fatalf("stated %v, left %v", stated, r)
		}
	})
}

// No identifier, name of a person or place stands in a report twice.
func TestEnrichmentRepeatsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := reportOf(t)
		narrative.Enrich(r)
		seen := map[string]bool{}
		for _, e := range r.GetEntities() {
			for _, id := range e.GetIdentifiers() {
				k := id.GetType().String() + id.GetValue()
				if seen[k] {
					t.Fatalf("%s twice in %v", k, r.GetEntities())
				}
				seen[k] = true
			}
			for _, n := range e.GetPerson().GetNames() {
				k := strings.ToLower(n.GetGiven() + " " + n.GetMiddle() + " " + n.GetFamily() + n.GetFull())
				if e.GetExtracted() && seen[k] {
					t.Fatalf("%s twice in %v", k, r.GetEntities())
				}
				seen[k] = true
			}
		}
		for i, p := range r.GetPlaces() {
			for _, q := range r.GetPlaces()[:i] {
				if proto.Equal(p, q) {
					t.Fatalf("%v twice", p)
				}
			}
		}
	})
}

// What Enrich writes, validates.
func TestEnrichedReportsAreValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := reportOf(t)
		before := len(report.Validate(r, reported, report.Limits{}))
		narrative.Enrich(r)
		if after := report.Validate(r, reported, report.Limits{}); len(after) != before {
			t.Fatalf("%v\n%v", after, r)
		}
	})
}

func TestExtractIsDeterministicAndInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkFindings(t, textOf(t)) })
}

type failer interface{ Fatalf(string, ...any) }

func checkFindings(t failer, text string) {
	c := narrative.Context{State: "MS", Reported: reported, Agency: "jackson-pd"}
	a, b := narrative.Extract(text, c), narrative.Extract(text, c)
	if len(a) != len(b) || len(a) > narrative.MaxFindings+2 {
		t.Fatalf("%d findings, then %d", len(a), len(b))
	}
	for i, f := range a {
		if f.Kind != b[i].Kind || f.Normal != b[i].Normal || f.Start != b[i].Start || !proto.Equal(f.Identifier, b[i].Identifier) || !proto.Equal(f.Place, b[i].Place) {
			t.Fatalf("finding %d differs: %v, %v", i, f, b[i])
		}
		if f.Start < 0 || f.End <= f.Start || f.End > len(text) || f.Normal == "" && f.Kind != narrative.Sex || f.Why == "" || f.Of < 0 || f.Of > len(a) || f.Of == i+1 {
			t.Fatalf("finding %d of %q is %+v", i, text, f)
		}
		if f.Identifier != nil {
			if err := report.NormalIdentifier(f.Identifier); err != nil {
				t.Fatalf("%q: %v", text[f.Start:f.End], err)
			}
		}
	}
}

func FuzzExtract(f *testing.F) {
	for _, s := range fragments {
		f.Add(s)
	}
	f.Add(strings.Join(fragments, " "))
	f.Add(strings.ToUpper(strings.Join(fragments, ", ")))
	f.Fuzz(func(t *testing.T, text string) {
		checkFindings(t, text)
		r := &wf.Report{Agency: "a1", Kind: wf.Kind_KIND_SAR, ReportTime: timestamppb.New(reported), Narrative: text}
		narrative.Enrich(r)
		once := proto.CloneOf(r)
		if narrative.Enrich(r); !proto.Equal(r, once) {
			t.Fatalf("enriching %q twice is not once", text)
		}
		narrative.Strip(r)
		if len(r.Entities)+len(r.Places) > 0 || r.EventTime != nil {
			t.Fatalf("%q: stripping left %v", text, r)
		}
	})
}

// Hostile text: a megabyte of one thing costs time in proportion to its length.
func TestLongTextIsBounded(t *testing.T) {
	for _, piece := range []string{"a", "1", "(", "-", ".", "a.", "A ", "John ", "601-", "1 ", "plate ", "@", "://", "::", "St. ", "of ", "\"", "X, ", "5th ", "32.1 ", "\xe2\x80\x99", "é"} {
		began := time.Now()
		narrative.Extract(strings.Repeat(piece, narrative.MaxText/len(piece)+1), narrative.Context{State: "MS"})
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("a megabyte of %q took %s", piece, took)
		} else if took > 500*time.Millisecond {
			t.Logf("a megabyte of %q took %s", piece, took)
		}
	}
}
