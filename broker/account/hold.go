package account

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// holdFile is locked by the broker that runs with the keys.
const holdFile = "broker.lock"

// ErrHeld: a broker runs with these keys.
var ErrHeld = errors.New("a broker runs with these keys")

// Hold takes the keys of a directory for one broker until release is called or
// the process ends. It fails with [ErrHeld].
func Hold(keysDir, dataDir string) (release func(), err error) {
	dir, err := safeDir(keysDir, dataDir)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, holdFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("hold keys: %w", err)
	}
	if err := patient(func() error { return tryLock(f) }); err != nil {
		f.Close()
		return nil, fmt.Errorf("hold keys of %s: %w", dir, errors.Join(ErrHeld, err))
	}
	return func() { f.Close() }, nil
}

// patient tries again for as long as a look by another process may last.
func patient(try func() error) (err error) {
	for range 20 {
		if err = try(); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// Running says whether a broker runs with the keys of a directory.
func Running(keysDir string) (bool, error) {
	f, err := os.OpenFile(filepath.Join(keysDir, holdFile), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a broker: %w", err)
	}
	defer f.Close()
	return tryLock(f) != nil, nil
}
