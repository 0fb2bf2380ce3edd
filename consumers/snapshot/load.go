package snapshot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	// window is how many slots are asked for at once.
	window = 64
	// attempts is how often a load begins again because the writer was faster.
	attempts = 20
	// wait is how long one answer may take.
	wait = 5 * time.Second
)

// reader gets messages of one snapshot stream by exactly the granted requests.
type reader struct {
	nc     *nats.Conn
	lookup Lookup // instead of nc
	cell   string
	status wf.Status
	stream string
}

func newReader(nc *nats.Conn, cell string, status wf.Status) *reader {
	return &reader{nc: nc, cell: cell, status: status, stream: subject.SnapshotStream(status)}
}

// stored is a message of the stream.
type stored struct {
	part     *wf.Frame
	sequence uint64
	size     int
}

// get reads the last message of a subject; nil when there is none.
func (r *reader) get(ctx context.Context, subj string) (*stored, error) {
	data, seq, err := r.last(ctx, subj)
	if err != nil || seq == 0 {
		return nil, err
	}
	f, err := decodePart(data)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", subj, err)
	}
	if r.cell != "" && f.GetCell() != r.cell || f.GetStatus() != r.status {
		return nil, fmt.Errorf("get %s: frame of %s %s: %w", subj, f.GetCell(), f.GetStatus(), ErrTorn)
	}
	return &stored{f, seq, len(data)}, nil
}

// last is the last message of a subject; sequence 0 when there is none.
func (r *reader) last(ctx context.Context, subj string) (data []byte, sequence uint64, err error) {
	if r.lookup != nil {
		data, sequence = r.lookup(subj)
		return data, sequence, nil
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	m, err := r.nc.RequestWithContext(ctx, subject.DirectGet(r.stream, subj), nil)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, 0, fmt.Errorf("get %s: %w", subj, ErrNotPermitted)
	case err != nil:
		return nil, 0, fmt.Errorf("get %s: %w", subj, err)
	}
	switch code := m.Header.Get("Status"); code {
	case "":
	case "404":
		return nil, 0, nil
	default:
		return nil, 0, fmt.Errorf("get %s: %s %s", subj, code, m.Header.Get("Description"))
	}
	seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return nil, 0, fmt.Errorf("get %s: sequence %q: %w", subj, m.Header.Get("Nats-Sequence"), err)
	}
	return m.Data, seq, nil
}

