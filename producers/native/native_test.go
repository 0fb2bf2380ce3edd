package native_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/native"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/vectors"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var options = codec.Options{
	Agency: "jackson-pd", Status: wf.Status_STATUS_TEST, Received: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	Label: &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
}

// samples are the reports of the corpus that any guard admits.
func samples(t testing.TB) []*wf.Report {
	var out []*wf.Report
	for _, v := range vectors.Of(vectors.Report) {
		if v.Verdict == vectors.Admitted {
			out = append(out, v.Report)
		}
	}
	if len(out) < 20 {
		t.Fatalf("got %d samples, want the corpus", len(out))
	}
	return out
}

func only(t testing.TB, items []codec.Item) *wf.Report {
	t.Helper()
	if len(items) != 1 || items[0].Refused() {
		t.Fatalf("got %d items, first %v; want one report", len(items), items)
	}
	return items[0].Report
}

// What is written is read back, in every format.
func TestRoundTrip(t *testing.T) {
	var stream, lines []byte
	all := samples(t)
	for _, r := range all {
		one, err := native.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := native.EncodeJSON(r)
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{"protobuf": one, "json": text, "json with BOM": append([]byte("\xef\xbb\xbf"), text...), "pretty json": bytes.ReplaceAll(text, []byte(`{"id"`), []byte("{\n \"id\""))} {
			if got := only(t, native.Decode(data, codec.Options{})); !proto.Equal(got, r) {
				t.Errorf("%s: got %v, want %v", name, got, r)
			}
		}
		if stream, err = native.AppendDelimited(stream, r); err != nil {
			t.Fatal(err)
		}
		lines = append(append(lines, text...), '\n')
	}
	for name, data := range map[string][]byte{"stream": stream, "json lines": lines} {
		items := native.Decode(data, codec.Options{})
		if len(items) != len(all) {
			t.Fatalf("%s: got %d items, want %d", name, len(items), len(all))
		}
		for i, item := range items {
			if !proto.Equal(item.Report, all[i]) {
				t.Errorf("%s %s: got %v, want %v", name, item.Where, item.Report, all[i])
			}
		}
	}
}

func TestJSONIsTheSameEveryTime(t *testing.T) {
	for _, r := range samples(t) {
		a, _ := native.EncodeJSON(r)
		for range 5 {
			if b, _ := native.EncodeJSON(proto.CloneOf(r)); !bytes.Equal(a, b) {
				t.Fatalf("got %s, then %s", a, b)
			}
		}
	}
}

func TestWhatFollowsFromTheRestIsFilledIn(t *testing.T) {
	got := only(t, native.Decode([]byte(`{"record":"26-1","incident":{"type":"theft"}}`), options))
	want := &wf.Report{
		Id: report.RecordID("jackson-pd", "26-1"), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE, Agency: "jackson-pd", Record: "26-1",
		Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_TEST, Label: options.Label, RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT,
		ReportTime: got.GetReportTime(), Body: &wf.Report_Incident{Incident: &wf.Incident{Type: "theft"}},
	}
	if !proto.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if rs := report.Validate(got, options.Received, report.Limits{}); len(rs) > 0 {
		t.Errorf("want a valid report, got %s", rs)
	}
	given := only(t, native.Decode([]byte(`{"agency":"fbi","id":"x","status":"STATUS_ACTUAL","revision":7,"label":{"level":"LEVEL_SECRET"}}`), options))
	if given.Agency != "fbi" || given.Id != "x" || given.Status != wf.Status_STATUS_ACTUAL || given.Revision != 7 || given.Label.Level != wf.Level_LEVEL_SECRET {
		t.Errorf("what is set must stay, got %v", given)
	}
	if nobody := only(t, native.Decode([]byte(`{"incident":{"type":"theft"}}`), options)); nobody.Id != "" {
		t.Errorf("got id %q for a report without a record, want none", nobody.Id)
	}
}

type refusal struct {
	name, data string
	code       admission.Code
	field      string
	message    string
}

