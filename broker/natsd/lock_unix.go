//go:build unix

package natsd

import (
	"os"
	"syscall"
)

// lockFile holds the file for this process; the system lets go when it ends.
func lockFile(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
