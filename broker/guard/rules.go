package guard

import (
	"errors"
	"fmt"

	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Rules are what one cell's guard admits, compiled from the policy. They are
// allow-lists: what they do not name is refused. Do not change them in use.
type Rules struct {
	// Cell and Label of the cell that admits.
	Cell  string
	Label label.Label
	// Above are the cells that dominate this one: those that the originator of
	// an ORCON report may name.
	Above map[string]bool
	// Agencies that may submit here, by token.
	Agencies map[string]Agency
	// Classes of record that the cell has a retention rule for.
	Classes map[wf.RecordClass]bool
	// MaxReport is the largest report in bytes, at most report.MaxSize.
	MaxReport int
	// Limits of clocks and lists.
	Limits report.Limits
	// Version of the policy, for the record.
	Version string
}

// Agency is what one agency may submit here.
type Agency struct {
	Kinds    map[wf.Kind]bool
	Statuses map[wf.Status]bool
}

// Check says what is missing from the rules. Rules that fail it admit nothing.
func (r *Rules) Check() error {
	switch {
	case r == nil:
		return errors.New("check rules: there are none")
	case !subject.Word(r.Cell):
		return fmt.Errorf("check rules: cell %q is no name: use 2 to 32 of a-z, 0-9 and '-'", r.Cell)
	case r.Label.IsZero():
		return fmt.Errorf("check rules of cell %s: the cell has no label", r.Cell)
	case r.Above[r.Cell]:
		return fmt.Errorf("check rules of cell %s: it stands above itself", r.Cell)
	case r.MaxReport <= 0 || r.MaxReport > report.MaxSize:
		return fmt.Errorf("check rules of cell %s: max report is %d bytes: use 1 to %d", r.Cell, r.MaxReport, report.MaxSize)
	case len(r.Classes) == 0:
		return fmt.Errorf("check rules of cell %s: no record class has a retention rule", r.Cell)
	case r.Version == "" || !token(r.Version):
		return fmt.Errorf("check rules of cell %s: policy version %q: use 1 to 64 visible characters without spaces", r.Cell, r.Version)
	}
	for a := range r.Agencies {
		if !subject.Word(a) {
			return fmt.Errorf("check rules of cell %s: agency %q is no name", r.Cell, a)
		}
	}
	return nil
}

// usable is the part of Check that every examination repeats.
func (r *Rules) usable() bool { return r != nil && !r.Label.IsZero() && r.MaxReport > 0 }

func token(s string) bool {
	if len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
