package snapshot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// idSize is the length of a report's id: a UUID in canonical text.
const idSize = 36

// Erase overwrites every message stored before a sequence that names one of
// the reports, frames and keyframes alike, with every part of a commit of which
// one part does. It returns how many. What is left before the sequence has
// gaps, which At notices.
//
// It looks for the ids as text: whatever a frame derives from a report stands
// beside the report's id. A mass situation does not list all of its reports, so
// a message that holds one is taken to name every report.
func Erase(ctx context.Context, nc *nats.Conn, cell string, status wf.Status, before uint64, reports map[string]bool) (int, error) {
	e := &eraser{r: newReader(nc, cell, status), reports: reports}
	err := e.r.messages(ctx, 1, subject.SnapshotSubjects(status)[0], func(m message) (bool, error) {
		if m.sequence >= before {
			return false, nil
		}
		return true, e.look(ctx, m)
	})
	if err != nil {
		return e.erased, fmt.Errorf("erase frames of %s: %w", subject.StatusToken(status), err)
	}
	return e.erased, nil
}

// eraser walks over the messages of a stream. A commit in parts is kept in mind
// until it is complete or another one begins.
type eraser struct {
	r       *reader
	reports map[string]bool
	erased  int

	commit *wf.Frame // of the parts seen last
	parts  []uint64
	tail   []byte // end of the part seen last: an id may lie across two
	named  bool
}

func (e *eraser) look(ctx context.Context, m message) error {
	f, err := decodePart(m.data)
	if err != nil {
		// Nobody can read it as a frame; it may still hold an id.
		f = &wf.Frame{Part: 0, Parts: 1}
	}
	if e.commit == nil || !sameCommit(f, e.commit) || f.GetPart() != e.commit.GetPart()+1 {
		e.parts, e.tail, e.named = e.parts[:0], nil, false
	}
	body := m.data
	if f.GetParts() > 1 {
		body = append(e.tail, f.GetBody()...)
		e.tail = append([]byte(nil), body[max(0, len(body)-idSize+1):]...)
	}
	e.commit, e.parts = f, append(e.parts, m.sequence)
	e.named = e.named || names(body, e.reports) || bytes.Contains(body, roll)
	if !e.named {
		return nil
	}
	for _, seq := range e.parts {
		if err := e.r.erase(ctx, seq); err != nil {
			return err
		}
		e.erased++
	}
	e.parts = e.parts[:0]
	return nil
}

// roll is how the fingerprint of a mass situation's reports begins where it
// is encoded. What only looks like it costs a frame, which can be made again.
var roll = protowire.AppendVarint(protowire.AppendTag(nil,
	(*wf.Situation)(nil).ProtoReflect().Descriptor().Fields().ByName("roll").Number(), protowire.BytesType), 16)

// names says whether data holds one of the ids.
func names(data []byte, ids map[string]bool) bool {
	for i := 8; i+28 <= len(data); i++ {
		if data[i] == '-' && data[i+5] == '-' && data[i+10] == '-' && data[i+15] == '-' && ids[string(data[i-8:i+28])] {
			return true
		}
	}
	return false
}

// erase overwrites one message. One that is gone is no error.
func (r *reader) erase(ctx context.Context, sequence uint64) error {
	body, err := json.Marshal(map[string]uint64{"seq": sequence})
	if err != nil {
		return fmt.Errorf("erase message %d: %w", sequence, err)
	}
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	m, err := r.nc.RequestWithContext(ctx, subject.Erase(r.stream), body)
	if err != nil {
		return fmt.Errorf("erase message %d: %w", sequence, err)
	}
	var answer struct {
		Error *struct {
			Code        int    `json:"code"`
			Description string `json:"description"`
		} `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return fmt.Errorf("erase message %d: %w", sequence, err)
	}
	if answer.Error != nil && answer.Error.Code != 404 {
		return fmt.Errorf("erase message %d: %s", sequence, answer.Error.Description)
	}
	return nil
}
