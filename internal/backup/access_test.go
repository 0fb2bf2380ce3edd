package backup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/watchfloor/watchfloor/internal/backup"
	"github.com/watchfloor/watchfloor/internal/spine"
)

// The record of what was read is in a backup and comes back with it. One that is
// there already, and may say more, is neither overwritten nor in the way.
func TestTheRecordOfReadsComesBack(t *testing.T) {
	from, to := home(t.TempDir()), home(t.TempDir())
	record := func(h home) string {
		return filepath.Join(spine.AccessDir(h.data(), "le"), "watch-le", "000000000001.wfaccess")
	}
	must(t, os.MkdirAll(filepath.Dir(record(from)), 0o700))
	must(t, os.WriteFile(record(from), []byte("read"), 0o600))
	s := start(t, from, withoutWorkers)
	dir, _ := s.backUp(func(c *backup.Config) { c.DataDir = from.data() })
	s.close()
	must(t, os.WriteFile(record(from), []byte("read, and read again"), 0o600))
	holds := func(path, want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", path, got, err, want)
		}
	}

	for range 2 { // the second finds what the first put beside
		out, err := restore(t, dir, from, small(t), func(to *backup.Target) { to.Replace = true })
		if err != nil {
			t.Fatal(err)
		}
		must(t, os.RemoveAll(out.Aside)) // its name is of this second
		holds(record(from), "read, and read again")
		beside, err := filepath.Glob(spine.AccessDir(from.data(), "le") + ".of-*")
		if err != nil || len(beside) != 1 || !strings.Contains(strings.Join(out.Notes, "\n"), beside[0]) {
			t.Fatalf("beside it lies %v, %v; told: %v", beside, err, out.Notes)
		}
		holds(filepath.Join(beside[0], "watch-le", "000000000001.wfaccess"), "read")
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(spine.AccessDir(from.data(), "le")), ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left over: %v, %v", left, err)
	}

	copyKeys(t, from, to)
	if _, err := restore(t, dir, to, small(t)); err != nil {
		t.Fatal(err)
	}
	holds(record(to), "read")
}
