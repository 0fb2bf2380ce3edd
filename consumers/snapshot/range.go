package snapshot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/proto/subject"
)

const (
	// batchMessages and batchBytes bound one request for a range of messages:
	// the answers wait in this process, so the next one comes after them.
	batchMessages = 512
	batchBytes    = 8 << 20
)

// message is a stored message with its place in the stream.
type message struct {
	subject  string
	sequence uint64
	stored   time.Time
	data     []byte
}

// query is the body of a request for messages by sequence or time.
type query struct {
	Sequence  uint64     `json:"seq,omitempty"`
	Next      string     `json:"next_by_subj,omitempty"`
	Batch     int        `json:"batch,omitempty"`
	MaxBytes  int        `json:"max_bytes,omitempty"`
	MultiLast []string   `json:"multi_last,omitempty"`
	UpToTime  *time.Time `json:"up_to_time,omitempty"`
}

// messages hands the stored messages of a subject (which may hold wildcards)
// from a sequence on to each, in the order of the stream, until each says stop
// or there are no more.
func (r *reader) messages(ctx context.Context, from uint64, subj string, each func(message) (more bool, err error)) error {
	for {
		last, left, more, err := r.batch(ctx, query{Sequence: from, Next: subj, Batch: batchMessages, MaxBytes: batchBytes}, each)
		if err != nil || !more || left == 0 {
			return err
		}
		from = last + 1
	}
}

// lastBefore is the last message of a subject stored at or before t; nil when
// there is none.
func (r *reader) lastBefore(ctx context.Context, subj string, t time.Time) (*message, error) {
	after := t.Add(1) // the server's bound is exclusive
	var found *message
	_, _, _, err := r.batch(ctx, query{MultiLast: []string{subj}, UpToTime: &after, Batch: 1}, func(m message) (bool, error) {
		found = &m
		return true, nil
	})
	return found, err
}

// batch makes one request and takes every answer of it. left is how many
// messages the server has beyond it.
func (r *reader) batch(ctx context.Context, q query, each func(message) (bool, error)) (last, left uint64, more bool, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return 0, 0, false, fmt.Errorf("ask %s: %w", r.stream, err)
	}
	inbox := r.nc.NewInbox()
	sub, err := r.nc.SubscribeSync(inbox)
	if err != nil {
		return 0, 0, false, fmt.Errorf("ask %s: %w", r.stream, err)
	}
	defer func() { _ = sub.Unsubscribe() }() // of a closed connection there is nothing to end
	if err := r.nc.PublishRequest(subject.History(r.stream), inbox, body); err != nil {
		return 0, 0, false, fmt.Errorf("ask %s: %w", r.stream, err)
	}
	for {
		m, err := r.answer(ctx, sub)
		if err != nil {
			return last, 0, false, err
		}
		if code := m.Header.Get("Status"); code != "" {
			left, err = endOfBatch(code, m.Header, r.stream)
			return last, left, true, err
		}
		got, err := readMessage(m)
		if err != nil {
			return last, 0, false, fmt.Errorf("read %s: %w", r.stream, err)
		}
		last = got.sequence
		if more, err := each(got); err != nil || !more {
			return last, 0, false, err
		}
	}
}

func (r *reader) answer(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	m, err := sub.NextMsgWithContext(ctx)
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return nil, fmt.Errorf("ask %s: %w", r.stream, ErrNotPermitted)
	case err != nil:
		return nil, fmt.Errorf("ask %s: %w", r.stream, err)
	}
	return m, nil
}

// endOfBatch reads the message that closes a batch.
func endOfBatch(code string, h nats.Header, stream string) (left uint64, err error) {
	switch code {
	case "404":
		return 0, nil
	case "204":
		left, err = strconv.ParseUint(h.Get("Nats-Num-Pending"), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("ask %s: pending %q: %w", stream, h.Get("Nats-Num-Pending"), err)
		}
		return left, nil
	}
	return 0, fmt.Errorf("ask %s: %s %s", stream, code, h.Get("Description"))
}

func readMessage(m *nats.Msg) (message, error) {
	seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	if err != nil {
		return message{}, fmt.Errorf("sequence %q: %w", m.Header.Get("Nats-Sequence"), err)
	}
	at, err := time.Parse(time.RFC3339Nano, m.Header.Get("Nats-Time-Stamp"))
	if err != nil {
		return message{}, fmt.Errorf("message %d: time %q: %w", seq, m.Header.Get("Nats-Time-Stamp"), err)
	}
	return message{m.Header.Get("Nats-Subject"), seq, at, m.Data}, nil
}
