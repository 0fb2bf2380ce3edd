package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/broker/policy"
)

// Archives are those of one backup, checked as far as their manifests go.
type Archives struct {
	list []archived
	// Notes are what is lawful and worth telling.
	Notes []string
}

// archived is one cell's archive.
type archived struct {
	dir      string
	key      []byte
	manifest Manifest
}

// Manifests of the archives, by cell.
func (a *Archives) Manifests() []Manifest {
	out := make([]Manifest, len(a.list))
	for i, x := range a.list {
		out[i] = x.manifest
	}
	return out
}

// Open reads the manifests of archives and refuses what must not be restored
// together under p: other keys, a changed manifest, two backups, a cell that p
// labels otherwise or does not know, a stream left out. Unless some cells are
// enough, none of p may be missing.
func Open(dirs []string, p *policy.Policy, keys Keys, some bool) (*Archives, error) {
	a := &Archives{}
	for _, dir := range dirs {
		m, err := Read(dir)
		if err != nil {
			return nil, err
		}
		x := archived{dir: dir, manifest: m}
		if x.key, err = keys.ArchiveKey(m.Cell); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		if err := m.verify(x.key); err != nil {
			return nil, err
		}
		if err := fits(m, p); err != nil {
			return nil, err
		}
		a.list = append(a.list, x)
	}
	slices.SortFunc(a.list, func(x, y archived) int { return strings.Compare(x.manifest.Cell, y.manifest.Cell) })
	return a, a.together(p, some)
}

// fits says whether a cell's archive may become that cell under p.
func fits(m Manifest, p *policy.Policy) error {
	cell, ok := p.Cell(m.Cell)
	if !ok {
		return fmt.Errorf("the policy has no cell %s: %w", m.Cell, ErrMixed)
	}
	if cell.Label.String() != m.Label {
		return fmt.Errorf("the archive of %s is %s, the policy makes the cell %s: what was admitted under one label is not shown under another: %w", m.Cell, m.Label, cell.Label, ErrMixed)
	}
	want := inOrder(p)
	for _, name := range want {
		s, ok := m.Stream(name)
		if !ok {
			return fmt.Errorf("the archive of %s lacks stream %s: %w", m.Cell, name, ErrDamaged)
		}
		if s.File != name+suffix {
			return fmt.Errorf("the archive of %s keeps stream %s in %q: %w", m.Cell, name, s.File, ErrDamaged)
		}
	}
	if len(m.Streams) != len(want) {
		return fmt.Errorf("the archive of %s has %d streams, a cell has %d: %w", m.Cell, len(m.Streams), len(want), ErrDamaged)
	}
	return nil
}

func (a *Archives) together(p *policy.Policy, some bool) error {
	if len(a.list) == 0 {
		return fmt.Errorf("no archive is named: %w", ErrMixed)
	}
	first := a.list[0].manifest
	have := map[string]bool{}
	for _, x := range a.list {
		m := x.manifest
		if m.Set != first.Set {
			return fmt.Errorf("%s is of %s and %s of %s: a picture must not speak of reports that are not there: name the archives of one backup: %w",
				first.Cell, first.Began.Format(stamp), m.Cell, m.Began.Format(stamp), ErrMixed)
		}
		if have[m.Cell] {
			return fmt.Errorf("cell %s is named twice: %w", m.Cell, ErrMixed)
		}
		have[m.Cell] = true
	}
	if first.Policy != p.Version {
		a.Notes = append(a.Notes, fmt.Sprintf("the backup was made under policy %s, this one is %s: labels agree; whoever the policy left out is no longer provisioned", first.Policy, p.Version))
	}
	for _, name := range p.CellNames() {
		switch {
		case have[name]:
		case some:
			a.Notes = append(a.Notes, fmt.Sprintf("cell %s is not among the archives: it will be empty", name))
		default:
			return fmt.Errorf("the archive of cell %s is missing: name all of the backup, or allow that some are left empty (--partial): %w", name, ErrMixed)
		}
	}
	return nil
}

