package backup

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
)

// A sealed file is a magic word, a salt and chunks of AES-256-GCM. The key of a
// file is derived from the cell's with the salt and what the file is; the nonce
// counts the chunks and marks the last one: a chunk cannot be left out, moved
// or be the last before its time, and a file cannot stand for another. (The
// STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, CRYPTO 2015.)
const (
	sealMagic = "WFSEAL1\n"
	saltSize  = 32
	chunkSize = 64 << 10
	gcmTag    = 16
	suffix    = ".wfs"
)

func sealer(key, salt []byte, context string) (cipher.AEAD, error) {
	k, err := hkdf.Key(sha256.New, key, salt, "watchfloor backup file\x00"+context, 32)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return cipher.NewGCM(block)
}

// nonce of a chunk; a key seals one file.
func nonce(n uint64, last bool) []byte {
	out := make([]byte, 12)
	binary.BigEndian.PutUint64(out[3:], n)
	if last {
		out[11] = 1
	}
	return out
}

// sealed is a sealed file being written. It holds back one chunk: only at the
// end it is known which is the last.
type sealed struct {
	f     *os.File
	aead  cipher.AEAD
	sum   hash.Hash
	buf   []byte
	n     uint64
	plain int64
	size  int64
}

func createSealed(path string, key []byte, context string) (*sealed, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails: package crypto/rand ends the program first
	aead, err := sealer(key, salt, context)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create archive: %w", err)
	}
	s := &sealed{f: f, aead: aead, sum: sha256.New(), buf: make([]byte, 0, chunkSize)}
	if err := s.put(append([]byte(sealMagic), salt...)); err != nil {
		s.abandon()
		return nil, err
	}
	return s, nil
}

func (s *sealed) put(data []byte) error {
	s.sum.Write(data)
	s.size += int64(len(data))
	if _, err := s.f.Write(data); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	return nil
}

// Write seals p.
func (s *sealed) Write(p []byte) (int, error) {
	all := len(p)
	s.plain += int64(all)
	for len(p) > 0 {
		if len(s.buf) == chunkSize {
			if err := s.flush(false); err != nil {
				return all - len(p), err
			}
		}
		n := min(len(p), chunkSize-len(s.buf))
		s.buf, p = append(s.buf, p[:n]...), p[n:]
	}
	return all, nil
}

func (s *sealed) flush(last bool) error {
	out := s.aead.Seal(nil, nonce(s.n, last), s.buf, nil)
	s.n, s.buf = s.n+1, s.buf[:0]
	return s.put(out)
}

// finish brings the file to disk and returns its SHA-256 and size.
func (s *sealed) finish() (sum string, size int64, err error) {
	if err := s.flush(true); err != nil {
		return "", 0, err
	}
	if err := errors.Join(s.f.Sync(), s.f.Close()); err != nil {
		return "", 0, fmt.Errorf("write archive: %w", err)
	}
	s.f = nil
	return hex.EncodeToString(s.sum.Sum(nil)), s.size, nil
}

// abandon closes a file that was not finished.
func (s *sealed) abandon() {
	if s.f != nil {
		s.f.Close()
		s.f = nil
	}
}

// opened reads a sealed file. It hands out a chunk only when it is authentic,
// and ends without error only after the chunk that was sealed as the last.
type opened struct {
	r    io.Reader
	aead cipher.AEAD
	next []byte // read ahead, to know whether there is more
	buf  []byte
	n    uint64
	done bool
}

func openSealed(r io.Reader, key []byte, context string) (*opened, error) {
	head := make([]byte, len(sealMagic)+saltSize)
	if _, err := io.ReadFull(r, head); err != nil || string(head[:len(sealMagic)]) != sealMagic {
		return nil, fmt.Errorf("it is no sealed file: %w", ErrDamaged)
	}
	aead, err := sealer(key, head[len(sealMagic):], context)
	if err != nil {
		return nil, err
	}
	o := &opened{r: r, aead: aead}
	o.next, err = o.chunk()
	return o, err
}

// chunk reads the next sealed chunk; nil at the end.
func (o *opened) chunk() ([]byte, error) {
	c := make([]byte, chunkSize+gcmTag)
	n, err := io.ReadFull(o.r, c)
	switch {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err == nil, errors.Is(err, io.ErrUnexpectedEOF):
		return c[:n], nil
	}
	return nil, fmt.Errorf("read archive: %w", err)
}

// Read hands out what was sealed.
func (o *opened) Read(p []byte) (int, error) {
	for len(o.buf) == 0 {
		if o.done {
			return 0, io.EOF
		}
		if err := o.advance(); err != nil {
			return 0, err
		}
	}
	n := copy(p, o.buf)
	o.buf = o.buf[n:]
	return n, nil
}

func (o *opened) advance() error {
	this := o.next
	var err error
	if o.next, err = o.chunk(); err != nil {
		return err
	}
	o.done = o.next == nil
	if o.buf, err = o.aead.Open(this[:0:0], nonce(o.n, o.done), this, nil); err != nil {
		return fmt.Errorf("chunk %d was changed, or the file was cut short: %w", o.n, ErrDamaged)
	}
	o.n++
	return nil
}
