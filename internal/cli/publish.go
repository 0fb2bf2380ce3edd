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
	var d delivery
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
  watchfloor publish --as fbi --cell le --context fbi.json report.json`,
		Args: named("at least one file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.runPublish(cmd.Context(), d, args)
		},
	}
	d.remote.flags(c)
	c.Flags().StringVar(&d.to.Agency, "as", "", "agency to publish as (required)")
	c.Flags().StringVar(&d.to.Cell, "cell", "", "cell to publish into (default: the agency's only one)")
	c.Flags().StringVar(&d.mapping, "map", "", "mapping for CSV: a shipped one's name or a file")
	c.Flags().BoolVar(&d.dryRun, "dry-run", false, "send nothing; say what would be refused")
	extractFlag(c, &d.extract)
	_ = c.MarkFlagRequired("as")
	return c
}

// delivery is how, as whom and where publish sends.
type delivery struct {
	remote  remote
	to      ingest.Route
	mapping string
	dryRun  bool
	extract bool
	// shown is the only status that a demo shows, or empty.
	shown string
}

func (a *app) runPublish(ctx context.Context, d delivery, paths []string) error {
	m, err := readMapping(d.mapping)
	if err != nil {
		return err
	}
	if err := d.remote.resolve(); err != nil {
		return err
	}
	p, shown, err := a.publishPolicy(d.remote)
	if err != nil {
		return err
	}
	if d.to, err = submitRoute(p, d.to.Agency, d.to.Cell); err != nil {
		return err
	}
	d.shown = shown
	files := fileReader(p, m, &d.to)
	files.Extract = d.extract
	files.Stdin = a.in
	if !d.dryRun {
		return a.send(ctx, d, files, paths)
	}
	rules, err := guard.Compile(p, d.to.Cell)
	if err != nil {
		return err
	}
	return a.dryRun(ctx, rules, files, paths)
}

// publishPolicy is the policy of the local broker and the one status it shows,
// if it is a demo's; for a remote one, or none, the shipped policy.
func (a *app) publishPolicy(r remote) (p *policy.Policy, shown string, err error) {
	if r.local() {
		if l, err := a.local(); err == nil {
			return l.policy, l.run.only(), nil
		}
	}
	return policy.Default(), "", nil
}

// unshown warns of reports that a demo stores and never shows.
func (a *app) unshown(shown string, accounts []fileAccount) {
	n := 0
	for _, acc := range accounts {
		n += acc.otherStatus
	}
	if n > 0 {
		fmt.Fprintf(a.err, "note: %s not of status %s: the demo that runs here stores but never shows them; \"watchfloor up\" does\n", count(n, "report"), shown)
	}
}

// otherThan counts the reports that are of another status than the one shown.
func otherThan(shown string, items []codec.Item) int {
	n := 0
	for _, item := range items {
		if shown != "" && !item.Refused() && subject.StatusToken(item.Report.GetStatus()) != shown {
			n++
		}
	}
	return n
}

func (a *app) send(ctx context.Context, d delivery, files feed.Config, paths []string) error {
	to := d.to
	sender := ingest.NewSender(func(ctx context.Context, to ingest.Route) (*producers.Client, error) {
		return a.sender(ctx, d.remote, to.Agency, to.Cell)
	})
	defer sender.Close()
	var accounts []fileAccount
	for src, err := range files.Files(paths...) {
		if err != nil {
			return usage("%w", err)
		}
		acc := fileAccount{Format: src.Format, Agency: to.Agency, Cell: to.Cell, Skip: src.Skip, Tally: &ingest.Tally{Source: src.Name}}
		if src.Skip == "" {
			acc.Tally, err = sender.Send(ctx, to, src.Name, slices.Values(src.Items))
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
		acc.otherStatus = otherThan(d.shown, src.Items)
		accounts = append(accounts, acc)
		if ctx.Err() != nil {
			break
		}
	}
	err := a.published(accounts)
	a.unshown(d.shown, accounts)
	switch {
	case ctx.Err() != nil:
		return failed("interrupted: the rest is not sent; send the files again, what is stored already counts as duplicate")
	case err != nil:
		return err
	case len(accounts) == 0:
		return nothingRead(paths)
	}
	skipped := 0
	for _, acc := range accounts {
		skipped += unreadable(acc.Source, acc.Skip, paths)
	}
	return unread(skipped)
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
		return unreachable("not acknowledged: %s; they may not be stored, send the files again", count(lost, "report"))
	case refused > 0:
		return failed("refused: %s", count(refused, "record"))
	}
	return nil
}

// dryRun judges every report by the rules of the guard, against an empty cell.
func (a *app) dryRun(ctx context.Context, rules *guard.Rules, files feed.Config, paths []string) error {
	good, bad := 0, 0
	refused, err := a.eachReport(ctx, files, paths, func(src feed.Source, item codec.Item) error {
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
		return failed("would be refused: %s", count(bad+refused, "record"))
	}
	return nil
}
