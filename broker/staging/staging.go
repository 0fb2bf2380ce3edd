// Package staging moves the staging area of atomic batches into memory.
//
// nats-server writes every batch twice: into a store of its own under
// STREAM/batches, with about ten synced writes, and then into the stream. Only
// the second makes it durable; the first exists so that a server that died
// between two messages of a batch can finish it. In a directory in memory the
// staged batch survives a killed process as well, and costs a sixth. A power
// cut in the middle of a commit may then keep the first part of a batch, of
// which nobody was told anything: package admit takes that for granted.
//
// It is no cache and holds nothing that was acknowledged. Where the system has
// no directory in memory, batches stay on disk: slower, nothing else changes.
package staging

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrNoMemory says that there is no directory in memory, or too little room.
var ErrNoMemory = errors.New("no directory in memory")

// Room is how much a staging area may need at once.
const Room = 48 << 20

// memory is where the system keeps files in memory.
const memory = "/dev/shm"

// Link points the staging area of one stream at a directory in memory and
// returns that directory. Call it after the stream exists and before anyone
// publishes a batch; the server takes the link away when it starts. The
// directory is private to the user and named after the store, so that a
// restart finds it again.
func Link(storeDir, account, stream string) (string, error) {
	home := filepath.Join(storeDir, "jetstream", account, "streams", stream)
	if info, err := os.Stat(home); err != nil {
		return "", fmt.Errorf("stage batches of %s: %w", stream, err)
	} else if !info.IsDir() {
		return "", fmt.Errorf("stage batches of %s: %s is no directory", stream, home)
	}
	abs, err := filepath.Abs(home)
	if err != nil {
		return "", fmt.Errorf("stage batches of %s: %w", stream, err)
	}
	if err := inMemory(memory); err != nil {
		return "", fmt.Errorf("stage batches of %s: %w", stream, err)
	}
	sum := sha256.Sum256([]byte(abs))
	dir := filepath.Join(memory, fmt.Sprintf("watchfloor-%d-%s", os.Getuid(), hex.EncodeToString(sum[:12])))
	if err := private(dir); err != nil {
		return "", fmt.Errorf("stage batches of %s: %w", stream, err)
	}
	if err := point(filepath.Join(home, "batches"), dir); err != nil {
		return "", fmt.Errorf("stage batches of %s: %w", stream, err)
	}
	return dir, nil
}

// private makes dir, or empties the one that an earlier run left. Anybody may
// write beside it, so a directory that is not ours alone is refused.
func private(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		return nil
	}
	if !errors.Is(err, os.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() || info.Mode().Perm() != 0o700 || !ours(info) {
		return fmt.Errorf("%s is not a directory of this user alone; remove it", dir)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range left {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// point replaces link by a link to dir. A staging area in use is not touched.
func point(link, dir string) error {
	if have, err := os.Readlink(link); err == nil && have == dir {
		return nil
	}
	if err := os.Remove(link); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(dir, link)
}

// Clear removes a directory that Link returned, after the server has ended.
func Clear(dir string) error {
	if dir == "" {
		return nil
	}
	return os.RemoveAll(dir)
}
