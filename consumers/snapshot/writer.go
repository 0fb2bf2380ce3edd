package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// minKeyframe is how many bytes of frames a late joiner may always be asked to
// read, however small the picture is; of a large one, keyframeFactor times it.
const (
	minKeyframe    = 4 << 20
	keyframeFactor = 2
	busyFactor     = 8
)

// wrongLastSequence is JetStream's code for a fence that did not hold.
const wrongLastSequence = 10071

// Writer commits frames of one picture. It is the stream's only writer: a
// commit after somebody else's gives ErrFenced and stores nothing. It is not
// safe for concurrent use.
type Writer struct {
	js       jetstream.JetStream
	nc       *nats.Conn
	r        *reader
	inlet    subject.Inlet // of the stream
	epoch    string
	revision uint64
	sequence uint64
	key      keyframeInfo
	since    int // bytes of frames since the last keyframe
	buf      []byte
}

// OpenWriter reads the newest picture and returns a writer that continues it
// under a new epoch. It writes nothing. When what is stored is damaged the
// picture is nil and the error ErrDigest or ErrTorn beside a usable writer:
// commit a keyframe first.
func OpenWriter(ctx context.Context, nc *nats.Conn, cell string, status wf.Status, epoch string) (*Writer, *Picture, error) {
	// The fence is read before the picture: a commit between the two makes our
	// first one fail rather than be built on what we did not see.
	w, err := newWriter(ctx, newReader(nc, cell, status), epoch)
	if err != nil {
		return nil, nil, err
	}
	p, k, err := w.r.load(ctx)
	if err != nil {
		if !errors.Is(err, ErrTorn) && !errors.Is(err, ErrDigest) {
			return nil, nil, fmt.Errorf("open writer: %w", err)
		}
		// Sequences grow faster than revisions, so this one was never used.
		w.revision = w.sequence + subject.Slots
		return w, nil, fmt.Errorf("open writer: %w", err)
	}
	w.revision, w.key = p.Revision(), *k
	return w, p, nil
}

// Epoch of this writer.
func (w *Writer) Epoch() string { return w.epoch }

// Revision of the last commit.
func (w *Writer) Revision() uint64 { return w.revision }

// Holds says whether nobody has committed since this writer's last commit.
func (w *Writer) Holds(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	s, err := w.js.Stream(ctx, w.r.stream)
	if err != nil {
		return false, fmt.Errorf("ask for the fence of %s: %w", w.r.stream, err)
	}
	return s.CachedInfo().State.LastSeq == w.sequence, nil
}

// Commit stores f as the next revision. Cell, status, epoch and revision are
// filled in. On any error but ErrFenced nothing is known to be lost: the same
// frame may be committed again.
func (w *Writer) Commit(ctx context.Context, f *wf.Frame) error {
	f.Epoch, f.Cell, f.Status, f.Revision, f.Keyframe = w.epoch, w.r.cell, w.r.status, w.revision+1, false
	payloads, buf, err := Encode(f, w.buf)
	w.buf = buf
	if err != nil {
		return err
	}
	for i, data := range payloads {
		subj := subject.Frame(w.r.status, f.Revision)
		if i < len(payloads)-1 {
			subj = subject.FramePart(w.r.status, f.Revision, uint32(i))
		}
		if err := w.store(ctx, subj, data, f); err != nil {
			return fmt.Errorf("commit revision %d: %w", f.Revision, err)
		}
		w.since += len(data)
	}
	w.revision++
	return nil
}

// KeyframeDue says whether the picture should be restated. While there is more
// to commit it can wait, until late joiners would have too much to read.
func (w *Writer) KeyframeDue(busy bool) bool {
	limit := max(minKeyframe, keyframeFactor*w.key.size)
	if busy {
		limit *= busyFactor
	}
	return w.since >= limit || w.revision-w.key.revision >= subject.Slots/4
}

// CommitKeyframe restates the picture of the last revision, whose situations
// all lists, in any order. Each is read before the next is asked for and may
// then be used again.
func (w *Writer) CommitKeyframe(ctx context.Context, f *wf.Frame, all iter.Seq[*wf.Situation]) error {
	f.Epoch, f.Cell, f.Status, f.Revision, f.Keyframe = w.epoch, w.r.cell, w.r.status, w.revision, true
	f.Set = 1 - w.key.set%2
	payloads, _, err := encodePicture(f, all, make([]byte, 0, w.key.size+w.key.size/2))
	if err != nil {
		return err
	}
	size := 0
	for i, data := range payloads {
		subj := subject.Keyframe(w.r.status)
		if i < len(payloads)-1 {
			subj = subject.KeyframePart(w.r.status, f.Set, uint32(i))
		}
		if err := w.store(ctx, subj, data, f); err != nil {
			return fmt.Errorf("commit keyframe of revision %d: %w", f.Revision, err)
		}
		size += len(data)
	}
	w.key, w.since = keyframeInfo{set: f.Set, size: size, revision: w.revision}, 0
	return nil
}

// store puts one message behind the fence.
func (w *Writer) store(ctx context.Context, subj string, data []byte, f *wf.Frame) error {
	seq, err := w.publish(ctx, subj, data)
	if err == nil {
		w.sequence = seq
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	// The answer may have been lost, or a repeat of ours may have been refused:
	// what is stored decides.
	have, gerr := w.r.get(ctx, subj)
	if gerr != nil || have == nil || have.sequence <= w.sequence || have.part.GetEpoch() != w.epoch ||
		have.part.GetRevision() != f.GetRevision() || have.part.GetKeyframe() != f.GetKeyframe() || have.part.GetSet() != f.GetSet() {
		return err
	}
	w.sequence = have.sequence
	return nil
}

type pubAck struct {
	Stream   string `json:"stream"`
	Sequence uint64 `json:"seq"`
	Error    *struct {
		Code        int    `json:"code"`
		ErrorCode   int    `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
}

// ackWait is how long the server may take for one commit: an fsync on a
// loaded disk, never a network.
const ackWait = 10 * time.Second

func (w *Writer) publish(ctx context.Context, subj string, data []byte) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	m := &nats.Msg{Subject: w.inlet.Of(subj), Data: data, Header: nats.Header{
		"Nats-Expected-Last-Sequence": {strconv.FormatUint(w.sequence, 10)},
	}}
	resp, err := w.nc.RequestMsgWithContext(ctx, m)
	if err != nil {
		return 0, fmt.Errorf("store %s: %w", subj, err)
	}
	var ack pubAck
	if err := json.Unmarshal(resp.Data, &ack); err != nil {
		return 0, fmt.Errorf("store %s: %w", subj, err)
	}
	switch {
	case ack.Error != nil && ack.Error.ErrorCode == wrongLastSequence:
		return 0, fmt.Errorf("store %s: %w", subj, ErrFenced)
	case ack.Error != nil:
		return 0, fmt.Errorf("store %s: %s (code %d)", subj, ack.Error.Description, ack.Error.ErrorCode)
	case ack.Stream != w.r.stream || ack.Sequence == 0:
		return 0, fmt.Errorf("store %s: answered by stream %q", subj, ack.Stream)
	}
	return ack.Sequence, nil
}
