package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var agencyTypes = []AgencyType{Federal, State, Local, Tribal, Private}

func (c *checker) agencies(p *Policy, entries []agencyEntry) []Agency {
	var out []Agency
	for i, e := range entries {
		path := fmt.Sprintf("$.agencies[%d]", i)
		if !c.name(path+".name", e.Name) {
			continue
		}
		if slices.ContainsFunc(out, func(o Agency) bool { return o.Name == e.Name }) {
			c.fail(path+".name", "agency %q is named twice", e.Name)
			continue
		}
		c.title(path, e.Title)
		a := Agency{Name: e.Name, Title: e.Title, Type: AgencyType(e.Type)}
		if !slices.Contains(agencyTypes, a.Type) {
			c.fail(path+".type", "%q is no agency type; use federal, state, local, tribal or private", e.Type)
		}
		if e.ExpectEvery != "" {
			a.ExpectEvery = c.span(path+".expect_every", e.ExpectEvery)
		}
		if len(e.Submit) == 0 {
			c.fail(path+".submit", "name at least one cell the agency submits to")
		}
		a.Grants = c.grants(p, path, e.Submit)
		if a.Certificates = c.certificates(path, e.Certificates); len(e.Certificates) == 0 {
			a.Certificates = []string{a.Name}
		}
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b Agency) int { return compare(a.Name, b.Name) })
	return out
}

func (c *checker) grants(p *Policy, agency string, entries []grantEntry) []Grant {
	var out []Grant
	for i, e := range entries {
		path := fmt.Sprintf("%s.submit[%d]", agency, i)
		cell, ok := p.Cell(e.Cell)
		if !ok {
			c.fail(path+".cell", "there is no cell %q", e.Cell)
			continue
		}
		if slices.ContainsFunc(out, func(o Grant) bool { return o.Cell == e.Cell }) {
			c.fail(path+".cell", "cell %q is named twice", e.Cell)
			continue
		}
		g := Grant{Cell: e.Cell, Default: cell.Label}
		g.Kinds = words(c, path+".kinds", e.Kinds, subject.ParseKind)
		g.Statuses = words(c, path+".statuses", e.Statuses, subject.ParseStatus)
		if e.Label != nil {
			g.Default = c.defaultLabel(path+".label", cell, *e.Label)
		}
		out = append(out, g)
	}
	slices.SortFunc(out, func(a, b Grant) int { return compare(a.Cell, b.Cell) })
	return out
}

// defaultLabel must fit the cell, or every report without a marking would be refused.
func (c *checker) defaultLabel(path string, cell Cell, e labelEntry) label.Label {
	l := c.label(path, e)
	switch {
	case l.IsZero():
	case !cell.Label.Dominates(l):
		c.fail(path, "%s is above the cell's label %s", l, cell.Label)
	case l.Sides() != cell.Label.Sides():
		c.fail(path, "%s and the cell's label %s have different sides", l, cell.Label)
	}
	return l
}

// words reads a list of tokens, each at most once, at least one.
func words[T comparable](c *checker, path string, in []string, parse func(string) (T, error)) []T {
	var out []T
	for i, w := range in {
		v, err := parse(w)
		if err != nil {
			c.fail(fmt.Sprintf("%s[%d]", path, i), "%v", err)
			continue
		}
		if slices.Contains(out, v) {
			c.fail(fmt.Sprintf("%s[%d]", path, i), "%q is named twice", w)
			continue
		}
		out = append(out, v)
	}
	if len(in) == 0 {
		c.fail(path, "name at least one; what is not named is denied")
	}
	return out
}

func (c *checker) readers(p *Policy, entries []readerEntry) []Reader {
	var out []Reader
	for i, e := range entries {
		path := fmt.Sprintf("$.readers[%d]", i)
		if !c.name(path+".name", e.Name) {
			continue
		}
		if slices.ContainsFunc(out, func(o Reader) bool { return o.Name == e.Name }) {
			c.fail(path+".name", "reader %q is named twice", e.Name)
			continue
		}
		if _, clash := p.Agency(e.Name); clash {
			c.fail(path+".name", "%q is the name of an agency; a reader needs its own", e.Name)
			continue
		}
		c.title(path, e.Title)
		r := Reader{Name: e.Name, Title: e.Title, Type: ReaderType(e.Type), Purposes: c.readerPurposes(p, path, e)}
		r.Purpose = r.Purposes[0]
		if r.Type != Person && r.Type != Service {
			c.fail(path+".type", "%q is no reader type; use person or service", e.Type)
		}
		r.Cells = words(c, path+".cells", e.Cells, func(name string) (string, error) {
			if _, ok := p.Cell(name); !ok {
				return "", fmt.Errorf("there is no cell %q", name)
			}
			return name, nil
		})
		slices.Sort(r.Cells)
		r.Feeds = c.feeds(p, path, e.Feeds)
		r.Certificates = c.certificates(path, e.Certificates)
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b Reader) int { return compare(a.Name, b.Name) })
	c.apart(p.Agencies, out)
	return out
}

func (c *checker) feeds(p *Policy, reader string, entries []feedEntry) []Feed {
	var out []Feed
	for i, e := range entries {
		path := fmt.Sprintf("%s.feeds[%d]", reader, i)
		if !subject.Word(e.Name) {
			c.fail(path+".name", "%q is no name; use 2 to 32 of a-z, 0-9 and '-'", e.Name)
			continue
		}
		if slices.ContainsFunc(out, func(o Feed) bool { return o.Name == e.Name }) {
			c.fail(path+".name", "feed %q is named twice", e.Name)
			continue
		}
		out = append(out, c.feed(p, path, e))
	}
	slices.SortFunc(out, func(a, b Feed) int { return compare(a.Name, b.Name) })
	return out
}

func (c *checker) feed(p *Policy, path string, e feedEntry) Feed {
	f := Feed{Name: e.Name, State: e.State, County: e.County, Agency: e.Agency, Status: wf.Status_STATUS_ACTUAL}
	var err error
	if e.Status != "" {
		if f.Status, err = subject.ParseStatus(e.Status); err != nil {
			c.fail(path+".status", "%v", err)
		}
	}
	if e.Kind != "" {
		if f.Kind, err = subject.ParseKind(e.Kind); err != nil {
			c.fail(path+".kind", "%v", err)
		}
	}
	if e.State != "" && (len(e.State) != 2 || strings.Trim(e.State, "abcdefghijklmnopqrstuvwxyz") != "") {
		c.fail(path+".state", "%q is no state; write it in lower case: \"ms\"", e.State)
	}
	if e.County != "" && (len(e.County) != 5 || strings.Trim(e.County, "0123456789") != "") {
		c.fail(path+".county", "%q is no county; write the five digits of its FIPS code in quotes", e.County)
	}
	if e.Agency != "" {
		if _, ok := p.Agency(e.Agency); !ok {
			c.fail(path+".agency", "there is no agency %q", e.Agency)
		}
	}
	return f
}

// Expected returns the agencies of a cell that are expected at a rhythm, with it.
func (p *Policy) Expected(cell string) map[string]time.Duration {
	out := map[string]time.Duration{}
	for _, a := range p.Agencies {
		if _, ok := a.Grant(cell); ok && a.ExpectEvery > 0 {
			out[a.Name] = a.ExpectEvery
		}
	}
	return out
}
