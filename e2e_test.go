package main

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// canary stands in the record id of reports of the intelligence side: stored
// in REPORTS, carried by frames as a member of a situation.
const canary = "CANARY-71d0"

// wholeFloor is everything in one process, with the keys that let a test make
// credentials of all rights.
func wholeFloor(t *testing.T) *spine.Spine {
	t.Helper()
	dir := t.TempDir()
	s, err := spine.Start(t.Context(), spine.Config{
		Policy: policy.Default(), DataDir: filepath.Join(dir, "data"), KeysDir: filepath.Join(dir, "keys"), Port: -1, HTTPPort: -1,
		Clock: worker.Input, WithoutHTTP: true, Broker: func(c *broker.Config) { brokertest.Root()(c) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		// Calls made with all rights write pictures too, and so fence a worker off.
		if err := s.Close(ctx); err != nil && !errors.Is(err, snapshot.ErrFenced) {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// stockClients publish with nothing but nats.go and what was issued to them.
type stockClients struct {
	t    *testing.T
	b    *broker.Broker
	open map[string]jetstream.JetStream
}

func (s *stockClients) publish(cell string, r *wf.Report) {
	s.t.Helper()
	key := r.GetAgency() + " " + cell
	if s.open[key] == nil {
		c := brokertest.Credential(s.t, s.b, r.GetAgency(), cell)
		nc, err := nats.Connect(c.URL, nats.UserJWTAndSeed(c.JWT, c.Seed), nats.CustomInboxPrefix(c.InboxPrefix))
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(nc.Close)
		if s.open[key], err = jetstream.New(nc); err != nil {
			s.t.Fatal(err)
		}
	}
	data, err := proto.Marshal(r)
	if err != nil {
		s.t.Fatal(err)
	}
	if ack, err := s.open[key].Publish(s.t.Context(), subject.Submit(r), data); err != nil || ack.Stream != subject.Reports {
		s.t.Fatalf("publish as %s into %s: %+v, %v", r.GetAgency(), cell, ack, err)
	}
}

// mark makes a report carry the canary.
func mark(r *wf.Report) *wf.Report {
	m := proto.CloneOf(r)
	m.Record = canary
	return m
}

// The exercise comes in through stock clients; intel and fused hold data, and
// no call of an LE credential brings any of it to light.
func TestAnLECredentialGetsNothingOfTheOtherSide(t *testing.T) {
	s := wholeFloor(t)
	scenario, err := exercise.New(exercise.Config{Seed: 5, Reports: 300})
	if err != nil {
		t.Fatal(err)
	}
	clients := &stockClients{t: t, b: s.Broker(), open: map[string]jetstream.JetStream{}}
	marked := map[string]int{}
	for step := range scenario.Steps() {
		r := step.Report
		if step.Cell == exercise.Intel || step.Cell == exercise.Fused {
			r = mark(r)
			marked[step.Cell]++
		}
		clients.publish(step.Cell, r)
	}
	settle, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Settled(settle); err != nil {
		t.Fatal(err)
	}
	for _, cell := range []string{exercise.Intel, exercise.Fused} {
		if n := carrying(s, cell); n == 0 || marked[cell] == 0 {
			t.Fatalf("%s: %d situations carry the canary, %d reports were marked: the rest would prove nothing", cell, n, marked[cell])
		}
	}
	if n := carrying(s, exercise.LE); n != 0 {
		t.Errorf("%d situations of le carry the canary", n)
	}
	follows(t, s.Broker(), exercise.Intel, true)
	follows(t, s.Broker(), exercise.LE, false)

	calls := brokertest.Calls(subject.WorkerConsumer(exercise.LE, wf.Status_STATUS_EXERCISE, subject.Open), "dea", func(stream string) subject.Inlet { return s.Broker().Inlet(exercise.LE, stream) })
	for _, principal := range []string{"fbi", "watch-le", "feed-le", "api"} {
		t.Run(principal, func(t *testing.T) {
			c := brokertest.Credential(t, s.Broker(), principal, exercise.LE)
			if n := brokertest.Refused(t, s.Broker(), c, calls); n < 50 {
				t.Errorf("tried %d calls, want at least 50", n)
			}
			brokertest.Hears(t, c, calls, canary)
		})
	}
}

// carrying counts the situations of a cell that name the canary.
func carrying(s *spine.Spine, cell string) int {
	n := 0
	s.Picture(cell, wf.Status_STATUS_EXERCISE).Read(func(p *snapshot.Picture) {
		for _, x := range p.Situations() {
			for _, m := range x.GetMembers() {
				if m.GetRecord() == canary {
					n++
					break
				}
			}
		}
	})
	return n
}

// follows reads the exercise feed of a reader cleared for fused in a cell
// below, with a stock client, and says whether the canary comes with it.
func follows(t *testing.T, b *broker.Broker, cell string, want bool) {
	t.Helper()
	js, err := jetstream.New(brokertest.Connect(t, b, "feed-noc", cell))
	if err != nil {
		t.Fatal(err)
	}
	cons, err := js.Consumer(t.Context(), subject.Reports, subject.FeedConsumer("feed-noc", "exercise"))
	if err != nil {
		t.Fatal(err)
	}
	batch, err := cons.Fetch(2000, jetstream.FetchMaxWait(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	got, found := 0, false
	for m := range batch.Messages() {
		got++
		var r wf.Report
		if err := proto.Unmarshal(m.Data(), &r); err != nil {
			t.Fatal(err)
		}
		found = found || r.GetRecord() == canary
		if err := m.Ack(); err != nil {
			t.Fatal(err)
		}
	}
	if got == 0 || found != want {
		t.Errorf("feed-noc follows %d reports of %s, canary among them: %v, want %v", got, cell, found, want)
	}
}
