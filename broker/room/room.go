// Package room says how much room a disk has left and whether it takes writes.
//
// It decides nothing and keeps nothing: package broker does, with what it says.
package room

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrUnknown: this system does not say how much room a disk has.
var ErrUnknown = errors.New("this system does not say how much room a disk has")

// Space is what a disk has, in bytes, for a user who is not root.
type Space struct{ Free, Size int64 }

// probeSize is more than one write of the store leaves in doubt.
const probeSize = 1 << 20

// Probe writes a file of 1 MiB into a folder, syncs and removes it. Its error is
// why the disk takes no writes.
func Probe(dir string) (err error) {
	path := filepath.Join(dir, ".probe")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("probe the disk: %w", err)
	}
	_, err = f.Write(make([]byte, probeSize))
	if err := errors.Join(err, f.Sync(), f.Close(), os.Remove(path)); err != nil {
		return fmt.Errorf("probe the disk: %w", err)
	}
	return nil
}
