package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchfloor/watchfloor/internal/scorecard"
)

func TestExercisePassesForSeedsOneToFive(t *testing.T) {
	for seed := 1; seed <= 5; seed++ {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			out := must(t, "", "demo", "--once", "--keep=false", "--seed", strconv.Itoa(seed), "-o", "jsonl")
			cards := lines[scorecard.Card](t, out)
			if len(cards) != 6 {
				t.Fatalf("%d cells are scored, want 6", len(cards))
			}
			for _, c := range cards {
				if f := c.Failures(); len(f) > 0 {
					t.Errorf("%s: %v", c.Cell, f)
				}
				if c.Reports < 100 || c.Missing+c.Foreign > 0 {
					t.Errorf("%s: %d reports, %d missing, %d foreign", c.Cell, c.Reports, c.Missing, c.Foreign)
				}
				switch c.Cell {
				case "fused", "le", "intel":
					if c.Plot.Reports < 2 || c.Plot.Situations != 1 || c.Mixed != 0 {
						t.Errorf("%s: plot %+v, mixed with the decoy in %d situations; want it to be one situation of several reports, apart", c.Cell, c.Plot, c.Mixed)
					}
				}
			}
		})
	}
}

func TestExerciseWithoutEvidenceFails(t *testing.T) {
	r := run(t, "", "demo", "--once", "--keep=false", "--weights", "zero")
	if r.code != exitFailed || !strings.Contains(r.out, "not passed") {
		t.Errorf("exit %d, want %d\n%s", r.code, exitFailed, r.out)
	}
}

// row is a line of `demo --once --input -o jsonl`.
type row struct {
	file *fileAccount
	kind *kindCount
}

func (r *row) UnmarshalJSON(b []byte) error {
	if bytes.Contains(b, []byte(`"situations"`)) {
		return json.Unmarshal(b, &r.kind)
	}
	return json.Unmarshal(b, &r.file)
}

// What the broker refuses of the corpus equals what the indexes find, the
// listed differences of the codecs, and the listed contradictions between files.
func TestCorpusIsAccountedFor(t *testing.T) {
	dir := corpus(t)
	out := must(t, "", "demo", "--once", "-o", "jsonl", "--input", filepath.Join(dir, "cap"), "--input", filepath.Join(dir, "stix"),
		"--input", filepath.Join(dir, "incidents", "stl_police_2018-01.csv"))
	got, read, kinds, superseded := map[string]int{}, map[string]int{}, map[string]int{}, map[string]bool{}
	for _, r := range lines[row](t, out) {
		if r.kind != nil {
			kinds[r.kind.Cell+" "+r.kind.Kind] += r.kind.Situations
			continue
		}
		if r.file.Tally == nil || !r.file.Balanced() {
			t.Errorf("%+v: read is not the sum of what became of it", r.file)
			continue
		}
		rel, err := filepath.Rel(dir, r.file.Source)
		if err != nil {
			t.Fatal(err)
		}
		superseded[filepath.ToSlash(rel)] = r.file.Superseded > 0
		read[rel] = r.file.Read
		if r.file.Refused > 0 {
			got[filepath.ToSlash(rel)] = r.file.Refused
		}
	}
	if diff := cmp.Diff(expectedRefusals(t, dir, superseded), got); diff != "" {
		t.Errorf("refused records by file (-index and lists +broker):\n%s", diff)
	}
	if n := read["incidents/stl_police_2018-01.csv"]; n != 3825 {
		t.Errorf("police records read: %d, want 3825", n)
	}
	for _, k := range []string{"open hazard", "le cyber", "le incident", "fused hazard", "fused incident"} {
		if kinds[k] == 0 {
			t.Errorf("no situations of %s", k)
		}
	}
}

// A contradiction with an older revision is answered superseded, not refused:
// the broker holds a newer one by then.
func expectedRefusals(t *testing.T, dir string, superseded map[string]bool) map[string]int {
	t.Helper()
	want := map[string]int{}
	for _, r := range table(t, filepath.Join(dir, "cap", "INDEX.csv")) {
		if r["rule_findings"] != "" {
			file, _, _ := strings.Cut(r["file"], "#")
			want[file]++
		}
	}
	for _, r := range table(t, filepath.Join(dir, "stix", "INDEX.csv")) {
		if strings.HasPrefix(r["types"], "invalid JSON") {
			want[r["file"]] = 1
		} else if n, err := strconv.Atoi(r["ids_not_lowercase_rfc4122"]); err == nil && n > 0 {
			want[r["file"]] = n
		}
	}
	number := regexp.MustCompile(`^(\d+):`)
	for _, codec := range []string{"cap", "nws", "stix"} {
		for _, r := range table(t, "../../producers/"+codec+"/testdata/differences.csv") {
			n := 1
			if m := number.FindStringSubmatch(r["got"]); m != nil {
				n, _ = strconv.Atoi(m[1])
			}
			want[r["row"]] = n
		}
	}
	for _, codec := range []string{"cap", "stix"} {
		for _, r := range table(t, "../../producers/"+codec+"/testdata/conflicts.csv") {
			file, _, _ := strings.Cut(r["row"], "#")
			file, _, _ = strings.Cut(file, " ")
			if !superseded[file] {
				want[file]++
			}
		}
	}
	return want
}

// table reads a CSV file with a header; short rows are padded.
func table(t *testing.T, file string) []map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1
	all, err := r.ReadAll()
	if err != nil || len(all) < 2 {
		t.Fatalf("read %s: %d rows, %v", file, len(all), err)
	}
	var out []map[string]string
	for _, rec := range all[1:] {
		m := map[string]string{}
		for i, v := range rec {
			m[all[0][i]] = v
		}
		out = append(out, m)
	}
	return out
}

var digestLine = regexp.MustCompile(`(?m)^(\w+): cell (\S+) +revision (\d+) +reports (\d+) +digest ([0-9a-f]{64})$`)

// digestsOf reads the digest of each cell printed at a moment.
func digestsOf(t *testing.T, out, when string) map[string]string {
	t.Helper()
	got := map[string]string{}
	for _, m := range digestLine.FindAllStringSubmatch(out, -1) {
		if m[1] == when {
			got[m[2]] = m[5]
			if n, _ := strconv.Atoi(m[4]); n == 0 && m[2] == "fused" {
				t.Errorf("%s: the picture of fused is empty", when)
			}
		}
	}
	if len(got) != 6 {
		t.Fatalf("%s: %d digests in\n%s", when, len(got), out)
	}
	return got
}

// With the exercise clock paused, Ctrl-C and a restart on the same data leave
// every picture as it was.
func TestPausedExerciseSurvivesARestart(t *testing.T) {
	args := []string{"demo", "--dir", t.TempDir(), "--port", "-1", "--http-port", "-1", "--speed", "1000000", "--pause-after", "400"}
	first := begin(t, args...)
	first.until("clock paused")
	paused := digestsOf(t, first.until("paused: cell open"), "paused")
	stopped := digestsOf(t, first.interrupt(), "stopped")
	second := begin(t, args...)
	recovered := digestsOf(t, second.until("recovered: cell open"), "recovered")
	second.until("clock paused")
	second.interrupt()
	if diff := cmp.Diff(paused, stopped); diff != "" {
		t.Errorf("paused and stopped differ:\n%s", diff)
	}
	if diff := cmp.Diff(paused, recovered); diff != "" {
		t.Errorf("before and after the restart differ:\n%s", diff)
	}
}
