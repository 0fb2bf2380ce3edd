package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
)

// copied is a copy of the keys directory that a broker needs, in one document:
// the keyring, the register of credentials with what was revoked, and whatever
// other parts keep there. The operator's own seed is not among them: a broker
// runs without it.
type copied struct {
	Format  string    `json:"format"`
	Version int       `json:"version"`
	Made    time.Time `json:"made"`
	// Files by their path below the directory.
	Files map[string][]byte `json:"files"`
}

const (
	copyFormat = "watchfloor-keys"
	// maxKeyFile bounds one file of a copy.
	maxKeyFile = 256 << 20
)

// CopyKeys is a document of all keys of a directory that a broker needs. Whoever
// has it can be the broker: sign in as anybody and read every store and backup.
// What is revoked later is not revoked in it.
func CopyKeys(keysDir, dataDir string, now time.Time) ([]byte, error) {
	if have, err := HasKeys(keysDir); err != nil || !have {
		return nil, fmt.Errorf("copy keys of %s: %w", keysDir, errors.Join(err, fs.ErrNotExist))
	}
	dir, err := safeDir(keysDir, dataDir)
	if err != nil {
		return nil, err
	}
	c := copied{Format: copyFormat, Version: 1, Made: now.UTC(), Files: map[string][]byte{}}
	// The keyring says how far it knows the register: it comes first, so that the
	// register is never shorter than that.
	for _, name := range []string{ringFile, operatorJWT} {
		if err := c.add(dir, name); err != nil {
			return nil, fmt.Errorf("copy keys: %w", err)
		}
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(dir, path) // below dir by the walk
		if err != nil || !d.Type().IsRegular() || c.Files[name] != nil || !belongs(d.Name()) {
			return err
		}
		return c.add(dir, name)
	})
	if err != nil {
		return nil, fmt.Errorf("copy keys: %w", err)
	}
	return json.Marshal(c)
}

// belongs leaves out the operator's own seed, locks, and files that are being
// written.
func belongs(name string) bool {
	if name == operatorSeed || filepath.Ext(name) == ".lock" {
		return false
	}
	for _, ext := range []string{".nk", ".jwt", ".json", ".jsonl", ".key", ".pub", ".pem", ".crt"} {
		if before, after, ok := strings.Cut(name, ext+"."); ok && before != "" && after != "" {
			return false // NAME.EXT.123 becomes NAME.EXT
		}
	}
	return true
}

func (c *copied) add(dir, name string) error {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && c.Files[ringFile] != nil && name != operatorJWT {
		return nil // it was replaced or taken back meanwhile
	}
	if err != nil {
		return err
	}
	if info.Size() > maxKeyFile {
		return fmt.Errorf("%s has %d bytes: it is no key", path, info.Size())
	}
	c.Files[filepath.ToSlash(name)], err = os.ReadFile(path)
	return err
}

// HasKeys says whether a directory holds a broker's keys.
func HasKeys(keysDir string) (bool, error) {
	_, err := os.Stat(filepath.Join(keysDir, ringFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func readCopy(doc []byte) (*copied, *keyring, error) {
	var c copied
	if err := json.Unmarshal(doc, &c); err != nil {
		return nil, nil, fmt.Errorf("read copied keys: %w", err)
	}
	if c.Format != copyFormat {
		return nil, nil, fmt.Errorf("read copied keys: it is no copy of keys: %w", ErrUnknown)
	}
	if c.Version != 1 {
		return nil, nil, fmt.Errorf("read copied keys: version %d was written by another release; this one reads version 1", c.Version)
	}
	for name := range c.Files {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, nil, fmt.Errorf("read copied keys: %q lies outside", name)
		}
	}
	var ring ringDocument
	if err := json.Unmarshal(c.Files[ringFile], &ring); err != nil {
		return nil, nil, fmt.Errorf("read copied keys: %w", err)
	}
	if ring.Version != 1 || ring.Keys["jetstream"] == "" {
		return nil, nil, errors.New("read copied keys: they are not whole")
	}
	r := &keyring{operator: string(c.Files[operatorJWT]), keys: ring.Keys}
	_, err := r.operatorClaims()
	return &c, r, err
}

// FromCopy is an authority with copied keys that writes none: it opens what
// they seal.
func FromCopy(doc []byte, p *policy.Policy, now func() time.Time) (*Authority, error) {
	_, r, err := readCopy(doc)
	if err != nil {
		return nil, err
	}
	return with(r, Config{Policy: p, Now: now})
}

// RestoreKeys writes copied keys to a directory that has none and says when the
// copy was made. Credentials that held then hold again: those that were revoked
// since, too.
func RestoreKeys(doc []byte, keysDir, dataDir string) (made time.Time, err error) {
	c, _, err := readCopy(doc)
	if err != nil {
		return time.Time{}, err
	}
	if have, err := HasKeys(keysDir); err != nil || have {
		return time.Time{}, errors.Join(err, fmt.Errorf("%s has keys already: %w", keysDir, fs.ErrExist))
	}
	dir, err := safeDir(keysDir, dataDir)
	if err != nil {
		return time.Time{}, err
	}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(c.Files)), func(n string) bool { return n == ringFile })
	names = append(names, ringFile) // with it the keys are whole
	for _, name := range names {
		r := &keyring{dir: filepath.Join(dir, filepath.Dir(filepath.FromSlash(name)))}
		if err := os.MkdirAll(r.dir, 0o700); err != nil {
			return time.Time{}, fmt.Errorf("restore keys: %w", err)
		}
		if err := r.write(filepath.Base(filepath.FromSlash(name)), c.Files[name]); err != nil {
			return time.Time{}, err
		}
	}
	return c.Made, nil
}
