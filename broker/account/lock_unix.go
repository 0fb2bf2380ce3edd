//go:build unix

package account

import (
	"os"
	"syscall"
)

// tryLock holds the file for this process; the system lets go when it ends.
func tryLock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}
