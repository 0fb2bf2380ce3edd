package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/natsd"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/stream"
)

// Target is where archives are restored.
type Target struct {
	Policy *policy.Policy
	// DataDir is made anew; KeysDir holds the keys that it is stored under.
	DataDir, KeysDir string
	// Replace puts stored data that is there aside, under another name.
	Replace bool
	// Prepare is called when the archives have been found whole, before anything
	// is written; it may put the keys in their place. May be nil.
	Prepare  func() error
	Now      func() time.Time
	Log      *zap.Logger
	Progress func(Progress)
}

// Restored says what a restore came to.
type Restored struct {
	// Aside is where the data went that was there before; empty: there was none.
	Aside string
	Notes []string
}

// Restore makes the data folder of a broker from archives. It checks them whole
// first; then it builds the store beside its place, reads it again message by
// message, and puts it in place only when nothing differs. No broker may run on
// the folder. What retention has ended since the backup leaves when the broker
// starts.
func Restore(ctx context.Context, a *Archives, to Target) (*Restored, error) {
	out := &Restored{Notes: a.Notes}
	if err := to.free(); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	if err := a.Check(ctx, to.Progress); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	if to.Prepare != nil {
		if err := to.Prepare(); err != nil {
			return nil, fmt.Errorf("restore: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(to.DataDir), 0o700); err != nil {
		return nil, fmt.Errorf("restore: make folder: %w", err)
	}
	dir, err := os.MkdirTemp(filepath.Dir(to.DataDir), "."+filepath.Base(to.DataDir)+".restoring-")
	if err != nil {
		return nil, fmt.Errorf("restore: make folder: %w", err)
	}
	if err := to.build(ctx, dir, a); err != nil {
		return nil, fmt.Errorf("restore: %w", errors.Join(err, os.RemoveAll(dir)))
	}
	if err := to.swap(dir, out); err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	if err := to.access(ctx, a, out); err != nil {
		return nil, fmt.Errorf("restore: the data is in place, the record of reads is not: %w", err)
	}
	return out, nil
}

// access puts the records of reads in their places.
func (to *Target) access(ctx context.Context, a *Archives, out *Restored) error {
	for _, x := range a.list {
		beside, err := x.putAccess(ctx, to.DataDir)
		if err != nil {
			return fmt.Errorf("cell %s: %w", x.manifest.Cell, err)
		}
		if beside != "" {
			out.Notes = append(out.Notes, fmt.Sprintf("the record of reads of %s that was there stays; that of the backup is in %s", x.manifest.Cell, beside))
		}
	}
	return nil
}

// free refuses a folder that is in use or that holds what would be lost.
func (to *Target) free() error {
	there, err := natsd.Look(to.DataDir)
	switch {
	case err != nil && !to.Replace:
		return err
	case there.InUse:
		return fmt.Errorf("%s: %w: end the broker first", to.DataDir, natsd.ErrInUse)
	case !there.Empty && !to.Replace:
		return fmt.Errorf("%s: %w: add --replace to put it aside, or restore into another folder", to.DataDir, ErrNotEmpty)
	}
	return nil
}

// build fills dir with what the archives hold.
func (to *Target) build(ctx context.Context, dir string, a *Archives) error {
	err := Offline(Folder{Policy: to.Policy, DataDir: dir, KeysDir: to.KeysDir, Now: to.Now, Log: to.Log, fill: true}, func(f *Opened) error {
		for _, x := range a.list {
			if err := to.cell(ctx, f, x); err != nil {
				return fmt.Errorf("cell %s: %w", x.manifest.Cell, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := broker.KeepLabels(dir, to.Policy); err != nil {
		return err
	}
	return syncTree(dir) // it was filled without waiting for the disk
}

func (to *Target) cell(ctx context.Context, f *Opened, x archived) error {
	nc, err := f.ConnectAs(account.Restore(), x.manifest.Cell)
	if err != nil {
		return err
	}
	defer nc.Close()
	for _, cfg := range stream.Desired(to.Policy, x.manifest.Cell, f.Inlets(x.manifest.Cell)).Streams {
		s, _ := x.manifest.Stream(cfg.Name) // Open has checked that it is there
		if err := to.stream(ctx, nc, x, s, cfg); err != nil {
			return fmt.Errorf("restore %s: %w", s.Name, err)
		}
		if err := to.compare(ctx, nc, x, s); err != nil {
			return fmt.Errorf("compare %s: %w", s.Name, err)
		}
	}
	return nil
}

func (to *Target) stream(ctx context.Context, nc *nats.Conn, x archived, s Stream, cfg jetstream.StreamConfig) error {
	r, err := x.open(s)
	if err != nil {
		return err
	}
	defer r.Close()
	return putBack(ctx, nc, cfg, told(r, Progress{Doing: "restore", Cell: x.manifest.Cell, Stream: s.Name}, to.Progress))
}

// compare reads a restored stream again, message by message.
func (to *Target) compare(ctx context.Context, nc *nats.Conn, x archived, s Stream) error {
	p := Progress{Doing: "compare", Cell: x.manifest.Cell, Stream: s.Name}
	look := inspect(statusOf(s.Name))
	err := capture(ctx, nc, s.Name, func(piece []byte) error {
		if p.Bytes += int64(len(piece)); to.Progress != nil {
			to.Progress(p)
		}
		return look.feed(piece)
	})
	got, lerr := look.end(err)
	if err := errors.Join(err, lerr); err != nil {
		return err
	}
	if err := same(s.Content, got.Content); err != nil {
		return fmt.Errorf("%w: %w", err, ErrDiffers)
	}
	if status := statusOf(s.Name); status != 0 {
		if have := got.picture(ctx, x.manifest.Cell, status); !slices.Contains(x.manifest.Pictures, have) {
			return fmt.Errorf("the picture has digest %s: %w", have.Digest, ErrDiffers)
		}
	}
	return nil
}

// swap puts dir in place.
func (to *Target) swap(dir string, out *Restored) error {
	there, err := natsd.Look(to.DataDir)
	if there.InUse {
		return errors.Join(fmt.Errorf("%s: %w: end the broker first", to.DataDir, natsd.ErrInUse), os.RemoveAll(dir))
	}
	switch {
	case err == nil && there.Empty:
		err = os.RemoveAll(to.DataDir) // at most the folder and its FORMAT
	default:
		out.Aside = to.DataDir + ".before-" + to.Now().UTC().Format("20060102T150405Z")
		err = os.Rename(to.DataDir, out.Aside)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, os.RemoveAll(dir))
	}
	if err := os.Rename(dir, to.DataDir); err != nil {
		return fmt.Errorf("put the restored data in place: %w: it is whole in %s", err, dir)
	}
	return syncDir(filepath.Dir(to.DataDir))
}
