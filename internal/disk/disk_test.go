//go:build linux

package disk

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// These make the test binary a process that uses a disk, which a test kills.
const (
	childOpens  = "WATCHFLOOR_TEST_DISK_OPENS"
	childWrites = "WATCHFLOOR_TEST_DISK_WRITES"
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(childOpens) != "":
		d, err := Open(Config{})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(d.Path())
		time.Sleep(time.Hour)
	case os.Getenv(childWrites) != "":
		fmt.Println("writing")
		fmt.Println(os.WriteFile(os.Getenv(childWrites), []byte("held up"), 0o600))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// open mounts a disk for a test.
func open(t *testing.T, cfg Config) *Disk {
	t.Helper()
	if err := Available(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	d, err := Open(cfg)
	must(t, err)
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put writes a file, by offset, and leaves it open.
func put(t *testing.T, d *Disk, name, text string, off int64, flags int) *os.File {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(d.Path(), name), os.O_CREATE|os.O_RDWR|flags, 0o600)
	must(t, err)
	t.Cleanup(func() { _ = f.Close() })
	_, err = f.WriteAt([]byte(text), off)
	must(t, err)
	return f
}

func syncFolder(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	must(t, errors.Join(f.Sync(), f.Close()))
}

// again cuts the power and brings it back.
func again(t *testing.T, d *Disk, s Survival) {
	t.Helper()
	d.Cut(s)
	must(t, d.Power())
}

// holds compares the content of a file; "-" is no file.
func holds(t *testing.T, d *Disk, name, want string) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(d.Path(), name))
	if errors.Is(err, os.ErrNotExist) {
		got, err = []byte("-"), nil
	}
	must(t, err)
	if string(got) != want {
		t.Errorf("%s holds %.60q, want %.60q", name, got, want)
	}
}

// What was synced survives a power cut, and nothing else does.
func TestSyncedBytesSurvive(t *testing.T) {
	d := open(t, Config{Names: Logged})
	f := put(t, d, "log", "synced", 0, 0)
	must(t, f.Sync())
	put(t, d, "log", " and not", 6, 0)
	closed := put(t, d, "closed", "closing is not syncing", 0, 0)
	must(t, closed.Close())
	again(t, d, Nothing)
	holds(t, d, "log", "synced")
	holds(t, d, "closed", "-")
}

// A write to a file opened with O_SYNC or O_DSYNC is synced when it returns.
func TestSynchronousWritesSurvive(t *testing.T) {
	for _, flag := range []int{syscall.O_SYNC, syscall.O_DSYNC} {
		d := open(t, Config{Names: Logged})
		put(t, d, "a", "kept", 0, flag)
		put(t, d, "b", "lost", 0, 0)
		again(t, d, Nothing)
		holds(t, d, "a", "kept")
		holds(t, d, "b", "-")
	}
}

// What is overwritten, cut short or removed without a sync is as it was.
func TestUnsyncedChangesAreUndone(t *testing.T) {
	d := open(t, Config{Names: Logged})
	for _, name := range []string{"over", "short", "empty", "gone", "moved"} {
		must(t, put(t, d, name, strings.Repeat("old ", 500), 0, 0).Sync())
	}
	put(t, d, "over", "new", 700, 0)
	must(t, os.Truncate(filepath.Join(d.Path(), "short"), 3))
	put(t, d, "short", "longer than it was", 4000, 0)
	must(t, os.WriteFile(filepath.Join(d.Path(), "empty"), nil, 0o600))
	must(t, os.Remove(filepath.Join(d.Path(), "gone")))
	must(t, os.Rename(filepath.Join(d.Path(), "moved"), filepath.Join(d.Path(), "elsewhere")))
	holds(t, d, "moved", "-")
	again(t, d, Nothing)
	for _, name := range []string{"over", "short", "empty", "gone", "moved"} {
		holds(t, d, name, strings.Repeat("old ", 500))
	}
	holds(t, d, "elsewhere", "-")
}

// With a log of names a sync writes every name given before; without one a name
// needs the sync of its folder, and the file's own is not enough.
func TestNames(t *testing.T) {
	for _, names := range []Names{Logged, PerFolder} {
		d := open(t, Config{Names: names})
		deep := filepath.Join(d.Path(), "a", "b")
		must(t, os.MkdirAll(deep, 0o700))
		must(t, put(t, d, "a/b/file", "x", 0, 0).Sync())
		syncFolder(t, deep) // whose own name is not on disk
		put(t, d, "other", "", 0, 0)
		again(t, d, Nothing)
		holds(t, d, "other", "-")
		holds(t, d, "a/b/file", map[Names]string{Logged: "x", PerFolder: "-"}[names])
	}
}

