package csv_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/csv"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const calls = `
name: calls
file: {delimiter: ";"}
record: {columns: [no]}
kind: incident
ignore: [clerk]
marking: handling
fields:
  - {to: incident.number, column: no, required: true}
  - {to: incident.injuries, column: hurt}
  - {to: incident.unfounded, column: unfounded}
  - {to: severity, column: grade, values: {"1": SEVERITY_MINOR, "2": SEVERITY_SEVERE, "": ""}}
  - {to: event_time.start, column: when, time: "MM/DD/YYYY hh:mm", zone: America/Chicago, required: true}
  - {to: report_time, column: filed, time: rfc3339}
  - {to: narrative, column: text}
  - {to: "entities[0].identifiers", column: phone, identifier: phone, invalid: drop}
  - {to: "entities[0].identifiers", column: plate, identifier: plate, issuer: MS}
  - {to: "entities[*].person.names", column: people, split: "|"}
  - {to: "places[0].point.latitude", column: lat}
  - {to: "places[0].point.longitude", column: lon}
`

const header = "no;clerk;handling;hurt;unfounded;grade;when;filed;text;phone;plate;people;lat;lon\n"

func mapping(t testing.TB, text string) *csv.Mapping {
	t.Helper()
	m, err := csv.ParseMapping([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func words() codec.Options {
	o := options
	o.Markings.Words = map[string]*wf.Label{"FOUO": {Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}, Controls: []wf.Control{wf.Control_CONTROL_LES}}}
	return o
}

func TestARowBecomesAReport(t *testing.T) {
	row := `7;jd;fouo;2;no;2;07/04/2025 21:30;2025-07-05T08:00:00-05:00;"He said ""go""; then
left";(601) 555-0123;hnb 4421;Ann Lee|Doe, Bob;32.3;-90.2` + "\n"
	items := csv.Decode([]byte("\xef\xbb\xbf"+header+row), words(), mapping(t, calls))
	if len(items) != 1 || items[0].Refused() {
		t.Fatalf("got %v", items)
	}
	r := items[0].Report
	if rs := report.Validate(r, now, report.Limits{}); len(rs) > 0 {
		t.Fatalf("got %s", rs)
	}
	// 21:30 in summer is 02:30 UTC the next day.
	if got, want := r.EventTime.Start.AsTime(), time.Date(2025, 7, 5, 2, 30, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("event time: got %s, want %s", got, want)
	}
	if got, want := r.ReportTime.AsTime(), time.Date(2025, 7, 5, 13, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("report time: got %s, want %s", got, want)
	}
	if r.Narrative != "He said \"go\"; then\nleft" || r.Severity != wf.Severity_SEVERITY_SEVERE || r.GetIncident().Injuries != 2 {
		t.Errorf("got %v", r)
	}
	if len(r.Label.Controls) != 1 || r.Label.Original != "FOUO" {
		t.Errorf("label: got %v", r.Label)
	}
	ids := r.Entities[0].Identifiers
	if len(ids) != 2 || ids[0].Value != "+16015550123" || ids[1].Value != "HNB4421" || ids[1].Issuer != "US-MS" {
		t.Errorf("identifiers: got %v", ids)
	}
	if len(r.Entities) != 3 || r.Entities[1].GetPerson().Names[0].Full != "Ann Lee" || r.Entities[2].GetPerson().Names[0].Given != "Bob" {
		t.Errorf("people: got %v", r.Entities)
	}
	if r.Record != "7" || r.Id != report.RecordID("stl-pd", "7") || r.SourceFormat != "csv:calls" || items[0].Where != "line 2" {
		t.Errorf("got %s %s %s %s", r.Record, r.Id, r.SourceFormat, items[0].Where)
	}
}

// row is a valid row with one cell changed.
func row(column, cell string) string {
	cells := map[string]string{"no": "7", "when": "07/04/2025 21:30", column: cell}
	var out []string
	for _, name := range strings.Split(strings.TrimSpace(header), ";") {
		out = append(out, cells[name])
	}
	return strings.Join(out, ";") + "\n"
}

