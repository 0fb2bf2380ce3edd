// Package scorecard compares the picture of each cell with the truth of an
// exercise: how many pairs of reports it puts together rightly, and whether it
// sees the plot, and the decoy apart from it.
//
// It judges a cell by what its own label may read, and by nothing else. It does
// not know how a picture was made: it takes situations, from an engine, a
// snapshot or an API.
package scorecard

import (
	"slices"
	"time"

	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/proto/label"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Cell is a cell of the policy and what it may read.
type Cell struct {
	Name  string
	Label label.Label
}

// ExerciseCells are the cells of the default policy, low to high.
func ExerciseCells() []Cell {
	out := make([]Cell, 0, len(exercise.Cells))
	for _, name := range exercise.Cells {
		out = append(out, Cell{Name: name, Label: exercise.CellLabel(name)})
	}
	return out
}

// Book keeps what was submitted: for every report its event, its latest
// revision and who may read it. It keeps no content.
type Book struct {
	cells   []Cell
	entries map[exercise.Key]*entry
	events  map[string]int32 // number of an event, from 1
	names   []string         // by number
}

type entry struct {
	event     int32 // 0: belongs to nothing
	revision  uint64
	withdrawn bool
	orcon     bool
	named     []string // cells that may read an ORCON report
	kind      wf.Kind
	until     time.Time // when its event has ended or it has expired, whichever is later
}

// NewBook makes an empty book for the cells of a policy.
func NewBook(cells []Cell) *Book {
	return &Book{cells: cells, entries: map[exercise.Key]*entry{}, events: map[string]int32{}, names: []string{""}}
}

// Observe enters a step. Steps may come in any order and more than once.
func (b *Book) Observe(s exercise.Step) {
	r := s.Report
	e := b.entries[s.Key()]
	if e == nil {
		e = &entry{event: b.number(s.Event)}
		b.entries[s.Key()] = e
	}
	if r.GetRevision() <= e.revision {
		return
	}
	e.revision = r.GetRevision()
	e.withdrawn = r.GetState() == wf.ReportState_REPORT_STATE_WITHDRAWN
	e.orcon = slices.Contains(r.GetLabel().GetControls(), wf.Control_CONTROL_ORCON)
	e.named = r.GetLabel().GetOrconCells()
	e.kind, e.until = r.GetKind(), end(r)
}

func (b *Book) number(event string) int32 {
	if event == "" {
		return 0
	}
	n, ok := b.events[event]
	if !ok {
		n = int32(len(b.names))
		b.events[event] = n
		b.names = append(b.names, event)
	}
	return n
}

// end is when the report stops to hold by itself.
func end(r *wf.Report) time.Time {
	t := r.GetReportTime().AsTime()
	switch e := r.GetEventTime(); {
	case e.GetEnd() != nil:
		t = e.GetEnd().AsTime()
	case e.GetStart() != nil:
		t = e.GetStart().AsTime()
	}
	if x := r.GetExpires(); x != nil && x.AsTime().After(t) {
		t = x.AsTime()
	}
	return t
}

// Moment is when a picture was taken, and how long reports stay in it.
type Moment struct {
	// Tick of the picture; zero: nothing has run out.
	Tick time.Time
	// Windows says how long a report of a kind stays after its end; missing or
	// zero: for ever.
	Windows map[wf.Kind]time.Duration
}

// gone says whether a report has run out of the picture.
func (m Moment) gone(e *entry) bool {
	w := m.Windows[e.kind]
	return w > 0 && !m.Tick.IsZero() && !e.until.Add(w).After(m.Tick)
}

// reads says whether a cell's picture may hold the report.
func (b *Book) reads(c Cell, k exercise.Key, e *entry) bool {
	if k.Cell == c.Name {
		return true
	}
	i := slices.IndexFunc(b.cells, func(x Cell) bool { return x.Name == k.Cell })
	return i >= 0 && c.Label.Dominates(b.cells[i].Label) && (!e.orcon || slices.Contains(e.named, c.Name))
}

// Reads says whether a cell's worker would be handed a step: by the cell's
// label, and by the cells an ORCON report names.
func (b *Book) Reads(c Cell, s exercise.Step) bool {
	l := s.Report.GetLabel()
	return b.reads(c, s.Key(), &entry{orcon: slices.Contains(l.GetControls(), wf.Control_CONTROL_ORCON), named: l.GetOrconCells()})
}