// A folder's sync keeps its names; the bytes of a file that was not synced are not
// there.
func TestFolderSyncKeepsNames(t *testing.T) {
	d := open(t, Config{})
	put(t, d, "named", "not synced", 0, 0)
	must(t, put(t, d, "whole", "synced", 0, 0).Sync())
	must(t, os.Symlink("whole", filepath.Join(d.Path(), "link")))
	syncFolder(t, d.Path())
	must(t, put(t, d, "late", "synced, but its folder is not", 0, 0).Sync())
	again(t, d, Nothing)
	holds(t, d, "named", "")
	holds(t, d, "whole", "synced")
	holds(t, d, "link", "synced")
	holds(t, d, "late", "-")
}

// A file that takes another's place is the old one or the new one, whatever
// survives.
func TestRenameIsAtomic(t *testing.T) {
	for _, names := range []Names{Logged, PerFolder} {
		old, renamed := 0, 0
		for seed := range uint64(24) {
			d := open(t, Config{Names: names, Seed: seed})
			must(t, put(t, d, "state", "old", 0, 0).Sync())
			syncFolder(t, d.Path())
			must(t, put(t, d, "state.tmp", "new", 0, 0).Sync())
			must(t, os.Rename(filepath.Join(d.Path(), "state.tmp"), filepath.Join(d.Path(), "state")))
			again(t, d, Torn)
			got, err := os.ReadFile(filepath.Join(d.Path(), "state"))
			must(t, err)
			switch string(got) {
			case "old":
				old++
			case "new":
				renamed++
				holds(t, d, "state.tmp", "-")
			default:
				t.Fatalf("seed %d: state holds %q", seed, got)
			}
		}
		if old == 0 || renamed == 0 {
			t.Errorf("names %d: %d old and %d new: the seeds try only one", names, old, renamed)
		}
	}
}

// A torn tail never reaches into what was synced; over the seeds all of it, none
// of it and parts of it survive, and a seed repeats itself.
func TestTornTail(t *testing.T) {
	synced, unsynced := strings.Repeat("s", 1300), strings.Repeat("u", 5000)
	var sizes []int
	holes := 0
	for seed := range uint64(40) {
		var got [2][]byte
		for i := range got {
			d := open(t, Config{Seed: seed, Names: Logged})
			must(t, put(t, d, "log", synced, 0, 0).Sync())
			put(t, d, "log", unsynced[:2000], 1300, 0)
			put(t, d, "log", unsynced[2000:], 3300, 0)
			again(t, d, Torn)
			var err error
			got[i], err = os.ReadFile(filepath.Join(d.Path(), "log"))
			must(t, err)
			must(t, d.Close())
		}
		if !bytes.Equal(got[0], got[1]) {
			t.Fatalf("seed %d does not repeat itself", seed)
		}
		if !strings.HasPrefix(string(got[0]), synced) {
			t.Fatalf("seed %d: synced bytes are gone", seed)
		}
		if rest := strings.Trim(string(got[0][1300:]), "u\x00"); rest != "" {
			t.Fatalf("seed %d: %q was never written", seed, rest)
		}
		sizes = append(sizes, strings.Count(string(got[0]), "u"))
		if strings.Contains(string(got[0]), "\x00u") {
			holes++
		}
	}
	none, all, part := 0, 0, 0
	for _, n := range sizes {
		switch n {
		case 0:
			none++
		case 5000:
			all++
		default:
			part++
		}
	}
	if none == 0 || all == 0 || part == 0 || holes == 0 {
		t.Errorf("none survived %d times, all %d times, a part %d times, one with a hole %d times: want each", none, all, part, holes)
	}
}

// Whatever is written, truncated and synced: without survivors a file is what it
// was at its last sync, and with all of them what it is.
func TestContentAgainstHistory(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var c content
		var now, synced []byte
		for range 40 {
			switch rng.IntN(5) {
			case 0:
				c.sync()
				synced = bytes.Clone(now)
			case 1:
				n := rng.Int64N(3000)
				c.truncate(n)
				now = append(bytes.Clone(now), make([]byte, 3000)...)[:min(n, int64(len(now))+3000)]
			default:
				b := bytes.Repeat([]byte{byte(1 + rng.IntN(250))}, rng.IntN(900))
				off := rng.Int64N(int64(len(now)) + 300)
				c.write(b, off)
				if end := int(off) + len(b); end > len(now) {
					now = append(bytes.Clone(now), make([]byte, end-len(now))...)
				}
				copy(now[off:], b)
			}
		}
		if !bytes.Equal(c.data, now) {
			t.Fatalf("seed %d: processes see %d other bytes", seed, len(c.data))
		}
		kept := content{data: bytes.Clone(c.data), edits: c.edits}
		kept.cut(Everything, rng)
		if !bytes.Equal(kept.data, now) {
			t.Fatalf("seed %d: not everything survives", seed)
		}
		c.cut(Nothing, rng)
		if !bytes.Equal(c.data, synced) {
			t.Fatalf("seed %d: the file is not what it was at its last sync", seed)
		}
	}
}

