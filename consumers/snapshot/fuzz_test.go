package snapshot

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Two messages of a snapshot stream, whatever they hold, either leave the
// picture as it was or make it one whose digest is that of its situations.
func FuzzFrames(f *testing.F) {
	for _, n := range []int{1, 3, 2000} {
		one := &wf.Frame{Epoch: "e", Cell: "le", Status: exercise, Revision: 1}
		for i := range n {
			one.Changes = append(one.Changes, &wf.Change{Change: &wf.Change_Upsert{Upsert: &wf.Situation{Id: strings.Repeat("a", i%40), Headline: "x"}}})
		}
		parts, _, err := Encode(one, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(parts[0], parts[len(parts)-1], true)
		f.Add(parts[0], []byte("\x0a\x01e\x12\x02le"), false)
	}
	f.Fuzz(func(t *testing.T, first, second []byte, signed bool) {
		var a assembler
		p := NewPicture("le", exercise)
		for i, data := range [][]byte{first, second} {
			part, err := decodePart(data)
			if err != nil {
				continue
			}
			whole, err := a.add(part)
			if err != nil || whole == nil {
				continue
			}
			if signed {
				sign(p, whole)
			}
			took(t, p, whole, uint64(i)+1)
		}
	})
}

// sign gives a frame the digest that is right for it, as the fuzzer cannot
// find one.
func sign(p *Picture, f *wf.Frame) {
	m := model{}
	for _, s := range p.Situations() {
		m[s.GetId()] = s
	}
	if f.GetKeyframe() {
		m = model{}
	}
	for _, c := range f.GetChanges() {
		if s := c.GetUpsert(); s != nil {
			m[s.GetId()] = s
		} else {
			delete(m, c.GetRemoved())
		}
	}
	d := m.digest()
	f.Digest = d[:]
}

// took applies a frame and checks that the picture is one or the other.
func took(t *testing.T, p *Picture, f *wf.Frame, sequence uint64) {
	t.Helper()
	before, revision := p.Digest(), p.Revision()
	if f.GetKeyframe() {
		if k, err := FromKeyframe(f, sequence); err == nil && k.Digest() != fusion.DigestOf(k.Situations()) {
			t.Fatalf("a keyframe's digest is not that of its %d situations", k.Len())
		}
		return
	}
	if err := p.Apply(f, sequence); err != nil {
		if p.Digest() != before || p.Revision() != revision {
			t.Fatalf("refused (%v), but the picture is another one", err)
		}
		return
	}
	if p.Digest() != fusion.DigestOf(p.Situations()) {
		t.Fatalf("the digest is not that of the %d situations", p.Len())
	}
	if _, err := proto.Marshal(p.Snapshot()); err != nil {
		t.Fatalf("the picture cannot be written: %v", err)
	}
}