func TestABadRowIsRefusedWithItsLineAndField(t *testing.T) {
	good := row("text", "fine")
	for _, c := range []struct {
		name, row string
		code      admission.Code
		field     string
	}{
		{"time without its format", row("when", "2025-07-04 21:30"), admission.BadTime, "event_time.start"},
		{"no such day", row("when", "02/30/2025 10:00"), admission.BadTime, "event_time.start"},
		{"hour skipped in spring", row("when", "03/09/2025 02:30"), admission.BadTime, "event_time.start"},
		{"time without zone", row("filed", "2025-07-04T21:30:00"), admission.BadTime, "report_time"},
		{"required and empty", row("when", " "), admission.Missing, "event_time.start"},
		{"required and a placeholder", row("no", ""), admission.Missing, "incident.number"},
		{"no number", row("hurt", "two"), admission.Invalid, "incident.injuries"},
		{"number over", row("hurt", "99999999999"), admission.Invalid, "incident.injuries"},
		{"not yes or no", row("unfounded", "perhaps"), admission.Invalid, "incident.unfounded"},
		{"value unknown to the mapping", row("grade", "3"), admission.Invalid, "severity"},
		{"latitude not finite", row("lat", "NaN"), admission.Invalid, "places[0].point.latitude"},
		{"identifier", row("plate", "THIS IS NO PLATE"), admission.NotNormal, "entities[0].identifiers"},
		{"marking unknown to the policy", row("handling", "COSMIC"), admission.UnknownMarking, "label"},
		{"not UTF-8", row("text", "caf\xe9"), admission.InvalidUTF8, ""},
		{"oversized cell", row("text", strings.Repeat("x", 70_000)), admission.TooLarge, ""},
		{"too few cells", "7;x\n", admission.Malformed, ""},
		{"too many cells", strings.TrimSpace(good) + ";;\n", admission.Malformed, ""},
		{"quote inside a cell", row("text", `a "b" c`), admission.Malformed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			items := csv.Decode([]byte(header+good+c.row+good), words(), mapping(t, calls))
			if len(items) != 3 || items[0].Refused() || items[2].Refused() || !items[1].Refused() {
				t.Fatalf("got %d items, want the second of three refused: %v", len(items), items)
			}
			r := items[1].Reasons[0]
			if items[1].Where != "line 3" || admission.Code(r.Code) != c.code || r.Field != c.field || r.Message == "" || r.Remedy == "" {
				t.Errorf("got %s: %v, want %s at %q", items[1].Where, items[1].Reasons, c.code, c.field)
			}
		})
	}
}

// The hour that comes twice in autumn is the first of the two.
func TestTheHourThatComesTwice(t *testing.T) {
	items := csv.Decode([]byte(header+row("when", "11/02/2025 01:30")+row("when", "11/02/2025 02:30")), words(), mapping(t, calls))
	for i, want := range []time.Time{time.Date(2025, 11, 2, 6, 30, 0, 0, time.UTC), time.Date(2025, 11, 2, 8, 30, 0, 0, time.UTC)} {
		if got := items[i].Report.GetEventTime().GetStart().AsTime(); !got.Equal(want) {
			t.Errorf("row %d: got %s, want %s", i, got, want)
		}
	}
}

// Reasons never repeat what a cell holds: they are logged, cells are not.
func TestReasonsDoNotHoldCells(t *testing.T) {
	secret := "Zebulon"
	for _, column := range []string{"when", "filed", "hurt", "grade", "lat", "unfounded"} {
		for _, item := range csv.Decode([]byte(header+row(column, secret)), words(), mapping(t, calls)) {
			if !item.Refused() || strings.Contains(item.Reasons.String(), secret) {
				t.Errorf("%s: got %s", column, item.Reasons)
			}
		}
	}
}

func TestEveryReasonOfARowIsGiven(t *testing.T) {
	items := csv.Decode([]byte(header+";;COSMIC;two;perhaps;9;soon;later;;;;;x;y\n"), words(), mapping(t, calls))
	if len(items[0].Reasons) != 10 {
		t.Errorf("got %d reasons: %s", len(items[0].Reasons), items[0].Reasons)
	}
}

func TestWhatIsDroppedIsNoted(t *testing.T) {
	items := csv.Decode([]byte(header+row("phone", "none of your business")+row("phone", "000-000-0000")+row("lat", "0")), words(), mapping(t, calls))
	for i, item := range items[:2] {
		if item.Refused() || len(item.Notes) != 1 || len(item.Report.Entities) != 0 {
			t.Errorf("row %d: got %v, notes %q", i, item.Report, item.Notes)
		}
	}
	if len(items[2].Report.Places) != 0 || len(items[2].Notes) != 1 {
		t.Errorf("0, 0: got %v, notes %q", items[2].Report.Places, items[2].Notes)
	}
}

