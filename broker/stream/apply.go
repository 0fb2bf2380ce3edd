package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/watchfloor/watchfloor/proto/subject"
)

// together is how many requests one account has under way: more only queue up
// at the disk.
const together = 8

// Reconcile brings one account to what is wanted and returns what it did.
func Reconcile(ctx context.Context, js jetstream.JetStream, want Want) ([]Action, error) {
	have, err := Observe(ctx, js)
	if err != nil {
		return nil, err
	}
	plan := Plan(want, have)
	return plan, Apply(ctx, js, plan)
}

// Observe asks an account what it holds.
func Observe(ctx context.Context, js jetstream.JetStream) (Have, error) {
	have := Have{Streams: map[string]jetstream.StreamConfig{}, Consumers: map[string]jetstream.ConsumerConfig{}}
	streams := js.ListStreams(ctx)
	for info := range streams.Info() {
		have.Streams[info.Config.Name] = info.Config
	}
	if err := streams.Err(); err != nil {
		return Have{}, fmt.Errorf("list streams: %w", err)
	}
	if _, ok := have.Streams[subject.Reports]; !ok {
		return have, nil
	}
	s, err := js.Stream(ctx, subject.Reports)
	if err != nil {
		return Have{}, fmt.Errorf("look at stream %s: %w", subject.Reports, err)
	}
	consumers := s.ListConsumers(ctx)
	for info := range consumers.Info() {
		have.Consumers[info.Name] = info.Config
	}
	if err := consumers.Err(); err != nil {
		return Have{}, fmt.Errorf("list consumers: %w", err)
	}
	return have, nil
}

// Apply takes the steps of a plan: streams first, then the rest side by side.
func Apply(ctx context.Context, js jetstream.JetStream, plan []Action) error {
	streams, rest := errgroup.Group{}, []Action{}
	streams.SetLimit(together)
	for _, a := range plan {
		if a.Verb == CreateStream || a.Verb == UpdateStream {
			streams.Go(func() error { return a.apply(ctx, js) })
		} else {
			rest = append(rest, a)
		}
	}
	if err := streams.Wait(); err != nil {
		return err
	}
	consumers := errgroup.Group{}
	consumers.SetLimit(together)
	for _, a := range rest {
		consumers.Go(func() error { return a.apply(ctx, js) })
	}
	return consumers.Wait()
}

func (a Action) apply(ctx context.Context, js jetstream.JetStream) error {
	if err := a.do(ctx, js); err != nil {
		return fmt.Errorf("%s %s: %w", a.Verb, a.Name, err)
	}
	return nil
}

func (a Action) do(ctx context.Context, js jetstream.JetStream) error {
	var err error
	switch a.Verb {
	case CreateStream:
		_, err = js.CreateStream(ctx, a.Stream)
	case UpdateStream:
		_, err = js.UpdateStream(ctx, a.Stream)
	case CreateConsumer, UpdateConsumer:
		_, err = js.CreateOrUpdateConsumer(ctx, subject.Reports, a.Consumer)
	case ReplaceConsumer:
		if err = a.remove(ctx, js); err == nil {
			_, err = js.CreateConsumer(ctx, subject.Reports, a.Consumer)
		}
	case DeleteConsumer:
		err = a.remove(ctx, js)
	default:
		err = errors.New("unknown step")
	}
	return err
}

func (a Action) remove(ctx context.Context, js jetstream.JetStream) error {
	err := js.DeleteConsumer(ctx, subject.Reports, a.Name)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	return err
}
