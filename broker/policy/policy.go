// Package policy is what a Watchfloor broker may do, read from one file: the
// cells with their labels, the agencies with what each may submit where, the
// readers with what each may follow, retention, windows, markings and limits.
//
// A policy is parsed strictly and checked whole before anything uses it: an
// unknown key, a duplicate name or a label that does not fit is refused with
// its line and path. What a policy does not name is denied.
//
// It holds no keys and talks to nobody: package account turns a policy into
// credentials, package stream into streams and consumers. It reads no clock.
package policy

import (
	"maps"
	"slices"
	"time"

	"github.com/watchfloor/watchfloor/proto/label"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Policy is a checked policy. It is read only and safe to share.
type Policy struct {
	// Version is a short hash of the canonical policy: equal policies, equal
	// versions, whatever the order of their entries or comments.
	Version string
	// Cells, Agencies, Readers, Purposes and Formats are sorted by name.
	Cells    []Cell
	Agencies []Agency
	Readers  []Reader
	Formats  []Format
	// Purposes is the closed list of what anybody may read for; empty in files
	// of before there was one, where each reader's own words stand.
	Purposes []Purpose
	// HTTP bounds tokens and their use.
	HTTP HTTP
	// Revoked lists the public keys of users whose credentials no longer hold.
	Revoked []string
	Limits  Limits
	// History is how long the frames of a picture are kept.
	History time.Duration

	retention map[wf.RecordClass]time.Duration
	windows   map[wf.Kind]time.Duration
	markings  markings
}

// Cell is one access label with its account, streams, fusion and snapshot.
type Cell struct {
	Name  string
	Title string
	Label label.Label
	// Quota bounds what the cell may store, in bytes; zero is no bound.
	Quota int64
}

// AgencyType says what kind of body an agency is.
type AgencyType string

// The agency types.
const (
	Federal AgencyType = "federal"
	State   AgencyType = "state"
	Local   AgencyType = "local"
	Tribal  AgencyType = "tribal"
	Private AgencyType = "private"
)

// Agency publishes reports.
type Agency struct {
	Name  string
	Title string
	Type  AgencyType
	// ExpectEvery is how often the agency is heard when all is well; zero: no expectation.
	ExpectEvery time.Duration
	// Grants is what it may submit, sorted by cell, at most one per cell.
	Grants []Grant
	// Certificates are the names that its client certificate may carry, sorted,
	// in lower case; the agency's own unless the policy names others.
	Certificates []string
}

// Grant is what an agency may submit to one cell.
type Grant struct {
	Cell     string
	Kinds    []wf.Kind
	Statuses []wf.Status
	// Default is the label of a report that comes without a marking.
	Default label.Label
}

// Grant returns what the agency may submit to cell.
func (a Agency) Grant(cell string) (Grant, bool) {
	for _, g := range a.Grants {
		if g.Cell == cell {
			return g, true
		}
	}
	return Grant{}, false
}

// ReaderType is a person or a service.
type ReaderType string

// The reader types.
const (
	Person  ReaderType = "person"
	Service ReaderType = "service"
)

// Reader follows feeds and pictures.
type Reader struct {
	Name  string
	Title string
	Type  ReaderType
	// Cells the reader is cleared for, sorted. Feeds reach every cell these dominate.
	Cells []string
	// Purpose is why the reader may read, the first of Purposes. A token names
	// one of them, and so does the record of what is read with it.
	Purpose  string
	Purposes []string
	Feeds    []Feed
	// Certificates are the names of which its client certificate must carry one;
	// none: it needs no certificate.
	Certificates []string
}

// Feed is a durable subscription provisioned for a reader.
type Feed struct {
	Name   string
	Status wf.Status
	Kind   wf.Kind
	State  string
	County string
	Agency string
}

// Format says as which agency and into which cell a file format is submitted
// when the sender does not say.
type Format struct {
	Name   string
	Agency string
	Cell   string
}

// Limits bound what one report and one commit may be.
type Limits struct {
	// MaxReport is the largest report in bytes.
	MaxReport int
	// MaxClockSkew is how far in the future a report's times may lie.
	MaxClockSkew time.Duration
	// MaxBatch is how many reports the guard commits at once.
	MaxBatch int
}

// Cell returns the cell of the name.
func (p *Policy) Cell(name string) (Cell, bool) {
	i, ok := slices.BinarySearchFunc(p.Cells, name, func(c Cell, n string) int { return compare(c.Name, n) })
	if !ok {
		return Cell{}, false
	}
	return p.Cells[i], true
}

// Agency returns the agency of the name.
func (p *Policy) Agency(name string) (Agency, bool) {
	i, ok := slices.BinarySearchFunc(p.Agencies, name, func(a Agency, n string) int { return compare(a.Name, n) })
	if !ok {
		return Agency{}, false
	}
	return p.Agencies[i], true
}

// Reader returns the reader of the name.
func (p *Policy) Reader(name string) (Reader, bool) {
	i, ok := slices.BinarySearchFunc(p.Readers, name, func(r Reader, n string) int { return compare(r.Name, n) })
	if !ok {
		return Reader{}, false
	}
	return p.Readers[i], true
}

// Format returns the default agency and cell of a file format.
func (p *Policy) Format(name string) (Format, bool) {
	for _, f := range p.Formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// CellNames lists every cell, sorted.
func (p *Policy) CellNames() []string {
	out := make([]string, len(p.Cells))
	for i, c := range p.Cells {
		out[i] = c.Name
	}
	return out
}

// Dominated lists the other cells whose reports the cell may read, sorted.
func (p *Policy) Dominated(cell string) []string {
	c, ok := p.Cell(cell)
	if !ok {
		return nil
	}
	return p.where(func(o Cell) bool { return o.Name != cell && c.Label.Dominates(o.Label) })
}

// Above lists the other cells that may read the cell's reports, sorted.
func (p *Policy) Above(cell string) []string {
	c, ok := p.Cell(cell)
	if !ok {
		return nil
	}
	return p.where(func(o Cell) bool { return o.Name != cell && o.Label.Dominates(c.Label) })
}

func (p *Policy) where(keep func(Cell) bool) []string {
	var out []string
	for _, c := range p.Cells {
		if keep(c) {
			out = append(out, c.Name)
		}
	}
	return out
}

// Readable lists the cells a reader of the name may follow feeds in: those it
// is cleared for and all they dominate, sorted.
func (p *Policy) Readable(reader string) []string {
	r, ok := p.Reader(reader)
	if !ok {
		return nil
	}
	var out []string
	for _, c := range r.Cells {
		out = append(append(out, c), p.Dominated(c)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Cleared says whether the reader is cleared for the cell itself, and so may
// see its picture.
func (p *Policy) Cleared(reader, cell string) bool {
	r, ok := p.Reader(reader)
	return ok && slices.Contains(r.Cells, cell)
}

// MaySubmit says whether the agency may submit such a report to the cell.
func (p *Policy) MaySubmit(agency, cell string, status wf.Status, kind wf.Kind) bool {
	a, ok := p.Agency(agency)
	if !ok {
		return false
	}
	g, ok := a.Grant(cell)
	return ok && slices.Contains(g.Statuses, status) && slices.Contains(g.Kinds, kind)
}

// AgenciesOf lists the agencies that may submit to the cell, sorted.
func (p *Policy) AgenciesOf(cell string) []string {
	var out []string
	for _, a := range p.Agencies {
		if _, ok := a.Grant(cell); ok {
			out = append(out, a.Name)
		}
	}
	return out
}

// Retention is how long records of the class may be kept; a class the policy
// does not name may not be stored at all.
func (p *Policy) Retention(class wf.RecordClass) (time.Duration, bool) {
	d, ok := p.retention[class]
	return d, ok
}

// LongestRetention is the longest of all classes.
func (p *Policy) LongestRetention() time.Duration {
	var longest time.Duration
	for _, d := range p.retention {
		longest = max(longest, d)
	}
	return longest
}

// Windows is how long a report of each kind stays live in fusion after its
// event has ended; a missing kind never expires. The map is the caller's own.
func (p *Policy) Windows() map[wf.Kind]time.Duration { return maps.Clone(p.windows) }

// Retentions is how long records of every class may be kept. The map is the
// caller's own.
func (p *Policy) Retentions() map[wf.RecordClass]time.Duration { return maps.Clone(p.retention) }
