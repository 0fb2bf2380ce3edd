package normal_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/producers/normal"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func TestDate(t *testing.T) {
	for _, c := range []struct{ raw, format, want string }{
		{"19080419", "YYYYMMDD", "1908-4-19"},
		{"1971-06-24", "YYYY-MM-DD", "1971-6-24"},
		{"1971-06", "YYYY-MM-DD", "1971-6-0"},
		{"1971", "YYYY-MM-DD", "1971-0-0"},
		{"19080400", "YYYYMMDD", "1908-4-0"},
		{"3/4/1980", "MM/DD/YYYY", "1980-3-4"},
		{"3/4/1980", "DD/MM/YYYY", "1980-4-3"},
		{"24.12.1999", "DD.MM.YYYY", "1999-12-24"},
		{"1985", "YYYY", "1985-0-0"},
		{"0000-02-29", "YYYY-MM-DD", "0-2-29"},
		{"19371233", "YYYYMMDD", "not normal, left 1937-12-0"},
		{"19729518", "YYYYMMDD", "not normal, left 1972-0-0"},
		{"1981-02-29", "YYYY-MM-DD", "not normal, left 1981-2-0"},
		{"April 1980", "YYYY-MM-DD", "not normal"},
		{"1980-04-03T00:00", "YYYY-MM-DD", "not normal"},
		{"80-04-03", "YYYY-MM-DD", "not normal"},
		{"1908041", "YYYYMMDD", "not normal"},
		{"01/01/1900", "MM/DD/YYYY", "placeholder"},
		{"0000-00-00", "YYYY-MM-DD", "placeholder"},
		{"99999999", "YYYYMMDD", "placeholder"},
		{"UNKNOWN", "YYYY-MM-DD", "placeholder"},
		{"", "YYYY", "placeholder"},
	} {
		d, err := normal.Date(c.raw, c.format)
		if got := showDate(d, err); got != c.want {
			t.Errorf("%q as %s: got %s, want %s", c.raw, c.format, got, c.want)
		}
	}
}

func showDate(d *wf.PartialDate, err error) string {
	s := fmt.Sprintf("%d-%d-%d", d.GetYear(), d.GetMonth(), d.GetDay())
	switch {
	case errors.Is(err, normal.ErrPlaceholder):
		return "placeholder"
	case err != nil && d == nil:
		return "not normal"
	case err != nil:
		return "not normal, left " + s
	}
	return s
}

// Whatever is returned, with an error or without, is a date that validates.
func TestDateNeverReturnsWhatCannotBe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		format := rapid.SampledFrom(normal.DateFormats).Draw(t, "format")
		raw := rapid.OneOf(rapid.StringMatching(`[0-9]{1,9}`), rapid.StringMatching(`[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}`), rapid.String()).Draw(t, "raw")
		if d, _ := normal.Date(raw, format); d != nil && !report.ValidDate(d) {
			t.Fatalf("%q as %s gave %v", raw, format, d)
		}
	})
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		got  *wf.PersonName
		want string
	}{
		{normal.Name(" Mary  Ann ", "", "O'Neil Jr."), "Mary Ann||O'Neil|Jr|"},
		{normal.Name("UNKNOWN", "", "Smith"), "||Smith||"},
		{normal.Name("", " - ", "unk"), "||||"},
		{normal.FullName("Doe, John Q III"), "John|Q III|Doe||"},
		{normal.FullName("Doe III, John"), "John||Doe|III|"},
		{normal.FullName("John Doe, Jr."), "|||Jr|John Doe"},
		{normal.FullName("Maria del Carmen"), "||||Maria del Carmen"},
		{normal.FullName("N/A"), "||||"},
	} {
		n := c.got
		if got := n.GetGiven() + "|" + n.GetMiddle() + "|" + n.GetFamily() + "|" + n.GetSuffix() + "|" + n.GetFull(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestStreet(t *testing.T) {
	for raw, want := range map[string]string{
		"6431  IDAHO AVE": "6431|idaho ave", "14a High St": "14a|high st", "1st Avenue": "|1st avenue", "Main & College": "|main & college", "UNKNOWN": "|", "95 ave. a at 6th st.": "95|ave. a at 6th st.",
	} {
		if number, street := normal.Street(raw); number+"|"+street != want {
			t.Errorf("%q: got %s|%s, want %s", raw, number, street, want)
		}
	}
}

// Text of one line validates whatever it was made of.
func TestAddressPartIsNormal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := normal.AddressPart(rapid.String().Draw(t, "raw"))
		r := &wf.Report{Places: []*wf.Place{{Address: &wf.Address{Street: s}}}}
		for _, reason := range report.Validate(r, now, report.Limits{}) {
			if reason.GetField() == "places[0].address.street" {
				t.Fatalf("%q: %v", s, reason)
			}
		}
	})
}

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
