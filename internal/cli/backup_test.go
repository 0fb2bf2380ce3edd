package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// smallPolicy has three cells, which start faster than six.
const smallPolicy = "../backup/testdata/policy.yaml"

// madeBackup is what backup prints with -o json.
type madeBackup struct {
	Folder   string `json:"folder"`
	Archives []struct {
		Cell     string          `json:"cell"`
		Pictures json.RawMessage `json:"pictures"`
	} `json:"archives"`
}

func (m madeBackup) pictures() map[string]string {
	out := map[string]string{}
	for _, a := range m.Archives {
		out[a.Cell] = string(a.Pictures)
	}
	return out
}

func backUp(t *testing.T, args ...string) (m madeBackup) {
	t.Helper()
	out := must(t, "", append([]string{"backup", "-o", "json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &m); err != nil || len(m.Archives) != 3 {
		t.Fatalf("backup says %s: %v", out, err)
	}
	return m
}

// The machine is lost with everything on it: with archives and keys, kept apart,
// it is there again. The same commands say so when it is not.
func TestBackupAndRestore(t *testing.T) {
	dir, shelf, safe := t.TempDir(), t.TempDir(), t.TempDir()
	keys := filepath.Join(safe, "wf-keys")
	up := begin(t, "up", "--dir", dir, "--policy", smallPolicy, "--port", "-1", "--http-port", "-1")
	up.until("Ctrl-C ends")
	reports := write(t, "reports.jsonl", sightings("jackson-pd", 0, "JPD-1")+sightings("jackson-pd", 3, "JPD-2"))
	must(t, "", "publish", "--as", "jackson-pd", "--dir", dir, reports)
	watch := begin(t, "watch", "--cell", "le", "--dir", dir)
	watch.until("of 2 reports")
	watch.interrupt()

	readOverHTTP(t, dir)
	if out := must(t, "", "backup", shelf, "--dir", dir); !strings.Contains(out, "keys    not copied") {
		t.Errorf("that the keys are not in it is not said: %q", out)
	}
	made := backUp(t, filepath.Join(shelf, "two"), "--dir", dir, "--with-keys", keys)
	if !strings.Contains(made.pictures()["le"], `"reports":2`) {
		t.Fatalf("the backed up pictures are %v, want one of 2 reports", made.pictures())
	}
	if info, err := os.Stat(keys); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the copied keys: %v, %v; want mode 0600", info, err)
	}
	if r := run(t, "", "restore", made.Folder, "--dir", dir); r.code != exitUsage && r.code != exitUnreachable {
		t.Errorf("a restore under a running broker: exit %d, %s", r.code, r.err)
	}
	up.interrupt()
	if out := must(t, "", "backup", filepath.Join(shelf, "three"), "--dir", dir, "--policy", smallPolicy, "--cell", "le"); strings.Contains(out, "fused") || !strings.Contains(out, "CUI") {
		t.Errorf("a backup of one cell of a stopped broker says %q", out)
	}

	fresh := filepath.Join(t.TempDir(), "site")
	if r := run(t, "", "restore", made.Folder, "--dir", fresh); r.code != exitUsage || !strings.Contains(r.err, "--keys") {
		t.Errorf("without keys: exit %d, %s", r.code, r.err)
	}
	if out := must(t, "", "restore", made.Folder, "--dir", fresh, "--keys", keys, "--check"); !strings.Contains(out, "whole: 3 archives") || exists(fresh) {
		t.Errorf("--check says %q, or has written to %s", out, fresh)
	}
	if out := must(t, "", "restore", made.Folder, "--dir", fresh, "--keys", keys); !strings.Contains(out, "restored: 3 cells") || !strings.Contains(out, "2 report records") {
		t.Errorf("restore says %q", out)
	}
	if r := run(t, "", "restore", made.Folder, "--dir", fresh); r.code != exitUsage || !strings.Contains(r.err, "--replace") {
		t.Errorf("onto data: exit %d, %s", r.code, r.err)
	}
	if out := must(t, "", "audit", "reads", "--cell", "le", "--dir", fresh); !strings.Contains(out, "watch-le") {
		t.Errorf("the record of reads says %q: who read before the loss is forgotten", out)
	}
	again := backUp(t, filepath.Join(shelf, "four"), "--dir", fresh, "--policy", smallPolicy)
	if d := cmp.Diff(made.pictures(), again.pictures()); d != "" {
		t.Errorf("pictures (-backed up +restored):\n%s", d)
	}
	up = begin(t, "up", "--dir", fresh, "--policy", smallPolicy, "--port", "-1", "--http-port", "-1")
	up.until("Ctrl-C ends")
	if out := must(t, "", "publish", "--as", "jackson-pd", "--dir", fresh, reports); !strings.Contains(out, "duplicate 2") {
		t.Errorf("publishing again says %q: what was acknowledged is lost", out)
	}
	up.interrupt()

	file := filepath.Join(made.Folder, "le", "REPORTS.wfs")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--check"}, {"--replace"}} {
		r := run(t, "", append([]string{"restore", made.Folder, "--dir", fresh, "--keys", keys}, args...)...)
		if r.code != exitFailed || !strings.Contains(r.err, "damaged") {
			t.Errorf("%v with a flipped bit: exit %d, %s", args, r.code, r.err)
		}
	}
	renewed := filepath.Join(t.TempDir(), "site")
	edit(t, filepath.Join(made.Folder, "policy.yaml"), "purpose: watch floor", "purpose: another")
	if r := run(t, "", "restore", made.Folder, "--dir", renewed, "--keys", keys); r.code != exitFailed || !strings.Contains(r.err, "--policy") {
		t.Errorf("a changed policy beside the archives: exit %d, %s", r.code, r.err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "", "restore", made.Folder, "--dir", renewed, "--keys", keys, "--new-keys", "--policy", smallPolicy)
	old, err := os.ReadFile(filepath.Join(fresh, "keys", "operator.jwt"))
	if err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(filepath.Join(renewed, "keys", "operator.jwt")); err != nil || string(now) == string(old) {
		t.Errorf("--new-keys kept the old ones: %v", err)
	}
}

// readOverHTTP reads the picture of le, which is recorded.
func readOverHTTP(t *testing.T, dir string) {
	t.Helper()
	token := strings.TrimSpace(must(t, "", "creds", "token", "--reader", "watch-le", "--cell", "le", "--dir", dir))
	var run struct {
		Pages map[string]string `json:"pages"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "run.json"))
	if err == nil {
		err = json.Unmarshal(data, &run)
	}
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, run.Pages["le"]+"/v1/snapshot", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Body.Close(); resp.StatusCode != http.StatusOK {
		t.Fatalf("read over HTTP: %s", resp.Status)
	}
}

// edit replaces text in a file that has it.
func edit(t *testing.T, path, old, text string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(data), old) {
		t.Fatalf("%s has no %q: %v", path, old, err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(data), old, text)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBackupUse(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"backup"}, exitUsage, "the folder"},
		{[]string{"backup", dir, "--dir", dir}, exitUsage, "nothing is stored"},
		{[]string{"restore"}, exitUsage, "the folder"},
		{[]string{"restore", dir}, exitUsage, "holds no archive"},
		{[]string{"restore", dir, "--new-keys"}, exitUsage, "--new-keys needs --keys"},
	} {
		r := run(t, "", c.args...)
		if r.code != c.code || !strings.Contains(r.err, c.says) {
			t.Errorf("watchfloor %s: exit %d, want %d; said %q, want %q in it", strings.Join(c.args, " "), r.code, c.code, r.err, c.says)
		}
	}
}
