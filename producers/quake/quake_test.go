package quake_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/csv"
	"github.com/watchfloor/watchfloor/producers/internal/corpus"
	"github.com/watchfloor/watchfloor/producers/quake"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var endOfTime = time.Date(2199, 12, 31, 0, 0, 0, 0, time.UTC)

func options() codec.Options {
	return codec.Options{Agency: "usgs", Label: &wf.Label{Level: wf.Level_LEVEL_UNCLASSIFIED}}
}

// feature is one event as the summary feed has it, found by two networks.
const feature = `{"type":"Feature","properties":{"mag":4.2,"place":"10km W of Nowhere, MS","time":1700000000123,"updated":1700000600456,
"alert":null,"status":"reviewed","tsunami":0,"net":"nm","code":"60001","ids":",nm60001,us7000abcd,","magType":"mb_lg","type":"earthquake",
"url":"https://earthquake.usgs.gov/earthquakes/eventpage/nm60001","title":"M 4.2 - 10km W of Nowhere, MS"},
"geometry":{"type":"Point","coordinates":[-90.5,33.25,7.4]},"id":"nm60001"}`

func one(t *testing.T, text string) codec.Item {
	t.Helper()
	items := quake.Decode([]byte(text), options())
	if len(items) != 1 || items[0].Where == "" {
		t.Fatalf("%d items, want one with its place", len(items))
	}
	return items[0]
}

func TestAnEventIsAReport(t *testing.T) {
	r := one(t, feature).Report
	if r == nil {
		t.Fatal("refused")
	}
	if r.Record != "nm60001" || r.Id != report.RecordID("usgs", "nm60001") || r.Revision != 1700000600456 || r.Status != wf.Status_STATUS_ACTUAL {
		t.Errorf("record %q, id %s, revision %d, status %s", r.Record, r.Id, r.Revision, r.Status)
	}
	if got := r.EventTime.Start.AsTime(); !got.Equal(time.UnixMilli(1700000000123)) {
		t.Errorf("event time %s", got)
	}
	if p := r.Places[0].Point; p.Latitude != 33.25 || p.Longitude != -90.5 {
		t.Errorf("place %v: longitude comes first in GeoJSON", p)
	}
	if len(r.References) != 1 || r.References[0].Record != "us7000abcd" || r.References[0].Agency != "us" || r.Lineage.Originator != "nm" {
		t.Errorf("references %v, want the other network's id", r.References)
	}
	h := r.GetHazard()
	if h.Event != "Earthquake" || h.Certainty != wf.Certainty_CERTAINTY_OBSERVED || h.Infos[0].Description != "magnitude 4.2 mb_lg, depth 7.4 km, reviewed" {
		t.Errorf("hazard %v", h)
	}
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		rule, old, new string
		want           func(*wf.Report) bool
	}{
		{"deleted is withdrawn", `"reviewed"`, `"deleted"`, func(r *wf.Report) bool { return r.State == wf.ReportState_REPORT_STATE_WITHDRAWN }},
		{"automatic is likely", `"reviewed"`, `"automatic"`, func(r *wf.Report) bool { return r.GetHazard().Certainty == wf.Certainty_CERTAINTY_LIKELY }},
		{"the impact estimate comes before the magnitude", `"alert":null`, `"alert":"red"`, func(r *wf.Report) bool { return r.Severity == wf.Severity_SEVERITY_EXTREME }},
		{"no magnitude, no severity", `"mag":4.2`, `"mag":null`, func(r *wf.Report) bool { return r.Severity == wf.Severity_SEVERITY_UNSPECIFIED }},
		{"a blast is no earthquake", `"type":"earthquake"`, `"type":"quarry blast"`, func(r *wf.Report) bool { return r.GetHazard().Event == "Quarry blast" }},
		{"without an update the revision is the event's time", `"updated":1700000600456,`, ``, func(r *wf.Report) bool { return r.Revision == 1700000000123 }},
		{"without a depth nothing is made up", `33.25,7.4`, `33.25`, func(r *wf.Report) bool { return !strings.Contains(r.GetHazard().Infos[0].Description, "depth") }},
		{"an id that is none is left out", `,us7000abcd,`, `,us 7000,<x>,`, func(r *wf.Report) bool { return len(r.References) == 0 }},
	} {
		if !strings.Contains(feature, c.old) {
			t.Fatalf("%s: the feature does not hold %q", c.rule, c.old)
		}
		item := one(t, strings.Replace(feature, c.old, c.new, 1))
		if item.Refused() || !c.want(item.Report) {
			t.Errorf("%s: %v %v", c.rule, item.Report, item.Reasons)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		rule, text, field string
		code              admission.Code
	}{
		{"no id", strings.NewReplacer(`,"id":"nm60001"`, ``, `"net":"nm","code":"60001",`, ``).Replace(feature), "id", admission.Missing},
		{"no place", strings.Replace(feature, "[-90.5,33.25,7.4]", "[-90.5]", 1), "geometry", admission.Missing},
		{"no time", strings.Replace(feature, `"time":1700000000123`, `"time":"yesterday"`, 1), "properties.time", admission.BadTime},
		{"no properties", `{"type":"Feature"}`, "properties", admission.Malformed},
		{"no features", `{"type":"FeatureCollection"}`, "features", admission.Malformed},
		{"off the earth", strings.Replace(feature, "33.25", "133.25", 1), "places[0].point", admission.BadGeometry},
	} {
		item := one(t, c.text)
		found := false
		for _, r := range item.Reasons {
			found = found || r.Field == c.field && r.Code == string(c.code)
		}
		if !item.Refused() || !found {
			t.Errorf("%s: %s, want %s at %s", c.rule, item.Reasons, c.code, c.field)
		}
	}
}

