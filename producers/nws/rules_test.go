package nws_test

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/cap"
	"github.com/watchfloor/watchfloor/producers/nws"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// feature is one alert as api.weather.gov serves it.
const feature = `{"id":"https://api.weather.gov/alerts/urn:oid:2.49.0.1.840.0.b.001.1","type":"Feature",
"geometry":{"type":"Polygon","coordinates":[[[-89.6,30.25],[-88.9,30.25],[-88.9,30.7],[-89.6,30.7],[-89.6,30.25]]]},
"properties":{"id":"urn:oid:2.49.0.1.840.0.b.001.1","areaDesc":"Harrison, MS","geocode":{"SAME":["028047"],"UGC":["MSC047"]},
"affectedZones":["https://api.weather.gov/zones/county/MSC047"],
"references":[{"@id":"https://api.weather.gov/alerts/urn:oid:2.49.0.1.840.0.a.001.1","identifier":"urn:oid:2.49.0.1.840.0.a.001.1","sender":"w-nws.webmaster@noaa.gov","sent":"2024-05-01T09:00:00-05:00"}],
"sent":"2024-05-01T10:00:00-05:00","effective":"2024-05-01T10:00:00-05:00","onset":"2024-05-01T10:00:00-05:00","expires":"2024-05-01T11:00:00-05:00","ends":"2024-05-01T12:00:00-05:00",
"status":"Actual","messageType":"Update","category":"Met","severity":"Extreme","certainty":"Observed","urgency":"Immediate","event":"Tornado Warning",
"sender":"w-nws.webmaster@noaa.gov","headline":"Tornado Warning","description":"A tornado.","instruction":"Take cover.","response":"Shelter",
"eventCode":{"SAME":["TOR"]},"parameters":{"VTEC":["/O.CON.KLIX.TO.W.0012.000000T0000Z-240501T1700Z/"]}}}`

// sameAlert is the alert of feature as the weather service's CAP feed has it.
const sameAlert = `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>urn:oid:2.49.0.1.840.0.b.001.1</identifier>
<sender>w-nws.webmaster@noaa.gov</sender><sent>2024-05-01T10:00:00-05:00</sent><status>Actual</status><msgType>Update</msgType><scope>Public</scope>
<references>w-nws.webmaster@noaa.gov,urn:oid:2.49.0.1.840.0.a.001.1,2024-05-01T09:00:00-05:00</references>
<info><category>Met</category><event>Tornado Warning</event><responseType>Shelter</responseType><urgency>Immediate</urgency><severity>Extreme</severity>
<certainty>Observed</certainty><eventCode><valueName>SAME</valueName><value>TOR</value></eventCode><effective>2024-05-01T10:00:00-05:00</effective>
<onset>2024-05-01T10:00:00-05:00</onset><expires>2024-05-01T11:00:00-05:00</expires><headline>Tornado Warning</headline><description>A tornado.</description>
<instruction>Take cover.</instruction>
<parameter><valueName>VTEC</valueName><value>/O.CON.KLIX.TO.W.0012.000000T0000Z-240501T1700Z/</value></parameter>
<parameter><valueName>eventEndingTime</valueName><value>2024-05-01T17:00:00+00:00</value></parameter>
<area><areaDesc>Harrison, MS</areaDesc><polygon>30.25,-89.6 30.25,-88.9 30.7,-88.9 30.7,-89.6 30.25,-89.6</polygon>
<geocode><valueName>SAME</valueName><value>028047</value></geocode><geocode><valueName>UGC</valueName><value>MSC047</value></geocode></area></info></alert>`

// One alert is one report, whichever way it arrives.
func TestSameReportAsByCAP(t *testing.T) {
	a, b := nws.Decode([]byte(feature), options()), cap.Decode([]byte(sameAlert), options())
	if a[0].Refused() || b[0].Refused() {
		t.Fatal(a[0].Reasons, b[0].Reasons)
	}
	if a[0].Where != "feature" || a[0].Report.SourceFormat != nws.Format {
		t.Errorf("got %s, %s", a[0].Where, a[0].Report.SourceFormat)
	}
	a[0].Report.SourceFormat = b[0].Report.SourceFormat
	if !proto.Equal(a[0].Report, b[0].Report) {
		t.Errorf("the reports differ:\n%v\n%v", a[0].Report, b[0].Report)
	}
}

func with(t *testing.T, old, new string) string {
	t.Helper()
	if !strings.Contains(feature, old) {
		t.Fatalf("the feature does not hold %q", old)
	}
	return strings.Replace(feature, old, new, 1)
}

