package cap_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/watchfloor/watchfloor/producers/cap"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// sample is an alert with something in every part.
const sample = `<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>KJAN-0829-2</identifier>
  <sender>w-nws.webmaster@noaa.gov</sender>
  <sent>2005-08-29T06:10:00-05:00</sent>
  <status>Actual</status>
  <msgType>Update</msgType>
  <scope>Public</scope>
  <note>second</note>
  <references>w-nws.webmaster@noaa.gov,KJAN-0829-1,2005-08-29T05:10:00-05:00</references>
  <incidents>katrina "gulf coast"</incidents>
  <info>
    <language>en-US</language>
    <category>Met</category>
    <event>Hurricane Warning</event>
    <responseType>Evacuate</responseType>
    <urgency>Immediate</urgency>
    <severity>Extreme</severity>
    <certainty>Observed</certainty>
    <eventCode><valueName>SAME</valueName><value>HUW</value></eventCode>
    <effective>2005-08-29T06:10:00-05:00</effective>
    <onset>2005-08-29T07:00:00-05:00</onset>
    <expires>2005-08-30T06:00:00-05:00</expires>
    <headline>Hurricane Warning</headline>
    <description>Winds.</description>
    <instruction>Leave.</instruction>
    <parameter><valueName>VTEC</valueName><value>/O.CON.KJAN.HU.W.0012.050828T2100Z-050830T1200Z/</value></parameter>
    <area>
      <areaDesc>Harrison and Hancock</areaDesc>
      <polygon>30.25,-89.6 30.25,-88.9 30.7,-88.9 30.7,-89.6 30.25,-89.6</polygon>
      <geocode><valueName>SAME</valueName><value>028047</value></geocode>
      <geocode><valueName>UGC</valueName><value>MSZ080</value></geocode>
    </area>
  </info>
</alert>`

// with replaces one thing of the sample; it must be there.
func with(t *testing.T, old, new string) string {
	t.Helper()
	if !strings.Contains(sample, old) {
		t.Fatalf("the sample does not hold %q", old)
	}
	return strings.ReplaceAll(sample, old, new)
}

func one(t *testing.T, data string) (*wf.Report, admission.Reasons) {
	t.Helper()
	items := cap.Decode([]byte(data), options())
	if len(items) != 1 {
		t.Fatalf("got %d items, want one", len(items))
	}
	return items[0].Report, items[0].Reasons
}

func TestSample(t *testing.T) {
	r, reasons := one(t, sample)
	if r == nil {
		t.Fatal(reasons)
	}
	at := time.Date(2005, 8, 29, 11, 10, 0, 0, time.UTC)
	if r.Record != "w-nws.webmaster@noaa.gov,KJAN-0829-2" || r.Id != report.RecordID("ipaws", r.Record) || r.Revision != uint64(at.UnixMilli()) {
		t.Errorf("identity: %s %s %d", r.Id, r.Record, r.Revision)
	}
	wantRefs := []*wf.Reference{
		{Type: wf.ReferenceType_REFERENCE_TYPE_SUPERSEDES, Record: "w-nws.webmaster@noaa.gov,KJAN-0829-1", Agency: "ipaws", Relationship: "update 2005-08-29T10:10:00+00:00"},
		{Type: wf.ReferenceType_REFERENCE_TYPE_INCIDENT, Record: "katrina", Agency: "ipaws"},
		{Type: wf.ReferenceType_REFERENCE_TYPE_INCIDENT, Record: "gulf coast", Agency: "ipaws"},
	}
	if diff := cmp.Diff(wantRefs, r.References, protocmp.Transform()); diff != "" {
		t.Errorf("references (-want +got):\n%s", diff)
	}
	h := r.GetHazard()
	if r.Severity != wf.Severity_SEVERITY_EXTREME || h.Urgency != wf.Urgency_URGENCY_IMMEDIATE || h.Certainty != wf.Certainty_CERTAINTY_OBSERVED ||
		h.EventCode != "HUW" || len(h.Zones) != 1 || h.Zones[0] != "MSZ080" || r.Title != "Hurricane Warning" || r.Narrative != "Winds.\n\nLeave." {
		t.Errorf("hazard: %v %v", r, h)
	}
	if len(r.Places) != 2 || r.Places[0].Polygon == nil || r.Places[1].CountyFips != "28047" || r.Places[1].State != "MS" {
		t.Errorf("places: %v", r.Places)
	}
	if got := r.Entities[0].Identifiers[0].Value; got != "KJAN.HU.W.0012.2005" {
		t.Errorf("event key %s", got)
	}
	if got := r.EventTime.Start.AsTime(); !got.Equal(at.Add(50 * time.Minute)) {
		t.Errorf("the event starts %s, want the onset", got)
	}
	if r.Lineage.GetOriginator() != "w-nws.webmaster@noaa.gov" {
		t.Errorf("originator %v", r.Lineage)
	}
}

