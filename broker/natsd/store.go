package natsd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/watchfloor/watchfloor/broker/atrest"
	"github.com/watchfloor/watchfloor/broker/internal/folder"
)

// Files of the data directory.
const (
	formatFile = "FORMAT"
	storeDir   = "store"
)

// FormatVersion is the version of the stored data this build reads and writes.
const FormatVersion = 1

const formatWord = "watchfloor-store"

var (
	// ErrNewerFormat: a newer release wrote the data. Start that release; the
	// data was not touched.
	ErrNewerFormat = errors.New("data was written by a newer release")
	// ErrForeignData: the directory holds something that is not ours. Choose
	// an empty one.
	ErrForeignData = errors.New("directory holds other data")
	// ErrInUse: another broker runs on the same data. Stop it first.
	ErrInUse = errors.New("data is in use by another broker")
)

// store is the data directory, held by one process.
type store struct {
	lock *os.File
}

func openStore(dir string) (*store, error) {
	if err := folder.Make(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	path := filepath.Join(dir, formatFile)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := claim(dir, path); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, fmt.Errorf("read format: %w", err)
	default:
		if err := checkFormat(path, string(text)); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open format: %w", err)
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("open %s: %w", dir, errors.Join(ErrInUse, err))
	}
	return &store{lock: f}, nil
}

// claim writes the format of a directory that holds nothing yet.
func claim(dir, path string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read data directory: %w", err)
	}
	for _, e := range entries {
		if e.Name() != formatFile+folder.Unfinished { // a power cut came between
			return fmt.Errorf("%s has files but no %s: %w", dir, formatFile, ErrForeignData)
		}
	}
	if err := folder.Write(path, fmt.Appendf(nil, "%s %d\n", formatWord, FormatVersion)); err != nil {
		return fmt.Errorf("write format: %w", err)
	}
	return nil
}

func checkFormat(path, text string) error {
	word, number, _ := strings.Cut(strings.TrimSpace(text), " ")
	version, err := strconv.Atoi(number)
	if word != formatWord || err != nil || version < 1 {
		return fmt.Errorf("%s does not say %q: %w", path, formatWord+" "+strconv.Itoa(FormatVersion), ErrForeignData)
	}
	if version > FormatVersion {
		return fmt.Errorf("%s is version %d, this release reads up to %d: %w", path, version, FormatVersion, ErrNewerFormat)
	}
	return nil
}

// Holds says whether a data directory holds a store.
func Holds(dataDir string) (bool, error) {
	entries, err := os.ReadDir(filepath.Join(dataDir, storeDir, "jetstream"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return len(entries) > 0, err
}

// Rotate puts another key in the place of the store's, while no server has it
// open; see package atrest.
func Rotate(dataDir, from, to string, progress func(done, total int)) (changed int, err error) {
	st, err := openStore(dataDir)
	if err != nil {
		return 0, err
	}
	defer st.close()
	return atrest.Rotate(dataDir, filepath.Join(dataDir, storeDir), from, to, progress)
}

func (s *store) close() {
	if s.lock != nil {
		s.lock.Close()
		s.lock = nil
	}
}

// Found is what lies in a data directory.
type Found struct {
	// Version of the stored data; 0 when there is none.
	Version int
	// Empty: nothing is stored in it.
	Empty bool
	// InUse: a broker runs on it.
	InUse bool
}

// Look says what lies in a data directory, and leaves it as it is. The error is
// [ErrNewerFormat] or [ErrForeignData], beside what could be found.
func Look(dir string) (Found, error) {
	path := filepath.Join(dir, formatFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(dir)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && len(entries) == 0:
			return Found{Empty: true}, nil
		case err != nil:
			return Found{}, fmt.Errorf("read data directory: %w", err)
		}
		return Found{}, fmt.Errorf("%s has files but no %s: %w", dir, formatFile, ErrForeignData)
	}
	if err != nil {
		return Found{}, fmt.Errorf("read format: %w", err)
	}
	var f Found
	_, _ = fmt.Sscanf(string(text), formatWord+" %d", &f.Version) // checked below
	if f.InUse, err = inUse(path); err != nil {
		return f, err
	}
	accounts, err := os.ReadDir(filepath.Join(dir, storeDir, "jetstream"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f, fmt.Errorf("read data directory: %w", err)
	}
	f.Empty = len(accounts) == 0
	return f, checkFormat(path, string(text))
}

// inUse tries the lock of another process.
func inUse(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("open format: %w", err)
	}
	defer f.Close()
	return lockFile(f) != nil, nil
}
