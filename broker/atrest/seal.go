package atrest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// sealFile stands beside the store and says by which key it is sealed: one
// fingerprint, or the old and the new one while keys are changed.
const sealFile = "KEY"

const sealWord = "watchfloor-key 1"

// Seal is what the seal file says. Both are empty where there is none.
type Seal struct {
	// Key is the fingerprint of the store's key, Next that of the one it is being
	// changed to; Next is empty while nothing is changed.
	Key  string `json:"key"`
	Next string `json:"next,omitempty"`
}

// ReadSeal reads the seal of a data directory.
func ReadSeal(dataDir string) (Seal, error) {
	path := filepath.Join(dataDir, sealFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Seal{}, nil
	}
	if err != nil {
		return Seal{}, fmt.Errorf("read seal: %w", err)
	}
	rest, ok := strings.CutPrefix(string(data), sealWord+" ")
	f := strings.Fields(rest)
	if !ok || len(f) < 1 || len(f) > 2 {
		return Seal{}, fmt.Errorf("%s does not say %q and a fingerprint: %w", path, sealWord, ErrDamaged)
	}
	return Seal{f[0], strings.Join(f[1:], "")}, nil
}

func (s Seal) write(dataDir string) error {
	text := strings.TrimSpace(sealWord+" "+s.Key+" "+s.Next) + "\n"
	if err := replace(filepath.Join(dataDir, sealFile), []byte(text)); err != nil {
		return fmt.Errorf("write seal: %w", err)
	}
	return syncDir(dataDir)
}

// Check says whether key is that of the data directory's store, and touches
// nothing else than a seal that is missing. storeDir lies in the directory.
func Check(dataDir, storeDir, key string) error {
	seal, err := ReadSeal(dataDir)
	if err != nil {
		return err
	}
	have := Fingerprint(key)
	switch {
	case seal.Next != "":
		return fmt.Errorf("a change of keys from %s to %s has not ended, and the keyring has not both: put back the keys directory of that time: %w", seal.Key, seal.Next, ErrWrongKey)
	case seal.Key != "" && seal.Key != have:
		return fmt.Errorf("it is that with the fingerprint %s, and the keyring's has %s: %w", seal.Key, have, ErrWrongKey)
	}
	files, err := keyFiles(storeDir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if f.staged || seal.Key != "" && filepath.Base(f.path) != "meta.key" {
			continue // blocks were looked at when the seal was made
		}
		sealed, err := os.ReadFile(f.path)
		if err != nil {
			return fmt.Errorf("read key file: %w", err)
		}
		_, ok, err := f.open(sealed, key)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%s does not open with the keyring's key %s: %w", f.path, have, ErrWrongKey)
		}
	}
	if seal.Key == "" {
		return Seal{Key: have}.write(dataDir)
	}
	return nil
}

// Rotate puts key to in the place of from in every key file. It may be ended at
// any time and begun again with the same two keys; every file opens with one
// of the two all the while. progress may be nil.
func Rotate(dataDir, storeDir, from, to string, progress func(done, total int)) (changed int, err error) {
	seal, err := ReadSeal(dataDir)
	if err != nil {
		return 0, err
	}
	want := Seal{Fingerprint(from), Fingerprint(to)}
	switch {
	case seal.Key == want.Next && seal.Next == "": // ended after the last file
		return 0, nil
	case seal.Key != "" && seal.Key != want.Key, seal.Next != "" && seal.Next != want.Next:
		return 0, fmt.Errorf("it says %s %s, and the keys are %s and %s: %w", seal.Key, seal.Next, want.Key, want.Next, ErrWrongKey)
	}
	files, err := keyFiles(storeDir)
	if err != nil {
		return 0, err
	}
	if err := openable(files, from, to); err != nil {
		return 0, err
	}
	if err := want.write(dataDir); err != nil {
		return 0, err
	}
	dirs := map[string]bool{}
	for i, f := range files {
		if progress != nil {
			progress(i, len(files))
		}
		did, err := f.rotate(from, to)
		if err != nil && !f.staged {
			return changed, err
		}
		if did {
			changed++
		}
		dirs[filepath.Dir(f.path)] = true
	}
	for dir := range dirs {
		if err := syncDir(dir); err != nil {
			return changed, err
		}
	}
	if progress != nil {
		progress(len(files), len(files))
	}
	return changed, Seal{Key: want.Next}.write(dataDir)
}

// openable looks at every file before one is changed.
func openable(files []keyFile, keys ...string) error {
	for _, f := range files {
		if f.staged {
			continue
		}
		sealed, err := os.ReadFile(f.path)
		if err != nil {
			return fmt.Errorf("read key file: %w", err)
		}
		opens := false
		for _, key := range keys {
			_, ok, err := f.open(sealed, key)
			if err != nil {
				return err
			}
			opens = opens || ok
		}
		if !opens {
			return fmt.Errorf("%s opens neither with the old key nor with the new: %w", f.path, ErrDamaged)
		}
	}
	return nil
}

// rotate changes one file, unless it was changed already.
func (f keyFile) rotate(from, to string) (changed bool, err error) {
	if err := os.Remove(f.path + newEnd); err != nil && !errors.Is(err, fs.ErrNotExist) { // left by a run that was ended
		return false, err
	}
	sealed, err := os.ReadFile(f.path)
	if err != nil {
		return false, fmt.Errorf("read key file: %w", err)
	}
	if _, done, err := f.open(sealed, to); err != nil || done {
		return false, err
	}
	next, err := f.reseal(sealed, from, to)
	if err != nil {
		return false, err
	}
	if err := replace(f.path, next); err != nil {
		return false, fmt.Errorf("write key file: %w", err)
	}
	return true, nil
}

// replace puts data in the place of a file, whole or not at all.
func replace(path string, data []byte) error {
	f, err := os.OpenFile(path+newEnd, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+newEnd, path)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