func week(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(corpus.Dir(t, "hazards"), "hazards", "usgs-earthquakes-week.geojson"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTheWeekOfTheCorpusIsAdmitted(t *testing.T) {
	items, references := quake.Decode(week(t), options()), 0
	for _, it := range items {
		if it.Refused() {
			t.Errorf("%s: %s", it.Where, it.Reasons)
			continue
		}
		if reasons := report.Validate(it.Report, endOfTime, report.Limits{}); len(reasons) > 0 {
			t.Errorf("%s: %s", it.Where, reasons)
		}
		references += len(it.Report.References)
	}
	// 92 events have two ids, and two have three.
	if len(items) != 1707 || references != 92+2*2 {
		t.Errorf("%d events with %d other ids, want 1707 with 96", len(items), references)
	}
}

// Whatever comes in, Decode ends, and every item is a valid report or has reasons.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(feature))
	f.Add([]byte(`{"type":"FeatureCollection","features":[` + feature + `,null,{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, it := range quake.Decode(data, options()) {
			if it.Refused() {
				if len(it.Reasons) == 0 {
					t.Fatalf("%s is refused without a reason", it.Where)
				}
			} else if reasons := report.Validate(it.Report, endOfTime, report.Limits{}); len(reasons) > 0 {
				t.Fatalf("%s: the report is not valid: %s", it.Where, reasons)
			}
		}
	})
}

// A row of the Survey's CSV export is the same event by the same record.
const row = `time,latitude,longitude,depth,mag,magType,nst,gap,dmin,rms,net,id,updated,place,type,horizontalError,depthError,magError,magNst,status,locationSource,magSource
2023-11-14T22:13:20.123Z,33.25,-90.5,7.4,4.2,mb_lg,20,90,0.1,0.3,nm,nm60001,2023-11-14T22:23:20.456Z,"10km W of Nowhere, MS",earthquake,0.4,1.2,0.05,12,reviewed,nm,nm
`

func TestTheCSVExportNamesTheSameRecord(t *testing.T) {
	m, ok := csv.For([]byte(row))
	if !ok || m.Name != "usgs-earthquakes" {
		t.Fatalf("the header finds %v", m)
	}
	o := options()
	o.Status = wf.Status_STATUS_ACTUAL
	items := csv.Decode([]byte(row), o, m)
	if len(items) != 1 || items[0].Refused() {
		t.Fatalf("%+v", items)
	}
	a, b := items[0].Report, one(t, feature).Report
	if reasons := report.Validate(a, endOfTime, report.Limits{}); len(reasons) > 0 {
		t.Error(reasons)
	}
	if a.Id != b.Id || a.GetHazard().Event != b.GetHazard().Event || !a.EventTime.Start.AsTime().Equal(b.EventTime.Start.AsTime()) ||
		a.Lineage.OriginatorRecord != b.Lineage.OriginatorRecord || a.Lineage.Originator != b.Lineage.Originator {
		t.Errorf("the row says\n%v\nthe feature\n%v", a, b)
	}
}