// Each rule of CAP that is broken is refused with its code at its place.
func TestRules(t *testing.T) {
	polygon := "30.25,-89.6 30.25,-88.9 30.7,-88.9 30.7,-89.6 30.25,-89.6"
	tests := []struct {
		rule, old, new string
		code           admission.Code
		field          string
	}{
		{"identifier is required", "<identifier>KJAN-0829-2</identifier>", "", admission.Missing, "alert.identifier"},
		{"identifier has no comma", "KJAN-0829-2", "a,b", admission.Invalid, "alert.identifier"},
		{"sender has no space", "<sender>w-nws", "<sender>w nws", admission.Invalid, "alert.sender"},
		{"sent has a zone", "<sent>2005-08-29T06:10:00-05:00", "<sent>2005-08-29T06:10:00", admission.BadTime, "alert.sent"},
		{"the sign is no comma", "<sent>2005-08-29T06:10:00-05:00", "<sent>2005-08-29T06:10:00,05:00", admission.BadTime, "alert.sent"},
		{"status is a word", "<status>Actual", "<status>Real", admission.UnknownStatus, "alert.status"},
		{"a draft is no message", "<status>Actual", "<status>Draft", admission.Invalid, "alert.status"},
		{"status stands once", "<status>Actual</status>", "<status>Actual</status><status>Test</status>", admission.Invalid, "alert.status"},
		{"msgType is a word", "<msgType>Update", "<msgType>Change", admission.Invalid, "alert.msgType"},
		{"scope is required", "<scope>Public</scope>", "", admission.Missing, "alert.scope"},
		{"scope is a word", "<scope>Public", "<scope>Secret", admission.Invalid, "alert.scope"},
		{"restricted says for whom", "<scope>Public", "<scope>Restricted", admission.Missing, "alert.restriction"},
		{"private says to whom", "<scope>Public", "<scope>Private", admission.Missing, "alert.addresses"},
		{"a scope that is not mapped", "<scope>Public</scope>", "<scope>Private</scope><addresses>a@b</addresses>", admission.UnknownMarking, "alert.scope"},
		{"an update names what it updates", "<references>w-nws.webmaster@noaa.gov,KJAN-0829-1,2005-08-29T05:10:00-05:00</references>", "", admission.Missing, "alert.references"},
		{"a reference has three parts", ",KJAN-0829-1,2005-08-29T05:10:00-05:00", ",KJAN-0829-1", admission.Invalid, "alert.references[0]"},
		{"a reference has a time", ",KJAN-0829-1,2005-08-29T05:10:00-05:00", ",KJAN-0829-1,yesterday", admission.BadTime, "alert.references[0].sent"},
		{"category is required", "<category>Met</category>", "", admission.Missing, "alert.info[0].category"},
		{"category is a word", "<category>Met", "<category>Weather", admission.Invalid, "alert.info[0].category[0]"},
		{"event is required", "<event>Hurricane Warning</event>", "", admission.Missing, "alert.info[0].event"},
		{"response is a word", "<responseType>Evacuate", "<responseType>Run", admission.Invalid, "alert.info[0].responseType[0]"},
		{"urgency is required", "<urgency>Immediate</urgency>", "", admission.Missing, "alert.info[0].urgency"},
		{"urgency is a word", "<urgency>Immediate", "<urgency>Foobar", admission.Invalid, "alert.info[0].urgency"},
		{"severity is required", "<severity>Extreme</severity>", "<severity/>", admission.Missing, "alert.info[0].severity"},
		{"certainty is a word", "<certainty>Observed", "<certainty>Very Likely", admission.Invalid, "alert.info[0].certainty"},
		{"expires is a time", "<expires>2005-08-30T06:00:00-05:00", "<expires>tomorrow", admission.BadTime, "alert.info[0].expires"},
		{"a value has a name", "<valueName>VTEC</valueName>", "", admission.Missing, "alert.info[0].parameter[0].valueName"},
		{"an area has a description", "<areaDesc>Harrison and Hancock</areaDesc>", "", admission.Missing, "alert.info[0].area[0].areaDesc"},
		{"polygon is closed", polygon, "38.47,-120.14 38.34,-119.95 38.52,-119.74 38.62,-119.89", admission.BadGeometry, "alert.info[0].area[0].polygon[0]"},
		{"polygon has four points", polygon, "38.47,-120.14 38.62,-119.89 38.47,-120.14", admission.BadGeometry, "alert.info[0].area[0].polygon[0]"},
		{"polygon point is a pair", polygon, "38.47,-120.14 38.52 38.62,-119.89 38.47,-120.14", admission.BadGeometry, "alert.info[0].area[0].polygon[0].point[1]"},
		{"polygon point has two numbers", polygon, "38.47,-120.14 38.52,x 38.62,-119.89 38.47,-120.14", admission.BadGeometry, "alert.info[0].area[0].polygon[0].point[1]"},
		{"no infinity", polygon, "38.47,Inf 38.52,1 38.62,-119.89 38.47,Inf", admission.BadGeometry, "alert.info[0].area[0].polygon[0].point[0]"},
		{"polygon is on the map", polygon, "38,-181 38,-119 39,-119 38,-181", admission.BadGeometry, "alert.info[0].area[0].polygon[0].point[0]"},
		{"latitude comes first", polygon, "-89.6,30.25 -88.9,30.25 -88.9,30.7 -89.6,30.25", admission.BadGeometry, "alert.info[0].area[0].polygon[0]"},
		{"latitude comes first, off the map", polygon, "-120.1,38.4 -119.9,38.3 -119.7,38.5 -120.1,38.4", admission.BadGeometry, "alert.info[0].area[0].polygon[0].point[0]"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			r, reasons := one(t, with(t, tt.old, tt.new))
			if r != nil {
				t.Fatalf("it is admitted: %v", r)
			}
			for _, x := range reasons {
				if x.Code == string(tt.code) && x.Field == tt.field {
					if x.Message == "" || x.Remedy == "" {
						t.Errorf("the reason does not say what is wrong and what to do: %v", x)
					}
					return
				}
			}
			t.Errorf("got %v, want %s at %s", reasons, tt.code, tt.field)
		})
	}
}

