package account_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/jwt/v2"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func open(t *testing.T, dir string, p *policy.Policy, now func() time.Time) *account.Authority {
	t.Helper()
	a, err := account.Open(config(dir, p, now))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func config(dir string, p *policy.Policy, now func() time.Time) account.Config {
	return account.Config{KeysDir: filepath.Join(dir, "keys"), DataDir: filepath.Join(dir, "data"), Policy: p, Now: now}
}

// claims decodes every account by cell.
func claims(t *testing.T, a *account.Authority) map[string]*jwt.AccountClaims {
	t.Helper()
	out := map[string]*jwt.AccountClaims{}
	for key, token := range a.Accounts() {
		c, err := jwt.DecodeAccountClaims(token)
		if err != nil || c.Subject != key {
			t.Fatalf("account %s: %v", key, err)
		}
		out[c.Name] = c
	}
	return out
}

// T1, T6: no principal of any cell holds a wildcard over the API, over
// inboxes or over everything, and none that a permission list is empty for.
func TestNobodyHoldsWildcards(t *testing.T) {
	a := open(t, t.TempDir(), policy.Default(), time.Now)
	scopes := 0
	for cell, c := range claims(t, a) {
		if cell == "SYS" {
			if len(c.SigningKeys) != 0 {
				t.Error("somebody can sign in to SYS")
			}
			continue
		}
		if c.Limits.Imports != 0 || c.Limits.Exports != 0 || c.Limits.LeafNodeConn != 0 || !c.Limits.DisallowBearer {
			t.Errorf("%s: limits %+v", cell, c.Limits.AccountLimits)
		}
		for key, s := range c.SigningKeys {
			scope, ok := s.(*jwt.UserScope)
			if !ok {
				t.Fatalf("%s: key %s signs without a scope", cell, key)
			}
			scopes++
			checkScope(t, cell, scope)
		}
	}
	if scopes < 80 {
		t.Errorf("got %d scopes, want at least 80", scopes)
	}
}

func checkScope(t *testing.T, cell string, s *jwt.UserScope) {
	t.Helper()
	for verb, p := range map[string]jwt.Permission{"publish": s.Template.Pub, "subscribe": s.Template.Sub} {
		if len(p.Allow) == 0 && !cmp.Equal([]string(p.Deny), []string{">"}) {
			t.Errorf("%s %s: nothing is allowed to %s, which NATS reads as everything", cell, s.Role, verb)
		}
		for _, subj := range p.Allow {
			for _, bad := range []string{">", "$JS.>", "$JS.API.>", "_INBOX.>", "_INBOX.*.>", "$SYS.>", "*.>"} {
				if subj == bad {
					t.Errorf("%s %s may %s %s", cell, s.Role, verb, subj)
				}
			}
			// The one right to delete a message: a cell's worker erases frames of its own pictures.
			if s.Role == "worker/"+cell && slices.ContainsFunc(subject.Statuses, func(st wf.Status) bool { return subj == "$JS.API.STREAM.MSG.DELETE."+subject.SnapshotStream(st) }) {
				continue
			}
			// A stream as a whole goes only to the backup of its own cell.
			if s.Role == "backup/backup" && strings.HasPrefix(subj, "$JS.API.STREAM.SNAPSHOT.") && !strings.ContainsAny(subj, "*>") {
				continue
			}
			privileged := strings.HasPrefix(s.Role, "provision/")
			for _, verb := range []string{"STREAM.CREATE", "STREAM.DELETE", "STREAM.PURGE", "STREAM.UPDATE", "STREAM.RESTORE", "STREAM.SNAPSHOT", "STREAM.MSG", "DURABLE", "CONSUMER.DELETE", "PAUSE"} {
				if strings.Contains(subj, verb) && !(privileged && !strings.Contains(verb, "MSG")) {
					t.Errorf("%s %s holds %s", cell, s.Role, subj)
				}
			}
		}
	}
}

