package register

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// key is a public key of a user that ends in n.
func key(n int) string { return "U" + letters(n) }

// letters spells n in 55 letters of the alphabet of keys.
func letters(n int) string {
	out := []byte(strings.Repeat("A", 55))
	for i := len(out) - 1; n > 0; i, n = i-1, n/26 {
		out[i] = byte('A' + n%26)
	}
	return string(out)
}

var signer = "A" + letters(7)

func issued(n int) Entry {
	return Entry{At: noon, Event: Issued, Key: key(n), Principal: "agency/fbi", Cell: "le", User: "main", Signer: signer, Expires: noon.Add(time.Hour)}
}

func revoked(n int) Entry {
	return Entry{At: noon, Event: Revoked, Key: key(n), Principal: "agency/fbi", Cell: "le", From: noon, By: "op", Why: "lost"}
}

// fresh makes a register and opens it.
func fresh(t testing.TB) (dir string, r *Register) {
	t.Helper()
	dir = t.TempDir()
	if err := Create(dir, noon); err != nil {
		t.Fatal(err)
	}
	r, err := Open(dir, Mark{})
	if err != nil {
		t.Fatal(err)
	}
	return dir, r
}

func put(r *Register, entries ...Entry) error {
	_, err := r.Append(func(*Book) ([]Entry, error) { return entries, nil })
	return err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What one process wrote another reads, and a third continues.
func TestWhatIsWrittenIsRead(t *testing.T) {
	dir, r := fresh(t)
	must(t, put(r, issued(1), issued(2)))
	must(t, put(r, revoked(1)))
	other, err := Open(dir, r.Book().Mark())
	must(t, err)
	if !other.Book().Revoked(key(1), noon) || other.Book().Revoked(key(2), noon) || other.Book().Revoked(key(1), noon.Add(-time.Second)) {
		t.Error("the second reader knows another truth")
	}
	must(t, put(other, revoked(2)))
	if grown, err := r.Read(); err != nil || !grown {
		t.Fatalf("read again: %v, %v", grown, err)
	}
	if got := r.Book().RevokedIn("le", noon); len(got) != 2 {
		t.Errorf("revoked: %v, want both", got)
	}
	if got := r.Book().RevokedIn("intel", noon); got != nil {
		t.Errorf("in another cell: %v", got)
	}
}

// A line that was changed, taken out, exchanged or cut makes the whole register
// unreadable; so does one that the keys know and the register does not.
func TestDamageIsRefused(t *testing.T) {
	dir, r := fresh(t)
	must(t, put(r, issued(1), issued(2), revoked(1)))
	mark := r.Book().Mark()
	path := filepath.Join(dir, FileName)
	good, err := os.ReadFile(path)
	must(t, err)
	lines := bytes.SplitAfter(good, []byte("\n"))
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	for name, text := range map[string][]byte{
		"another reason":  bytes.Replace(good, []byte("lost"), []byte("fine"), 1),
		"another cell":    bytes.Replace(good, []byte(`"cell":"le"`), []byte(`"cell":"xx"`), 1),
		"another end":     bytes.Replace(good, []byte("T13:00:00Z"), []byte("T14:00:00Z"), 1),
		"a line less":     join(lines[0], lines[1], lines[3]),
		"exchanged":       join(lines[0], lines[2], lines[1], lines[3]),
		"twice":           join(lines[0], lines[1], lines[1], lines[2], lines[3]),
		"no first line":   join(lines[1:]...),
		"empty":           {},
		"cut":             join(lines[:3]...),
		"not JSON":        append(bytes.Clone(good), "what\n"...),
		"an unknown key":  append(bytes.Clone(good), `{"seq":5,"at":"2026-11-21T12:00:00Z","event":"opened","gone":1}`+"\n"...),
		"another release": bytes.Replace(good, []byte(`"format":1`), []byte(`"format":2`), 1),
	} {
		must(t, os.WriteFile(path, text, 0o600))
		if _, err := Open(dir, mark); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: got %v, want %v", name, err, ErrDamaged)
		}
	}
	must(t, os.WriteFile(path, good, 0o644))
	must(t, os.Chmod(path, 0o644))
	if _, err := Open(dir, mark); !errors.Is(err, ErrDamaged) {
		t.Errorf("readable by all: got %v", err)
	}
	must(t, os.Remove(path))
	if _, err := Open(dir, mark); !errors.Is(err, ErrMissing) {
		t.Errorf("gone: got %v", err)
	}
	must(t, os.WriteFile(path, good, 0o600))
	if _, err := Open(dir, Mark{mark.Seq, strings.Repeat("0", 32)}); !errors.Is(err, ErrDamaged) {
		t.Errorf("exchanged for another of the same length: got %v", err)
	}
	if grown, err := r.Read(); err != nil || grown {
		t.Errorf("restored: %v, %v", grown, err)
	}
}

// Half a line, left by a writer that was killed, counts for nothing and is
// written over; a running reader notices a register that became shorter.
func TestHalfALine(t *testing.T) {
	dir, r := fresh(t)
	must(t, put(r, issued(1)))
	path := filepath.Join(dir, FileName)
	whole, err := os.ReadFile(path)
	must(t, err)
	next, _, err := (Entry{At: noon, Event: Revoked, Key: key(1), Principal: "agency/fbi", Cell: "le", From: noon, Seq: 3}).line(r.Book().Mark().Hash)
	must(t, err)
	for n := 1; n < len(next); n += 7 {
		must(t, os.WriteFile(path, append(bytes.Clone(whole), next[:n]...), 0o600))
		r, err := Open(dir, r.Book().Mark())
		must(t, err)
		if r.Book().Revoked(key(1), noon) {
			t.Fatalf("%d bytes of a revocation count", n)
		}
		must(t, put(r, issued(2)))
		again, err := Open(dir, r.Book().Mark())
		must(t, err)
		if _, ok := again.Book().Find(key(2)); !ok {
			t.Fatalf("after %d bytes: what was written is not read", n)
		}
		must(t, os.WriteFile(path, whole, 0o600))
		if _, err := again.Read(); !errors.Is(err, ErrDamaged) {
			t.Fatalf("it became shorter: got %v", err)
		}
	}
}

