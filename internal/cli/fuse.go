package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/feed"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func (a *app) fuse() *cobra.Command {
	var v conversion
	var tick, weights string
	c := &cobra.Command{
		Use:   "fuse [FILE...]",
		Short: "Correlate files without a broker: one situation per line",
		Long: `Reads reports (Report JSON lines or any known format; standard input when no file
is named) and prints one situation per line as JSON, single-report ones
included: id, reports, links with their evidence in bits. Nothing expires unless
--tick is given, so the same set of input gives the same output in any order.
Reports of different status (actual, exercise, test) never meet.`,
		Example: `  watchfloor convert alerts/ | watchfloor fuse
  watchfloor fuse --map febrl dataset3.csv > situations.jsonl
  watchfloor fuse --tick 2018-02-01T00:00:00Z --map stl-police crimes.csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			f := demoFlags{weights: weights}
			w, err := f.weightTable()
			if err != nil {
				return err
			}
			files, p, err := v.files(a)
			if err != nil {
				return err
			}
			config := fusion.Config{Weights: w}
			var at time.Time
			if tick != "" {
				if at, err = time.Parse(time.RFC3339, tick); err != nil {
					return usage("--tick %q: use RFC 3339 with a zone, like 2018-02-01T00:00:00Z", tick)
				}
				config.Windows = p.Windows()
			}
			if len(args) == 0 {
				args = []string{"-"}
			}
			return a.fuseFiles(cmd.Context(), files, args, config, at)
		},
	}
	v.flags(c)
	c.Flags().StringVar(&tick, "tick", "", "time of the picture; the policy's windows then apply (default: nothing expires)")
	c.Flags().StringVar(&weights, "weights", "default", "weights of the evidence: default or zero")
	return c
}

func (a *app) fuseFiles(ctx context.Context, files feed.Config, paths []string, config fusion.Config, at time.Time) error {
	byStatus := map[wf.Status][]fusion.Input{}
	read := 0
	progress := a.progress("reading", 1<<30)
	refused, err := a.eachReport(ctx, files, paths, func(_ feed.Source, item codec.Item) error {
		r := item.Report
		byStatus[r.GetStatus()] = append(byStatus[r.GetStatus()], fusion.Input{Report: r})
		read++
		progress(read)
		return nil
	})
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(a.out, 1<<20)
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	situations := 0
	for _, status := range []wf.Status{wf.Status_STATUS_ACTUAL, wf.Status_STATUS_EXERCISE, wf.Status_STATUS_TEST} {
		config.Status = status
		for _, s := range fusion.Fuse(byStatus[status], config, at) {
			situations++
			if err := enc.Encode(s); err != nil {
				return fmt.Errorf("write situations: %w", err)
			}
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write situations: %w", err)
	}
	fmt.Fprintf(a.err, "%s in %s, %d refused\n", count(read, "report"), count(situations, "situation"), refused)
	if refused > 0 {
		return failed("refused: %s", count(refused, "record"))
	}
	return nil
}
