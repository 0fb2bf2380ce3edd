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
	// fetchSize is how many records one Fetch asks for.
	fetchSize = 2000
	// fetchFor is how long it stays open; what arrives is taken at once.
	fetchFor = 30 * time.Second
	apiWait  = 10 * time.Second
	// Until the checkpoint is reached a missing delivery would never be noticed
	// by the next one, so it is asked for often; afterwards now and then.
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
	source   int
	sequence uint64
	agency   string
	facts    admission.Record
	report   *wf.Report // of an admitted record
	broken   string     // why it cannot be used
	msg      jetstream.Msg
	// past: the source has read everything up to the checkpoint. No record.
	past bool
}

// errTaken: deliveries are missing that somebody else must have got.
var errTaken = errors.New("another reader takes from the worker's consumer")

// source reads one cell's REPORTS from the beginning.
type source struct {
	index      int
	cell       string
	channel    subject.Channel
	conn       *nats.Conn
	status     wf.Status
	consumer   string
	checkpoint uint64
	out        chan<- record
	gate       <-chan struct{} // closed when every source has passed its checkpoint
	pending    atomic.Uint64   // records stored and not yet read

	cons    jetstream.Consumer
	got     atomic.Uint64 // last consumer sequence
	busy    atomic.Bool   // a record is being handed on
	reached atomic.Bool
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
	if s.checkpoint == 0 || s.pending.Load() == 0 {
		if err := s.pass(ctx); err != nil {
			return err
		}
	}
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
	for m := range batch.Messages() {
		if err := s.take(ctx, m); err != nil {
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
	for {
		every := askSoon
		if s.reached.Load() {
			every = askRare
		}
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

// take decodes one message and hands it on.
func (s *source) take(ctx context.Context, m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return fmt.Errorf("read %s: %w", s.cell, err)
	}
	s.busy.Store(true)
	defer s.busy.Store(false)
	if want := s.got.Add(1); meta.Sequence.Consumer != want {
		return fmt.Errorf("read %s: delivery %d where %d belongs: %w", s.cell, meta.Sequence.Consumer, want, errTaken)
	}
	s.pending.Store(meta.NumPending)
	if !s.reached.Load() && meta.Sequence.Stream > s.checkpoint {
		if err := s.pass(ctx); err != nil {
			return err
		}
	}
	r := decode(m.Subject(), m.Headers().Get(admission.Header), m.Data())
	r.source, r.sequence, r.msg = s.index, meta.Sequence.Stream, m
	if err := s.put(ctx, r); err != nil {
		return err
	}
	if !s.reached.Load() && (meta.Sequence.Stream >= s.checkpoint || meta.NumPending == 0) {
		return s.pass(ctx)
	}
	return nil
}

// pass says that the checkpoint is reached and waits for the other sources.
func (s *source) pass(ctx context.Context) error {
	s.reached.Store(true)
	if err := s.put(ctx, record{source: s.index, past: true}); err != nil {
		return err
	}
	select {
	case <-s.gate:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *source) put(ctx context.Context, r record) error {
	select {
	case s.out <- r:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// decode reads a stored record. What cannot be read is a broken record, never an error.
func decode(subj, header string, data []byte) record {
	var r record
	stored, err := subject.ParseStored(subj)
	if err != nil {
		r.broken = err.Error()
		return r
	}
	r.agency = stored.Agency
	if r.facts, err = admission.ParseRecord(header); err != nil {
		r.broken = err.Error()
		return r
	}
	if r.facts.Event != admission.Admitted {
		return r
	}
	r.report = new(wf.Report)
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(data, r.report); err != nil {
		r.report, r.broken = nil, "payload is not a report"
		return r
	}
	switch {
	case r.report.GetId() != r.facts.ID || r.report.GetRevision() != r.facts.Revision:
		r.broken = "payload and admission record name different reports"
	case r.report.GetAgency() != stored.Agency || r.report.GetStatus() != stored.Status || r.report.GetKind() != stored.Kind:
		r.broken = "payload and subject contradict each other"
	}
	return r
}
