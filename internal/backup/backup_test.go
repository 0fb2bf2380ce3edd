package backup_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/internal/backup"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// Everything that was acknowledged before the backup is there after a restore
// on a fresh broker in a fresh folder, under its own sequence; every picture
// has the same digest; every reader goes on where it was; credentials hold.
func TestRestoredIsWhatWasBackedUp(t *testing.T) {
	from, to := home(t.TempDir()), home(t.TempDir())
	s := start(t, from)
	all := s.fill(12)
	s.settled()
	want := s.digests()
	place := read(t, s, 5)
	issued, err := s.Broker().Credential("watch-le", "le")
	must(t, err)

	dir, manifests := s.backUp()
	for _, m := range manifests {
		if cell, _ := small(t).Cell(m.Cell); m.Label != cell.Label.String() {
			t.Errorf("the archive of %s says %s, the cell is %s", m.Cell, m.Label, cell.Label)
		}
		if p := m.Pictures[len(m.Pictures)-1]; p.Situations == 0 || !strings.HasPrefix(want[m.Cell], p.Digest) {
			t.Errorf("the archive of %s has picture %+v, published is %s", m.Cell, p, want[m.Cell])
		}
	}
	unreadable(t, dir, "Gate", "+16015550199", "jackson-pd", all[5].report.Id)
	after := s.publish(0, report(0, 999))
	s.close()

	copyKeys(t, from, to)
	if _, err := restore(t, dir, to, small(t)); err != nil {
		t.Fatal(err)
	}
	if err := broker.CheckLabels(to.data(), small(t, "{level: CUI, sides: [LE]}", "{level: CONFIDENTIAL, sides: [LE]}")); !errors.Is(err, broker.ErrRelabelled) {
		t.Errorf("the restored data has forgotten its labels: %v", err)
	}
	r := start(t, to)
	r.settled()
	if d := cmp.Diff(want, r.digests()); d != "" {
		t.Errorf("pictures (-backed up +restored):\n%s", d)
	}
	r.holds(all)
	issued.URL = r.Broker().ClientURL()
	if got := next(t, issued); got != place+1 {
		t.Errorf("the reader goes on at %d, want %d: what it had acknowledged comes again, or more is left out", got, place+1)
	}
	if again := r.publish(0, after.report); again.sequence != after.sequence {
		t.Errorf("what came after the backup is stored as %d, want %d: the next sequence", again.sequence, after.sequence)
	}
}

// unreadable looks for words in every file of the archives.
func unreadable(t *testing.T, dir string, words ...string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	must(t, err)
	if len(files) < 10 {
		t.Fatalf("found %d files: the search no longer sees the archives", len(files))
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		must(t, err)
		for _, w := range words {
			if strings.Contains(string(data), w) {
				t.Errorf("%s tells %q", f, w)
			}
		}
		if info, err := os.Stat(f); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v; want 0600", f, info.Mode().Perm(), err)
		}
	}
}

// read takes n reports of the feed of watch-le, acknowledges them and returns
// the sequence of the last.
func read(t *testing.T, s *site, n int) (last uint64) {
	t.Helper()
	cred, err := s.Broker().Credential("watch-le", "le")
	must(t, err)
	for range n {
		last = next(t, cred)
	}
	return last
}

// next takes one report of the feed of watch-le, acknowledges it and returns its sequence.
func next(t *testing.T, cred account.Credential) uint64 {
	t.Helper()
	nc := dial(t, cred)
	defer nc.Close()
	js, err := jetstream.New(nc)
	must(t, err)
	c, err := js.Consumer(t.Context(), subject.Reports, subject.FeedConsumer("watch-le", "all"))
	must(t, err)
	m, err := c.Next(jetstream.FetchMaxWait(30 * time.Second))
	must(t, err)
	meta, err := m.Metadata()
	must(t, err)
	must(t, m.DoubleAck(t.Context()))
	return meta.Sequence.Stream
}