func TestKeysAreStable(t *testing.T) {
	dir := t.TempDir()
	one := open(t, dir, policy.Default(), time.Now)
	two := open(t, dir, policy.Default(), time.Now)
	if one.StoreKey() != two.StoreKey() || one.StoreKey() == "" {
		t.Error("the store key changed")
	}
	if one.SystemAccount() != two.SystemAccount() || one.Operator().Subject != two.Operator().Subject {
		t.Error("the operator changed")
	}
	first, second := claims(t, one), claims(t, two)
	for cell := range first {
		if first[cell].Subject != second[cell].Subject {
			t.Errorf("account of %s changed", cell)
		}
		if d := cmp.Diff(first[cell].SigningKeys, second[cell].SigningKeys); d != "" {
			t.Errorf("keys or permissions of %s changed:\n%s", cell, d)
		}
	}
}

func TestKeysArePrivate(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, policy.Default(), time.Now)
	keys := filepath.Join(dir, "keys")
	check := func(path string, want os.FileMode) {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %04o", path, info.Mode().Perm(), err, want)
		}
	}
	check(keys, 0o700)
	entries, err := os.ReadDir(keys)
	if err != nil || len(entries) != 4 {
		t.Fatalf("got %v, %v; want four files", entries, err)
	}
	for _, e := range entries {
		check(filepath.Join(keys, e.Name()), 0o600)
	}
	for path, mode := range map[string]os.FileMode{keys: 0o750, filepath.Join(keys, "keyring.json"): 0o640, filepath.Join(keys, "operator.jwt"): 0o604} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := account.Open(config(dir, policy.Default(), time.Now)); !errors.Is(err, account.ErrUnsafeKeys) {
			t.Errorf("%s with mode %04o: got %v, want %v", path, mode, err, account.ErrUnsafeKeys)
		}
		if err := os.Chmod(path, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestKeysOutsideData(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(data, link); err != nil {
		t.Fatal(err)
	}
	for _, keys := range []string{data, filepath.Join(data, "keys"), filepath.Join(data, "a", "..", "b"), filepath.Join(link, "keys")} {
		_, err := account.Open(account.Config{KeysDir: keys, DataDir: data, Policy: policy.Default(), Now: time.Now})
		if !errors.Is(err, account.ErrUnsafeKeys) {
			t.Errorf("keys in %s: got %v, want %v", keys, err, account.ErrUnsafeKeys)
		}
	}
}

// The operator's own seed signs once; the broker runs without it.
func TestOperatorSeedMayGoOffline(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, policy.Default(), time.Now)
	if err := os.Remove(filepath.Join(dir, "keys", "operator.nk")); err != nil {
		t.Fatal(err)
	}
	open(t, dir, policy.Default(), time.Now)
}

