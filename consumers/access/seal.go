package access

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
)

// A segment is a header and frames. The header is the format and a public key
// made for the segment; what it agrees on with the auditor's is the key of the
// frames, which the writer forgets when it closes the segment. A frame is its
// length (4 bytes, big endian) and a sealed JSON text; its number goes into the
// seal, so that none can be left out, exchanged or altered.
const (
	format      = "wfaccess1\n"
	publicSize  = 65 // of P-256, uncompressed
	headerSize  = len(format) + publicSize
	maxFrame    = 64 << 10
	frameLength = 4
)

var curve = ecdh.P256()

// NewKey makes the auditor's key, as PEM.
func NewKey() ([]byte, error) {
	key, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make auditor's key: %w", err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make auditor's key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}), nil
}

// PublicText is the public half, which is all that recording takes, as PEM.
func PublicText(key *ecdh.PublicKey) ([]byte, error) {
	text, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("write auditor's key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: text}), nil
}

// ParsePublic reads the public half.
func ParsePublic(text []byte) (*ecdh.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PUBLIC KEY" {
		return nil, errors.New("read auditor's key: it is no public key in PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read auditor's key: %w", err)
	}
	return agreeing(key)
}

// ParsePrivate reads the private half.
func ParsePrivate(text []byte) (*ecdh.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("read auditor's key: it is no private key in PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read auditor's key: %w", err)
	}
	if k, ok := key.(interface {
		ECDH() (*ecdh.PrivateKey, error)
	}); ok {
		out, err := k.ECDH()
		if err == nil && out.Curve() == curve {
			return out, nil
		}
	}
	return nil, errors.New("read auditor's key: it is no key of curve P-256")
}

func agreeing(key any) (*ecdh.PublicKey, error) {
	if k, ok := key.(interface {
		ECDH() (*ecdh.PublicKey, error)
	}); ok {
		out, err := k.ECDH()
		if err == nil && out.Curve() == curve {
			return out, nil
		}
	}
	return nil, errors.New("read auditor's key: it is no key of curve P-256")
}

// sealer seals or opens the frames of one segment, in order.
type sealer struct {
	aead   cipher.AEAD
	number uint64
}

// newSealer makes the header of a segment and what seals its frames.
func newSealer(auditor *ecdh.PublicKey) (header []byte, s *sealer, err error) {
	own, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	header = append([]byte(format), own.PublicKey().Bytes()...)
	secret, err := own.ECDH(auditor)
	if err != nil {
		return nil, nil, err
	}
	s, err = sealerOf(secret, header)
	return header, s, err
}

// opener is the auditor's way into a segment.
func opener(header []byte, key *ecdh.PrivateKey) (*sealer, error) {
	if len(header) != headerSize || string(header[:len(format)]) != format {
		return nil, fmt.Errorf("it does not begin like one: %w", ErrAltered)
	}
	theirs, err := curve.NewPublicKey(header[len(format):])
	if err != nil {
		return nil, fmt.Errorf("its key is none: %w", ErrAltered)
	}
	secret, err := key.ECDH(theirs)
	if err != nil {
		return nil, err
	}
	return sealerOf(secret, header)
}

func sealerOf(secret, header []byte) (*sealer, error) {
	key, err := hkdf.Key(sha256.New, secret, header, "watchfloor access record", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &sealer{aead: aead}, err
}

func (s *sealer) label() []byte { return binary.BigEndian.AppendUint64(nil, s.number) }

// seal appends the next frame to out.
func (s *sealer) seal(out, text []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(text)+s.aead.Overhead()))
	out = s.aead.Seal(out, nil, text, s.label())
	s.number++
	return out
}

// errTorn: a frame is cut off, as when the power went; it was never answered for.
var errTorn = errors.New("the last frame is cut off")

// next reads a frame; [io.EOF] after the last.
func (s *sealer) next(r io.Reader) ([]byte, error) {
	var length [frameLength]byte
	switch _, err := io.ReadFull(r, length[:]); {
	case errors.Is(err, io.EOF):
		return nil, io.EOF
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errTorn
	case err != nil:
		return nil, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n > maxFrame || int(n) < s.aead.Overhead() {
		return nil, fmt.Errorf("frame %d has an impossible length: %w", s.number, ErrAltered)
	}
	sealed := make([]byte, n)
	switch _, err := io.ReadFull(r, sealed); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errTorn
	case err != nil:
		return nil, err
	}
	text, err := s.aead.Open(nil, nil, sealed, s.label())
	if err != nil {
		if s.number == 0 {
			return nil, ErrKey
		}
		return nil, fmt.Errorf("frame %d: %w", s.number, ErrAltered)
	}
	s.number++
	return text, nil
}