// While agencies publish without a pause, a backup holds at least all that was
// acknowledged before it began, and no picture in it is ahead of its reports.
func TestBackupUnderLoad(t *testing.T) {
	from, to := home(t.TempDir()), home(t.TempDir())
	s := start(t, from)
	stop, done := make(chan struct{}), make(chan error, len(senders))
	acked := make(chan sent, 100_000)
	for sender, x := range senders {
		c := s.agency(x.agency, x.cell)
		go func() { done <- publishUntil(stop, c, sender, acked) }()
	}
	var before []sent
	for len(before) < 150 {
		before = append(before, <-acked)
	}
	dir, manifests := s.backUp()
	<-acked // they have gone on throughout
	close(stop)
	for range senders {
		must(t, <-done)
	}
	s.close()
	stored := map[string]uint64{}
	for _, m := range manifests {
		for _, x := range m.Streams {
			if x.Name == subject.Reports {
				stored[m.Cell] = x.Messages
			}
		}
	}
	for _, m := range manifests {
		var most uint64
		for _, cell := range append(small(t).Dominated(m.Cell), m.Cell) {
			most += stored[cell]
		}
		for _, p := range m.Pictures {
			if p.Damaged != "" || p.Reports > most {
				t.Errorf("%s: the picture is of %d reports, %d are in the backup %s", m.Cell, p.Reports, most, p.Damaged)
			}
		}
	}
	copyKeys(t, from, to)
	if _, err := restore(t, dir, to, small(t)); err != nil {
		t.Fatal(err)
	}
	start(t, to, withoutWorkers).holds(before)
}

// keyOf is the key that seals the backups of a cell.
func keyOf(t *testing.T, h home, cell string) []byte {
	t.Helper()
	key, err := openKeys(t, h).ArchiveKey(cell)
	must(t, err)
	return key
}

func openKeys(t *testing.T, h home) *account.Authority {
	t.Helper()
	keys, err := account.OpenIssuer(h.keys(), h.data(), small(t), time.Now)
	must(t, err)
	return keys
}

func publishUntil(stop <-chan struct{}, c *producers.Client, sender int, acked chan<- sent) error {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return nil
		default:
		}
		x, err := send(context.Background(), c, sender, report(sender, i))
		if err != nil {
			return err
		}
		acked <- x
	}
}

// A stream that is larger than what the server sends ahead: it goes on only
// because every piece is acknowledged.
func TestMoreThanTheWindow(t *testing.T) {
	from, to := home(t.TempDir()), home(t.TempDir())
	s := start(t, from, withoutWorkers)
	var all []sent
	for i := range 12 {
		r := report(1, i)
		noise := make([]byte, 600_000)
		_, _ = rand.Read(noise)
		r.Narrative = base64.StdEncoding.EncodeToString(noise) // hardly compressible
		all = append(all, s.publish(1, r))
	}
	dir, manifests := s.backUp()
	s.close()
	for _, m := range manifests {
		if x, _ := m.Stream(subject.Reports); m.Cell == "le" && x.Bytes < 8<<20 {
			t.Fatalf("the archive has %d bytes, which the server sends without waiting", x.Bytes)
		}
	}
	copyKeys(t, from, to)
	if _, err := restore(t, dir, to, small(t)); err != nil {
		t.Fatal(err)
	}
	start(t, to, withoutWorkers).holds(all)
}

// A folder whose broker is stopped is backed up without one, and is left as it was.
func TestOffline(t *testing.T) {
	h := home(t.TempDir())
	s := start(t, h, withoutWorkers)
	s.fill(4)
	_, online := s.backUp()
	s.close()
	ring, err := os.ReadFile(filepath.Join(h.keys(), "keyring.json"))
	must(t, err)
	// The operator names a policy that lacks a reader: its keys and its place stay.
	p := small(t, "  - {name: watch-open, title: Public, type: person, cells: [open], purpose: watch floor, feeds: [{name: all}]}\n", "")
	var offline []backup.Manifest
	must(t, backup.Offline(backup.Folder{Policy: p, DataDir: h.data(), KeysDir: h.keys(), Now: time.Now}, func(o *backup.Opened) error {
		var err error
		_, offline, err = backup.Take(t.Context(), backup.Config{Policy: p, Dir: t.TempDir(), Keys: o, Connect: o.Connect, Now: time.Now})
		return err
	}))
	relabelled := small(t, "{level: TOP SECRET, sides: [LE, INTEL]}", "{level: SECRET, sides: [LE, INTEL]}")
	folder := backup.Folder{Policy: relabelled, DataDir: h.data(), KeysDir: h.keys(), Now: time.Now}
	if err := backup.Offline(folder, func(*backup.Opened) error { return nil }); !errors.Is(err, broker.ErrRelabelled) {
		t.Errorf("a policy that labels a cell otherwise: got %v, want %v", err, broker.ErrRelabelled)
	}
	for i, m := range offline {
		for j, x := range m.Streams {
			if d := cmp.Diff(online[i].Streams[j].Content, x.Content); d != "" {
				t.Errorf("%s %s (-online +offline):\n%s", m.Cell, x.Name, d)
			}
		}
	}
	if now, err := os.ReadFile(filepath.Join(h.keys(), "keyring.json")); err != nil || string(now) != string(ring) {
		t.Errorf("an offline backup changed the keys: %v", err)
	}
}

