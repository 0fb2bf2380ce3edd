package doctor

import (
	"fmt"
	"syscall"
)

// room of a disk.
type room struct {
	free, size         uint64
	freeInodes, inodes uint64
	readOnly           bool
}

// readOnlyMount is ST_RDONLY of statfs(2).
const readOnlyMount = 1

func roomOf(dir string) (room, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return room{}, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	unit := uint64(s.Bsize)
	return room{free: s.Bavail * unit, size: s.Blocks * unit, freeInodes: s.Ffree, inodes: s.Files, readOnly: s.Flags&readOnlyMount != 0}, nil
}

// synchronized says whether the system's clock follows another; known is false
// where the system does not say.
func synchronized() (yes, known bool) {
	var t syscall.Timex
	const unsynchronized, clockError = 0x40, 5
	state, err := syscall.Adjtimex(&t)
	if err != nil {
		return false, false
	}
	return state != clockError && t.Status&unsynchronized == 0, true
}
