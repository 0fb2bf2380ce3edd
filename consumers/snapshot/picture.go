// Package snapshot is how a picture is published and read: a worker commits
// frames, a reader loads the last keyframe and the frames after it, then
// follows the live ones, without a gap and never between two commits.
//
// It is not the engine: it knows how situations travel and how their digest is
// checked, not how reports become situations. DESIGN.md has the format.
package snapshot

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Picture is the picture of one revision as a reader holds it. It is not safe
// for concurrent use; a Follower guards its own. It holds situations encoded, a
// quarter of what they weigh as messages, and decodes what is asked for: those
// it hands out are the caller's.
type Picture struct {
	epoch      string
	cell       string
	status     wf.Status
	revision   uint64
	sequence   uint64
	tick       time.Time
	reports    uint64
	setAside   uint64
	purged     uint64
	erased     uint64
	checkpoint []*wf.Position
	sum        fusion.Sum
	situations map[string]held
	feeds      map[feedKey]*wf.FeedHealth
}

// held is a situation whose digest was checked.
type held struct {
	data []byte
	hash [32]byte
}

func hold(s *wf.Situation) (held, error) {
	data, err := proto.Marshal(s)
	if err != nil {
		return held{}, fmt.Errorf("hold situation %s: %w", s.GetId(), err)
	}
	return held{data, fusion.Hash(s)}, nil
}

// situation decodes what hold encoded.
func (h held) situation() *wf.Situation {
	s := new(wf.Situation)
	if err := proto.Unmarshal(h.data, s); err != nil {
		panic(fmt.Sprintf("snapshot: memory is damaged: an encoded situation cannot be read: %v", err))
	}
	return s
}

type feedKey struct{ cell, agency string }

// NewPicture is the picture before the first frame: empty, revision 0. Without
// a cell it takes the first frame's.
func NewPicture(cell string, status wf.Status) *Picture {
	return &Picture{cell: cell, status: status, situations: map[string]held{}, feeds: map[feedKey]*wf.FeedHealth{}}
}

// Cell is whose picture it is.
func (p *Picture) Cell() string { return p.cell }

// Status is actual, exercise or test.
func (p *Picture) Status() wf.Status { return p.status }

// Epoch is that of the worker that committed the revision.
func (p *Picture) Epoch() string { return p.epoch }

// Revision grows by one with every frame.
func (p *Picture) Revision() uint64 { return p.revision }

// Sequence is where the revision's frame lies in its stream.
func (p *Picture) Sequence() uint64 { return p.sequence }

// Tick is the engine's time; zero before the first.
func (p *Picture) Tick() time.Time { return p.tick }

// Digest is the sum of the hashes of its situations.
func (p *Picture) Digest() [32]byte { return p.sum.Digest() }

// Len is how many situations it has.
func (p *Picture) Len() int { return len(p.situations) }

// Reports is how many live reports they are made of.
func (p *Picture) Reports() uint64 { return p.reports }

// SetAside is how many stored reports could not be read or correlated.
func (p *Picture) SetAside() uint64 { return p.setAside }

// Purged is of how many purges the picture has been told, Erased of how many of
// them no older frame speaks any more.
func (p *Picture) Purged() uint64 { return p.purged }

// Erased is part of Purged.
func (p *Picture) Erased() uint64 { return p.erased }

// Checkpoint is how far each cell has been read, sorted by cell.
func (p *Picture) Checkpoint() []*wf.Position { return slices.Clone(p.checkpoint) }

// Situation finds one by id.
func (p *Picture) Situation(id string) (*wf.Situation, bool) {
	h, ok := p.situations[id]
	if !ok {
		return nil, false
	}
	return h.situation(), true
}

// Situations lists them, the highest score first, then by id.
func (p *Picture) Situations() []*wf.Situation {
	out := make([]*wf.Situation, 0, len(p.situations))
	for _, h := range p.situations {
		out = append(out, h.situation())
	}
	slices.SortFunc(out, func(a, b *wf.Situation) int {
		if c := cmp.Compare(b.GetScore(), a.GetScore()); c != 0 {
			return c
		}
		return cmp.Compare(a.GetId(), b.GetId())
	})
	return out
}

