package snapshot

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// At reads the picture that had been published at t: the last keyframe stored
// at or before t and the frames after it that were. It needs the right to get
// any message of the snapshot stream, which a cell's worker holds.
//
// It returns ErrNoHistory when frames that belong to it are not stored any
// more, whether they are too old or were erased: it never leaves one out.
func At(ctx context.Context, nc *nats.Conn, cell string, status wf.Status, t time.Time) (*Picture, error) {
	p, err := newReader(nc, cell, status).at(ctx, t)
	if errors.Is(err, ErrTorn) || errors.Is(err, ErrDigest) {
		err = fmt.Errorf("%w: %w", ErrNoHistory, err)
	}
	if err != nil {
		return nil, fmt.Errorf("picture of %s: %w", t.UTC().Format(time.RFC3339Nano), err)
	}
	return p, nil
}

func (r *reader) at(ctx context.Context, t time.Time) (*Picture, error) {
	p, err := r.keyframeAt(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := r.replay(ctx, p, t); err != nil {
		return nil, err
	}
	if p.Revision() == 0 {
		return nil, ErrNoHistory
	}
	return p, nil
}

// keyframeAt is the picture of the last keyframe at t; the empty one, before
// every frame, when there is none.
func (r *reader) keyframeAt(ctx context.Context, t time.Time) (*Picture, error) {
	m, err := r.lastBefore(ctx, subject.Keyframe(r.status), t)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return NewPicture(r.cell, r.status), nil
	}
	last, err := r.part(*m)
	if err != nil {
		return nil, err
	}
	n := uint64(last.GetParts())
	parts := make([]*wf.Frame, 0, n)
	if n > 1 {
		// A writer stores the parts of a keyframe one after the other.
		err = r.messages(ctx, m.sequence-(n-1), subject.SnapshotSubjects(r.status)[0], func(m message) (bool, error) {
			p, err := r.part(m)
			parts = append(parts, p)
			return uint64(len(parts)) < n-1, err
		})
		if err != nil {
			return nil, err
		}
	}
	f, err := join(append(parts, last))
	if err != nil {
		return nil, err
	}
	return FromKeyframe(f, m.sequence)
}

// replay applies the frames after the picture's own that were stored by t. The
// frame after those must be the next one: when it is not, some were erased.
func (r *reader) replay(ctx context.Context, p *Picture, t time.Time) error {
	var asm assembler
	return r.messages(ctx, p.Sequence()+1, subject.SnapshotSubjects(r.status)[0], func(m message) (bool, error) {
		part, err := r.part(m)
		if err != nil {
			return false, err
		}
		after := m.stored.After(t)
		if part.GetKeyframe() {
			if part.GetRevision() != p.Revision() {
				return false, fmt.Errorf("keyframe of revision %d after %d: %w", part.GetRevision(), p.Revision(), ErrTorn)
			}
			return !after, nil
		}
		if after {
			return false, p.follows(part)
		}
		f, err := asm.add(part)
		if err != nil || f == nil {
			return err == nil, err
		}
		return true, p.Apply(f, m.sequence)
	})
}

// follows says whether a frame is the one after the picture's own.
func (p *Picture) follows(f *wf.Frame) error {
	if f.GetRevision() != p.revision+1 {
		return fmt.Errorf("revision %d after %d: %w", f.GetRevision(), p.revision, ErrTorn)
	}
	return nil
}

// part decodes a message and holds it to the picture that is read.
func (r *reader) part(m message) (*wf.Frame, error) {
	f, err := decodePart(m.data)
	if err != nil {
		return nil, fmt.Errorf("message %d: %w", m.sequence, err)
	}
	if r.cell != "" && f.GetCell() != r.cell || f.GetStatus() != r.status {
		return nil, fmt.Errorf("message %d is of %s %s: %w", m.sequence, f.GetCell(), f.GetStatus(), ErrTorn)
	}
	return f, nil
}

// Made is a picture that was made rather than read: head says everything of it
// but its situations, which all lists, each read before the next is asked for.
// The digest of head must be theirs.
func Made(head *wf.Frame, all iter.Seq[*wf.Situation]) (*Picture, error) {
	p := NewPicture(head.GetCell(), head.GetStatus())
	for s := range all {
		h, err := hold(s)
		if err != nil {
			return nil, fmt.Errorf("make picture: %w", err)
		}
		p.situations[s.GetId()] = h
		p.sum.Add(h.hash)
	}
	if d := p.Digest(); string(d[:]) != string(head.GetDigest()) {
		return nil, fmt.Errorf("make picture: %w", ErrDigest)
	}
	p.head(head, 0)
	return p, nil
}

// Sequence is where the writer's last message lies in the stream.
func (w *Writer) Sequence() uint64 { return w.sequence }
