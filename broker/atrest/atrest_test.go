package atrest

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const oldKey, newKey = "the old key", "the new key"

// store makes a data directory with the key files of one stream, sealed with
// the old key as the server does it; broker/storekey_test.go has the server's own.
func store(t *testing.T) (data, dir string, files []keyFile) {
	t.Helper()
	data = t.TempDir()
	dir = filepath.Join(data, "store")
	home := filepath.Join(dir, "jetstream", "ACCOUNT", "streams", "REPORTS")
	for _, name := range []string{"meta.key", "msgs/1.key", "msgs/2.key", "obs/feed/meta.key", "batches/b/meta.key", "batches/b/msgs/1.key"} {
		path := filepath.Join(home, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// What a server leaves that is killed while it tries whether it can write.
	if err := os.WriteFile(filepath.Join(dir, "jetstream", "_test_1956685642"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := keyFiles(dir)
	if err != nil || len(files) != 6 {
		t.Fatalf("%d key files, %v; want 6", len(files), err)
	}
	for _, f := range files {
		aead, err := f.sealer(oldKey)
		if err != nil {
			t.Fatal(err)
		}
		nonce, plain := make([]byte, nonceSize), make([]byte, 32)
		_, _ = rand.Read(nonce)
		_, _ = rand.Read(plain)
		if err := os.WriteFile(f.path, aead.Seal(append([]byte(nil), nonce...), nonce, plain, nil), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return data, dir, files
}

// opens lists the files that a key opens.
func opens(t *testing.T, files []keyFile, key string) (out string) {
	t.Helper()
	for _, f := range files {
		sealed, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, err := f.open(sealed, key); err == nil && ok {
			out += f.context + " "
		}
	}
	return out
}

const every = "REPORTS REPORTS:1 REPORTS:2 REPORTS.feed b b:1 "

// What every file is sealed with changes, and what it seals does not.
func TestRotate(t *testing.T) {
	data, dir, files := store(t)
	if err := Check(data, dir, newKey); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key fits: %v", err)
	}
	if s, err := ReadSeal(data); err != nil || s != (Seal{}) {
		t.Errorf("a wrong key left the seal %+v, %v", s, err)
	}
	if err := Check(data, dir, oldKey); err != nil {
		t.Fatal(err)
	}
	before := map[string]string{}
	for _, f := range files {
		sealed, _ := os.ReadFile(f.path)
		plain, _, _ := f.open(sealed, oldKey)
		before[f.path] = string(plain) + string(sealed[:nonceSize])
	}
	if n, err := Rotate(data, dir, oldKey, newKey, nil); err != nil || n != 6 {
		t.Fatalf("changed %d, %v; want 6", n, err)
	}
	if a, b := opens(t, files, oldKey), opens(t, files, newKey); a != "" || b != every {
		t.Errorf("the old key opens %q, the new %q", a, b)
	}
	for _, f := range files {
		sealed, _ := os.ReadFile(f.path)
		if plain, _, _ := f.open(sealed, newKey); string(plain)+string(sealed[:nonceSize]) != before[f.path] {
			t.Errorf("%s seals something else", f.path)
		}
	}
	if n, err := Rotate(data, dir, oldKey, newKey, nil); err != nil || n != 0 {
		t.Errorf("once more: changed %d, %v; want nothing to do", n, err)
	}
	if err := errors.Join(Check(data, dir, newKey), expect(Check(data, dir, oldKey), ErrWrongKey)); err != nil {
		t.Error(err)
	}
	if _, err := Rotate(data, dir, "a third", "a fourth", nil); !errors.Is(err, ErrWrongKey) {
		t.Errorf("with keys that are not the store's: %v", err)
	}
}

func expect(got, want error) error {
	if errors.Is(got, want) {
		return nil
	}
	return fmt.Errorf("got %v, want %v", got, want)
}

// A file that no key opens stops a change before it begins; one of a batch of
// which nobody was told anything does not.
func TestRotateLooksFirst(t *testing.T) {
	for name, text := range map[string]string{"short": "x", "other": strings.Repeat("x", sealedSize)} {
		data, dir, files := store(t)
		if err := os.WriteFile(files[2].path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Rotate(data, dir, oldKey, newKey, nil); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v, want %v", name, err, ErrDamaged)
		}
		if b := opens(t, files, newKey); b != "" {
			t.Errorf("%s: changed %q before it was seen", name, b)
		}
		data, dir, files = store(t)
		if err := os.WriteFile(files[5].path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Rotate(data, dir, oldKey, newKey, nil); err != nil || opens(t, files, newKey) != strings.TrimSuffix(every, "b:1 ") {
			t.Errorf("%s in a batch: %v, the new key opens %q", name, err, opens(t, files, newKey))
		}
	}
}

func TestSealThatIsNone(t *testing.T) {
	data, dir, _ := store(t)
	for _, text := range []string{"", "watchfloor-key 2 ab\n", "watchfloor-key 1\n", "watchfloor-key 1 a b c\n"} {
		if err := os.WriteFile(filepath.Join(data, sealFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Check(data, dir, oldKey); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: got %v, want %v", text, err, ErrDamaged)
		}
	}
}
