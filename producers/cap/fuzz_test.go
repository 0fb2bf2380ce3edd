package cap_test

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/cap"
	"github.com/watchfloor/watchfloor/producers/internal/corpus"
	"github.com/watchfloor/watchfloor/proto/report"
)

// Whatever comes in, Decode ends, every item is a valid report or has reasons,
// and what it made can be written and read again.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(bomb))
	f.Add([]byte(edxl("Exercise", "FOUO", sample)))
	f.Add([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="x"/></entry></feed>`))
	for _, name := range []string{"weather.atom", "canada.cap", "earthquake-iso8859-1.cap", "xee.cap", "noaa_errors.cap"} {
		data, err := os.ReadFile(filepath.Join(corpus.Dir(f, "cap/INDEX.csv"), "cap", "google-cap-library", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, it := range cap.Decode(data, options()) {
			if it.Refused() {
				if len(it.Reasons) == 0 {
					t.Fatalf("%s is refused without a reason", it.Where)
				}
				continue
			}
			if reasons := report.Validate(it.Report, endOfTime, report.Limits{}); len(reasons) > 0 {
				t.Fatalf("%s: the report is not valid: %s", it.Where, reasons)
			}
			if proto.Size(it.Report) > report.MaxSize {
				t.Fatalf("%s: the report has %d bytes", it.Where, proto.Size(it.Report))
			}
			again, err := cap.Encode(it.Report)
			if err != nil {
				continue // CAP has no word for it
			}
			back := cap.Decode(again, options())
			if len(back) != 1 || back[0].Report.GetRecord() != it.Report.Record || back[0].Report.GetRevision() != it.Report.Revision {
				t.Fatalf("%s: written and read again it is another alert: %v\n%s", it.Where, back, again)
			}
		}
	})
}