func TestCircles(t *testing.T) {
	polygon := "<polygon>30.25,-89.6 30.25,-88.9 30.7,-88.9 30.7,-89.6 30.25,-89.6</polygon>"
	for _, bad := range []string{"-115.5527 1", "1", "32.9525,-115.5527", "32.9,-115.5 -1", "32.9,-115.5 1e3", "32.9,-115.5 30000", "-89.6,30.2 1"} {
		if r, _ := one(t, with(t, polygon, "<circle>"+bad+"</circle>")); r != nil {
			t.Errorf("circle %q is admitted", bad)
		}
	}
	r, reasons := one(t, with(t, polygon, "<circle>32.9525,-115.5527 0</circle><circle>30.5,-89 12.5</circle>"))
	if r == nil {
		t.Fatal(reasons)
	}
	if p := r.Places[0]; p.Point.Latitude != 32.9525 || p.RadiusM != 0 {
		t.Errorf("a radius of 0 is a point, got %v", p)
	}
	if got := r.Places[1].RadiusM; got != 12500 {
		t.Errorf("the radius is in kilometres: got %v m, want 12500", got)
	}
}

// Times that name one instant are read, whatever the zone looks like; the
// revision is the instant.
func TestTimesOfTheField(t *testing.T) {
	want := uint64(time.Date(2005, 8, 29, 11, 10, 0, 0, time.UTC).UnixMilli())
	for text, add := range map[string]uint64{"2005-08-29T11:10:00Z": 0, "2005-08-29T11:10:00-00:00": 0, "2005-08-29T06:10:00.250-05:00": 250, "2005-08-29T06:10:00-0500": 0} {
		r, reasons := one(t, with(t, "<sent>2005-08-29T06:10:00-05:00", "<sent>"+text))
		if r == nil || r.Revision != want+add {
			t.Errorf("%s: got %v %v, want revision %d", text, r, reasons, want+add)
		}
	}
}

// Only the sender itself supersedes or cancels; an Ack is no second source.
func TestReferencesBySender(t *testing.T) {
	ref := "<references>w-nws.webmaster@noaa.gov,KJAN"
	tests := []struct {
		msgType, sender string
		want            wf.ReferenceType
		agency          string
	}{
		{"Update", "w-nws.webmaster@noaa.gov", wf.ReferenceType_REFERENCE_TYPE_SUPERSEDES, "ipaws"},
		{"Cancel", "w-nws.webmaster@noaa.gov", wf.ReferenceType_REFERENCE_TYPE_CANCELS, "ipaws"},
		{"Update", "other@example.com", wf.ReferenceType_REFERENCE_TYPE_RELATED, ""},
		{"Cancel", "other@example.com", wf.ReferenceType_REFERENCE_TYPE_RELATED, ""},
		{"Alert", "w-nws.webmaster@noaa.gov", wf.ReferenceType_REFERENCE_TYPE_RELATED, "ipaws"},
		{"Ack", "w-nws.webmaster@noaa.gov", wf.ReferenceType_REFERENCE_TYPE_CONTEXT, ""},
		{"Error", "other@example.com", wf.ReferenceType_REFERENCE_TYPE_CONTEXT, ""},
	}
	for _, tt := range tests {
		data := strings.Replace(with(t, "<msgType>Update", "<msgType>"+tt.msgType), ref, "<references>"+tt.sender+",KJAN", 1)
		r, reasons := one(t, data)
		if r == nil {
			t.Fatal(reasons)
		}
		if got := r.References[0]; got.Type != tt.want || got.Agency != tt.agency {
			t.Errorf("%s by another=%v: got %v", tt.msgType, tt.sender, got)
		}
	}
}

