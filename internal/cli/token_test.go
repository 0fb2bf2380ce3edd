package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A token is issued for a purpose and an end, opens its cell, is recorded with
// what it read, and is worth nothing once revoked.
func TestTokenIssueAuditRevoke(t *testing.T) {
	dir := t.TempDir()
	up := begin(t, "up", "--dir", dir, "--port", "-1", "--http-port", "-1")
	up.until("Ctrl-C ends")
	type token struct {
		Token, Page, ID, Reader, Kind, Cell, Purpose string
		Issued, Expires                              time.Time
	}
	issue := func(args ...string) (k token) {
		t.Helper()
		out := must(t, "", append([]string{"creds", "token", "--dir", dir, "-o", "json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &k); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		return k
	}
	person, service := issue("--reader", "watch-le", "--cell", "le", "--page"), issue("--reader", "feed-le", "--cell", "le", "--purpose", "downstream analysis", "--expires", "720h")
	if person.Kind != "person" || person.Purpose != "watch floor" || len(person.ID) != 16 || !strings.HasSuffix(person.Page, "/#token="+person.Token) {
		t.Errorf("got %+v", person)
	}
	for k, want := range map[*token]time.Duration{&person: 8 * time.Hour, &service: 720 * time.Hour} {
		if got := k.Expires.Sub(k.Issued); got > want || got < want-2*time.Second {
			t.Errorf("%s: holds for %s, want %s", k.Reader, got, want)
		}
	}
	for _, args := range [][]string{
		{"--reader", "watch-le", "--cell", "le", "--expires", "720h"}, {"--reader", "watch-le", "--cell", "le", "--expires", "-1h"},
		{"--reader", "watch-le", "--cell", "le", "--purpose", "curiosity"}, {"--reader", "watch-le", "--cell", "fused"}, {"--reader", "watch-le", "--cell", "leaks"},
		{"revoke"}, {"revoke", "--id", "../x"}, {"revoke", "--cell", "leaks"}, {"revoke", "--id", person.ID, "--reader", "watch-le"},
	} {
		if r := run(t, "", append([]string{"creds", "token", "--dir", dir}, args...)...); r.code != exitUsage || r.out != "" {
			t.Errorf("%v: exit %d, %s%s", args, r.code, r.out, r.err)
		}
	}

	base, _, _ := strings.Cut(person.Page, "/#")
	code := func(k token) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/cell", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+k.Token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	gone := func(k token) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); code(k) == http.StatusOK; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("token %s is let in although it was revoked", k.ID)
			}
		}
	}
	if got := []int{code(person), code(service)}; got[0] != 200 || got[1] != 200 {
		t.Fatalf("the tokens are answered %v", got)
	}
	must(t, "", "creds", "token", "revoke", "--dir", dir, "--id", person.ID)
	gone(person)
	if got := code(service); got != 200 {
		t.Errorf("another token is answered %d", got)
	}
	must(t, "", "creds", "token", "revoke", "--dir", dir, "--reader", "feed-le")
	gone(service)
	up.interrupt()

	key := filepath.Join(t.TempDir(), "auditor.key")
	if err := os.Rename(filepath.Join(dir, "keys", "auditor.key"), key); err != nil {
		t.Fatal(err)
	}
	if r := run(t, "", "audit", "reads", "--dir", dir, "--cell", "le"); r.code != exitUsage || !strings.Contains(r.err, "--key") {
		t.Errorf("without the key: exit %d, %s", r.code, r.err)
	}
	out := must(t, "", "audit", "reads", "--dir", dir, "--cell", "le", "--key", key)
	for _, want := range []string{"watch-le", "person", person.ID, "watch floor", "/v1/cell", service.ID, "service", "2 readers"} {
		if !strings.Contains(out, want) {
			t.Errorf("the record does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, person.Token) {
		t.Error("the record holds a token")
	}
	lines := must(t, "", "audit", "reads", "--dir", dir, "--cell", "le", "--key", key, "--token", service.ID, "-o", "jsonl")
	if !strings.Contains(lines, service.ID) || strings.Contains(lines, person.ID) {
		t.Errorf("asked for one token:\n%s", lines)
	}
	if r := run(t, "", "audit", "reads", "--dir", dir, "--cell", "le", "--key", filepath.Join(dir, "keys", "operator.nk")); r.code != exitUsage {
		t.Errorf("with another key: exit %d, %s", r.code, r.err)
	}
	alter(t, filepath.Join(dir, "access", "le", "watch-le"))
	if r := run(t, "", "audit", "reads", "--dir", dir, "--cell", "le", "--key", key); r.code != exitFailed || !strings.Contains(r.err, "altered") {
		t.Errorf("an altered record: exit %d, %s", r.code, r.err)
	}
}

// alter changes the last byte of the only file of a folder.
func alter(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	name := filepath.Join(dir, entries[0].Name())
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-1] ^= 1
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
