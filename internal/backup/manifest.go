package backup

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	format = "watchfloor-backup"
	// Version of the archives that this build writes; it reads up to this one.
	Version      = 1
	manifestName = "manifest.json"
	// maxManifest bounds what is read of a file before it is known to be ours.
	maxManifest = 4 << 20
)

// Manifest says what the archive of a cell holds. It is not sealed, so that
// whoever keeps the archive sees its label; it holds counts, times and hashes,
// no word of a report. MAC is over all of it.
type Manifest struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	// Label at which the archive is to be kept.
	Label string `json:"label"`
	Cell  string `json:"cell"`
	// Set is the same in all archives of one backup.
	Set string `json:"set"`
	// Policy is the version of the policy in force.
	Policy  string    `json:"policy"`
	Release string    `json:"release"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended"`
	// Key tells which key it is sealed with, without telling the key.
	Key      string    `json:"key"`
	Streams  []Stream  `json:"streams"`
	Pictures []Picture `json:"pictures"`
	// Access is the record of what was read; nil where none is kept.
	Access *Access `json:"access,omitempty"`
	MAC    string  `json:"mac"`
}

// Stream is one stream of the cell.
type Stream struct {
	Name   string `json:"name"`
	File   string `json:"file"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	Content
}

// Picture is that of one status as it is stored in its stream.
type Picture struct {
	Status     string    `json:"status"`
	Revision   uint64    `json:"revision"`
	Situations int       `json:"situations"`
	Reports    uint64    `json:"reports"`
	Tick       time.Time `json:"tick"`
	Digest     string    `json:"digest"`
	// Damaged says why there was no whole picture to be copied: it is made anew
	// from the reports.
	Damaged string `json:"damaged,omitempty"`
}

// context binds a sealed file to its place.
func (m *Manifest) context(stream string) string { return m.Set + "\x00" + m.Cell + "\x00" + stream }

// mac is over the manifest without itself.
func (m Manifest) mac(key []byte) string {
	m.MAC = ""
	data, err := json.Marshal(m)
	if err != nil {
		panic("backup: a manifest is written: " + err.Error()) // it holds nothing that cannot be
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte("watchfloor backup manifest\x00"))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

func (m *Manifest) seal(key []byte) { m.MAC = m.mac(key) }

// verify checks that whoever wrote the manifest held the key.
func (m *Manifest) verify(key []byte) error {
	if m.Key != keyID(key) {
		return fmt.Errorf("%s: %w: restore with the keys of that time (--keys)", m.Cell, ErrKey)
	}
	if !hmac.Equal([]byte(m.MAC), []byte(m.mac(key))) {
		return fmt.Errorf("the manifest of %s was changed: %w", m.Cell, ErrDamaged)
	}
	return nil
}

// keyID tells keys apart.
func keyID(key []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("watchfloor backup key id"))
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Stream finds one by name.
func (m *Manifest) Stream(name string) (Stream, bool) {
	i := slices.IndexFunc(m.Streams, func(s Stream) bool { return s.Name == name })
	if i < 0 {
		return Stream{}, false
	}
	return m.Streams[i], true
}

func (m *Manifest) write(dir string) error {
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := writeFile(filepath.Join(dir, manifestName), append(data, '\n')); err != nil {
		return err
	}
	return syncDir(dir)
}

// Read reads the manifest of the archive in dir. The error is fs.ErrNotExist
// when there is none, [ErrNewer] or [ErrDamaged].
func Read(dir string) (Manifest, error) {
	path := filepath.Join(dir, manifestName)
	var m Manifest
	f, err := os.Open(path)
	if err != nil {
		return m, fmt.Errorf("read manifest: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifest))
	if err != nil {
		return m, fmt.Errorf("read manifest: %w", err)
	}
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil || head.Format != format || head.Version < 1 {
		return m, fmt.Errorf("%s is no manifest of a backup: %w", path, ErrDamaged)
	}
	if head.Version > Version {
		return m, fmt.Errorf("%s is version %d, this release reads up to %d: %w", path, head.Version, Version, ErrNewer)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return m, fmt.Errorf("%s: %w: %w", path, err, ErrDamaged)
	}
	return m, nil
}

// Find lists the folders of the archives below each path: the path itself, or
// the folders in it.
func Find(paths ...string) ([]string, error) {
	var out []string
	for _, p := range paths {
		if _, err := os.Stat(filepath.Join(p, manifestName)); err == nil {
			out = append(out, p)
			continue
		}
		entries, err := os.ReadDir(p)
		if err != nil {
			return nil, fmt.Errorf("look for archives: %w", err)
		}
		n := len(out)
		for _, e := range entries {
			if _, err := os.Stat(filepath.Join(p, e.Name(), manifestName)); err == nil && e.IsDir() && e.Name()[0] != '.' {
				out = append(out, filepath.Join(p, e.Name()))
			} else if err != nil && !errors.Is(err, fs.ErrNotExist) && !isNotDir(err) {
				return nil, fmt.Errorf("look for archives: %w", err)
			}
		}
		if len(out) == n {
			return nil, fmt.Errorf("%s holds no archive: name the folder that a backup made, or one cell's in it", p)
		}
	}
	return out, nil
}
