// Package feed reads files and folders of any known format: it tells the
// format by the content, hands the bytes to the codec, and accounts for every
// file, so that read = reports + refused, and what is skipped says why.
//
// It submits nothing and validates nothing: the codecs read, package report
// judges, and the broker's guard decides.
package feed

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/watchfloor/watchfloor/producers/cap"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/csv"
	"github.com/watchfloor/watchfloor/producers/narrative"
	"github.com/watchfloor/watchfloor/producers/native"
	"github.com/watchfloor/watchfloor/producers/nws"
	"github.com/watchfloor/watchfloor/producers/quake"
	"github.com/watchfloor/watchfloor/producers/stix"
	"github.com/watchfloor/watchfloor/proto/admission"
)

// Config is how files are read. The zero value reads native reports that name
// their own agency and label.
type Config struct {
	// Options are a format's codec options: as whom its reports are submitted,
	// and what its markings mean. Nil gives every format the zero options.
	Options func(Format) codec.Options
	// Mapping reads every CSV file; nil takes the shipped mapping that has the
	// file's columns.
	Mapping *csv.Mapping
	// Choose picks the mapping of a CSV file by its name and content, before
	// Mapping; its error says why there is none. May be nil.
	Choose func(name string, data []byte) (*csv.Mapping, error)
	// Extract adds to every report what its title and narrative say; see package
	// narrative.
	Extract bool
	// Stdin is what the path "-" reads; nil makes it an error.
	Stdin io.Reader
}

// Source is one file, read.
type Source struct {
	// Name is the path, with slashes.
	Name string
	// Format is empty for a file that was skipped.
	Format Format
	// Skip says why the file holds no messages.
	Skip string
	// Items are its records in the file's order.
	Items []codec.Item
}

// Count says how many records became reports, and how many did not.
func (s Source) Count() (reports, refused int) {
	for _, i := range s.Items {
		if i.Refused() {
			refused++
		} else {
			reports++
		}
	}
	return reports, refused
}

// Read reads the bytes of one file.
func (c Config) Read(name string, data []byte) Source {
	s := Source{Name: filepath.ToSlash(name)}
	if len(data) > codec.MaxInput {
		s.Format, s.Items = Native, tooLarge(int64(len(data)))
		return s
	}
	s.Format, s.Skip = Detect(s.Name, data)
	if s.Skip == unknownText && c.mapped(s.Name, data) {
		s.Format, s.Skip = CSV, ""
	}
	var o codec.Options
	if c.Options != nil && s.Format != "" {
		o = c.Options(s.Format)
	}
	switch s.Format {
	case CAP:
		s.Items = cap.Decode(data, o)
	case NWS:
		s.Items = nws.Decode(data, o)
	case Quake:
		s.Items = quake.Decode(data, o)
	case STIX:
		s.Items = stix.Decode(data, o)
	case CSV:
		c.readCSV(&s, data, o)
	case Native:
		s.Items = native.Decode(data, o)
	}
	if c.Extract {
		for _, i := range s.Items {
			narrative.Enrich(i.Report)
		}
	}
	return s
}

// mapped says whether a text of no known format is a table of a mapping that
// the caller named.
func (c Config) mapped(name string, data []byte) bool {
	m := c.Mapping
	if c.Choose != nil {
		var err error
		if m, err = c.Choose(name, data); err != nil {
			return false
		}
	}
	return m != nil && m.Fits(data)
}

func (c Config) readCSV(s *Source, data []byte, o codec.Options) {
	m, err := c.mapping(s.Name, data)
	if err != nil {
		s.Format, s.Skip = "", err.Error()
		return
	}
	s.Items = csv.Decode(data, o, m)
}

var errNoMapping = errors.New("a table whose columns are those of no shipped mapping, or of several, and none is called text, narrative or the like: name a mapping")

func (c Config) mapping(name string, data []byte) (*csv.Mapping, error) {
	if c.Choose != nil {
		return c.Choose(name, data)
	}
	if c.Mapping != nil {
		return c.Mapping, nil
	}
	if m, ok := csv.Of(data); ok {
		return m, nil
	}
	return nil, errNoMapping
}

func tooLarge(size int64) []codec.Item {
	var rs admission.Reasons
	rs.Add(admission.TooLarge, "", fmt.Sprintf("the file has %d bytes, at most %d are read", size, codec.MaxInput), "split it")
	return []codec.Item{{Where: "file", Reasons: rs}}
}

// Files reads every file of the paths, one at a time: paths in the order given,
// folders in the order of their names, each file once. Hidden files and folders
// inside a folder are left out. A path that cannot be read yields its error,
// and the walk goes on.
func (c Config) Files(paths ...string) iter.Seq2[Source, error] {
	return func(yield func(Source, error) bool) {
		seen := map[string]bool{}
		for _, p := range paths {
			if p == "-" {
				if !yield(c.readStdin()) {
					return
				}
				continue
			}
			if !c.walk(p, seen, yield) {
				return
			}
		}
	}
}

// walk reads what is under root; false when the caller has enough.
func (c Config) walk(root string, seen map[string]bool, yield func(Source, error) bool) bool {
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			if !yield(Source{Name: filepath.ToSlash(p)}, fmt.Errorf("read %s: %w", p, err)) {
				return errStop
			}
			return nil
		case p != root && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || seen[filepath.Clean(p)]:
			return nil
		}
		seen[filepath.Clean(p)] = true
		if !yield(c.readFile(p)) {
			return errStop
		}
		return nil
	})
	return !errors.Is(err, errStop)
}

var errStop = errors.New("the reader has enough")

func (c Config) readFile(p string) (Source, error) {
	s := Source{Name: filepath.ToSlash(p)}
	info, err := os.Stat(p)
	if err != nil {
		return s, fmt.Errorf("read %s: %w", p, err)
	}
	switch {
	case !info.Mode().IsRegular():
		s.Skip = "not a regular file"
		return s, nil
	case info.Size() > codec.MaxInput:
		s.Format, s.Items = Native, tooLarge(info.Size())
		return s, nil
	}
	data, err := os.ReadFile(p)
	if err != nil {
		return s, fmt.Errorf("read %s: %w", p, err)
	}
	return c.Read(p, data), nil
}

func (c Config) readStdin() (Source, error) {
	if c.Stdin == nil {
		return Source{Name: "-"}, errors.New("read -: there is no standard input here")
	}
	data, err := io.ReadAll(io.LimitReader(c.Stdin, codec.MaxInput+1))
	if err != nil {
		return Source{Name: "-"}, fmt.Errorf("read -: %w", err)
	}
	return c.Read("-", data), nil
}

// Totals adds up the sources of one format.
type Totals struct {
	Format                        Format
	Files, Read, Reports, Refused int
	// Reasons counts the refused records by the code of their first reason.
	Reasons map[string]int
}

// Add counts a source that was read; a skipped one counts for nothing.
func (t *Totals) Add(s Source) {
	if s.Format == "" {
		return
	}
	t.Format = cmp.Or(t.Format, s.Format)
	t.Files++
	reports, refused := s.Count()
	t.Reports += reports
	t.Refused += refused
	t.Read += len(s.Items)
	for _, i := range s.Items {
		if len(i.Reasons) > 0 && i.Refused() {
			if t.Reasons == nil {
				t.Reasons = map[string]int{}
			}
			t.Reasons[i.Reasons[0].GetCode()]++
		}
	}
}
