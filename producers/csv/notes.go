package csv

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/proto/subject"
)

// Notes makes a mapping for a table of texts by the names of its columns: one
// of narrative, text, description and the like, and of id, title, date, time,
// latitude, longitude, city, state and FIPS what there is. Other columns are
// left out. None when no column holds texts.
//
// It is the one place where columns are guessed, and only those of which a
// wrong guess is seen at once; dates are taken in the one format that all of
// them have, months first, as local time nowhere said to be of a zone: UTC.
func Notes(data []byte) (*Mapping, bool) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	line, _, _ := bytes.Cut(data, []byte("\n"))
	if len(line) == 0 || len(line) > maxCell {
		return nil, false
	}
	delimiter, names := header(line)
	n := notes{names: names, used: map[string]bool{}, delimiter: delimiter}
	ids := n.pick(idColumns, 1)
	texts := n.pick(textColumns, 2)
	if len(texts) == 0 || len(names) < 2 || len(ids) == 0 && !slices.Contains(sureColumns, plainName(texts[0])) {
		return nil, false
	}
	return n.mapping(data, ids, texts), true
}

// The names of columns, without case, spaces and marks.
var (
	textColumns = strings.Fields("narrative text description summary details detail body notes note content message story remarks synopsis report comments comment observation observations reporttext fulltext documenttext incidentnarrative narrativetext sentence document")
	// sureColumns hold texts also where no column tells the rows apart.
	sureColumns  = strings.Fields("narrative text message story sentence fulltext reporttext incidentnarrative narrativetext")
	idColumns    = strings.Fields("id recordid reportid docid documentid reportno reportnumber record recid noteid messageid articleid storyid incidentid caseid uid uuid no number caseno casenumber incidentnumber uniqueid eventno doc")
	titleColumns = strings.Fields("title headline heading subject")
	dateColumns  = strings.Fields("datetime timestamp date eventdate eventtime reportdate reporttime reported occurred occurredat incidentdate dateoccur dateoccurred published publisheddate created createdat when time received datereported")
	clockColumns = strings.Fields("time timeofday eventtime incidenttime hour")
	latColumns   = strings.Fields("latitude lat")
	lonColumns   = strings.Fields("longitude lon lng long")
	cityColumns  = strings.Fields("city town municipality")
	stateColumns = strings.Fields("state st statecode stateabbr")
	fipsColumns  = strings.Fields("fips countyfips fipscode")
	whereColumns = strings.Fields("location address place where")
)

// header cuts the first line by the delimiter that makes most columns of it.
func header(line []byte) (delimiter string, names []string) {
	for _, d := range []string{",", "\t", ";", "|"} {
		r := csv.NewReader(bytes.NewReader(line))
		r.Comma, r.LazyQuotes = rune(d[0]), false
		cells, err := r.Read()
		if err != nil || len(cells) <= len(names) || len(cells) > maxColumns {
			continue
		}
		delimiter, names = d, nil
		for _, c := range cells {
			names = append(names, strings.TrimSpace(c))
		}
	}
	return delimiter, names
}

// notes is a header on its way to a mapping.
type notes struct {
	names     []string
	used      map[string]bool
	delimiter string
}

// pick takes up to most columns of those names, in the order of the list.
func (n *notes) pick(list []string, most int) []string {
	var out []string
	for _, want := range list {
		for _, name := range n.names {
			if len(out) < most && !n.used[name] && plainName(name) == want {
				n.used[name] = true
				out = append(out, name)
			}
		}
	}
	return out
}

func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

