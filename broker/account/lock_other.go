//go:build !unix

package account

import "os"

// tryLock holds nothing: this system has no advisory locks.
func tryLock(*os.File) error { return nil }
