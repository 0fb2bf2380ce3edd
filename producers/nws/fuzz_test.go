package nws_test

import (
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/producers/nws"
	"github.com/watchfloor/watchfloor/proto/report"
)

// Whatever comes in, Decode ends, and every item is a valid report or has reasons.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(feature))
	f.Add([]byte(`{"type":"FeatureCollection","features":[` + feature + `,null,{}]}`))
	f.Add(render(files(f)["load-testing-ioc-active.json"]))
	end := time.Date(2199, 12, 31, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, it := range nws.Decode(data, options()) {
			if it.Refused() {
				if len(it.Reasons) == 0 {
					t.Fatalf("%s is refused without a reason", it.Where)
				}
			} else if reasons := report.Validate(it.Report, end, report.Limits{}); len(reasons) > 0 {
				t.Fatalf("%s: the report is not valid: %s", it.Where, reasons)
			}
		}
	})
}