func (n *notes) mapping(data []byte, ids, texts []string) *Mapping {
	m := &Mapping{Name: "notes", Title: "Texts, by the names of the columns", Kind: "incident", File: File{Delimiter: n.delimiter}}
	m.Record.Columns, m.Record.Occurrence = ids, len(ids) > 0
	add := func(f Field) { m.Fields = append(m.Fields, f) }
	one := func(to string, list []string, invalid string) {
		if c := n.pick(list, 1); len(c) > 0 {
			add(Field{To: to, Column: c[0], Invalid: invalid})
		}
	}
	one("title", titleColumns, "")
	n.when(data, add)
	one("places[0].point.latitude", latColumns, invalidDrop)
	one("places[0].point.longitude", lonColumns, invalidDrop)
	one("places[0].address.city", cityColumns, invalidDrop)
	one("places[0].county_fips", fipsColumns, invalidDrop)
	if c := n.pick(stateColumns, 1); len(c) > 0 {
		add(Field{To: "places[0].state", Column: c[0], Values: stateValues(), Invalid: invalidDrop})
	}
	add(Field{To: "narrative", Columns: append(texts, n.pick(whereColumns, 1)...), Join: "\n"})
	// A body that says nothing: what kind of incident it was stands in the text.
	add(Field{To: "incident.unfounded", Value: "false"})
	m = m.compiled()
	for _, name := range n.names {
		if !slices.Contains(m.columns(), name) {
			m.Ignore = append(m.Ignore, name)
		}
	}
	return m
}

// compiled checks the mapping as one that was read; nothing in it can be wrong.
func (m *Mapping) compiled() *Mapping {
	m.checkHead(func(string, ...any) {})
	fields := m.Fields[:0]
	for _, f := range m.Fields {
		if f.compile(m.kind) == nil {
			fields = append(fields, f)
		}
	}
	m.Fields = fields
	return m
}

// stateValues are the codes of the states in both cases.
func stateValues() map[string]string {
	v := map[string]string{}
	for a := byte('A'); a <= 'Z'; a++ {
		for b := byte('A'); b <= 'Z'; b++ {
			if code := string([]byte{a, b}); subject.IsState(code) {
				v[code], v[strings.ToLower(code)] = code, code
			}
		}
	}
	return v
}

// dateFormats are tried in this order; one must fit every cell that is filled.
var dateFormats = []string{"rfc3339", "YYYY-MM-DD hh:mm:ss", "YYYY-MM-DD hh:mm", "YYYY-MM-DDThh:mm:ss", "YYYY-MM-DDThh:mm", "YYYY-MM-DD", "MM/DD/YYYY hh:mm:ss", "MM/DD/YYYY hh:mm",
	"MM/DD/YYYY hh:mm AM", "MM/DD/YYYY", "DD/MM/YYYY hh:mm", "DD/MM/YYYY", "DD.MM.YYYY", "YYYY/MM/DD", "YYYY/MM/DD hh:mm"}

// when maps the columns of date and time of day, if one format fits them.
func (n *notes) when(data []byte, add func(Field)) {
	date := n.pick(dateColumns, 1)
	if len(date) == 0 {
		return
	}
	clock := n.pick(clockColumns, 1)
	for _, columns := range [][]string{append(date, clock...), date} {
		for _, format := range dateFormats {
			f := Field{To: "event_time.start", Columns: columns, Time: format, Zone: "UTC", Invalid: invalidDrop}
			if format == "rfc3339" {
				f.Zone = ""
			}
			if f.compileTime() == nil && n.fits(data, f) {
				add(f)
				return
			}
		}
	}
}

// maxProbed is how many rows a date format is tried on.
const maxProbed = 200

func (n *notes) fits(data []byte, f Field) bool {
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = rune(n.delimiter[0]), -1, true
	if _, err := r.Read(); err != nil {
		return false
	}
	good := 0
	for range maxProbed {
		cells, err := r.Read()
		if err != nil {
			break
		}
		var parts []string
		for _, c := range f.Columns {
			if i := slices.Index(n.names, c); i < len(cells) && strings.TrimSpace(cells[i]) != "" {
				parts = append(parts, strings.TrimSpace(cells[i]))
			}
		}
		if len(parts) == 0 {
			continue
		}
		if t, err := f.moment(strings.Join(parts, " ")); err != nil || t.AsTime().Before(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)) {
			return false
		}
		good++
	}
	return good > 0
}
