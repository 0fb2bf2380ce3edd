package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/internal/quality"
)

func (a *app) quality() *cobra.Command {
	var config quality.Config
	var weights string
	var asJSON bool
	c := &cobra.Command{
		Use:   "quality",
		Short: "Measure the correlation on sets whose truth is known",
		Long: `Correlates labelled sets of the reference data by the shipped mappings, one table
of weights and a threshold that follows from the number of reports alone, and
prints one table: pairwise and B-cubed precision, recall and F1; blocking recall
(the share of true pairs that were compared at all); the largest situation; time;
published figures of others beside; targets. Exit code 1 when a target is missed.

Parts: ` + strings.Join(quality.Parts(), ", ") + `.`,
		Example: `  watchfloor quality --corpus ../shared/data
  watchfloor quality --only fake-1000,febrl-3 --misses 20
  watchfloor quality --json > figures.jsonl`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, o := range config.Only {
				if !slices.Contains(quality.Parts(), o) {
					return usage("--only %q: use %s", o, strings.Join(quality.Parts(), ", "))
				}
			}
			if config.Corpus == "" {
				return usage("the reference data is needed: name its folder with --corpus or WATCHFLOOR_CORPUS")
			}
			w, err := (&demoFlags{weights: weights}).weightTable()
			if err != nil {
				return err
			}
			config.Weights = w
			config.Progress = func(what string) { fmt.Fprintln(a.err, "measuring", what) }
			return a.measureQuality(cmd, config, asJSON || a.output != "table")
		},
	}
	c.Flags().StringVar(&config.Corpus, "corpus", os.Getenv("WATCHFLOOR_CORPUS"), "folder of the reference data, or WATCHFLOOR_CORPUS")
	c.Flags().StringSliceVar(&config.Only, "only", nil, "parts to measure (default: all)")
	c.Flags().IntVar(&config.Misses, "misses", 0, "list this many wrong links and missed pairs of each part, with their evidence")
	c.Flags().StringVar(&weights, "weights", "default", "weights of the evidence: default or zero")
	c.Flags().BoolVar(&asJSON, "json", false, "one JSON object per row")
	return c
}

func (a *app) measureQuality(cmd *cobra.Command, config quality.Config, asJSON bool) error {
	var rows []quality.Row
	enc := json.NewEncoder(a.out)
	enc.SetEscapeHTML(false)
	err := quality.Run(cmd.Context(), config, func(r quality.Row) error {
		rows = append(rows, r)
		if asJSON {
			return enc.Encode(r)
		}
		return nil
	})
	if err != nil {
		return usage("%w", err)
	}
	if !asJSON {
		if err := quality.Print(a.out, rows); err != nil {
			return err
		}
	}
	missed := 0
	for _, r := range rows {
		for _, t := range r.Targets {
			if !t.Passed {
				missed++
			}
		}
	}
	if missed > 0 {
		return failed("%s missed", count(missed, "target"))
	}
	return nil
}
