package quality

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	score "github.com/watchfloor/watchfloor/consumers/fusion/quality"
)

// Print writes the rows as one table, with published figures under their set,
// and after it the misses that were asked for.
func Print(w io.Writer, rows []Row) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SET\tREPORTS\tTRUE PAIRS\tBITS\tP\tR\tF1\tB3 P\tB3 R\tB3 F1\tBLOCKING\tLARGEST\tTIME\tMB\tTARGET")
	for _, r := range rows {
		if r.Unscored {
			fmt.Fprintf(tw, "%s\t%d\t-\t%.2f\t-\t-\t-\t-\t-\t-\t-\t%d\t\t\t%s\n", r.Name, r.Reports, r.Threshold, r.Largest, r.Found[0])
			continue
		}
		fmt.Fprintf(tw, "%s\t%d\t%d\t%.2f\t%s\t%s\t%.4f\t%d\t%s\t%.0f\t%s\n", r.Name, r.Reports, r.Pairs.Expected, r.Threshold,
			three(r.Pairs), three(r.BCubed), r.Blocking, r.Largest, duration(r.Seconds), r.HeapMB, targets(r.Targets)+events(r.Merged))
		for _, p := range r.Published {
			fmt.Fprintf(tw, "  %s\t\t\t\t%s\t%s\t%.4f\t\t\t\t\t\t\t\t\n", p.Who, known(p.Precision), known(p.Recall), p.F1)
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	sources(w, rows)
	for _, r := range rows {
		if len(rows) == 1 { // the list is long: for who asks for this part
			for _, line := range r.Found[min(1, len(r.Found)):] {
				fmt.Fprintln(w, line)
			}
		}
		printMisses(w, r)
	}
	return nil
}

func three(s score.Score) string {
	return fmt.Sprintf("%.4f\t%.4f\t%.4f", s.Precision, s.Recall, s.F1)
}

// known is a published figure; "-" where none was published.
func known(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4f", v)
}

func duration(seconds float64) string {
	if seconds < 10 {
		return fmt.Sprintf("%.2f s", seconds)
	}
	return fmt.Sprintf("%.0f s", seconds)
}

func targets(list []Target) string {
	var out []string
	for _, t := range list {
		mark := "pass"
		if !t.Passed {
			mark = "MISSED"
		}
		goal := fmt.Sprintf("%s >= %g", t.What, t.AtLeast)
		if t.None {
			goal = "no " + t.What
			if t.Got > 0 {
				goal += fmt.Sprintf(" (%.0f)", t.Got)
			}
		}
		out = append(out, goal+": "+mark)
	}
	return strings.Join(out, ", ")
}

func events(merged int) string {
	if merged == 0 {
		return ""
	}
	return fmt.Sprintf(" (%d ordinary events are)", merged)
}

// sources says where the published figures stand.
func sources(w io.Writer, rows []Row) {
	said := map[string]bool{}
	for _, r := range rows {
		for _, p := range r.Published {
			if !said[p.Source] {
				said[p.Source] = true
				fmt.Fprintf(w, "published for %s: %s\n", r.Name, p.Source)
			}
		}
	}
}

func printMisses(w io.Writer, r Row) {
	for _, m := range r.Misses {
		what := "missed"
		switch {
		case m.Wrong:
			what = "wrong"
		case !m.Proposed:
			what = "missed, never compared"
		}
		fmt.Fprintf(w, "\n%s: %s: %s and %s, %.1f bits of %.1f: %s\n  %s\n  %s\n", r.Name, what, m.A, m.B, m.Bits, r.Threshold,
			strings.Join(m.Why, ", "), m.SaysA, m.SaysB)
	}
}
