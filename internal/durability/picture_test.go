//go:build linux

package durability

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// stored reads what REPORTS of every cell holds, and the last sequence of each.
func (m *machine) stored(ctx context.Context) (out []Stored, last map[string]uint64, err error) {
	last = map[string]uint64{}
	for _, cell := range cells {
		x, end, err := m.storedIn(ctx, cell)
		if err != nil {
			return nil, nil, fmt.Errorf("read reports of %s: %w", cell, err)
		}
		out, last[cell] = append(out, x...), end
	}
	return out, last, nil
}

func (m *machine) storedIn(ctx context.Context, cell string) (out []Stored, last uint64, err error) {
	nc, err := m.dial("root in " + cell)
	if err != nil {
		return nil, 0, err
	}
	defer nc.Close()
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(patience))
	if err != nil {
		return nil, 0, err
	}
	c, err := js.CreateConsumer(ctx, subject.Reports, jetstream.ConsumerConfig{AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true})
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, js.DeleteConsumer(ctx, subject.Reports, c.CachedInfo().Name)) }()
	for pending := c.CachedInfo().NumPending; pending > 0; {
		batch, err := c.Fetch(int(min(pending, 4000)), jetstream.FetchContext(ctx))
		if err != nil {
			return nil, 0, err
		}
		for msg := range batch.Messages() {
			meta, err := msg.Metadata()
			if err != nil {
				return nil, 0, err
			}
			pending, last = meta.NumPending, meta.Sequence.Stream
			s, err := storedOf(cell, msg, last)
			if err != nil {
				return nil, 0, err
			}
			if s != nil {
				out = append(out, *s)
			}
		}
		if err := batch.Error(); err != nil {
			return nil, 0, err
		}
	}
	return out, last, nil
}

// storedOf is the report of a record; nil of one that moves a report away.
func storedOf(cell string, msg jetstream.Msg, sequence uint64) (*Stored, error) {
	at, err := subject.ParseStored(msg.Subject())
	if err != nil {
		return nil, err
	}
	rec, err := admission.ParseRecord(msg.Headers().Get(admission.Header))
	if err != nil {
		return nil, err
	}
	if rec.Event != admission.Admitted {
		return nil, nil
	}
	digest := sha256.Sum256(msg.Data())
	if digest != rec.Hash {
		return nil, fmt.Errorf("the report at %d is not the one that was admitted", sequence)
	}
	return &Stored{Key: Key{cell, at.Agency, rec.ID, rec.Revision}, Digest: digest, Sequence: sequence}, nil
}

// follow follows the picture of theCell. Frames that the cut has torn are told
// as such until the worker has restated the picture.
func follow(ctx context.Context, nc *nats.Conn) (*snapshot.Follower, error) {
	for {
		f, err := snapshot.Follow(ctx, nc, theCell, actual, nil)
		if err == nil || !errors.Is(err, snapshot.ErrTorn) && !errors.Is(err, snapshot.ErrDigest) {
			return f, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no worker restates the picture: %w", err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// picture waits until the published picture holds every stored report and
// compares it with one made from them by a fresh engine.
func (m *machine) picture(ctx context.Context, last map[string]uint64) error {
	nc, err := m.dial("reader")
	if err != nil {
		return err
	}
	defer nc.Close()
	f, err := follow(ctx, nc)
	if err != nil {
		return err
	}
	defer f.Stop()
	var cut worker.Cut
	var want [32]byte
	for holds := false; !holds; {
		f.Read(func(p *snapshot.Picture) {
			if holds = reaches(p.Checkpoint(), last); holds {
				cut.Checkpoint, cut.Tick, want = p.Checkpoint(), p.Tick(), p.Digest()
			}
		})
		select {
		case <-ctx.Done():
			return fmt.Errorf("the picture does not reach %v: it is at %v", last, cut.Checkpoint)
		case <-time.After(5 * time.Millisecond):
		}
	}
	got, err := m.fromScratch(ctx, cut)
	if err != nil {
		return fmt.Errorf("make the picture from scratch: %w", err)
	}
	if got != want {
		return errors.New("the picture is not the one made from its reports")
	}
	return nil
}

func reaches(at []*wf.Position, last map[string]uint64) bool {
	n := 0
	for _, p := range at {
		if p.GetChannel() == string(subject.Open) && p.GetSequence() >= last[p.GetCell()] {
			n++
		}
	}
	return n >= len(last)
}

func (m *machine) fromScratch(ctx context.Context, cut worker.Cut) ([32]byte, error) {
	var sources []worker.Source
	for _, cell := range []string{"le", "open"} {
		nc, err := m.dial("worker in " + cell)
		if err != nil {
			return [32]byte{}, err
		}
		defer nc.Close()
		sources = append(sources, worker.Source{Cell: cell, Conn: nc})
	}
	windows := twoCells().Windows()
	got, err := worker.Replay(ctx, worker.ReplayConfig{
		Cell: theCell, Status: actual, Sources: sources, Clock: worker.Wall, Cut: cut,
		NewEngine: func() worker.Engine { return fusion.New(fusion.Config{Status: actual, Windows: windows}) },
	})
	if err != nil {
		return [32]byte{}, err
	}
	return got.Picture.Digest(), nil
}

// onFrame calls back with every message that the picture's stream takes from now
// on, until stop.
func (m *machine) onFrame(ctx context.Context, tell func(*wf.Frame)) (stop func(), err error) {
	nc, err := m.dial("root in " + theCell)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(patience))
	if err == nil {
		var c jetstream.Consumer
		c, err = js.CreateConsumer(ctx, subject.SnapshotStream(actual), jetstream.ConsumerConfig{
			AckPolicy: jetstream.AckNonePolicy, DeliverPolicy: jetstream.DeliverNewPolicy, MemoryStorage: true,
		})
		if err == nil {
			_, err = c.Consume(func(msg jetstream.Msg) {
				if f := new(wf.Frame); unmarshal(msg.Data(), f) == nil {
					tell(f)
				}
			}, jetstream.PullHeartbeat(500*time.Millisecond), jetstream.PullExpiry(2*time.Second))
		}
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return nc.Close, nil
}