// Without power nothing works; with it everything does again.
func TestNoPower(t *testing.T) {
	d := open(t, Config{Names: Logged})
	f := put(t, d, "log", "x", 0, 0)
	must(t, f.Sync())
	gone := d.Gone()
	d.Cut(Nothing)
	<-gone
	_, werr := f.WriteAt([]byte("y"), 1)
	_, serr := os.Stat(filepath.Join(d.Path(), "log"))
	for what, err := range map[string]error{"write": werr, "sync": f.Sync(), "stat": serr, "create": os.Mkdir(filepath.Join(d.Path(), "x"), 0o700)} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%s without power: %v, want EIO", what, err)
		}
	}
	must(t, d.Power())
	must(t, put(t, d, "log", "y", 1, 0).Sync())
	again(t, d, Nothing)
	holds(t, d, "log", "xy")
}

// A cut falls exactly where its rule says.
func TestCutAt(t *testing.T) {
	for _, c := range []struct {
		name string
		rule Rule
		want string
	}{
		{"before the third sync of the file", Rule{Ops: Sync, Path: "msgs/*.blk", Nth: 3}, "01"},
		{"after the third sync of the file", Rule{Ops: Sync, Path: "msgs/*.blk", Nth: 3, When: After}, "012"},
		{"after the fourth write", Rule{Ops: Write, Path: "msgs/*.blk", Nth: 4, When: After}, "012"},
		{"at an offset", Rule{Ops: Write, Path: "*.blk", End: 5}, "0123"},
		{"at a large write", Rule{Ops: Write, Size: 4}, "01234567"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := open(t, Config{Names: Logged})
			must(t, os.Mkdir(filepath.Join(d.Path(), "msgs"), 0o700))
			must(t, put(t, d, "msgs/1.key", "key", 0, 0).Sync())
			c.rule.Do = Cut(Nothing)
			a := d.Arm(c.rule)
			f, err := os.OpenFile(filepath.Join(d.Path(), "msgs", "1.blk"), os.O_CREATE|os.O_WRONLY, 0o600)
			must(t, err)
			defer f.Close()
			for i := range 8 {
				if _, err = fmt.Fprint(f, i); err == nil {
					err = f.Sync()
				}
				if err != nil {
					break
				}
			}
			if err == nil {
				_, err = fmt.Fprint(f, "large")
			}
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("the writer was told %v, want EIO", err)
			}
			<-a.Fired()
			must(t, d.Power())
			holds(t, d, "msgs/1.blk", c.want)
		})
	}
}

// A full disk takes what fits, then says ENOSPC, keeps what is there and goes on
// when there is room.
func TestFull(t *testing.T) {
	d := open(t, Config{})
	f := put(t, d, "log", "0123", 0, 0)
	d.Full(3)
	n, err := syscall.Pwrite(int(f.Fd()), []byte("456789"), 4)
	if n != 3 || err != nil {
		t.Errorf("%d bytes written, %v: want 3", n, err)
	}
	if _, err := f.WriteAt([]byte("789"), 7); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("write: %v, want ENOSPC", err)
	}
	if err := os.Truncate(filepath.Join(d.Path(), "log"), 100); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("truncate: %v, want ENOSPC", err)
	}
	_, err = f.WriteAt([]byte("A"), 0) // takes no more room
	must(t, err)
	var s syscall.Statfs_t
	must(t, syscall.Statfs(d.Path(), &s))
	if s.Bavail != 0 {
		t.Errorf("%d blocks free, want 0", s.Bavail)
	}
	must(t, os.Truncate(filepath.Join(d.Path(), "log"), 2))
	_, err = f.WriteAt([]byte("23"), 2)
	must(t, err)
	d.Full(-1)
	_, err = f.WriteAt([]byte("456789"), 4)
	must(t, err)
	holds(t, d, "log", "A123456789")
}

func TestReadOnly(t *testing.T) {
	d := open(t, Config{})
	f := put(t, d, "log", "x", 0, 0)
	d.ReadOnly(true)
	_, werr := f.WriteAt([]byte("y"), 0)
	_, oerr := os.OpenFile(filepath.Join(d.Path(), "log"), os.O_RDWR, 0)
	for what, err := range map[string]error{"write": werr, "sync": f.Sync(), "open": oerr, "remove": os.Remove(filepath.Join(d.Path(), "log"))} {
		if !errors.Is(err, syscall.EROFS) {
			t.Errorf("%s: %v, want EROFS", what, err)
		}
	}
	holds(t, d, "log", "x")
	d.ReadOnly(false)
	_, err := f.WriteAt([]byte("y"), 0)
	must(t, err)
}

