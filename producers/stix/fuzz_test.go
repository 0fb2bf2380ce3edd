package stix_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/internal/corpus"
	"github.com/watchfloor/watchfloor/producers/stix"
	"github.com/watchfloor/watchfloor/proto/report"
)

// Whatever comes in, Decode ends, every item is a valid report or has reasons,
// and the same bytes give the same items.
func FuzzDecode(f *testing.F) {
	f.Add(bundle(sdo("identity", 1, nil), sdo("campaign", 2, obj{"created_by_ref": "identity--" + uuid(1), "object_marking_refs": []string{red}})))
	f.Add(bundle(sdo("indicator", 1, obj{"granular_markings": []obj{{"marking_ref": red, "selectors": []string{"pattern"}}}})))
	for _, name := range []string{"oasis-docs/sighting-of-observed-data.json", "oasis-docs/using-granular-markings.json", "oasis-examples/infrastructure.json",
		"idioms-2.1/custom_object.json", "idioms-2.1/issue62.json", "validator-v21/invalid_comma.json"} {
		data, err := os.ReadFile(filepath.Join(corpus.Dir(f, "stix/INDEX.csv"), "stix", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	end := time.Date(2199, 12, 31, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		items, again := stix.Decode(data, options()), stix.Decode(data, options())
		if len(items) != len(again) {
			t.Fatalf("%d items, then %d", len(items), len(again))
		}
		for i, it := range items {
			if it.Refused() {
				if len(it.Reasons) == 0 {
					t.Fatalf("%s is refused without a reason", it.Where)
				}
				continue
			}
			if !proto.Equal(it.Report, again[i].Report) {
				t.Fatalf("%s: the same bytes give two reports:\n%v\n%v", it.Where, it.Report, again[i].Report)
			}
			if reasons := report.Validate(it.Report, end, report.Limits{}); len(reasons) > 0 {
				t.Fatalf("%s: the report is not valid: %s", it.Where, reasons)
			}
			if encoded, err := stix.Encode(it.Report); err == nil {
				back := false
				for _, x := range stix.Decode(encoded, options()) {
					back = back || x.Report.GetRecord() == it.Report.Record
				}
				if !back {
					t.Fatalf("%s: written and read again the report is gone:\n%s", it.Where, encoded)
				}
			}
		}
	})
}

// Patterns name what they name without failing, whatever they hold.
func FuzzPattern(f *testing.F) {
	data, err := os.ReadFile(filepath.Join(corpus.Dir(f, "stix/INDEX.csv"), "stix", "patterns", "spec_examples_v21.txt"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	f.Add("[a:b[*].c = 'x\\'y']")
	f.Add("a:'")
	f.Fuzz(func(t *testing.T, pattern string) {
		o := sdo("indicator", 1, obj{"pattern": pattern + "x"})
		for _, it := range decode(o) {
			if it.Refused() && len(it.Reasons) == 0 {
				t.Fatal("refused without a reason")
			}
		}
	})
}