// What was revoked is not renewed, issued twice or given to somebody else,
// neither by a writer nor in a file.
func TestTheRevokedStaysRevoked(t *testing.T) {
	_, r := fresh(t)
	must(t, put(r, issued(1), revoked(1)))
	renewed := issued(1)
	renewed.Event = Renewed
	another := revoked(1)
	another.Cell = "intel"
	for name, e := range map[string]Entry{"renewed": renewed, "issued again": issued(1), "revoked as somebody else's": another} {
		if err := put(r, e); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	later := revoked(1)
	later.From = noon.Add(time.Hour)
	must(t, put(r, later))
	if !r.Book().Revoked(key(1), noon) {
		t.Error("a second revocation put the first one off")
	}
}

// Many writers, each with a handle of its own as in a process of its own.
func TestManyWriters(t *testing.T) {
	dir, _ := fresh(t)
	const writers, each = 4, 10
	var wg sync.WaitGroup
	for w := range writers {
		r, err := Open(dir, Mark{})
		must(t, err)
		wg.Go(func() {
			for i := range each {
				if err := put(r, issued(1+w*each+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	r, err := Open(dir, Mark{})
	must(t, err)
	if got := len(r.Book().All()); got != writers*each {
		t.Errorf("%d credentials, want %d", got, writers*each)
	}
}

// A revocation ahead holds from its time, and the register says when that is.
func TestAhead(t *testing.T) {
	_, r := fresh(t)
	e := revoked(1)
	e.From = noon.Add(10 * time.Minute)
	must(t, put(r, issued(1), e))
	b := r.Book()
	if b.Revoked(key(1), noon) || !b.Revoked(key(1), e.From) || !b.Next(noon).Equal(e.From) || !b.Next(e.From).IsZero() {
		t.Errorf("next %s, want %s", b.Next(noon), e.From)
	}
	if got := b.RevokedIn("le", noon); got != nil {
		t.Errorf("before its time: %v", got)
	}
	if got := b.RevokedIn("le", e.From); len(got) != 1 {
		t.Errorf("at its time: %v", got)
	}
	if got := b.RevokedIn("le", noon.Add(time.Hour+slack+time.Second)); got != nil {
		t.Errorf("long after it would have ended by itself: %v", got)
	}
}

var hostile = []string{"", "*", ">", "a.b", "a b", "a\tb", "a\nb", "é1", "FBI", "a*", "-x", "x", "{{name()}}", "_INBOX", "a/b", "\u202e", strings.Repeat("a", 300), "a\x00b"}

// T7: a name that would be a wildcard, or more than one token, neither gets
// into the register nor out of it.
func TestHostileNames(t *testing.T) {
	edits := map[string]func(*Entry, string){
		"user":      func(e *Entry, s string) { e.User = s },
		"cell":      func(e *Entry, s string) { e.Cell = s },
		"principal": func(e *Entry, s string) { e.Principal = "agency/" + s },
		"kind":      func(e *Entry, s string) { e.Principal = s + "/fbi" },
		"key":       func(e *Entry, s string) { e.Key = s },
		"signer":    func(e *Entry, s string) { e.Signer = s },
	}
	dir, r := fresh(t)
	before := r.Book().Mark()
	refused := func(t *rapid.T, what, s string) {
		e := issued(1)
		edits[what](&e, s)
		if err := put(r, e); err == nil {
			t.Fatalf("%s %q is written", what, s)
		}
		e.Seq, e.Prev = before.Seq+1, before.Hash
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.book.clone().add(line); err == nil {
			t.Fatalf("%s %q is read", what, s)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		what := rapid.SampledFrom([]string{"user", "cell", "principal", "kind", "key", "signer"}).Draw(t, "what")
		s := rapid.OneOf(rapid.SampledFrom(hostile), rapid.String().Filter(func(s string) bool {
			return strings.ContainsFunc(s, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-') })
		})).Draw(t, "name")
		refused(t, what, s)
	})
	for _, s := range []string{"a\nb", "\x1b[2J", "\u202e", strings.Repeat("x", 400), "\xff"} {
		e := issued(1)
		e.Why = s
		if err := put(r, e); err == nil {
			t.Errorf("reason %q is written", s)
		}
	}
	if again, err := Open(dir, before); err != nil || again.Book().Mark() != before {
		t.Errorf("something was written: %v", err)
	}
}

// A renewal with an earlier end takes no earlier copy of the credential back: the
// key signs in until the latest end, can be revoked until then, and stays revoked.
func TestAnEarlierEndShortensNothing(t *testing.T) {
	_, r := fresh(t)
	long := issued(1)
	long.Expires = noon.Add(400 * 24 * time.Hour)
	short := issued(1)
	short.Event = Renewed
	must(t, put(r, long, short, revoked(1)))
	if c, _ := r.Book().Find(key(1)); !c.Expires.Equal(long.Expires) {
		t.Errorf("the key ends at %s, its first credential holds until %s", c.Expires, long.Expires)
	}
	if got := r.Book().RevokedIn("le", noon.Add(300*24*time.Hour)); len(got) != 1 {
		t.Errorf("revoked after 300 days: %v, want the key: its first credential would sign in again", got)
	}
}
