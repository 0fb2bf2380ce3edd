package scorecard

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Render writes the cards as a table, then what fails, then the verdict.
func Render(w io.Writer, cards []Card) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "cell\treports\tsituations\tevents\tprecision\trecall\tF1\tplot\tdecoy\tapart\t")
	for _, c := range cards {
		apart := "yes"
		if c.Mixed > 0 {
			apart = "NO"
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.4f\t%.4f\t%.4f\t%s\t%s\t%s\t\n", c.Cell, c.Reports, c.Situations, c.Events, c.Precision(), c.Recall(), c.F1(), c.Plot, c.Decoy, apart)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write scorecard: %w", err)
	}
	for _, c := range cards {
		for _, f := range c.Failures() {
			if _, err := fmt.Fprintln(w, "FAIL  "+f); err != nil {
				return fmt.Errorf("write scorecard: %w", err)
			}
		}
	}
	verdict := "passed"
	if !Passed(cards) {
		verdict = "not passed"
	}
	if _, err := fmt.Fprintln(w, "scorecard: "+verdict); err != nil {
		return fmt.Errorf("write scorecard: %w", err)
	}
	return nil
}

// String is "12 in 1": so many reports in so many situations.
func (p Part) String() string {
	if p.Reports == 0 {
		return "-"
	}
	return fmt.Sprintf("%d in %d", p.Reports, p.Situations)
}