func TestRules(t *testing.T) {
	geometry := feature[strings.Index(feature, `"geometry":`)+len(`"geometry":`) : strings.Index(feature, ",\n\"properties\"")]
	tests := []struct {
		rule, old, new string
		code           admission.Code
		field          string
	}{
		{"severity is a word", `"severity":"Extreme"`, `"severity":"Bad"`, admission.Invalid, "properties.severity"},
		{"urgency is required", `"urgency":"Immediate",`, ``, admission.Missing, "properties.urgency"},
		{"messageType is a word", `"Update"`, `"Correction"`, admission.Invalid, "properties.messageType"},
		{"sent has a zone", `"sent":"2024-05-01T10:00:00-05:00"`, `"sent":"2024-05-01T10:00:00"`, admission.BadTime, "properties.sent"},
		{"a word of a template is no time", `"ends":"2024-05-01T12:00:00-05:00"`, `"ends":"date:now +1 hour"`, admission.BadTime, "properties.ends"},
		{"sender is required", `"sender":"w-nws.webmaster@noaa.gov","headline"`, `"headline"`, admission.Missing, "properties.sender"},
		{"a reference names a message", `"identifier":"urn:oid:2.49.0.1.840.0.a.001.1",`, ``, admission.Invalid, "properties.references[0]"},
		{"references are a list", `"references":[`, `"references":1,"x":[`, admission.Malformed, "properties.references"},
		{"the ring is closed", `[-89.6,30.25]]]`, `[-89.6,30.3]]]`, admission.BadGeometry, "geometry[0]"},
		{"longitude comes first", geometry, `{"type":"Polygon","coordinates":[[[30.25,-89.6],[30.25,-88.9],[30.7,-88.9],[30.25,-89.6]]]}`, admission.BadGeometry, "geometry[0]"},
		{"positions are numbers", geometry, `{"type":"Polygon","coordinates":[[["a",1],[1,2],[3,4],["a",1]]]}`, admission.BadGeometry, "geometry[0].point[0]"},
		{"positions have two numbers", geometry, `{"type":"Polygon","coordinates":[[[1]]]}`, admission.BadGeometry, "geometry.coordinates[0]"},
		{"a geometry is known", geometry, `{"type":"LineString","coordinates":[[1,2],[3,4]]}`, admission.BadGeometry, "geometry"},
		{"a polygon has a ring", geometry, `{"type":"Polygon","coordinates":[]}`, admission.BadGeometry, "geometry.coordinates"},
		{"parameters are lists", `"parameters":{`, `"parameters":[1],"y":{`, admission.Malformed, "properties.parameters"},
		{"a scope is mapped", `"status":"Actual"`, `"scope":"Restricted","status":"Actual"`, admission.Missing, "properties.restriction"},
		{"there are properties", `"properties":`, `"other":`, admission.Malformed, "properties"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			it := nws.Decode([]byte(with(t, tt.old, tt.new)), options())[0]
			if !it.Refused() {
				t.Fatalf("it is admitted: %v", it.Report)
			}
			for _, r := range it.Reasons {
				if r.Code == string(tt.code) && r.Field == tt.field {
					return
				}
			}
			t.Errorf("got %v, want %s at %s", it.Reasons, tt.code, tt.field)
		})
	}
}

// Without a shape the county and zone codes are the place; expired references
// are superseded like the others; a collection goes on after a bad feature.
func TestZonesExpiredReferencesAndCollections(t *testing.T) {
	geometry := feature[strings.Index(feature, `"geometry":`):strings.Index(feature, ",\n\"properties\"")]
	data := with(t, geometry, `"geometry":null`)
	data = strings.Replace(data, `"parameters":{`, `"parameters":{"expiredReferences":["w-nws.webmaster@noaa.gov,urn:oid:old,2024-05-01T08:00:00-05:00"],`, 1)
	data = strings.Replace(data, "zones/county/MSC047", "zones/forecast/MSZ080", 1)
	items := nws.Decode([]byte(`{"type":"FeatureCollection","features":[null,`+data+`]}`), options())
	if len(items) != 2 || !items[0].Refused() || items[1].Refused() {
		t.Fatalf("got %v", items)
	}
	r := items[1].Report
	if len(r.Places) != 1 || r.Places[0].CountyFips != "28047" || r.GetHazard().Zones[0] != "MSZ080" {
		t.Errorf("places %v, zones %v", r.Places, r.GetHazard().Zones)
	}
	superseded := 0
	for _, ref := range r.References {
		if ref.Type == wf.ReferenceType_REFERENCE_TYPE_SUPERSEDES {
			superseded++
		}
	}
	if superseded != 2 {
		t.Errorf("%d messages are superseded, want 2: %v", superseded, r.References)
	}
}

func TestHostileDocuments(t *testing.T) {
	for name, tt := range map[string]struct {
		data string
		code admission.Code
	}{
		"10,000 deep":      {`{"type":"Feature","properties":` + strings.Repeat(`{"a":`, 10_000), admission.TooDeep},
		"cut off":          {feature[:len(feature)-5], admission.Malformed},
		"invalid UTF-8":    {"{\"type\":\"Feature\xff\"}", admission.InvalidUTF8},
		"a name twice":     {`{"type":"Feature","type":"Feature"}`, admission.Malformed},
		"another type":     {`{"type":"Topology"}`, admission.Malformed},
		"a list":           {`[]`, admission.Malformed},
		"no list":          {`{"type":"FeatureCollection","features":{}}`, admission.Malformed},
		"nested geometry":  {with(t, `{"type":"Polygon"`, `{"type":"GeometryCollection","geometries":[{"type":"GeometryCollection","geometries":[]}],"x":"Polygon"`), admission.BadGeometry},
		"a million points": {with(t, `[[[-89.6,30.25]`, `[[[-89.6,30.25]`+strings.Repeat(",[-89.1,30.1]", 200_000)), admission.TooLarge},
	} {
		items := nws.Decode([]byte(tt.data), options())
		if len(items) != 1 || !items[0].Refused() || !items[0].Reasons.Has(tt.code) {
			t.Errorf("%s: got %.300v, want %s", name, items, tt.code)
		}
	}
}
