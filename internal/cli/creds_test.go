package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
)

// found starts a broker that the commands find in a folder.
func found(t *testing.T, dir string) *broker.Broker {
	t.Helper()
	b := brokertest.Start(t, brokertest.Dir(dir), brokertest.WithoutGuards())
	run := runFile{URL: b.ClientURL(), PID: os.Getpid(), Status: "actual"}
	if err := run.write(dir); err != nil {
		t.Fatal(err)
	}
	return b
}

// listed is "creds list" by user name.
func listed(t *testing.T, dir string, args ...string) map[string]credentialView {
	t.Helper()
	var list []credentialView
	if err := json.Unmarshal([]byte(must(t, "", append([]string{"creds", "list", "-o", "json", "--dir", dir}, args...)...)), &list); err != nil {
		t.Fatal(err)
	}
	out := map[string]credentialView{}
	for _, v := range list {
		out[v.User] = v
	}
	return out
}

// A credential's life by the command line: issued, listed, rotated, renewed,
// revoked while the broker runs and while it does not.
func TestCredentialsLife(t *testing.T) {
	dir := t.TempDir()
	b := found(t, dir)
	file := filepath.Join(dir, "creds", "le", "fbi.creds")
	must(t, "", "creds", "issue", "--dir", dir, "--agency", "fbi", "--cell", "le")
	must(t, "", "creds", "issue", "--dir", dir, "--agency", "fbi", "--cell", "le", "--user", "cad", "--expires", "240h")
	must(t, "", "creds", "token", "--dir", dir, "--reader", "watch-le", "--cell", "le", "--note", "shift")
	before := listed(t, dir)
	if len(before) != 3 || before["main"].State != "live" || before["cad"].Expires == "" || before["http"].Why != "shift" {
		t.Errorf("listed %+v", before)
	}
	if r := run(t, "", "creds", "issue", "--dir", dir, "--agency", "fbi", "--cell", "le"); r.code != exitUsage || len(listed(t, dir)) != 3 {
		t.Errorf("a second one in the same file: exit %d, and %d are listed", r.code, len(listed(t, dir)))
	}
	closed := make(chan struct{})
	nc, err := nats.Connect(b.ClientURL(), nats.UserCredentials(file), nats.CustomInboxPrefix("_INBOX.fbi.main"), nats.NoReconnect(),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	must(t, "", "creds", "rotate", "--dir", dir, "--agency", "fbi", "--cell", "le", "--overlap", "1h")
	all := listed(t, dir, "--all")
	if len(listed(t, dir)) != 3 || all["main"].Key == before["main"].Key {
		t.Errorf("after the rotation: %+v", all)
	}
	ends := all["cad"].Expires
	must(t, "", "creds", "renew", "--dir", dir, filepath.Join(dir, "creds", "le", "fbi-cad.creds"))
	if got := listed(t, dir)["cad"]; got.Expires <= ends || got.Key != before["cad"].Key {
		t.Errorf("renewed: ends %s, before %s", got.Expires, ends)
	}

	if r := run(t, "", "creds", "revoke", "--dir", dir, before["main"].Key); r.code != exitUsage || !strings.Contains(r.err, "--reason") {
		t.Errorf("without a reason: exit %d, %s", r.code, r.err)
	}
	if r := run(t, "", "creds", "revoke", "--dir", dir, "UNOTAKEY", "--reason", "x"); r.code != exitUsage {
		t.Errorf("nobody's key: exit %d, %s", r.code, r.err)
	}
	var done enforced
	if err := json.Unmarshal([]byte(must(t, "", "creds", "revoke", "--dir", dir, "-o", "json", "--reason", "test", before["main"].Key[:12])), &done); err != nil {
		t.Fatal(err)
	}
	if !done.InForce || done.Dropped != 1 || done.Millis <= 0 || len(done.Revoked) != 1 {
		t.Errorf("revoked: %+v", done)
	}
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Error("the connection lives on")
	}
	b.Close()
	if err := os.Remove(filepath.Join(dir, runFileName)); err != nil {
		t.Fatal(err)
	}
	if out := must(t, "", "creds", "revoke", "--dir", dir, file, "--reason", "stopped"); !strings.Contains(out, "no broker runs") {
		t.Errorf("while none runs: %s", out)
	}
	must(t, "", "creds", "rotate", "--operator", "--dir", dir)
	b = found(t, dir)
	if nc, err := nats.Connect(b.ClientURL(), nats.UserCredentials(file)); err == nil {
		nc.Close()
		t.Error("what was revoked while no broker ran signs in")
	}
	if got := listed(t, dir); len(got) != 2 || got["cad"].State != "live" {
		t.Errorf("left: %+v", got)
	}
	b.Close()
	out := must(t, "", "audit", "violations", "--dir", dir, "-o", "jsonl")
	if !strings.Contains(out, `"action":"sign-in"`) || !strings.Contains(out, listed(t, dir, "--all")["main"].Key) {
		t.Errorf("refused sign-ins: %s", out)
	}
}

// What was revoked or is rotated twice does not stand in the way of a new one,
// and whoever takes back one key is told of the others.
func TestCredentialsAreIssuedAnew(t *testing.T) {
	dir := t.TempDir()
	found(t, dir)
	file := filepath.Join(dir, "creds", "le", "fbi.creds")
	issue := []string{"creds", "issue", "--dir", dir, "--agency", "fbi", "--cell", "le"}
	rotate := []string{"creds", "rotate", "--dir", dir, "--agency", "fbi", "--cell", "le"}
	must(t, "", issue...)
	must(t, "", rotate...)
	must(t, "", rotate...) // the first key ends already, sooner than this overlap
	if r := run(t, "", issue...); r.code != exitUsage || !strings.Contains(r.err, "already") {
		t.Errorf("in the place of one that holds: exit %d, %s", r.code, r.err)
	}
	out := must(t, "", "creds", "revoke", "--dir", dir, file, "--reason", "lost")
	if !strings.Contains(out, "2 other credentials of agency/fbi") || !strings.Contains(out, "creds revoke --agency fbi") {
		t.Errorf("one of three revoked: %s", out)
	}
	must(t, "", issue...)
	key, err := keyOf(file)
	if got := listed(t, dir)["main"]; err != nil || got.Key != key || got.State != "live" {
		t.Errorf("issued in the place of a revoked one: %+v, the file has %s, %v", got, key, err)
	}
	if out := must(t, "", "creds", "revoke", "--dir", dir, "--agency", "fbi", "--reason", "lost"); strings.Contains(out, "still in force") {
		t.Errorf("everything revoked: %s", out)
	}
	stranger := t.TempDir()
	found(t, stranger)
	must(t, "", "creds", "issue", "--dir", stranger, "--agency", "fbi", "--cell", "le", "--out", filepath.Join(dir, "creds", "hsi"))
	if r := run(t, "", append(issue, "--out", filepath.Join(dir, "creds", "hsi"))...); r.code != exitUsage {
		t.Errorf("in the place of a key that the register does not know: exit %d, %s", r.code, r.err)
	}
}
