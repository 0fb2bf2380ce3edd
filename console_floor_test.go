package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/console"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// floor is all of Watchfloor in this process, seen from one cell: everything
// between an agency and the page is the real thing.
type floor struct {
	t        *testing.T
	spine    *spine.Spine
	cell     spine.Cell
	agencies map[string]*producers.Client
}

func startFloor(t *testing.T, cell string) *floor {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s, err := spine.Start(ctx, spine.Config{
		Policy: policy.Default(), DataDir: filepath.Join(dir, "data"), KeysDir: filepath.Join(dir, "keys"),
		Port: -1, HTTPPort: -1, Clock: worker.Wall, Console: console.Handler(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	for _, c := range s.Cells() {
		if c.Name == cell {
			return &floor{t, s, c, map[string]*producers.Client{}}
		}
	}
	t.Fatalf("the default policy has no cell %s", cell)
	return nil
}

// publish sends a report as its agency does, and waits until it is on disk.
func (f *floor) publish(r *wf.Report) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	agency := r.GetAgency()
	c := f.agencies[agency]
	if c == nil {
		cred := brokertest.Credential(f.t, f.spine.Broker(), agency, f.cell.Name)
		var err error
		if c, err = producers.Connect(ctx, cred.URL, agency, producers.WithJWT(cred.JWT, cred.Seed)); err != nil {
			f.t.Fatal(err)
		}
		f.t.Cleanup(c.Close)
		f.agencies[agency] = c
	}
	if _, err := c.Publish(ctx, r); err != nil {
		f.t.Fatalf("publish as %s: %v", agency, err)
	}
}
