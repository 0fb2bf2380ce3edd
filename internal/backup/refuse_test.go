package backup_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/internal/backup"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// flip changes one bit of a file.
func flip(t *testing.T, path string, at float64) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	data[int(at*float64(len(data)-1))] ^= 1
	must(t, os.WriteFile(path, data, 0o600))
}

// What is not exactly what was backed up is refused before anything is touched,
// whoever changed it, and so is what does not belong together.
func TestRefusals(t *testing.T) {
	from, stranger := home(t.TempDir()), home(t.TempDir())
	s := start(t, from, withoutWorkers)
	s.fill(3)
	good, _ := s.backUp()
	second, _ := s.backUp(func(c *backup.Config) { c.Cells = []string{"le"} })
	s.close()
	start(t, stranger, withoutWorkers).close()
	key := keyOf(t, from, "le")

	for _, c := range []struct {
		name  string
		plant func(t *testing.T, dir string)
		want  error
		says  string
	}{
		{"as it is", func(*testing.T, string) {}, nil, ""},
		{"a bit of the reports", func(t *testing.T, dir string) { flip(t, dir+"/le/REPORTS.wfs", 0.5) }, backup.ErrDamaged, "SHA-256"},
		{"the last bit of a picture", func(t *testing.T, dir string) { flip(t, dir+"/le/SNAPSHOT_ACTUAL.wfs", 1) }, backup.ErrDamaged, "SHA-256"},
		{"a count of the manifest", func(t *testing.T, dir string) { edit(t, dir+"/le/manifest.json", `"last": `, `"last": 1`) }, backup.ErrDamaged, "changed"},
		{"the label of the manifest", func(t *testing.T, dir string) {
			edit(t, dir+"/le/manifest.json", `"label": "`, `"label": "TOP `)
		}, backup.ErrDamaged, "changed"},
		{"the hash as well as the file", func(t *testing.T, dir string) {
			must(t, os.Truncate(dir+"/le/REPORTS.wfs", 100))
			edit(t, dir+"/le/manifest.json", `"sha256": "`, `"sha256": "00`)
		}, backup.ErrDamaged, "changed"},
		{"cut short", func(t *testing.T, dir string) { must(t, os.Truncate(dir+"/le/REPORTS.wfs", 100)) }, backup.ErrDamaged, "bytes"},
		{"a file taken away", func(t *testing.T, dir string) { must(t, os.Remove(dir+"/le/REFUSALS.wfs")) }, backup.ErrDamaged, "REFUSALS"},
		{"a stream left out", func(t *testing.T, dir string) {
			backup.Rewrite(t, dir+"/le", key, nil, backup.Left(subject.Refusals))
		}, backup.ErrDamaged, "lacks stream REFUSALS"},
		{"a file in another's place", func(t *testing.T, dir string) {
			must(t, os.Rename(dir+"/le/REFUSALS.wfs", dir+"/le/x"))
			must(t, os.Rename(dir+"/le/SNAPSHOT_TEST.wfs", dir+"/le/REFUSALS.wfs"))
			must(t, os.Rename(dir+"/le/x", dir+"/le/SNAPSHOT_TEST.wfs"))
		}, backup.ErrDamaged, ""},
		{"a picture of other reports", func(t *testing.T, dir string) {
			backup.Rewrite(t, dir+"/le", key, nil, func(m *backup.Manifest) { m.Pictures[0].Digest = strings.Repeat("f", 64) })
		}, backup.ErrDamaged, "picture"},
		{"a message fewer than counted", func(t *testing.T, dir string) {
			n := 0
			backup.Rewrite(t, dir+"/le", key, nil, func(m *backup.Manifest) {
				for i := range m.Streams {
					n++
					m.Streams[i].Messages++
				}
			})
			if n == 0 {
				t.Fatal("the manifest has no streams")
			}
		}, backup.ErrDamaged, "messages"},
		{"a newer version", func(t *testing.T, dir string) { edit(t, dir+"/le/manifest.json", `"version": 1`, `"version": 2`) }, backup.ErrNewer, "reads up to 1"},
		{"a field that this release does not know", func(t *testing.T, dir string) {
			edit(t, dir+"/le/manifest.json", `"version": 1`, `"secret": 1, "version": 1`)
		}, backup.ErrDamaged, "secret"},
		{"a missing cell", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir+"/le")) }, backup.ErrMixed, "le is missing"},
		{"a cell of another backup", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir+"/le"))
			must(t, os.CopyFS(dir+"/le", os.DirFS(second+"/le")))
		}, backup.ErrMixed, "one backup"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, to := filepath.Join(t.TempDir(), "set"), home(t.TempDir())
			must(t, os.CopyFS(dir, os.DirFS(good)))
			c.plant(t, dir)
			copyKeys(t, from, to)
			refused(t, dir, to, small(t), c.want, c.says)
		})
	}
	t.Run("other keys", func(t *testing.T) {
		to := home(t.TempDir())
		copyKeys(t, stranger, to)
		refused(t, good, to, small(t), backup.ErrKey, "--keys")
	})
	t.Run("another label", func(t *testing.T) {
		to := home(t.TempDir())
		copyKeys(t, from, to)
		refused(t, good, to, small(t, "{level: TOP SECRET, sides: [LE, INTEL]}", "{level: SECRET, sides: [LE, INTEL]}"), backup.ErrMixed, "label")
	})
	t.Run("some cells, when that is allowed", func(t *testing.T) {
		to := home(t.TempDir())
		copyKeys(t, from, to)
		keys := openKeys(t, to)
		a, err := backup.Open([]string{filepath.Join(good, "le")}, small(t), keys, true)
		must(t, err)
		out, err := backup.Restore(t.Context(), a, backup.Target{Policy: small(t), DataDir: to.data(), KeysDir: to.keys(), Now: time.Now})
		must(t, err)
		if len(out.Notes) != 2 || !strings.Contains(out.Notes[0], "fused is not among") {
			t.Errorf("what is left empty is told as %q", out.Notes)
		}
	})
	t.Run("a cell twice", func(t *testing.T) {
		to := home(t.TempDir())
		copyKeys(t, from, to)
		dirs, err := backup.Find(good)
		must(t, err)
		if _, err := backup.Open(append(dirs, dirs[0]), small(t), openKeys(t, to), false); !errors.Is(err, backup.ErrMixed) {
			t.Errorf("a cell named twice: got %v", err)
		}
	})
}

