package bench

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// bulk sends the exercise through guards, fusion of all cells and snapshots as
// fast as it goes; beside it a stock client's PublishAsync of the same reports
// without fsync, guard or fusion.
func (r *run) bulk(ctx context.Context) ([]Figure, error) {
	r.Progress(fmt.Sprintf("bulk: encoding %d exercise reports", r.Reports))
	all, err := submissions(12, r.Reports, "")
	if err != nil {
		return nil, err
	}
	before, err := r.lazy(ctx, "bulk-plain-1", all)
	if err != nil {
		return nil, err
	}
	r.Progress("bulk: guards, fusion and snapshots of every cell")
	debug.FreeOSMemory() // what the yardstick left is not ours
	resetPeak()
	ours, lag, err := r.through(ctx, all)
	if err != nil {
		return nil, err
	}
	peak := memory("VmHWM")
	after, err := r.lazy(ctx, "bulk-plain-2", all)
	if err != nil {
		return nil, err
	}
	base := (before + after) / 2
	return []Figure{
		{Name: "bulk-reports", Unit: "reports/s", Ours: ours, Baseline: base, Ratio: ours / base, Target: ">= 0.06 x unsynced PublishAsync"},
		{Name: "bulk-fused-lag", Unit: "s at most", Ours: lag.Seconds(), Baseline: 2, Ratio: lag.Seconds() / 2, Target: "<= 2 s behind le at any time"},
		{Name: "bulk-peak-memory", Unit: "MiB, sender included", Ours: peak, Baseline: float64(payload(all)) / (1 << 20), Ratio: peak * (1 << 20) / float64(payload(all)), Target: "reported; baseline is the encoded reports"},
	}, nil
}

func payload(all []submission) int {
	n := 0
	for _, s := range all {
		n += len(s.data)
	}
	return n
}

// lazy is the yardstick: PublishAsync of every report of le without fsync.
func (r *run) lazy(ctx context.Context, name string, all []submission) (perSecond float64, err error) {
	r.Progress("bulk: PublishAsync without fsync")
	p, err := r.plain(ctx, name, true)
	if err != nil {
		return 0, err
	}
	defer p.Close()
	nc, js, err := p.connect("guard", exercise.LE, jetstream.WithPublishAsyncMaxPending(window))
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	n, inlet := 0, p.Inlet(exercise.LE, subject.Reports)
	start := time.Now()
	for i := range all {
		if all[i].route.Cell != exercise.LE {
			continue
		}
		if _, err := js.PublishAsync(inlet.Of(all[i].stored), all[i].data, jetstream.WithStallWait(10*time.Second)); err != nil {
			return 0, err
		}
		n++
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

// through sends everything and waits until every picture has it.
func (r *run) through(ctx context.Context, all []submission) (perSecond float64, lag time.Duration, err error) {
	s, stop, err := r.spine(ctx, "bulk")
	if err != nil {
		return 0, 0, err
	}
	defer stop()
	le, fused := newSeen(), newSeen()
	defer s.Picture(exercise.LE, status).Watch(le.watch)()
	defer s.Picture(exercise.Fused, status).Watch(fused.watch)()
	start := time.Now()
	if err := submit(ctx, s, all); err != nil {
		return 0, 0, err
	}
	if err := s.Settled(ctx); err != nil {
		return 0, 0, err
	}
	took := time.Since(start)
	for sequence, at := range le.at {
		there, ok := fused.since(sequence, at)
		if !ok {
			return 0, 0, fmt.Errorf("sequence %d of le was never seen in fused", sequence)
		}
		lag = max(lag, there)
	}
	return float64(len(all)) / took.Seconds(), lag, nil
}

func submit(ctx context.Context, s *spine.Spine, all []submission) error {
	send := sender(s)
	defer send.Close()
	for _, b := range all {
		c, err := send.Client(ctx, b.route)
		if err != nil {
			return err
		}
		if _, err := c.SubmitBytes(ctx, b.identity, b.subject, b.data); err != nil {
			return err
		}
	}
	return send.Drain(ctx)
}
