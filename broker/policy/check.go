package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Reserved names belong to the broker's own parts and to subject tokens.
var Reserved = []string{"api", "backup", "doctor", "guard", "multi", "none", "provision", "restore", "root", "worker"}

// checker turns the file into a policy and collects every problem.
type checker struct {
	where    lines
	problems []Problem
}

func (c *checker) fail(path, format string, args ...any) {
	c.problems = append(c.problems, Problem{Line: c.where.of(path), Path: path, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) policy(f *file) *Policy {
	if f.Version != FormatVersion {
		c.fail("$.version", "is %d; this build reads version %d", f.Version, FormatVersion)
		return nil
	}
	p := &Policy{}
	p.Cells = c.cells(f.Cells)
	c.lattice(p)
	p.Agencies = c.agencies(p, f.Agencies)
	p.Purposes = c.purposes(f.Purposes)
	p.Readers = c.readers(p, f.Readers)
	p.HTTP = c.http(f.HTTP)
	p.Formats = c.formats(p, f.Formats)
	p.markings = c.markings(f.Markings)
	p.retention = c.retention(f.Retention)
	p.windows = c.windows(f.Windows)
	p.Limits = c.limits(f.Limits)
	p.History = c.span("$.history", f.History)
	p.Revoked = c.revoked(f.Revoked)
	slices.SortFunc(f.Cells, func(a, b cellEntry) int { return compare(a.Name, b.Name) })
	slices.SortFunc(f.Agencies, func(a, b agencyEntry) int { return compare(a.Name, b.Name) })
	slices.SortFunc(f.Readers, func(a, b readerEntry) int { return compare(a.Name, b.Name) })
	slices.SortFunc(f.Purposes, func(a, b purposeEntry) int { return compare(a.Name, b.Name) })
	slices.SortFunc(f.Formats, func(a, b formatEntry) int { return compare(a.Name, b.Name) })
	slices.Sort(f.Revoked)
	return p
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// name checks a name: wildcards, dots and capitals have no place in a subject
// token, and a token that expands to a wildcard would be somebody else's.
func (c *checker) name(path, name string) bool {
	if !subject.Word(name) {
		c.fail(path, "%q is no name; use 2 to 32 of a-z, 0-9 and '-', not starting with '-'", name)
		return false
	}
	// A worker is answered in the inbox of worker-CELL.
	if slices.Contains(Reserved, name) || strings.HasPrefix(name, "worker-") {
		c.fail(path, "%q is reserved for the broker; choose another name", name)
		return false
	}
	return true
}

func (c *checker) label(path string, e labelEntry) label.Label {
	level, err := label.ParseLevel(e.Level)
	if err != nil {
		c.fail(path+".level", "%v", err)
		return label.Label{}
	}
	var sides label.Sides
	for i, s := range e.Sides {
		side, err := label.ParseSide(s)
		if err != nil {
			c.fail(fmt.Sprintf("%s.sides[%d]", path, i), "%v", err)
			return label.Label{}
		}
		if sides.Contains(side) {
			c.fail(fmt.Sprintf("%s.sides[%d]", path, i), "side %s is named twice", s)
		}
		sides |= side
	}
	l, err := label.New(level, sides, e.Compartments...)
	if err != nil {
		c.fail(path, "%v", err)
	}
	return l
}

func (c *checker) cells(entries []cellEntry) []Cell {
	if len(entries) == 0 {
		c.fail("$.cells", "name at least one cell")
	}
	var out []Cell
	for i, e := range entries {
		path := fmt.Sprintf("$.cells[%d]", i)
		if !c.name(path+".name", e.Name) {
			continue
		}
		if slices.ContainsFunc(out, func(o Cell) bool { return o.Name == e.Name }) {
			c.fail(path+".name", "cell %q is named twice", e.Name)
			continue
		}
		cell := Cell{Name: e.Name, Title: e.Title, Label: c.label(path+".label", e.Label)}
		c.title(path, e.Title)
		if e.Quota != "" {
			n, err := size(e.Quota)
			if err != nil {
				c.fail(path+".quota", "%v", err)
			}
			cell.Quota = n
		}
		out = append(out, cell)
	}
	slices.SortFunc(out, func(a, b Cell) int { return compare(a.Name, b.Name) })
	return out
}

// lattice refuses two cells of one label, which would read each other, and
// more cells above one than a reader's filters can name.
func (c *checker) lattice(p *Policy) {
	for i, a := range p.Cells {
		for _, b := range p.Cells[i+1:] {
			if !a.Label.IsZero() && a.Label == b.Label {
				c.fail("$.cells", "cells %q and %q have the same label and would read each other; give one a compartment", a.Name, b.Name)
			}
		}
		if n := len(p.Above(a.Name)); n > subject.MaxCellsAbove {
			c.fail("$.cells", "%d cells dominate %q; at most %d may", n, a.Name, subject.MaxCellsAbove)
		}
	}
}

func (c *checker) title(path, title string) {
	if strings.TrimSpace(title) == "" || len(title) > 200 {
		c.fail(path+".title", "write a title of at most 200 bytes")
	}
}

func (c *checker) span(path, s string) time.Duration {
	d, err := span(s)
	if err != nil {
		c.fail(path, "%v", err)
	}
	return d
}

var classWords = map[string]wf.RecordClass{
	"public_alert": wf.RecordClass_RECORD_CLASS_PUBLIC_ALERT, "tip_or_lead": wf.RecordClass_RECORD_CLASS_TIP_OR_LEAD,
	"sar": wf.RecordClass_RECORD_CLASS_SAR, "ise_sar": wf.RecordClass_RECORD_CLASS_ISE_SAR,
	"criminal_intelligence": wf.RecordClass_RECORD_CLASS_CRIMINAL_INTELLIGENCE,
	"intelligence":          wf.RecordClass_RECORD_CLASS_INTELLIGENCE, "incident": wf.RecordClass_RECORD_CLASS_INCIDENT,
	"cyber": wf.RecordClass_RECORD_CLASS_CYBER, "asset": wf.RecordClass_RECORD_CLASS_ASSET,
}

// fiveYears is the longest that criminal intelligence may be kept without a
// review (28 CFR 23.20(h)).
const fiveYears = 5 * 365 * day

func (c *checker) retention(in map[string]string) map[wf.RecordClass]time.Duration {
	out := map[wf.RecordClass]time.Duration{}
	for _, word := range sortedKeys(in) {
		path := "$.retention." + word
		class, ok := classWords[word]
		if !ok {
			c.fail(path, "unknown record class; use one of %s", strings.Join(sortedKeys(classWords), ", "))
			continue
		}
		d := c.span(path, in[word])
		if class == wf.RecordClass_RECORD_CLASS_CRIMINAL_INTELLIGENCE && d > fiveYears {
			c.fail(path, "is longer than five years (1825d), which 28 CFR 23.20(h) does not allow")
		}
		out[class] = d
	}
	for _, word := range sortedKeys(classWords) {
		if _, ok := out[classWords[word]]; !ok && in[word] == "" {
			c.fail("$.retention", "record class %q is missing; say how long it is kept", word)
		}
	}
	return out
}

// windows needs every kind, so that "never expires" is said, not forgotten.
func (c *checker) windows(in map[string]string) map[wf.Kind]time.Duration {
	out := map[wf.Kind]time.Duration{}
	for _, word := range sortedKeys(in) {
		kind, err := subject.ParseKind(word)
		if err != nil {
			c.fail("$.windows."+word, "%v", err)
			continue
		}
		if in[word] != "never" {
			out[kind] = c.span("$.windows."+word, in[word])
		}
	}
	for _, k := range subject.Kinds {
		if _, ok := in[subject.KindToken(k)]; !ok {
			c.fail("$.windows", "kind %q is missing; give a time or \"never\"", subject.KindToken(k))
		}
	}
	return out
}

// hardMaxReport is the largest report the wire allows; see package report.
const hardMaxReport = 1 << 20

// MaxBatch is the most that limits.max_batch may say; the server is set up for it.
const MaxBatch = 16000

func (c *checker) limits(e limitsEntry) Limits {
	l := Limits{MaxBatch: e.MaxBatch, MaxClockSkew: c.span("$.limits.max_clock_skew", e.MaxClockSkew)}
	n, err := size(e.MaxReport)
	if err != nil {
		c.fail("$.limits.max_report", "%v", err)
	} else if n > hardMaxReport {
		c.fail("$.limits.max_report", "is over 1MiB, which no report may be")
	}
	l.MaxReport = int(n)
	if e.MaxBatch < 2 || e.MaxBatch > MaxBatch {
		c.fail("$.limits.max_batch", "is %d; use 2 to %d", e.MaxBatch, MaxBatch)
	}
	return l
}

func (c *checker) formats(p *Policy, entries []formatEntry) []Format {
	var out []Format
	for i, e := range entries {
		path := fmt.Sprintf("$.formats[%d]", i)
		a, ok := p.Agency(e.Agency)
		if !subject.Word(e.Name) {
			c.fail(path+".name", "%q is no format name", e.Name)
		}
		if slices.ContainsFunc(out, func(o Format) bool { return o.Name == e.Name }) {
			c.fail(path+".name", "format %q is named twice", e.Name)
		}
		if !ok {
			c.fail(path+".agency", "there is no agency %q", e.Agency)
		} else if _, ok := a.Grant(e.Cell); !ok {
			c.fail(path+".cell", "agency %q may not submit to cell %q", e.Agency, e.Cell)
		}
		out = append(out, Format(e))
	}
	slices.SortFunc(out, func(a, b Format) int { return compare(a.Name, b.Name) })
	return out
}

func (c *checker) revoked(in []string) []string {
	for i, k := range in {
		if len(k) != 56 || k[0] != 'U' || strings.Trim(k, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
			c.fail(fmt.Sprintf("$.revoked[%d]", i), "is no public key of a user; it starts with U and has 56 letters and digits")
		}
	}
	out := slices.Clone(in)
	slices.Sort(out)
	return out
}
