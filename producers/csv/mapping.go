// Package csv turns tables into reports by a mapping: which column becomes
// which field, in which format, and what identifies a row.
//
// A mapping is a strict YAML file (an unknown key is refused); DESIGN.md
// documents it, and folder mappings holds some that are shipped. Every row is
// an item of its own: a bad one is refused with its line, column and field, and
// harms no other. The package guesses nothing: a time needs its format and its
// zone, and a column that the mapping does not name is an error, so that a
// changed export is noticed.
package csv

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones are the same on every machine

	"github.com/goccy/go-yaml"

	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Mapping says how the rows of a table become reports.
type Mapping struct {
	// Name is a word; the reports' source_format is csv:NAME.
	Name  string `yaml:"name"`
	Title string `yaml:"title"`
	File  File   `yaml:"file"`
	// Ignore names columns that are left out on purpose.
	Ignore []string `yaml:"ignore"`
	Record Record   `yaml:"record"`
	// Kind is the kind of every report, as in a subject: incident.
	Kind string `yaml:"kind"`
	// Class is the record class, RECORD_CLASS_ left out; empty is the kind's usual one.
	Class string `yaml:"class"`
	// Marking names a column with a marking word; its label comes from the policy.
	Marking string  `yaml:"marking"`
	Fields  []Field `yaml:"fields"`

	kind  wf.Kind
	class wf.RecordClass
}

// File is the form of the table.
type File struct {
	// Delimiter is one character; empty is a comma.
	Delimiter string `yaml:"delimiter"`
	// Encoding is utf-8 (also when empty) or iso-8859-1.
	Encoding string `yaml:"encoding"`
	// Columns names the columns of a file without a header line.
	Columns []string `yaml:"columns"`
	// Trim drops spaces after a delimiter, also before a quote.
	Trim bool `yaml:"trim"`
}

// Record is the agency's record id of a row.
type Record struct {
	// Columns are joined by "/"; empty is the row's number, from 1.
	Columns []string `yaml:"columns"`
	// Prefix comes first, for agencies with several tables.
	Prefix string `yaml:"prefix"`
	// Occurrence: a row with the same columns again is another record of the
	// same thing; the second gets "/2".
	Occurrence bool `yaml:"occurrence"`
}

// Field fills one field of the report.
type Field struct {
	// To is a path in the report: "places[0].address.street".
	To string `yaml:"to"`
	// Column, or Columns joined by Join, or Value: where the text comes from.
	Column  string   `yaml:"column"`
	Columns []string `yaml:"columns"`
	Join    string   `yaml:"join"`
	Value   string   `yaml:"value"`
	// Time is the format of a time in YYYY MM DD hh mm ss AM, or rfc3339, or unix.
	Time string `yaml:"time"`
	// Zone is the zone of a time without one: America/Chicago, UTC, -06:00.
	Zone string `yaml:"zone"`
	// Date is the format of a date, one of normal.DateFormats.
	Date string `yaml:"date"`
	// Identifier is the type, IDENTIFIER_TYPE_ left out; Issuer and Region are its hints.
	Identifier string `yaml:"identifier"`
	Issuer     string `yaml:"issuer"`
	Region     string `yaml:"region"`
	// Split cuts the text into the elements of a list.
	Split string `yaml:"split"`
	// Values replaces whole texts; a text it does not hold is invalid.
	Values map[string]string `yaml:"values"`
	// Empty lists texts that mean that nothing is known.
	Empty []string `yaml:"empty"`
	// Required refuses a row where the text is empty.
	Required bool `yaml:"required"`
	// Invalid says what becomes of a text that cannot be read: refuse the row
	// (also when empty), drop the field with a note, or keep what stands of a date.
	Invalid string `yaml:"invalid"`

	target   target
	location *time.Location
	layout   string
	idType   wf.IdentifierType
}

// What becomes of a text that cannot be read.
const (
	invalidRefuse = "refuse"
	invalidDrop   = "drop"
	invalidPart   = "part"
)

// ErrMapping is wrapped by every error of ParseMapping.
var ErrMapping = errors.New("mapping is not valid")

// ParseMapping reads a mapping file and checks it wholly: what it accepts
// cannot fail on a row except by what the row holds.
func ParseMapping(data []byte) (*Mapping, error) {
	m := new(Mapping)
	if len(data) > 1<<20 {
		return nil, fmt.Errorf("%w: more than 1 MiB", ErrMapping)
	}
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(m); err != nil {
		return nil, fmt.Errorf("%w: %s%s", ErrMapping, err, hint(err))
	}
	var problems []error
	problem := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf(format, args...))
	}
	m.checkHead(problem)
	for i := range m.Fields {
		f := &m.Fields[i]
		if err := f.compile(m.kind); err != nil {
			problem("fields[%d] (to %s): %s", i, f.To, err)
		}
	}
	if body := subject.KindToken(m.kind); len(m.Fields) > 0 && body != "" && !slices.ContainsFunc(m.Fields, func(f Field) bool { return strings.HasPrefix(f.To, body+".") }) {
		problem("fields: none fills the body, so every row would be refused: add one of %s, such as a value that is always the same", body)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMapping, err)
	}
	return m, nil
}

// hint says what is behind an error of YAML that is hard to read.
func hint(err error) string {
	if strings.Contains(err.Error(), "must be specified") {
		return `\ninside { }, a path with brackets needs quotes: {to: "entities[0].identifiers", ...}`
	}
	return ""
}

func (m *Mapping) checkHead(problem func(string, ...any)) {
	if !subject.Word(m.Name) {
		problem("name %q: use 2 to 32 of a-z, 0-9 and '-'", m.Name)
	}
	var err error
	if m.kind, err = subject.ParseKind(m.Kind); err != nil {
		problem("kind: %s", err)
		return
	}
	m.class = report.ClassOf(m.kind)
	if m.Class != "" {
		m.class = wf.RecordClass(wf.RecordClass_value["RECORD_CLASS_"+strings.ToUpper(m.Class)])
	}
	if !report.AllowsClass(m.kind, m.class) {
		problem("class %q: a report of kind %s cannot be kept under it", m.Class, m.Kind)
	}
	switch d := m.File.Delimiter; {
	case d == "":
		m.File.Delimiter = ","
	case len(d) != 1 || d[0] == '"' || d[0] == '\n' || d[0] == '\r' || d[0] >= 0x80:
		problem("file.delimiter %q: use one ASCII character other than a quote or a line end", d)
	}
	switch m.File.Encoding {
	case "", "utf-8", "iso-8859-1":
	default:
		problem("file.encoding %q: use utf-8 or iso-8859-1", m.File.Encoding)
	}
	if len(m.Fields) == 0 {
		problem("fields: there are none")
	}
	for _, c := range m.Ignore {
		if slices.Contains(m.columns(), c) {
			problem("ignore: column %q is also used", c)
		}
	}
}

// columns lists every column the mapping reads, each once.
func (m *Mapping) columns() []string {
	out := slices.Clone(m.Record.Columns)
	if m.Marking != "" {
		out = append(out, m.Marking)
	}
	for _, f := range m.Fields {
		out = append(out, f.sources()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// sources are the columns of a field.
func (f *Field) sources() []string {
	if f.Column != "" {
		return []string{f.Column}
	}
	return f.Columns
}
