// Package quality measures how well reports that speak of one thing are brought
// together, on sets whose truth is known. It is what `watchfloor quality` runs.
//
// Every set goes through the shipped mappings and codecs and one engine with
// one table of weights; the threshold follows from the number of reports alone
// (fusion.ThresholdFor). Nothing is fitted to a set, and no truth reaches the
// engine: what says which records belong together is kept beside the reports.
package quality

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/watchfloor/watchfloor/consumers/fusion"
)

// ErrNoCorpus says that the reference data is not there: name its folder.
var ErrNoCorpus = errors.New("the corpus is missing")

// Config says what to measure.
type Config struct {
	// Corpus is the folder of the reference data.
	Corpus string
	// Only names parts; empty is all of Parts.
	Only []string
	// Weights of the evidence; the zero value stands for the default table.
	Weights fusion.Weights
	// Misses is how many wrong and missed pairs of each row to list.
	Misses int
	// Full measures also what takes minutes.
	Full bool
	// Scale divides the size of what is generated, for a short form; 0 is 1.
	Scale int
	// Progress is told what is measured next; may be nil.
	Progress func(what string)
}

// part is one measurement by itself.
type part struct {
	name string
	full bool // takes minutes
	run  func(context.Context, Config) (Row, error)
}

var parts = slices.Concat(labelledParts(), alertParts(), quakeParts(), []part{{"hospitals", false, hospitals}}, madeParts(), exerciseParts())

func (c Config) scaled(n int) int { return n / max(c.Scale, 1) }

// wanted: a part that takes minutes has to be asked for, by name or by Full.
func (c Config) wanted(p part) bool {
	return slices.Contains(c.Only, p.name) || len(c.Only) == 0 && (c.Full || !p.full)
}

// Parts are the names of what can be measured by itself, in the table's order.
func Parts() []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = p.name
	}
	return out
}

// Run measures the parts in the table's order and hands each row to print as
// soon as it is there.
func Run(ctx context.Context, c Config, print func(Row) error) error {
	for _, p := range parts {
		if !c.wanted(p) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if c.Progress != nil {
			c.Progress(p.name)
		}
		r, err := p.run(ctx, c)
		if err != nil {
			return fmt.Errorf("measure %s: %w", p.name, err)
		}
		r.Name = p.name
		if err := print(r); err != nil {
			return err
		}
	}
	return nil
}
