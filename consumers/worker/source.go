package worker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	// batchSize is how many records are decoded and handed on together at most,
	// and ahead how many batches wait for the engine: a bound on memory.
	batchSize = 256
	ahead     = 8
	// fetchSize is how many records one Fetch asks for.
	fetchSize = 2000
	// fetchFor is how long it stays open; what arrives is taken at once.
	fetchFor = 30 * time.Second
	apiWait  = 10 * time.Second
	// Whether a delivery went to somebody else is asked soon after the start,
	// then less and less often.
	askSoon = 250 * time.Millisecond
	askRare = 15 * time.Second
	// inFlight is how long a delivery may take to arrive.
	inFlight = time.Second
)

// position names a stored record.
type position struct {
	cell     string
	sequence uint64
}

// record is one message of REPORTS, read and decoded.
type record struct {
	sequence uint64
	agency   string
	facts    admission.Record
	report   *wf.Report // of an admitted record
	broken   string     // why it cannot be used
	why      string     // the same in one of a few words, for metrics
	reply    string     // where to acknowledge it
}

// acked acknowledges a record and all before it.
var acked = []byte("+ACK")

// errTaken: deliveries are missing that somebody else must have got.
var errTaken = errors.New("another reader takes from the worker's consumer")

// source reads one channel of one cell's REPORTS from the beginning. It decodes
// ahead of the engine and stops fetching when nobody takes what it has.
type source struct {
	cell     string
	channel  subject.Channel
	conn     *nats.Conn
	consumer string
	out      chan []record
	wake     chan<- struct{} // told after every batch
	pending  atomic.Uint64   // records stored and not yet read

	cons jetstream.Consumer
	got  atomic.Uint64 // last consumer sequence
	busy atomic.Bool   // records are being handed on

	rest []record // the taker's: of the last batch taken from out
}

// next is the next record up to a sequence; nil when none has arrived. It is
// valid until the next call.
func (s *source) next(limit uint64) *record {
	if len(s.rest) == 0 {
		select {
		case s.rest = <-s.out:
		default:
			return nil
		}
	}
	if s.rest[0].sequence > limit {
		return nil
	}
	r := &s.rest[0]
	s.rest = s.rest[1:]
	return r
}

// beyond says whether what comes next lies after a sequence.
func (s *source) beyond(sequence uint64) bool {
	return len(s.rest) > 0 && s.rest[0].sequence > sequence
}

// waiting is how many records, at least, have arrived and were not taken.
func (s *source) waiting() int { return len(s.rest) + len(s.out) }

// drained says whether everything that was stored before the call has arrived
// and was taken.
func (s *source) drained(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()
	info, err := s.cons.Info(ctx)
	return err == nil && info.NumPending == 0 && info.Delivered.Consumer == s.got.Load() && !s.busy.Load() && s.waiting() == 0
}

// rewind sets the consumer back to the first record.
func (s *source) rewind(ctx context.Context) error {
	js, err := jetstream.New(s.conn)
	if err != nil {
		return fmt.Errorf("read %s: %w", s.cell, err)
	}
	ctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()
	r, err := js.ResetConsumerToSequence(ctx, subject.Reports, s.consumer, 1)
	if err != nil {
		return fmt.Errorf("set consumer %s of %s back: %w", s.consumer, s.cell, err)
	}
	if s.cons, err = js.Consumer(ctx, subject.Reports, s.consumer); err != nil {
		return fmt.Errorf("read %s: consumer %s: %w", s.cell, s.consumer, err)
	}
	s.pending.Store(r.NumPending)
	s.got.Store(0)
	return nil
}

// read hands every record to out, in order, until ctx ends or reading fails.
func (s *source) read(ctx context.Context) error {
	for {
		fctx, cancel := context.WithTimeout(ctx, fetchFor)
		err := s.fetch(ctx, fctx)
		cancel()
		if err != nil {
			return err
		}
	}
}

