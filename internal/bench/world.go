package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/ingest"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers"
)

// window is how many reports are in flight in bulk, on both sides.
const window = 4096

// spine starts the whole of Watchfloor, without HTTP.
func (r *run) spine(ctx context.Context, name string) (*spine.Spine, func(), error) {
	dir := filepath.Join(r.dir, name)
	s, err := spine.Start(ctx, spine.Config{
		Policy: policy.Default(), DataDir: filepath.Join(dir, "data"), KeysDir: filepath.Join(dir, "keys"),
		Port: -1, HTTPPort: -1, Clock: worker.Input, WithoutHTTP: true,
	})
	if err != nil {
		return nil, nil, err
	}
	return s, func() {
		end, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_ = s.Close(end)
	}, nil
}

// sender connects agencies to a spine.
func sender(s *spine.Spine) *ingest.Sender {
	return ingest.NewSender(func(ctx context.Context, to ingest.Route) (*producers.Client, error) {
		cred, err := s.Broker().Credential(to.Agency, to.Cell)
		if err != nil {
			return nil, err
		}
		return producers.Connect(ctx, cred.URL, to.Agency, producers.WithJWT(cred.JWT, cred.Seed), producers.WithCell(to.Cell), producers.WithWindow(window))
	})
}

// plain is a broker without guards and fusion: a stock client publishes into
// the stream itself and a stock consumer reads it.
type plain struct {
	*broker.Broker
}

func (r *run) plain(ctx context.Context, name string, lazy bool) (*plain, error) {
	dir := filepath.Join(r.dir, name)
	b, err := broker.Open(ctx, broker.Config{
		Policy: policy.Default(), DataDir: filepath.Join(dir, "data"), KeysDir: filepath.Join(dir, "keys"),
		Port: -1, WithoutGuards: true, LazySync: lazy,
	})
	if err != nil {
		return nil, err
	}
	return &plain{b}, nil
}

// connect signs a stock client in as a principal of a cell.
func (p *plain) connect(principal, cell string, opts ...jetstream.JetStreamOpt) (*nats.Conn, jetstream.JetStream, error) {
	cred, err := p.Credential(principal, cell)
	if err != nil {
		return nil, nil, err
	}
	nc, err := nats.Connect(cred.URL, cred.Options()...)
	if err != nil {
		return nil, nil, fmt.Errorf("connect as %s: %w", principal, err)
	}
	js, err := jetstream.New(nc, opts...)
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return nc, js, nil
}
