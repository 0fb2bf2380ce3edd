package feed_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/feed"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// corpus is the folder of the shared corpus. It never skips: without a corpus
// the test fails and says what to do.
func corpus(t testing.TB) string {
	t.Helper()
	root := os.Getenv("WATCHFLOOR_CORPUS")
	if root == "" {
		if root = "../../../shared/data"; os.Getenv("CI") == "true" {
			t.Fatal("WATCHFLOOR_CORPUS is not set: point it at the corpus")
		}
	}
	if _, err := os.Stat(root); err != nil {
		t.Fatalf("read corpus: %v; set WATCHFLOOR_CORPUS to the folder of the corpus", err)
	}
	return root
}

func options(feed.Format) codec.Options {
	cui := &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}}
	return codec.Options{
		Agency: "cisa", Label: cui, Status: wf.Status_STATUS_TEST, Received: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Markings: codec.Markings{
			TLP:   map[wf.Tlp]*wf.Label{wf.Tlp_TLP_CLEAR: cui, wf.Tlp_TLP_GREEN: cui, wf.Tlp_TLP_AMBER: cui, wf.Tlp_TLP_AMBER_STRICT: cui, wf.Tlp_TLP_RED: cui},
			Scope: map[string]*wf.Label{"Public": cui, "Restricted": cui, "Private": cui},
		},
	}
}

// Every file of the corpus is read in its format, or skipped with a reason.
func TestEveryFileOfTheCorpusIsAccountedFor(t *testing.T) {
	root := corpus(t)
	got := map[string]map[string]int{}
	var names []string
	for s, err := range (feed.Config{Options: options}).Files(root) {
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(s.Name, filepath.ToSlash(root)+"/")
		names = append(names, strings.ReplaceAll(name, "/", "\x00")) // folder before file
		if (s.Format == "") == (s.Skip == "") {
			t.Errorf("%s: format %q and skip %q: want one of them", name, s.Format, s.Skip)
		}
		if s.Format == "" && len(s.Items) > 0 {
			t.Errorf("%s: skipped with %d items", name, len(s.Items))
		}
		folder, _, _ := strings.Cut(name, "/")
		key := cmpOr(string(s.Format), s.Skip)
		if got[folder] == nil {
			got[folder] = map[string]int{}
		}
		got[folder][key]++
		if reports, refused := s.Count(); reports+refused != len(s.Items) {
			t.Errorf("%s: %d reports and %d refused of %d", name, reports, refused, len(s.Items))
		}
	}
	if !slices.IsSorted(names) {
		t.Error("the files of a folder do not come in the order of their names")
	}
	want := map[string]map[string]int{
		"cap":       {"cap": 38, "nws": 3, "an XML schema": 6, "a certificate or key": 2, "an index of its folder": 1},
		"incidents": {"csv": 2, noMapping: 6, "JSON of no known format": 1},
		"labelled":  {"csv": 5, noMapping: 5},
		"niem":      {"an XML schema": 14},
	}
	for _, folder := range slices.Sorted(maps.Keys(want)) {
		if !maps.Equal(got[folder], want[folder]) {
			t.Errorf("%s: got %v, want %v", folder, got[folder], want[folder])
		}
	}
}

const noMapping = "a table whose columns are those of no shipped mapping, or of several, and none is called text, narrative or the like: name a mapping"

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
