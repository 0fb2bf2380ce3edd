package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/trial"
)

// live is how a policy is tried.
type live struct {
	on, brief, alone bool
	sample           int
	seed             uint64
}

func (l *live) flags(c *cobra.Command) {
	c.Flags().BoolVar(&l.on, "live", false, "try every call against the running broker of --dir, or a broker of its own")
	c.Flags().BoolVar(&l.brief, "brief", false, "with --live: print only what does not hold, and the sums")
	c.Flags().BoolVar(&l.alone, "apart", false, "with --live: leave a running broker alone")
	c.Flags().IntVar(&l.sample, "sample", 0, "with --live: so many calls of each principal in each cell (default: all)")
	c.Flags().Uint64Var(&l.seed, "seed", 0, "with --sample: draw the same calls again (default: others every time; it is printed)")
}

// tried is everything that a trial says, for -o json.
type tried struct {
	Policy   string          `json:"policy"`
	Seed     uint64          `json:"seed"`
	Where    string          `json:"where"`
	Seconds  float64         `json:"seconds"`
	Attempts []trial.Attempt `json:"attempts,omitempty"`
	Summary  trial.Summary   `json:"summary"`
	// HTTP is the same of the listeners.
	HTTP trial.Summary `json:"http"`
}

func (a *app) proveLive(ctx context.Context, path string, l live) error {
	cfg := trial.Config{Sample: l.sample, Seed: l.seed}
	if l.sample < 0 {
		return usage("--sample %d: use 1 or more", l.sample)
	}
	if cfg.Seed == 0 {
		cfg.Seed = rand.Uint64()
	}
	doc := tried{Seed: cfg.Seed}
	var err error
	if doc.Where, err = a.whatRuns(path, l.alone, &cfg); err != nil {
		return err
	}
	doc.Policy = cfg.Policy.Version
	enc := json.NewEncoder(a.out)
	cfg.Tell = func(at trial.Attempt) {
		switch holds := at.Outcome != trial.Leak && at.Outcome != trial.Wrong; {
		case l.brief && holds:
		case a.output == "json":
			doc.Attempts = append(doc.Attempts, at)
		case a.output == "jsonl":
			_ = enc.Encode(at) // the summary's own line fails with it
		default:
			fmt.Fprintln(a.out, at)
		}
	}
	began := time.Now()
	if doc.Summary, err = trial.Run(ctx, cfg); err != nil {
		return unreachable("try policy %s against %s: %w", doc.Policy, doc.Where, err)
	}
	doc.HTTP, err = a.listeners(ctx, cfg.Policy, cfg.Running != nil, cfg.Tell)
	if err != nil {
		return unreachable("try policy %s against %s: %w", doc.Policy, doc.Where, err)
	}
	doc.Seconds = time.Since(began).Seconds()
	if err := a.triedSummary(doc); err != nil {
		return err
	}
	if err := errors.Join(doc.Summary.Err(), doc.HTTP.Err()); err != nil {
		return failed("policy %s does not hold: %w", doc.Policy, err)
	}
	return nil
}

// whatRuns finds the broker to try, and the policy it runs.
func (a *app) whatRuns(path string, alone bool, cfg *trial.Config) (where string, err error) {
	const twin = "a broker of its own in a temporary folder"
	if cfg.Policy, err = loadPolicy(path); err != nil || alone {
		return twin, err
	}
	p := cfg.Policy
	l, found, err := a.running()
	switch {
	case err != nil || !found:
		return twin, err
	case path != "" && p.Version != l.policy.Version:
		return "", usage("the broker of %s runs policy %s and %s is %s: leave the file out to try the broker, or add --apart", l.dir, l.policy.Version, path, p.Version)
	}
	cfg.Policy, cfg.Inlet = l.policy, l.issuer.Inlet
	cfg.Running = func(q account.Request) (account.Credential, error) {
		q.Lifetime = 10 * time.Minute
		c, err := l.issuer.Issue(q)
		c.URL = l.run.URL
		return c, err
	}
	return fmt.Sprintf("the broker of %s, and a twin of it", filepath.Clean(l.dir)), nil
}

func (a *app) triedSummary(d tried) error {
	if a.output != "table" {
		return json.NewEncoder(a.out).Encode(d)
	}
	s := d.Summary
	for _, n := range slices.Concat(s.Notes, d.HTTP.Notes) {
		fmt.Fprintln(a.out, "note:", n)
	}
	_, err := fmt.Fprintf(a.out, `policy %s tried in %.0f s, seed %d, against %s:
%d attempts: %d refused, %d allowed, %d leaks, %d not as the proof expects
%d calls with all rights beside them: %d work, of %d there is nothing to reach; %d bytes received and searched for what other cells hold
%d attempts at HTTP listeners: %d refused, %d allowed, %d leaks, %d not as the proof expects
`, d.Policy, d.Seconds, d.Seed, d.Where, s.Attempts, s.Refused, s.Allowed, s.Leaks, s.Wrong, s.Controls, s.Worked, s.Nobody, s.Bytes, d.HTTP.Attempts, d.HTTP.Refused, d.HTTP.Allowed, d.HTTP.Leaks, d.HTTP.Wrong)
	return err
}
