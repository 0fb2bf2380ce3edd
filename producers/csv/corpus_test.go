package csv_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/csv"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var options = codec.Options{
	Agency: "stl-pd", Status: wf.Status_STATUS_ACTUAL, Received: now,
	Label: &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
}

// corpus reads a file of the shared corpus. It never skips: without a corpus
// the test fails and says what to do.
func corpus(t testing.TB, name string) []byte {
	t.Helper()
	root := os.Getenv("WATCHFLOOR_CORPUS")
	if root == "" {
		if root = "../../../shared/data"; os.Getenv("CI") == "true" {
			t.Fatal("WATCHFLOOR_CORPUS is not set: point it at the corpus")
		}
	}
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatalf("read corpus: %v; set WATCHFLOOR_CORPUS to the folder of the corpus", err)
	}
	return data
}

func shipped(t testing.TB, name string) *csv.Mapping {
	t.Helper()
	m, err := csv.Shipped(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every row of the corpus is one report, and each of them is valid.
func TestCorpus(t *testing.T) {
	for _, c := range []struct {
		file, mapping string
		rows          int
		found         bool // the mapping is found by the header
	}{
		{"incidents/stl_police_2018-01.csv", "stl-police", 3825, true},
		{"labelled/febrl/dataset1.csv", "febrl", 1000, true},
		{"labelled/febrl/dataset3.csv", "febrl", 5000, true},
		{"labelled/splink_fake_1000.csv", "fake-1000", 1000, true},
		{"labelled/jedai_D1/rest1.csv", "restaurants-1", 339, true},
		{"labelled/jedai_D1/rest2.csv", "restaurants-2", 2256, true},
		{"labelled/jedai_D4/dblp.csv", "dblp", 2616, false},
		{"labelled/jedai_D4/acm.csv", "acm", 2294, false},
		{"assets/ms_hospitals_hifld.csv", "hifld-hospitals", 132, true},
		{"assets/ms_hospitals_cms.csv", "cms-hospitals", 51, true},
	} {
		t.Run(c.file, func(t *testing.T) {
			data := corpus(t, c.file)
			items := csv.Decode(data, options, shipped(t, c.mapping))
			if len(items) != c.rows {
				t.Errorf("got %d items, want %d", len(items), c.rows)
			}
			ids := map[string]bool{}
			for _, item := range items {
				if item.Refused() {
					t.Fatalf("%s: %s", item.Where, item.Reasons)
				}
				if rs := report.Validate(item.Report, now, report.Limits{}); len(rs) > 0 {
					t.Fatalf("%s: %s", item.Where, rs)
				}
				if ids[item.Report.Id] {
					t.Fatalf("%s: id %s of record %q occurs twice", item.Where, item.Report.Id, item.Report.Record)
				}
				ids[item.Report.Id] = true
			}
			if m, ok := csv.For(data); ok != c.found || ok && m.Name != c.mapping {
				t.Errorf("by header: got %v, %v; want %s, %v", m, ok, c.mapping, c.found)
			}
		})
	}
}

// A police row says what its cells say, in the city's time and place.
func TestPoliceRow(t *testing.T) {
	items := csv.Decode(corpus(t, "incidents/stl_police_2018-01.csv"), options, shipped(t, "stl-police"))
	r := items[0].Report
	if got, want := r.Record, "18-001804/31111/1"; got != want {
		t.Errorf("record: got %s, want %s", got, want)
	}
	// 00:01 in St. Louis in winter.
	if got, want := r.EventTime.Start.AsTime(), time.Date(2018, 1, 1, 6, 1, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("event time: got %s, want %s", got, want)
	}
	want := &wf.Place{
		Point: &wf.Point{Latitude: 38.559311, Longitude: -90.255758}, CountyFips: "29510", State: "MO", Role: wf.PlaceRole_PLACE_ROLE_EVENT,
		Name:    "ON STREET IN FRONT OF 6431 IDAHO",
		Address: &wf.Address{Number: "6431", Street: "idaho ave", City: "st. louis", State: "mo", Locality: "1"},
	}
	if !proto.Equal(r.Places[0], want) {
		t.Errorf("place: got %v, want %v", r.Places[0], want)
	}
	if id := r.Entities[0].Identifiers[0]; id.Value != "18-001804" || id.Issuer != "stl-pd" || id.Type != wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER {
		t.Errorf("case number: got %v", id)
	}
}

// Charges of one complaint are records of their own, and so is the same row
// again: two victims are not one.
func TestChargesOfOneComplaintStayApart(t *testing.T) {
	records := map[string]int{}
	takenBack, points := 0, 0
	for _, item := range csv.Decode(corpus(t, "incidents/stl_police_2018-01.csv"), options, shipped(t, "stl-police")) {
		r := item.Report
		if strings.HasPrefix(r.Record, "18-000142/") || strings.HasPrefix(r.Record, "18-000191/") {
			records[r.Record]++
		}
		if r.GetIncident().Unfounded {
			takenBack++
		}
		if r.Places[0].Point != nil {
			points++
		}
	}
	for _, want := range []string{"18-000142/10000/1", "18-000142/10000/1/2", "18-000191/71013/1", "18-000191/71013/-1"} {
		if records[want] != 1 {
			t.Errorf("record %s: got %d of %v, want one", want, records[want], records)
		}
	}
	if takenBack != 63 || points != 3825-98 {
		t.Errorf("got %d taken back and %d with a point, want 63 and %d", takenBack, points, 3825-98)
	}
}

// No field that is compared may hold the truth of a labelled set.
func TestTruthIsNoEvidence(t *testing.T) {
	rec := regexp.MustCompile(`rec-\d+|dup-|-org`)
	for _, name := range []string{"labelled/febrl/dataset1.csv", "labelled/febrl/dataset3.csv"} {
		for _, item := range csv.Decode(corpus(t, name), options, shipped(t, "febrl")) {
			r := proto.CloneOf(item.Report)
			r.Record = ""
			if text := r.String(); rec.MatchString(text) {
				t.Fatalf("%s: the record id is in %s", item.Where, text)
			}
		}
	}
	// Rows 0 and 1 of fake_1000 are one person; that the truth says so shows nowhere.
	data := corpus(t, "labelled/splink_fake_1000.csv")
	changed := regexp.MustCompile(`(?m),\d+(\r?)$`).ReplaceAll(data, []byte(",77$1"))
	a, b := csv.Decode(data, options, shipped(t, "fake-1000")), csv.Decode(changed, options, shipped(t, "fake-1000"))
	for i := range a {
		if !proto.Equal(a[i].Report, b[i].Report) {
			t.Fatalf("%s: the cluster changes the report", a[i].Where)
		}
	}
}

func TestPersonRow(t *testing.T) {
	items := csv.Decode(corpus(t, "labelled/febrl/dataset1.csv"), options, shipped(t, "febrl"))
	r := items[1].Report
	e := r.Entities[0]
	p := e.GetPerson()
	want := &wf.Address{Number: "69", Street: "giblin street", Unit: "killarney", City: "bittern", Postcode: "4814", State: "qld"}
	if r.Record != "rec-122-org" || p.Names[0].Given != "lachlan" || p.Names[0].Family != "berry" || p.Birth.Year != 1999 || p.Birth.Month != 2 || p.Birth.Day != 19 ||
		e.Identifiers[0].Value != "7364009" || !proto.Equal(e.Addresses[0], want) {
		t.Errorf("got %v", r)
	}
}
