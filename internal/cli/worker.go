package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func (a *app) worker() *cobra.Command {
	var cells []string
	var status string
	seat := 2
	c := &cobra.Command{
		Use:   "worker",
		Short: "Run fusion workers beside a running broker: a hot standby",
		Long: `Runs fusion workers in a process of their own against the broker of --dir.
Each picture has two seats: "up" works in seat 1, this command in seat 2. Of
the two one publishes; the other makes the same picture, compares every frame
with its own, and takes over within two seconds when the first is gone. A worker
that comes back stands by. Which of the two writes is decided by the stream:
nothing is committed twice.

With "up --without-workers" run two of these, in seats 1 and 2.

It reads the keys below --dir to sign in, so it runs as the broker's user.
Ctrl-C or SIGTERM ends it cleanly.` + exitHelp,
		Example: `  watchfloor worker                        stand by for every picture of a running "up"
  watchfloor worker --cell le --cell fused  for these cells alone
  watchfloor worker --seat 1               beside "up --without-workers"`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.runWorker(cmd.Context(), cells, status, subject.Seat(seat))
		},
	}
	c.Flags().StringSliceVar(&cells, "cell", nil, "cells whose pictures to make (default: all)")
	c.Flags().StringVar(&status, "status", "", "actual, exercise or test (default: all that the broker shows)")
	c.Flags().IntVar(&seat, "seat", seat, "1 or 2; it is refused while another worker sits there")
	return c
}

func (a *app) runWorker(ctx context.Context, cells []string, status string, seat subject.Seat) error {
	l, err := a.local()
	if err != nil {
		return err
	}
	for _, c := range cells {
		if !slices.Contains(l.policy.CellNames(), c) {
			return usage("--cell %q: the policy has %s", c, strings.Join(l.policy.CellNames(), ", "))
		}
	}
	if !seat.Valid() {
		return usage("--seat %d: use %v", seat, subject.Seats)
	}
	conf := spine.Config{Policy: l.policy, Seat: seat, Clock: worker.Wall, Log: a.logger(), Recovery: a.recovery(), Turned: a.turned(), SeatFree: true}
	if l.run.only() != "" {
		conf.Clock, conf.Statuses = worker.Input, exerciseOnly // a demo ticks by the time of its exercise
	}
	if status != "" {
		one, err := a.parseStatus(status, "")
		if err != nil {
			return err
		}
		conf.Statuses = []wf.Status{one}
	}
	w, err := spine.StartWorkers(ctx, conf, l.workerCredential(seat), cells...)
	if errors.Is(err, worker.ErrSeatTaken) {
		return unreachable("start workers: %w: end that one, or take the other with --seat %d", err, seat.Other())
	}
	if err != nil {
		return unreachable("start workers in seat %d: %w", seat, err)
	}
	fmt.Fprintln(a.out, "Ctrl-C ends.")
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := w.Close(end); err != nil && !errors.Is(err, context.Canceled) {
		return failed("end workers: %w", err)
	}
	return nil
}

// workerLifetime is how long a worker's connection lasts before it signs in anew.
const workerLifetime = 24 * time.Hour

// workerCredential issues what the worker in a seat signs in with, anew for
// every connection.
func (l *local) workerCredential(seat subject.Seat) spine.Issue {
	return func(principal, cell string) (account.Credential, error) {
		p, err := account.ParsePrincipal(l.policy, principal, cell)
		if err != nil {
			return account.Credential{}, err
		}
		return l.fresh(account.Request{Principal: p, Cell: cell, User: fmt.Sprintf("seat-%d", seat), Lifetime: workerLifetime})
	}
}

// turned prints who publishes and who stands by.
func (a *app) turned() func(cell string, status wf.Status, publishes bool) {
	var mu sync.Mutex
	return func(cell string, status wf.Status, publishes bool) {
		does := "stands by"
		if publishes {
			does = "publishes"
		}
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(a.out, "%s  %-8s %-8s %s\n", time.Now().Format(time.TimeOnly), cell, subject.StatusToken(status), does)
	}
}