func TestHostileInputIsRefusedWithItsPlace(t *testing.T) {
	for _, c := range []refusal{
		{"empty", " \n", admission.Malformed, "", "empty"},
		{"text", "hello", admission.Malformed, "", "text"},
		{"unknown field", `{"record":"1","incident":{"tpye":"x"}}`, admission.UnknownField, "incident.tpye", "tpye"},
		{"unknown field in a list", `{"places":[{"state":"MS"},{"zip":"1"}]}`, admission.UnknownField, "places[1].zip", "zip"},
		{"unknown at top", "{\n  \"record\": \"1\",\n  \"colour\": 1\n}", admission.UnknownField, "colour", "line 3"},
		{"time without zone", `{"report_time":"2026-01-01T10:00:00"}`, admission.BadTime, "report_time", "zone"},
		{"local time", `{"event_time":{"start":"01/02/2026 10:00"}}`, admission.BadTime, "event_time.start", ""},
		{"unknown level", `{"label":{"level":"LEVEL_COSMIC"}}`, admission.UnknownLevel, "label.level", "COSMIC"},
		{"unknown kind", `{"kind":"KIND_RUMOR"}`, admission.UnknownKind, "kind", ""},
		{"unknown status", `{"status":"REAL"}`, admission.UnknownStatus, "status", ""},
		{"unknown control", `{"label":{"controls":["CONTROL_EYES_ONLY"]}}`, admission.UnknownMarking, "label.controls[0]", ""},
		{"unknown severity", `{"severity":"BAD"}`, admission.Invalid, "severity", ""},
		{"twice", `{"title":"a","title":"b"}`, admission.Malformed, "title", "duplicate"},
		{"two bodies", `{"sar":{},"incident":{}}`, admission.Malformed, "incident", "oneof"},
		{"wrong type", `{"title":7}`, admission.Malformed, "title", ""},
		{"not finished", `{"title":"a"`, admission.Malformed, "", ""},
		{"array", `[{"title":"a"}]`, admission.Malformed, "", "object"},
		{"deep arrays", `{"places":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, admission.TooDeep, "", "deep"},
		{"deep objects", strings.Repeat(`{"label":`, 10_000), admission.TooDeep, "", "deep"},
		{"brackets in text", `{"title":"` + strings.Repeat("[", 10_000) + `","x":1}`, admission.UnknownField, "x", ""},
		{"invalid utf-8", "{\"title\":\"a\xff\"}", admission.InvalidUTF8, "", "UTF-8"},
		{"too large", `{"narrative":"` + strings.Repeat("x", 1<<20) + `"}`, admission.TooLarge, "", "1048576"},
		{"truncated stream", "\x80\x01\x0a\x24", admission.NotProtobuf, "lineage", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			items := native.Decode([]byte(c.data), options)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("took %s", took)
			}
			if len(items) != 1 || !items[0].Refused() {
				t.Fatalf("got %v, want one refused item", items)
			}
			r := items[0].Reasons[0]
			if admission.Code(r.Code) != c.code || r.Field != c.field || !strings.Contains(r.Message+r.Remedy, c.message) {
				t.Errorf("got %s, want %s at %q with %q", items[0].Reasons, c.code, c.field, c.message)
			}
		})
	}
}

// A bad line or record harms no other.
func TestBadRecordsStandAlone(t *testing.T) {
	lines := `{"record":"1","incident":{"type":"a"}}` + "\n\n" + `{"record":` + "\n" + `{"record":"3","nope":1}` + "\r\n" + `{"record":"4","incident":{"type":"b"}}`
	items := native.Decode([]byte(lines), options)
	var got []string
	for _, i := range items {
		state := "ok"
		if i.Refused() {
			state = i.Reasons[0].Code
		}
		got = append(got, i.Where+" "+state)
	}
	if want := "line 1 ok, line 3 malformed, line 4 unknown-field, line 5 ok"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}

	good, bad := samples(t)[0], []byte("\x0a\x7f")
	stream, _ := native.AppendDelimited(nil, good)
	stream = append(append(stream, byte(len(bad))), bad...)
	stream, _ = native.AppendDelimited(stream, good)
	items = native.Decode(stream, options)
	if len(items) != 3 || items[0].Refused() || !items[1].Refused() || items[2].Refused() {
		t.Errorf("got %v, want the second of three refused", items)
	}
	if items = native.DecodeStream(stream[:len(stream)-3], options); len(items) != 3 || !items[2].Refused() {
		t.Errorf("got %v, want the truncated third refused", items)
	}
}

// Any bytes are refused or read, and what is read is written and read again.
func FuzzDecode(f *testing.F) {
	for _, r := range samples(f)[:8] {
		one, _ := native.Encode(r)
		text, _ := native.EncodeJSON(r)
		stream, _ := native.AppendDelimited(nil, r)
		f.Add(one)
		f.Add(text)
		f.Add(stream)
	}
	f.Add([]byte(`{"places":[{"point":{"latitude":"NaN"}}]}`))
	f.Add([]byte("{}\n{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, item := range native.Decode(data, options) {
			if item.Refused() != (len(item.Reasons) > 0) {
				t.Fatalf("%s: report %v with reasons %s", item.Where, item.Report, item.Reasons)
			}
			if item.Refused() {
				continue
			}
			text, err := native.EncodeJSON(item.Report)
			if err != nil {
				t.Fatalf("write what was read: %v", err)
			}
			again := native.Decode(text, options)
			if len(again) != 1 || again[0].Refused() {
				t.Fatalf("read what was written: %v", again[0].Reasons)
			}
		}
	})
}
