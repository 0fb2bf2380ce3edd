package violation

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// head begins a file; it is under the seal.
const head = "watchfloor-violations 1\n"

// ErrSealed: the file is not a book, was changed, or is sealed with another key.
var ErrSealed = errors.New("the record of violations cannot be opened")

// maxFile is more than a full book takes.
const maxFile = 32 << 20

func seal(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Write replaces the file of a book with lines, sealed with 32 bytes of key for
// a cell: whole or not at all, and on disk when it returns.
func Write(lines []Line, path, cell string, key []byte) error {
	text, err := json.Marshal(lines)
	if err != nil {
		return fmt.Errorf("write violations: %w", err)
	}
	s, err := seal(key)
	if err != nil {
		return fmt.Errorf("write violations: %w", err)
	}
	nonce := make([]byte, s.NonceSize())
	_, _ = rand.Read(nonce) // never fails: package crypto/rand ends the program first
	out := append([]byte(head), nonce...)
	return replace(path, s.Seal(out, nonce, text, []byte(head+cell)))
}

func replace(path string, data []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write violations: %w", err)
	}
	f, err := os.CreateTemp(dir, ".violations-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write violations: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write violations: %w", err)
	}
	return nil
}

// Read opens the book of a cell; a file that is not there is an empty book.
func Read(path, cell string, key []byte) (*Book, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return NewBook(), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read violations: %w", err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes: %w", path, info.Size(), ErrSealed)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read violations: %w", err)
	}
	lines, err := open(data, cell, key)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, err, ErrSealed)
	}
	b := NewBook()
	b.restore(lines)
	return b, nil
}

func open(data []byte, cell string, key []byte) ([]Line, error) {
	rest, ok := bytes.CutPrefix(data, []byte(head))
	if !ok {
		return nil, errors.New("it does not begin as one")
	}
	s, err := seal(key)
	if err != nil {
		return nil, err
	}
	if len(rest) < s.NonceSize() {
		return nil, errors.New("it is cut")
	}
	text, err := s.Open(nil, rest[:s.NonceSize()], rest[s.NonceSize():], []byte(head+cell))
	if err != nil {
		return nil, err
	}
	var lines []Line
	return lines, json.Unmarshal(text, &lines)
}
