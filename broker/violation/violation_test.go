package violation

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func by(name string, subject string) Attempt {
	return Attempt{Holder: Holder{"agency/" + name, "le", "main"}, Key: "U", Action: "publish", Subject: subject}
}

func find(b *Book, principal, subject string) (Line, bool) {
	for _, l := range b.Lines() {
		if l.Principal == principal && l.Subject == subject {
			return l, true
		}
	}
	return Line{}, false
}

// The same attempt again is the same line, with its first and last time.
func TestCounted(t *testing.T) {
	b := NewBook()
	for i := range 5 {
		b.Add(by("fbi", "$JS.API.STREAM.NAMES"), noon.Add(time.Duration(i)*time.Minute))
	}
	want := []Line{{Holder: Holder{"agency/fbi", "le", "main"}, Key: "U", Action: "publish", Subject: "$JS.API.STREAM.NAMES", Count: 5, First: noon, Last: noon.Add(4 * time.Minute)}}
	if d := cmp.Diff(want, b.Lines()); d != "" {
		t.Error(d)
	}
}

// However much one credential tries, it has a few lines, every attempt is
// counted, and nobody else's line is touched.
func TestAFloodIsBounded(t *testing.T) {
	b := NewBook()
	b.Add(by("dea", "report.secret"), noon)
	const tries = 100_000
	for i := range tries {
		a := by("fbi", fmt.Sprintf("a%d.b%d.%s", i%1000, i, strings.Repeat("x", i%500)))
		if i%3 == 0 {
			a.Action = "subscribe"
		}
		b.Add(a, noon)
	}
	var count uint64
	lines := 0
	for _, l := range b.Lines() {
		if len(l.Subject) > maxSubject+8 {
			t.Errorf("a subject of %d bytes is kept", len(l.Subject))
		}
		if l.Principal == "agency/fbi" {
			lines++
			count += l.Count
		}
	}
	if count != tries || lines > maxExact+maxWide+3 {
		t.Errorf("%d of %d attempts in %d lines", count, tries, lines)
	}
	if l, ok := find(b, "agency/dea", "report.secret"); !ok || l.Count != 1 {
		t.Error("the flood pushed another's line out")
	}
	if l, ok := find(b, "agency/fbi", ">"); !ok || l.Count == 0 {
		t.Error("the rest is not counted in a line of its own")
	}
}

// More holders than there is room for share lines; those before them keep theirs.
func TestManyHolders(t *testing.T) {
	b := NewBook()
	for i := range 3 * maxHolders {
		b.Add(by(fmt.Sprint("a", i), "x.y"), noon)
	}
	if n := len(b.Lines()); n > maxHolders+1 {
		t.Errorf("%d lines", n)
	}
	if _, ok := find(b, "agency/a0", "x.y"); !ok {
		t.Error("the first was pushed out")
	}
	if l, ok := find(b, Others, "x.y"); !ok || l.Count != 2*maxHolders {
		t.Errorf("the others: %+v", l)
	}
	full, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxHolders {
		for k := range maxExact + maxWide + 5 {
			b.Add(by(fmt.Sprint("a", i), fmt.Sprint("x", k, ".", strings.Repeat("y", 300), ".z")), noon)
		}
	}
	if err := Write(b.Lines(), full.Name(), "le", make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(full.Name()); err != nil || info.Size() > maxFile/2 {
		t.Errorf("a full book takes %d bytes", info.Size())
	}
}

// What is written is read again, by the key of its cell and no other; what was
// changed is noticed, and its text is in no file.
func TestSealed(t *testing.T) {
	b := NewBook()
	b.Add(by("fbi", "submit.canary.x"), noon)
	path := filepath.Join(t.TempDir(), "violations", "le")
	key := bytes.Repeat([]byte{7}, 32)
	if err := Write(b.Lines(), path, "le", key); err != nil {
		t.Fatal(err)
	}
	again, err := Read(path, "le", key)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.Lines(), again.Lines()); d != "" {
		t.Error(d)
	}
	data, err := os.ReadFile(path)
	if err != nil || bytes.Contains(data, []byte("canary")) {
		t.Errorf("it lies there in clear: %v", err)
	}
	for name, c := range map[string]struct {
		cell string
		key  []byte
		data []byte
	}{
		"another key":  {"le", bytes.Repeat([]byte{8}, 32), data},
		"another cell": {"intel", key, data},
		"a bit":        {"le", key, append(bytes.Clone(data[:len(data)-1]), data[len(data)-1]^1)},
		"cut":          {"le", key, data[:len(head)+3]},
		"empty":        {"le", key, nil},
	} {
		if err := os.WriteFile(path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path, c.cell, c.key); !errors.Is(err, ErrSealed) {
			t.Errorf("%s: got %v, want %v", name, err, ErrSealed)
		}
	}
	if empty, err := Read(filepath.Join(t.TempDir(), "none"), "le", key); err != nil || len(empty.Lines()) != 0 {
		t.Errorf("without a file: %v", err)
	}
}

// A line goes a quarter of a year after it was last added to.
func TestForget(t *testing.T) {
	b := NewBook()
	b.Add(by("fbi", "old.x"), noon)
	b.Add(by("fbi", "new.x"), noon.Add(kept))
	if !b.Forget(noon.Add(kept+time.Second)) || len(b.Lines()) != 1 || b.Forget(noon.Add(kept+time.Second)) {
		t.Errorf("left: %v", b.Lines())
	}
}
