package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/watchfloor/watchfloor/internal/spine"
)

// accessName is the file of an archive that holds the record of what was read
// in the cell. Its segments are sealed for the auditor already; nobody else
// reads them out of a backup either.
const accessName = "ACCESS"

// Access is the record of what was read in a cell.
type Access struct {
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	// Segments are its files, Sum the SHA-256 over their names and contents.
	Segments int    `json:"segments"`
	Sum      string `json:"content_sha256"`
}

// access seals the record of reads as it is at this moment. A segment that is
// being written ends where it ended when it was looked at, as after a power cut.
func (t *taking) access(cell *taken) error {
	if t.DataDir == "" {
		return nil
	}
	m := &cell.manifest
	f, err := createSealed(filepath.Join(cell.dir, accessName+suffix), cell.key, m.context(accessName))
	if err != nil {
		return err
	}
	defer f.abandon()
	a := Access{File: accessName + suffix}
	sum := sha256.New()
	w := tar.NewWriter(f)
	dir := spine.AccessDir(t.DataDir, m.Cell)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // none is kept, or a segment was given up meanwhile
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		copied, err := addFile(w, path, filepath.ToSlash(name), sum)
		if copied {
			a.Segments++
		}
		return err
	})
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	if a.SHA256, a.Bytes, err = f.finish(); err != nil {
		return err
	}
	a.Sum = hex.EncodeToString(sum.Sum(nil))
	m.Access = &a
	return nil
}

func addFile(w *tar.Writer, path, name string, sum hash.Hash) (copied bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), ModTime: info.ModTime()}); err != nil {
		return false, err
	}
	fmt.Fprintf(sum, "%s\x00%d\x00", name, info.Size())
	_, err = io.CopyN(io.MultiWriter(w, sum), f, info.Size())
	return true, err
}

// asStream is the sealed file as those of streams are described.
func (a *Access) asStream() Stream {
	return Stream{Name: accessName, File: a.File, Bytes: a.Bytes, SHA256: a.SHA256}
}

// checkAccess reads the sealed record of reads to its end.
func (x *archived) checkAccess(ctx context.Context) error {
	a := x.manifest.Access
	if a == nil {
		return nil
	}
	if a.File != accessName+suffix {
		return fmt.Errorf("the record of reads is kept in %q: %w", a.File, ErrDamaged)
	}
	if err := x.hash(a.asStream()); err != nil {
		return err
	}
	return x.eachAccess(ctx, func(string, io.Reader) error { return nil })
}

// putAccess puts the record of reads beside a data folder, whole or not at all.
// Where one is already it stays, for it may hold more: that of the backup then
// gets a name of its own, which is returned.
func (x *archived) putAccess(ctx context.Context, dataDir string) (beside string, err error) {
	if a := x.manifest.Access; a == nil || a.Segments == 0 {
		return "", nil
	}
	to := spine.AccessDir(dataDir, x.manifest.Cell)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(filepath.Dir(to), "."+x.manifest.Cell+".restoring-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) // once it has its name there is none
	if err := x.unpackAccess(ctx, dir); err != nil {
		return "", err
	}
	err = os.Rename(dir, to) // an empty folder gives way
	if errors.Is(err, fs.ErrExist) {
		beside = to + ".of-" + x.manifest.Began.UTC().Format("20060102T150405Z")
		err = os.Rename(dir, beside)
		if errors.Is(err, fs.ErrExist) { // of an earlier restore, and the same
			err = nil
		}
	}
	return beside, errors.Join(err, syncDir(filepath.Dir(to)))
}

// unpackAccess writes the record of reads into a folder, to disk.
func (x *archived) unpackAccess(ctx context.Context, dir string) error {
	err := x.eachAccess(ctx, func(name string, r io.Reader) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, r)
		return errors.Join(err, f.Close())
	})
	return errors.Join(err, syncTree(dir))
}

// eachAccess hands over every file, and compares what it has handed over with
// the manifest.
func (x *archived) eachAccess(ctx context.Context, each func(name string, r io.Reader) error) error {
	a := x.manifest.Access
	r, err := x.open(a.asStream())
	if err != nil {
		return err
	}
	defer r.Close()
	sum, n := sha256.New(), 0
	for tr := tar.NewReader(r); ; n++ {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("read the record of reads: %w", err)
		}
		if !filepath.IsLocal(filepath.FromSlash(h.Name)) || h.Typeflag != tar.TypeReg {
			return fmt.Errorf("%q in the record of reads is no file of it: %w", h.Name, ErrDamaged)
		}
		fmt.Fprintf(sum, "%s\x00%d\x00", h.Name, h.Size)
		body := io.TeeReader(tr, sum)
		if err := each(h.Name, body); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, body); err != nil {
			return fmt.Errorf("read the record of reads: %w", err)
		}
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != a.Sum || n != a.Segments {
		return fmt.Errorf("the record of reads has %d segments, the manifest says %d, or they are others: %w", n, a.Segments, ErrDamaged)
	}
	return nil
}
