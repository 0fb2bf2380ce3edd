package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/internal/bench"
)

func (a *app) bench() *cobra.Command {
	var asJSON bool
	var only []string
	var rounds, reports int
	var live []int
	var round time.Duration
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure admission, latency, bulk and idle, each beside its baseline",
		Long: `Starts brokers of its own in a temporary folder and measures on this machine.
Each figure stands beside a baseline measured in the same run with the same
payload, callers, encryption and kind of connection; quote the ratio, not the
absolute. Parts: ` + strings.Join(bench.Parts, ", ") + `;
transport (what TLS and encryption at rest cost) and the last three only when
named.`,
		Example: `  watchfloor bench
  watchfloor bench --json > figures.jsonl
  watchfloor bench --only latency --rounds 5
  watchfloor bench --only transport --json
  watchfloor bench --only commit,restore --reports 1000000
  watchfloor bench --only engine --live 10000,5000000`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, o := range only {
				if !slices.Contains(bench.Parts, o) {
					return usage("--only %q: use %s", o, strings.Join(bench.Parts, ", "))
				}
			}
			figures, err := bench.Run(cmd.Context(), bench.Config{Only: only, Rounds: rounds, Round: round, Reports: reports, Live: live,
				Progress: func(what string) { fmt.Fprintln(a.err, "measuring", what) }})
			if err != nil {
				return err
			}
			if asJSON || a.output != "table" {
				for _, f := range figures {
					if err := json.NewEncoder(a.out).Encode(f); err != nil {
						return err
					}
				}
				return nil
			}
			tw := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(tw, "FIGURE\tOURS\tBASELINE\tRATIO\tUNIT\tP50\tP99\tBASELINE P50\tP99\tTARGET")
			for _, f := range figures {
				fmt.Fprintf(tw, "%s\t%.4g\t%.4g\t%.3f\t%s\t%s\t%s\t%s\t%s\t%s\n", f.Name, f.Ours, f.Baseline, f.Ratio, f.Unit,
					millis(f.P50), millis(f.P99), millis(f.BaselineP50), millis(f.BaselineP99), f.Target)
			}
			return tw.Flush()
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object per figure")
	c.Flags().StringSliceVar(&only, "only", nil, "parts to measure (default: all but transport, engine, commit and restore)")
	c.Flags().IntVar(&rounds, "rounds", 3, "rounds of each side, alternating; the median counts")
	c.Flags().DurationVar(&round, "round", 2*time.Second, "length of a round")
	c.Flags().IntVar(&reports, "reports", 100_000, "reports of the bulk run, and of commit and restore")
	c.Flags().IntSliceVar(&live, "live", nil, "live reports the engine is measured with (default: 10000,100000,1000000)")
	return c
}

// millis is a latency; "-" for a figure that has none.
func millis(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3g ms", v)
}