// whole gets the parts before a completing one and puts them together.
func (r *reader) whole(ctx context.Context, last *stored, partSubject func(uint32) string) (*wf.Frame, int, error) {
	n := last.part.GetParts()
	if !completes(last.part) {
		return nil, 0, fmt.Errorf("part %d of %d where the last belongs: %w", last.part.GetPart(), n, ErrTorn)
	}
	parts := make([]*wf.Frame, n)
	parts[n-1] = last.part
	size := last.size
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	sizes := make([]int, n)
	for i := range n - 1 {
		g.Go(func() error {
			s, err := r.get(gctx, partSubject(i))
			if err != nil {
				return err
			}
			if s == nil {
				return fmt.Errorf("part %d of revision %d is gone: %w", i, last.part.GetRevision(), ErrTorn)
			}
			parts[i], sizes[i] = s.part, s.size
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, 0, err
	}
	for _, s := range sizes {
		size += s
	}
	f, err := join(parts)
	return f, size, err
}

// frame gets the frame of a revision; nil when its slot holds another one.
func (r *reader) frame(ctx context.Context, revision uint64) (*wf.Frame, uint64, error) {
	s, err := r.get(ctx, subject.Frame(r.status, revision))
	if err != nil || s == nil || s.part.GetRevision() != revision || s.part.GetKeyframe() {
		if err == nil && s != nil && s.part.GetRevision() > revision {
			err = fmt.Errorf("revision %d was overtaken by %d: %w", revision, s.part.GetRevision(), ErrTorn)
		}
		return nil, 0, err
	}
	f, _, err := r.whole(ctx, s, func(part uint32) string { return subject.FramePart(r.status, revision, part) })
	return f, s.sequence, err
}

// keyframe gets the last keyframe; nil when there is none yet.
func (r *reader) keyframe(ctx context.Context) (*wf.Frame, uint64, int, error) {
	s, err := r.get(ctx, subject.Keyframe(r.status))
	if err != nil || s == nil {
		return nil, 0, 0, err
	}
	f, size, err := r.whole(ctx, s, func(part uint32) string { return subject.KeyframePart(r.status, s.part.GetSet(), part) })
	return f, s.sequence, size, err
}

// advance hands the frames after a revision, stored at sequence, until the
// newest to apply. A slot that was stored before is of a time that is no more:
// a writer went on from an older revision than that slot's.
func (r *reader) advance(ctx context.Context, revision, sequence uint64, apply func(*wf.Frame, uint64) error) error {
	for n := 1; ; n = min(2*n, window) {
		frames, seqs := make([]*wf.Frame, n), make([]uint64, n)
		g, gctx := errgroup.WithContext(ctx)
		for i := range n {
			g.Go(func() (err error) {
				frames[i], seqs[i], err = r.frame(gctx, revision+1+uint64(i))
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return err
		}
		for i, f := range frames {
			if f == nil || seqs[i] <= sequence {
				return nil
			}
			sequence = seqs[i]
			if err := apply(f, seqs[i]); err != nil {
				return err
			}
		}
		revision += uint64(n)
	}
}

// load reads the picture from its last keyframe and the frames after it. When
// the writer overtakes it, it begins again.
func (r *reader) load(ctx context.Context) (*Picture, *keyframeInfo, error) {
	var last error
	for i := range attempts {
		p, k, err := r.loadOnce(ctx)
		if err == nil {
			return p, k, nil
		}
		if !errors.Is(err, ErrTorn) && !errors.Is(err, ErrDigest) {
			return nil, nil, err
		}
		last = err
		select {
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("load picture: %w", ctx.Err())
		case <-time.After(time.Duration(i+1) * 10 * time.Millisecond):
		}
	}
	return nil, nil, fmt.Errorf("load picture: %w", last)
}

// keyframeInfo is what a writer must know of the last keyframe.
type keyframeInfo struct {
	set      uint32
	size     int
	revision uint64
}

func (r *reader) loadOnce(ctx context.Context) (*Picture, *keyframeInfo, error) {
	k, seq, size, err := r.keyframe(ctx)
	if err != nil {
		return nil, nil, err
	}
	p, info := NewPicture(r.cell, r.status), &keyframeInfo{set: 1}
	if k != nil {
		if p, err = FromKeyframe(k, seq); err != nil {
			return nil, nil, err
		}
		info = &keyframeInfo{set: k.GetSet(), size: size, revision: k.GetRevision()}
	}
	return p, info, r.advance(ctx, p.Revision(), p.Sequence(), p.Apply)
}

// Load reads the newest picture of a cell and status. It needs nothing but the
// right to get the last message of each snapshot subject. An empty cell is the
// one that the connection's credential is for.
func Load(ctx context.Context, nc *nats.Conn, cell string, status wf.Status) (*Picture, error) {
	p, _, err := newReader(nc, cell, status).load(ctx)
	return p, err
}

// Lookup finds the last message of a subject among those of a copied snapshot
// stream, with its sequence there; 0 when there is none.
type Lookup func(subject string) (data []byte, sequence uint64)

// LoadCopy reads the newest picture from a copy of its stream. The error is
// ErrTorn or ErrDigest when the copy does not hold one whole picture.
func LoadCopy(ctx context.Context, last Lookup, cell string, status wf.Status) (*Picture, error) {
	r := newReader(nil, cell, status)
	r.lookup = last
	p, _, err := r.loadOnce(ctx)
	if err != nil {
		return nil, fmt.Errorf("load picture: %w", err)
	}
	return p, nil
}
