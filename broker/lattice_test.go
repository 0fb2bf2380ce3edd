package broker_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/proof"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// drawn is a cell of a random policy, its label as plain sets.
type drawn struct {
	name  string
	level int
	words map[string]bool // sides and compartments
}

func (d drawn) dominates(o drawn) bool {
	for w := range o.words {
		if !d.words[w] {
			return false
		}
	}
	return d.level >= o.level
}

type drawnReader struct {
	name  string
	cells []string
	feeds []policy.Feed
}

// lattice is a random policy with what was drawn for it.
type lattice struct {
	cells   map[string]drawn
	names   []string
	readers []drawnReader
	text    string
}

var levels = []string{"UNCLASSIFIED", "CUI", "CONFIDENTIAL", "SECRET", "TOP SECRET"}

func drawLattice(t *rapid.T) lattice {
	l := lattice{cells: map[string]drawn{}}
	var b strings.Builder
	b.WriteString("version: 1\ncells:\n")
	seen := map[string]bool{}
	for i := range rapid.IntRange(1, 7).Draw(t, "cells") {
		d := drawn{name: fmt.Sprintf("cell%d", i), level: rapid.IntRange(0, 4).Draw(t, "level"), words: map[string]bool{}}
		var sides, compartments []string
		for _, w := range []string{"LE", "INTEL", "ALPHA", "BRAVO"} {
			if rapid.Bool().Draw(t, w) {
				d.words[w] = true
				if w == "LE" || w == "INTEL" {
					sides = append(sides, w)
				} else {
					compartments = append(compartments, w)
				}
			}
		}
		key := fmt.Sprint(d.level, sides, compartments)
		if seen[key] {
			continue
		}
		seen[key] = true
		l.cells[d.name], l.names = d, append(l.names, d.name)
		fmt.Fprintf(&b, "  - {name: %s, title: T, label: {level: %s, sides: [%s], compartments: [%s]}}\n", d.name, levels[d.level], strings.Join(sides, ", "), strings.Join(compartments, ", "))
	}
	l.agencies(t, &b)
	l.draw(t, &b)
	shipped := string(policy.DefaultYAML())
	tail := shipped[strings.Index(shipped, "\nretention:"):strings.Index(shipped, "\nformats:")]
	l.text = b.String() + tail + "\nformats: []\nrevoked: []\n"
	return l
}

func (l *lattice) agencies(t *rapid.T, b *strings.Builder) {
	b.WriteString("agencies:\n")
	for i := range rapid.IntRange(1, 4).Draw(t, "agencies") {
		fmt.Fprintf(b, "  - name: agency%d\n    title: T\n    type: local\n    submit:\n", i)
		for _, c := range some(t, l.names, "submits to") {
			fmt.Fprintf(b, "      - {cell: %s, kinds: [sar, hazard], statuses: [actual, test]}\n", c)
		}
	}
}

func (l *lattice) draw(t *rapid.T, b *strings.Builder) {
	b.WriteString("readers:\n")
	for i := range rapid.IntRange(1, 3).Draw(t, "readers") {
		r := drawnReader{name: fmt.Sprintf("reader%d", i), cells: some(t, l.names, "cleared for")}
		fmt.Fprintf(b, "  - name: %s\n    title: T\n    type: person\n    purpose: P\n    cells: [%s]\n    feeds:\n", r.name, strings.Join(r.cells, ", "))
		for n := range rapid.IntRange(1, 2).Draw(t, "feeds") {
			f := policy.Feed{
				Name: fmt.Sprintf("feed%d", n), Status: rapid.SampledFrom(subject.Statuses).Draw(t, "feed status"),
				Kind: rapid.SampledFrom([]wf.Kind{0, wf.Kind_KIND_SAR}).Draw(t, "feed kind"), State: rapid.SampledFrom([]string{"", "ms"}).Draw(t, "feed state"),
			}
			r.feeds = append(r.feeds, f)
			fmt.Fprintf(b, "      - {name: %s, status: %s, kind: %q, state: %q}\n", f.Name, subject.StatusToken(f.Status), subject.KindToken(f.Kind), f.State)
		}
		l.readers = append(l.readers, r)
	}
}