func TestDamagedKeyring(t *testing.T) {
	for _, text := range []string{"", "{", `{"version":2,"keys":{}}`, `[]`} {
		dir := t.TempDir()
		open(t, dir, policy.Default(), time.Now)
		if err := os.WriteFile(filepath.Join(dir, "keys", "keyring.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := account.Open(config(dir, policy.Default(), time.Now)); err == nil {
			t.Errorf("keyring %q was taken", text)
		}
	}
}

// An issuer beside the broker makes credentials with the broker's keys and
// leaves them as they are.
func TestIssuerChangesNoKeys(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, policy.Default(), time.Now)
	before, err := os.ReadFile(filepath.Join(dir, "keys", "keyring.json"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := account.OpenIssuer(filepath.Join(dir, "keys"), filepath.Join(dir, "data"), policy.Default(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Issue(account.Request{Principal: account.Agency("fbi"), Cell: "le", Lifetime: time.Hour}); err != nil {
		t.Error(err)
	}
	if _, err := a.Issue(account.Request{Principal: account.Agency("fbi"), Cell: "intel"}); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("got %v, want %v", err, account.ErrUnknown)
	}
	after, err := os.ReadFile(filepath.Join(dir, "keys", "keyring.json"))
	if err != nil || string(after) != string(before) {
		t.Errorf("the keyring changed (%v)", err)
	}
}

// The right to put streams back exists in a process that restores, and nowhere
// else: what it makes for that is not kept.
func TestRestoreIsOfOneProcess(t *testing.T) {
	dir := t.TempDir()
	if _, err := account.OpenOffline(filepath.Join(dir, "keys"), filepath.Join(dir, "data"), policy.Default(), time.Now); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("without keys: got %v, want %v", err, account.ErrUnknown)
	}
	dir = t.TempDir()
	cfg := config(dir, policy.Default(), time.Now)
	a := open(t, dir, policy.Default(), time.Now)
	if _, err := a.Issue(account.Request{Principal: account.Restore(), Cell: "le"}); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("a broker issues a credential to restore: %v", err)
	}
	ring := func() string {
		data, err := os.ReadFile(filepath.Join(cfg.KeysDir, "keyring.json"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	before := ring()
	r, err := account.OpenOffline(cfg.KeysDir, cfg.DataDir, policy.Default(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Issue(account.Request{Principal: account.Restore(), Cell: "le"}); err != nil {
		t.Error(err)
	}
	if ring() != before {
		t.Error("restoring wrote keys")
	}
	if r.AccountKey("le") != a.AccountKey("le") || r.StoreKey() != a.StoreKey() {
		t.Error("what is restored would lie in another account, or under another key")
	}
}

// Each cell's backups are sealed with a key of their own, which stays.
func TestArchiveKeys(t *testing.T) {
	dir := t.TempDir()
	seen := map[string]string{}
	for range 2 {
		a := open(t, dir, policy.Default(), time.Now)
		for _, cell := range policy.Default().CellNames() {
			key, err := a.ArchiveKey(cell)
			if err != nil || len(key) < 32 {
				t.Fatalf("%s: %d bytes, %v", cell, len(key), err)
			}
			if other, ok := seen[string(key)]; ok && other != cell {
				t.Errorf("%s and %s share a key", cell, other)
			}
			seen[string(key)] = cell
		}
	}
	if len(seen) != len(policy.Default().Cells) {
		t.Errorf("got %d keys of %d cells: they change", len(seen), len(policy.Default().Cells))
	}
	if _, err := open(t, dir, policy.Default(), time.Now).ArchiveKey("nowhere"); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("an unknown cell: got %v", err)
	}
}

// Copied keys are the same broker again, without the operator's own seed; they
// are put beside no others.
func TestCopiedKeys(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	cfg, to := config(dir, policy.Default(), time.Now), config(other, policy.Default(), time.Now)
	if _, err := account.CopyKeys(cfg.KeysDir, cfg.DataDir, time.Now()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of no keys: got %v", err)
	}
	if have, err := account.HasKeys(cfg.KeysDir); err != nil || have {
		t.Errorf("looking for keys made some: %v, %v", have, err)
	}
	a := open(t, dir, policy.Default(), time.Now)
	doc, err := account.CopyKeys(cfg.KeysDir, cfg.DataDir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if made, err := account.RestoreKeys(doc, to.KeysDir, to.DataDir); err != nil || time.Since(made) > time.Hour {
		t.Fatalf("made %s: %v", made, err)
	}
	if _, err := os.Stat(filepath.Join(to.KeysDir, "operator.nk")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the operator's own seed was copied: %v", err)
	}
	b := open(t, other, policy.Default(), time.Now)
	if a.StoreKey() != b.StoreKey() || a.SystemAccount() != b.SystemAccount() || a.AccountKey("le") != b.AccountKey("le") {
		t.Error("the copy is another broker")
	}
	if d := cmp.Diff(claims(t, a)["le"].SigningKeys, claims(t, b)["le"].SigningKeys); d != "" {
		t.Errorf("credentials do not hold any more:\n%s", d)
	}
	if _, err := account.RestoreKeys(doc, to.KeysDir, to.DataDir); !errors.Is(err, os.ErrExist) {
		t.Errorf("onto keys: got %v", err)
	}
	for _, bad := range []string{"", "{}", `{"format":"watchfloor-keys","version":2}`, `{"format":"watchfloor-keys","version":1,"files":{}}`, strings.Replace(string(doc), `"operator.jwt"`, `"../operator.jwt"`, 1)} {
		if _, err := account.RestoreKeys([]byte(bad), filepath.Join(t.TempDir(), "keys"), to.DataDir); err == nil {
			t.Errorf("%q was taken for keys", bad)
		}
	}
}
