package access

import (
	"context"
	"crypto/ecdh"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/watchfloor/watchfloor/proto/subject"
)

// Config of a log. Dir and Auditor are required.
type Config struct {
	// Dir holds one folder per reader. It is of one cell.
	Dir string
	// Auditor is whom records are sealed for.
	Auditor *ecdh.PublicKey
	// Share is how many bytes one reader's records may take; 0 is 128 MiB.
	Share int64
	// Keep is how long a segment is kept; 0 is 400 days, for a year of audit
	// and what it takes to fetch it.
	Keep time.Duration
	// Now is the clock (time.Now).
	Now func() time.Time
}

const (
	defaultShare = 128 << 20
	defaultKeep  = 400 * 24 * time.Hour
	// segmentSize and segmentAge are when a new segment begins.
	segmentSize = 4 << 20
	segmentAge  = 24 * time.Hour
	// mostCovered bounds what one minute's records stand for.
	mostCovered = 8192
)

// Log records what readers of one cell read. Its methods may be called at the
// same time; Close waits for what is being written.
type Log struct {
	cfg Config

	mu     sync.Mutex
	shares map[string]*share
	closed bool
}

// Open makes the folder. Nothing is kept open for a reader that does not read.
func Open(cfg Config) (*Log, error) {
	if cfg.Dir == "" || cfg.Auditor == nil {
		return nil, errors.New("open access record: a folder and the auditor's key are required")
	}
	if cfg.Share <= 0 {
		cfg.Share = defaultShare
	}
	if cfg.Keep <= 0 {
		cfg.Keep = defaultKeep
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if err := makeDir(cfg.Dir); err != nil {
		return nil, fmt.Errorf("open access record: %w", err)
	}
	return &Log{cfg: cfg, shares: map[string]*share{}}, nil
}

// makeDir makes a folder with those above it, and has them on disk.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Record returns when the record is on disk, or stands for it already: a Read
// that was recorded in the same minute is not recorded again.
func (l *Log) Record(ctx context.Context, r Record) error {
	if !subject.Word(r.Reader) || r.What == "" || r.Purpose == "" || r.Token == "" || r.Cell == "" || r.Endpoint == "" {
		return errors.New("record access: it does not say who reads what for which purpose")
	}
	s, err := l.share(r.Reader)
	if err != nil {
		return fmt.Errorf("record access: %w", err)
	}
	if err := s.record(ctx, r); err != nil {
		return fmt.Errorf("record access: %w", err)
	}
	return nil
}

func (l *Log) share(reader string) (*share, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	s := l.shares[reader]
	if s == nil {
		s = &share{cfg: &l.cfg, reader: reader, dir: filepath.Join(l.cfg.Dir, reader)}
		l.shares[reader] = s
	}
	return s, nil
}

// Close ends the log; what is recorded later fails.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	var errs []error
	for _, s := range l.shares {
		errs = append(errs, s.close())
	}
	l.shares = map[string]*share{}
	return errors.Join(errs...)
}

// batch is what is written together, with one sync.
type batch struct {
	records []Record
	done    chan struct{}
	err     error
}

// share is the records of one reader. Its two locks are never held together.
type share struct {
	cfg    *Config
	reader string
	dir    string

	mu       sync.Mutex
	next     *batch
	flushing bool
	minute   int64
	covered  map[Record]bool

	write sync.Mutex // below: the files
	seg   *segment
	ended bool
}

func (s *share) record(ctx context.Context, r Record) error {
	s.mu.Lock()
	if s.stands(r) {
		s.mu.Unlock()
		return nil
	}
	if s.next == nil {
		s.next = &batch{done: make(chan struct{})}
	}
	b := s.next
	b.records = append(b.records, r)
	lead := !s.flushing
	s.flushing = true
	s.mu.Unlock()
	if lead {
		s.flush()
	}
	select {
	case <-b.done:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stands says whether a record of this minute stands for r already.
func (s *share) stands(r Record) bool {
	if minute := r.Time.Unix() / 60; minute != s.minute || len(s.covered) > mostCovered {
		s.minute, s.covered = minute, map[Record]bool{}
	}
	return r.What == Read && s.covered[r.covers()]
}

// flush writes until nothing waits. Whoever comes meanwhile is in the next batch.
func (s *share) flush() {
	for {
		s.mu.Lock()
		b := s.next
		s.next = nil
		if b == nil {
			s.flushing = false
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		b.err = s.append(b.records)
		if b.err == nil {
			s.cover(b.records)
		}
		close(b.done)
	}
}

func (s *share) cover(records []Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range records {
		if r.What == Read && r.Time.Unix()/60 == s.minute {
			s.covered[r.covers()] = true
		}
	}
}

// append has records on disk when it returns. A segment that cannot be written
// is left as it is, and another begun with the next record.
func (s *share) append(records []Record) error {
	s.write.Lock()
	defer s.write.Unlock()
	if s.ended {
		return ErrClosed
	}
	if s.seg != nil && s.seg.spent(s.cfg.Now()) {
		if err := s.drop(); err != nil {
			return err
		}
	}
	if s.seg == nil {
		seg, err := begin(s.cfg, s.dir, s.reader)
		if err != nil {
			return err
		}
		s.seg = seg
	}
	err := s.seg.add(records, s.cfg.Share)
	if err != nil && !errors.Is(err, ErrFull) {
		err = errors.Join(err, s.drop())
	}
	return err
}

func (s *share) drop() error {
	if s.seg == nil {
		return nil
	}
	err := s.seg.file.Close()
	s.seg = nil
	return err
}

func (s *share) close() error {
	s.write.Lock()
	defer s.write.Unlock()
	s.ended = true
	return s.drop()
}
