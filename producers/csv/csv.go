package csv

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/normal"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Bounds of a table.
const (
	maxCell    = 64 << 10
	maxColumns = 4096
)

// Decode reads every row of the table by the mapping. A file that does not fit
// the mapping as a whole is one refused item.
func Decode(data []byte, o codec.Options, m *Mapping) []codec.Item {
	if len(data) > codec.MaxInput {
		return refuse("file", admission.TooLarge, fmt.Sprintf("the file has %d bytes, at most %d are read", len(data), codec.MaxInput), "split it")
	}
	data, reasons := m.utf8(data)
	if reasons != nil {
		return []codec.Item{{Where: "file", Reasons: reasons}}
	}
	t := table{mapping: m, options: o, reader: m.reader(data), seen: map[string]int{}}
	if reasons := t.header(); len(reasons) > 0 {
		return []codec.Item{{Where: "line 1", Reasons: reasons}}
	}
	return t.rows()
}

func refuse(where string, code admission.Code, message, remedy string) []codec.Item {
	var rs admission.Reasons
	rs.Add(code, "", message, remedy)
	return []codec.Item{{Where: where, Reasons: rs}}
}

// utf8 is the file in UTF-8 without a byte order mark. Rows that are not UTF-8
// are refused one by one later.
func (m *Mapping) utf8(data []byte) ([]byte, admission.Reasons) {
	if m.File.Encoding == "iso-8859-1" {
		out, err := charmap.ISO8859_1.NewDecoder().Bytes(data)
		if err == nil {
			return out, nil
		}
	}
	var rs admission.Reasons
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		rs.Add(admission.InvalidUTF8, "", "the file is UTF-16", "save it as UTF-8")
		return nil, rs
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

func (m *Mapping) reader(data []byte) *csv.Reader {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = rune(m.File.Delimiter[0])
	r.TrimLeadingSpace = m.File.Trim
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	return r
}

// table is one file on its way through.
type table struct {
	mapping *Mapping
	options codec.Options
	reader  *csv.Reader
	names   []string
	index   map[string]int
	row     int
	seen    map[string]int
}

// header reads the column names and checks them against the mapping, wholly.
func (t *table) header() admission.Reasons {
	var rs admission.Reasons
	t.names = slices.Clone(t.mapping.File.Columns)
	if len(t.names) == 0 {
		line, err := t.reader.Read()
		if err != nil {
			rs.Add(admission.Malformed, "", "the header line cannot be read: "+cause(err), "send a table with a header line")
			return rs
		}
		if len(line) > maxColumns {
			rs.Add(admission.TooLarge, "", fmt.Sprintf("the header has %d columns", len(line)), "check the delimiter of the mapping")
			return rs
		}
		for _, name := range line {
			t.names = append(t.names, strings.TrimSpace(name))
		}
	}
	t.index = make(map[string]int, len(t.names))
	for i, name := range t.names {
		if _, twice := t.index[name]; twice {
			rs.Add(admission.Malformed, "", fmt.Sprintf("column %q occurs twice", name), "rename one of them")
		}
		t.index[name] = i
	}
	used := t.mapping.columns()
	for _, name := range used {
		if _, ok := t.index[name]; !ok {
			rs.Add(admission.Missing, "", fmt.Sprintf("column %q is missing", name), "check the delimiter, or use the mapping made for this table")
		}
	}
	for _, name := range t.names {
		if !slices.Contains(used, name) && !slices.Contains(t.mapping.Ignore, name) {
			rs.Add(admission.UnknownField, "", fmt.Sprintf("column %q is not in mapping %s", short(name), t.mapping.Name), "map it, or list it under ignore")
		}
	}
	return rs[:min(len(rs), 64)]
}

func short(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}

func (t *table) rows() []codec.Item {
	var items []codec.Item
	for {
		cells, err := t.reader.Read()
		if errors.Is(err, io.EOF) {
			return items
		}
		t.row++
		if err != nil {
			items = append(items, t.broken(err)...)
			continue
		}
		line, _ := t.reader.FieldPos(0)
		item := t.item(cells)
		item.Where = fmt.Sprintf("line %d", line)
		items = append(items, item)
	}
}

// broken is a row that is no CSV. A quote that is never closed takes the rest
// of the file with it, and the reason says so.
func (t *table) broken(err error) []codec.Item {
	line := 0
	message := "the row cannot be read: " + cause(err)
	var p *csv.ParseError
	if errors.As(err, &p) {
		line = p.StartLine
		if p.Line > p.StartLine {
			message += fmt.Sprintf("; lines %d to %d are read as one row", p.StartLine, p.Line)
		}
	}
	return refuse(fmt.Sprintf("line %d", line), admission.Malformed, message, "put cells that hold quotes or delimiters in quotes, and double the quotes inside")
}

func cause(err error) string {
	var p *csv.ParseError
	if errors.As(err, &p) {
		return p.Err.Error()
	}
	if errors.Is(err, io.EOF) {
		return "the file is empty"
	}
	return err.Error()
}

// item converts one row.
func (t *table) item(cells []string) codec.Item {
	var rs admission.Reasons
	if len(cells) != len(t.names) {
		rs.Add(admission.Malformed, "", fmt.Sprintf("the row has %d cells, the table has %d columns", len(cells), len(t.names)), "check quotes and delimiters of the row")
		return codec.Item{Reasons: rs}
	}
	for i, c := range cells {
		switch {
		case len(c) > maxCell:
			rs.Add(admission.TooLarge, "", fmt.Sprintf("column %s has %d bytes, at most %d are read", t.names[i], len(c), maxCell), "shorten the cell")
		case !utf8.ValidString(c):
			rs.Add(admission.InvalidUTF8, "", fmt.Sprintf("column %s is not valid UTF-8", t.names[i]), "say encoding: iso-8859-1 in the mapping, or convert the file")
		}
	}
	if len(rs) > 0 {
		return codec.Item{Reasons: rs}
	}
	r := &wf.Report{
		Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE, Agency: t.options.Agency, Record: t.record(cells),
		Kind: t.mapping.kind, RecordClass: t.mapping.class, Status: t.options.Status, SourceFormat: "csv:" + t.mapping.Name,
	}
	if t.options.Label != nil {
		r.Label = proto.CloneOf(t.options.Label)
	}
	w := row{table: t, cells: cells, report: r, reasons: rs}
	w.marking()
	for i := range t.mapping.Fields {
		w.field(&t.mapping.Fields[i])
	}
	return w.finish()
}

// record is the agency's record id of a row.
func (t *table) record(cells []string) string {
	rec := t.mapping.Record
	id := fmt.Sprint(t.row)
	if len(rec.Columns) > 0 {
		parts := make([]string, len(rec.Columns))
		for i, c := range rec.Columns {
			parts[i] = normal.Text(cells[t.index[c]])
		}
		id = strings.Join(parts, "/")
		if strings.Trim(id, "/") == "" {
			return ""
		}
	}
	id = rec.Prefix + id
	if rec.Occurrence {
		if t.seen[id]++; t.seen[id] > 1 {
			id = fmt.Sprintf("%s/%d", id, t.seen[id])
		}
	}
	return id
}

// row is one row on its way to a report.
type row struct {
	*table
	cells   []string
	report  *wf.Report
	reasons admission.Reasons
	notes   []string
}

// marking takes the label from the column that holds one.
func (w *row) marking() {
	if w.mapping.Marking == "" {
		return
	}
	word := strings.ToUpper(normal.Text(w.cells[w.index[w.mapping.Marking]]))
	if word == "" {
		return
	}
	l, ok := w.options.Markings.Words[word]
	if !ok {
		w.reasons.Add(admission.UnknownMarking, "label", fmt.Sprintf("column %s: the policy knows no marking %q", w.mapping.Marking, short(word)), "use a marking of the policy, or add it there")
		return
	}
	w.report.Label = proto.CloneOf(l)
	w.report.Label.Original = word
}

// source is the text of a field and the columns it came from.
func (w *row) source(f *Field) string {
	if f.Value != "" {
		return f.Value
	}
	var parts []string
	for _, c := range f.sources() {
		s := strings.TrimSpace(w.cells[w.index[c]])
		if s != "" && !slices.Contains(f.Empty, s) {
			parts = append(parts, s)
		}
	}
	join := f.Join
	if join == "" {
		join = " "
	}
	return strings.Join(parts, join)
}

// field fills one field, or says why it cannot.
func (w *row) field(f *Field) {
	s := w.source(f)
	columns := strings.Join(f.sources(), ", ")
	if f.Values != nil {
		to, ok := f.Values[s]
		if !ok && s != "" {
			w.invalid(f, columns, errors.New("not a value that the mapping knows"))
			return
		}
		s = to
	}
	if s == "" {
		if f.Required {
			w.reasons.Add(admission.Missing, f.To, "column "+columns+" is empty", "fill it, or drop the row")
		}
		return
	}
	list := []string{s}
	if f.Split != "" {
		list = strings.Split(s, f.Split)
	}
	for _, s := range list {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		v, err := f.read(s)
		if err != nil {
			w.invalid(f, columns, err)
		}
		if v.IsValid() {
			f.target.set(w.report, v)
		}
	}
}

// invalid refuses the row or notes what is left out. It never repeats the
// cell: reasons and notes are logged, cells are not.
func (w *row) invalid(f *Field, columns string, err error) {
	switch {
	case errors.Is(err, normal.ErrPlaceholder) && !f.Required:
		w.notes = append(w.notes, fmt.Sprintf("%s: column %s holds a placeholder", f.To, columns))
	case f.Invalid == invalidRefuse:
		code := admission.Invalid
		switch {
		case f.Time != "" || f.Date != "":
			code = admission.BadTime
		case f.idType != 0:
			code = admission.NotNormal
		}
		w.reasons.Add(code, f.To, "column "+columns+": "+err.Error(), "correct the cell, or let the mapping drop what is invalid")
	default:
		w.notes = append(w.notes, fmt.Sprintf("%s: column %s: %s", f.To, columns, err))
	}
}

// finish sets what follows from the rest.
func (w *row) finish() codec.Item {
	r := w.report
	for _, p := range r.Places {
		if pt := p.Point; pt != nil && pt.Latitude == 0 && pt.Longitude == 0 {
			p.Point = nil
			w.notes = append(w.notes, "places: 0, 0 is where missing positions point")
		}
	}
	prune(r)
	if r.Record == "" {
		w.reasons.Add(admission.Missing, "record", "the columns that identify the row are empty", "fill them, or identify rows by number")
	}
	if r.ReportTime == nil {
		if r.ReportTime = proto.CloneOf(r.GetEventTime().GetStart()); r.ReportTime == nil && !w.options.Received.IsZero() {
			r.ReportTime = timestamppb.New(w.options.Received)
		}
	}
	if len(w.reasons) == 0 && report.KindOf(r) == wf.Kind_KIND_UNSPECIFIED {
		w.reasons.Add(admission.Missing, "body", "the row fills no field of the body", "map a required column into the body")
	}
	if len(w.reasons) > 0 {
		return codec.Item{Reasons: w.reasons}
	}
	r.Id = report.RecordID(r.Agency, r.Record)
	return codec.Item{Report: r, Notes: w.notes}
}
