package backup

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/klauspost/compress/s2"
	"github.com/nats-io/nats-server/v2/server/archive"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Content is what a copied stream holds, message by message.
type Content struct {
	Messages uint64 `json:"messages"`
	// First and Last are the stream's own sequences; what was deleted leaves gaps.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Sum is over sequence, time, subject, header and payload of every message.
	Sum string `json:"content_sha256"`
	// Places are those of durable consumers, by name.
	Places []Place `json:"places,omitempty"`
}

// Place is how far a durable consumer has come.
type Place struct {
	Consumer  string `json:"consumer"`
	Delivered uint64 `json:"delivered"`
	Acked     uint64 `json:"acked"`
}

// found is what an inspection saw.
type found struct {
	Content
	// last message of every subject, of a snapshot stream from its newest
	// keyframe on.
	last map[string]stored
}

type stored struct {
	sequence uint64
	data     []byte
}

// inspection reads a copied stream along while it is written or restored.
type inspection struct {
	w    *io.PipeWriter
	done chan struct{}
	out  found
	err  error
}

// inspect begins one. Of a picture's stream (status not zero) it keeps what the picture is made of.
func inspect(status wf.Status) *inspection {
	r, w := io.Pipe()
	i := &inspection{w: w, done: make(chan struct{})}
	go func() {
		defer close(i.done)
		i.out, i.err = look(r, status)
		if i.err == nil {
			_, i.err = io.Copy(io.Discard, r) // what follows the end is the compression's
		}
		_ = r.CloseWithError(errors.Join(i.err, io.ErrClosedPipe))
	}()
	return i
}

// feed hands over the next piece.
func (i *inspection) feed(piece []byte) error {
	if _, err := i.w.Write(piece); err != nil && i.failed() == nil {
		return err
	}
	return i.failed()
}

func (i *inspection) failed() error {
	select {
	case <-i.done:
		return i.err
	default:
		return nil
	}
}

// end closes the inspection and says what it saw; err is why there is no more.
func (i *inspection) end(err error) (found, error) {
	_ = i.w.CloseWithError(err) // nil is the end of the file
	<-i.done
	return i.out, i.err
}

// look reads the server's own format of a copied stream: state, consumers,
// messages, and a mark at the end.
func look(r io.Reader, status wf.Status) (found, error) {
	out := found{last: map[string]stored{}}
	a := archive.NewReader(s2.NewReader(r))
	h, err := a.Next()
	if err != nil || h.Name != "state.json" {
		return out, fmt.Errorf("it does not begin with the stream's state: %w", errors.Join(err, ErrDamaged))
	}
	var state struct {
		Messages  uint64 `json:"messages"`
		First     uint64 `json:"first_seq"`
		Last      uint64 `json:"last_seq"`
		Consumers int    `json:"consumer_count"`
	}
	if err := json.NewDecoder(a).Decode(&state); err != nil {
		return out, fmt.Errorf("read the stream's state: %w: %w", err, ErrDamaged)
	}
	out.First, out.Last = max(state.First, 1), state.Last // one that never held a message says 0 or 1
	for range state.Consumers {
		if err := out.consumer(a); err != nil {
			return out, err
		}
	}
	slices.SortFunc(out.Places, func(a, b Place) int { return strings.Compare(a.Consumer, b.Consumer) })
	sum := sha256.New()
	for {
		h, err := a.Next()
		if err != nil {
			return out, fmt.Errorf("read message after %d: %w: %w", out.Last, err, ErrDamaged)
		}
		if h.Sequence == 0 {
			break // the mark of the end
		}
		if err := out.message(a, h, sum, status); err != nil {
			return out, err
		}
	}
	out.Sum = hex.EncodeToString(sum.Sum(nil))
	return out, nil
}

// consumer reads one. Those that live in memory or end by themselves have no
// place that is kept.
func (f *found) consumer(a *archive.Reader) error {
	h, err := a.Next()
	if err != nil || !strings.HasPrefix(h.Name, "consumers/") {
		return fmt.Errorf("a consumer is missing: %w", errors.Join(err, ErrDamaged))
	}
	var c struct {
		Config struct {
			Durable string `json:"durable_name"`
			Memory  bool   `json:"mem_storage"`
		} `json:"config"`
		State struct {
			Delivered struct {
				Stream uint64 `json:"stream_seq"`
			} `json:"delivered"`
			AckFloor struct {
				Stream uint64 `json:"stream_seq"`
			} `json:"ack_floor"`
		} `json:"state"`
	}
	if err := json.NewDecoder(a).Decode(&c); err != nil {
		return fmt.Errorf("read consumer %s: %w: %w", path.Base(h.Name), err, ErrDamaged)
	}
	if c.Config.Durable != "" && !c.Config.Memory {
		f.Places = append(f.Places, Place{c.Config.Durable, c.State.Delivered.Stream, c.State.AckFloor.Stream})
	}
	return nil
}

func (f *found) message(a *archive.Reader, h *archive.Header, sum hash.Hash, status wf.Status) error {
	name, seq, ts, head := h.Name, h.Sequence, h.Timestamp, h.HeaderSize
	data, err := io.ReadAll(a)
	if err != nil || int64(len(data)) != head+h.PayloadSize {
		return fmt.Errorf("read message %d: %w", seq, errors.Join(err, ErrDamaged))
	}
	f.Messages++
	var fixed [40]byte
	for i, n := range []uint64{seq, uint64(ts), uint64(len(name)), uint64(head), uint64(len(data))} {
		binary.BigEndian.PutUint64(fixed[8*i:], n)
	}
	sum.Write(fixed[:])
	sum.Write([]byte(name))
	sum.Write(data)
	if status != 0 {
		f.keep(name, stored{seq, data[head:]}, status)
	}
	return nil
}

// keep remembers what the newest picture is made of: a keyframe makes the
// frames before it needless.
func (f *found) keep(name string, s stored, status wf.Status) {
	if name == subject.Keyframe(status) {
		frames := strings.TrimSuffix(subject.Frames(status), ">")
		for old := range f.last {
			if strings.HasPrefix(old, frames) {
				delete(f.last, old)
			}
		}
	}
	f.last[name] = s
}

// picture is the one that the copied stream holds. One that is damaged where it
// is stored is no reason to have no backup of the reports: its worker makes it
// anew from them.
func (f *found) picture(ctx context.Context, cell string, status wf.Status) Picture {
	p, err := snapshot.LoadCopy(ctx, func(subj string) ([]byte, uint64) {
		s := f.last[subj]
		return s.data, s.sequence
	}, cell, status)
	if err != nil {
		return Picture{Status: subject.StatusToken(status), Damaged: err.Error()}
	}
	d := p.Digest()
	return Picture{
		Status: subject.StatusToken(status), Revision: p.Revision(), Situations: p.Len(), Reports: p.Reports(),
		Tick: p.Tick(), Digest: hex.EncodeToString(d[:]),
	}
}

// statusOf is the status whose picture a stream holds; 0 when it holds none.
func statusOf(stream string) wf.Status {
	for _, s := range subject.Statuses {
		if stream == subject.SnapshotStream(s) {
			return s
		}
	}
	return 0
}
