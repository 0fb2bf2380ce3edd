package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/violation"
)

func (a *app) auditViolations() *cobra.Command {
	var cell string
	c := &cobra.Command{
		Use:   "violations [--cell C]",
		Short: "Print what credentials tried and were refused",
		Long: `Reads the record of refused publications and subscriptions of a cell: who, what,
how often, first and last when; the newest first. A reader of a higher cell who
tries something in a lower one stands in the record of the higher one. Without
--cell: refused sign-ins, and what no one cell may know.

Each credential has 16 lines for whole subjects, then 8 by the beginning of the
subject, then one for the rest of each action; none takes a line from another.
The record lies in DATA/violations, sealed with a key for each cell of the
keyring, and is at most a few seconds behind. A broker need not run.`,
		Example: `  watchfloor audit violations --cell le
  watchfloor audit violations                        refused sign-ins
  watchfloor audit violations --cell le -o jsonl`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.violations(cell) },
	}
	c.Flags().StringVar(&cell, "cell", "", "cell (default: refused sign-ins, and what no one cell may know)")
	return c
}

func (a *app) violations(cell string) error {
	d, err := a.openDesk()
	if err != nil {
		return err
	}
	key, err := d.ViolationKey(cell)
	if err != nil {
		return unreachable("%w", err)
	}
	if strings.ContainsAny(cell, `/\.`) {
		return usage("--cell %q: that is no name of a cell", cell)
	}
	book, err := violation.Read(broker.ViolationsFile(filepath.Join(d.dir, "data"), cell), cell, key)
	switch {
	case errors.Is(err, violation.ErrSealed):
		return failed("%w: the keys of %s are not those that it was written with, or it was changed", err, d.dir)
	case err != nil:
		return unreachable("%w", err)
	}
	return a.printViolations(book.Lines())
}

func (a *app) printViolations(lines []violation.Line) error {
	switch a.output {
	case "json":
		if lines == nil {
			lines = []violation.Line{}
		}
		return json.NewEncoder(a.out).Encode(lines)
	case "jsonl":
		for _, l := range lines {
			if err := json.NewEncoder(a.out).Encode(l); err != nil {
				return err
			}
		}
		return nil
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "LAST\tCOUNT\tPRINCIPAL\tCELL\tUSER\tDID\tSUBJECT\tFIRST\tKEY")
	for _, l := range lines {
		fmt.Fprintf(tw, "%s\t%d\t%s\t%s\t%s\t%s\t%q\t%s\t%s\n", l.Last.UTC().Format(time.RFC3339), l.Count, l.Principal, l.Cell, l.User, l.Action, l.Subject, l.First.UTC().Format(time.RFC3339), l.Key)
	}
	return tw.Flush()
}
