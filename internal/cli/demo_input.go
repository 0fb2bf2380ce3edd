package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/internal/ingest"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers/feed"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// fileAccount is the account of one file.
type fileAccount struct {
	*ingest.Tally
	Format feed.Format `json:"format,omitempty"`
	Agency string      `json:"agency,omitempty"`
	Cell   string      `json:"cell,omitempty"`
	Skip   string      `json:"skipped,omitempty"`
	// otherStatus counts the reports that the broker's picture does not show.
	otherStatus int
}

// demoInput reads files into a throwaway broker and says what became of them.
func (a *app) demoInput(ctx context.Context, f demoFlags) error {
	m, err := readMapping(f.mapping)
	if err != nil {
		return err
	}
	p := policy.Default()
	c := a.spineConfig(f, p)
	c.WithoutHTTP, c.NeverExpire = true, true
	s, stop, err := a.throwaway(ctx, c)
	if err != nil {
		return err
	}
	files := fileReader(p, m, nil)
	files.Extract = f.extract
	err = a.readInto(ctx, s, f.inputs, files)
	if serr := stop(); err == nil {
		err = serr
	}
	return err
}

func (a *app) readInto(ctx context.Context, s *spine.Spine, paths []string, files feed.Config) error {
	sender := sendInto(s)
	defer sender.Close()
	var accounts []fileAccount
	for src, err := range files.Files(paths...) {
		if err != nil {
			return usage("%w", err)
		}
		acc := fileAccount{Format: src.Format, Skip: src.Skip, Tally: &ingest.Tally{Source: src.Name}}
		if src.Format != "" {
			r, err := routeOf(s.Broker().Policy(), src.Format)
			if err != nil {
				return failed("%s: %w", src.Name, err)
			}
			acc.Agency, acc.Cell = r.Agency, r.Cell
			if acc.Tally, err = sender.Send(ctx, r, src.Name, slices.Values(src.Items)); err != nil {
				return fmt.Errorf("send %s: %w", src.Name, err)
			}
		}
		accounts = append(accounts, acc)
	}
	settle, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	if err := s.Settled(settle); err != nil {
		return err
	}
	if a.output != "table" {
		return a.accountsJSON(s, accounts)
	}
	return a.accountsTable(s, accounts)
}

func (a *app) accountsTable(s *spine.Spine, accounts []fileAccount) error {
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SOURCE\tFORMAT\tAS\tREAD\tADMITTED\tDUPLICATE\tSUPERSEDED\tREFUSED\tWHY")
	total := ingest.Tally{}
	for _, acc := range accounts {
		if acc.Skip != "" {
			fmt.Fprintf(tw, "%s\t-\t-\t0\t0\t0\t0\t0\tskipped: %s\n", acc.Source, acc.Skip)
			continue
		}
		fmt.Fprintf(tw, "%s\t%s\t%s/%s\t%d\t%d\t%d\t%d\t%d\t%s\n", acc.Source, acc.Format, acc.Agency, acc.Cell,
			acc.Read, acc.Admitted, acc.Duplicate, acc.Superseded, acc.Refused, codes(acc.Tally))
		total.Add(acc.Tally)
	}
	fmt.Fprintf(tw, "total\t\t\t%d\t%d\t%d\t%d\t%d\t\n", total.Read, total.Admitted, total.Duplicate, total.Superseded, total.Refused)
	if err := tw.Flush(); err != nil {
		return err
	}
	a.refusalLines(accounts)
	fmt.Fprintln(a.out)
	a.kindTable(s)
	return balance(accounts)
}

// refusalLines says of every refused record where it is and what is wrong.
func (a *app) refusalLines(accounts []fileAccount) {
	first := true
	for _, acc := range accounts {
		for _, r := range acc.Refusals {
			if first {
				fmt.Fprintln(a.out, "\nrefused:")
				first = false
			}
			for _, why := range r.Reasons {
				fmt.Fprintf(a.out, "  %s %s: %s %s: %s (%s)\n", acc.Source, r.Where, why.Code, why.Field, why.Message, why.Remedy)
			}
		}
	}
}

func codes(t *ingest.Tally) string {
	var out []string
	for code, n := range t.Codes() {
		out = append(out, fmt.Sprintf("%s %d", code, n))
	}
	if t.Unacknowledged > 0 {
		out = append(out, fmt.Sprintf("NOT ACKNOWLEDGED %d (%s)", t.Unacknowledged, t.FirstError))
	}
	return strings.Join(out, ", ")
}

// balance fails when a record is not accounted for or was not acknowledged.
func balance(accounts []fileAccount) error {
	for _, acc := range accounts {
		if !acc.Balanced() {
			return failed("%s: read %d is not what became of its records", acc.Source, acc.Read)
		}
		if acc.Unacknowledged > 0 {
			return failed("%s: not acknowledged: %s: %s", acc.Source, count(acc.Unacknowledged, "record"), acc.FirstError)
		}
	}
	return nil
}

// kindCount is how many situations of a kind a cell's picture has.
type kindCount struct {
	Cell       string `json:"cell"`
	Status     string `json:"status"`
	Kind       string `json:"kind"`
	Situations int    `json:"situations"`
	Several    int    `json:"of_several_reports"`
	Reports    int    `json:"reports"`
}

func kinds(s *spine.Spine) []kindCount {
	var out []kindCount
	for _, c := range s.Cells() {
		for _, status := range subject.Statuses {
			count := map[wf.Kind]*kindCount{}
			s.Picture(c.Name, status).Read(func(p *snapshot.Picture) {
				for _, x := range p.Situations() {
					k := count[x.GetKind()]
					if k == nil {
						k = &kindCount{Cell: c.Name, Status: subject.StatusToken(status), Kind: subject.KindToken(x.GetKind())}
						count[x.GetKind()] = k
					}
					k.Situations++
					k.Reports += int(x.GetSize())
					if x.GetSize() > 1 {
						k.Several++
					}
				}
			})
			for _, k := range subject.Kinds {
				if count[k] != nil {
					out = append(out, *count[k])
				}
			}
		}
	}
	return out
}

func (a *app) kindTable(s *spine.Spine) {
	tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "CELL\tSTATUS\tKIND\tSITUATIONS\tOF SEVERAL REPORTS\tREPORTS")
	for _, k := range kinds(s) {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%d\t%d\t%d\n", k.Cell, k.Status, k.Kind, k.Situations, k.Several, k.Reports)
	}
	_ = tw.Flush()
}

func (a *app) accountsJSON(s *spine.Spine, accounts []fileAccount) error {
	enc := json.NewEncoder(a.out)
	for _, acc := range accounts {
		if err := enc.Encode(acc); err != nil {
			return err
		}
	}
	for _, k := range kinds(s) {
		if err := enc.Encode(k); err != nil {
			return err
		}
	}
	return balance(accounts)
}
