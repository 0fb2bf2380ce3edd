package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// result is what a command printed and how it ended.
type result struct {
	out, err string
	code     int
}

// run runs a command line until it ends.
func run(t *testing.T, in string, args ...string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	a := &app{in: strings.NewReader(in), out: &out, err: &errOut}
	code := a.execute(t.Context(), args)
	return result{out.String(), errOut.String(), code}
}

// must runs a command line that has to succeed.
func must(t *testing.T, in string, args ...string) string {
	t.Helper()
	r := run(t, in, args...)
	if r.code != exitOK {
		t.Fatalf("watchfloor %s: exit %d\n%s\n%s", strings.Join(args, " "), r.code, r.err, r.out)
	}
	return r.out
}

// buffer can be read while a command still writes it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// running is a command that goes on until it is stopped.
type running struct {
	t        *testing.T
	out, err buffer
	cancel   context.CancelFunc
	done     chan int
}

func begin(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, cancel: cancel, done: make(chan int, 1)}
	in, hold := io.Pipe()
	a := &app{in: in, out: &r.out, err: &r.err}
	go func() { r.done <- a.execute(ctx, args) }()
	t.Cleanup(func() { cancel(); _ = hold.Close() })
	return r
}

// until waits for text on standard output.
func (r *running) until(text string) string {
	r.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if out := r.out.String(); strings.Contains(out, text) {
			return out
		}
		select {
		case code := <-r.done:
			r.t.Fatalf("ended with %d before %q\n%s\n%s", code, text, r.err.String(), r.out.String())
		default:
		}
	}
	r.t.Fatalf("no %q within a minute\n%s\n%s", text, r.err.String(), r.out.String())
	return ""
}

// interrupt is Ctrl-C.
func (r *running) interrupt() string {
	r.t.Helper()
	r.cancel()
	select {
	case code := <-r.done:
		if code != exitOK {
			r.t.Fatalf("interrupted: exit %d\n%s", code, r.err.String())
		}
	case <-time.After(60 * time.Second):
		r.t.Fatal("does not end when interrupted")
	}
	return r.out.String()
}

// corpus is the folder of the test corpus.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("WATCHFLOOR_CORPUS")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(dir, "SOURCES.csv")); err != nil {
		t.Fatalf("the test corpus is missing: set WATCHFLOOR_CORPUS or put it at ../shared/data beside the checkout (%v)", err)
	}
	return dir
}

func TestEveryCommandHasHelpWithExamples(t *testing.T) {
	a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard}
	for _, c := range a.root().Commands() {
		if c.Name() == "help" || c.Name() == "completion" || c.HasSubCommands() {
			continue
		}
		if c.Example == "" || c.Short == "" {
			t.Errorf("%s has no example or no short help", c.Name())
		}
	}
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("version: 1\nsurprise: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage.json")
	if err := os.WriteFile(garbage, []byte(`{"agency":"fbi"`), 0o600); err != nil {
		t.Fatal(err)
	}
	page := write(t, "page.html", "<html><body>sign in</body></html>")
	empty := t.TempDir()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"version"}, exitOK, ""},
		{[]string{"nonsense"}, exitUsage, "unknown command"},
		{[]string{"demo", "--speed", "fast"}, exitUsage, "invalid argument"},
		{[]string{"demo", "--reports", "7"}, exitUsage, "--reports 7"},
		{[]string{"demo", "--input", "x"}, exitUsage, "--once"},
		{[]string{"policy", "check", bad}, exitFailed, "surprise"},
		{[]string{"policy", "check", filepath.Join(dir, "missing.yaml")}, exitUsage, "no such file"},
		{[]string{"convert", filepath.Join(dir, "missing.cap")}, exitUsage, "no such file"},
		{[]string{"convert", garbage}, exitFailed, "refused"},
		{[]string{"snapshot", "--cell", "le", "--dir", dir}, exitUnreachable, "watchfloor up"},
		{[]string{"snapshot", "--dir", dir}, exitUsage, "cell"},
		{[]string{"convert", dir}, exitFailed, "refused: 1 record"},
		{[]string{"convert", page}, exitUsage, "named file of no known format"},
		{[]string{"convert", empty}, exitUsage, "nothing to read"},
		{[]string{"convert", "--cell", "le", garbage}, exitUsage, "--cell needs --as"},
		{[]string{"policy", "nonsense"}, exitUsage, "use check or prove or show"},
		{[]string{"policy", "check", bad, filepath.Join(dir, "missing.yaml")}, exitFailed, "no such file"},
		{[]string{"snapshot", "le"}, exitUsage, "takes no argument"},
		{[]string{"explain", "--cell", "le"}, exitUsage, "the id of a situation"},
		{[]string{"version", "-o", "geojson"}, exitUsage, "use table, json, jsonl"},
		{[]string{"snapshot", "--cell", "le", "--url", "nats://127.0.0.1:1"}, exitUsage, "--url needs --creds"},
		{[]string{"publish", "--as", "fbi", "--url", "nats://127.0.0.1:1", garbage}, exitUsage, "--url needs --creds"},
		{[]string{"publish", "--as", "fbi", "--context", bad, garbage}, exitUsage, "creds issue wrote"},
		{[]string{"up", "--dir", dir, "--port", "0"}, exitUsage, "-1 for any free port"},
		{[]string{"up", "--dir", bad}, exitUsage, "--dir"},
		{[]string{"publish", "--as", "nobody", garbage}, exitUsage, "unknown agency"},
		{[]string{"publish", "--as", "fbi", "--cell", "intel", garbage}, exitUsage, "may not submit"},
	} {
		r := run(t, "", c.args...)
		if r.code != c.code || !strings.Contains(r.err, c.says) {
			t.Errorf("watchfloor %s: exit %d, want %d; said %q, want %q in it", strings.Join(c.args, " "), r.code, c.code, r.err, c.says)
		}
	}
}

func TestPolicyShowAndCheck(t *testing.T) {
	yaml := must(t, "", "policy", "show", "--yaml")
	file := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := must(t, "", "policy", "check", file); !strings.Contains(out, "good") {
		t.Errorf("the shipped policy checks as %q", out)
	}
	var view policyDocument
	if err := json.Unmarshal([]byte(must(t, "", "policy", "show", "-o", "json")), &view); err != nil {
		t.Fatal(err)
	}
	reads := map[string]int{}
	for _, c := range view.Cells {
		reads[c.Name] = len(c.ReadsDown)
	}
	if reads["fused"] != 5 || reads["le"] != 1 || reads["open"] != 0 || reads["intel"] != 2 {
		t.Errorf("cells read down %v, want fused 5, intel 2, le 1, open 0", reads)
	}
}

// lines splits JSON lines.
func lines[T any](t *testing.T, out string) []T {
	t.Helper()
	var all []T
	dec := json.NewDecoder(strings.NewReader(out))
	for {
		var v T
		if err := dec.Decode(&v); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("read JSON lines: %v", err)
		}
		all = append(all, v)
	}
}
