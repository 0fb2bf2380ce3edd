package main

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/consumers/api"
	"github.com/watchfloor/watchfloor/consumers/console"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// floor is one cell of a whole broker with its workers and its listener:
// everything between an agency and the page is the real thing.
type floor struct {
	t      *testing.T
	broker *broker.Broker
	cell   string
	page   string
	token  string

	agencies map[string]*producers.Client
}

// startFloor serves a cell to one of the policy's readers.
func startFloor(t *testing.T, cell, reader string) *floor {
	t.Helper()
	f := &floor{t: t, broker: brokertest.Start(t), cell: cell, agencies: map[string]*producers.Client{}}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	sources := map[wf.Status]api.Source{}
	for _, status := range subject.Statuses {
		c := f.workerConfig(status)
		ready := make(chan struct{}, 8)
		c.Ready = func() { ready <- struct{}{} }
		running.Go(func() {
			if err := worker.Run(ctx, c); err != nil {
				t.Errorf("worker of %s: %v", status, err)
			}
		})
		select {
		case <-ready:
		case <-time.After(20 * time.Second):
			t.Fatalf("the worker of %s is not ready after 20 s", status)
		}
		follower, err := snapshot.Follow(ctx, brokertest.Connect(t, f.broker, "api", cell), cell, status, nil)
		if err != nil {
			t.Fatal(err)
		}
		sources[status] = follower
	}
	f.listen(ctx, &running, sources)
	var err error
	if f.token, _, err = f.broker.IssueToken(reader, cell, time.Hour); err != nil {
		t.Fatal(err)
	}
	return f
}

// workerConfig is a worker with one connection per cell it may read.
func (f *floor) workerConfig(status wf.Status) worker.Config {
	f.t.Helper()
	policy := f.broker.Policy()
	home := brokertest.Connect(f.t, f.broker, "worker", f.cell)
	c := worker.Config{
		Cell: f.cell, Status: status, Home: home, Clock: worker.Wall,
		Sources: []worker.Source{{Cell: f.cell, Conn: home}},
		NewEngine: func() worker.Engine {
			return fusion.New(fusion.Config{Status: status, Windows: policy.Windows()})
		},
	}
	if status == wf.Status_STATUS_EXERCISE {
		c.Clock = worker.Input // an exercise has its own time of day
	}
	for _, below := range policy.Dominated(f.cell) {
		if below != f.cell {
			c.Sources = append(c.Sources, worker.Source{Cell: below, Conn: brokertest.Connect(f.t, f.broker, "worker/"+f.cell, below)})
		}
	}
	return c
}

// listen serves the cell.
func (f *floor) listen(ctx context.Context, running *sync.WaitGroup, sources map[wf.Status]api.Source) {
	f.t.Helper()
	policy := f.broker.Policy()
	cell, ok := policy.Cell(f.cell)
	if !ok {
		f.t.Fatalf("the default policy has no cell %s", f.cell)
	}
	server, err := api.New(api.Config{
		Cell: f.cell, Label: cell.Label, Sources: sources, Console: console.Handler(),
		Verify: func(token string) (api.Reader, error) {
			t, err := f.broker.VerifyToken(f.cell, token)
			return api.Reader{Name: t.Reader, Purpose: t.Purpose, Expires: t.Expires}, err
		},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	running.Go(func() {
		if err := server.Serve(ctx, l); err != nil {
			f.t.Errorf("serve: %v", err)
		}
	})
	f.page = "http://" + l.Addr().String() + "/"
}

// publish sends a report as its agency does, and waits until it is on disk.
func (f *floor) publish(r *wf.Report) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	c := f.agencies[r.GetAgency()]
	if c == nil {
		cred := brokertest.Credential(f.t, f.broker, r.GetAgency(), f.cell)
		var err error
		if c, err = producers.Connect(ctx, cred.URL, r.GetAgency(), producers.WithJWT(cred.JWT, cred.Seed)); err != nil {
			f.t.Fatal(err)
		}
		f.t.Cleanup(c.Close)
		f.agencies[r.GetAgency()] = c
	}
	if _, err := c.Publish(ctx, r); err != nil {
		f.t.Fatalf("publish as %s: %v", r.GetAgency(), err)
	}
}