// One failed sync is one failed sync: what it was to write is not on disk until a
// later one.
func TestFail(t *testing.T) {
	d := open(t, Config{Names: Logged})
	f := put(t, d, "log", "x", 0, 0)
	d.Arm(Rule{Ops: Sync, Path: "log", Do: Fail(syscall.EIO, 1)})
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Errorf("sync: %v, want EIO", err)
	}
	must(t, f.Sync())
	always := d.Arm(Rule{Ops: Write, Nth: 2, Do: Fail(syscall.EIO, 0)})
	for i, want := range []bool{true, false, false, false} {
		if _, err := f.WriteAt([]byte("y"), 0); (err == nil) != want {
			t.Errorf("write %d: %v", i, err)
		}
	}
	always.Disarm()
	_, err := f.WriteAt([]byte("z"), 0)
	must(t, err)
}

// A stalled disk holds everybody up and loses nothing.
func TestStall(t *testing.T) {
	d := open(t, Config{})
	f := put(t, d, "log", "x", 0, 0)
	release := d.Stall()
	done := make(chan error, 1)
	go func() {
		_, err := f.WriteAt([]byte("y"), 1)
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("a stalled disk answered: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	release()
	must(t, <-done)
	holds(t, d, "log", "xy")
	held := d.Arm(Rule{Ops: Sync, Do: Hold()})
	go func() { done <- f.Sync() }()
	<-held.Fired()
	held.Disarm()
	must(t, <-done)
	d.SlowSync(30 * time.Millisecond)
	began := time.Now()
	must(t, f.Sync())
	if took := time.Since(began); took < 30*time.Millisecond {
		t.Errorf("a slow sync took %v", took)
	}
}

// child starts this binary as another process and returns it with its first line.
func child(t *testing.T, env string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), env), os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	return cmd, strings.TrimSpace(line)
}

// A process that a stalled disk holds up can be killed.
func TestStalledProcessCanBeKilled(t *testing.T) {
	d := open(t, Config{})
	held := d.Arm(Rule{Ops: Write, Path: "held", Do: Hold()})
	cmd, _ := child(t, childWrites+"="+filepath.Join(d.Path(), "held"))
	<-held.Fired()
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", cmd.Process.Pid))
	must(t, err)
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && to == "/dev/fuse" {
			t.Error("the process holds /dev/fuse: the mount would outlive the one that serves it")
		}
	}
	must(t, cmd.Process.Kill())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("the process does not end")
	}
}

// The mount of a process that was killed is taken away by the next one.
func TestStaleMountIsRemoved(t *testing.T) {
	d := open(t, Config{})
	cmd, dir := child(t, childOpens+"=1")
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	if _, err := os.ReadDir(dir); !errors.Is(err, syscall.ENOTCONN) {
		t.Fatalf("%s: %v, want the mount of a dead process", dir, err)
	}
	open(t, Config{})
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there: %v", dir, err)
	}
	put(t, d, "living", "x", 0, 0) // and no other mount is
}

// Folders behave: what is listed, removed, renamed and linked.
func TestFolders(t *testing.T) {
	d := open(t, Config{Names: Logged})
	at := func(name string) string { return filepath.Join(d.Path(), name) }
	must(t, os.MkdirAll(at("a/b"), 0o700))
	for i := range 300 {
		put(t, d, fmt.Sprintf("a/b/%03d", i), "x", 0, 0)
	}
	list, err := os.ReadDir(at("a/b"))
	must(t, err)
	if len(list) != 300 || list[299].Name() != "299" {
		t.Errorf("%d names listed", len(list))
	}
	if err := os.Remove(at("a/b")); !errors.Is(err, syscall.ENOTEMPTY) {
		t.Errorf("remove: %v, want ENOTEMPTY", err)
	}
	must(t, os.Rename(at("a/b"), at("c")))
	must(t, os.Link(at("c/000"), at("linked")))
	must(t, os.RemoveAll(at("c")))
	holds(t, d, "linked", "x")
	syncFolder(t, d.Path())
	again(t, d, Nothing)
	list, err = os.ReadDir(d.Path())
	must(t, err)
	if len(list) != 2 || list[0].Name() != "a" || list[1].Name() != "linked" {
		t.Errorf("%v is left, want a and linked", list)
	}
	to := t.TempDir()
	must(t, d.Copy(to))
	if _, err := os.Stat(filepath.Join(to, "linked")); err != nil {
		t.Error(err)
	}
}
