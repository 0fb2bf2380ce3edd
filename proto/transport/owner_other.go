//go:build !unix

package transport

import "io/fs"

func rootOwned(fs.FileInfo) bool { return false }