// Feeds lists when each agency was last heard, sorted by cell and agency.
func (p *Picture) Feeds() []*wf.FeedHealth {
	out := make([]*wf.FeedHealth, 0, len(p.feeds))
	for _, f := range p.feeds {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b *wf.FeedHealth) int {
		return cmp.Or(cmp.Compare(a.GetCell(), b.GetCell()), cmp.Compare(a.GetAgency(), b.GetAgency()))
	})
	return out
}

// Snapshot is the picture as a message.
func (p *Picture) Snapshot() *wf.Snapshot {
	d := p.Digest()
	return &wf.Snapshot{
		Cell: p.cell, Status: p.status, Revision: p.revision, Tick: stamp(p.tick), Checkpoint: p.Checkpoint(),
		Digest: d[:], Situations: p.Situations(), Feeds: p.Feeds(), Epoch: p.epoch, Reports: p.reports, SetAside: p.setAside,
	}
}

// Apply makes the picture that of the next frame, stored at sequence. Nothing
// changes when it is not the next revision, or when the digest it names is not
// that of the situations it would leave.
func (p *Picture) Apply(f *wf.Frame, sequence uint64) error {
	if p.cell == "" && p.revision == 0 {
		p.cell = f.GetCell()
	}
	if f.GetCell() != p.cell || f.GetStatus() != p.status {
		return fmt.Errorf("frame of %s %s in the picture of %s %s: %w", f.GetCell(), f.GetStatus(), p.cell, p.status, ErrTorn)
	}
	if f.GetKeyframe() || f.GetRevision() != p.revision+1 {
		return fmt.Errorf("revision %d after %d: %w", f.GetRevision(), p.revision, ErrTorn)
	}
	next, upserts := p.sum, make([]held, len(f.GetChanges()))
	for i, c := range f.GetChanges() {
		id := c.GetRemoved()
		if s := c.GetUpsert(); s != nil {
			id = s.GetId()
			var err error
			if upserts[i], err = hold(s); err != nil {
				return fmt.Errorf("revision %d: %w", f.GetRevision(), err)
			}
			next.Add(upserts[i].hash)
		}
		if old, ok := p.situations[id]; ok {
			next.Sub(old.hash)
		}
	}
	if d := next.Digest(); !bytes.Equal(d[:], f.GetDigest()) {
		return fmt.Errorf("revision %d: %w", f.GetRevision(), ErrDigest)
	}
	for i, c := range f.GetChanges() {
		if s := c.GetUpsert(); s != nil {
			p.situations[s.GetId()] = upserts[i]
		} else {
			delete(p.situations, c.GetRemoved())
		}
	}
	p.sum = next
	p.head(f, sequence)
	return nil
}

// head takes over everything of a frame but its changes.
func (p *Picture) head(f *wf.Frame, sequence uint64) {
	p.epoch, p.revision, p.sequence = f.GetEpoch(), f.GetRevision(), sequence
	p.reports, p.setAside, p.checkpoint = f.GetReports(), f.GetSetAside(), f.GetCheckpoint()
	p.purged, p.erased = f.GetPurged(), f.GetErased()
	if f.GetTick() != nil {
		p.tick = f.GetTick().AsTime()
	}
	for _, h := range f.GetFeeds() {
		p.feeds[feedKey{h.GetCell(), h.GetAgency()}] = h
	}
}

// FromKeyframe is the picture that a keyframe restates.
func FromKeyframe(f *wf.Frame, sequence uint64) (*Picture, error) {
	if !f.GetKeyframe() {
		return nil, fmt.Errorf("revision %d is no keyframe: %w", f.GetRevision(), ErrTorn)
	}
	p := NewPicture(f.GetCell(), f.GetStatus())
	for _, c := range f.GetChanges() {
		s := c.GetUpsert()
		if _, twice := p.situations[s.GetId()]; s == nil || twice {
			return nil, fmt.Errorf("keyframe of revision %d: %w", f.GetRevision(), ErrTorn)
		}
		h, err := hold(s)
		if err != nil {
			return nil, fmt.Errorf("keyframe of revision %d: %w", f.GetRevision(), err)
		}
		p.situations[s.GetId()] = h
		p.sum.Add(h.hash)
	}
	if d := p.Digest(); !bytes.Equal(d[:], f.GetDigest()) {
		return nil, fmt.Errorf("keyframe of revision %d: %w", f.GetRevision(), ErrDigest)
	}
	p.head(f, sequence)
	return p, nil
}

// stamp is t as a message; absent when t is zero.
func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}
