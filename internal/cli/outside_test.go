package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// childEnv makes a test binary run its arguments as a command line: a process
// of its own, as an operator starts it.
const childEnv = "WATCHFLOOR_CLI_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func childCommand(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env = append(os.Environ(), childEnv+"=1")
	return c
}

// child runs a command line in a process of its own to its end.
func child(t *testing.T, args ...string) (code int, errOut string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var text bytes.Buffer
	c := childCommand(ctx, args...)
	c.Stderr = &text
	err := c.Run()
	if ctx.Err() != nil {
		t.Fatalf("%v still runs after two minutes: %s", args, text.String())
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), text.String()
}

// A broker that others could reach without TLS does not start: it says what is
// missing before it listens or writes anything.
func TestNothingListensForOthersWithoutTLS(t *testing.T) {
	certs := t.TempDir()
	must(t, "", "certs", "make", "--out", certs, "--host", "127.0.0.1")
	at := func(name string) string { return filepath.Join(certs, name) }
	cert, key, ca := at("server.pem"), at("server.key"), at("ca.pem")
	ca2 := t.TempDir()
	must(t, "", "certs", "make", "--out", ca2, "--host", "127.0.0.1")
	authority, err := transport.OpenAuthority(certs, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	over := transport.Files{Cert: at("over.pem"), Key: at("over.key")}
	if err := authority.Issue(over, transport.Leaf{Name: "over", Hosts: []string{"127.0.0.1"}, Server: true, From: time.Now().Add(-2 * time.Hour), Until: time.Now().Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no certificate":              {[]string{"--listen", "0.0.0.0:0"}, "--tls-cert"},
		"no certificate for pages":    {[]string{"--http-listen", "0.0.0.0:0"}, "--tls-cert"},
		"every address":               {[]string{"--listen", ":0"}, "--tls-cert"},
		"IPv6":                        {[]string{"--listen", "[::]:0"}, "--tls-cert"},
		"loopback too":                {[]string{"--listen", "127.0.0.1:0"}, "--tls-cert"},
		"no key":                      {[]string{"--listen", "0.0.0.0:0", "--tls-cert", cert, "--tls-client-ca", ca}, "--tls-key"},
		"no authority of agencies":    {[]string{"--listen", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", key}, "--tls-client-ca"},
		"another pair's key":          {[]string{"--listen", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", filepath.Join(ca2, "server.key"), "--tls-client-ca", ca}, "do not belong together"},
		"an expired certificate":      {[]string{"--listen", "0.0.0.0:0", "--tls-cert", over.Cert, "--tls-key", over.Key, "--tls-client-ca", ca}, "expired on"},
		"certificates for no address": {[]string{"--tls-cert", cert, "--tls-key", key}, "--listen"},
		"no port":                     {[]string{"--listen", "0.0.0.0", "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", ca}, "HOST:PORT"},
	} {
		dir := filepath.Join(t.TempDir(), "none")
		code, text := child(t, append([]string{"up", "--dir", dir, "--port", "-1", "--http-port", "-1"}, c.args...)...)
		if code != exitUsage || !strings.Contains(text, c.says) {
			t.Errorf("%s: exit %d, %q; want %d saying %q", name, code, text, exitUsage, c.says)
		}
		if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: it began: %v", name, err)
		}
	}
}

// listening starts a broker for other machines in a process of its own.
func listening(t *testing.T, dir string) (run runFile, stop func()) {
	t.Helper()
	certs := filepath.Join(dir, "certs")
	ctx, cancel := context.WithCancel(context.Background())
	var text bytes.Buffer
	c := childCommand(ctx, "up", "--dir", dir, "--port", "-1", "--http-port", "-1", "--listen", "0.0.0.0:0", "--http-listen", "0.0.0.0:0", "--without-workers",
		"--tls-cert", filepath.Join(certs, "server.pem"), "--tls-key", filepath.Join(certs, "server.key"), "--tls-client-ca", filepath.Join(certs, "ca.pem"))
	c.Stdout, c.Stderr = &text, &text
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = time.Minute
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	stop = sync.OnceFunc(func() { cancel(); <-ended })
	t.Cleanup(stop)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		data, err := os.ReadFile(filepath.Join(dir, runFileName))
		if err == nil && json.Unmarshal(data, &run) == nil {
			return run, stop
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the broker ended: %v: %s", err, text.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatal("the broker is not up after two minutes")
		}
	}
}

// With certificates the broker listens for other machines, over TLS alone, and
// every command reaches it with a context.
func TestOtherMachinesComeOverTLS(t *testing.T) {
	dir := t.TempDir()
	certs := filepath.Join(dir, "certs")
	must(t, "", "certs", "make", "--dir", dir, "--host", "localhost,127.0.0.1,floor.example.org", "--agency", "jackson-pd", "--agency", "hinds-so")
	up, stop := listening(t, dir)
	here := func(address string) string { // the port, on loopback
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		return net.JoinHostPort("127.0.0.1", u.Port())
	}
	ca, cert, key := filepath.Join(certs, "ca.pem"), filepath.Join(certs, "jackson-pd.pem"), filepath.Join(certs, "jackson-pd.key")
	var agency, reader issuedContext
	for into, args := range map[*issuedContext][]string{
		&agency: {"--agency", "jackson-pd", "--tls-cert", cert, "--tls-key", key}, &reader: {"--reader", "watch-le"},
	} {
		if err := json.Unmarshal([]byte(must(t, "", append([]string{"creds", "issue", "--dir", dir, "--cell", "le", "--tls-ca", ca, "-o", "json"}, args...)...)), into); err != nil {
			t.Fatal(err)
		}
		if into.URL != up.Outside || !strings.HasPrefix(into.URL, "tls://") {
			t.Errorf("issued for %s, want %s", into.URL, up.Outside)
		}
	}
	elsewhere := t.TempDir()
	report := write(t, "report.json", sightings("jackson-pd", 1, "26-1"))
	must(t, "", "publish", "--dir", elsewhere, "--as", "jackson-pd", "--context", agency.Context, report)
	if out := must(t, "", "publish", "--dir", elsewhere, "--as", "jackson-pd", "--url", "tls://"+here(up.Outside), "--creds", agency.Creds,
		"--tls-ca", ca, "--tls-cert", cert, "--tls-key", key, report); !strings.Contains(out, "duplicate 1") {
		t.Errorf("again, by flags: %s", out)
	}
	for name, args := range map[string][]string{
		"without a certificate":        {"--url", "tls://" + here(up.Outside), "--creds", agency.Creds, "--tls-ca", ca},
		"with another's":               {"--url", "tls://" + here(up.Outside), "--creds", agency.Creds, "--tls-ca", ca, "--tls-cert", filepath.Join(certs, "hinds-so.pem"), "--tls-key", filepath.Join(certs, "hinds-so.key")},
		"without TLS":                  {"--url", "nats://" + here(up.Outside), "--creds", agency.Creds},
		"of a server one cannot trust": {"--url", "tls://" + here(up.Outside), "--creds", agency.Creds, "--tls-cert", cert, "--tls-key", key},
	} {
		if r := run(t, "", append([]string{"publish", "--dir", elsewhere, "--as", "jackson-pd"}, append(args, report)...)...); r.code != exitUnreachable {
			t.Errorf("%s: exit %d: %s; want %d", name, r.code, r.err, exitUnreachable)
		}
	}
	if r := run(t, "", "publish", "--dir", dir, "--as", "jackson-pd", "--tls-ca", ca, report); r.code != exitUsage {
		t.Errorf("TLS to the local broker: exit %d: %s; want %d", r.code, r.err, exitUsage)
	}
	// A stock client of a reader, by nothing but its context.
	var f struct {
		URL, Creds string
		Inbox      string `json:"inbox_prefix"`
		CA         string
	}
	data, err := os.ReadFile(reader.Context)
	if err == nil {
		err = json.Unmarshal(data, &f)
	}
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect("tls://"+here(f.URL), nats.UserCredentials(f.Creds), nats.CustomInboxPrefix(f.Inbox), nats.RootCAs(f.CA))
	if err != nil {
		t.Fatalf("stock client: %v", err)
	}
	nc.Close()
	pagesAnswer(t, up, here, ca)
	changesKey(t, dir, stop)
}

// changesKey changes the store key of a broker once it is stopped.
func changesKey(t *testing.T, dir string, stop func()) {
	t.Helper()
	status := []string{"key", "status", "--dir", dir}
	must(t, "", status...)
	if r := run(t, "", "key", "rotate", "--dir", dir); r.code != exitUnreachable {
		t.Errorf("while it runs: exit %d: %s", r.code, r.err)
	}
	if r := run(t, "", "key", "restore", "copy", "--dir", dir); r.code != exitUnreachable {
		t.Errorf("keys brought back while it runs: exit %d: %s", r.code, r.err)
	}
	stop()
	old := filepath.Join(t.TempDir(), "keys")
	if err := os.CopyFS(old, os.DirFS(filepath.Join(dir, "keys"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(old, "keyring.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, "", append(status, "--keys", old)...)
	file := filepath.Join(t.TempDir(), "copy")
	doc, err := account.CopyKeys(filepath.Join(dir, "keys"), filepath.Join(dir, "data"), time.Now())
	if err == nil {
		err = os.WriteFile(file, doc, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	must(t, "", append(status, "--keys", file)...)
	must(t, "", "key", "rotate", "--dir", dir)
	must(t, "", status...)
	if r := run(t, "", append(status, "--keys", file)...); r.code != exitFailed || !strings.Contains(r.err, "do not open the store") {
		t.Errorf("the file of an old copy: exit %d: %s%s", r.code, r.out, r.err)
	}
	if r := run(t, "", append(status, "--keys", old)...); r.code != exitFailed {
		t.Errorf("an old copy: exit %d: %s%s", r.code, r.out, r.err)
	}
	if r := run(t, "", "key", "rotate", "--dir", t.TempDir()); r.code != exitUsage {
		t.Errorf("no store: exit %d: %s", r.code, r.err)
	}
	fresh := filepath.Join(t.TempDir(), "copy")
	if doc, err = account.CopyKeys(filepath.Join(dir, "keys"), filepath.Join(dir, "data"), time.Now()); err == nil {
		err = os.WriteFile(fresh, doc, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r := run(t, "", "key", "restore", fresh, "--dir", dir); r.code != exitUsage || !strings.Contains(r.err, "keys already") {
		t.Errorf("over keys that are there: exit %d: %s%s", r.code, r.out, r.err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	if r := run(t, "", "key", "restore", file, "--dir", dir); r.code != exitFailed || !strings.Contains(r.err, "nothing was touched") {
		t.Errorf("keys of before the rotation come back: exit %d: %s%s", r.code, r.out, r.err)
	}
	if code, text := child(t, "up", "--dir", dir, "--port", "-1", "--http-port", "-1"); code != exitUnreachable || !strings.Contains(text, "restore the copy") {
		t.Errorf("without keys: exit %d: %s", code, text)
	}
	must(t, "", "key", "restore", fresh, "--dir", dir)
	must(t, "", status...)
	must(t, "", "doctor", "--dir", dir, "--lenient", "--reserve", "0")
}

// pagesOver makes one request.
func pagesOver(t *testing.T, conf *tls.Config, address, host string) (int, error) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{TLSClientConfig: conf}, Timeout: time.Minute}
	req, err := http.NewRequestWithContext(t.Context(), "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// pagesAnswer asks the page of a cell with and without TLS.
func pagesAnswer(t *testing.T, up runFile, here func(string) string, ca string) {
	t.Helper()
	conf, err := transport.Client(transport.Files{CA: ca})
	if err != nil {
		t.Fatal(err)
	}
	at := here(up.OutsidePages["le"])
	if code, err := pagesOver(t, conf, "https://"+at+"/v1/cell", ""); err != nil || code != http.StatusUnauthorized {
		t.Errorf("over TLS without a token: %d, %v; want %d", code, err, http.StatusUnauthorized)
	}
	if code, err := pagesOver(t, conf, "https://"+at+"/v1/cell", "floor.example.org"); err != nil || code != http.StatusUnauthorized {
		t.Errorf("by the name in the certificate: %d, %v; want %d", code, err, http.StatusUnauthorized)
	}
	if code, err := pagesOver(t, conf, "http://"+at+"/v1/cell", ""); err == nil && code != http.StatusBadRequest {
		t.Errorf("without TLS: %d; want no answer or %d", code, http.StatusBadRequest)
	}
	old := conf.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	if code, err := pagesOver(t, old, "https://"+at+"/v1/cell", ""); err == nil {
		t.Errorf("over TLS 1.2: %d; want none", code)
	}
}

// What is deployed starts: every flag in the files of deploy is one of the
// command's, and who listens for others brings certificates.
func TestDeployedFlagsExist(t *testing.T) {
	flag := regexp.MustCompile(`--([a-z-]+)`)
	root := (&app{}).root()
	for file, command := range map[string]string{
		"systemd/watchfloor.service": "up", "systemd/watchfloor-standby.service": "worker", "compose/docker-compose.yaml": "up", "helm/values.yaml": "up",
	} {
		data, err := os.ReadFile(filepath.Join("../../deploy", file))
		if err != nil {
			t.Fatal(err)
		}
		c, _, err := root.Find([]string{command})
		if err != nil {
			t.Fatal(err)
		}
		c.InheritedFlags() // merges those of the root
		var text strings.Builder
		for line := range strings.Lines(string(data)) {
			if !strings.HasPrefix(strings.TrimSpace(line), "#") {
				text.WriteString(line)
			}
		}
		has := map[string]bool{}
		for _, m := range flag.FindAllStringSubmatch(text.String(), -1) {
			has[m[1]] = true
			if c.Flags().Lookup(m[1]) == nil && c.InheritedFlags().Lookup(m[1]) == nil {
				t.Errorf("%s: %s has no flag --%s", file, command, m[1])
			}
		}
		if !has["dir"] {
			t.Errorf("%s: found no flags: %v", file, has)
		}
		if has["listen"] && !(has["tls-cert"] && has["tls-key"] && has["tls-client-ca"]) {
			t.Errorf("%s listens for others without certificates", file)
		}
	}
}
