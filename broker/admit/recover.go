package admit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// expire gives up waiting for a commit, if one is under way.
func (l *loop) expire() error {
	f := l.flight
	if f == nil {
		return nil
	}
	l.timer.Stop()
	l.flight = nil
	l.g.metrics.Unknown.Add(1)
	f.failure = errUnknown
	return l.failed(f)
}

// failed handles a flight that was not acknowledged whole. The stream says
// what became of it: after a reload a report that was stored is a duplicate of
// itself and its sender gets that acknowledgement.
func (l *loop) failed(f *flight) error {
	l.index.Rollback()
	l.stale = true
	fence := errors.Is(f.failure, errFence)
	l.failing = !fence
	if fence {
		l.g.metrics.FenceLost.Add(1)
	} else {
		l.log.Warn("commit failed", zap.Int("messages", f.n), zap.Error(f.failure))
	}
	if !l.recover() {
		l.giveUp(f.subs, busy("the guard cannot read its stream"))
		return nil
	}
	code := admission.Unavailable
	if errors.Is(f.failure, errFull) {
		code = admission.StorageFull
	}
	var again []*submission
	for _, s := range f.subs {
		s.attempts++
		if fence && s.attempts < maxAttempts {
			again = append(again, s)
			l.hold(s, 1)
			continue
		}
		if s.d = guard.Decide(s.x, l.index); s.d.Verdict != guard.Admit {
			l.answerDecided(s)
			continue
		}
		l.giveUp([]*submission{s}, unavailable(code, f.failure.Error()))
	}
	l.waiting = slices.Concat(again, l.waiting)
	return nil
}

// giveUp tells senders to try again.
func (l *loop) giveUp(subs []*submission, reasons admission.Reasons) {
	data := admission.Refuse(reasons)
	for _, s := range subs {
		l.g.metrics.Retry.Add(1)
		l.answer(l.intake, s, data)
	}
}

// recover reads what the index misses; false when it could not. It is not
// tried again at once: a store that stands still must not hold up the answers.
func (l *loop) recover() bool {
	if time.Since(l.asked) < recoverEvery {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), l.g.cfg.CommitTimeout)
	defer cancel()
	if err := l.reload(ctx, answerWithin); err != nil {
		l.asked = time.Now()
		l.g.metrics.owes(true)
		l.log.Error("index not reloaded", zap.Error(err))
		return false
	}
	l.asked = time.Time{}
	l.g.metrics.owes(false)
	return true
}

const (
	// recoverEvery is how long senders are told to try again before a store that
	// did not answer is asked once more, and answerWithin how long it has.
	recoverEvery = time.Second
	answerWithin = time.Second
)

// reload brings the index to the end of REPORTS. If the stream does not
// continue what the index was built on, it is built anew. The stream has within
// to answer, then ctx to be read.
func (l *loop) reload(ctx context.Context, within time.Duration) error {
	l.g.metrics.Reloads.Add(1)
	l.stale = true
	actx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	end, err := l.position(actx)
	if err != nil {
		return fmt.Errorf("ask for the end of %s: %w", subject.Reports, err)
	}
	if sound := l.g.cfg.Sound; sound != nil {
		// The server counts what it could not sync as stored.
		if err := sound(); err != nil {
			return err
		}
	}
	if l.last > 0 {
		err := l.replay(ctx, l.last, end)
		if err == nil {
			l.stale = false
			return nil
		}
		if !errors.Is(err, errDiscontinued) {
			return err
		}
		l.log.Warn("the stream does not continue what was indexed; rebuilding the index")
	}
	l.index, l.last, l.lastHeader = guard.NewIndex(l.index.Seed()), 0, ""
	if err := l.replay(ctx, 0, end); err != nil {
		return err
	}
	l.stale = false
	return nil
}

var errDiscontinued = errors.New("the stream does not continue what was indexed")

// position asks the stream for its last sequence by a publish that can never
// be stored. The stream answers in the order of its queue: everything up to
// that sequence is decided and synced, and nothing that either connection sent
// before is still under way.
func (l *loop) position(ctx context.Context) (uint64, error) {
	if _, err := l.barrier(ctx, l.direct); err != nil {
		return 0, err
	}
	return l.barrier(ctx, l.store)
}

