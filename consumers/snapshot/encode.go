package snapshot

import (
	"fmt"
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// PartSize is the most bytes of a frame that one message carries. It leaves
// room for the head and for the server's headers under a payload of 1 MiB.
const PartSize = 768 << 10

// maxParts bounds what a reader is willing to put together (3 GiB).
const maxParts = 4096

// Encode writes a frame as the payloads of its messages, in the order in which
// they are to be stored: one, or several parts of which only the last makes it
// complete. buf is reused when it is large enough; the payloads may alias it
// and are valid until it is used again.
func Encode(f *wf.Frame, buf []byte) (payloads [][]byte, _ []byte, err error) {
	f.Part, f.Parts, f.Body = 0, 1, nil
	buf, err = proto.MarshalOptions{}.MarshalAppend(buf[:0], f)
	if err != nil {
		return nil, buf, fmt.Errorf("encode frame: %w", err)
	}
	return split(f, buf)
}

// Numbers of fields of Frame.
const (
	changesField = 11
	lineageField = 12
)

// The keys of Frame.changes and Change.upsert: a repeated field may go on after
// everything else, so a picture is written one situation at a time.
var (
	changesKey = protowire.AppendTag(nil, changesField, protowire.BytesType)
	upsertKey  = protowire.AppendTag(nil, 1, protowire.BytesType)
)

// encodePicture writes a keyframe whose changes are all. It never holds more of
// them than one.
func encodePicture(f *wf.Frame, all iter.Seq[*wf.Situation], buf []byte) (payloads [][]byte, _ []byte, err error) {
	f.Part, f.Parts, f.Body, f.Changes = 0, 1, nil, nil
	buf, err = proto.MarshalOptions{}.MarshalAppend(buf[:0], f)
	if err != nil {
		return nil, buf, fmt.Errorf("encode keyframe: %w", err)
	}
	for s := range all {
		n := proto.Size(s)
		buf = append(buf, changesKey...)
		buf = protowire.AppendVarint(buf, uint64(len(upsertKey)+protowire.SizeBytes(n)))
		buf = append(buf, upsertKey...)
		buf = protowire.AppendVarint(buf, uint64(n))
		if buf, err = (proto.MarshalOptions{UseCachedSize: true}).MarshalAppend(buf, s); err != nil {
			return nil, buf, fmt.Errorf("encode keyframe: situation %s: %w", s.GetId(), err)
		}
	}
	return split(f, buf)
}

// split makes messages of an encoded frame.
func split(f *wf.Frame, buf []byte) (payloads [][]byte, _ []byte, err error) {
	if len(buf) <= PartSize {
		return [][]byte{buf}, buf, nil
	}
	parts := (len(buf) + PartSize - 1) / PartSize
	if parts > maxParts {
		return nil, buf, fmt.Errorf("encode frame: %d bytes need %d parts, at most %d: commit fewer changes at once", len(buf), parts, maxParts)
	}
	for i := range parts {
		p, err := proto.Marshal(&wf.Frame{
			Epoch: f.GetEpoch(), Cell: f.GetCell(), Status: f.GetStatus(), Revision: f.GetRevision(),
			Keyframe: f.GetKeyframe(), Set: f.GetSet(), Part: uint32(i), Parts: uint32(parts),
			Body: buf[i*PartSize : min((i+1)*PartSize, len(buf))],
		})
		if err != nil {
			return nil, buf, fmt.Errorf("encode part %d: %w", i, err)
		}
		payloads = append(payloads, p)
	}
	return payloads, buf, nil
}

// decodePart reads one message.
func decodePart(data []byte) (*wf.Frame, error) {
	f := new(wf.Frame)
	if err := proto.Unmarshal(data, f); err != nil {
		return nil, fmt.Errorf("decode frame: %w", err)
	}
	if err := checkPart(f); err != nil {
		return nil, err
	}
	return f, nil
}

// checkPart says whether a message can be one of a frame's.
func checkPart(f *wf.Frame) error {
	if f.GetParts() == 0 || f.GetParts() > maxParts || f.GetPart() >= f.GetParts() {
		return fmt.Errorf("part %d of %d: %w", f.GetPart(), f.GetParts(), ErrTorn)
	}
	return nil
}

// completes says whether the part makes its frame complete.
func completes(f *wf.Frame) bool { return f.GetPart()+1 == f.GetParts() }

// sameCommit says whether two parts are of one commit.
func sameCommit(a, b *wf.Frame) bool {
	return a.GetEpoch() == b.GetEpoch() && a.GetRevision() == b.GetRevision() && a.GetKeyframe() == b.GetKeyframe() &&
		a.GetSet() == b.GetSet() && a.GetParts() == b.GetParts() && a.GetCell() == b.GetCell() && a.GetStatus() == b.GetStatus()
}

// join puts the parts of one commit, all of them and in order, together.
func join(parts []*wf.Frame) (*wf.Frame, error) { return joinBy(parts, decodeWhole) }

func decodeWhole(data []byte) (*wf.Frame, error) {
	f := new(wf.Frame)
	return f, proto.Unmarshal(data, f)
}

// joinBy is join, reading what the parts hold together by decode.
func joinBy(parts []*wf.Frame, decode func([]byte) (*wf.Frame, error)) (*wf.Frame, error) {
	if len(parts) == 0 || len(parts) != int(parts[0].GetParts()) {
		return nil, fmt.Errorf("%d parts: %w", len(parts), ErrTorn)
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	body := make([]byte, 0, len(parts)*PartSize)
	for i, p := range parts {
		if int(p.GetPart()) != i || !sameCommit(p, parts[0]) {
			return nil, fmt.Errorf("part %d: %w", i, ErrTorn)
		}
		body = append(body, p.GetBody()...)
	}
	f, err := decode(body)
	if err != nil {
		return nil, fmt.Errorf("decode frame of %d parts: %w", len(parts), err)
	}
	f.Parts = parts[0].GetParts()
	f.Part = f.Parts - 1
	if !sameCommit(f, parts[0]) {
		return nil, fmt.Errorf("parts of another frame: %w", ErrTorn)
	}
	return f, nil
}

// assembler puts live parts together as they arrive.
type assembler struct {
	parts []*wf.Frame
	heads bool // the changes are not wanted
}

// add takes the next message; the frame is nil until it is complete. Parts of
// a commit that was never completed are forgotten when another one begins.
func (a *assembler) add(p *wf.Frame) (*wf.Frame, error) {
	if p.GetParts() == 1 {
		a.parts = nil
		return p, nil
	}
	if p.GetPart() == 0 {
		a.parts = a.parts[:0]
	}
	if int(p.GetPart()) != len(a.parts) || len(a.parts) > 0 && !sameCommit(p, a.parts[0]) {
		a.parts = nil
		return nil, fmt.Errorf("part %d of revision %d out of order: %w", p.GetPart(), p.GetRevision(), ErrTorn)
	}
	a.parts = append(a.parts, p)
	if !completes(p) {
		return nil, nil
	}
	decode := decodeWhole
	if a.heads {
		decode = decodeHead
	}
	f, err := joinBy(a.parts, decode)
	a.parts = nil
	return f, err
}