const stamp = "2006-01-02 15:04:05Z"

// Check reads every file of the archives to its end: its hash, every seal,
// every message, every picture. It writes nothing.
func (a *Archives) Check(ctx context.Context, progress func(Progress)) error {
	for _, x := range a.list {
		for _, s := range x.manifest.Streams {
			if err := x.check(ctx, s, progress); err != nil {
				return fmt.Errorf("%s of %s: %w", s.File, x.dir, err)
			}
		}
		if err := x.checkAccess(ctx); err != nil {
			return fmt.Errorf("%s of %s: %w", accessName+suffix, x.dir, err)
		}
	}
	return nil
}

func (x *archived) check(ctx context.Context, s Stream, progress func(Progress)) error {
	if err := x.hash(s); err != nil {
		return err
	}
	status := statusOf(s.Name)
	got, err := x.inspect(ctx, s, progress)
	if err != nil {
		return err
	}
	if err := same(s.Content, got.Content); err != nil {
		return fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	if status == 0 {
		return nil
	}
	if p := got.picture(ctx, x.manifest.Cell, status); !slices.Contains(x.manifest.Pictures, p) {
		return fmt.Errorf("its picture has digest %s, the manifest says another: %w", p.Digest, ErrDamaged)
	}
	return nil
}

// hash compares a file with the manifest.
func (x *archived) hash(s Stream) error {
	f, err := os.Open(filepath.Join(x.dir, s.File))
	if err != nil {
		return fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if n != s.Bytes {
		return fmt.Errorf("it has %d bytes, the manifest says %d: %w", n, s.Bytes, ErrDamaged)
	}
	if sum := hex.EncodeToString(h.Sum(nil)); sum != s.SHA256 {
		return fmt.Errorf("its SHA-256 is %s, the manifest says %s: %w", sum, s.SHA256, ErrDamaged)
	}
	return nil
}

// open unseals a stream; the caller closes.
func (x *archived) open(s Stream) (io.ReadCloser, error) {
	f, err := os.Open(filepath.Join(x.dir, s.File))
	if err != nil {
		return nil, err
	}
	o, err := openSealed(f, x.key, x.manifest.context(s.Name))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{o, f}, nil
}

// inspect reads a sealed stream to its end.
func (x *archived) inspect(ctx context.Context, s Stream, progress func(Progress)) (found, error) {
	r, err := x.open(s)
	if err != nil {
		return found{}, err
	}
	defer r.Close()
	i := inspect(statusOf(s.Name))
	_, err = io.Copy(writerFunc(func(p []byte) error { return errors.Join(ctx.Err(), i.feed(p)) }), told(r, Progress{Doing: "check", Cell: x.manifest.Cell, Stream: s.Name}, progress))
	got, lerr := i.end(err)
	return got, errors.Join(err, lerr)
}

// same says what differs.
func same(want, got Content) error {
	switch {
	case got.Messages != want.Messages || got.First != want.First || got.Last != want.Last:
		return fmt.Errorf("got %d messages from %d to %d, want %d from %d to %d", got.Messages, got.First, got.Last, want.Messages, want.First, want.Last)
	case got.Sum != want.Sum:
		return errors.New("got other messages")
	case !slices.Equal(got.Places, want.Places):
		return fmt.Errorf("got readers' places %v, want %v", got.Places, want.Places)
	}
	return nil
}

// writerFunc is a function as a writer.
type writerFunc func([]byte) error

func (f writerFunc) Write(p []byte) (int, error) {
	if err := f(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// told tells of what is read.
func told(r io.Reader, p Progress, progress func(Progress)) io.Reader {
	if progress == nil {
		return r
	}
	return io.TeeReader(r, writerFunc(func(b []byte) error {
		p.Bytes += int64(len(b))
		progress(p)
		return nil
	}))
}
