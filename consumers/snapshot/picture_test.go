package snapshot

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const exercise = wf.Status_STATUS_EXERCISE

// model is the picture as a map, the obvious way.
type model map[string]*wf.Situation

func (m model) digest() [32]byte {
	var all []*wf.Situation
	for _, s := range m {
		all = append(all, s)
	}
	return fusion.DigestOf(all)
}

// step draws one commit: the frame and the model after it.
func (m model) step(t *rapid.T, revision uint64) *wf.Frame {
	f := &wf.Frame{Epoch: "e1", Cell: "le", Status: exercise, Revision: revision, Part: 0, Parts: 1}
	for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, 30), 0, 12, rapid.ID[int]).Draw(t, "ids") {
		id := fmt.Sprintf("%032x", i)
		if _, ok := m[id]; ok && rapid.Bool().Draw(t, "remove") {
			delete(m, id)
			f.Changes = append(f.Changes, &wf.Change{Change: &wf.Change_Removed{Removed: id}})
			continue
		}
		m[id] = &wf.Situation{Id: id, Headline: rapid.StringMatching(`[a-z ]{0,40}`).Draw(t, "headline"), Score: rapid.Int32().Draw(t, "score")}
		f.Changes = append(f.Changes, &wf.Change{Change: &wf.Change_Upsert{Upsert: m[id]}})
	}
	d := m.digest()
	f.Digest, f.Situations = d[:], uint64(len(m))
	return f
}

// The picture after any commits is the model, by content and by digest.
func TestPictureIsTheSumOfItsFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, p := model{}, NewPicture("le", exercise)
		last := rapid.Uint64Range(1, 12).Draw(t, "frames")
		for r := uint64(1); r <= last; r++ {
			if err := p.Apply(m.step(t, r), r); err != nil {
				t.Fatalf("revision %d: %v", r, err)
			}
			if p.Digest() != m.digest() || p.Digest() != fusion.DigestOf(p.Situations()) {
				t.Fatalf("revision %d: digest of the picture, of its situations and of the model differ", r)
			}
		}
		got := model{}
		for _, s := range p.Situations() {
			got[s.GetId()] = s
		}
		if diff := cmp.Diff(m, got, protocmp.Transform()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A frame that is not the next, or whose digest is not that of what it leaves,
// changes nothing.
func TestRefusedFrameChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, p := model{}, NewPicture("le", exercise)
		if err := p.Apply(m.step(t, 1), 1); err != nil {
			t.Fatal(err)
		}
		before := p.Snapshot()
		next := m.step(t, 2)
		want := error(ErrTorn)
		switch rapid.IntRange(0, 4).Draw(t, "fault") {
		case 0:
			next.Revision = rapid.SampledFrom([]uint64{0, 1, 3, 100}).Draw(t, "revision")
		case 1:
			next.Cell = "intel"
		case 2:
			next.Status = wf.Status_STATUS_ACTUAL
		case 3:
			next.Digest[rapid.IntRange(0, 31).Draw(t, "byte")] ^= 1
			want = ErrDigest
		case 4:
			next.Changes = append(next.Changes, &wf.Change{Change: &wf.Change_Upsert{Upsert: &wf.Situation{Id: "unseen"}}})
			want = ErrDigest
		}
		if err := p.Apply(next, 2); !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
		if diff := cmp.Diff(before, p.Snapshot(), protocmp.Transform()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A keyframe restates exactly the picture it was made from.
func TestKeyframeRestates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := model{}
		m.step(t, 1)
		d := m.digest()
		k := &wf.Frame{Epoch: "e1", Cell: "le", Status: exercise, Revision: 7, Keyframe: true, Digest: d[:]}
		for _, s := range m {
			k.Changes = append(k.Changes, &wf.Change{Change: &wf.Change_Upsert{Upsert: s}})
		}
		p, err := FromKeyframe(k, 9)
		if err != nil {
			t.Fatal(err)
		}
		if p.Digest() != d || p.Len() != len(m) || p.Revision() != 7 || p.Sequence() != 9 {
			t.Fatalf("got revision %d at %d with %d situations", p.Revision(), p.Sequence(), p.Len())
		}
		if len(k.Changes) > 0 {
			k.Changes = k.Changes[1:]
			if _, err := FromKeyframe(k, 9); !errors.Is(err, ErrDigest) {
				t.Fatalf("a keyframe that lacks a situation: got %v", err)
			}
		}
	})
}

// A keyframe written one situation at a time is the one written whole.
func TestKeyframeIsWrittenOneByOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := big(rapid.IntRange(0, 40).Draw(t, "situations"), rapid.SampledFrom([]int{0, 1, 127, 128, 60000}).Draw(t, "size"))
		whole.Keyframe, whole.Set = true, 1
		head := proto.Clone(whole).(*wf.Frame)
		payloads, _, err := encodePicture(head, func(yield func(*wf.Situation) bool) {
			for _, c := range whole.Changes {
				if !yield(c.GetUpsert()) {
					return
				}
			}
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var asm assembler
		var got *wf.Frame
		for _, data := range payloads {
			part, err := decodePart(data)
			if err != nil {
				t.Fatal(err)
			}
			if got, err = asm.add(part); err != nil {
				t.Fatal(err)
			}
		}
		whole.Part, whole.Parts = uint32(len(payloads)-1), uint32(len(payloads))
		if diff := cmp.Diff(whole, got, protocmp.Transform()); diff != "" {
			t.Fatal(diff)
		}
	})
}

