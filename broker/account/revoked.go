package account

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// revokedDir lies in the keys directory and has one file per revocation: named
// like a token's id, or reader.NAME or cell.NAME with a time, for all of theirs
// that were issued by then. One file each, so that two commands at once lose
// none, and whoever verifies need not be asked: it looks.
const revokedDir = "revoked-tokens"

const (
	// lookEvery is how soon a revocation is seen.
	lookEvery = 100 * time.Millisecond
	// settled is how old a directory's time must be to say that nothing has
	// changed since: file systems keep it in coarse steps.
	settled = 2 * time.Second
)

// revocations are the tokens that hold no more.
type revocations struct {
	dir string // empty: in memory alone

	mu      sync.Mutex
	looked  time.Time
	changed time.Time            // of the directory, when it was read
	before  map[string]time.Time // id, reader.NAME or cell.NAME -> issued by
	broken  bool
}

// forever revokes a token by its id, whenever it was issued.
var forever = time.Unix(1<<40, 0)

// has says whether the token is revoked. What cannot be read revokes all.
func (r *revocations) has(t Token) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.look()
	if r.broken {
		return true
	}
	for _, name := range []string{t.ID, "reader." + t.Reader, "cell." + t.Cell} {
		if by, ok := r.before[name]; ok && !t.Issued.After(by) {
			return true
		}
	}
	return false
}

// look reads the directory again when it may have changed.
func (r *revocations) look() {
	now := time.Now()
	if r.dir == "" || r.before != nil && now.Sub(r.looked) < lookEvery {
		return
	}
	r.looked = now
	info, err := os.Stat(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		r.before, r.changed, r.broken = map[string]time.Time{}, time.Time{}, false
		return
	}
	if err == nil && !r.broken && r.before != nil && info.ModTime().Equal(r.changed) && now.Sub(r.changed) > settled {
		return
	}
	before, err := readRevoked(r.dir)
	if r.broken = err != nil || info == nil; !r.broken {
		r.before, r.changed = before, info.ModTime()
	}
}

func readRevoked(dir string) (map[string]time.Time, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read revoked tokens: %w", err)
	}
	out := map[string]time.Time{}
	for _, e := range entries {
		out[e.Name()] = forever
		if !strings.Contains(e.Name(), ".") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read revoked tokens: %w", err)
		}
		if by, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(data))); err == nil {
			out[e.Name()] = by
		}
	}
	return out, nil
}

// RevokeToken ends one token, by its id, at every listener that reads the same
// keys directory, within a second; event streams that it opened too. The file
// is kept for as long as any token could hold.
func (a *Authority) RevokeToken(id string) error {
	if len(id) < 8 || strings.Trim(id, "0123456789abcdef") != "" {
		return fmt.Errorf("%q is no id of a token: it has the digits 0 to 9 and a to f", id)
	}
	return a.revoked.add(id, forever)
}

// RevokeTokens ends all tokens that were issued until now to a reader, or,
// where that is empty, in a cell.
func (a *Authority) RevokeTokens(reader, cell string) error {
	name := "reader." + reader
	if reader == "" {
		name = "cell." + cell
	}
	if _, word, _ := strings.Cut(name, "."); !subject.Word(word) {
		return fmt.Errorf("%q is no name of a reader or a cell", word)
	}
	return a.revoked.add(name, a.now())
}

func (r *revocations) add(name string, by time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looked = time.Time{}
	if r.dir == "" {
		if r.before == nil {
			r.before = map[string]time.Time{}
		}
		r.before[name] = by
		return nil
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	files := &keyring{dir: r.dir}
	if err := files.write(name, []byte(by.UTC().Format(time.RFC3339Nano)+"\n")); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	if err := syncDir(filepath.Dir(r.dir)); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	return r.forget(time.Now())
}

// forget removes what no token outlives.
func (r *revocations) forget(now time.Time) error {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return fmt.Errorf("tidy revoked tokens: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && now.Sub(info.ModTime()) > 2*policy.MaxToken {
			err = os.Remove(filepath.Join(r.dir, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("tidy revoked tokens: %w", err)
		}
	}
	return nil
}
