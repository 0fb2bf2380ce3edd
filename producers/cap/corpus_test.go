package cap_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/watchfloor/watchfloor/producers/cap"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/internal/corpus"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var (
	received  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	endOfTime = time.Date(2199, 12, 31, 0, 0, 0, 0, time.UTC)
)

func options() codec.Options {
	open := &wf.Label{Level: wf.Level_LEVEL_UNCLASSIFIED}
	return codec.Options{
		Agency: "ipaws", Label: open, Received: received, Status: wf.Status_STATUS_ACTUAL,
		Markings: codec.Markings{
			Scope: map[string]*wf.Label{"Public": open, "Restricted": {Level: wf.Level_LEVEL_CUI}},
			Words: map[string]*wf.Label{"UNCLASSIFIED": open, "FOUO": {Level: wf.Level_LEVEL_CUI}},
		},
	}
}

// verdict is "admitted", "none" for no alert, or "refused" with its codes.
func verdict(items []codec.Item) string {
	if len(items) == 0 {
		return "none"
	}
	if !items[0].Refused() {
		return "admitted"
	}
	var codes []string
	for _, r := range items[0].Reasons {
		codes = append(codes, r.Code)
	}
	slices.Sort(codes)
	return "refused " + strings.Join(slices.Compact(codes), " ")
}

// What is refused equals the rows of the index with findings, but for the
// differences listed with their reason. A difference that is gone fails too.
func TestRefusedRowsEqualIndexFindings(t *testing.T) {
	dir := corpus.Dir(t, "cap/INDEX.csv")
	listed := map[string][]string{}
	for _, row := range corpus.Rows(t, "testdata/differences.csv") {
		if row[0] == "cap/INDEX.csv" {
			listed[row[1]] = row
		}
	}
	decoded := map[string][]codec.Item{}
	for _, row := range corpus.Rows(t, filepath.Join(dir, "cap", "INDEX.csv")) {
		name, finding := row[0], row[len(row)-1]
		file, number, numbered := strings.Cut(name, "#")
		if _, ok := decoded[file]; !ok {
			data, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			decoded[file] = cap.Decode(data, options())
		}
		items := decoded[file]
		if numbered {
			items = itemAt(items, number)
		}
		expected, got := "admitted", verdict(items)
		switch {
		case finding != "":
			expected = "refused"
		case row[4] == "0":
			expected = "none"
		}
		same := got == expected || expected == "refused" && strings.HasPrefix(got, "refused ")
		difference, ok := listed[name]
		switch {
		case same && ok:
			t.Errorf("%s: the listed difference is gone: got %s", name, got)
		case same:
		case !ok:
			t.Errorf("%s: got %s, index says %s (%s): fix it, or list the difference with its reason; %v", name, got, expected, finding, items)
		case difference[2] != expected || difference[3] != got:
			t.Errorf("%s: listed as %s instead of %s, is %s instead of %s", name, difference[3], difference[2], got, expected)
		case difference[4] == "":
			t.Errorf("%s: the difference has no reason", name)
		}
		delete(listed, name)
	}
	for name := range listed {
		t.Errorf("%s: listed, but not in the index", name)
	}
}

func itemAt(items []codec.Item, number string) []codec.Item {
	for _, it := range items {
		if it.Where == "#"+number {
			return []codec.Item{it}
		}
	}
	return nil
}

// everyReport decodes every file of the corpus's CAP folders.
func everyReport(t *testing.T) map[string]*wf.Report {
	t.Helper()
	out := map[string]*wf.Report{}
	for _, folder := range []string{"google-cap-library", "ibm"} {
		files, err := filepath.Glob(filepath.Join(corpus.Dir(t, "cap/INDEX.csv"), "cap", folder, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range cap.Decode(data, options()) {
				if !it.Refused() {
					out[filepath.Base(f)+it.Where] = it.Report
				}
			}
		}
	}
	if len(out) < 30 {
		t.Fatalf("only %d reports in the corpus", len(out))
	}
	return out
}

func TestCorpusReportsAreValidAndRoundTrip(t *testing.T) {
	for name, r := range everyReport(t) {
		if reasons := report.Validate(r, received, report.Limits{}); len(reasons) > 0 {
			t.Errorf("%s: %s", name, reasons)
		}
		data, err := cap.Encode(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again := cap.Decode(data, options())
		if len(again) != 1 || again[0].Refused() {
			t.Errorf("%s: encoded alert is refused: %v\n%s", name, again, data)
			continue
		}
		r.SourceFormat, r.Label.Original = "cap-1.2", again[0].Report.Label.Original
		if diff := cmp.Diff(r, again[0].Report, protocmp.Transform()); diff != "" {
			t.Errorf("%s: round trip differs (-want +got):\n%s\n%s", name, diff, fmt.Sprintf("%.1500s", data))
		}
	}
}
