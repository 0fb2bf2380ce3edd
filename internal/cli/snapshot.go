package cli

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/consumers/api"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// reading are the flags of every command that reads a picture.
type reading struct {
	remote
	cell, status string
	past
}

func (r *reading) flags(c *cobra.Command) {
	r.followFlags(c)
	r.past.flags(c)
}

// followFlags are those of a command that reads what is live alone.
func (r *reading) followFlags(c *cobra.Command) {
	r.remote.flags(c)
	c.Flags().StringVar(&r.cell, "cell", "", "cell to read (required)")
	c.Flags().StringVar(&r.status, "status", "", "actual, exercise or test (default: what the local broker runs, else actual)")
	c.Flags().StringVar(&r.user, "reader", "", "reader of the policy to read as, or that --creds is of (default: the first that is cleared)")
	_ = c.MarkFlagRequired("cell")
}

// load reads the newest picture, or that of an earlier time.
func (a *app) load(ctx context.Context, r reading) (*wf.Snapshot, error) {
	if err := r.past.check(&r.remote); err != nil {
		return nil, err
	}
	if r.local() && a.hasKept() {
		return a.loadKept(ctx, r)
	}
	if r.asked() {
		return a.loadPast(ctx, r)
	}
	c, fallback, err := a.reader(ctx, r.remote, r.cell)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	status, err := a.parseStatus(r.status, fallback)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*connectTimeout)
	defer cancel()
	s, err := c.Snapshot(ctx, status)
	if err != nil {
		return nil, unreachable("read the snapshot of %s: %w", r.cell, err)
	}
	return s, nil
}

func (a *app) snapshot() *cobra.Command {
	var r reading
	var most int
	c := &cobra.Command{
		Use:   "snapshot --cell C",
		Short: "Print the picture of a cell: the newest, or that of an earlier time",
		Long: `Prints the newest picture of a cell, or with --as-of what it was at a time.

` + pastHelp,
		Example: `  watchfloor snapshot --cell fused
  watchfloor snapshot --cell fused --as-of -2h
  watchfloor snapshot --cell fused --as-of 2025-09-03T14:30:00Z
  watchfloor snapshot --cell le -o json | jq .digest
  watchfloor snapshot --cell open -o geojson > open.geojson
  watchfloor snapshot --cell le --context watch-le.json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if most < 0 {
				return usage("--most %d: use a number of rows, 0 or more", most)
			}
			s, err := a.load(cmd.Context(), r)
			if err != nil {
				return err
			}
			return a.printSnapshot(s, most)
		},
	}
	r.flags(c)
	c.Flags().IntVar(&most, "most", 25, "rows of the table at the most; 0 for none")
	return c
}

func (a *app) printSnapshot(s *wf.Snapshot, most int) error {
	switch a.output {
	case "geojson":
		return json.NewEncoder(a.out).Encode(api.GeoJSON(s.GetSituations(), s.GetRevision()))
	case "jsonl":
		for _, x := range byScore(s.GetSituations()) {
			if err := jsonLine(a.out, x); err != nil {
				return err
			}
		}
		return nil
	case "json":
		view := struct {
			Cell       string            `json:"cell"`
			Status     string            `json:"status"`
			Revision   uint64            `json:"revision,string"`
			Epoch      string            `json:"epoch"`
			Tick       string            `json:"tick"`
			Digest     string            `json:"digest"`
			Reports    uint64            `json:"reports,string"`
			AsOf       json.RawMessage   `json:"as_of,omitempty"`
			Situations []json.RawMessage `json:"situations"`
		}{s.GetCell(), subject.StatusToken(s.GetStatus()), s.GetRevision(), s.GetEpoch(), s.GetTick().AsTime().Format("2006-01-02T15:04:05Z"),
			hex.EncodeToString(s.GetDigest()), s.GetReports(), nil, []json.RawMessage{}}
		if s.GetAsOf() != nil {
			b, err := compactJSON(s.GetAsOf())
			if err != nil {
				return err
			}
			view.AsOf = b
		}
		for _, x := range byScore(s.GetSituations()) {
			b, err := compactJSON(x)
			if err != nil {
				return err
			}
			view.Situations = append(view.Situations, b)
		}
		return json.NewEncoder(a.out).Encode(view)
	}
	snapshotHead(a.out, s)
	asOfLine(a.out, s)
	if s.GetRevision() == 0 && s.GetAsOf() == nil {
		fmt.Fprintf(a.out, "nothing has been reported yet that is %s\n", subject.StatusToken(s.GetStatus()))
		return nil
	}
	situationTable(a.out, s.GetSituations(), most)
	return nil
}
