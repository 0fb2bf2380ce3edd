package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers"
	"github.com/watchfloor/watchfloor/consumers/history"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/internal/spine"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// keptRun is what a replay at full speed leaves beside its data.
type keptRun struct {
	Seed    uint64 `json:"seed"`
	Reports int    `json:"reports"`
	Weights string `json:"weights"`
}

const keptFileName = "once.json"

// onceDir is where demo --once leaves its data.
func onceDir(dir string) string { return filepath.Join(dir, "once") }

// once starts a spine for a run that ends: in a folder that takes the place of
// the one before when the run is done, and goes when it fails.
func (a *app) once(ctx context.Context, f demoFlags, c spine.Config) (s *spine.Spine, end func(error) error, err error) {
	if !f.keep {
		s, stop, err := a.throwaway(ctx, c)
		return s, func(err error) error { return errors.Join(err, stop()) }, err
	}
	if err := ensure(a.dir); err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp(a.dir, "once-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a folder: %w", err)
	}
	s, stop, err := a.startIn(ctx, dir, c)
	if err != nil {
		return nil, nil, err
	}
	return s, func(err error) error {
		if err != nil {
			return errors.Join(err, stop())
		}
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		data, err := json.Marshal(keptRun{f.seed, f.reports, f.weights})
		if err != nil {
			return err
		}
		if err := errors.Join(s.Close(closing), os.WriteFile(filepath.Join(dir, keptFileName), append(data, '\n'), 0o600)); err != nil {
			return errors.Join(err, os.RemoveAll(dir))
		}
		return errors.Join(os.RemoveAll(onceDir(a.dir)), os.Rename(dir, onceDir(a.dir)))
	}, nil
}

func (a *app) keptHint() {
	fmt.Fprintf(a.out, "\nIts data stays in %s. While no broker runs here: %s snapshot --cell fused --as-of -2h%s\n", onceDir(a.dir), a.name, a.elsewhere())
}

// localRun reads the run file of the local broker; nil when none runs.
func (a *app) localRun() (*runFile, error) {
	for _, dir := range []string{a.dir, demoDir(a.dir)} {
		data, err := os.ReadFile(filepath.Join(dir, runFileName))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		r := new(runFile)
		if err == nil {
			err = json.Unmarshal(data, r)
		}
		return r, err
	}
	return nil, nil
}

// hasKept says whether no local broker runs, and a run's data is there to be read.
func (a *app) hasKept() bool {
	if run, err := a.localRun(); run != nil || err != nil {
		return false
	}
	_, err := os.Stat(filepath.Join(onceDir(a.dir), keptFileName))
	return err == nil
}

// loadKept reads a picture from the data that demo --once left: the broker
// alone is started on it, for this answer.
func (a *app) loadKept(ctx context.Context, r reading) (*wf.Snapshot, error) {
	p := policy.Default()
	l := &local{dir: onceDir(a.dir), policy: p}
	if _, err := l.cleared(r.user, r.cell); err != nil {
		return nil, err
	}
	status, err := a.parseStatus(r.status, "exercise")
	if err != nil {
		return nil, err
	}
	run := keptRun{}
	data, err := os.ReadFile(filepath.Join(l.dir, keptFileName))
	if err == nil {
		err = json.Unmarshal(data, &run)
	}
	if err != nil {
		return nil, unreachable("read what demo --once left in %s: %w", l.dir, err)
	}
	c := a.spineConfig(demoFlags{weights: run.Weights}, p)
	c.DataDir, c.KeysDir, c.Port, c.Statuses = filepath.Join(l.dir, "data"), filepath.Join(l.dir, "keys"), -1, exerciseOnly
	c.WithoutHTTP, c.WithoutWorkers, c.Only = true, true, []string{r.cell}
	c.Broker = func(b *broker.Config) { b.WithoutGuards = true }
	s, err := spine.Start(ctx, c)
	if err != nil {
		return nil, startError(err, l.dir)
	}
	out, err := a.askKept(ctx, s, r, status)
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return out, errors.Join(err, s.Close(end))
}

func (a *app) askKept(ctx context.Context, s *spine.Spine, r reading, status wf.Status) (out *wf.Snapshot, err error) {
	picture := s.Picture(r.cell, status)
	if picture == nil {
		return nil, usage("--status: demo --once left a picture of status exercise only")
	}
	var tick time.Time
	picture.Read(func(p *snapshot.Picture) {
		if tick = p.Tick(); !r.asked() {
			out = p.Snapshot()
		}
	})
	if !r.asked() {
		return out, nil
	}
	show, stop := a.replaying(r.cell), make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
				p := s.History(r.cell).Progress()
				show(p.Done, p.Total)
			}
		}
	}()
	answer, err := s.History(r.cell).At(ctx, history.Query{Status: status, AsOf: r.time(tick), Replay: r.replay})
	switch {
	case errors.Is(err, history.ErrFuture):
		err = consumers.ErrFuture
	case errors.Is(err, history.ErrBefore):
		return nil, failed("%s: %w", r.cell, err)
	}
	if err != nil {
		return nil, pastError(r.cell, err)
	}
	return answer.Snapshot(), nil
}
