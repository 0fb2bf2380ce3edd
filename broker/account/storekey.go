package account

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// nextStoreKey is where the key stands that the store is being changed to.
const nextStoreKey = "jetstream-next"

// StoreKeys reads the key of the store and, while keys are changed, the one it
// is changed to, from a keys directory, a copy of one, or the file of CopyKeys.
// It changes nothing.
func StoreKeys(keysDir string) (key, next string, err error) {
	if info, err := os.Stat(keysDir); err == nil && info.Mode().IsRegular() {
		return storeKeysOfCopy(keysDir)
	}
	r := &keyring{dir: keysDir}
	data, err := r.read(ringFile)
	if err != nil {
		return "", "", fmt.Errorf("read keyring: %w", err)
	}
	var doc ringDocument
	if err := json.Unmarshal(data, &doc); err != nil || doc.Version != 1 || doc.Keys["jetstream"] == "" {
		return "", "", fmt.Errorf("read keyring %s: it is damaged or of another release", filepath.Join(keysDir, ringFile))
	}
	return doc.Keys["jetstream"], doc.Keys[nextStoreKey], nil
}

func storeKeysOfCopy(file string) (key, next string, err error) {
	doc, err := os.ReadFile(file)
	if err != nil {
		return "", "", fmt.Errorf("read copied keys: %w", err)
	}
	_, r, err := readCopy(doc)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", file, err)
	}
	return r.keys["jetstream"], r.keys[nextStoreKey], nil
}

// BeginStoreKey makes the key that the store is to be changed to, or finds the
// one of a change that has not ended. No broker runs with the keys.
func BeginStoreKey(keysDir, dataDir string) (key, next string, err error) {
	r, err := openKeyring(keysDir, dataDir)
	if err != nil {
		return "", "", err
	}
	if r.keys[nextStoreKey] == "" {
		r.keys[nextStoreKey] = newSecret()
		if err := r.save(); err != nil {
			return "", "", err
		}
	}
	return r.keys["jetstream"], r.keys[nextStoreKey], nil
}

// EndStoreKey puts the next key in the place of the old one, which is then
// nowhere in the keyring. Every key file of the store has been changed.
func EndStoreKey(keysDir, dataDir string) error {
	r, err := openKeyring(keysDir, dataDir)
	if err != nil {
		return err
	}
	if r.keys[nextStoreKey] == "" {
		return nil
	}
	r.keys["jetstream"] = r.keys[nextStoreKey]
	delete(r.keys, nextStoreKey)
	return r.save()
}
