// Package register is the list of every credential that was handed out, and of
// every one that was taken back: who holds it, from when to when, by whom and
// why it was revoked. Never a secret.
//
// It is one file of the keys directory that only grows: a line of JSON for each
// event, each with the hash of the line before it, synced to disk before
// whoever asked is answered. Several processes append, one at a time, under a
// lock of the file; the broker reads what was added. A file that cannot be
// read, was cut or was changed is refused whole: nobody knows any more who was
// revoked.
//
// It decides nothing about permissions: package account does.
package register

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// FileName is the register's name in the keys directory.
const FileName = "register.jsonl"

// Version of the format this build reads and writes.
const Version = 1

var (
	// ErrMissing: there is no register. The broker makes one on its first start.
	ErrMissing = errors.New("there is no register of credentials")
	// ErrDamaged: the register was changed, cut or written by another release.
	// Restore it from a copy; if there is none, issue everything again under new
	// signing keys.
	ErrDamaged = errors.New("register of credentials is damaged")
)

// maxLine bounds one event; what is longer was not written by us.
const maxLine = 8 << 10

// Register is the register as one process has read it. It is for one goroutine
// at a time.
type Register struct {
	path   string
	offset int64
	book   *Book
}

// Create makes the register of a keys directory that has none.
func Create(dir string, at time.Time) error {
	path := filepath.Join(dir, FileName)
	head := Entry{Seq: 1, At: at.UTC(), Event: Opened, Format: Version}
	line, _, err := head.line("")
	if err != nil {
		return fmt.Errorf("make register: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make register: %w", err)
	}
	_, err = f.Write(line)
	if err := errors.Join(err, f.Sync(), f.Close(), syncDir(dir)); err != nil {
		return fmt.Errorf("make register: %w", err)
	}
	return nil
}

// Open reads the register of a keys directory. The anchor is a mark that an
// earlier reader took of it and kept elsewhere: a register that does not hold
// it was exchanged or cut. The zero mark fits all.
func Open(dir string, anchor Mark) (*Register, error) {
	r := &Register{path: filepath.Join(dir, FileName), book: newBook(anchor)}
	if _, err := r.Read(); err != nil {
		return nil, err
	}
	if at := r.book.Mark(); at.Seq < anchor.Seq {
		return nil, fmt.Errorf("read %s: it ends at line %d, the keys know of line %d: %w", r.path, at.Seq, anchor.Seq, ErrDamaged)
	}
	return r, nil
}

// Book is what the register said when it was last read.
func (r *Register) Book() *Book { return r.book }

// Read takes in what was added and says whether anything was.
func (r *Register) Read() (bool, error) {
	f, err := os.Open(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read %s: %w", r.path, ErrMissing)
	}
	if err != nil {
		return false, fmt.Errorf("read register: %w", err)
	}
	defer f.Close()
	return r.take(f)
}

// take reads complete lines; what a writer has not finished is left for later.
func (r *Register) take(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("read register: %w", err)
	}
	switch {
	case info.Mode().Perm()&0o077 != 0:
		return false, fmt.Errorf("read %s: mode %04o, run chmod 0600: %w", r.path, info.Mode().Perm(), ErrDamaged)
	case info.Size() < r.offset:
		return false, fmt.Errorf("read %s: it is shorter than it was: %w", r.path, ErrDamaged)
	case info.Size() == r.offset:
		return false, r.empty()
	}
	data, err := io.ReadAll(io.NewSectionReader(f, r.offset, info.Size()-r.offset))
	if err != nil {
		return false, fmt.Errorf("read register: %w", err)
	}
	before := r.offset
	for line := range completeLines(data) {
		if err := r.book.add(line); err != nil {
			return false, fmt.Errorf("read %s: %w: %w", r.path, err, ErrDamaged)
		}
		r.offset += int64(len(line)) + 1
	}
	return r.offset > before, r.empty()
}

// empty refuses a register without its first line.
func (r *Register) empty() error {
	if r.book.Mark().Seq == 0 {
		return fmt.Errorf("read %s: it is empty: %w", r.path, ErrDamaged)
	}
	return nil
}

// Append decides on what the register says now, with every other writer kept
// out, and adds what decide returns. When it returns, the entries are on disk;
// when it fails, none of them counts.
func (r *Register) Append(decide func(*Book) ([]Entry, error)) ([]Entry, error) {
	f, err := os.OpenFile(r.path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open register: %w", err)
	}
	defer f.Close() // and with it the lock
	if err := lock(f); err != nil {
		return nil, fmt.Errorf("lock register: %w", err)
	}
	if _, err := r.take(f); err != nil {
		return nil, err
	}
	entries, err := decide(r.book)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	return r.write(f, entries)
}

// write adds entries behind the last complete line.
func (r *Register) write(f *os.File, entries []Entry) ([]Entry, error) {
	var text []byte
	mark := r.book.Mark()
	trial := r.book.clone()
	for i := range entries {
		entries[i].Seq = mark.Seq + 1
		line, hash, err := entries[i].line(mark.Hash)
		if err == nil {
			err = trial.add(line[:len(line)-1])
		}
		if err != nil {
			return nil, fmt.Errorf("write register: %w", err)
		}
		mark = Mark{entries[i].Seq, hash}
		text = append(text, line...)
	}
	// A writer that was killed may have left half a line that nobody was told of.
	if err := f.Truncate(r.offset); err != nil {
		return nil, fmt.Errorf("write register: %w", err)
	}
	_, err := f.WriteAt(text, r.offset)
	if err := errors.Join(err, f.Sync()); err != nil {
		return nil, fmt.Errorf("write register: %w", errors.Join(err, f.Truncate(r.offset)))
	}
	_, err = r.take(f)
	return entries, err
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
