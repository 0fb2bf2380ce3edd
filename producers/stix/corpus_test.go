package stix_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/internal/corpus"
	"github.com/watchfloor/watchfloor/producers/stix"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var received = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// options are those of an agency of the law-enforcement side.
func options() codec.Options {
	le := []wf.Side{wf.Side_SIDE_LE}
	cui := func(tlp wf.Tlp) *wf.Label { return &wf.Label{Level: wf.Level_LEVEL_CUI, Tlp: tlp} }
	return codec.Options{
		Agency: "cisa", Label: &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: le}, Received: received, Status: wf.Status_STATUS_ACTUAL,
		Markings: codec.Markings{
			TLP: map[wf.Tlp]*wf.Label{
				wf.Tlp_TLP_CLEAR: {Level: wf.Level_LEVEL_UNCLASSIFIED, Tlp: wf.Tlp_TLP_CLEAR}, wf.Tlp_TLP_GREEN: cui(wf.Tlp_TLP_GREEN),
				wf.Tlp_TLP_AMBER: cui(wf.Tlp_TLP_AMBER), wf.Tlp_TLP_AMBER_STRICT: cui(wf.Tlp_TLP_AMBER_STRICT), wf.Tlp_TLP_RED: cui(wf.Tlp_TLP_RED),
			},
			Words: map[string]*wf.Label{"LES": {Level: wf.Level_LEVEL_CUI, Controls: []wf.Control{wf.Control_CONTROL_LES}}},
		},
	}
}

// refused counts the refused items by code: "3: missing 2, unknown-marking 1".
func refused(items []codec.Item) string {
	n, codes := 0, map[string]int{}
	for _, it := range items {
		if !it.Refused() {
			continue
		}
		n++
		seen := map[string]bool{}
		for _, r := range it.Reasons {
			if !seen[r.Code] {
				codes[r.Code]++
			}
			seen[r.Code] = true
		}
	}
	if n == 0 {
		return "0"
	}
	var parts []string
	for _, c := range slices.Sorted(maps.Keys(codes)) {
		parts = append(parts, fmt.Sprintf("%s %d", c, codes[c]))
	}
	return fmt.Sprintf("%d: %s", n, strings.Join(parts, ", "))
}

// expected is how many objects the index has findings on.
func expected(t *testing.T, row []string) int {
	if strings.HasPrefix(row[2], "invalid JSON") {
		return 1
	}
	n, err := strconv.Atoi(row[5])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What is refused equals the rows of the index with findings (ids that are not
// lower-case RFC 4122, invalid JSON), but for the differences listed with their
// reason. A difference that is gone fails too.
func TestRefusedRowsEqualIndexFindings(t *testing.T) {
	dir := corpus.Dir(t, "stix/INDEX.csv")
	listed := map[string][]string{}
	for _, row := range corpus.Rows(t, "testdata/differences.csv") {
		if row[0] == "stix/INDEX.csv" {
			listed[row[1]] = row
		}
	}
	for _, row := range corpus.Rows(t, filepath.Join(dir, "stix", "INDEX.csv")) {
		name := row[0]
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		items := stix.Decode(data, options())
		want, got := strconv.Itoa(expected(t, row)), refused(items)
		count, _, _ := strings.Cut(got, ":")
		difference, ok := listed[name]
		switch {
		case count == want && ok:
			t.Errorf("%s: the listed difference is gone: got %s", name, got)
		case count == want:
		case !ok:
			t.Errorf("%s: refused %s, the index has findings on %s: fix it, or list the difference with its reason\n%s", name, got, want, explain(items))
		case difference[2] != want || difference[3] != got:
			t.Errorf("%s: listed as %q instead of %q, is %q instead of %q", name, difference[3], difference[2], got, want)
		case difference[4] == "":
			t.Errorf("%s: the difference has no reason", name)
		}
		delete(listed, name)
	}
	for name := range listed {
		t.Errorf("%s: listed, but not in the index", name)
	}
}

func explain(items []codec.Item) string {
	var b strings.Builder
	for _, it := range items {
		if it.Refused() {
			fmt.Fprintf(&b, "  %s: %s\n", it.Where, it.Reasons)
		}
	}
	return b.String()
}

// Every object of the corpus is an item or folded into a report; every report
// is valid.
func TestCorpusIsAccountedFor(t *testing.T) {
	dir := corpus.Dir(t, "stix/INDEX.csv")
	reports, kinds, identifiers := 0, map[wf.Kind]int{}, map[wf.IdentifierType]int{}
	for _, row := range corpus.Rows(t, filepath.Join(dir, "stix", "INDEX.csv")) {
		data, err := os.ReadFile(filepath.Join(dir, row[0]))
		if err != nil {
			t.Fatal(err)
		}
		held := map[string]bool{}
		for _, it := range stix.Decode(data, options()) {
			if it.Refused() {
				continue
			}
			r := it.Report
			reports++
			kinds[r.Kind]++
			held[r.Record] = true
			for _, id := range r.GetCyber().GetObjectIds() {
				held[id] = true
			}
			for _, e := range r.Entities {
				for _, id := range e.Identifiers {
					identifiers[id.Type]++
				}
			}
			if reasons := report.Validate(r, received, report.Limits{}); len(reasons) > 0 {
				t.Errorf("%s %s: %s", row[0], it.Where, reasons)
			}
			if r.Id != report.RecordID("cisa", r.Record) {
				t.Errorf("%s %s: id %s is not of record %s", row[0], it.Where, r.Id, r.Record)
			}
		}
	}
	t.Logf("%d reports, kinds %v, identifiers %v", reports, kinds, identifiers)
	if reports < 900 || identifiers[wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN] < 200 || identifiers[wf.IdentifierType_IDENTIFIER_TYPE_HASH] < 40 {
		t.Errorf("too little was read: %d reports, %v", reports, identifiers)
	}
}
