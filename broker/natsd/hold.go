package natsd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/internal/folder"
)

// heldDir of the data directory has a second name for every file of the streams
// that cannot be made again, while the server starts: it deletes a stream whose
// blocks it cannot make out (2.15.2, addStreamWithAssignment).
const heldDir = "held"

// minKey is how long a sealed key is at least.
const minKey = 64

func (s *Server) held() string { return filepath.Join(filepath.Dir(s.dir), heldDir) }

// hold keeps the streams on disk over a start of the server.
func (s *Server) hold() error {
	if err := s.putBack(); err != nil {
		return err
	}
	if err := prune(s.cfg, s.dir); err != nil {
		return err
	}
	dirs, err := streamDirs(s.dir)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if s.cfg.remakeable(dir) {
			continue
		}
		if err := link(dir, filepath.Join(s.held(), accountOf(dir), filepath.Base(dir))); err != nil {
			return fmt.Errorf("hold stream %s: %w", filepath.Base(dir), err)
		}
	}
	return nil
}

// prune removes what a power cut or a kill left unfinished: streams that were
// being made, and blocks that were begun.
func prune(cfg Config, storeDir string) error {
	dirs, err := streamDirs(storeDir)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		key, err := os.Stat(filepath.Join(dir, "meta.key"))
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			return err
		case err != nil || key.Size() < minKey:
			err = remove(cfg, dir)
		default:
			err = emptyBlocks(cfg.Log, dir, cfg.remakeable(dir))
		}
		if err != nil {
			return fmt.Errorf("stream %s: %w", dir, err)
		}
	}
	return nil
}

// streamDirs lists the folders of all streams on disk.
func streamDirs(storeDir string) ([]string, error) {
	dirs, err := filepath.Glob(filepath.Join(storeDir, "jetstream", "*", "streams", "*"))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(dirs, func(dir string) bool {
		info, err := os.Stat(dir)
		return err != nil || !info.IsDir()
	}), nil
}

func accountOf(dir string) string { return filepath.Base(filepath.Dir(filepath.Dir(dir))) }

func (c Config) remakeable(dir string) bool {
	return c.Remakeable != nil && c.Remakeable(filepath.Base(dir))
}

// emptyBlocks removes the blocks that were begun and hold nothing, not even a
// whole key: because of one the server would delete the stream. One that holds
// something has lost its key, and the server would delete the block.
func emptyBlocks(log *zap.Logger, dir string, remakeable bool) error {
	blocks, err := filepath.Glob(filepath.Join(dir, "msgs", "*.blk"))
	if err != nil {
		return err
	}
	for _, block := range blocks {
		info, err := os.Stat(block)
		if err != nil {
			return err
		}
		key := strings.TrimSuffix(block, ".blk") + ".key"
		k, err := os.Stat(key)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		switch {
		case err == nil && k.Size() >= minKey:
			continue
		case info.Size() > 0 && !remakeable:
			return fmt.Errorf("block %s has no key: %w: restore the data directory from a backup", filepath.Base(block), ErrDamaged)
		}
		log.Warn("a block of a stream that was begun and holds nothing is removed", zap.String("stream", filepath.Base(dir)))
		for _, path := range []string{block, key} {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		if err := folder.Sync(filepath.Dir(block)); err != nil {
			return err
		}
	}
	return nil
}

// link gives every file of a stream's folder a second name under to. The staging
// area of batches is not part of it.
func link(from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case rest == "batches" && e.IsDir():
			return filepath.SkipDir
		case e.IsDir():
			return os.MkdirAll(filepath.Join(to, rest), 0o700)
		case !e.Type().IsRegular():
			return nil
		}
		return os.Link(path, filepath.Join(to, rest))
	})
}

// putBack gives back a stream that a start before this one lost, and forgets the
// others.
func (s *Server) putBack() error {
	streams, err := filepath.Glob(filepath.Join(s.held(), "*", "*"))
	if err != nil {
		return err
	}
	for _, from := range streams {
		to := filepath.Join(s.dir, "jetstream", filepath.Base(filepath.Dir(from)), "streams", filepath.Base(from))
		if _, err := os.Stat(to); err == nil || !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if empty, err := holdsNothing(from); err != nil || empty {
			continue
		}
		if err := errors.Join(folder.Make(filepath.Dir(to), 0o700), os.Rename(from, to), folder.SyncTree(to, func(string) bool { return false }), folder.Sync(filepath.Dir(to))); err != nil {
			return fmt.Errorf("put stream %s back: %w", filepath.Base(to), err)
		}
	}
	if err := os.RemoveAll(s.held()); err != nil {
		return fmt.Errorf("forget what was held: %w", err)
	}
	return nil
}

// release forgets what was held when the server has loaded it all; else it puts
// back what the server deleted, and says so.
func (s *Server) release(loaded map[string]map[string]bool) error {
	streams, err := filepath.Glob(filepath.Join(s.held(), "*", "*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range streams {
		account, stream := filepath.Base(filepath.Dir(dir)), filepath.Base(dir)
		if loaded[account][stream] {
			continue
		}
		if empty, err := holdsNothing(dir); err == nil && empty {
			continue
		}
		errs = append(errs, fmt.Errorf("stream %s of account %s: the server cannot make out its blocks: %w: restore the data directory from a backup", stream, account, ErrDamaged))
	}
	return errors.Join(append(errs, s.putBack())...)
}
