package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/consumers/access"
	"github.com/watchfloor/watchfloor/internal/spine"
)

func (a *app) audit() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "audit",
		Short: "Read, as the auditor, who read what over HTTP, and who tried what and was refused",
		Example: `  watchfloor audit reads --cell le --key /media/auditor/auditor.key
  watchfloor audit violations --cell le`,
	})
	c.AddCommand(a.auditReads(), a.auditViolations())
	return c
}

// search is what of a record is wanted.
type search struct {
	cell, key, record, reader, token, since string

	after time.Time
}

func (a *app) auditReads() *cobra.Command {
	var s search
	c := &cobra.Command{
		Use:   "reads --cell C",
		Short: "Check and print the record of what was read in a cell",
		Long: `Every read over HTTP is recorded before it is answered: when, who, with which
token, for which purpose, and what was asked for; never what the answer held. A
read that is asked for again within the same minute has one line.

The record is sealed: the broker writes it and cannot read it. The key is made on
the first start, keys/auditor.key; the auditor takes it away and keeps it. What
was altered, exchanged or left out is found, and the exit code is 1; only what is
missing at the very end of the newest file cannot be.` + exitHelp,
		Example: `  watchfloor audit reads --cell le
  watchfloor audit reads --cell le --key auditor.key --reader watch-le --since 2026-11-01T00:00:00Z
  watchfloor audit reads --cell le --key auditor.key --record /mnt/copy/access/le -o jsonl`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.reads(s) },
	}
	c.Flags().StringVar(&s.cell, "cell", "", "cell (required)")
	c.Flags().StringVar(&s.key, "key", "", "the auditor's private key (default: keys/auditor.key of --dir)")
	c.Flags().StringVar(&s.record, "record", "", "folder of the cell's record (default: access/CELL of --dir)")
	c.Flags().StringVar(&s.reader, "reader", "", "what this reader read")
	c.Flags().StringVar(&s.token, "token", "", "what was read with the token of this id")
	c.Flags().StringVar(&s.since, "since", "", "what was read at this time or later, as in RFC 3339")
	_ = c.MarkFlagRequired("cell")
	return c
}

func (s *search) wants(r access.Record) bool {
	return (s.reader == "" || r.Reader == s.reader) && (s.token == "" || r.Token == s.token) && !r.Time.Before(s.after)
}

func (a *app) reads(s search) error {
	if s.since != "" {
		var err error
		if s.after, err = time.Parse(time.RFC3339, s.since); err != nil {
			return usage("--since %q: write a time as 2026-11-01T00:00:00Z", s.since)
		}
	}
	if s.key == "" {
		s.key = filepath.Join(a.keysDir(), spine.AuditorKey)
	}
	text, err := os.ReadFile(s.key)
	if err != nil {
		return usage("%w: name the auditor's key with --key", err)
	}
	key, err := access.ParsePrivate(text)
	if err != nil {
		return usage("%s: %w: name the auditor's private key with --key", s.key, err)
	}
	if s.record == "" {
		s.record = spine.AccessDir(a.dataDir(), s.cell)
	}
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	enc := json.NewEncoder(a.out)
	if a.output == "table" {
		fmt.Fprintln(tw, "TIME\tREADER\tKIND\tTOKEN\tPURPOSE\tDID\tWHAT\tSTATUS\tSITUATION\tAS OF")
	}
	sum, err := access.Audit(s.record, key, func(r access.Record) error {
		switch {
		case !s.wants(r):
			return nil
		case a.output != "table":
			return enc.Encode(r)
		}
		_, err := fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Time.UTC().Format(time.RFC3339), r.Reader, r.Kind, r.Token, r.Purpose, r.What, r.Endpoint, r.Status, r.Situation, r.AsOf)
		return err
	})
	return errors.Join(tw.Flush(), a.audited(s, sum, err))
}

// audited says what was checked.
func (a *app) audited(s search, sum access.Summary, err error) error {
	switch {
	case errors.Is(err, access.ErrAltered):
		return failed("%w: keep the folder as it is, and compare it with a copy of it", err)
	case errors.Is(err, fs.ErrNotExist):
		return usage("%w: nothing was read in cell %s yet, or name the folder with --record", err, s.cell)
	case errors.Is(err, access.ErrKey):
		return usage("%w: name the key of the auditor that it was sealed for with --key", err)
	case err != nil:
		return unreachable("%w", err)
	}
	if a.output != "table" {
		return nil
	}
	_, err = fmt.Fprintf(a.out, "\n%d records of %d readers in %d files, unaltered; %d files end in half a record; %d older files were taken away\n",
		sum.Records, sum.Readers, sum.Segments, sum.Torn, sum.Removed)
	return err
}