func (s *source) fetch(ctx, fctx context.Context) error {
	batch, err := s.cons.Fetch(fetchSize, jetstream.FetchContext(fctx))
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("read %s: %w", s.cell, err)
	}
	msgs := make([]jetstream.Msg, 0, batchSize)
	for m := range batch.Messages() {
		if msgs = append(msgs, m); len(msgs) < batchSize && len(batch.Messages()) > 0 {
			continue
		}
		if err := s.take(ctx, msgs); err != nil {
			return err
		}
		msgs = msgs[:0]
	}
	if len(msgs) > 0 {
		if err := s.take(ctx, msgs); err != nil {
			return err
		}
	}
	err = batch.Error()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return nil
	case errors.Is(err, jetstream.ErrNoHeartbeat), errors.Is(err, jetstream.ErrServerShutdown), errors.Is(err, jetstream.ErrConsumerLeadershipChanged):
		// The connection is away; it comes back by itself, or is closed.
		if s.conn.IsClosed() {
			return fmt.Errorf("read %s: %w", s.cell, nats.ErrConnectionClosed)
		}
		sleep(ctx, 100*time.Millisecond)
		return nil
	default:
		return fmt.Errorf("read %s: %w", s.cell, err)
	}
}

// ask compares what the consumer has delivered with what has arrived: when
// nothing more comes, a delivery to somebody else would leave no gap to see.
func (s *source) ask(ctx context.Context) error {
	for every := askSoon; ; every = min(2*every, askRare) {
		if !sleep(ctx, every) {
			return ctx.Err()
		}
		got := s.got.Load()
		if s.busy.Load() {
			continue
		}
		ictx, cancel := context.WithTimeout(ctx, apiWait)
		info, err := s.cons.Info(ictx)
		cancel()
		if err != nil || info.Delivered.Consumer == got {
			continue // a broken connection is for read to find
		}
		if !sleep(ctx, inFlight) {
			return ctx.Err()
		}
		if s.got.Load() == got && !s.busy.Load() {
			return fmt.Errorf("read %s: %d delivered, %d arrived: %w", s.cell, info.Delivered.Consumer, got, errTaken)
		}
	}
}

// take decodes a batch and hands it on.
func (s *source) take(ctx context.Context, msgs []jetstream.Msg) error {
	s.busy.Store(true)
	defer s.busy.Store(false)
	records := make([]record, len(msgs))
	for i, m := range msgs {
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("read %s: %w", s.cell, err)
		}
		if want := s.got.Add(1); meta.Sequence.Consumer != want {
			return fmt.Errorf("read %s: delivery %d where %d belongs: %w", s.cell, meta.Sequence.Consumer, want, errTaken)
		}
		s.pending.Store(meta.NumPending)
		decode(&records[i], m.Subject(), m.Headers().Get(admission.Header), m.Data())
		records[i].sequence, records[i].reply = meta.Sequence.Stream, m.Reply()
	}
	select {
	case s.out <- records:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// Why a record was set aside, in words that tell nothing of it.
const (
	asideSubject     = "unknown-subject"
	asideRecord      = "unknown-admission-record"
	asidePayload     = "not-a-report"
	asideContradicts = "contradicts-itself"
	asideEngine      = "breaks-the-engine"
)

// decode reads a stored record. What cannot be read is a broken record, never an error.
func decode(r *record, subj, header string, data []byte) {
	stored, err := subject.ParseStored(subj)
	if err != nil {
		r.broken, r.why = err.Error(), asideSubject
		return
	}
	r.agency = stored.Agency
	if r.facts, err = admission.ParseRecord(header); err != nil {
		r.broken, r.why = err.Error(), asideRecord
		return
	}
	if r.facts.Event != admission.Admitted {
		return
	}
	r.report = new(wf.Report)
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, r.report); err != nil {
		r.report, r.broken, r.why = nil, "payload is not a report", asidePayload
		return
	}
	switch {
	case r.report.GetId() != r.facts.ID || r.report.GetRevision() != r.facts.Revision:
		r.broken, r.why = "payload and admission record name different reports", asideContradicts
	case r.report.GetAgency() != stored.Agency || r.report.GetStatus() != stored.Status || r.report.GetKind() != stored.Kind:
		r.broken, r.why = "payload and subject contradict each other", asideContradicts
	}
}
