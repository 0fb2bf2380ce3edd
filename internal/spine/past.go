package spine

import (
	"context"
	"time"

	"github.com/watchfloor/watchfloor/consumers/history"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// past is the cell's history: frames by the worker's own connection, replays
// by connections of their own, so that the worker's reports do not queue
// behind them, with the same credentials.
func (c *cell) past() (*history.History, error) {
	cfg := &c.spine.cfg
	live := map[wf.Status]history.Live{}
	for status, f := range c.pictures {
		live[status] = f
	}
	return history.New(history.Config{
		Cell: c.Name, Clock: cfg.Clock, Live: live, Now: cfg.Now, Log: cfg.Log,
		Frames: func(ctx context.Context, status wf.Status, t time.Time) (*snapshot.Picture, error) {
			return snapshot.At(ctx, c.home, c.Name, status, t)
		},
		Replay: c.replay,
	})
}

// replay makes the picture of a cut again.
func (c *cell) replay(ctx context.Context, status wf.Status, cut worker.Cut, progress func(worker.Progress)) (*worker.Replayed, error) {
	sources, err := c.below()
	defer func() {
		for _, s := range sources {
			s.Conn.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	return worker.Replay(ctx, worker.ReplayConfig{
		Cell: c.Name, Status: status, Sources: sources, Clock: c.spine.cfg.Clock, NewEngine: c.engine(status), Cut: cut, Progress: progress,
	})
}

// History is the history of a cell; nil when there is no such cell.
func (s *Spine) History(cell string) *history.History {
	for _, c := range s.cells {
		if c.Name == cell {
			return c.history
		}
	}
	return nil
}
