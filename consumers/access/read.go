package access

import (
	"bufio"
	"crypto/ecdh"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/watchfloor/watchfloor/proto/subject"
)

// Summary says what was read.
type Summary struct {
	Readers  int `json:"readers"`
	Segments int `json:"segments"`
	Records  int `json:"records"`
	// Torn segments end in half a record, as after a power cut: it was not
	// answered.
	Torn int `json:"torn"`
	// Removed segments are no longer there, from the first on.
	Removed uint64 `json:"removed"`
}

// Audit gives every record of a folder that a [Log] wrote, reader by reader in
// the order they were written, and checks that none was altered or left out.
// Records that are missing at the end of the newest segment it cannot miss.
func Audit(dir string, key *ecdh.PrivateKey, each func(Record) error) (Summary, error) {
	var sum Summary
	entries, err := os.ReadDir(dir)
	if err != nil {
		return sum, fmt.Errorf("read access record: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() || !subject.Word(e.Name()) {
			continue
		}
		sum.Readers++
		r := &reading{dir: filepath.Join(dir, e.Name()), reader: e.Name(), key: key, each: each, sum: &sum}
		if err := r.all(); err != nil {
			return sum, fmt.Errorf("read access record: %w", err)
		}
	}
	return sum, nil
}

// reading goes through the segments of one reader.
type reading struct {
	dir, reader string
	key         *ecdh.PrivateKey
	each        func(Record) error
	sum         *Summary
}

func (r *reading) all() error {
	numbers, _, err := segmentsIn(r.dir)
	if err != nil {
		return err
	}
	for i, n := range numbers {
		if i == 0 {
			r.sum.Removed += n - 1
		} else if n != numbers[i-1]+1 {
			return fmt.Errorf("%s: segment %d is missing: %w", r.dir, numbers[i-1]+1, ErrAltered)
		}
		if err := r.segment(n, i > 0); err != nil {
			return fmt.Errorf("%s: %w", filepath.Join(r.dir, segmentName(n)), err)
		}
	}
	return nil
}

func (r *reading) segment(number uint64, linked bool) error {
	f, err := os.Open(filepath.Join(r.dir, segmentName(number)))
	if err != nil {
		return err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(in, header); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.sum.Torn++ // nothing was recorded in it yet
		return nil
	} else if err != nil {
		return err
	}
	s, err := opener(header, r.key)
	if err != nil {
		return err
	}
	r.sum.Segments++
	switch err := r.link(s, in, number, linked); {
	case errors.Is(err, errTorn), errors.Is(err, io.EOF):
		r.sum.Torn++
		return nil
	case err != nil:
		return err
	}
	return r.records(s, in)
}

// link checks that the segment follows the one before it.
func (r *reading) link(s *sealer, in io.Reader, number uint64, linked bool) error {
	text, err := s.next(in)
	if err != nil {
		return err
	}
	var l link
	if err := json.Unmarshal(text, &l); err != nil || l.Reader != r.reader || l.Number != number {
		return fmt.Errorf("it is another's, or from another place: %w", ErrAltered)
	}
	if !linked {
		return nil
	}
	length, sum, err := sumOf(filepath.Join(r.dir, segmentName(number-1)))
	if err != nil {
		return err
	}
	if length != l.Length || sum != l.Sum {
		return fmt.Errorf("segment %d is not as it was when this one began: %w", number-1, ErrAltered)
	}
	return nil
}

func (r *reading) records(s *sealer, in io.Reader) error {
	for {
		text, err := s.next(in)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errTorn):
			r.sum.Torn++
			return nil
		case err != nil:
			return err
		}
		var x Record
		if err := json.Unmarshal(text, &x); err != nil {
			return fmt.Errorf("frame %d is no record: %w", s.number, ErrAltered)
		}
		r.sum.Records++
		if err := r.each(x); err != nil {
			return err
		}
	}
}
