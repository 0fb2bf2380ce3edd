package admitbench

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// offered is the rate of the latency figures, in reports per second.
const offered = 1000

// Latency measures the guard's acknowledgement at 1,000 reports/s offered, as a
// multiple of a raw durable hop: js.Publish with fsync until a plain consumer
// of the stream has the message. Ours and Baseline are p50 in milliseconds.
func Latency(ctx context.Context, cfg Config) (Figure, error) {
	const name = "guard ack at 1,000 reports/s offered, p50 against a raw durable hop"
	b, err := newBench(cfg)
	if err != nil {
		return Figure{}, fmt.Errorf("measure %s: %w", name, err)
	}
	defer b.close()
	var ours, raw []sample
	for range b.cfg.Rounds {
		b.cfg.Progress(name)
		s, err := b.paced(ctx, b.payload.subject, ackPath)
		if err != nil {
			return Figure{}, fmt.Errorf("measure %s: %w", name, err)
		}
		ours = append(ours, s)
		if s, err = b.paced(ctx, rawSubject, hopPath); err != nil {
			return Figure{}, fmt.Errorf("measure %s: baseline: %w", name, err)
		}
		raw = append(raw, s)
	}
	f := Figure{Name: name, Unit: "ms", InFlight: 0}
	f.P50, f.P99 = quantiles(ours)
	f.BaselineP50, f.BaselineP99 = quantiles(raw)
	f.Ours, f.Baseline, f.Ratio = f.P50, f.BaselineP50, f.P50/f.BaselineP50
	return f, nil
}

// path prepares one way of being told that a report has arrived: arrived is
// called with the report's number.
type path func(ctx context.Context, nc *nats.Conn, arrived func(n int)) (publish func(n int, subject string, data []byte) error, stop func(), err error)

// paced offers reports at a steady rate for one round.
func (b *bench) paced(ctx context.Context, subj string, p path) (sample, error) {
	nc, err := b.sync.connect("bench")
	if err != nil {
		return sample{}, err
	}
	defer nc.Close()
	total := int(b.cfg.Round.Seconds() * offered)
	at, took := make([]time.Time, total), make([]time.Duration, total)
	var wg sync.WaitGroup
	var mu sync.Mutex
	publish, stop, err := p(ctx, nc, func(n int) {
		mu.Lock()
		took[n] = time.Since(at[n])
		mu.Unlock()
		wg.Done()
	})
	if err != nil {
		return sample{}, err
	}
	defer stop()
	start := time.Now()
	for n := range total {
		time.Sleep(time.Until(start.Add(time.Duration(n) * time.Second / offered)))
		data := b.payload.next()
		wg.Add(1)
		mu.Lock()
		at[n] = time.Now()
		mu.Unlock()
		if err := publish(n, subj, data); err != nil {
			return sample{}, fmt.Errorf("publish: %w", err)
		}
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		return sample{}, fmt.Errorf("reports are missing 30 s after the last was published")
	}
	return sample{rate: float64(total) / time.Since(start).Seconds(), latencies: took}, nil
}

// ackPath is a stock publish; the report has arrived when it is acknowledged.
func ackPath(_ context.Context, nc *nats.Conn, arrived func(int)) (func(int, string, []byte) error, func(), error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, nil, err
	}
	return func(n int, subj string, data []byte) error {
		f, err := js.PublishAsync(subj, data)
		if err != nil {
			return err
		}
		go func() {
			if _, ok := <-f.Ok(); ok {
				arrived(n)
			}
		}()
		return nil
	}, func() {}, nil
}

// hopPath is a stock publish into a plain stream; the report has arrived when
// a plain consumer has it.
func hopPath(ctx context.Context, nc *nats.Conn, arrived func(int)) (func(int, string, []byte) error, func(), error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, nil, err
	}
	cons, err := js.CreateConsumer(ctx, rawStream, jetstream.ConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy, AckPolicy: jetstream.AckNonePolicy})
	if err != nil {
		return nil, nil, fmt.Errorf("create consumer: %w", err)
	}
	consuming, err := cons.Consume(func(m jetstream.Msg) {
		if d := m.Data(); len(d) >= 8 {
			arrived(int(binary.LittleEndian.Uint64(d[len(d)-8:])))
		}
	})
	if err != nil {
		return nil, nil, fmt.Errorf("consume: %w", err)
	}
	return func(n int, subj string, data []byte) error {
		// Same size: the last bytes carry the number.
		binary.LittleEndian.PutUint64(data[len(data)-8:], uint64(n))
		_, err := js.PublishAsync(subj, data)
		return err
	}, consuming.Stop, nil
}
