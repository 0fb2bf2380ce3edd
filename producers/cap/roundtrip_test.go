package cap_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/producers/cap"
)

// anyAlert draws an alert that keeps the rules.
func anyAlert(t *rapid.T) *cap.Alert {
	pick := func(name string, words ...string) string { return rapid.SampledFrom(words).Draw(t, name) }
	text := func(name string) string {
		return strings.Join(strings.Fields(rapid.StringMatching(`[A-Za-z0-9<>&'"éñ. ]{0,30}`).Draw(t, name)), " ")
	}
	at := func(name string) string {
		return fmt.Sprintf("2024-%02d-%02dT%02d:30:00%s", rapid.IntRange(1, 12).Draw(t, name+" month"), rapid.IntRange(1, 28).Draw(t, name+" day"),
			rapid.IntRange(0, 23).Draw(t, name+" hour"), pick(name+" zone", "-05:00", "+00:00", "+09:30"))
	}
	a := &cap.Alert{Version: "1.2", Format: "cap-1.2", Identifier: rapid.StringMatching(`[A-Za-z0-9.:-]{1,20}`).Draw(t, "identifier"), Sender: "nws@example.com",
		Sent: at("sent"), Status: pick("status", "Actual", "Exercise", "Test"), MsgType: pick("msgType", "Alert", "Update", "Cancel", "Ack"), Scope: "Public"}
	for range rapid.IntRange(1, 3).Draw(t, "references") {
		a.References += " " + pick("referenced sender", "nws@example.com", "other@example.com") + ",ref-" + rapid.StringMatching(`[a-z]{1,5}`).Draw(t, "reference") + "," + at("referenced")
	}
	in := cap.Info{Language: pick("language", "", "en-US", "es-US"), Event: "Storm " + text("event"), Urgency: pick("urgency", "Immediate", "Past"),
		Severity: pick("severity", "Extreme", "Unknown"), Certainty: pick("certainty", "Likely", "Observed"), Categories: []string{pick("category", "Met", "Geo")},
		Headline: text("headline"), Description: text("description"), Instruction: text("instruction")}
	if rapid.Bool().Draw(t, "onset") {
		in.Onset = at("onset")
	}
	if rapid.Bool().Draw(t, "expires") {
		in.Expires = at("expires")
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "areas") {
		in.Areas = append(in.Areas, anyArea(t, i))
	}
	a.Infos = []cap.Info{in}
	return a
}

func anyArea(t *rapid.T, i int) cap.Area {
	a := cap.Area{Description: fmt.Sprintf("area %d", i)}
	lat, lon := rapid.Float64Range(-55, 80).Draw(t, "latitude"), rapid.Float64Range(-170, 170).Draw(t, "longitude")
	if rapid.Bool().Draw(t, "polygon") {
		a.Polygons = []string{fmt.Sprintf("%.4f,%.4f %.4f,%.4f %.4f,%.4f %.4f,%.4f", lat, lon, lat+1, lon, lat, lon+1, lat, lon)}
	}
	if rapid.Bool().Draw(t, "circle") {
		a.Circles = []string{fmt.Sprintf("%.4f,%.4f %.3f", lat, lon, rapid.Float64Range(0, 500).Draw(t, "radius"))}
	}
	for _, code := range rapid.SliceOfN(rapid.SampledFrom([]string{"028049", "028047", "022000", "MSZ018", "GMZ530", "LAC071", "ALZ024"}), 0, 3).Draw(t, "codes") {
		name := "UGC"
		if code[0] == '0' {
			name = "SAME"
		}
		a.Geocodes = append(a.Geocodes, cap.Value{Name: name, Value: code})
	}
	return a
}

// Whatever report an alert makes, written as CAP and read again it is the same report.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		it := anyAlert(t).Convert(options())
		if it.Refused() {
			t.Fatalf("refused: %s", it.Reasons)
		}
		data, err := cap.Encode(it.Report)
		if err != nil {
			t.Fatal(err)
		}
		back := cap.Decode(data, options())
		if len(back) != 1 || back[0].Refused() {
			t.Fatalf("refused: %v\n%s", back, data)
		}
		if diff := cmp.Diff(it.Report, back[0].Report, protocmp.Transform()); diff != "" {
			t.Fatalf("round trip differs (-want +got):\n%s\n%s", diff, data)
		}
	})
}
