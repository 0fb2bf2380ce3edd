package access

import (
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
	"strconv"
	"strings"
	"time"
)

// link is the first frame of a segment: whose it is, and what the segment
// before it was when this one began.
type link struct {
	Reader string    `json:"reader"`
	Number uint64    `json:"number"`
	Begun  time.Time `json:"begun"`
	// Length in bytes and SHA-256 of the segment before; empty where there was none.
	Length int64  `json:"length,omitempty"`
	Sum    string `json:"sum,omitempty"`
}

const suffix = ".wfaccess"

func segmentName(number uint64) string { return fmt.Sprintf("%012d%s", number, suffix) }

// segmentsIn lists the numbers of a folder's segments, rising, with their bytes.
func segmentsIn(dir string) (numbers []uint64, size int64, err error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		text, ok := strings.CutSuffix(e.Name(), suffix)
		n, err := strconv.ParseUint(text, 10, 64)
		if !ok || err != nil || segmentName(n) != e.Name() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, 0, err
		}
		numbers, size = append(numbers, n), size+info.Size()
	}
	slices.Sort(numbers)
	return numbers, size, nil
}

// segment is a file that is being written.
type segment struct {
	file *os.File
	seal *sealer
	size int64
	// total is the size of the reader's share, this segment included.
	total int64
	begun time.Time
}

// begin starts the next segment of a reader, linked to the one before, and
// takes away what is older than it is to be kept: one for each that begins, so
// that a clock that jumps takes no more.
func begin(cfg *Config, dir, reader string) (*segment, error) {
	if err := makeDir(dir); err != nil {
		return nil, err
	}
	now := cfg.Now()
	numbers, total, err := segmentsIn(dir)
	if err != nil {
		return nil, err
	}
	first := link{Reader: reader, Number: 1, Begun: now}
	if n := len(numbers); n > 0 {
		first.Number = numbers[n-1] + 1
		if first.Length, first.Sum, err = sumOf(filepath.Join(dir, segmentName(numbers[n-1]))); err != nil {
			return nil, err
		}
	}
	if len(numbers) > 1 {
		freed, err := expire(filepath.Join(dir, segmentName(numbers[0])), now.Add(-cfg.Keep))
		if err != nil {
			return nil, err
		}
		total -= freed
	}
	s := &segment{total: total, begun: now}
	return s, s.create(cfg, dir, first)
}

func (s *segment) create(cfg *Config, dir string, first link) error {
	header, seal, err := newSealer(cfg.Auditor)
	if err != nil {
		return err
	}
	text, err := json.Marshal(first)
	if err != nil {
		return err
	}
	if s.total+int64(len(header)) > cfg.Share {
		return ErrFull
	}
	name := filepath.Join(dir, segmentName(first.Number))
	s.seal = seal
	if s.file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return err
	}
	if err = errors.Join(s.put(seal.seal(header, text)), syncDir(dir)); err != nil {
		// Nothing was recorded in it: it need not be there.
		return errors.Join(err, s.file.Close(), os.Remove(name))
	}
	return nil
}

func (s *segment) spent(now time.Time) bool {
	return s.size >= segmentSize || now.Sub(s.begun) >= segmentAge || now.Before(s.begun.Add(-time.Minute))
}

// add appends records, within the share.
func (s *segment) add(records []Record, share int64) error {
	var out []byte
	numbers := s.seal.number
	for _, r := range records {
		text, err := json.Marshal(r)
		if err != nil {
			return err
		}
		out = s.seal.seal(out, text)
	}
	if s.total+int64(len(out)) > share {
		s.seal.number = numbers // not written
		return ErrFull
	}
	return s.put(out)
}

func (s *segment) put(data []byte) error {
	n, err := s.file.Write(data)
	s.size, s.total = s.size+int64(n), s.total+int64(n)
	return errors.Join(err, s.file.Sync())
}

// expire removes a segment last written before a time; it returns its size.
func expire(name string, before time.Time) (int64, error) {
	info, err := os.Stat(name)
	if err != nil || !info.ModTime().Before(before) {
		return 0, err
	}
	return info.Size(), os.Remove(name)
}

func sumOf(name string) (int64, string, error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, "", err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return n, hex.EncodeToString(h.Sum(nil)), err
}
