package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// findings is what doctor prints with -o json.
type findings struct {
	Level    string `json:"level"`
	Findings []struct{ Check, Level, What, Do string }
}

func (f findings) of(t *testing.T, check string) string {
	t.Helper()
	for _, x := range f.Findings {
		if x.Check == check {
			return x.Level
		}
	}
	t.Fatalf("doctor says nothing of %s: %+v", check, f)
	return ""
}

// The exit code says whether to look at once, in the morning, or not at all;
// every line that is not ok says what to do.
func TestDoctor(t *testing.T) {
	dir := t.TempDir()
	if r := run(t, "", "doctor", "--dir", dir); r.code != exitFailed || !strings.Contains(r.out, "fail  keys") {
		t.Errorf("a folder without keys: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if r := run(t, "", "doctor", "--dir", dir, "--reserve", "-1"); r.code != exitUsage {
		t.Errorf("--reserve -1: exit %d", r.code)
	}
	up := begin(t, "up", "--dir", dir, "--policy", smallPolicy, "--port", "-1", "--http-port", "-1")
	up.until("Ctrl-C ends")
	r := run(t, "", "doctor", "--dir", dir)
	if r.code != exitWarned || !strings.Contains(r.out, "warn  standby") || !strings.Contains(r.out, `-> run "watchfloor worker"`) {
		t.Errorf("without a standby: exit %d\n%s%s", r.code, r.out, r.err)
	}
	var f findings
	for end := time.Now().Add(time.Minute); f.Level == "" || f.of(t, "guards and pictures") != "ok" && time.Now().Before(end); {
		f = findings{}
		if err := json.Unmarshal([]byte(run(t, "", "doctor", "--dir", dir, "-o", "json").out), &f); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal([]byte(must(t, "", "doctor", "--dir", dir, "--lenient", "-o", "json")), &f); err != nil || f.Level != "warn" {
		t.Fatalf("%+v, %v", f, err)
	}
	for _, x := range f.Findings {
		if (x.Level == "ok") != (x.Do == "") || x.What == "" {
			t.Errorf("%+v: a line that is not ok says what to do", x)
		}
	}
	for _, check := range []string{"store", "streams", "guards and pictures", "workers", "readers", "keys"} {
		if got := f.of(t, check); got != "ok" {
			t.Errorf("%s is %s", check, got)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "keys", "keyring.json"), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := run(t, "", "doctor", "--dir", dir, "--lenient"); r.code != exitFailed || !strings.Contains(r.out, "fail  keys") || !strings.Contains(r.out, "fail  store ") {
		t.Errorf("keys that others can read: exit %d\n%s%s", r.code, r.out, r.err)
	}
	if err := os.Chmod(filepath.Join(dir, "keys", "keyring.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	up.interrupt()
}
