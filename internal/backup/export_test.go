package backup

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats-server/v2/server/archive"
)

// Message of an archive, for tests that change some.
type Message struct {
	Sequence uint64
	Time     time.Time
	Data     []byte
}

// Rewrite makes an archive say something else, as only who holds its key can:
// every hash, seal and MAC is made anew.
func Rewrite(t *testing.T, dir string, key []byte, each func(stream string, m *Message), edit func(*Manifest)) {
	t.Helper()
	m, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	x := &archived{dir: dir, key: key, manifest: m}
	for i, s := range m.Streams {
		r, err := x.open(s)
		if err != nil {
			t.Fatal(err)
		}
		data := rewritten(t, r, func(m *Message) {
			if each != nil {
				each(s.Name, m)
			}
		})
		r.Close()
		m.Streams[i] = resealed(t, x, s, data)
	}
	if edit != nil {
		edit(&m)
	}
	m.seal(key)
	if err := errors.Join(os.Remove(filepath.Join(dir, manifestName)), m.write(dir)); err != nil {
		t.Fatal(err)
	}
}

func rewritten(t *testing.T, r io.Reader, each func(*Message)) []byte {
	t.Helper()
	var out bytes.Buffer
	enc := s2.NewWriter(&out)
	w, a := archive.NewWriter(enc), archive.NewReader(s2.NewReader(r))
	for {
		h, err := a.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		head := *h
		data, err := io.ReadAll(a)
		if err != nil {
			t.Fatal(err)
		}
		if head.Sequence > 0 {
			m := &Message{Sequence: head.Sequence, Time: time.Unix(0, head.Timestamp), Data: data}
			each(m)
			head.Timestamp, data = m.Time.UnixNano(), m.Data
			head.PayloadSize = int64(len(data)) - head.HeaderSize
		}
		if err := w.WriteHeader(&head); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), enc.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func resealed(t *testing.T, x *archived, s Stream, data []byte) Stream {
	t.Helper()
	path := filepath.Join(x.dir, s.File)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	f, err := createSealed(path, x.key, x.manifest.context(s.Name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
	if s.SHA256, s.Bytes, err = f.finish(); err != nil {
		t.Fatal(err)
	}
	got, err := look(bytes.NewReader(data), statusOf(s.Name))
	if err != nil {
		t.Fatal(err)
	}
	s.Content = got.Content
	return s
}

// Sealed is what a file of this text becomes; for tests of the format.
func Sealed(t *testing.T, key []byte, context string, text []byte) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sealed")
	f, err := createSealed(path, key, context)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(text); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.finish(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Unsealed reads a sealed file.
func Unsealed(key []byte, context string, sealed []byte) ([]byte, error) {
	o, err := openSealed(bytes.NewReader(sealed), key, context)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(o)
}

// Left is a manifest without a stream.
func Left(name string) func(*Manifest) {
	return func(m *Manifest) {
		m.Streams = slices.DeleteFunc(m.Streams, func(s Stream) bool { return s.Name == name })
	}
}

// ChunkSize of a sealed file.
const ChunkSize = chunkSize
