package cap_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/cap"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/internal/corpus"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// quickly fails a test whose input makes the decoder work too long.
func quickly(t *testing.T, data []byte) []codec.Item {
	t.Helper()
	start := time.Now()
	items := cap.Decode(data, options())
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("it took %s", d)
	}
	return items
}

const bomb = `<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&lol3;</identifier></alert>`

func TestHostileDocuments(t *testing.T) {
	deep := strings.Repeat("<a>", 10_000) + strings.Repeat("</a>", 10_000)
	tests := []struct {
		name string
		data string
		code admission.Code
	}{
		{"entity expansion", bomb, admission.Expansion},
		{"external DTD", `<!DOCTYPE alert SYSTEM "http://example.com/x.dtd"><alert/>`, admission.Expansion},
		{"external entity", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><alert>&x;</alert>`, admission.Expansion},
		{"a plain document type", `<!DOCTYPE alert><alert/>`, admission.Expansion},
		{"undeclared entity", `<alert><identifier>&nbsp;</identifier></alert>`, admission.Malformed},
		{"10,000 elements deep", deep, admission.TooDeep},
		{"10,000 deep inside an alert", with(t, "<note>second</note>", deep), admission.TooDeep},
		{"nothing", "", admission.Malformed},
		{"spaces", " \n ", admission.Malformed},
		{"not XML", "PK\x03\x04", admission.Malformed},
		{"JSON", `{"type":"alert"}`, admission.Malformed},
		{"cut off", sample[:len(sample)-20], admission.Malformed},
		{"two roots", sample + "<alert/>", admission.Malformed},
		{"invalid UTF-8", with(t, "Winds.", "W\xff\xfends."), admission.InvalidUTF8},
		{"unknown encoding", with(t, `encoding="UTF-8"`, `encoding="EBCDIC"`), admission.Malformed},
		{"another format", `<foo/>`, admission.Malformed},
		{"an unknown version", `<feed xmlns="http://www.w3.org/2005/Atom"><alert xmlns="urn:oasis:names:tc:emergency:cap:9.9"/></feed>`, admission.Malformed},
		{"too large", "<feed>" + strings.Repeat(" ", codec.MaxInput) + "</feed>", admission.TooLarge},
		{"too many elements", "<feed>" + strings.Repeat("<a/>", 1<<20) + "</feed>", admission.TooLarge},
	}
	for _, tt := range tests {
		items := quickly(t, []byte(tt.data))
		if len(items) != 1 || !items[0].Refused() || !items[0].Reasons.Has(tt.code) {
			t.Errorf("%s: got %.300v, want refused as %s", tt.name, items, tt.code)
		}
	}
}

func TestPolygonOfTwentyThousandPoints(t *testing.T) {
	ring := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%.6f,%.6f ", 30+float64(i)/float64(n), -90+float64(i%2)/1000)
		}
		return b.String() + "30.000000,-90.000000"
	}
	polygon := "30.25,-89.6 30.25,-88.9 30.7,-88.9 30.7,-89.6 30.25,-89.6"
	items := quickly(t, []byte(with(t, polygon, ring(19_999))))
	if items[0].Refused() {
		t.Fatalf("20,000 points: %v", items[0].Reasons)
	}
	if n := len(items[0].Report.Places[0].Polygon.Points); n != 20_000 {
		t.Errorf("got %d points, want 20000", n)
	}
	for _, n := range []int{26_000, 1_000_000} {
		items := quickly(t, []byte(with(t, polygon, ring(n))))
		if !items[0].Refused() || !items[0].Reasons.Has(admission.TooLarge) {
			t.Errorf("%d points: got %v, want refused as %s", n, items[0].Reasons, admission.TooLarge)
		}
	}
}

func TestPolygonAcrossTheAntimeridian(t *testing.T) {
	items := cap.Decode([]byte(with(t, "30.25,-89.6 30.25,-88.9 30.7,-88.9 30.7,-89.6 30.25,-89.6",
		"51.5,179.5 51.5,-179.5 52.5,-179.5 52.5,179.5 51.5,179.5")), options())
	if items[0].Refused() {
		t.Fatal(items[0].Reasons)
	}
	if p := items[0].Report.Places[0].Polygon.Points; p[0].Longitude != 179.5 || p[1].Longitude != -179.5 {
		t.Errorf("longitudes changed: %v", p)
	}
}

// A message of 600 KB with an embedded file is admitted without the file, and
// says so.
func TestEmbeddedResourceIsLeftOut(t *testing.T) {
	secret := strings.Repeat("QUJDRA", 100_000)
	resource := "<resource><resourceDesc>audio</resourceDesc><mimeType>audio/mpeg</mimeType><derefUri>" + secret + "</derefUri></resource><area>"
	items := quickly(t, []byte(with(t, "<area>", resource)))
	if items[0].Refused() {
		t.Fatal(items[0].Reasons)
	}
	data, err := proto.Marshal(items[0].Report)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) > 4096 || bytes.Contains(data, []byte("QUJD")) {
		t.Errorf("the report has %d bytes: the file is in it", len(data))
	}
	if len(items[0].Notes) != 1 || !strings.Contains(items[0].Notes[0], "1 embedded resources of 600000 bytes") {
		t.Errorf("notes: %v", items[0].Notes)
	}
}

func TestReportOverTheLimitIsRefused(t *testing.T) {
	items := quickly(t, []byte(with(t, "Winds.", strings.Repeat("wind ", 300_000))))
	if !items[0].Refused() || !items[0].Reasons.Has(admission.TooLarge) {
		t.Errorf("got %v, want %s", items[0].Reasons, admission.TooLarge)
	}
}

// Signed and unsigned, in any encoding, with a byte order mark or without a
// namespace: the same alert is the same report.
func TestClothingDoesNotMatter(t *testing.T) {
	plain := with(t, "Winds.", "Vientos de huracán.")
	want, _ := one(t, plain)
	latin, err := charmap.ISO8859_1.NewEncoder().String(strings.Replace(plain, "UTF-8", "ISO-8859-1", 1))
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(strings.Replace(plain, "UTF-8", "UTF-16", 1))
	if err != nil {
		t.Fatal(err)
	}
	signature := `<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo><x/></SignedInfo><Object><alert xmlns=""><identifier>x</identifier></alert></Object></Signature></alert>`
	for name, data := range map[string]string{
		"byte order mark": "\xef\xbb\xbf" + plain, "ISO-8859-1": latin, "UTF-16": wide,
		"no namespace": strings.Replace(plain, ` xmlns="urn:oasis:names:tc:emergency:cap:1.2"`, "", 1),
		"signed":       strings.Replace(plain, "</alert>", signature, 1),
		"Atom":         `<feed xmlns="http://www.w3.org/2005/Atom"><entry><content type="text/xml">` + plain[strings.Index(plain, "<alert"):] + `</content></entry></feed>`,
		"RSS":          `<rss><channel><item>` + plain[strings.Index(plain, "<alert"):] + `</item></channel></rss>`,
		"EDXL-DE":      edxl("Actual", "UNCLASSIFIED", plain),
	} {
		got, reasons := one(t, data)
		if got == nil {
			t.Errorf("%s: %v", name, reasons)
			continue
		}
		got.Label.Original = want.Label.Original
		if !proto.Equal(want, got) {
			t.Errorf("%s: the report differs:\n%v\n%v", name, want, got)
		}
	}
}

func edxl(status, confidentiality, alert string) string {
	return `<EDXLDistribution xmlns="urn:oasis:names:tc:emergency:EDXL:DE:1.0"><distributionStatus>` + status + `</distributionStatus>` +
		`<combinedConfidentiality>` + confidentiality + `</combinedConfidentiality><contentObject><xmlContent><embeddedXMLContent>` +
		alert[strings.Index(alert, "<alert"):] + `</embeddedXMLContent></xmlContent></contentObject></EDXLDistribution>`
}

// The wrapper may only restrict: an exercise message makes an actual alert an
// exercise, a confidentiality raises the label, an unknown one is refused.
func TestWrapperRestricts(t *testing.T) {
	r, reasons := one(t, edxl("Exercise", "UNCLASSIFIED AND NOT SENSITIVE", sample))
	if r == nil || r.Status != wf.Status_STATUS_EXERCISE || r.Label.Level != wf.Level_LEVEL_UNCLASSIFIED {
		t.Errorf("got %v %v, want an exercise", r, reasons)
	}
	r, reasons = one(t, edxl("Actual", "fouo", sample))
	if r == nil || r.Label.Level != wf.Level_LEVEL_CUI || r.Label.Original != "Public; fouo" {
		t.Errorf("got %v %v, want CUI", r, reasons)
	}
	for confidentiality, code := range map[string]admission.Code{"COSMIC": admission.UnknownMarking, "": admission.Missing} {
		if r, reasons := one(t, edxl("Actual", confidentiality, sample)); r != nil || !reasons.Has(code) {
			t.Errorf("%q: got %v %v, want %s", confidentiality, r, reasons, code)
		}
	}
	empty := strings.Replace(edxl("Actual", "UNCLASSIFIED", sample), sample[strings.Index(sample, "<alert"):], "", 1)
	if r, reasons := one(t, empty); r != nil || !reasons.Has(admission.Malformed) {
		t.Errorf("a content object without an alert: got %v %v", r, reasons)
	}
}

// A feed of links holds no alert: nothing is read, so nothing is refused.
func TestIndexFeedHoldsNoAlert(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(corpus.Dir(t, "cap/INDEX.csv"), "cap", "ibm", "nws_atom_feed_example.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if items := cap.Decode(data, options()); len(items) != 0 {
		t.Errorf("got %d items, want none", len(items))
	}
}

func TestCAP10(t *testing.T) {
	old := strings.NewReplacer("urn:oasis:names:tc:emergency:cap:1.2", "http://www.incident.com/cap/1.0", "<scope>Public</scope>", "",
		"<certainty>Observed", "<certainty>Very Likely", "<category>Met</category>", "",
		"<valueName>SAME</valueName><value>HUW</value>", "SAME=HUW", "<valueName>SAME</valueName><value>028047</value>", "SAME=028047",
		"w-nws.webmaster@noaa.gov,KJAN-0829-1,2005-08-29T05:10:00-05:00", "w-nws.webmaster@noaa.gov/KJAN-0829-1").Replace(sample)
	r, reasons := one(t, old)
	if r == nil {
		t.Fatal(reasons)
	}
	h := r.GetHazard()
	if r.SourceFormat != "cap-1.0" || h.Certainty != wf.Certainty_CERTAINTY_LIKELY || h.EventCode != "HUW" || h.Categories[0] != "Other" ||
		r.Places[1].CountyFips != "28047" || r.References[0].Record != "w-nws.webmaster@noaa.gov,KJAN-0829-1" || r.Label.Level != wf.Level_LEVEL_UNCLASSIFIED {
		t.Errorf("got %v", r)
	}
}

// Without any marking or mapping nothing is admitted.
func TestNoPolicyAdmitsNothing(t *testing.T) {
	for _, it := range cap.Decode([]byte(sample), codec.Options{Agency: "ipaws"}) {
		if !it.Refused() || !it.Reasons.Has(admission.UnknownMarking) {
			t.Errorf("got %v, want %s", it, admission.UnknownMarking)
		}
	}
}
