package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
)

// copied is a copy of the keys that a broker needs, in one document. The
// operator's own seed is not among them: a broker runs without it.
type copied struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	// Operator is operator.jwt, Ring keyring.json.
	Operator string          `json:"operator"`
	Ring     json.RawMessage `json:"keyring"`
}

const copyFormat = "watchfloor-keys"

// CopyKeys is a document of all keys of a directory that a broker needs. Whoever
// has it can be the broker: sign in as anybody and read every store and backup.
func CopyKeys(keysDir, dataDir string) ([]byte, error) {
	r, err := openExisting(keysDir, dataDir)
	if err != nil {
		return nil, err
	}
	ring, err := json.Marshal(ringDocument{Version: 1, Keys: r.keys})
	if err != nil {
		return nil, fmt.Errorf("copy keys: %w", err)
	}
	return json.Marshal(copied{copyFormat, 1, r.operator, ring})
}

// openExisting opens keys that are there and makes none.
func openExisting(keysDir, dataDir string) (*keyring, error) {
	if _, err := os.Stat(filepath.Join(keysDir, ringFile)); err != nil {
		return nil, fmt.Errorf("find keys: %w", err)
	}
	return openKeyring(keysDir, dataDir)
}

// HasKeys says whether a directory holds a broker's keys.
func HasKeys(keysDir string) (bool, error) {
	_, err := os.Stat(filepath.Join(keysDir, ringFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func readCopy(doc []byte) (*keyring, error) {
	var c copied
	if err := json.Unmarshal(doc, &c); err != nil {
		return nil, fmt.Errorf("read copied keys: %w", err)
	}
	if c.Format != copyFormat {
		return nil, fmt.Errorf("read copied keys: it is no copy of keys: %w", ErrUnknown)
	}
	if c.Version != 1 {
		return nil, fmt.Errorf("read copied keys: version %d was written by another release; this one reads version 1", c.Version)
	}
	var ring ringDocument
	if err := json.Unmarshal(c.Ring, &ring); err != nil {
		return nil, fmt.Errorf("read copied keys: %w", err)
	}
	if ring.Version != 1 || ring.Keys["jetstream"] == "" {
		return nil, errors.New("read copied keys: they are not whole")
	}
	r := &keyring{operator: c.Operator, keys: ring.Keys}
	if _, err := r.operatorClaims(); err != nil {
		return nil, err
	}
	return r, nil
}

// FromCopy is an authority with copied keys that writes none: it opens what
// they seal.
func FromCopy(doc []byte, p *policy.Policy, now func() time.Time) (*Authority, error) {
	r, err := readCopy(doc)
	if err != nil {
		return nil, err
	}
	return with(r, Config{Policy: p, Now: now})
}

// RestoreKeys writes copied keys to a directory that has none. Credentials that
// were issued with them then hold again.
func RestoreKeys(doc []byte, keysDir, dataDir string) error {
	r, err := readCopy(doc)
	if err != nil {
		return err
	}
	if have, err := HasKeys(keysDir); err != nil || have {
		return errors.Join(err, fmt.Errorf("%s has keys already: %w", keysDir, fs.ErrExist))
	}
	if r.dir, err = safeDir(keysDir, dataDir); err != nil {
		return err
	}
	if err := r.write(operatorJWT, []byte(r.operator)); err != nil {
		return err
	}
	return r.save()
}