// A Cancel needs no info, and exercise, test and actual traffic stay apart.
func TestStatusAndCancel(t *testing.T) {
	start, end := strings.Index(sample, "<info>"), strings.Index(sample, "</info>")+len("</info>")
	bare := strings.Replace(sample[:start]+sample[end:], "<msgType>Update", "<msgType>Cancel", 1)
	for word, want := range map[string]wf.Status{"Actual": wf.Status_STATUS_ACTUAL, "Exercise": wf.Status_STATUS_EXERCISE,
		"Test": wf.Status_STATUS_TEST, "System": wf.Status_STATUS_TEST} {
		r, reasons := one(t, strings.Replace(bare, "<status>Actual", "<status>"+word, 1))
		if r == nil || r.Status != want || r.GetHazard().MessageType != wf.MessageType_MESSAGE_TYPE_CANCEL || r.Narrative != "second" {
			t.Errorf("%s: got %v %v", word, r, reasons)
		}
	}
}

// Several languages of one event are one report with every text and each place once.
func TestTranslationsFold(t *testing.T) {
	start, end := strings.Index(sample, "<info>"), strings.Index(sample, "</info>")+len("</info>")
	spanish := strings.NewReplacer("en-US", "es-US", "Hurricane Warning", "Aviso de huracán", "Winds.", "Vientos.", "Harrison and Hancock", "Harrison y Hancock").Replace(sample[start:end])
	r, reasons := one(t, sample[:end]+spanish+sample[end:])
	if r == nil {
		t.Fatal(reasons)
	}
	if h := r.GetHazard(); len(h.Infos) != 2 || h.Infos[1].Headline != "Aviso de huracán" || len(r.Places) != 2 || len(r.Entities) != 1 || r.Language != "en-US" {
		t.Errorf("got %d infos, %d places, %d entities: %v", len(h.Infos), len(r.Places), len(r.Entities), r)
	}
}

func TestGeocodes(t *testing.T) {
	code := "<geocode><valueName>UGC</valueName><value>MSZ080</value></geocode>"
	tests := []struct {
		name, value             string
		counties, states, zones int
		notes                   int
	}{
		{"SAME", "128049", 2, 0, 0, 0}, {"SAME", "028000", 1, 0, 0, 0}, {"SAME", "022000", 1, 1, 0, 0}, {"SAME", "000000", 1, 0, 0, 0},
		{"SAME", "099001", 1, 0, 0, 1}, {"SAME", "28049", 1, 0, 0, 1}, {"FIPS6", "009007 044009", 3, 0, 0, 0},
		{"UGC", "MSC049", 2, 0, 0, 0}, {"UGC", "MSZ018-019-025>027", 1, 0, 5, 0}, {"UGC", "AKZ185-187-021236-", 1, 1, 2, 0},
		{"UGC", "GMZ530", 1, 0, 1, 0}, {"UGC", "rubbish", 1, 0, 0, 1}, {"profile:CAP-CP:Location:0.3", "3537001", 1, 0, 0, 0},
	}
	for _, tt := range tests {
		items := cap.Decode([]byte(with(t, code, "<geocode><valueName>"+tt.name+"</valueName><value>"+tt.value+"</value></geocode>")), options())
		if items[0].Refused() {
			t.Errorf("%s %s: %v", tt.name, tt.value, items[0].Reasons)
			continue
		}
		counties, states := 0, 0
		for _, p := range items[0].Report.Places {
			if p.CountyFips != "" {
				counties++
			} else if p.State != "" {
				states++
			}
		}
		if zones := len(items[0].Report.GetHazard().Zones); counties != tt.counties || states != tt.states || zones != tt.zones || len(items[0].Notes) != tt.notes {
			t.Errorf("%s %s: %d counties, %d states, %d zones, notes %v", tt.name, tt.value, counties, states, zones, items[0].Notes)
		}
	}
}