func (l *loop) barrier(ctx context.Context, c *nats.Conn) (uint64, error) {
	rules := l.g.rules.Load()
	m := nats.NewMsg(l.g.cfg.Reports.Of(barrierSubject(rules.Cell, rules.Label)))
	m.Header.Set(headerExpect, strconv.FormatInt(math.MaxInt64, 10))
	reply, err := l.request(ctx, c, m)
	if err != nil {
		return 0, err
	}
	var a pubAck
	if err := json.Unmarshal(reply.Data, &a); err != nil {
		return 0, fmt.Errorf("read answer: %w", err)
	}
	if a.Error == nil || a.Error.ErrorCode != codeWrongSequence {
		return 0, fmt.Errorf("unexpected answer %.200s", reply.Data)
	}
	n := a.Error.Description[strings.LastIndexByte(a.Error.Description, ' ')+1:]
	end, err := strconv.ParseUint(n, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read sequence of %q: %w", a.Error.Description, err)
	}
	return end, nil
}

// request asks the server and takes submissions meanwhile: what waits is bounded
// by what the loop counts, not by what the connection holds.
func (l *loop) request(ctx context.Context, c *nats.Conn, m *nats.Msg) (*nats.Msg, error) {
	type answer struct {
		msg *nats.Msg
		err error
	}
	got := make(chan answer, 1)
	go func() {
		reply, err := c.RequestMsgWithContext(ctx, m)
		got <- answer{reply, err}
	}()
	for {
		select {
		case <-l.in.more:
			l.take()
		case a := <-got:
			return a.msg, a.err
		}
	}
}

// barrierSubject is a subject that REPORTS stores and no report has.
func barrierSubject(cell string, l label.Label) string {
	return subject.Stored{
		Submission: subject.Submission{
			Status: wf.Status_STATUS_TEST, Kind: wf.Kind_KIND_INCIDENT, State: subject.None, County: subject.None, Agency: "guard",
		},
		Sides: l.Sides().Token(), Level: l.Level().Token(), Cell: cell,
	}.String()
}

// replay reads the records from sequence last (which must be the one the
// index ends with, if it still exists) to end.
func (l *loop) replay(ctx context.Context, last, end uint64) error {
	if last > end {
		return errDiscontinued
	}
	js, err := jetstream.New(l.store)
	if err != nil {
		return err
	}
	c, err := js.CreateConsumer(ctx, subject.Reports, jetstream.ConsumerConfig{
		Name: "guard_" + nuid.Next(), DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(last, 1),
		AckPolicy: jetstream.AckNonePolicy, HeadersOnly: true, MemoryStorage: true, InactiveThreshold: 10 * time.Second,
	})
	if err != nil {
		return fmt.Errorf("read %s from %d: %w", subject.Reports, last, err)
	}
	r := replay{l: l, last: last, end: end, pending: c.CachedInfo().NumPending}
	for r.pending > 0 && r.seen < end {
		if err := r.fetch(ctx, c); err != nil {
			return fmt.Errorf("read %s from %d: %w", subject.Reports, r.seen+1, err)
		}
	}
	l.index.Settle()
	l.last = end
	if r.took {
		l.lastHeader = r.header
	}
	l.g.metrics.Reports.Store(uint64(l.index.Len()))
	return nil
}

// replay is one pass over records.
type replay struct {
	l         *loop
	last, end uint64
	seen      uint64
	pending   uint64
	took      bool   // at least one message
	header    string // of the last one; empty when no guard wrote it
	told      uint64
}

func (r *replay) fetch(ctx context.Context, c jetstream.Consumer) error {
	batch, err := c.Fetch(int(min(r.pending, 4096)), jetstream.FetchMaxWait(2*time.Second))
	if err != nil {
		return err
	}
	n := 0
	for m := range batch.Messages() {
		n++
		if err := r.take(m); err != nil {
			return err
		}
	}
	if err := batch.Error(); err != nil {
		return err
	}
	if n == 0 && ctx.Err() == nil {
		return errors.New("the stream delivers nothing")
	}
	return ctx.Err()
}

func (r *replay) take(m jetstream.Msg) error {
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	seq, header := meta.Sequence.Stream, m.Headers().Get(admission.Header)
	r.seen, r.pending = seq, meta.NumPending
	if seq > r.end {
		return nil
	}
	if seq == r.last {
		if header != r.l.lastHeader {
			return errDiscontinued
		}
		return nil
	}
	if err := r.l.index.Restore(m.Subject(), seq, header); errors.Is(err, guard.ErrForeign) {
		r.l.g.metrics.Foreign.Add(1)
		r.l.log.Error("passed over in "+subject.Reports, zap.Error(err))
	} else if err != nil {
		return err
	}
	r.took, r.header = true, header
	if p := r.l.g.cfg.Progress; p != nil && (r.seen-r.told >= 100_000 || seq == r.end) {
		r.told = r.seen
		p(r.seen, r.end)
	}
	if r.l.index.Len()%(1<<16) == 0 {
		r.l.index.Settle()
	}
	return nil
}
