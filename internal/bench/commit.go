package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// bed is a stream of stored reports of le, and what is measured on it: the
// fusion worker with nothing else running, beside a stock consumer.
type bed struct {
	*plain
	reports int
	last    uint64 // sequence
	bytes   int
}

// bed fills the stream once for all parts.
func (r *run) bed(ctx context.Context) (*bed, error) {
	if r.filled != nil {
		return r.filled, nil
	}
	r.Progress(fmt.Sprintf("storing %d reports of the exercise", r.Reports))
	p, err := r.plain(ctx, "bed", true)
	if err != nil {
		return nil, err
	}
	b := &bed{plain: p, reports: r.Reports}
	r.filled = b
	return b, b.fill(ctx)
}

// fill stores reports as the guard does.
func (b *bed) fill(ctx context.Context) error {
	nc, js, err := b.connect("guard", exercise.LE, jetstream.WithPublishAsyncMaxPending(window))
	if err != nil {
		return err
	}
	defer nc.Close()
	for n := 0; b.last < uint64(b.reports); n++ {
		if err := b.play(js, n); err != nil {
			return err
		}
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// play stores what le has of the n-th exercise: one begins where the one before
// ended, for one alone is not large enough for a million reports of a cell.
func (b *bed) play(js jetstream.JetStream, n int) error {
	left := b.reports - int(b.last)
	s, err := exercise.New(exercise.Config{
		Seed: 12 + uint64(n), Start: exercise.DefaultStart.Add(time.Duration(n) * exercise.Span),
		Reports: min(max(2*left, exercise.MinReports), exercise.MaxReports), // about two thirds are of le
	})
	if err != nil {
		return err
	}
	for step := range s.Steps() {
		if step.Cell != exercise.LE {
			continue
		}
		m, err := storedMessage(step)
		if err != nil {
			return err
		}
		m.Subject = b.Inlet(exercise.LE, subject.Reports).Of(m.Subject)
		if _, err := js.PublishMsgAsync(m, jetstream.WithStallWait(30*time.Second)); err != nil {
			return err
		}
		b.bytes += len(m.Data)
		if b.last++; b.last == uint64(b.reports) {
			return nil
		}
	}
	return nil
}

func storedMessage(step exercise.Step) (*nats.Msg, error) {
	data, err := proto.Marshal(step.Report)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	l, err := label.FromProto(step.Report.GetLabel())
	if err != nil {
		return nil, err
	}
	to, err := subject.ParseSubmit(subject.Submit(step.Report))
	if err != nil {
		return nil, err
	}
	rec := admission.Record{
		Event: admission.Admitted, ID: step.Report.GetId(), Revision: step.Report.GetRevision(), Received: step.Report.GetReportTime().AsTime(),
		Hash: sha256.Sum256(data), Rule: step.Report.GetAgency() + "@bench",
	}
	return &nats.Msg{Subject: subject.StoredOf(to, step.Cell, l, step.Report.GetLabel()).String(), Data: data,
		Header: nats.Header{admission.Header: {rec.Encode()}}}, nil
}

// raw reads and acknowledges the whole stream by a stock consumer of the same
// kind as the worker's, every message or the last of every fetch.
func (b *bed) raw(ctx context.Context, each bool) (time.Duration, error) {
	nc, js, err := b.connect("worker", exercise.LE)
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	n := 0
	start := time.Now()
	for _, channel := range subject.Channels {
		name := subject.Seats[1].Consumer(exercise.LE, status, channel)
		reset, err := js.ResetConsumerToSequence(ctx, subject.Reports, name, 1)
		if err != nil {
			return 0, err
		}
		cons, err := js.Consumer(ctx, subject.Reports, name)
		if err != nil {
			return 0, err
		}
		for left := int(reset.NumPending); left > 0; {
			got, err := fetch(cons, min(left, 2000), each)
			if err != nil {
				return 0, err
			}
			left, n = left-got, n+got
		}
	}
	if err := nc.FlushTimeout(30 * time.Second); err != nil {
		return 0, err
	}
	took := time.Since(start)
	if n != b.reports {
		return 0, fmt.Errorf("%d of %d reports read", n, b.reports)
	}
	return took, nil
}

func fetch(cons jetstream.Consumer, n int, each bool) (got int, err error) {
	batch, err := cons.Fetch(n)
	if err != nil {
		return 0, err
	}
	var last jetstream.Msg
	for m := range batch.Messages() {
		got, last = got+1, m
		if each {
			if err := m.Ack(); err != nil {
				return got, err
			}
		}
	}
	if last != nil && !each {
		if err := last.Ack(); err != nil {
			return got, err
		}
	}
	return got, batch.Error()
}

// work runs the fusion worker of le until done says so of the newest frame.
func (b *bed) work(ctx context.Context, ready func(), done func(snapshot.Head) bool) (took time.Duration, err error) {
	nc, _, err := b.connect("worker", exercise.LE)
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	home, _, err := b.connect("worker", exercise.LE)
	if err != nil {
		return 0, err
	}
	defer home.Close()
	tail, err := snapshot.Trail(ctx, nc, exercise.LE, status)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	start := time.Now()
	go func() {
		ended <- worker.Run(ctx, worker.Config{
			Cell: exercise.LE, Status: status, Home: home, Sources: []worker.Source{{Cell: exercise.LE, Conn: nc}}, Clock: worker.Input,
			NewEngine: func() worker.Engine { return fusion.New(fusion.Config{Status: status}) },
			Ready:     func(bool) { ready() },
		})
	}()
	for err == nil && !done(tail.Head()) {
		select {
		case <-tail.News():
		case <-time.After(5 * time.Millisecond):
		case err = <-ended:
			err = fmt.Errorf("worker ended: %w", err)
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	took = time.Since(start)
	err = errors.Join(err, tail.Stop())
	cancel()
	return took, errors.Join(err, <-ended)
}

// all says whether a frame holds every report of the bed.
func (b *bed) all(h snapshot.Head) bool {
	for _, p := range h.Frame.GetCheckpoint() {
		if p.GetSequence() == b.last {
			return true
		}
	}
	return false
}

// commit measures decoding, fusing and committing every stored report.
func (r *run) commit(ctx context.Context) ([]Figure, error) {
	b, err := r.bed(ctx)
	if err != nil {
		return nil, err
	}
	used := processor()
	before, err := r.rawRate(ctx, b)
	if err != nil {
		return nil, err
	}
	rawUsed := processor() - used
	r.Progress("decode, fuse, commit")
	debug.FreeOSMemory()
	used = processor()
	took, err := b.work(ctx, func() {}, b.all)
	if err != nil {
		return nil, err
	}
	used = processor() - used
	r.published = true
	after, err := r.rawRate(ctx, b)
	if err != nil {
		return nil, err
	}
	n := float64(b.reports)
	ours, base := n/took.Seconds(), (before+after)/2
	return []Figure{
		{Name: "commit-reports", Unit: "reports/s", Ours: ours, Baseline: base, Ratio: ours / base, Target: ">= 0.3 x fetch and ack"},
		{Name: "commit-processor", Unit: "us of processor per report, server included", Ours: micros(used, n), Baseline: micros(rawUsed, n),
			Ratio: used.Seconds() / rawUsed.Seconds(), Target: "reported: what a busy machine does not change"},
	}, nil
}

func micros(d time.Duration, reports float64) float64 { return d.Seconds() * 1e6 / reports }

// rawRate is the yardstick: fetch, and acknowledge every message.
func (r *run) rawRate(ctx context.Context, b *bed) (float64, error) {
	r.Progress("fetch and ack of the same stream")
	took, err := b.raw(ctx, true)
	return float64(b.reports) / took.Seconds(), err
}

// restore measures how long a worker takes to hold again the picture of all
// stored reports, beside reading them.
func (r *run) restore(ctx context.Context) ([]Figure, error) {
	b, err := r.bed(ctx)
	if err != nil {
		return nil, err
	}
	if !r.published {
		r.Progress("publishing the picture to restore")
		if _, err := b.work(ctx, func() {}, b.all); err != nil {
			return nil, err
		}
		r.published = true
	}
	r.Progress("fetch and ack of the same stream")
	rawUsed := processor()
	base, err := b.raw(ctx, true)
	if err != nil {
		return nil, err
	}
	rawUsed = processor() - rawUsed
	r.Progress("restore")
	debug.FreeOSMemory()
	resetPeak()
	used := processor()
	started, up := time.Now(), make(chan time.Duration, 1)
	// The head of before is there at once: what counts is the worker's word.
	_, err = b.work(ctx, func() { up <- time.Since(started) }, func(snapshot.Head) bool { return len(up) > 0 })
	if err != nil {
		return nil, err
	}
	used = processor() - used
	ours, n := (<-up).Seconds(), float64(b.reports)
	return []Figure{
		{Name: fmt.Sprintf("restore-%d", b.reports), Unit: "s", Ours: ours, Baseline: base.Seconds(), Ratio: ours / base.Seconds(),
			Target: "<= 10 s for 1M; baseline: fetch and ack"},
		{Name: "restore-processor", Unit: "us of processor per report, server included", Ours: micros(used, n), Baseline: micros(rawUsed, n),
			Ratio: used.Seconds() / rawUsed.Seconds(), Target: "reported: what a busy machine does not change"},
		{Name: "restore-peak-memory", Unit: "MiB, server included", Ours: memory("VmHWM"), Baseline: float64(b.bytes) / (1 << 20),
			Ratio: memory("VmHWM") * (1 << 20) / float64(b.bytes), Target: "reported; baseline is the encoded reports"},
	}, nil
}