// edit replaces every old text in a file.
func edit(t *testing.T, path, old, text string) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	if !bytes.Contains(data, []byte(old)) {
		t.Fatalf("%s has no %q", path, old)
	}
	must(t, os.WriteFile(path, bytes.ReplaceAll(data, []byte(old), []byte(text)), 0o600))
}

// refused restores and wants the error, and nothing at the place of the data.
func refused(t *testing.T, dir string, to home, p *policy.Policy, want error, says string) {
	t.Helper()
	_, err := restore(t, dir, to, p)
	if want == nil {
		must(t, err)
		return
	}
	if !errors.Is(err, want) || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want %v that says %q", err, want, says)
	}
	left, err := os.ReadDir(string(to))
	must(t, err)
	for _, e := range left {
		if e.Name() != "keys" {
			t.Errorf("%s was touched", e.Name())
		}
	}
}

// A sealed file opens only whole, in its place, and with its key.
func TestSeal(t *testing.T) {
	key, other := bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)
	for _, n := range []int{0, 1, backup.ChunkSize - 1, backup.ChunkSize, backup.ChunkSize + 1, 3 * backup.ChunkSize} {
		text := bytes.Repeat([]byte("watch "), n/6+1)[:n]
		sealed := backup.Sealed(t, key, "le", text)
		if got, err := backup.Unsealed(key, "le", sealed); err != nil || !bytes.Equal(got, text) {
			t.Errorf("%d bytes: got %d back, %v", n, len(got), err)
		}
		if n > 6 && bytes.Contains(sealed, []byte("watch watch")) {
			t.Errorf("%d bytes: the text can be read", n)
		}
		bad := map[string][]byte{"nothing": nil, "a byte more": append(bytes.Clone(sealed), 0), "a chunk twice": append(bytes.Clone(sealed), sealed[40:]...)}
		for cut := 1; cut < len(sealed); cut += len(sealed)/7 + 1 {
			bad["cut short"] = sealed[:len(sealed)-cut]
		}
		if n == 3*backup.ChunkSize {
			one := 40 + backup.ChunkSize + 16
			bad["cut after a chunk"] = sealed[:one]
			bad["a chunk left out"] = append(bytes.Clone(sealed[:40]), sealed[one:]...)
		}
		for at := 0; at < len(sealed); at += len(sealed)/50 + 1 {
			changed := bytes.Clone(sealed)
			changed[at] ^= 0x80
			bad["changed at "+string(rune('A'+at%26))] = changed
		}
		for name, data := range bad {
			if got, err := backup.Unsealed(key, "le", data); !errors.Is(err, backup.ErrDamaged) {
				t.Errorf("%d bytes, %s: got %d bytes and %v", n, name, len(got), err)
			}
		}
		if _, err := backup.Unsealed(other, "le", sealed); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("%d bytes: another key: %v", n, err)
		}
		if _, err := backup.Unsealed(key, "fused", sealed); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("%d bytes: another place: %v", n, err)
		}
	}
}
