package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/atrest"
	"github.com/watchfloor/watchfloor/broker/natsd"
)

// freePorts checks before anything is started that the ports can be listened
// on: the broker's, and one for each of the cells. -1 is any free port.
func freePorts(port, http, cells int) error {
	if err := freePort("--port", port); err != nil {
		return err
	}
	if http == -1 {
		return freePort("--http-port", http)
	}
	for i := range cells {
		if err := freePort("--http-port", http+i); err != nil {
			return err
		}
	}
	return nil
}

func freePort(flag string, port int) error {
	if port == -1 {
		return nil
	}
	if port < 1 || port > 65535 {
		return usage("%s %d: use 1 to 65535, or -1 for any free port", flag, port)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return unreachable("port %d is in use, perhaps by a broker that runs already: end what listens there, or choose another with %s (-1: any free one)", port, flag)
	case err != nil:
		return unreachable("listen on port %d: %w: choose another with %s", port, err, flag)
	}
	return l.Close()
}

// startError adds what to do to the usual reasons why a broker does not start.
func startError(err error, dir string) error {
	switch {
	case errors.Is(err, natsd.ErrInUse):
		return unreachable("a broker runs in %s already: use it, end it, or name another folder with --dir", dir)
	case errors.Is(err, broker.ErrKeysLost), errors.Is(err, atrest.ErrWrongKey):
		return unreachable("start in %s: %w: restore the copy of %s that belongs to it; nothing was touched (\"watchfloor key status\" compares)", dir, err, filepath.Join(dir, "keys"))
	case errors.Is(err, syscall.EROFS):
		return unreachable("start in %s: %w: the disk is mounted read-only: look why in the system's log, mount it for writing, or name another folder with --dir", dir, err)
	case errors.Is(err, fs.ErrPermission):
		return unreachable("start in %s: %w: name a folder you may write to with --dir", dir, err)
	}
	return unreachable("start in %s: %w", dir, err)
}

// ensure makes the folder of a broker.
func ensure(dir string) error {
	if err := ensureDirs(dir); err != nil {
		return usage("%w: name a folder you may write to with --dir", err)
	}
	return nil
}

// elsewhere is the --dir that another command needs to find this broker.
func (a *app) elsewhere() string {
	if a.dir == defaultDir() {
		return ""
	}
	return fmt.Sprintf(" --dir %s", a.dir)
}
