// Package narrative finds what a text says by name or number: telephone
// numbers, plates, persons, vehicles, addresses, counties, times, and some
// thirty kinds more; and writes it into a report in normal form, marked as
// extracted.
//
// It is rules and tables, no statistical model: a finding says by which rule it
// was made, the same text and context give the same findings on any machine,
// and nothing is learned. It prefers silence to a wrong finding: a wrong name
// ties strangers together, a missed one only leaves a link unmade.
//
// It is not a codec and no validation: [Enrich] takes a report that a codec has
// made, and package report judges the result. DESIGN.md lists the rules.
package narrative

import (
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Bounds, so that hostile text costs bounded time and memory.
const (
	// MaxText is how many bytes of a text are read.
	MaxText = 1 << 20
	// MaxFindings is how many findings a text yields; those that come first.
	MaxFindings = 256
)

// Kind is what a finding is.
type Kind string

// The kinds.
const (
	Phone        Kind = "phone"
	Email        Kind = "e-mail"
	URL          Kind = "url"
	Domain       Kind = "domain"
	IP           Kind = "ip"
	CIDR         Kind = "cidr"
	MAC          Kind = "mac"
	Hash         Kind = "hash"
	CVE          Kind = "cve"
	VIN          Kind = "vin"
	Plate        Kind = "plate"
	License      Kind = "driver-license"
	Passport     Kind = "passport"
	SSN          Kind = "ssn"
	FBI          Kind = "fbi"
	IMEI         Kind = "imei"
	Serial       Kind = "serial"
	Account      Kind = "account"
	Case         Kind = "case-number"
	Tail         Kind = "tail-number"
	IMO          Kind = "imo"
	MMSI         Kind = "mmsi"
	VTEC         Kind = "vtec"
	Storm        Kind = "storm"
	Person       Kind = "person"
	Birth        Kind = "birth"
	Age          Kind = "age"
	Sex          Kind = "sex"
	Race         Kind = "race"
	Vehicle      Kind = "vehicle"
	Organization Kind = "organization"
	Item         Kind = "item"
	Address      Kind = "address"
	Crossing     Kind = "crossing"
	City         Kind = "city"
	County       Kind = "county"
	Facility     Kind = "facility"
	Coordinate   Kind = "coordinate"
	When         Kind = "when"
	Injured      Kind = "injured"
	Killed       Kind = "killed"
	Hazard       Kind = "hazard"
)

// Context is what is known of a text from outside it. The zero value knows
// nothing; then what needs a state or a date to be certain is not found.
type Context struct {
	// State is where the report is from, as a USPS code ("MS").
	State string
	// County is its FIPS code.
	County string
	// Reported is when it was written: "yesterday" and years of two digits
	// are read against it.
	Reported time.Time
	// Agency gave the case numbers for which the text names nobody else.
	Agency string
	// Heading says that the text is a title: capital letters then tell nothing.
	Heading bool
}

// Finding is one thing that a text says.
type Finding struct {
	Kind Kind
	// Start and End are its bytes in the text.
	Start, End int
	// Normal is its normal form: of an identifier its value, of a person
	// "given middle family", of a count its number.
	Normal string
	// Why names the rule.
	Why string
	// Of is the number of the finding it belongs to, from 1 (the birth date of
	// a person, the plate of a vehicle); 0 is none.
	Of int

	// At most one of these is set, by kind.
	Identifier *wf.Identifier
	Person     *wf.Person
	Vehicle    *wf.Vehicle
	Item       *wf.Item
	Place      *wf.Place
	Time       *wf.TimeRange
	// Role of a person.
	Role wf.EntityRole
	// Year, month and day of a birth.
	Date *wf.PartialDate
	// Count of Injured, Killed and Age.
	Count int
	// sender says that it is a contact of whoever wrote the text.
	sender bool
}

// Extract lists what the text says, in the order of the text.
func Extract(text string, c Context) []Finding {
	if len(text) > MaxText {
		text = text[:MaxText]
	}
	s := newScan(text, c)
	for i := 0; i < len(s.toks) && len(s.out) < MaxFindings; {
		next := s.at(i)
		if next <= i {
			next = i + 1
		}
		i = next
	}
	return s.out
}
