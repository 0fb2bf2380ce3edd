//go:build unix

package transport

import (
	"io/fs"
	"os"
	"syscall"
)

// rootOwned says whether root owns the file and this process is not root.
func rootOwned(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Uid == 0 && os.Geteuid() != 0
}
