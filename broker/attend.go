package broker

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/account"
)

const (
	// attendEvery is how often the broker looks whether the register of
	// credentials has grown: the greater part of how long a revocation takes.
	attendEvery = 20 * time.Millisecond
	// attendAgain is how long it waits after a failure.
	attendAgain = time.Second
	// droppedWithin bounds the wait for connections that the server ends.
	droppedWithin = 2 * time.Second
)

// attending starts the look at the register and returns what ends it.
func (b *Broker) attending() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.attend(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// attend enforces what is revoked until ctx ends.
func (b *Broker) attend(ctx context.Context) {
	wait := attendEvery
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = attendEvery
		err := b.enforce(ctx)
		if err == nil {
			b.unread.Store(nil)
		} else {
			wait = attendAgain
			b.unread.Store(&err)
			b.cfg.Log.Error("revocations cannot be enforced", zap.Error(err))
		}
	}
}

// enforce puts what was added to the register in force: the accounts in the
// server first, the word that it is done last.
func (b *Broker) enforce(ctx context.Context) error {
	b.accounts.Lock()
	defer b.accounts.Unlock()
	began := time.Now()
	c, found, err := b.authority.Enforce()
	if err != nil || !found && b.owed == nil {
		return err
	}
	if b.owed != nil { // what the server has not taken it gets again
		c = b.owed.With(c)
	}
	b.owed = &c
	live, err := b.holding(c)
	if err != nil {
		return err
	}
	if err := b.nats.Update(c.Accounts); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	left := b.leave(ctx, c, live)
	took := time.Since(began)
	if left > 0 {
		return fmt.Errorf("revoke: %d of %d connections did not end within %s", left, live, droppedWithin)
	}
	b.owed = nil
	b.cfg.Log.Info("revocations in force", zap.Uint64("line", c.Upto), zap.Int("dropped", live), zap.Duration("took", took))
	return b.authority.Enforced(c.Upto, live, took)
}

// holding counts the live connections that a change ends.
func (b *Broker) holding(c account.Change) (int, error) {
	n := 0
	for key := range c.Accounts {
		live, err := b.nats.Connections(key, c.Users, c.Signers)
		if err != nil {
			return 0, fmt.Errorf("count connections: %w", err)
		}
		n += live
	}
	return n, nil
}

// leave waits until the server has ended the connections, and says how many
// are left.
func (b *Broker) leave(ctx context.Context, c account.Change, live int) int {
	end := time.Now().Add(droppedWithin)
	left := live
	for left > 0 && time.Now().Before(end) && ctx.Err() == nil {
		n, err := b.holding(c)
		if err == nil {
			left = n
		}
		if left > 0 {
			time.Sleep(time.Millisecond)
		}
	}
	return left
}

// restartStore starts the server again while no account changes: what is
// revoked meanwhile it learns afterwards.
func (b *Broker) restartStore() error {
	b.accounts.Lock()
	defer b.accounts.Unlock()
	return b.nats.Restart()
}
