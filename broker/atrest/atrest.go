// Package atrest knows how the store is encrypted: it tells whether a key is
// that of a store before the server looks, and puts another key in its place.
//
// nats-server gives every stream, consumer and block a random key of its own
// and stores it, sealed with a key made of the store key, in a file beside it
// ("key file"). With a wrong store key it warns, passes over the stream, and a
// stream created anew would take its place; and its own change of keys writes
// blocks in place, so that a kill in the middle loses one. So neither is left
// to it. DESIGN.md says how keys are changed.
//
// It works on a store that no server has open. It makes no keys and keeps none.
package atrest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

var (
	// ErrWrongKey: the store is sealed with another key. Put back the copy of the
	// keys directory that belongs to it; nothing was touched.
	ErrWrongKey = errors.New("the store is sealed with another key")
	// ErrDamaged: a key file opens with none of the keys there are, or is not
	// what a server writes. Restore it with its stream from a backup.
	ErrDamaged = errors.New("a key file is damaged")
)

const (
	nonceSize  = aes.BlockSize
	sealedSize = nonceSize + 32 + 16 // nonce, the sealed key, tag
	// newEnd is the end of a key file that is not in its place yet.
	newEnd = ".rotating"
)

// Fingerprint names a store key without telling it: what a copy is compared by.
func Fingerprint(key string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte("watchfloor store key fingerprint"))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// keyFile is one key file with what its seal is bound to.
type keyFile struct {
	path             string
	account, context string
	// staged: of a batch of which nobody was told anything. It is changed with
	// the others if it can be.
	staged bool
}

// sealer is the cipher that seals a key file, as nats-server makes it
// (jetstream.go, jsKeyGen; filestore.go, genEncryptionKey; v2.15.2).
func (f keyFile) sealer(key string) (cipher.AEAD, error) {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(f.account))
	h.Write([]byte(f.context))
	block, err := aes.NewCipher(h.Sum(nil))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithNonceSize(block, nonceSize)
}

// open takes the seal off; ok is false for another key.
func (f keyFile) open(sealed []byte, key string) (plain []byte, ok bool, err error) {
	if len(sealed) != sealedSize {
		return nil, false, fmt.Errorf("%s has %d bytes, want %d: %w", f.path, len(sealed), sealedSize, ErrDamaged)
	}
	aead, err := f.sealer(key)
	if err != nil {
		return nil, false, err
	}
	plain, err = aead.Open(nil, sealed[:nonceSize], sealed[nonceSize:], nil)
	return plain, err == nil, nil
}

// reseal seals a key file's bytes with another key. The nonce stays: it is the
// block's own too, by which what the block holds is encrypted.
func (f keyFile) reseal(sealed []byte, from, to string) ([]byte, error) {
	plain, ok, err := f.open(sealed, from)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%s opens neither with the old key nor with the new: %w", f.path, ErrDamaged)
	}
	aead, err := f.sealer(to)
	if err != nil {
		return nil, err
	}
	return aead.Seal(append([]byte(nil), sealed[:nonceSize]...), sealed[:nonceSize], plain, nil), nil
}

// keyFiles lists the key files of a store, streams' first of each.
func keyFiles(store string) (out []keyFile, err error) {
	root := filepath.Join(store, "jetstream")
	accounts, err := names(root)
	if err != nil {
		return nil, err
	}
	for _, account := range accounts {
		streams, err := names(filepath.Join(root, account, "streams"))
		if err != nil {
			return nil, err
		}
		for _, s := range streams {
			found, err := ofStream(filepath.Join(root, account, "streams", s), account)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
	}
	return out, nil
}

// ofStream lists the key files of one stream, of its consumers, and of batches
// that were being staged when the server ended.
func ofStream(dir, account string) ([]keyFile, error) {
	out, err := ofStore(dir, account)
	if err != nil {
		return nil, err
	}
	consumers, err := names(filepath.Join(dir, "obs"))
	if err != nil {
		return nil, err
	}
	for _, c := range consumers {
		f := keyFile{path: filepath.Join(dir, "obs", c, "meta.key"), account: account, context: filepath.Base(dir) + "." + c}
		if exists(f.path) {
			out = append(out, f)
		}
	}
	batches, err := names(filepath.Join(dir, "batches"))
	if err != nil {
		return nil, err
	}
	for _, b := range batches {
		found, err := ofStore(filepath.Join(dir, "batches", b), account)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			f.staged = true
			out = append(out, f)
		}
	}
	return out, nil
}

// ofStore lists the key files of one file store: its own and its blocks'.
func ofStore(dir, account string) (out []keyFile, err error) {
	name := filepath.Base(dir)
	if f := (keyFile{path: filepath.Join(dir, "meta.key"), account: account, context: name}); exists(f.path) {
		out = append(out, f)
	}
	blocks, err := names(filepath.Join(dir, "msgs"))
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		if number, ok := strings.CutSuffix(b, ".key"); ok {
			out = append(out, keyFile{path: filepath.Join(dir, "msgs", b), account: account, context: name + ":" + number})
		}
	}
	return out, nil
}

// names lists a directory; one that is not there is empty, and so is a file in
// its place: a server that is killed while it tries whether it can write leaves
// one beside the accounts.
func names(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for key files: %w", err)
	}
	out := make([]string, len(entries))
	for i, e := range entries {
		out[i] = e.Name()
	}
	return out, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
