package cli

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/consumers"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func (a *app) watch() *cobra.Command {
	var r reading
	var singles bool
	c := &cobra.Command{
		Use:   "watch --cell C",
		Short: "Follow the picture of a cell: one line for every situation that changes",
		Long: `Prints the picture, then a line for every situation that changes, until
interrupted. With -o jsonl every change is one JSON object. Situations of a
single report are left out of the table unless --singles is given.`,
		Example: `  watchfloor watch --cell fused
  watchfloor watch --cell le -o jsonl | jq -c '{id: .upsert.id, n: (.upsert.members|length)}'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, fallback, err := a.reader(cmd.Context(), r.remote, r.cell)
			if err != nil {
				return err
			}
			defer c.Close()
			status, err := a.parseStatus(r.status, fallback)
			if err != nil {
				return err
			}
			w, err := c.Watch(cmd.Context(), status)
			if err != nil {
				return unreachable("watch %s: %w", r.cell, err)
			}
			defer w.Stop()
			for change := range w.Events() {
				if err := a.printChange(change, singles); err != nil {
					return err
				}
			}
			if err := w.Err(); err != nil && !errors.Is(err, consumers.ErrClosed) && cmd.Context().Err() == nil {
				return unreachable("watching %s ended: %w", r.cell, err)
			}
			return nil
		},
	}
	r.followFlags(c)
	c.Flags().BoolVar(&singles, "singles", false, "show situations of a single report too")
	return c
}

func (a *app) printChange(c consumers.Change, singles bool) error {
	if a.output != "table" {
		return a.jsonChange(c)
	}
	if s := c.Snapshot; s != nil {
		snapshotHead(a.out, s)
		situationTable(a.out, several(s.GetSituations(), singles), 20)
		return nil
	}
	at := time.Now().UTC().Format("15:04:05Z")
	for _, ch := range c.Frame.GetChanges() {
		x := ch.GetUpsert()
		switch {
		case x == nil:
			if singles {
				fmt.Fprintf(a.out, "%s r%d  %s  gone\n", at, c.Frame.GetRevision(), ch.GetRemoved())
			}
		case singles || x.GetSize() > 1:
			fmt.Fprintf(a.out, "%s r%d  %s  %-8s %-8s %3d reports  %s\n", at, c.Frame.GetRevision(), x.GetId(), subject.KindToken(x.GetKind()),
				severityWord(x.GetSeverity()), x.GetSize(), x.GetHeadline())
		}
	}
	return nil
}

func (a *app) jsonChange(c consumers.Change) error {
	if s := c.Snapshot; s != nil {
		head := map[string]any{"snapshot": s.GetCell(), "status": subject.StatusToken(s.GetStatus()), "revision": s.GetRevision(),
			"digest": hex.EncodeToString(s.GetDigest()), "situations": len(s.GetSituations())}
		if err := json.NewEncoder(a.out).Encode(head); err != nil {
			return err
		}
		for _, x := range s.GetSituations() {
			if err := jsonLine(a.out, &wf.Change{Change: &wf.Change_Upsert{Upsert: x}}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, ch := range c.Frame.GetChanges() {
		if err := jsonLine(a.out, ch); err != nil {
			return err
		}
	}
	return nil
}

// several leaves out the situations of one report.
func several(all []*wf.Situation, singles bool) []*wf.Situation {
	if singles {
		return all
	}
	var out []*wf.Situation
	for _, s := range all {
		if s.GetSize() > 1 {
			out = append(out, s)
		}
	}
	return out
}
