package doctor_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/watchfloor/watchfloor/internal/doctor"
	"github.com/watchfloor/watchfloor/internal/spine"
)

// A disk that is nearly full, full, and mounted read-only.
func TestDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("mount a small disk: %v: run the tests as root", err)
		}
		t.Skipf("mount a small disk: %v: run as root", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	start(t, dir, func(c *spine.Config) { c.WithoutWorkers, c.WithoutHTTP = true, true }).close()
	examine := func() []doctor.Finding {
		c := stopped(t, dir)
		c.Reserve = 32 << 20
		return doctor.Examine(t.Context(), c)
	}
	expect(t, examine(), "disk space", doctor.OK, "free of 64.0 MiB")
	fill := func(leave int64) {
		var s syscall.Statfs_t
		must(t, syscall.Statfs(dir, &s))
		must(t, os.WriteFile(filepath.Join(dir, "filler"), make([]byte, int64(s.Bavail)*s.Bsize-leave), 0o600))
	}
	fill(20 << 20)
	expect(t, examine(), "disk space", doctor.Warn, "MiB free of 64.0 MiB")
	must(t, os.Remove(filepath.Join(dir, "filler")))
	fill(0)
	full := examine()
	expect(t, full, "disk space", doctor.Fail, "0 B free")
	expect(t, full, "disk write", doctor.Fail, "no space left")
	must(t, os.Remove(filepath.Join(dir, "filler")))
	must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
	locked := examine()
	expect(t, locked, "disk space", doctor.Fail, "read-only")
	expect(t, locked, "disk write", doctor.Fail, "read-only")
	must(t, syscall.Mount("", dir, "", syscall.MS_REMOUNT, ""))
	if f := find(t, examine(), "disk write"); f.Level == doctor.Fail {
		t.Errorf("a disk that can be written again: %+v", f)
	}
}