// some draws at least one of the names.
func some(t *rapid.T, names []string, what string) []string {
	var out []string
	for _, n := range names {
		if rapid.Bool().Draw(t, what+" "+n) {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		out = []string{rapid.SampledFrom(names).Draw(t, what)}
	}
	return out
}

// matches is the meaning of a filter, written plainly.
func matches(filter, subj string) bool {
	f, s := strings.Split(filter, "."), strings.Split(subj, ".")
	for i, w := range f {
		if w == ">" {
			return len(s) > i
		}
		if i >= len(s) || w != "*" && w != s[i] {
			return false
		}
	}
	return len(f) == len(s)
}

// secondary says that a consumer holds what another of the same principal does:
// of a replay, or of a worker's second seat.
func secondary(name string) bool {
	return strings.HasPrefix(name, "replay_") || strings.HasPrefix(name, "fusion_") && strings.HasSuffix(name, "_2")
}

// pulls counts by principal the consumers of a cell that hold a subject and
// that the principal may pull, without replays, and without the second seats of
// workers unless both are asked for.
func pulls(t *rapid.T, cell proof.Cell, found *proof.Proof, subj string, both bool) map[string]int {
	var holds []string
	for _, c := range cell.Consumers {
		var cfg struct {
			Name    string   `json:"name"`
			Filter  string   `json:"filter_subject"`
			Filters []string `json:"filter_subjects"`
		}
		if err := json.Unmarshal(c.Config, &cfg); err != nil {
			t.Fatal(err)
		}
		if cfg.Filter != "" {
			cfg.Filters = append(cfg.Filters, cfg.Filter)
		}
		if (!secondary(cfg.Name) || both && strings.HasPrefix(cfg.Name, "fusion_")) && slices.ContainsFunc(cfg.Filters, func(f string) bool { return matches(f, subj) }) {
			holds = append(holds, cfg.Name)
		}
	}
	out := map[string]int{}
	for _, s := range found.Standings {
		if s.Cell != cell.Name {
			continue
		}
		mine := map[string]bool{}
		for _, g := range s.Grants {
			for _, e := range g.Effects {
				if _, name := e.Consumer(); e.Request() == "CONSUMER.MSG.NEXT" && slices.Contains(holds, name) {
					mine[name] = true
				}
			}
		}
		out[s.Principal.String()] = len(mine)
	}
	return out
}

// Whatever the lattice, what is compiled is tight, and every report reaches the
// cells that dominate its cell, and the readers cleared for one, exactly once:
// of the originator-controlled ones those that it names.
func TestEveryReportReachesWhatDominatesItOnce(t *testing.T) {
	reached := 0
	rapid.Check(t, func(t *rapid.T) {
		l := drawLattice(t)
		p, err := policy.Parse([]byte(l.text))
		if err != nil {
			t.Fatalf("%v\n%s", err, l.text)
		}
		w, err := broker.Compile(p)
		if err != nil {
			t.Fatal(err)
		}
		found := proof.Prove(w)
		if err := found.Err(); err != nil {
			t.Fatalf("%v\n%s", err, l.text)
		}
		l.tokens(t, w, found)
		for _, cell := range w.Cells {
			for range 4 {
				s, m := drawStored(t, cell, l)
				got := pulls(t, cell, found, s.String(), false)
				reached += l.check(t, s, m, got)
				for who, n := range pulls(t, cell, found, s.String(), true) {
					if strings.HasPrefix(who, "worker/") && n != 2*got[who] {
						t.Fatalf("%s: %s pulls it by %d consumers of both seats and by %d of the first", s, who, n, got[who])
					}
				}
			}
		}
	})
	if reached == 0 {
		t.Error("no report reached anybody: this test tries nothing")
	}
}

// tokens: over HTTP a reader has a token in the cells it is cleared for and in
// no other, and each shows that cell's own label alone.
func (l lattice) tokens(t *rapid.T, w proof.World, found *proof.Proof) {
	for _, s := range found.Standings {
		i := slices.IndexFunc(l.readers, func(r drawnReader) bool { return s.Principal.Kind == proof.Reader && r.name == s.Principal.Name })
		want := i >= 0 && slices.Contains(l.readers[i].cells, s.Cell)
		if (len(s.HTTP) > 0) != want {
			t.Fatalf("%s in %s: %d tokens\n%s", s.Principal, s.Cell, len(s.HTTP), l.text)
		}
		at := slices.IndexFunc(w.Cells, func(c proof.Cell) bool { return c.Name == s.Cell })
		for _, h := range s.HTTP {
			if len(h.Shows) != 1 || h.Shows[0] != w.Cells[at].Label {
				t.Fatalf("%s in %s: its token shows %v\n%s", s.Principal, s.Cell, h.Shows, l.text)
			}
		}
	}
}

func drawStored(t *rapid.T, cell proof.Cell, l lattice) (subject.Stored, *wf.Label) {
	m := &wf.Label{}
	if rapid.Bool().Draw(t, "controlled") {
		m.Controls = []wf.Control{wf.Control_CONTROL_ORCON}
		for _, c := range l.names {
			if c != cell.Name && l.cells[c].dominates(l.cells[cell.Name]) && rapid.Bool().Draw(t, "names "+c) {
				m.OrconCells = append(m.OrconCells, c)
			}
		}
	}
	sub := subject.Submission{
		Status: rapid.SampledFrom(subject.Statuses).Draw(t, "status"), Kind: rapid.SampledFrom(subject.Kinds).Draw(t, "kind"),
		State: rapid.SampledFrom([]string{"ms", "mo", "none", "multi"}).Draw(t, "state"), County: "none", Agency: "agency0",
	}
	at, err := label.New(cell.Label.Level(), cell.Label.Sides(), cell.Label.Compartments()...)
	if err != nil {
		t.Fatal(err)
	}
	return subject.StoredOf(sub, cell.Name, at, m), m
}

// check holds what may be pulled against what should, and counts who reads.
func (l lattice) check(t *rapid.T, s subject.Stored, m *wf.Label, got map[string]int) (read int) {
	may := func(reader string) bool {
		return reader == s.Cell || l.cells[reader].dominates(l.cells[s.Cell]) && (!s.Orcon || slices.Contains(m.OrconCells, reader))
	}
	want := map[string]int{}
	for _, c := range l.names {
		if may(c) {
			want["worker/"+c] = 1
		}
	}
	for _, r := range l.readers {
		for _, f := range r.feeds {
			if f.Status == s.Status && (f.Kind == 0 || f.Kind == s.Kind) && (f.State == "" || f.State == s.State || s.State == "none" || s.State == "multi") && slices.ContainsFunc(r.cells, may) {
				want["reader/"+r.name]++
			}
		}
	}
	for who, n := range want {
		if got[who] != n {
			t.Fatalf("%s: %s pulls it by %d consumers, want %d\n%s", s, who, got[who], n, l.text)
		}
		read++
	}
	for who, n := range got {
		// The guard reads its own cell again, by consumers of its own making.
		if n != want[who] && !strings.HasPrefix(who, "guard/") {
			t.Fatalf("%s: %s pulls it by %d consumers, want %d\n%s", s, who, n, want[who], l.text)
		}
	}
	return read
}
