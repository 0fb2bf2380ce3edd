package spine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// A worker that was told to find its seat free does not wait behind another
// one; the other seat it takes, and its own again once that one has left.
func TestASeatThatIsTakenIsRefused(t *testing.T) {
	r := newRig(t)
	leave := r.start()
	try := func(seat subject.Seat, ready chan struct{}) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		nc := r.worker()
		done := make(chan error, 1)
		go func() {
			done <- worker.Run(ctx, worker.Config{
				Cell: "le", Status: exercise, Home: nc, Sources: []worker.Source{{Cell: "le", Conn: nc}}, Clock: worker.Input, NewEngine: newTally,
				Seat: seat, SeatFree: true, Ready: func(bool) { ready <- struct{}{} },
			})
		}()
		select {
		case err := <-done:
			return err
		case <-ready:
			cancel()
			return <-done
		}
	}
	ready := make(chan struct{}, 100)
	if err := try(1, ready); !errors.Is(err, worker.ErrSeatTaken) {
		t.Errorf("beside a worker in seat 1: got %v, want %v", err, worker.ErrSeatTaken)
	}
	if err := try(2, ready); err != nil {
		t.Errorf("in seat 2: %v", err)
	}
	must(t, leave())
	if err := try(1, ready); err != nil {
		t.Errorf("in the seat that is free again: %v", err)
	}
}