func TestATableThatDoesNotFitIsRefusedAsAWhole(t *testing.T) {
	for name, c := range map[string]struct {
		data string
		code admission.Code
		says string
	}{
		"empty":             {"", admission.Malformed, "empty"},
		"other delimiter":   {strings.ReplaceAll(header, ";", ","), admission.Missing, "no"},
		"missing column":    {strings.Replace(header, "plate", "tag", 1), admission.Missing, "plate"},
		"new column":        {strings.TrimSpace(header) + ";religion\n", admission.UnknownField, "religion"},
		"column twice":      {strings.Replace(header, "clerk", "no", 1), admission.Malformed, "no"},
		"utf-16":            {"\xff\xfen\x00o\x00", admission.InvalidUTF8, "UTF-16"},
		"thousands of them": {strings.Repeat("a;", 5000) + "\n", admission.TooLarge, "5001"},
	} {
		items := csv.Decode([]byte(c.data), words(), mapping(t, calls))
		if len(items) != 1 || !items[0].Refused() || !items[0].Reasons.Has(c.code) || !strings.Contains(items[0].Reasons.String(), c.says) {
			t.Errorf("%s: got %v, want %s about %s", name, items, c.code, c.says)
		}
	}
	if items := csv.Decode(make([]byte, codec.MaxInput+1), words(), mapping(t, calls)); !items[0].Reasons.Has(admission.TooLarge) {
		t.Errorf("got %v", items)
	}
}

// A quote that is never closed takes the rest with it; the rows before stand,
// and the reason says which lines are lost.
func TestAnOpenQuote(t *testing.T) {
	items := csv.Decode([]byte(header+row("text", "fine")+row("text", `"open`)+row("text", "lost")), words(), mapping(t, calls))
	if len(items) != 2 || items[0].Refused() || !items[1].Refused() || !strings.Contains(items[1].Reasons.String(), "lines 3 to") {
		t.Errorf("got %v", items)
	}
}

func TestISO88591(t *testing.T) {
	m := mapping(t, strings.Replace(calls, `{delimiter: ";"}`, `{delimiter: ";", encoding: iso-8859-1}`, 1))
	items := csv.Decode([]byte(header+row("text", "caf\xe9")), words(), m)
	if items[0].Refused() || items[0].Report.Narrative != "café" {
		t.Errorf("got %v", items[0])
	}
}

func TestRowsWithoutARecordIDAreNumbered(t *testing.T) {
	m := mapping(t, "name: plain\nkind: incident\nrecord: {prefix: list-}\nfile: {columns: [what, year]}\nfields:\n  - {to: incident.type, column: what}\n  - {to: event_time.start, column: year, time: YYYY, zone: UTC}\n")
	items := csv.Decode([]byte("fire,2024\nflood,\n"), options, m)
	if len(items) != 2 || items[0].Report.Record != "list-1" || items[1].Report.Record != "list-2" {
		t.Fatalf("got %v", items)
	}
	if got := items[0].Report.ReportTime.AsTime().Year(); got != 2024 {
		t.Errorf("report time is the event's: got %d", got)
	}
	if got := items[1].Report.ReportTime.AsTime(); !got.Equal(now) {
		t.Errorf("report time is that of receipt: got %s", got)
	}
}

