//go:build !unix

package natsd

import "os"

// lockFile holds nothing: this system has no advisory locks.
func lockFile(*os.File) error { return nil }
