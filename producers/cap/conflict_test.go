package cap_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/cap"
	"github.com/watchfloor/watchfloor/producers/internal/corpus"
)

// Files of the corpus repeat messages. Read in the order of their paths by one
// agency, a repeated message with the same content is a duplicate to the
// guard; one with other content is a conflict. The conflicts are listed.
func TestConflictsBetweenFiles(t *testing.T) {
	type held struct {
		content []byte
		row     string
	}
	first, conflicts := map[string]held{}, map[string]string{}
	var files []string
	for _, folder := range []string{"google-cap-library", "ibm"} {
		list, err := filepath.Glob(filepath.Join(corpus.Dir(t, "cap/INDEX.csv"), "cap", folder, "*"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, list...)
	}
	slices.Sort(files)
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range cap.Decode(data, options()) {
			if it.Refused() {
				continue
			}
			row := "cap/" + filepath.Base(filepath.Dir(f)) + "/" + filepath.Base(f) + it.Where
			content, err := proto.MarshalOptions{Deterministic: true}.Marshal(it.Report)
			if err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprint(it.Report.Id, it.Report.Revision)
			if h, ok := first[key]; !ok {
				first[key] = held{content, row}
			} else if string(h.content) != string(content) {
				conflicts[row] = h.row
			}
		}
	}
	want := map[string]string{}
	for _, row := range corpus.Rows(t, "testdata/conflicts.csv") {
		want[row[0]] = row[1]
		if row[2] == "" {
			t.Errorf("%s: the conflict has no reason", row[0])
		}
	}
	if !maps.Equal(want, conflicts) {
		t.Errorf("listed conflicts %v, found %v", want, conflicts)
	}
}
