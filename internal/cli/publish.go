package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/internal/ingest"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/feed"
	"github.com/watchfloor/watchfloor/proto/subject"
)

func (a *app) publish() *cobra.Command {
	var r remote
	var as, cell, mappingName string
	var dryRun bool
	c := &cobra.Command{
		Use:   "publish --as AGENCY [--cell C] FILE...",
		Short: "Send files of any known format to a broker as an agency",
		Long: `Converts the files and sends every report; an acknowledged report is on disk.
Reports keep their identity, so that sending a file again changes nothing. With
--dry-run nothing is sent: the policy and the guard's own rules say what they
would refuse.` + exitHelp,
		Example: `  watchfloor publish --as ipaws alert.cap
  watchfloor publish --as stl-pd --cell le --map stl-police crimes.csv
  watchfloor publish --as fbi --cell le --dry-run report.json
  watchfloor publish --as fbi --cell le --url nats://broker:4222 --creds fbi.creds report.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := mapping(mappingName)
			if err != nil {
				return err
			}
			p, err := a.publishPolicy(r)
			if err != nil {
				return err
			}
			to, err := submitRoute(p, as, cell)
			if err != nil {
				return err
			}
			files := fileReader(p, m, &to)
			files.Stdin = a.in
			if dryRun {
				return a.dryRun(p, to, files, args)
			}
			return a.send(cmd.Context(), r, to, files, args)
		},
	}
	r.flags(c)
	c.Flags().StringVar(&as, "as", "", "agency to publish as (required)")
	c.Flags().StringVar(&cell, "cell", "", "cell to publish into (default: the agency's only one)")
	c.Flags().StringVar(&mappingName, "map", "", "mapping for CSV: a shipped one's name or a file")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "send nothing; say what would be refused")
	_ = c.MarkFlagRequired("as")
	return c
}

// publishPolicy is the policy of the local broker; for a remote one, or none, the shipped one.
func (a *app) publishPolicy(r remote) (*policy.Policy, error) {
	if r.url == "" {
		if l, err := a.local(); err == nil {
			return l.policy, nil
		}
	}
	return policy.Default(), nil
}

func (a *app) send(ctx context.Context, r remote, to route, files feed.Config, paths []string) error {
	sender := ingest.NewSender(func(ctx context.Context, to ingest.Route) (*producers.Client, error) {
		return a.sender(ctx, r, to.Agency, to.Cell)
	})
	defer sender.Close()
	var accounts []fileAccount
	for src, err := range files.Files(paths...) {
		if err != nil {
			return usage("%w", err)
		}
		acc := fileAccount{Format: src.Format, Agency: to.agency, Cell: to.cell, Skip: src.Skip, Tally: &ingest.Tally{Source: src.Name}}
		if src.Skip == "" {
			if acc.Tally, err = sender.Send(ctx, ingest.Route{Agency: to.agency, Cell: to.cell}, src.Name, slices.Values(src.Items)); err != nil {
				return err
			}
		}
		accounts = append(accounts, acc)
	}
	return a.published(accounts)
}

// published prints what became of every file; refused or unacknowledged reports fail.
func (a *app) published(accounts []fileAccount) error {
	refused, lost := 0, 0
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, acc := range accounts {
		refused += acc.Refused
		lost += acc.Unacknowledged
		if a.output != "table" {
			if err := json.NewEncoder(a.out).Encode(acc); err != nil {
				return err
			}
			continue
		}
		if acc.Skip != "" {
			fmt.Fprintf(tw, "%s\tskipped: %s\n", acc.Source, acc.Skip)
			continue
		}
		fmt.Fprintf(tw, "%s\tread %d\tadmitted %d\tduplicate %d\tsuperseded %d\trefused %d\t%s\n", acc.Source, acc.Read, acc.Admitted, acc.Duplicate, acc.Superseded, acc.Refused, codes(acc.Tally))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if a.output == "table" {
		a.refusalLines(accounts)
	}
	switch {
	case lost > 0:
		return unreachable("%d reports were not acknowledged: they may not be stored; send the files again", lost)
	case refused > 0:
		return failed("%d records are refused", refused)
	}
	return nil
}

// dryRun judges every report by the rules of the guard, against an empty cell.
func (a *app) dryRun(p *policy.Policy, to route, files feed.Config, paths []string) error {
	rules, err := guard.Compile(p, to.cell)
	if err != nil {
		return err
	}
	good, bad := 0, 0
	refused, err := a.eachReport(files, paths, func(src feed.Source, item codec.Item) error {
		data, err := proto.Marshal(item.Report)
		if err != nil {
			return fmt.Errorf("encode %s %s: %w", src.Name, item.Where, err)
		}
		to := subject.Submit(item.Report)
		d := guard.Decide(guard.Examine(rules, guard.Received{Subject: to, Payload: data, At: time.Now()}), guard.NewIndex(0))
		if d.Verdict == guard.Admit {
			good++
			fmt.Fprintf(a.out, "%s %s: would be admitted on %s\n", src.Name, item.Where, d.Subject)
			return nil
		}
		bad++
		fmt.Fprintf(a.out, "%s %s: would be refused: %s\n", src.Name, item.Where, d.Reasons)
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%d would be admitted, %d refused\n", good, bad+refused)
	if bad+refused > 0 {
		return failed("%d records would be refused", bad+refused)
	}
	return nil
}
