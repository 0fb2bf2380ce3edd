package backup_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/account"
)

// tmpfs is a small disk of its own.
func tmpfs(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
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
	return dir
}

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }

func dial(t *testing.T, c account.Credential) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(c.URL, c.Options()...)
	must(t, err)
	return nc
}
