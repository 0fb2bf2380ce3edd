//go:build !unix

package register

import "os"

// lock holds nothing: this system has no advisory locks.
func lock(*os.File) error { return nil }