// Stored data is overwritten only when that is asked for, and then put aside.
func TestRestoreOntoData(t *testing.T) {
	h := home(t.TempDir())
	s := start(t, h, withoutWorkers)
	first := s.fill(2)
	dir, _ := s.backUp()
	second := s.publish(1, report(1, 50))
	replace := func(to *backup.Target) { to.Replace = true }
	if _, err := restore(t, dir, h, small(t), replace); err == nil {
		t.Error("restored under a running broker")
	}
	s.close()
	if _, err := restore(t, dir, h, small(t)); !errors.Is(err, backup.ErrNotEmpty) {
		t.Errorf("onto data: got %v, want %v", err, backup.ErrNotEmpty)
	}
	out, err := restore(t, dir, h, small(t), replace)
	must(t, err)
	if out.Aside == "" {
		t.Fatal("the old data is not aside")
	}
	s = start(t, h, withoutWorkers)
	s.holds(first)
	s.close()
	must(t, os.RemoveAll(h.data()))
	must(t, os.Rename(out.Aside, h.data()))
	start(t, h, withoutWorkers).holds(append(first, second))
	left, err := filepath.Glob(filepath.Join(string(h), ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A restore brings back exactly what was backed up; what the policy's retention
// has ended since then leaves when the broker starts, and nothing else does.
func TestRetentionGoesOn(t *testing.T) {
	from, to := home(t.TempDir()), home(t.TempDir())
	s := start(t, from, withoutWorkers)
	all := s.fill(3)
	dir, _ := s.backUp()
	s.close()
	copyKeys(t, from, to)
	for _, x := range senders {
		backup.Rewrite(t, filepath.Join(dir, x.cell), keyOf(t, from, x.cell), func(stream string, m *backup.Message) {
			if stream == subject.Reports && m.Sequence == 1 {
				m.Time = m.Time.Add(-1096 * 24 * time.Hour) // longer than anything is kept
			}
		}, nil)
	}
	_, err := restore(t, dir, to, small(t))
	must(t, err)
	s = start(t, to, withoutWorkers)
	s.holds(slices.DeleteFunc(all, func(x sent) bool { return x.sequence == 1 }))
	for _, m := range contents(t, s) {
		if m.First != 2 {
			t.Errorf("the first report is %d, want 2: retention has ended for the one before", m.First)
		}
	}
}

// contents are those of the reports of every cell.
func contents(t *testing.T, s *site) (out []backup.Content) {
	t.Helper()
	_, manifests := s.backUp()
	for _, m := range manifests {
		for _, x := range m.Streams {
			if x.Name == subject.Reports {
				out = append(out, x.Content)
			}
		}
	}
	return out
}

// A full disk ends a backup with an error that says so, and nothing of it is left.
func TestFullDisk(t *testing.T) {
	disk := tmpfs(t, "48k")
	s := start(t, home(t.TempDir()), withoutWorkers)
	s.fill(4)
	_, _, err := backup.Take(t.Context(), s.config(disk))
	if !isFull(err) {
		t.Fatalf("got %v, want that no space is left", err)
	}
	left, err := os.ReadDir(disk)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// An interrupted backup is not one: its folder has a name that nothing finds,
// and without its manifest an archive is none.
func TestInterruptedIsNoBackup(t *testing.T) {
	s := start(t, home(t.TempDir()), withoutWorkers)
	dir, _ := s.backUp()
	partial := filepath.Join(filepath.Dir(dir), ".watchfloor-x.partial")
	must(t, os.Rename(dir, partial))
	if found, err := backup.Find(filepath.Dir(dir)); err == nil {
		t.Errorf("found %v", found)
	}
	must(t, os.Remove(filepath.Join(partial, "le", "manifest.json")))
	if _, err := backup.Read(filepath.Join(partial, "le")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a manifest: %v", err)
	}
}
