package httptrial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/spine"
)

// Issuing is the part of a floor that issues and revokes, with the keys of a
// broker's folders.
func Issuing(keysDir, dataDir string, p *policy.Policy) (Floor, error) {
	now, err := account.OpenIssuer(keysDir, dataDir, p, time.Now)
	if err != nil {
		return Floor{}, err
	}
	earlier, err := account.OpenIssuer(keysDir, dataDir, p, func() time.Time { return time.Now().Add(-2 * time.Hour) })
	if err != nil {
		return Floor{}, err
	}
	return Floor{Issue: now.IssueTokenFor, Earlier: earlier.IssueTokenFor, Revoke: now.RevokeToken}, nil
}

// Twin starts all of Watchfloor with the policy in a temporary folder, which
// holds nothing. close ends it.
func Twin(ctx context.Context, p *policy.Policy) (f Floor, close func() error, err error) {
	dir, err := os.MkdirTemp("", "watchfloor-trial-")
	if err != nil {
		return f, nil, err
	}
	data, keys := filepath.Join(dir, "data"), filepath.Join(dir, "keys")
	s, err := spine.Start(ctx, spine.Config{Policy: p, DataDir: data, KeysDir: keys, Port: -1, HTTPPort: -1, Clock: worker.Wall, WithoutWorkers: true})
	if err != nil {
		return f, nil, errors.Join(fmt.Errorf("start a twin: %w", err), os.RemoveAll(dir))
	}
	close = func() error {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		return errors.Join(s.Close(end), os.RemoveAll(dir))
	}
	if f, err = Issuing(keys, data, p); err != nil {
		return f, nil, errors.Join(err, close())
	}
	f.Where, f.Reads, f.Doors = "twin", true, map[string]string{}
	for _, c := range s.Cells() {
		f.Doors[c.Name] = c.URL
	}
	return f, close, nil
}
