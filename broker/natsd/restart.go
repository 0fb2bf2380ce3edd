package natsd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// A stream whose file could not be written or synced takes nothing more until
// its store is opened again: what is in memory may not be on disk.

// ErrFrozen: a stream takes nothing more since a write or a sync failed. When
// the disk is well again, Restart.
var ErrFrozen = errors.New("the store is frozen since a write to the disk failed")

// Frozen is nil while every stream takes writes, as far as the server knows. It
// waits for a write that is under way.
func (s *Server) Frozen() error { return frozen(s.nats.Load(), &server.HealthzOptions{Details: true}) }

// Sound is Frozen for one stream of an account. Asked after the stream has
// answered, it says whether what the stream holds is on disk.
func (s *Server) Sound(account, stream string) error {
	return frozen(s.nats.Load(), &server.HealthzOptions{Account: account, Stream: stream, Details: true})
}

func frozen(n *server.Server, what *server.HealthzOptions) error {
	if !n.JetStreamEnabled() {
		return fmt.Errorf("%w: it was closed", ErrFrozen)
	}
	for _, e := range n.Healthz(what).Errors {
		if strings.Contains(e.Error, "write error") {
			return fmt.Errorf("%w: %s", ErrFrozen, trim(e.Error))
		}
	}
	return nil
}

// Settle syncs what the streams' files hold. Its error is why the store cannot be
// opened again.
func (s *Server) Settle() error { return settle(s.dir, false) }

// Restart ends the server and starts it again on the same port, with the same
// accounts, from what is on disk. Connections inside the process are lost,
// those over TCP come back by themselves. After an error the server is away:
// restart it again.
func (s *Server) Restart() error {
	s.stop()
	if err := settle(s.dir, true); err != nil {
		return fmt.Errorf("restart nats: %w", err)
	}
	if err := s.start(); err != nil {
		s.stop()
		return err
	}
	return nil
}

func (s *Server) stop() {
	if n := s.nats.Load(); n != nil {
		n.Shutdown()
		n.WaitForShutdown()
	}
}

// settle brings to disk what the system holds of the streams' files: a process
// that died between a write and its sync leaves bytes that can be read and are
// not on disk, and who asks again for such a report is told that it is stored.
// After a failed sync the system takes such bytes for written (and forgets
// them), so again writes the last file of each stream once more.
func settle(dir string, again bool) error {
	streams, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", "*", "msgs"))
	if err != nil {
		return err
	}
	for _, msgs := range streams {
		if err := settleStream(msgs, again); err != nil {
			return fmt.Errorf("bring %s to disk: %w", filepath.Base(filepath.Dir(msgs)), err)
		}
	}
	return nil
}

func settleStream(msgs string, again bool) error {
	blocks, err := os.ReadDir(msgs)
	if err != nil {
		return err
	}
	last, lastNumber := "", -1
	for _, b := range blocks {
		name, ok := strings.CutSuffix(b.Name(), ".blk")
		n, err := strconv.Atoi(name)
		if !ok || err != nil {
			continue
		}
		if n > lastNumber {
			last, lastNumber = b.Name(), n
		}
		if err := settleFile(filepath.Join(msgs, b.Name()), false); err != nil {
			return err
		}
	}
	if last == "" || !again {
		return nil
	}
	return settleFile(filepath.Join(msgs, last), true)
}

func settleFile(path string, again bool) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if again {
		data, rerr := os.ReadFile(path)
		if err = rerr; err == nil {
			_, err = f.WriteAt(data, 0)
		}
	}
	return errors.Join(err, f.Sync(), f.Close())
}
