package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
)

const (
	// revocations is how many credentials are issued, used and revoked.
	revocations = 100
	// promised is how soon a live connection ends, in milliseconds.
	promised = 1000
)

// revocation measures how long a live connection outlives the decision to
// revoke its credential: from before the word is on disk, by a process beside
// the broker, until the client's connection is closed.
func (r *run) revocation(ctx context.Context) ([]Figure, error) {
	r.Progress("revocation: from the word to the end of a live connection")
	dir := filepath.Join(r.dir, "revocation")
	keys, data := filepath.Join(dir, "keys"), filepath.Join(dir, "data")
	b, err := broker.Open(ctx, broker.Config{Policy: policy.Default(), KeysDir: keys, DataDir: data, Port: -1})
	if err != nil {
		return nil, err
	}
	defer b.Close()
	issuer, err := account.OpenIssuer(keys, data, policy.Default(), time.Now)
	if err != nil {
		return nil, err
	}
	desk, err := account.OpenDesk(keys, data, time.Now)
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for i := range revocations {
		cell := policy.Default().Agencies[i%len(policy.Default().Agencies)].Grants[0].Cell
		who := policy.Default().Agencies[i%len(policy.Default().Agencies)].Name
		c, err := issuer.HandOut(account.Request{Principal: account.Agency(who), Cell: cell, User: fmt.Sprintf("bench-%d", i)}, account.Reason{By: "bench"})
		if err != nil {
			return nil, err
		}
		c.URL = b.ClientURL()
		one, err := endOne(ctx, desk, c)
		if err != nil {
			return nil, fmt.Errorf("revoke %s in %s: %w", who, cell, err)
		}
		took = append(took, one)
	}
	slices.Sort(took)
	longest := float64(took[len(took)-1].Microseconds()) / 1000
	return []Figure{{
		Name: "revocation-longest", Unit: "ms", Ours: longest, Baseline: promised, Ratio: longest / promised,
		P50: quantile(took, 0.5), P99: quantile(took, 0.99), Target: "<= 1 s",
	}}, nil
}

// endOne revokes a credential in use and returns how long its connection lived on.
func endOne(ctx context.Context, desk *account.Desk, c account.Credential) (time.Duration, error) {
	key, err := c.PublicKey()
	if err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	nc, err := nats.Connect(c.URL, append(c.Options(), nats.NoReconnect(), nats.ClosedHandler(func(*nats.Conn) { close(ended) }),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))...)
	if err != nil {
		return 0, err
	}
	defer nc.Close()
	began := time.Now()
	if _, err := desk.Revoke(account.Selection{Key: key}, began, account.Reason{By: "bench", Why: "measured"}); err != nil {
		return 0, err
	}
	select {
	case <-ended:
		return time.Since(began), nil
	case <-time.After(time.Minute):
		return 0, errors.New("its connection lives on after a minute")
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
