package access

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type rig struct {
	dir   string
	key   *ecdh.PrivateKey
	cfg   Config
	mu    sync.Mutex
	clock time.Time
}

func pair(t testing.TB) (private, public []byte) {
	t.Helper()
	private, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParsePrivate(private)
	if err != nil {
		t.Fatal(err)
	}
	if public, err = PublicText(key.PublicKey()); err != nil {
		t.Fatal(err)
	}
	return private, public
}

func newRig(t *testing.T) *rig {
	t.Helper()
	private, public := pair(t)
	r := &rig{dir: filepath.Join(t.TempDir(), "access", "le"), clock: time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)}
	var err error
	if r.key, err = ParsePrivate(private); err != nil {
		t.Fatal(err)
	}
	r.cfg = Config{Dir: r.dir, Now: r.now}
	if r.cfg.Auditor, err = ParsePublic(public); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) now() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.clock
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock = r.clock.Add(d)
}

func (r *rig) open(t *testing.T) *Log {
	t.Helper()
	l, err := Open(r.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func (r *rig) a(reader, situation string) Record {
	return Record{
		Time: r.now(), Cell: "le", Reader: reader, Kind: "person", Token: "0011223344556677", Purpose: "watch floor",
		What: Read, Endpoint: "/v1/situations/{id}", Status: "actual", Situation: situation,
	}
}

func keep(t *testing.T, l *Log, records ...Record) {
	t.Helper()
	for _, x := range records {
		if err := l.Record(t.Context(), x); err != nil {
			t.Fatal(err)
		}
	}
}

func (r *rig) audit(t *testing.T) ([]Record, Summary) {
	t.Helper()
	var out []Record
	sum, err := Audit(r.dir, r.key, func(x Record) error { out = append(out, x); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return out, sum
}

// What was recorded is read by the auditor, in order, over restarts.
func TestWhatIsRecordedIsAudited(t *testing.T) {
	r := newRig(t)
	var want []Record
	for range 3 {
		l := r.open(t)
		for range 4 {
			want = append(want, r.a("watch-le", fmt.Sprintf("%032x", len(want))))
			keep(t, l, want[len(want)-1])
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := l.Record(t.Context(), want[0]); !errors.Is(err, ErrClosed) {
			t.Errorf("after the end: got %v, want %v", err, ErrClosed)
		}
	}
	got, sum := r.audit(t)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if sum != (Summary{Readers: 1, Segments: 3, Records: 12}) {
		t.Errorf("got %+v", sum)
	}
}

// Nobody else reads it: not with another key, and not in the files.
func TestOnlyTheAuditorReads(t *testing.T) {
	r := newRig(t)
	keep(t, r.open(t), r.a("watch-le", strings.Repeat("ab", 16)))
	private, public := pair(t)
	if _, err := ParsePublic(private); err == nil {
		t.Error("a private key is taken for a public one")
	}
	if _, err := ParsePrivate(public); err == nil {
		t.Error("a public key is taken for a private one")
	}
	stranger := newRig(t).key
	if _, err := Audit(r.dir, stranger, func(Record) error { t.Error("a record is read with another key"); return nil }); !errors.Is(err, ErrKey) {
		t.Errorf("with another key: got %v, want %v", err, ErrKey)
	}
	name := filepath.Join(r.dir, "watch-le", segmentName(1))
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"watch floor", "0011223344556677", "abababab", "situations", "reader"} {
		if bytes.Contains(data, []byte(word)) {
			t.Errorf("the file says %q", word)
		}
	}
	for _, path := range []string{name, filepath.Dir(name), r.dir} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v, %v", path, info.Mode(), err)
		}
	}
}

// Every byte that is altered, every frame or segment that is taken out or
// exchanged is found.
func TestAlteredRecordsAreFound(t *testing.T) {
	r := newRig(t)
	for range 3 {
		l := r.open(t)
		keep(t, l, r.a("watch-le", "a"), r.a("watch-le", "b"), r.a("watch-le", "c"))
		l.Close()
	}
	at := func(n uint64) string { return filepath.Join(r.dir, "watch-le", segmentName(n)) }
	whole := map[uint64][]byte{}
	for n := uint64(1); n <= 3; n++ {
		data, err := os.ReadFile(at(n))
		if err != nil {
			t.Fatal(err)
		}
		whole[n] = data
	}
	audit := func() error {
		_, err := Audit(r.dir, r.key, func(Record) error { return nil })
		return err
	}
	put := func(n uint64, data []byte) {
		t.Helper()
		if err := os.WriteFile(at(n), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := audit(); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(whole[3]); i += 7 {
		bad := bytes.Clone(whole[3])
		bad[i] ^= 4
		put(3, bad)
		sum, err := Audit(r.dir, r.key, func(Record) error { return nil })
		if err == nil && sum.Torn == 0 {
			t.Errorf("byte %d of the newest segment altered: not found", i)
		}
	}
	put(3, whole[3])
	for why, bad := range map[string][]byte{
		"cut": whole[2][:len(whole[2])-9], "empty": {}, "exchanged": whole[1], "longer": append(bytes.Clone(whole[2]), 0, 0, 0, 40),
	} {
		put(2, bad)
		if err := audit(); !errors.Is(err, ErrAltered) {
			t.Errorf("a segment %s: got %v, want %v", why, err, ErrAltered)
		}
	}
	if err := os.Remove(at(2)); err != nil {
		t.Fatal(err)
	}
	if err := audit(); !errors.Is(err, ErrAltered) {
		t.Errorf("a segment removed: got %v, want %v", err, ErrAltered)
	}
	put(2, whole[2])
	if err := os.MkdirAll(filepath.Join(r.dir, "watch-two"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "watch-two", segmentName(1)), whole[1], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := audit(); !errors.Is(err, ErrAltered) {
		t.Errorf("a segment given to another reader: got %v, want %v", err, ErrAltered)
	}
}

// After a power cut in the middle of a record what comes before it is read,
// and recording goes on.
func TestTornRecord(t *testing.T) {
	r := newRig(t)
	l := r.open(t)
	keep(t, l, r.a("watch-le", "a"), r.a("watch-le", "b"))
	l.Close()
	name := filepath.Join(r.dir, "watch-le", segmentName(1))
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, info.Size()-5); err != nil {
		t.Fatal(err)
	}
	l = r.open(t)
	keep(t, l, r.a("watch-le", "c"))
	for _, size := range []int{headerSize + 30, headerSize, 20, 0} { // cut where the next one begins
		l.Close()
		numbers, _, err := segmentsIn(filepath.Dir(name))
		if err != nil {
			t.Fatal(err)
		}
		next := filepath.Join(filepath.Dir(name), segmentName(numbers[len(numbers)-1]+1))
		if err := os.WriteFile(next, append([]byte(format), bytes.Repeat([]byte{4}, 100)...)[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if size > len(format) {
			header, s, err := newSealer(r.cfg.Auditor)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(next, s.seal(header, []byte("{}"))[:size], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l = r.open(t)
	}
	got, sum := r.audit(t)
	if sum.Torn != 5 {
		t.Errorf("%d segments are torn, want 5", sum.Torn)
	}
	if len(got) != 2 || got[0].Situation != "a" || got[1].Situation != "c" {
		t.Errorf("got %v, %+v", got, sum)
	}
}

// One record stands for the same read in the same minute, and for no other.
func TestOneRecordPerMinute(t *testing.T) {
	r := newRig(t)
	l := r.open(t)
	other := r.a("watch-le", "a")
	other.Purpose = "downstream analysis"
	opened := r.a("watch-le", "a")
	opened.What = Opened
	keep(t, l, r.a("watch-le", "a"), r.a("watch-le", "a"), r.a("watch-le", "b"), other, opened, opened, r.a("feed-le", "a"))
	r.pass(59 * time.Second)
	keep(t, l, r.a("watch-le", "a"))
	r.pass(time.Second)
	keep(t, l, r.a("watch-le", "a"), r.a("watch-le", "a"))
	got, _ := r.audit(t)
	if len(got) != 7 {
		t.Errorf("got %d records, want 7:\n%v", len(got), got)
	}
}

// A full share refuses its reader, and nobody else.
func TestFullShare(t *testing.T) {
	r := newRig(t)
	r.cfg.Share = 4096
	l := r.open(t)
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = l.Record(t.Context(), r.a("watch-le", fmt.Sprintf("%032x", n)))
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("after %d records: got %v, want %v", n, err, ErrFull)
	}
	keep(t, l, r.a("feed-le", "a"))
	if err := l.Record(t.Context(), r.a("watch-le", "more")); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want %v", err, ErrFull)
	}
	l.Close()
	if err := r.open(t).Record(t.Context(), r.a("watch-le", "more")); !errors.Is(err, ErrFull) {
		t.Errorf("after a restart: got %v, want %v", err, ErrFull)
	}
	if got, _ := r.audit(t); len(got) != n {
		t.Errorf("got %d records, want %d", len(got), n)
	}
}

// A record that cannot be kept is an error, and when it can be kept again
// nothing is missing in between.
func TestCannotRecord(t *testing.T) {
	r := newRig(t)
	l := r.open(t)
	keep(t, l, r.a("watch-le", "a"))
	l.shares["watch-le"].seg.file.Close() // as a disk that is gone
	if err := l.Record(t.Context(), r.a("watch-le", "b")); err == nil {
		t.Fatal("recorded on a closed file")
	}
	if err := l.Record(t.Context(), r.a("watch-le", "b")); err != nil {
		t.Errorf("a new segment: %v", err)
	}
	if got, sum := r.audit(t); len(got) != 2 || sum.Segments != 2 {
		t.Errorf("got %v, %+v", got, sum)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "feed-le"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), r.a("feed-le", "a")); err == nil {
		t.Error("recorded in a folder that is none")
	}
	for _, change := range []func(*Record){
		func(x *Record) { x.Reader = "../../etc" }, func(x *Record) { x.Reader = "" }, func(x *Record) { x.Purpose = "" },
		func(x *Record) { x.Token = "" }, func(x *Record) { x.What = "" }, func(x *Record) { x.Cell = "" }, func(x *Record) { x.Endpoint = "" },
	} {
		x := r.a("watch-le", "a")
		if change(&x); l.Record(t.Context(), x) == nil {
			t.Errorf("recorded: %+v", x)
		}
	}
}

// Many at once are all kept, and each is on disk when it is told so.
func TestManyAtOnce(t *testing.T) {
	r := newRig(t)
	l := r.open(t)
	var wg sync.WaitGroup
	const n = 64
	for i := range n {
		wg.Go(func() {
			if err := l.Record(context.Background(), r.a("watch-le", fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	got, _ := r.audit(t)
	for _, x := range got {
		seen[x.Situation] = true
	}
	if len(seen) != n || len(got) != n {
		t.Errorf("%d records of %d accesses, want %d", len(got), len(seen), n)
	}
}

// What is older than it is kept goes, one segment for each that begins.
func TestOldSegmentsGo(t *testing.T) {
	r := newRig(t)
	l := r.open(t)
	for range 3 {
		keep(t, l, r.a("watch-le", "a"))
		r.pass(segmentAge)
	}
	old := filepath.Join(r.dir, "watch-le", segmentName(1))
	long := r.clock.Add(-defaultKeep - 48*time.Hour)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	keep(t, l, r.a("watch-le", "a"))
	got, sum := r.audit(t)
	if len(got) != 3 || sum.Removed != 1 || sum.Segments != 3 {
		t.Errorf("got %d records, %+v", len(got), sum)
	}
}

// Whatever lies in a segment's place is read or refused.
func FuzzAudit(f *testing.F) {
	private, public := pair(f)
	key, err := ParsePrivate(private)
	if err != nil {
		f.Fatal(err)
	}
	auditor, err := ParsePublic(public)
	if err != nil {
		f.Fatal(err)
	}
	header, s, err := newSealer(auditor)
	if err != nil {
		f.Fatal(err)
	}
	good := s.seal(s.seal(header, []byte(`{"reader":"watch-le","number":1}`)), []byte(`{"what":"read"}`))
	f.Add(good, 0)
	f.Add(good[:len(good)-3], 90)
	f.Add([]byte(format), 3)
	f.Add(append([]byte(format), make([]byte, 80)...), 0)
	f.Fuzz(func(t *testing.T, tail []byte, at int) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "watch-le"), 0o700); err != nil {
			t.Fatal(err)
		}
		data := tail
		if at > 0 && at <= len(good) {
			data = append(bytes.Clone(good[:at]), tail...)
		}
		if err := os.WriteFile(filepath.Join(dir, "watch-le", segmentName(1)), data, 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		sum, err := Audit(dir, key, func(Record) error { n++; return nil })
		if n > 1 || err == nil && n == 0 && sum.Torn == 0 && len(data) >= len(good) {
			t.Fatalf("%d records, %+v, %v", n, sum, err)
		}
	})
}
