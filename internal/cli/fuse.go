package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/consumers/fusion"
)

// minThreshold in millibits keeps a handful of reports from being linked by
// what a common name or a shared street alone weighs.
const minThreshold = 12_000

// fuseFlags are what fuse is told besides what to read.
type fuseFlags struct {
	conversion
	tick, weights, truth string
	explain              string
	threshold            float64
	capacity             int
	form                 string
}

func (a *app) fuse() *cobra.Command {
	var f fuseFlags
	c := &cobra.Command{
		Use:   "fuse [FILE...]",
		Short: "Correlate files without a broker: one situation per line",
		Long: `Reads reports (Report JSON lines or any known format; standard input when no file
is named) and prints one situation per line as JSON, single-report ones
included: id, reports, links with their evidence in bits. With -o clusters it
prints a table instead: record, situation, agency, id. Nothing expires unless
--tick is given, so the same set of input gives the same output in any order.
Reports of different status (actual, exercise, test) never meet.

Two reports are linked from log2(n/3) + 5 bits of evidence, n being the number of
reports read, at least 12; --capacity N says another n, --threshold BITS the
threshold itself. A broker's engines use 26, for ten million reports.

A CSV of texts needs no mapping when its columns have names such as id, text,
narrative, title, date, city, state. What titles and narratives say is added to
the reports, marked as extracted; --extract=false leaves it out.

Several CSV files may have a mapping each: --map rest1.csv=list1.yaml. Record ids
must differ between the lists: record.prefix of the mapping sees to it.

With --truth FILE, a CSV with columns record and cluster, the situations are
scored: precision, recall and F1 of pairs, and B-cubed. FILE:A,B names the two
columns, so that the labelled file itself will do.`,
		Example: `  watchfloor convert alerts/ | watchfloor fuse
  watchfloor fuse --map febrl dataset3.csv > situations.jsonl
  watchfloor fuse --map people.yaml -o clusters --truth people.csv:id,cluster people.csv
  watchfloor fuse --map a.csv=list-a.yaml --map b.csv=list-b.yaml a.csv b.csv
  watchfloor fuse --explain 3f2a reports.jsonl
  watchfloor fuse --tick 2018-02-01T00:00:00Z --map stl-police crimes.csv`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = []string{"-"}
			}
			f.form = a.output
			return a.runFuse(cmd.Context(), f, args)
		},
	}
	f.flags(c)
	c.Flags().StringVar(&f.explain, "explain", "", "read out instead the situations whose id begins so, near misses included; \"all\" for all of two reports or more")
	c.Flags().StringVar(&f.tick, "tick", "", "time of the picture; the policy's windows then apply (default: nothing expires)")
	c.Flags().StringVar(&f.weights, "weights", "default", "weights of the evidence: default or zero")
	c.Flags().Float64Var(&f.threshold, "threshold", 0, "bits from which two reports are linked (default: from the number of reports)")
	c.Flags().IntVar(&f.capacity, "capacity", 0, "number of reports to take the threshold for (default: those read)")
	c.Flags().StringVar(&f.truth, "truth", "", "score against FILE or FILE:RECORD,CLUSTER, a CSV that says which records are one")
	return c
}

func (a *app) runFuse(ctx context.Context, f fuseFlags, paths []string) error {
	w, err := (&demoFlags{weights: f.weights}).weightTable()
	if err != nil {
		return err
	}
	if f.threshold < 0 || f.capacity < 0 || f.threshold > 0 && f.capacity > 0 {
		return usage("--threshold %v, --capacity %d: use one of them, above 0", f.threshold, f.capacity)
	}
	files, p, err := f.files(a)
	if err != nil {
		return err
	}
	truth, err := readTruth(f.truth)
	if err != nil {
		return err
	}
	config := fusion.Config{Weights: w}
	var at time.Time
	if f.tick != "" {
		if at, err = time.Parse(time.RFC3339, f.tick); err != nil {
			return usage("--tick %q: use RFC 3339 with a zone, like 2018-02-01T00:00:00Z", f.tick)
		}
		config.Windows = p.Windows()
	}
	pile, err := a.readPile(ctx, files, paths)
	if err != nil {
		return err
	}
	config.Threshold = f.millibits(len(pile.inputs))
	if f.explain != "" {
		return a.explainPile(pile, config, at, strings.TrimPrefix(f.explain, "all"))
	}
	return a.fusePile(pile, config, at, f.form, truth)
}

// millibits is the threshold for n reports.
func (f fuseFlags) millibits(n int) int32 {
	switch {
	case f.threshold > 0:
		return int32(f.threshold*1000 + 0.5)
	case f.capacity > 0:
		return fusion.ThresholdFor(f.capacity)
	}
	return max(fusion.ThresholdFor(n), minThreshold)
}

// fusePile correlates what was read and prints it.
func (a *app) fusePile(p pile, config fusion.Config, at time.Time, form string, truth *truth) error {
	start := time.Now()
	situations := fusion.Fuse(p.inputs, config, at)
	took := time.Since(start)
	if err := a.printSituations(situations, form); err != nil {
		return fmt.Errorf("write situations: %w", err)
	}
	fmt.Fprintf(a.err, "%s in %s, %d refused; linked from %.1f bits, in %d ms\n", count(len(p.inputs), "report"), count(len(situations), "situation"),
		p.refused, float64(config.Threshold)/1000, took.Milliseconds())
	if truth != nil {
		truth.score(a.err, situations)
	}
	if p.refused > 0 {
		return failed("refused: %s", count(p.refused, "record"))
	}
	return nil
}

func (a *app) printSituations(situations []fusion.Output, form string) error {
	out := bufio.NewWriterSize(a.out, 1<<20)
	if form == "clusters" {
		return clusters(out, situations)
	}
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for _, s := range situations {
		if err := enc.Encode(s); err != nil {
			return err
		}
	}
	return out.Flush()
}

// recordName is what the source calls a report.
func recordName(r fusion.OutputReport) string {
	if r.Record != "" {
		return r.Record
	}
	return r.ID
}

// clusters writes one row per report: its record and the situation it is in.
func clusters(out *bufio.Writer, situations []fusion.Output) error {
	w := csv.NewWriter(out)
	rows := [][]string{{"record", "situation", "agency", "id"}}
	for _, s := range situations {
		for _, r := range s.Reports {
			rows = append(rows, []string{recordName(r), s.ID, r.Agency, r.ID})
		}
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	return out.Flush()
}