func big(changes, size int) *wf.Frame {
	f := &wf.Frame{Epoch: "e1", Cell: "le", Status: exercise, Revision: 5}
	for i := range changes {
		f.Changes = append(f.Changes, &wf.Change{Change: &wf.Change_Upsert{Upsert: &wf.Situation{
			Id: fmt.Sprintf("%032x", i), Headline: string(make([]byte, size)),
		}}})
	}
	return f
}

// Whatever its size, a frame comes back as it went, and no message is too large.
func TestFrameSurvivesItsParts(t *testing.T) {
	for _, c := range []struct{ changes, size, parts int }{{0, 0, 1}, {1, 10, 1}, {25000, 100, 5}, {1, 3 << 20, 5}} {
		f := big(c.changes, c.size)
		payloads, _, err := Encode(f, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(payloads) != c.parts {
			t.Errorf("%d changes of %d bytes: got %d parts, want %d", c.changes, c.size, len(payloads), c.parts)
		}
		var asm assembler
		var got *wf.Frame
		for i, data := range payloads {
			if len(data) > PartSize+1024 {
				t.Errorf("part %d has %d bytes", i, len(data))
			}
			part, err := decodePart(data)
			if err != nil {
				t.Fatal(err)
			}
			if got != nil {
				t.Fatalf("complete before part %d of %d", i, len(payloads))
			}
			if got, err = asm.add(part); err != nil {
				t.Fatal(err)
			}
		}
		f.Part, f.Parts = uint32(len(payloads)-1), uint32(len(payloads))
		if !proto.Equal(f, got) {
			t.Errorf("%d changes of %d bytes came back different", c.changes, c.size)
		}
	}
}

// However parts are lost, repeated or mixed with those of another commit, what
// is put together is a whole commit or nothing.
func TestPartsNeverMix(t *testing.T) {
	var commits [][]*wf.Frame
	for r := range 3 {
		f := big(4, 1<<20)
		f.Revision, f.Epoch = uint64(r), fmt.Sprint("e", r%2)
		payloads, _, err := Encode(f, nil)
		if err != nil {
			t.Fatal(err)
		}
		var parts []*wf.Frame
		for _, p := range payloads {
			part, err := decodePart(p)
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part)
		}
		commits = append(commits, parts)
	}
	rapid.Check(t, func(t *rapid.T) {
		var asm assembler
		for range rapid.IntRange(1, 40).Draw(t, "messages") {
			c := commits[rapid.IntRange(0, 2).Draw(t, "commit")]
			var got *wf.Frame
			if rapid.IntRange(0, 4).Draw(t, "whole") == 0 {
				for _, p := range c {
					got, _ = asm.add(p)
				}
				if got == nil {
					t.Fatal("a whole commit in order was not put together")
				}
			} else {
				got, _ = asm.add(c[rapid.IntRange(0, len(c)-1).Draw(t, "part")])
			}
			if got != nil && len(got.GetChanges()) != 4 {
				t.Fatalf("put together %d changes, want all 4", len(got.GetChanges()))
			}
		}
	})
}

// Whoever wants only heads gets from a frame, of one part or of several,
// everything but what changed.
func TestHeadIsTheFrameWithoutItsChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := big(rapid.IntRange(0, 40).Draw(t, "situations"), rapid.SampledFrom([]int{0, 1, 127, 128, 60000}).Draw(t, "size"))
		f.Tick, f.Digest, f.Reports, f.Situations = timestamppb.New(time.Unix(77, 5)), []byte("digest"), 9, 8
		f.Checkpoint = []*wf.Position{{Cell: "le", Channel: "open", Sequence: 3}, {Cell: "fire", Sequence: 4}}
		f.SetAside, f.Purged, f.Erased = 1, 2, 3
		f.Feeds = []*wf.FeedHealth{{Cell: "le", Agency: "mhp", Reports: 6}}
		f.Lineage = []*wf.LineageEvent{{}}
		payloads, _, err := Encode(f, nil)
		if err != nil {
			t.Fatal(err)
		}
		asm := assembler{heads: true}
		var got *wf.Frame
		for _, data := range payloads {
			part, err := decodeHead(data)
			if err != nil {
				t.Fatal(err)
			}
			if got, err = asm.add(part); err != nil {
				t.Fatal(err)
			}
		}
		f.Part, f.Parts, f.Changes, f.Lineage = uint32(len(payloads)-1), uint32(len(payloads)), nil, nil
		if diff := cmp.Diff(f, got, protocmp.Transform()); diff != "" {
			t.Fatal(diff)
		}
	})
}
