package csv

import (
	"bytes"
	"embed"
	"fmt"
	"slices"
	"strings"
)

//go:embed mappings/*.yaml
var files embed.FS

// shipped are parsed at start; a test holds that each is valid.
var shipped, errShipped = parseShipped()

func parseShipped() ([]*Mapping, error) {
	entries, err := files.ReadDir("mappings")
	if err != nil {
		return nil, fmt.Errorf("read shipped mappings: %w", err)
	}
	var out []*Mapping
	for _, e := range entries {
		data, err := files.ReadFile("mappings/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("read shipped mapping: %w", err)
		}
		m, err := ParseMapping(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		if m.Name+".yaml" != e.Name() {
			return nil, fmt.Errorf("%s: its name is %s", e.Name(), m.Name)
		}
		out = append(out, m)
	}
	return out, nil
}

// Shipped returns the shipped mapping of that name.
func Shipped(name string) (*Mapping, error) {
	if errShipped != nil {
		return nil, errShipped
	}
	for _, m := range shipped {
		if m.Name == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("no shipped mapping %q: there are %s", name, strings.Join(Names(), ", "))
}

// Names lists the shipped mappings.
func Names() []string {
	var out []string
	for _, m := range shipped {
		out = append(out, m.Name)
	}
	return out
}

// Source is the text of a shipped mapping, to start one's own from.
func Source(name string) ([]byte, error) {
	data, err := files.ReadFile("mappings/" + name + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("read mapping %q: %w", name, err)
	}
	return data, nil
}

// For finds the shipped mapping whose columns are exactly those of the file's
// first line, in any order; none when two mappings fit.
func For(data []byte) (*Mapping, bool) {
	var found *Mapping
	for _, m := range shipped {
		if !m.Fits(data) {
			continue
		}
		if found != nil {
			return nil, false
		}
		found = m
	}
	return found, found != nil
}

// Of is the mapping of a file that names none: the shipped one whose columns
// are its, else one for texts, by the names of the columns.
func Of(data []byte) (*Mapping, bool) {
	if m, ok := For(data); ok {
		return m, true
	}
	return Notes(data)
}

// Fits says whether the columns of the file's first line are exactly those that
// the mapping reads or ignores, in any order.
func (m *Mapping) Fits(data []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), []byte("\n"))
	if len(line) > maxCell {
		return false
	}
	names, err := m.reader(line).Read()
	if err != nil {
		return false
	}
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	slices.Sort(names)
	want := append(m.columns(), m.Ignore...)
	slices.Sort(want)
	return slices.Equal(names, want)
}
