package csv

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/producers/normal"
)

// Draft writes a mapping for a table to start from: valid as it is, with every
// column either where its name suggests or under ignore. It is for a person to
// read and correct; nothing is ever read by a draft that nobody has seen.
func Draft(name string, data []byte) ([]byte, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	line, _, _ := bytes.Cut(data, []byte("\n"))
	d := draft{delimiter: delimiterOf(line)}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace, r.LazyQuotes = d.delimiter, -1, true, true
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("read the header: %w", err)
	}
	if len(header) > maxColumns {
		return nil, errors.New("the header has too many columns")
	}
	for range 200 {
		row, err := r.Read()
		if err != nil {
			break
		}
		d.rows = append(d.rows, row)
	}
	for i, column := range header {
		d.place(i, strings.TrimSpace(column))
	}
	text := d.text(wordOf(name))
	if _, err := ParseMapping(text); err != nil {
		return nil, fmt.Errorf("the header has names that a mapping cannot hold, such as the same twice: %w", err)
	}
	return text, nil
}

// draft collects what goes where.
type draft struct {
	delimiter      rune
	rows           [][]string
	record         string
	fields, ignore []string
	taken          map[string]bool
}

func delimiterOf(line []byte) rune {
	best := ','
	for _, c := range ",;\t|%" {
		if bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(best))) {
			best = c
		}
	}
	return best
}

// suggestions are what columns are often called, letters and digits only, and
// where that goes. The first column of a kind counts.
var suggestions = []struct{ names, to, options string }{
	{"givenname firstname first given forename", "entities[0].person.names[0].given", ""},
	{"surname lastname last family familyname", "entities[0].person.names[0].family", ""},
	{"fullname personname person subjectname suspect", "entities[0].person.names", ""},
	{"phone phonenumber telephone tel mobile cell", "entities[0].identifiers", "identifier: phone, region: US, invalid: drop"},
	{"email emailaddress mail", "entities[0].identifiers", "identifier: email, invalid: drop"},
	{"ssn socialsecurity socialsecuritynumber", "entities[0].identifiers", "identifier: ssn, invalid: drop"},
	{"vin", "entities[0].identifiers", "identifier: vin, invalid: drop"},
	{"ip ipaddress", "entities[0].identifiers", "identifier: ip, invalid: drop"},
	{"organization organisation company business employer businessname companyname", "entities[1].organization.name", ""},
	{"streetnumber housenumber", "entities[0].addresses[0].number", ""},
	{"street address address1 streetaddress addr", "entities[0].addresses[0].street", ""},
	{"address2 unit apt", "entities[0].addresses[0].unit", ""},
	{"city town suburb", "entities[0].addresses[0].city", ""},
	{"state", "entities[0].addresses[0].state", ""},
	{"zip zipcode postcode postalcode", "entities[0].addresses[0].postcode", ""},
	{"lat latitude", "places[0].point.latitude", ""},
	{"lon lng long longitude", "places[0].point.longitude", ""},
	{"countyfips fips", "places[0].county_fips", ""},
	{"title headline subject", "title", ""},
	{"narrative notes note description text remarks comments summary body details", "narrative", ""},
}

const (
	recordNames = "id recid recordid uniqueid no number key caseid casenumber incidentid"
	birthNames  = "dob dateofbirth birthdate born birth"
	timeNames   = "time date datetime timestamp when occurred occurredat seen eventtime eventdate reported year"
)

func (d *draft) place(i int, column string) {
	word := plain(column)
	is := func(names string) bool { return word != "" && slices.Contains(strings.Fields(names), word) }
	switch {
	case d.record == "" && is(recordNames):
		d.record = column
		return
	case is(birthNames):
		if f := d.format(i, normal.DateFormats, isDate); f != "" && d.add("entities[0].person.birth", column, "date: "+f+", invalid: part") {
			return
		}
	case is(timeNames):
		if f := d.format(i, timeFormats, isTime); f != "" && d.add("event_time.start", column, timeOptions(f)) {
			return
		}
	}
	for _, s := range suggestions {
		if is(s.names) && d.add(s.to, column, s.options) {
			return
		}
	}
	d.ignore = append(d.ignore, column)
}

// add takes a column in, unless another has its place.
func (d *draft) add(to, column, options string) bool {
	if d.taken == nil {
		d.taken = map[string]bool{}
	}
	key := to + options
	if d.taken[key] {
		return false
	}
	d.taken[key] = true
	if options != "" {
		options = ", " + options
	}
	d.fields = append(d.fields, fmt.Sprintf("  - {to: %q, column: %q%s}", to, column, options))
	return true
}

var timeFormats = []string{"rfc3339", "YYYY-MM-DD hh:mm:ss", "YYYY-MM-DD hh:mm", "YYYY-MM-DD", "MM/DD/YYYY hh:mm:ss AM", "MM/DD/YYYY hh:mm AM", "MM/DD/YYYY hh:mm", "MM/DD/YYYY", "YYYYMMDD", "YYYY"}

func timeOptions(format string) string {
	if format == "rfc3339" {
		return "time: rfc3339, invalid: drop"
	}
	return fmt.Sprintf("time: %q, zone: UTC, invalid: drop", format)
}

func isDate(s, format string) bool { _, err := normal.Date(s, format); return err == nil }

func isTime(s, format string) bool {
	l := time.RFC3339Nano
	if format != "rfc3339" {
		l, _ = layout(format) // the list holds valid ones
	}
	_, err := time.Parse(l, s)
	return err == nil
}

// format is the first in which more than half of a column can be read.
func (d *draft) format(i int, formats []string, reads func(s, format string) bool) string {
	for _, f := range formats {
		good, filled := 0, 0
		for _, row := range d.rows {
			if i < len(row) && strings.TrimSpace(row[i]) != "" {
				filled++
				if reads(strings.TrimSpace(row[i]), f) {
					good++
				}
			}
		}
		if good*2 > filled {
			return f
		}
	}
	return ""
}

func (d *draft) text(name string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# A draft by the names of the columns: read it, correct it, then use it.\nname: %s\n", name)
	fmt.Fprintf(&b, "file: {delimiter: %q, trim: true}\n", string(d.delimiter))
	if d.record == "" {
		b.WriteString("# No column looks like an id: rows are numbered, so that an export with other rows is other records.\nrecord: {}\n")
	} else {
		fmt.Fprintf(&b, "record: {columns: [%q]}  # several lists that number alike need a prefix each\n", d.record)
	}
	b.WriteString("kind: incident\n")
	if len(d.ignore) > 0 {
		b.WriteString("ignore:  # columns left out\n")
		for _, c := range d.ignore {
			fmt.Fprintf(&b, "  - %q\n", c)
		}
	}
	b.WriteString("fields:\n  - {to: incident.type, value: record}\n  - {to: \"entities[0].role\", value: ENTITY_ROLE_MENTIONED}\n")
	for _, f := range d.fields {
		b.WriteString(f + "\n")
	}
	return b.Bytes()
}

// plain keeps letters and digits, in lower case.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

// wordOf is a name for a mapping of a file.
func wordOf(file string) string {
	file, _, _ = strings.Cut(file, ".")
	w := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return '-'
	}, file), "-")
	if w = w[:min(len(w), 32)]; len(w) < 2 {
		return "table"
	}
	return strings.Trim(w, "-")
}