func TestAMappingIsCheckedWholly(t *testing.T) {
	const ok = "name: ok\nkind: incident\nfields:\n  - {to: incident.type, column: a}\n"
	if _, err := csv.ParseMapping([]byte(ok)); err != nil {
		t.Fatal(err)
	}
	field := func(f string) string { return ok + "  - {" + f + "}\n" }
	for name, c := range map[string]struct{ text, says string }{
		"unknown key":           {ok + "colour: red\n", "colour"},
		"unknown key of field":  {field("to: title, column: b, tpye: x"), "tpye"},
		"key twice":             {ok + "kind: sar\n", "kind"},
		"not yaml":              {"{", ""},
		"no name":               {strings.Replace(ok, "ok", "O K", 1), "name"},
		"no kind":               {strings.Replace(ok, "incident\n", "rumor\n", 1), "rumor"},
		"class of another kind": {ok + "class: asset\n", "class"},
		"no fields":             {"name: ok\nkind: incident\n", "fields"},
		"no such field":         {field("to: titel, column: b"), "titel"},
		"body of another kind":  {field("to: sar.tip_class, column: b"), "body"},
		"the sender's field":    {field("to: agency, column: b"), "sender"},
		"the policy's field":    {field("to: label.level, column: b"), "sender"},
		"no source":             {field("to: title"), "exactly one"},
		"two sources":           {field("to: title, column: b, value: c"), "exactly one"},
		"time without format":   {field("to: report_time, column: b"), "time"},
		"time without zone":     {field(`to: report_time, column: b, time: "YYYY-MM-DD"`), "zone"},
		"zone of the machine":   {field(`to: report_time, column: b, time: "YYYY-MM-DD", zone: Local`), "zone"},
		"zone twice":            {field(`to: report_time, column: b, time: rfc3339, zone: UTC`), "zone"},
		"odd time format":       {field(`to: report_time, column: b, time: "%Y", zone: UTC`), "YYYY"},
		"date format":           {field(`to: "entities[0].person.birth", column: b, date: YY`), "YYYY"},
		"identifier type":       {field(`to: "entities[0].identifiers", column: b, identifier: shoe`), "shoe"},
		"identifier elsewhere":  {field("to: title, column: b, identifier: phone"), "identifier"},
		"split of one":          {field(`to: title, column: b, split: ","`), "split"},
		"index of a single":     {field(`to: "incident[0].type", column: b`), "index"},
		"no index of a list":    {field("to: places.name, column: b"), "index"},
		"index over":            {field(`to: "places[999].name", column: b`), "index"},
		"negative index":        {field(`to: "places[-1].name", column: b`), "index"},
		"message in a cell":     {field(`to: "places[0].point", column: b`), "cell"},
		"constant of the enum":  {field("to: severity, value: BAD"), "Severity"},
		"values of the enum":    {field("to: severity, column: b, values: {x: BAD}"), "Severity"},
		"what is invalid":       {field("to: title, column: b, invalid: ignore"), "invalid"},
		"part of no date":       {field("to: title, column: b, invalid: part"), "date"},
		"delimiter":             {ok + "file: {delimiter: \";;\"}\n", "delimiter"},
		"encoding":              {ok + "file: {encoding: ebcdic}\n", "encoding"},
		"ignored and used":      {ok + "ignore: [a]\n", "ignore"},
		"too large":             {"#" + strings.Repeat("x", 2<<20), "1 MiB"},
	} {
		if _, err := csv.ParseMapping([]byte(c.text)); !errors.Is(err, csv.ErrMapping) || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: got %v, want ErrMapping about %q", name, err, c.says)
		}
	}
}

func TestShippedMappings(t *testing.T) {
	if len(csv.Names()) != 10 {
		t.Errorf("got %v", csv.Names())
	}
	for _, name := range csv.Names() {
		text, err := csv.Source(name)
		if err != nil {
			t.Fatal(err)
		}
		mapping(t, string(text))
	}
	if _, err := csv.Shipped("nothing"); err == nil || !strings.Contains(err.Error(), "stl-police") {
		t.Errorf("got %v, want the names there are", err)
	}
	if _, err := csv.Source("../csv"); err == nil {
		t.Error("a source outside of the mappings was read")
	}
}

// Any bytes give items that are refused with reasons or are whole.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(header + row("text", "fine")))
	f.Add([]byte(header + row("text", `"open`)))
	f.Add([]byte(header + row("when", "13/13/2025 99:99")))
	f.Add([]byte("\xff\xfe"))
	m := mapping(f, calls)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, item := range csv.Decode(data, words(), m) {
			if item.Refused() != (len(item.Reasons) > 0) || item.Where == "" {
				t.Fatalf("%q: report %v with reasons %s", item.Where, item.Report, item.Reasons)
			}
			if !item.Refused() && item.Report.Id != report.RecordID("stl-pd", item.Report.Record) {
				t.Fatalf("%q: id is not that of the record", item.Where)
			}
		}
	})
}

// Any text is refused as a mapping or can be used.
func FuzzMapping(f *testing.F) {
	f.Add([]byte(calls))
	for _, name := range csv.Names() {
		text, err := csv.Source(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if m, err := csv.ParseMapping(text); err == nil {
			csv.Decode([]byte(header+row("text", "fine")), options, m)
		}
	})
}
