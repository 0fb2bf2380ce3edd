package room

import (
	"fmt"
	"syscall"
)

// Of says how much room the disk has that holds a folder.
func Of(dir string) (Space, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return Space{}, fmt.Errorf("ask for the room of %s: %w", dir, err)
	}
	return Space{Free: int64(fs.Bavail) * fs.Bsize, Size: int64(fs.Blocks) * fs.Bsize}, nil
}
