package snapshot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Head is what a frame says of the picture it leaves: everything but the
// changes. The zero Head is that of the empty picture before the first frame.
type Head struct {
	Frame    *wf.Frame
	Sequence uint64
}

// Revision of the picture.
func (h Head) Revision() uint64 { return h.Frame.GetRevision() }

// Tail follows the heads of a picture's frames. It holds no situation: it is
// for whoever makes the same picture by itself and wants to compare. It needs
// the worker's credential.
type Tail struct {
	r    *reader
	sub  *nats.Subscription
	news chan struct{}

	mu   sync.Mutex
	last Head
}

// Trail finds the newest head and follows from there. When what is stored is
// damaged the error is ErrTorn beside a usable tail whose head is zero.
func Trail(ctx context.Context, nc *nats.Conn, cell string, status wf.Status) (*Tail, error) {
	t := &Tail{r: newReader(nc, cell, status), news: make(chan struct{}, 1)}
	asm := assembler{heads: true}
	var err error
	if t.sub, err = nc.Subscribe(subject.LiveFrames(status), func(m *nats.Msg) { t.receive(&asm, m) }); err != nil {
		return nil, fmt.Errorf("follow frames: %w", err)
	}
	if err := nc.FlushTimeout(wait); err != nil {
		return nil, errors.Join(fmt.Errorf("follow frames: %w", err), t.sub.Unsubscribe())
	}
	err = t.Refresh(ctx)
	if err != nil && !errors.Is(err, ErrTorn) && !errors.Is(err, ErrDigest) {
		return nil, errors.Join(fmt.Errorf("follow frames: %w", err), t.sub.Unsubscribe())
	}
	return t, err
}

// Stop ends following.
func (t *Tail) Stop() error {
	if err := t.sub.Unsubscribe(); err != nil && !errors.Is(err, nats.ErrConnectionClosed) && !errors.Is(err, nats.ErrBadSubscription) {
		return fmt.Errorf("end following frames: %w", err)
	}
	return nil
}

// News tells that there is a newer head. Several may have gone by.
func (t *Tail) News() <-chan struct{} { return t.news }

// Head is the newest one known.
func (t *Tail) Head() Head {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// take makes h the newest head. A stream that was rolled back goes on under
// another epoch with sequences it has used before.
func (t *Tail) take(h Head) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last.Frame != nil && h.Sequence <= t.last.Sequence && h.Frame.GetEpoch() == t.last.Frame.GetEpoch() {
		return
	}
	t.last = h
	select {
	case t.news <- struct{}{}:
	default:
	}
}

// receive takes one live message. What does not fit is passed over: the next
// head says as much, and Refresh finds what no other follows.
func (t *Tail) receive(asm *assembler, m *nats.Msg) {
	if m.Header.Get("Nats-Stream") != t.r.stream {
		return
	}
	seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return
	}
	part, err := decodeHead(m.Data)
	if err != nil || checkPart(part) != nil {
		return
	}
	f, err := asm.add(part)
	if err != nil || f == nil || f.GetKeyframe() || f.GetCell() != t.r.cell || f.GetStatus() != t.r.status {
		return
	}
	t.take(Head{f, seq})
}

// decodeHead reads an encoded frame without the changes, which weigh most of it.
// A slice of several parts keeps its body, for it must be put together first.
func decodeHead(data []byte) (*wf.Frame, error) {
	head := make([]byte, 0, 1024)
	for rest := data; len(rest) > 0; {
		num, kind, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return nil, fmt.Errorf("decode frame: %w", protowire.ParseError(n))
		}
		m := protowire.ConsumeFieldValue(num, kind, rest[n:])
		if m < 0 {
			return nil, fmt.Errorf("decode frame: %w", protowire.ParseError(m))
		}
		if num != changesField && num != lineageField {
			head = append(head, rest[:n+m]...)
		}
		rest = rest[n+m:]
	}
	f := new(wf.Frame)
	if err := proto.Unmarshal(head, f); err != nil {
		return nil, fmt.Errorf("decode frame: %w", err)
	}
	return f, nil
}

