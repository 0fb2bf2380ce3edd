package cli

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/proof"
	"github.com/watchfloor/watchfloor/proto/subject"
)

var rewrite = flag.Bool("rewrite", false, "write what the commands print into testdata")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), -rewrite when it is right:\n%s", name, diff)
	}
}

// trimmed takes the blanks of empty columns off the ends of lines.
func trimmed(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func TestPolicyProve(t *testing.T) {
	golden(t, "prove.txt", trimmed(must(t, "", "policy", "prove")))
	for _, who := range []string{"reader/watch-noc", "agency/jackson-pd"} {
		golden(t, "prove-"+strings.ReplaceAll(who, "/", "-")+".txt", trimmed(must(t, "", "policy", "prove", "--principal", who)))
	}
}

func TestPolicyProveJSON(t *testing.T) {
	var d proofDocument
	if err := json.Unmarshal([]byte(must(t, "", "policy", "prove", "-o", "json")), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Standings) < 100 || len(d.Leaks) != 0 || len(d.Cells) != 6 {
		t.Errorf("got %d standings in %d cells with %d leaks", len(d.Standings), len(d.Cells), len(d.Leaks))
	}
	for _, s := range d.Standings {
		for _, g := range s.Grants {
			for _, e := range g.Reaches {
				if e.Why == "" {
					t.Errorf("%s in %s reaches %s without a reason", s.Principal, s.Cell, e.What)
				}
			}
		}
	}
}

func TestPolicyProveOwnFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.yaml")
	text := strings.Replace(string(policy.DefaultYAML()), "name: watch-le\n", "name: watch-county\n", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--policy", file}, {file}} {
		if out := must(t, "", append([]string{"policy", "prove"}, args...)...); !strings.Contains(out, "reader/watch-county") || !strings.Contains(out, " 0 leaks") {
			t.Errorf("%v: got %s", args, out)
		}
	}
	if r := run(t, "", "policy", "prove", "--policy", file, file); r.code != exitUsage {
		t.Errorf("two files: exit %d, %s", r.code, r.err)
	}
	if r := run(t, "", "policy", "prove", "--principal", "nobody"); r.code != exitUsage {
		t.Errorf("an unknown principal: exit %d, %s", r.code, r.err)
	}
}

// Whom a policy clears for both sides is told of: the policy decides, and its
// editor may not have meant it.
func TestAReaderOfBothSidesIsTold(t *testing.T) {
	shipped := string(policy.DefaultYAML())
	file := filepath.Join(t.TempDir(), "both.yaml")
	for _, c := range []struct{ cells, want string }{
		{"[le, intel]", "reader watch-le is cleared for intel and le"},
		{"[open, le]", ""},
	} {
		text := strings.Replace(shipped, "side\n    type: person\n    cells: [le]", "side\n    type: person\n    cells: "+c.cells, 1)
		if text == shipped {
			t.Fatal("the shipped policy has no watch-le as it was")
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"check", "prove"} {
			out := must(t, "", "policy", command, file)
			if strings.Contains(out, "note: ") != (c.want != "") || !strings.Contains(out, c.want) {
				t.Errorf("policy %s, cells %s: no or another note: %s", command, c.cells, out[max(0, len(out)-300):])
			}
		}
	}
}

// A leak is on its own line, with its path, and the exit code says so.
func TestALeakIsRefused(t *testing.T) {
	err := (&proof.Proof{Leaks: []proof.Leak{{
		Kind: "label", Who: "reader/watch-le", Cell: "fused", Path: []string{"subscribe live.>", "stream SNAPSHOT_ACTUAL", "TOP SECRET LE+INTEL"}, Message: "its own label is CUI LE",
	}}}).Err()
	want := "policy would leak: label: reader/watch-le in fused -> subscribe live.> -> stream SNAPSHOT_ACTUAL -> TOP SECRET LE+INTEL: its own label is CUI LE"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// A running broker is tried without harm: a feed that was read half stands where
// it stood, and the stream has no record more.
func TestPolicyProveLiveAgainstARunningBroker(t *testing.T) {
	dir := t.TempDir()
	up := begin(t, "--dir", dir, "up", "--port", "-1", "--http-port", "-1")
	up.until("Watchfloor is up")
	must(t, "", "publish", "--as", "jackson-pd", "--dir", dir, write(t, "two.jsonl", sightings("jackson-pd", 0, "a")+sightings("jackson-pd", 1, "b")))
	js := stock(t, dir, "--reader", "watch-le", "--cell", "le")
	feed, err := js.Consumer(t.Context(), subject.Reports, subject.FeedConsumer("watch-le", "all"))
	if err != nil {
		t.Fatal(err)
	}
	one, err := feed.Fetch(1)
	if err != nil {
		t.Fatal(err)
	}
	for m := range one.Messages() {
		if err := m.DoubleAck(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	stands := func() string {
		t.Helper()
		info, err := feed.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint("delivered ", info.Delivered.Stream, " acknowledged ", info.AckFloor.Stream, " waiting ", info.NumPending, " open ", info.NumAckPending)
	}
	before := stands()
	if before != "delivered 1 acknowledged 1 waiting 1 open 0" {
		t.Fatalf("before: %s", before)
	}
	out := must(t, "", "--dir", dir, "policy", "prove", "--live", "--sample", "150", "--seed", "7")
	for _, want := range []string{"the broker of " + dir, " 0 leaks, 0 not as the proof expects", "seed 7", "permissions violation; with all rights: answered", "listeners: off", "attempts at HTTP listeners:", "token of intel  (running: 401", "its own token  (twin: 200", "after its token was revoked"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%.2000s", want, out)
		}
	}
	if after := stands(); after != before {
		t.Errorf("the feed after: %s; before: %s", after, before)
	}
	if r := run(t, "", "--dir", dir, "policy", "prove", "--live", "--policy", write(t, "p.yaml", strings.Replace(string(policy.DefaultYAML()), "name: watch-le\n", "name: watch-else\n", 1))); r.code != exitUsage || !strings.Contains(r.err, "--apart") {
		t.Errorf("another policy than the broker's: exit %d, %s", r.code, r.err)
	}
	up.interrupt()
}

func TestPolicyProveLiveApart(t *testing.T) {
	var d tried
	out := must(t, "", "--dir", t.TempDir(), "policy", "prove", "--live", "--apart", "--brief", "--sample", "10", "-o", "json")
	if err := json.Unmarshal([]byte(out), &d); err != nil {
		t.Fatalf("%v: %.300s", err, out)
	}
	if d.Seed == 0 || d.Summary.Attempts < 1000 || d.Summary.Leaks+d.Summary.Wrong+d.HTTP.Leaks+d.HTTP.Wrong != 0 || d.HTTP.Refused < 500 || d.HTTP.Allowed < 50 || len(d.Attempts) != 0 {
		t.Errorf("got %+v", d)
	}
}
