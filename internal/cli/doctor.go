package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/internal/doctor"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// exitWarned: nothing failed, something will.
const exitWarned = 4

// doctorFlags are what to be strict about.
type doctorFlags struct {
	policy        string
	stalled, soon time.Duration
	reserve       int64
	lenient       bool
}

func (a *app) doctor() *cobra.Command {
	f := doctorFlags{stalled: doctor.Stalled, soon: doctor.Soon, reserve: doctor.Reserve >> 20}
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look whether broker, disk, clock, keys, workers, readers and feeds are well, and what to do",
		Long: `Looks at the folder of --dir and, while it runs, at the broker: one line per
check with ok, warn or fail, what was found, and what to do. It changes nothing
(but for a file of 4 KiB that it writes and removes) and reads no report.

  store format         this release reads what is stored
  broker               it runs, or has ended in order
  keys                 there, whole, readable by their owner alone
  policy               keeps cells apart and labels them as what is stored
  store, streams       every cell answers with the streams that the policy wants
  disk space, write    room at the rate so far; a synced write ends in time
  clock                follows another, agrees with the broker's, nothing is stored in its future
  quota                no cell comes to the end of what it may store
  staging              batches are staged in memory
  guards and pictures  every cell takes reports and shows live pictures
  workers, standby     every picture is made, by a worker that keeps up; another stands by
  readers              who has begun to read a feed goes on
  feeds                agencies are heard as often as the policy expects
  credentials, files,  none that is needed ends soon; files are their owner's alone
  certificates

Of a stopped broker it opens the store for a moment, so that a start would wait.

Exit codes:
  0  all is well
  1  a check failed
  2  wrong use
  4  nothing failed, but something will not stay well; 0 with --lenient`,
		Example: `  watchfloor doctor
  watchfloor doctor --dir /var/lib/watchfloor -o json | jq -r '.findings[] | select(.level != "ok") | .what'
  watchfloor doctor --lenient || page-the-operator      in a timer: warnings wait until morning
  watchfloor doctor --stalled 1h --soon 720h --reserve 20480`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.runDoctor(c.Context(), f) },
	}
	c.Flags().StringVar(&f.policy, "policy", "", "policy file of a stopped broker (default: the shipped policy)")
	c.Flags().DurationVar(&f.stalled, "stalled", f.stalled, "after how long a worker or reader that takes nothing stands still")
	c.Flags().DurationVar(&f.soon, "soon", f.soon, "how long before its end a credential or certificate is told of")
	c.Flags().Int64Var(&f.reserve, "reserve", f.reserve, "how many MiB of the disk should stay free")
	c.Flags().BoolVar(&f.lenient, "lenient", false, "exit 0 when there are warnings alone")
	return c
}

func (a *app) runDoctor(ctx context.Context, f doctorFlags) error {
	if f.reserve < 0 || f.stalled < 0 || f.soon < 0 {
		return usage("--reserve, --stalled and --soon: use 0 or more")
	}
	cfg := a.patient(f)
	found := doctor.Examine(ctx, cfg)
	if err := a.tellFindings(found); err != nil {
		return err
	}
	warned, bad := 0, 0
	for _, x := range found {
		switch x.Level {
		case doctor.Warn:
			warned++
		case doctor.Fail:
			bad++
		}
	}
	switch {
	case bad > 0:
		return failed("%d of %d checks failed, %d warn", bad, len(found), warned)
	case warned > 0 && !f.lenient:
		return &exitError{exitWarned, fmt.Errorf("%d of %d checks warn, none failed", warned, len(found))}
	}
	return nil
}

// patient is the broker of --dir, or the demo's below it, as it is to be looked at.
func (a *app) patient(f doctorFlags) doctor.Config {
	cfg := doctor.Config{
		DataDir: a.dataDir(), KeysDir: a.keysDir(), CredsDir: filepath.Join(a.dir, "creds"),
		Statuses: subject.Statuses, Stalled: f.stalled, Soon: f.soon, Reserve: uint64(f.reserve) << 20, Now: time.Now, Between: doctor.Between,
	}
	run, err := a.localRun()
	if err != nil || run == nil {
		cfg.Policy, cfg.PolicyErr = loadPolicy(f.policy)
		return cfg
	}
	l, _, err := a.running()
	if err != nil {
		cfg.Policy, cfg.PolicyErr = loadPolicy(run.Policy)
		if cfg.PolicyErr == nil {
			cfg.Broker = &doctor.Running{URL: run.URL}
		}
		return cfg
	}
	cfg.DataDir, cfg.KeysDir, cfg.CredsDir = filepath.Join(l.dir, "data"), filepath.Join(l.dir, "keys"), filepath.Join(l.dir, "creds")
	cfg.Policy = l.policy
	if l.run.only() != "" {
		cfg.Statuses = exerciseOnly
	}
	cfg.Broker = &doctor.Running{URL: l.run.URL, Pages: l.run.Pages, Certificates: l.run.Certificates, Issue: l.issuer.Issue, Inlet: l.issuer.Inlet}
	return cfg
}

func (a *app) tellFindings(found []doctor.Finding) error {
	switch a.output {
	case "json":
		return json.NewEncoder(a.out).Encode(map[string]any{"level": doctor.Worst(found), "findings": found})
	case "jsonl":
		enc := json.NewEncoder(a.out)
		for _, f := range found {
			if err := enc.Encode(f); err != nil {
				return err
			}
		}
		return nil
	}
	for _, f := range found {
		fmt.Fprintf(a.out, "%-4s  %-20s %s\n", f.Level, f.Check, oneLine(f.What))
		if f.Do != "" {
			fmt.Fprintf(a.out, "      %-20s -> %s\n", "", f.Do)
		}
		if a.verbose && len(f.Items) > 1 {
			for _, i := range f.Items {
				fmt.Fprintf(a.out, "      %-20s  - %s\n", "", oneLine(i))
			}
		}
	}
	return nil
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
