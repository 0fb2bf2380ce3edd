// Package backup copies what the cells of a broker have stored into sealed
// archives, one per cell, and puts it back: every acknowledged report under its
// own sequence and time, every picture with its digest, every durable reader's
// place.
//
// It decides nothing about access: a cell is read with a credential of that
// cell, and its archive is sealed with a key of that cell. DESIGN.md has the
// format and what a stolen archive tells.
package backup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/stream"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// Keys gives the key that seals the archives of a cell.
type Keys interface {
	ArchiveKey(cell string) ([]byte, error)
}

// Progress is how far a work on one stream of a cell is.
type Progress struct {
	Doing  string // copy, check, restore or compare
	Cell   string
	Stream string
	Bytes  int64
}

// Config of a backup. Policy, Dir, Connect and Keys are required.
type Config struct {
	Policy *policy.Policy
	// PolicyFile is the text of the policy; kept beside the archives.
	PolicyFile []byte
	// Cells to copy; none is all of the policy's.
	Cells []string
	// DataDir is the broker's, for what lies beside the streams; empty: only they
	// are copied.
	DataDir string
	// Dir gets a folder of its own for this backup.
	Dir string
	// Connect signs in to a cell as its backup.
	Connect func(cell string) (*nats.Conn, error)
	Keys    Keys
	// Release that makes the backup.
	Release string
	Now     func() time.Time
	// Progress is called now and then; may be nil.
	Progress func(Progress)
}

// PolicyName is the file of the policy beside the archives of a backup.
const PolicyName = "policy.yaml"

// Take copies every stream of every cell into Dir and returns the folder it
// made and the manifests of the archives in it. What was acknowledged before
// the call is in them. Until everything is whole and on disk the folder has a
// name that no restore takes; when Take fails, nothing of it is left.
func Take(ctx context.Context, c Config) (dir string, out []Manifest, err error) {
	t := &taking{Config: c}
	if err := t.open(); err != nil {
		return "", nil, fmt.Errorf("back up: %w", err)
	}
	if err := t.run(ctx); err != nil {
		return "", nil, fmt.Errorf("back up: %w", errors.Join(err, os.RemoveAll(t.partial)))
	}
	for _, cell := range t.cells {
		out = append(out, cell.manifest)
	}
	return t.final, out, nil
}

// taking is a backup under way.
type taking struct {
	Config
	partial, final string
	cells          []*taken
}

// taken is the archive of one cell under way.
type taken struct {
	dir      string
	key      []byte
	nc       *nats.Conn
	manifest Manifest
}

func (t *taking) open() error {
	now := t.Now().UTC()
	name := "watchfloor-" + now.Format("20060102T150405Z")
	t.partial, t.final = filepath.Join(t.Dir, "."+name+".partial"), filepath.Join(t.Dir, name)
	if _, err := os.Lstat(t.final); err == nil {
		return fmt.Errorf("%s is there already: wait a second, or name another folder", t.final)
	}
	set := make([]byte, 16)
	_, _ = rand.Read(set) // never fails: package crypto/rand ends the program first
	names := t.Cells
	if len(names) == 0 {
		names = t.Policy.CellNames()
	}
	for _, name := range names {
		cell, ok := t.Policy.Cell(name)
		if !ok {
			return fmt.Errorf("unknown cell %q", name)
		}
		key, err := t.Keys.ArchiveKey(name)
		if err != nil {
			return err
		}
		t.cells = append(t.cells, &taken{dir: filepath.Join(t.partial, name), key: key, manifest: Manifest{
			Format: format, Version: Version, Set: hex.EncodeToString(set), Cell: name, Label: cell.Label.String(),
			Policy: t.Policy.Version, Release: t.Release, Began: now, Key: keyID(key),
		}})
	}
	for _, cell := range t.cells {
		if err := os.MkdirAll(cell.dir, 0o700); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
	}
	return nil
}

// run copies pictures before the reports that they are made of, over all cells:
// no picture speaks of a report that is not in the backup.
func (t *taking) run(ctx context.Context) error {
	defer t.close()
	for _, cell := range t.cells {
		var err error
		if cell.nc, err = t.Connect(cell.manifest.Cell); err != nil {
			return fmt.Errorf("sign in to %s: %w", cell.manifest.Cell, err)
		}
	}
	for _, name := range inOrder(t.Policy) {
		for _, cell := range t.cells {
			if err := t.copy(ctx, cell, name); err != nil {
				return fmt.Errorf("copy %s of %s: %w", name, cell.manifest.Cell, err)
			}
		}
	}
	for _, cell := range t.cells {
		if err := t.access(cell); err != nil {
			return fmt.Errorf("copy the record of reads of %s: %w", cell.manifest.Cell, err)
		}
		cell.manifest.Ended = t.Now().UTC()
		cell.manifest.seal(cell.key)
		if err := cell.manifest.write(cell.dir); err != nil {
			return err
		}
	}
	if err := writeFile(filepath.Join(t.partial, PolicyName), t.PolicyFile); err != nil {
		return err
	}
	for _, dir := range []string{t.partial, t.Dir} {
		if dir == t.Dir {
			if err := os.Rename(t.partial, t.final); err != nil {
				return fmt.Errorf("finish: %w", err)
			}
		}
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

func (t *taking) close() {
	for _, cell := range t.cells {
		if cell.nc != nil {
			cell.nc.Close()
		}
	}
}

// inOrder lists the streams of a cell: pictures first, reports last.
func inOrder(p *policy.Policy) []string {
	var out []string
	for _, s := range stream.Desired(p, p.Cells[0].Name, func(string) subject.Inlet { return "" }).Streams {
		if s.Name != subject.Reports {
			out = append(out, s.Name)
		}
	}
	slices.Reverse(out) // refusals after the pictures
	return append(out, subject.Reports)
}

// copy seals one stream into its file, reading along what it holds.
func (t *taking) copy(ctx context.Context, cell *taken, name string) error {
	m := &cell.manifest
	f, err := createSealed(filepath.Join(cell.dir, name+suffix), cell.key, m.context(name))
	if err != nil {
		return err
	}
	defer f.abandon()
	look := inspect(statusOf(name))
	err = capture(ctx, cell.nc, name, func(piece []byte) error {
		if _, err := f.Write(piece); err != nil {
			return err
		}
		t.tell(Progress{"copy", m.Cell, name, f.plain})
		return look.feed(piece)
	})
	found, lerr := look.end(err)
	if err := errors.Join(err, lerr); err != nil {
		return err
	}
	sum, size, err := f.finish()
	if err != nil {
		return err
	}
	m.Streams = append(m.Streams, Stream{Name: name, File: name + suffix, Bytes: size, SHA256: sum, Content: found.Content})
	if status := statusOf(name); status != 0 {
		m.Pictures = append(m.Pictures, found.picture(ctx, m.Cell, status))
	}
	return nil
}

func (t *taking) tell(p Progress) {
	if t.Progress != nil {
		t.Progress(p)
	}
}
