package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/console"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/ingest"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/producers/exercise"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// demoFlags are the flags of demo.
type demoFlags struct {
	once, fresh bool
	keep        bool
	seed        uint64
	reports     int
	speed       float64
	pauseAfter  int
	weights     string
	inputs      []string
	mapping     string
	extract     bool
	port, http  int
}

func (a *app) demo() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run everything in this process with an exercise: live in the browser, or once with a scorecard",
		Long: `Starts a broker with the shipped policy, a guard, fusion and a page for each
cell, and plays a seeded exercise on the geography of Mississippi: forty-odd
agencies, a plot whose halves lie on the two sides, a decoy, a hurricane, an
intrusion, and noise. Nothing in it is real traffic.

Live, it goes on until interrupted and keeps its data in DIR/demo: started
again it continues where it was. Press Enter to pause and resume the exercise
clock. With --once it replays everything at full speed, compares each cell's
picture with the truth and exits 1 if a cell does not pass; its data stays in
DIR/once until the next such run, and snapshot and explain read it there while
no broker runs. With --input it reads files instead: any known format, folders included.` + exitHelp,
		Example: `  watchfloor demo
  watchfloor demo --speed 3600                 an hour a second
  watchfloor demo --fresh --seed 7             start over with another scenario
  watchfloor demo --once --seed 3 --reports 20000
  watchfloor demo --once --weights zero        must fail: nothing is evidence
  watchfloor demo --once --input ./alerts --input bundle.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			switch {
			case len(f.inputs) > 0:
				return a.demoInput(cmd.Context(), f)
			case f.once:
				return a.demoOnce(cmd.Context(), f)
			}
			return a.demoLive(cmd.Context(), f)
		},
	}
	c.Flags().BoolVar(&f.once, "once", false, "replay at full speed, print the scorecard and exit")
	c.Flags().BoolVar(&f.keep, "keep", true, "keep the data of --once for snapshot and explain")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "seed of the scenario")
	c.Flags().IntVar(&f.reports, "reports", exercise.DefaultReports, "reports of the scenario, noise included")
	c.Flags().Float64Var(&f.speed, "speed", 900, "exercise seconds per second, live")
	c.Flags().IntVar(&f.pauseAfter, "pause-after", 0, "pause the exercise clock after so many submissions, live")
	c.Flags().BoolVar(&f.fresh, "fresh", false, "forget what an earlier live demo stored")
	c.Flags().StringVar(&f.weights, "weights", "default", "weights of the evidence: default or zero")
	c.Flags().StringArrayVar(&f.inputs, "input", nil, "file or folder to read instead of the exercise (repeatable; with --once)")
	c.Flags().StringVar(&f.mapping, "map", "", "mapping for CSV input: a shipped one's name or a file (default: the shipped one whose columns fit)")
	extractFlag(c, &f.extract)
	c.Flags().IntVar(&f.port, "port", 4222, "port of the broker, live; -1 for any free one")
	c.Flags().IntVar(&f.http, "http-port", 8080, "port of the first cell's page, live, the others follow; -1 for any free ones")
	return c
}

func (f *demoFlags) check() error {
	if _, err := f.weightTable(); err != nil {
		return err
	}
	switch {
	case f.reports < exercise.MinReports || f.reports > exercise.MaxReports:
		return usage("--reports %d: use %d to %d", f.reports, exercise.MinReports, exercise.MaxReports)
	case f.speed <= 0:
		return usage("--speed %v: use a number above 0", f.speed)
	case f.pauseAfter < 0:
		return usage("--pause-after %d: use a number of submissions", f.pauseAfter)
	case len(f.inputs) > 0 && !f.once:
		return usage("--input needs --once")
	}
	return nil
}

func (f *demoFlags) weightTable() (fusion.Weights, error) {
	switch f.weights {
	case "default":
		return fusion.DefaultWeights(), nil
	case "zero":
		return fusion.ZeroWeights(), nil
	}
	return fusion.Weights{}, usage("--weights %q: use default or zero", f.weights)
}

// throwaway starts a spine in a temporary folder; stop ends it and removes the folder.
func (a *app) throwaway(ctx context.Context, c spine.Config) (s *spine.Spine, stop func() error, err error) {
	dir, err := os.MkdirTemp("", "watchfloor-demo-")
	if err != nil {
		return nil, nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	return a.startIn(ctx, dir, c)
}

// startIn starts a spine in a folder; stop ends it and removes the folder.
func (a *app) startIn(ctx context.Context, dir string, c spine.Config) (s *spine.Spine, stop func() error, err error) {
	c.DataDir, c.KeysDir, c.Port, c.HTTPPort = dir+"/data", dir+"/keys", -1, -1
	if s, err = spine.Start(ctx, c); err != nil {
		_ = os.RemoveAll(dir)
		return nil, nil, err
	}
	return s, func() error {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err := s.Close(end)
		if rerr := os.RemoveAll(dir); err == nil {
			err = rerr
		}
		return err
	}, nil
}

// sendInto makes the connections of a sender into a spine of this process.
func sendInto(s *spine.Spine) *ingest.Sender {
	return ingest.NewSender(func(ctx context.Context, r ingest.Route) (*producers.Client, error) {
		cred, err := s.Broker().Credential(r.Agency, r.Cell)
		if err != nil {
			return nil, err
		}
		return producers.Connect(ctx, cred.URL, r.Agency, producers.WithJWT(cred.JWT, cred.Seed), producers.WithCell(r.Cell), producers.WithWindow(4096))
	})
}

// spineConfig is what every kind of demo shares.
func (a *app) spineConfig(f demoFlags, p *policy.Policy) spine.Config {
	w, _ := f.weightTable() // checked by check
	return spine.Config{Policy: p, Clock: worker.Input, Weights: w, Version: Version, Log: a.logger(), Console: console.Handler()}
}

var exerciseOnly = []wf.Status{wf.Status_STATUS_EXERCISE}
