package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// shownPicture is what snapshot -o json prints of a picture.
type shownPicture struct {
	Tick       time.Time `json:"tick"`
	Digest     string    `json:"digest"`
	Reports    int       `json:"reports,string"`
	Situations []struct {
		ID string `json:"id"`
	} `json:"situations"`
	AsOf *struct {
		Time   time.Time `json:"time"`
		Origin string    `json:"origin"`
	} `json:"as_of"`
}

func shown(t *testing.T, args ...string) shownPicture {
	t.Helper()
	var s shownPicture
	if err := json.Unmarshal([]byte(must(t, "", append([]string{"snapshot", "-o", "json"}, args...)...)), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// What demo --once leaves can be asked, for its end and for any time of its
// clock; and it is the same in every run of the same exercise.
func TestOnceCanBeAsked(t *testing.T) {
	dir := t.TempDir()
	var first shownPicture
	for n := range 2 {
		if out := must(t, "", "demo", "--once", "--reports", "300", "--dir", dir); !strings.Contains(out, "Its data stays in") {
			t.Errorf("demo says\n%s", out)
		}
		end := shown(t, "--cell", "fused", "--dir", dir)
		if end.AsOf != nil || end.Reports < 100 {
			t.Fatalf("the end: %+v", end)
		}
		// The tick is the start of the ten seconds in which the last report was written.
		whole := shown(t, "--cell", "fused", "--dir", dir, "--as-of", end.Tick.Add(9999*time.Millisecond).Format(time.RFC3339Nano))
		if whole.AsOf == nil || whole.AsOf.Origin != "ORIGIN_REPLAY" || whole.Digest != end.Digest {
			t.Errorf("as of the end: %+v, want digest %s", whole.AsOf, end.Digest)
		}
		half := shown(t, "--cell", "fused", "--dir", dir, "--as-of", "-48h")
		if want := end.Tick.Add(-48 * time.Hour); !half.AsOf.Time.Equal(want) || !half.Tick.Equal(want) || half.Reports == 0 || half.Reports >= end.Reports || half.Digest == end.Digest {
			t.Errorf("48 hours before %s: as of %v, tick %s, %d reports", end.Tick, half.AsOf, half.Tick, half.Reports)
		}
		if n == 1 && half.Digest != first.Digest {
			t.Error("the same exercise had another picture in another run")
		}
		first = half
		why := must(t, "", "explain", "--cell", "fused", "--dir", dir, "--as-of", "-48h", half.Situations[0].ID)
		if !strings.Contains(why, "AS OF ") || !strings.Contains(why, "Report 1:") {
			t.Errorf("explain says\n%s", why)
		}
	}
	for _, c := range []struct {
		asOf string
		code int
		want string
	}{
		{"2001-01-01T00:00:00Z", exitFailed, "the first report is of 2025-09-02"},
		{"2031-01-01T00:00:00Z", exitUsage, "ahead of the picture's clock"},
		{"yesterday", exitUsage, "use a time like"},
	} {
		if r := run(t, "", "snapshot", "--cell", "fused", "--dir", dir, "--as-of", c.asOf); r.code != c.code || !strings.Contains(r.err, c.want) {
			t.Errorf("as of %s: exit %d, %s", c.asOf, r.code, r.err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 || left[0] != filepath.Join(dir, "once") {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
	if must(t, "", "demo", "--once", "--keep=false", "--reports", "100", "--dir", filepath.Join(dir, "x")); exists(filepath.Join(dir, "x", "once")) {
		t.Error("kept although it should not be")
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// At a broker for real traffic the time is that of the day; from elsewhere the
// cell's HTTP API is asked.
func TestAsOfAtARunningBroker(t *testing.T) {
	dir := t.TempDir()
	up := begin(t, "up", "--dir", dir, "--port", "-1", "--http-port", "-1")
	up.until("Ctrl-C ends")
	before := time.Now()
	must(t, "", "publish", "--as", "jackson-pd", "--dir", dir, write(t, "one.jsonl", sightings("jackson-pd", 0, "JPD-1")))
	waitFor(t, dir, 1)
	one := time.Now()
	must(t, "", "publish", "--as", "hinds-so", "--dir", dir, write(t, "two.jsonl", sightings("hinds-so", 5, "HSO-1")))
	now := waitFor(t, dir, 2)
	then := shown(t, "--cell", "le", "--dir", dir, "--as-of", one.Format(time.RFC3339Nano))
	if then.Reports != 1 || then.AsOf.Origin != "ORIGIN_FRAMES" {
		t.Errorf("between the two: %+v", then)
	}
	again := shown(t, "--cell", "le", "--dir", dir, "--replay", "--as-of", one.Format(time.RFC3339Nano))
	if again.AsOf.Origin != "ORIGIN_REPLAY" || again.Digest != then.Digest {
		t.Errorf("replayed: %+v, want digest %s", again, then.Digest)
	}
	if s := shown(t, "--cell", "fused", "--dir", dir, "--as-of", time.Now().Format(time.RFC3339Nano)); s.Digest == now.Digest && s.Reports != 2 {
		t.Errorf("fused now: %+v", s)
	}
	if r := run(t, "", "snapshot", "--cell", "le", "--dir", dir, "--as-of", before.Add(-time.Minute).Format(time.RFC3339)); r.code != exitFailed || !strings.Contains(r.err, "nothing was stored by then") {
		t.Errorf("before the first: exit %d, %s", r.code, r.err)
	}
	if r := run(t, "", "snapshot", "--cell", "le", "--dir", dir, "--as-of", before.Add(time.Hour).Format(time.RFC3339)); r.code != exitUsage {
		t.Errorf("ahead: exit %d, %s", r.code, r.err)
	}

	var watcher issuedContext
	if err := json.Unmarshal([]byte(must(t, "", "creds", "issue", "--dir", dir, "-o", "json", "--reader=watch-le", "--cell", "le")), &watcher); err != nil {
		t.Fatal(err)
	}
	page := must(t, "", "creds", "token", "--dir", dir, "--reader", "watch-le", "--cell", "le", "--page")
	api, token, _ := strings.Cut(strings.TrimSpace(page), "/#token=")
	file := write(t, "token", token+"\n")
	remote := shown(t, "--cell", "le", "--dir", t.TempDir(), "--context", watcher.Context, "--api", api, "--token-file", file, "--as-of", one.Format(time.RFC3339Nano))
	if remote.Digest != then.Digest {
		t.Errorf("from elsewhere: %+v", remote)
	}
	for _, args := range [][]string{
		{"--context", watcher.Context, "--as-of", "-1s"},
		{"--context", watcher.Context, "--as-of", "-1s", "--api", "http://broker.example:8080", "--token-file", file},
		{"--api", api, "--token-file", file, "--as-of", "-1s"},
		{"--replay"},
	} {
		if r := run(t, "", append([]string{"snapshot", "--cell", "le", "--dir", dir}, args...)...); r.code == exitOK {
			t.Errorf("%v: exit 0", args)
		}
	}
	up.interrupt()
}

func waitFor(t *testing.T, dir string, reports int) shownPicture {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if s := shown(t, "--cell", "le", "--dir", dir); s.Reports == reports {
			return s
		}
	}
	t.Fatalf("le never has %d reports", reports)
	return shownPicture{}
}
