//go:build unix

package register

import (
	"errors"
	"os"
	"syscall"
)

// lock waits for the file; the system lets go when it is closed.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
