package natsd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/internal/folder"
)

// ErrDamaged: the server cannot read a stream that cannot be made again. What is
// on disk of it is as it was. Restore it from a backup.
var ErrDamaged = errors.New("stream is damaged")

// mend looks for streams that lie on disk and that the server has not loaded: it
// passes over one whose description is not whole, and deletes one whose blocks
// it cannot make out. To create such a stream again would panic in the server,
// or begin an empty one over what is stored. What can be made again, or holds
// nothing yet, is removed; anything else is put back and ends the start.
func (s *Server) mend() error {
	loaded, err := s.loaded()
	if err != nil {
		return err
	}
	known := s.known(nil)
	dirs, err := streamDirs(s.dir)
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		account := accountOf(dir)
		if known[account] == "" || loaded[account][filepath.Base(dir)] {
			continue
		}
		if err := remove(s.cfg, dir); err != nil {
			return fmt.Errorf("stream %s: %w", dir, err)
		}
	}
	return s.release(loaded)
}

// loaded lists the streams that the server knows, by account.
func (s *Server) loaded() (map[string]map[string]bool, error) {
	info, err := s.nats.Load().Jsz(&server.JSzOptions{Accounts: true, Streams: true, Limit: 1 << 20})
	if err != nil {
		return nil, fmt.Errorf("look for damaged streams: %w", err)
	}
	out := map[string]map[string]bool{}
	for _, a := range info.AccountDetails {
		out[a.Id] = map[string]bool{}
		for _, x := range a.Streams {
			out[a.Id][x.Name] = true
		}
	}
	return out, nil
}

func remove(cfg Config, dir string) error {
	stream := filepath.Base(dir)
	if !cfg.remakeable(dir) {
		empty, err := holdsNothing(dir)
		if err != nil {
			return err
		}
		if !empty {
			return fmt.Errorf("%w: restore the data directory from a backup", ErrDamaged)
		}
	}
	cfg.Log.Warn("a stream that was not whole on disk is made anew", zap.String("stream", stream))
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove stream %s: %w", stream, err)
	}
	return folder.Sync(filepath.Dir(dir))
}

// holdsNothing says whether no message was ever stored in a stream: its creation
// was cut short.
func holdsNothing(dir string) (bool, error) {
	empty := true
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".blk") {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Size() > 0 {
			empty = false
		}
		return err
	})
	return empty, err
}

// Establish puts on disk what describes the streams there are, and the folders that
// name them. The server syncs what it writes into a stream's folder, but not the
// folder above, and nothing of a stream that does not wait for the disk: without
// this a power cut can take a whole stream. Call it when streams were made and
// before anything is stored in them.
func (s *Server) Establish() error {
	describes := func(name string) bool { return strings.HasPrefix(name, "meta.") }
	if err := folder.SyncTree(s.dir, describes); err != nil {
		return fmt.Errorf("establish the streams: %w", err)
	}
	return folder.Sync(filepath.Dir(s.dir))
}
