package normal

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// DateFormats are the formats of Date: Y, M and D stand for digits.
var DateFormats = []string{"YYYY-MM-DD", "YYYYMMDD", "MM/DD/YYYY", "DD/MM/YYYY", "DD.MM.YYYY", "YYYY-MM", "YYYY"}

// Date reads a date in the format, which is never guessed: 03/04/1980 is two
// dates. Zero parts are unknown; a format that ends in smaller parts also
// takes a text that lacks them (1980-03 for YYYY-MM-DD).
//
// When a part cannot be, the larger parts that stand are returned with the
// error, for a caller that wants what is left of a garbled date.
func Date(raw, format string) (*wf.PartialDate, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" || Placeholder(raw) && len(raw) > 4 {
		return nil, ErrPlaceholder
	}
	d, err := cut(raw, format)
	if err != nil {
		return nil, err
	}
	switch {
	case d.Year == 0 && d.Month == 0 && d.Day == 0, d.Year == 9999:
		return nil, ErrPlaceholder
	case d.Year == 1900 && d.Month == 1 && d.Day == 1, d.Year == 1800 && d.Month == 1 && d.Day == 1:
		return nil, ErrPlaceholder
	case report.ValidDate(d):
		return d, nil
	}
	return known(d), notNormal(fmt.Sprintf("%d-%d-%d is no date", d.Year, d.Month, d.Day))
}

// known is what stands of a date that cannot be.
func known(d *wf.PartialDate) *wf.PartialDate {
	for _, k := range []*wf.PartialDate{{Year: d.Year, Month: d.Month}, {Year: d.Year}} {
		if k.Year != 0 && report.ValidDate(k) {
			return k
		}
	}
	return nil
}

// cut takes the parts out of raw by the format's letters.
func cut(raw, format string) (*wf.PartialDate, error) {
	d := new(wf.PartialDate)
	parts := map[byte]*int32{'Y': &d.Year, 'M': &d.Month, 'D': &d.Day}
	for i, at := 0, 0; i < len(format); {
		p, ok := parts[format[i]]
		if !ok {
			if at < len(raw) && raw[at] != format[i] {
				return nil, notNormal("not a date in the format " + format)
			}
			i, at = i+1, at+1
			continue
		}
		n := strings.LastIndexByte(format, format[i]) + 1 - i
		if at >= len(raw) && i > 0 {
			break
		}
		end := at
		for end < len(raw) && end < at+n && raw[end] >= '0' && raw[end] <= '9' {
			end++
		}
		// One digit will do where a separator tells where it ends.
		if width := end - at; width != n && (n == 4 || width == 0 || !strings.ContainsAny(format, "-/.")) {
			return nil, notNormal("not a date in the format " + format)
		}
		v, err := strconv.ParseInt(raw[at:end], 10, 32)
		if err != nil {
			return nil, notNormal("not a date in the format " + format)
		}
		*p = int32(v)
		i, at = i+n, end
		if i >= len(format) && at != len(raw) {
			return nil, notNormal("text follows the date")
		}
	}
	return d, nil
}
