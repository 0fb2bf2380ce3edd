package spine

import (
	"context"
	"errors"
	"slices"

	"github.com/watchfloor/watchfloor/broker/account"
)

// Issue gives the credential of a principal in a cell, with the broker's
// address in it.
type Issue func(principal, cell string) (account.Credential, error)

// Workers are fusion workers in a process of their own, against a broker that
// runs elsewhere.
type Workers struct{ spine *Spine }

// StartWorkers starts the workers of the named cells, of all without a name,
// and returns when each publishes its picture or stands by with it. Of cfg it
// uses what is said of workers. ctx bounds the start only.
func StartWorkers(ctx context.Context, cfg Config, issue Issue, cells ...string) (*Workers, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Spine{cfg: cfg, issue: issue, workers: newGroup(), followers: newGroup(), servers: newGroup()}
	for _, p := range cfg.Policy.Cells {
		if len(cells) == 0 || slices.Contains(cells, p.Name) {
			s.cells = append(s.cells, &cell{spine: s, Cell: Cell{Name: p.Name, Label: p.Label.String()}, label: p.Label})
		}
	}
	w := &Workers{s}
	err := s.each(ctx, (*cell).enter)
	if err == nil {
		err = s.each(ctx, (*cell).work)
	}
	if err != nil {
		return nil, errors.Join(err, w.Close(context.WithoutCancel(ctx)))
	}
	return w, nil
}

// Close ends the workers; those that publish commit what they have applied.
func (w *Workers) Close(ctx context.Context) error { return w.spine.Close(ctx) }