// Refresh reads the newest head from the stream. When the stream no longer
// holds the frame that was followed last, the head may be of an older picture.
func (t *Tail) Refresh(ctx context.Context) error {
	known := t.Head()
	h, err := t.r.newest(ctx, known)
	if err != nil {
		return err
	}
	t.mu.Lock()
	if t.last.Sequence == known.Sequence && t.last.Frame.GetEpoch() == known.Frame.GetEpoch() {
		t.last = Head{} // nothing came meanwhile: what the stream holds is right, even when it is older
	}
	t.mu.Unlock()
	t.take(h)
	return nil
}

// newest reads the newest head, from a known one if the stream still holds it.
func (r *reader) newest(ctx context.Context, known Head) (h Head, err error) {
	for i := range attempts {
		if h, err = r.newestOnce(ctx, known); err == nil || !errors.Is(err, ErrTorn) {
			return h, err
		}
		select {
		case <-ctx.Done():
			return h, ctx.Err()
		case <-time.After(time.Duration(i+1) * 5 * time.Millisecond):
		}
	}
	return h, err
}

func (r *reader) newestOnce(ctx context.Context, known Head) (Head, error) {
	h := Head{}
	if known.Frame != nil {
		own, _, err := r.frame(ctx, known.Revision())
		if err == nil && own != nil && own.GetEpoch() == known.Frame.GetEpoch() {
			h = known
		}
	}
	if h.Frame == nil {
		var err error
		if h, err = r.keyHead(ctx); err != nil {
			return Head{}, err
		}
	}
	err := r.advance(ctx, h.Revision(), h.Sequence, func(f *wf.Frame, seq uint64) error {
		f.Changes = nil
		h = Head{f, seq}
		return nil
	})
	return h, err
}

// keyHead is the head that the last keyframe restates; zero without one.
func (r *reader) keyHead(ctx context.Context) (Head, error) {
	last, err := r.get(ctx, subject.Keyframe(r.status))
	if err != nil || last == nil {
		return Head{}, err
	}
	if last.part.GetParts() == 1 {
		last.part.Changes = nil
		return Head{last.part, last.sequence}, nil
	}
	// Only the first frame of the revision tells what a slice does not.
	if f, _, err := r.frame(ctx, last.part.GetRevision()); err == nil && f != nil {
		f.Changes = nil
		return Head{f, last.sequence}, nil
	}
	f, seq, _, err := r.keyframe(ctx)
	if err != nil || f == nil {
		return Head{}, err
	}
	f.Changes = nil
	return Head{f, seq}, nil
}

// Claim opens a writer that continues the newest frame under a new epoch, and
// says which that is. Nothing is written: whoever commits next through a writer
// opened after this one makes its first commit ErrFenced.
func (t *Tail) Claim(ctx context.Context, epoch string) (*Writer, Head, error) {
	w, err := newWriter(ctx, t.r, epoch)
	if err != nil {
		return nil, Head{}, err
	}
	if err := t.Refresh(ctx); err != nil {
		return nil, Head{}, fmt.Errorf("claim: %w", err)
	}
	h := t.Head()
	w.revision, w.key = h.Revision(), keyframeInfo{set: 1}
	last, err := t.r.get(ctx, subject.Keyframe(t.r.status))
	if err != nil {
		return nil, Head{}, fmt.Errorf("claim: %w", err)
	}
	if last != nil {
		size := int(last.part.GetParts()-1)*PartSize + last.size
		w.key = keyframeInfo{set: last.part.GetSet(), size: size, revision: last.part.GetRevision()}
	}
	return w, h, nil
}

// newWriter reads the fence, and where the stream takes in what it stores: only
// who may write it can ask. A stream of a test may have no inlet.
func newWriter(ctx context.Context, r *reader, epoch string) (*Writer, error) {
	js, err := jetstream.New(r.nc)
	if err != nil {
		return nil, fmt.Errorf("open writer: %w", err)
	}
	s, err := js.Stream(ctx, r.stream)
	if err != nil {
		return nil, fmt.Errorf("open writer: stream %s: %w", r.stream, err)
	}
	w := &Writer{js: js, nc: r.nc, r: r, epoch: epoch, sequence: s.CachedInfo().State.LastSeq}
	if t := s.CachedInfo().Config.SubjectTransform; t != nil {
		var ok bool
		if w.inlet, ok = subject.InletOf(t.Source); !ok {
			return nil, fmt.Errorf("open writer: stream %s transforms subjects in a way that is not understood", r.stream)
		}
	}
	return w, nil
}
