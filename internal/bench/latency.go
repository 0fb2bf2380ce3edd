package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// offered is how many reports a second the latency is measured at.
const offered = 1000

const status = wf.Status_STATUS_EXERCISE

// latency measures, at 1,000 reports a second into le: the guard's ack, the
// change seen by a reader of le, and by a reader of fused; beside it, in
// alternating rounds, the hop of a raw durable publish to a plain consumer.
func (r *run) latency(ctx context.Context) ([]Figure, error) {
	per := int(r.Round.Seconds() * offered)
	all, err := submissions(11, exerciseFor(per*r.Rounds), exercise.LE)
	if err != nil {
		return nil, err
	}
	if len(all) < per*r.Rounds {
		return nil, fmt.Errorf("the exercise has %d reports for le, %d are needed", len(all), per*r.Rounds)
	}
	s, stop, err := r.spine(ctx, "latency")
	if err != nil {
		return nil, err
	}
	defer stop()
	p, err := r.plain(ctx, "latency-plain", false)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var hop, ack, own, fused [][]time.Duration
	for i := range r.Rounds {
		batch := all[i*per : (i+1)*per]
		r.Progress(fmt.Sprintf("latency at %d reports/s, round %d of %d", offered, i+1, r.Rounds))
		h, err := p.hop(ctx, batch)
		if err != nil {
			return nil, fmt.Errorf("raw hop: %w", err)
		}
		o, err := offer(ctx, s, batch)
		if err != nil {
			return nil, err
		}
		hop, ack, own, fused = append(hop, h), append(ack, o.ack), append(own, o.own), append(fused, o.fused)
	}
	base50, base99 := spread(hop)
	figure := func(name, target string, rounds [][]time.Duration) Figure {
		p50, p99 := spread(rounds)
		return Figure{Name: name, Unit: "ms p50", Ours: p50, Baseline: base50, Ratio: p50 / base50, P50: p50, P99: p99, BaselineP50: base50, BaselineP99: base99, Target: target}
	}
	return []Figure{
		figure("latency-ack-1000", "<= 2 x raw hop (stretch 1.6)", ack),
		figure("latency-own-cell-1000", "<= 3 x raw hop (stretch 2)", own),
		figure("latency-fused-1000", "<= 4 x raw hop (stretch 3)", fused),
	}, nil
}

// exerciseFor is a scenario size that has n reports for le.
func exerciseFor(n int) int { return min(max(4*n, 2*exercise.MinReports), exercise.MaxReports) }

// pace calls do for i in [0, n) at the offered rate.
func pace(ctx context.Context, n int, do func(i int) error) error {
	start := time.Now()
	for i := range n {
		if wait := time.Until(start.Add(time.Duration(i) * time.Second / offered)); wait > 0 {
			time.Sleep(wait)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(i); err != nil {
			return err
		}
	}
	return nil
}

// hop is how long a report takes from a stock client's durable publish to a
// stock consumer.
func (p *plain) hop(ctx context.Context, batch []submission) ([]time.Duration, error) {
	nc, js, err := p.connect("guard", exercise.LE)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	rc, rjs, err := p.connect("worker", exercise.LE)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	cons, err := rjs.Consumer(ctx, subject.Reports, subject.WorkerConsumer(exercise.LE, status, subject.Open))
	if err != nil {
		return nil, err
	}
	got := make([]time.Time, len(batch))
	done := make(chan error, 1)
	go func() { done <- receive(cons, got) }()
	sent := make([]time.Time, len(batch))
	inlet := p.Inlet(exercise.LE, subject.Reports)
	err = pace(ctx, len(batch), func(i int) error {
		sent[i] = time.Now()
		_, err := js.PublishAsync(inlet.Of(batch[i].stored), batch[i].data)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := <-done; err != nil {
		return nil, err
	}
	out := make([]time.Duration, len(batch))
	for i := range out {
		out[i] = got[i].Sub(sent[i])
	}
	return out, nil
}

// receive takes as many messages as got has room for, in order.
func receive(cons jetstream.Consumer, got []time.Time) error {
	for i := 0; i < len(got); {
		batch, err := cons.Fetch(len(got)-i, jetstream.FetchMaxWait(10*time.Second))
		if err != nil {
			return err
		}
		n := 0
		for m := range batch.Messages() {
			got[i] = time.Now()
			i, n = i+1, n+1
			if i == len(got) || n%256 == 0 {
				if err := m.Ack(); err != nil {
					return err
				}
			}
		}
		if n == 0 {
			return fmt.Errorf("the consumer got %d of %d messages: %w", i, len(got), batch.Error())
		}
	}
	return nil
}

// seen is when a reader of a cell first saw each sequence of le.
type seen struct {
	mu sync.Mutex
	at map[uint64]time.Time
	to uint64
	// started: the first update only says from where on.
	started bool
}

func newSeen() *seen { return &seen{at: map[uint64]time.Time{}} }

// position is how far the picture has read le.
func position(u snapshot.Update) uint64 {
	for _, p := range u.Picture.Checkpoint() {
		if p.GetCell() == exercise.LE && p.GetChannel() == string(subject.Open) {
			return p.GetSequence()
		}
	}
	return 0
}

func (s *seen) watch(u snapshot.Update) {
	now := time.Now()
	seq := position(u)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started {
		s.started, s.to = true, seq
		return
	}
	for ; s.to < seq; s.to++ {
		s.at[s.to+1] = now
	}
}

func (s *seen) since(sequence uint64, sent time.Time) (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.at[sequence]
	return at.Sub(sent), ok
}

type offering struct{ ack, own, fused []time.Duration }

// offer sends the batch at the offered rate and measures what readers see.
func offer(ctx context.Context, s *spine.Spine, batch []submission) (offering, error) {
	own, fused := newSeen(), newSeen()
	defer s.Picture(exercise.LE, status).Watch(own.watch)()
	defer s.Picture(exercise.Fused, status).Watch(fused.watch)()
	send := sender(s)
	defer send.Close()
	for _, b := range batch { // sign in before the clock runs
		if _, err := send.Client(ctx, b.route); err != nil {
			return offering{}, err
		}
	}
	type sent struct {
		at      time.Time
		pending *producers.Pending
		acked   time.Time
	}
	all := make([]sent, len(batch))
	var waiting sync.WaitGroup
	err := pace(ctx, len(batch), func(i int) error {
		c, err := send.Client(ctx, batch[i].route)
		if err != nil {
			return err
		}
		all[i].at = time.Now()
		if all[i].pending, err = c.SubmitBytes(ctx, batch[i].identity, batch[i].subject, batch[i].data); err != nil {
			return err
		}
		waiting.Go(func() {
			<-all[i].pending.Done()
			all[i].acked = time.Now()
		})
		return nil
	})
	waiting.Wait()
	if err != nil {
		return offering{}, err
	}
	if err := s.Settled(ctx); err != nil {
		return offering{}, err
	}
	var o offering
	for i := range all {
		ack, err := all[i].pending.Wait(ctx)
		if err != nil {
			return offering{}, fmt.Errorf("submit %s: %w", batch[i].identity.ID, err)
		}
		o.ack = append(o.ack, all[i].acked.Sub(all[i].at))
		if ack.Duplicate || ack.Superseded {
			continue
		}
		a, okA := own.since(ack.Sequence, all[i].at)
		b, okB := fused.since(ack.Sequence, all[i].at)
		if !okA || !okB {
			return offering{}, fmt.Errorf("report at sequence %d of le was not seen by a reader", ack.Sequence)
		}
		o.own, o.fused = append(o.own, a), append(o.fused, b)
	}
	return o, nil
}
