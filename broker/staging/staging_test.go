package staging

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// home makes the directory of a stream as the server lays it out.
func home(t *testing.T) (store, dir string) {
	t.Helper()
	store = t.TempDir()
	dir = filepath.Join(store, "jetstream", "ACC", "streams", "REPORTS")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return store, dir
}

func link(t *testing.T, store string) string {
	t.Helper()
	dir, err := Link(store, "ACC", "REPORTS")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := Clear(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestABatchIsStagedInMemory(t *testing.T) {
	store, stream := home(t)
	dir := link(t, store)
	if err := os.MkdirAll(filepath.Join(stream, "batches", "b1", "msgs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "b1", "msgs")); err != nil {
		t.Fatalf("the batch is not in memory: %v", err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Fatalf("directory %v, %v: want it private", info.Mode(), err)
	}
}

// The server removes the link when it starts; what a killed run staged is gone with it.
func TestARestartStartsEmpty(t *testing.T) {
	store, stream := home(t)
	dir := link(t, store)
	if err := os.Mkdir(filepath.Join(dir, "left"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(stream, "batches")); err != nil {
		t.Fatal(err)
	}
	if again := link(t, store); again != dir {
		t.Fatalf("second start stages in %s, the first in %s", again, dir)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Fatalf("left over: %v, %v", left, err)
	}
}

func TestStoresDoNotShare(t *testing.T) {
	a, _ := home(t)
	b, _ := home(t)
	if x, y := link(t, a), link(t, b); x == y {
		t.Fatalf("two stores stage in %s", x)
	}
}

// Anybody may write into the directory in memory.
func TestADirectoryOfAStrangerIsRefused(t *testing.T) {
	for name, plant := range map[string]func(dir string) error{
		"open to others": func(dir string) error { return os.Chmod(dir, 0o777) },
		"a link": func(dir string) error {
			if err := os.Remove(dir); err != nil {
				return err
			}
			return os.Symlink(t.TempDir(), dir)
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, _ := home(t)
			dir := link(t, store)
			if err := plant(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := Link(store, "ACC", "REPORTS"); err == nil || !strings.Contains(err.Error(), "remove it") {
				t.Fatalf("got %v, want a refusal that says what to do", err)
			}
		})
	}
}

func TestABatchUnderWayIsNotTouched(t *testing.T) {
	store, stream := home(t)
	busy := filepath.Join(stream, "batches", "b1")
	if err := os.MkdirAll(busy, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Link(store, "ACC", "REPORTS"); err == nil {
		t.Fatal("the staging area was replaced under a batch")
	}
	if _, err := os.Stat(busy); err != nil {
		t.Fatal(err)
	}
}

func TestNoStream(t *testing.T) {
	if _, err := Link(t.TempDir(), "ACC", "REPORTS"); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("got %v, want that the stream does not exist", err)
	}
}

func TestADiskIsNotMemory(t *testing.T) {
	if err := inMemory("/proc"); !errors.Is(err, ErrNoMemory) {
		t.Fatalf("got %v, want %v", err, ErrNoMemory)
	}
}
