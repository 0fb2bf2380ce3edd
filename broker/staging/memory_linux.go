package staging

import (
	"fmt"
	"os"
	"syscall"
)

// tmpfs is its magic number in statfs(2).
const tmpfs = 0x01021994

func inMemory(dir string) error {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrNoMemory, dir, err)
	}
	if fs.Type != tmpfs {
		return fmt.Errorf("%w: %s is on a disk", ErrNoMemory, dir)
	}
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < Room {
		return fmt.Errorf("%w: %s has %d bytes free, %d are needed", ErrNoMemory, dir, free, Room)
	}
	return nil
}

func ours(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Getuid()
}
