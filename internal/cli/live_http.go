package cli

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/trial"
	"github.com/watchfloor/watchfloor/internal/httptrial"
)

// listeners tries the HTTP listeners: of the running broker, when there is one
// to be tried, with what they must refuse, and of a twin with everything.
func (a *app) listeners(ctx context.Context, p *policy.Policy, running bool, tell func(trial.Attempt)) (sum trial.Summary, err error) {
	twin, end, err := httptrial.Twin(ctx, p)
	if err != nil {
		return sum, err
	}
	defer func() { err = errors.Join(err, end()) }()
	floors := []httptrial.Floor{twin}
	if running {
		f, err := a.floor()
		if err != nil {
			return sum, err
		}
		floors = append(floors, f)
	}
	return httptrial.Run(ctx, httptrial.Config{Policy: p, Floors: floors, Tell: tell})
}

// floor is the listeners of the running broker.
func (a *app) floor() (f httptrial.Floor, err error) {
	l, err := a.local()
	if err != nil {
		return f, err
	}
	f, err = httptrial.Issuing(filepath.Join(l.dir, "keys"), filepath.Join(l.dir, "data"), l.policy)
	f.Where, f.Doors = "running", l.run.Pages
	return f, err
}
