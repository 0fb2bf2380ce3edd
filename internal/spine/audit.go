package spine

import (
	"crypto/ecdh"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/watchfloor/watchfloor/consumers/access"
)

// Files of the keys directory. The broker needs the second alone: the first
// is the auditor's, who takes it away.
const (
	AuditorKey    = "auditor.key"
	auditorPublic = "auditor.pub"
)

// AccessDir is where the record of what was read in a cell lies: beside the
// data, so that who puts other data in their place does not take it away.
func AccessDir(dataDir, cell string) string {
	return filepath.Join(filepath.Dir(filepath.Clean(dataDir)), "access", cell)
}

// auditor is whom the record of what is read is sealed for. The first start
// makes the key; one that was taken away is not made again.
func auditor(keysDir string) (*ecdh.PublicKey, error) {
	name := filepath.Join(keysDir, auditorPublic)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = newAuditor(keysDir)
	}
	if err != nil {
		return nil, fmt.Errorf("find the auditor's key: %w", err)
	}
	key, err := access.ParsePublic(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return key, nil
}

// newAuditor makes the key, or the public half again where only the private one
// was written before the power went.
func newAuditor(keysDir string) ([]byte, error) {
	private, err := os.ReadFile(filepath.Join(keysDir, AuditorKey))
	if errors.Is(err, fs.ErrNotExist) {
		if private, err = access.NewKey(); err == nil {
			err = writeKey(keysDir, AuditorKey, private)
		}
	}
	if err != nil {
		return nil, err
	}
	key, err := access.ParsePrivate(private)
	if err != nil {
		return nil, err
	}
	public, err := access.PublicText(key.PublicKey())
	if err != nil {
		return nil, err
	}
	return public, writeKey(keysDir, auditorPublic, public)
}

// writeKey writes a file whole or not at all.
func writeKey(dir, name string, text []byte) error {
	f, err := os.CreateTemp(dir, name+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails once it has its name
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}
