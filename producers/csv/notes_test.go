package csv_test

import (
	"strings"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/csv"
)

func TestNotesReadATableOfTextsByItsColumns(t *testing.T) {
	for name, c := range map[string]struct{ table, record, text, when, place string }{
		"id and text":            {"id,text\n7,Seen twice.\n", "7", "Seen twice.", "", ""},
		"names in capitals":      {"Report No,NARRATIVE,Officer\nA-1,Seen.,Jones\n", "A-1", "Seen.", "", ""},
		"semicolons":             {"id;summary;description;date\n1;Short.;Long, too.;2025-03-14\n", "1", "", "2025-03-14T00:00:00Z", ""},
		"day and time of day":    {"id,date,time,text\n1,3/14/2025,21:45,Seen.\n", "1", "Seen.", "2025-03-14T21:45:00Z", ""},
		"days first":             {"id,date,text\n1,14/03/2025,Seen.\n2,01/04/2025,Seen.\n", "1", "Seen.", "2025-03-14T00:00:00Z", ""},
		"RFC 3339":               {"id,timestamp,message\n1,2025-03-14T21:45:00-05:00,Seen.\n", "1", "Seen.", "2025-03-15T02:45:00Z", ""},
		"no format fits all":     {"id,date,text\n1,2025-03-14,Seen.\n2,last week,Seen.\n", "1", "Seen.", "", ""},
		"a place, and a truth":   {"id,text,location,lat,lon,state,cluster\n1,Seen.,the dam,32.3,-90.1,ms,9\n", "1", "Seen.\nthe dam", "", "MS"},
		"texts without an id":    {"time,account,message\n4/6/2020 0:04,abc,Shaking.\n", "1", "Shaking.", "2020-04-06T00:04:00Z", ""},
		"a byte order mark":      {"\xef\xbb\xbfid,text\n7,Seen.\n", "7", "Seen.", "", ""},
		"the same id once again": {"id,text\n7,Seen.\n7,Seen again.\n", "7", "Seen.", "", ""},
	} {
		m, ok := csv.Notes([]byte(c.table))
		if !ok {
			t.Errorf("%s: no mapping", name)
			continue
		}
		items := csv.Decode([]byte(c.table), codec.Options{Agency: "a1", Received: time.Date(2025, 4, 1, 0, 0, 0, 0, time.UTC)}, m)
		if len(items) != strings.Count(c.table, "\n")-1 {
			t.Errorf("%s: %d items", name, len(items))
		}
		for _, i := range items {
			if i.Refused() {
				t.Fatalf("%s: %s refused: %s", name, i.Where, i.Reasons)
			}
		}
		r := items[0].Report
		when := ""
		if s := r.GetEventTime().GetStart(); s != nil {
			when = s.AsTime().Format(time.RFC3339)
		}
		place := ""
		if len(r.Places) > 0 {
			place = r.Places[0].State
		}
		if r.Record != c.record || c.text != "" && r.Narrative != c.text || when != c.when || place != c.place {
			t.Errorf("%s: record %q, text %q, time %q, state %q", name, r.Record, r.Narrative, when, place)
		}
	}
}

func TestTablesThatHoldNoTextsHaveNoNotes(t *testing.T) {
	for _, table := range []string{"", "text\nx\n", "id,price\n1,2\n", "name,type,description\na,b,c\n", "rec_id,given_name\n1,a\n", "\"id,text\n"} {
		if m, ok := csv.Notes([]byte(table)); ok {
			t.Errorf("%q is read by %v", table, m.Fields)
		}
	}
}
