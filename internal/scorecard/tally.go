package scorecard

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/watchfloor/watchfloor/producers/exercise"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// tally counts one cell.
type tally struct {
	book    *Book
	cell    Cell
	expects map[exercise.Key]int32 // event of every report the picture must hold
	sum     Card
	seen    map[exercise.Key]bool
	pieces  map[int32][]int // per event, reports in each situation
}

func newTally(b *Book, c Cell, m Moment) *tally {
	t := &tally{book: b, cell: c, expects: map[exercise.Key]int32{}, seen: map[exercise.Key]bool{}, pieces: map[int32][]int{}}
	for k, e := range b.entries {
		if !e.withdrawn && b.reads(c, k, e) && !m.gone(e) {
			t.expects[k] = e.event
		}
	}
	return t
}

// add counts a situation.
func (t *tally) add(s *wf.Situation) error {
	if n := len(s.GetMembers()); int(s.GetSize()) > n {
		return fmt.Errorf("score %s: situation %s is of %d reports and lists %d: a mass situation cannot be scored from its picture", t.cell.Name, s.GetId(), s.GetSize(), n)
	}
	t.sum.Situations++
	parts := map[int32]int{}
	alone := 0
	for _, member := range s.GetMembers() {
		k := exercise.Key{Cell: member.GetCell(), Agency: member.GetAgency(), ID: member.GetReportId()}
		if t.seen[k] {
			return fmt.Errorf("score %s: report %s of %s stands in the picture twice", t.cell.Name, k.ID, k.Agency)
		}
		t.seen[k] = true
		event, ok := t.expects[k]
		switch {
		case !ok:
			t.sum.Foreign++
			alone++
		case event == 0:
			alone++
		default:
			parts[event]++
		}
	}
	t.claim(s.GetId(), parts, alone)
	return nil
}

// claim counts the pairs of a situation.
func (t *tally) claim(id string, parts map[int32]int, alone int) {
	n := alone
	var right int64
	for event, k := range parts {
		n += k
		right += pairs(k)
		t.pieces[event] = append(t.pieces[event], k)
	}
	t.sum.Claimed += pairs(n)
	t.sum.Right += right
	if wrong := pairs(n) - right; wrong > 0 {
		f := Fault{Name: id, Pairs: wrong}
		for _, event := range slices.Sorted(maps.Keys(parts)) {
			f.Parts = append(f.Parts, parts[event])
			f.Name += " " + t.book.names[event]
		}
		for range alone {
			f.Parts = append(f.Parts, 1)
		}
		t.sum.Worst = append(t.sum.Worst, f)
	}
	if parts[t.book.events[exercise.EventPlot]] > 0 && parts[t.book.events[exercise.EventDecoy]] > 0 {
		t.sum.Mixed++
	}
}

// card closes the count.
func (t *tally) card() Card {
	c := t.sum
	c.Cell, c.Reports = t.cell.Name, len(t.expects)
	sizes := map[int32]int{}
	for k, event := range t.expects {
		if event != 0 {
			sizes[event]++
		}
		if !t.seen[k] {
			c.Missing++
			if event != 0 {
				t.pieces[event] = append(t.pieces[event], 1)
			}
		}
	}
	for event, n := range sizes {
		c.True += pairs(n)
		if n > 1 {
			c.Events++
		}
		missed := pairs(n)
		for _, k := range t.pieces[event] {
			missed -= pairs(k)
		}
		if missed > 0 {
			slices.Sort(t.pieces[event])
			c.Missed = append(c.Missed, Fault{Name: t.book.names[event], Pairs: missed, Parts: t.pieces[event]})
		}
	}
	c.Plot, c.Decoy = t.part(exercise.EventPlot, sizes), t.part(exercise.EventDecoy, sizes)
	c.Worst, c.Missed = worst(c.Worst), worst(c.Missed)
	return c
}

func (t *tally) part(event string, sizes map[int32]int) Part {
	n, ok := t.book.events[event]
	if !ok {
		return Part{}
	}
	return Part{Reports: sizes[n], Situations: len(t.pieces[n])}
}

// keep is how many faults a card shows.
const keep = 10

func worst(list []Fault) []Fault {
	slices.SortFunc(list, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(b.Pairs, a.Pairs), cmp.Compare(a.Name, b.Name))
	})
	return list[:min(len(list), keep)]
}

func pairs(n int) int64 { return int64(n) * int64(n-1) / 2 }
