// Package codec is what every codec has in common: bytes of a known format go
// in, reports or reasons come out. It opens no file, reads no clock and knows
// no broker.
package codec

import (
	"time"

	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Options is what a codec cannot read from its input.
type Options struct {
	// Agency is the token of the agency the reports are submitted as.
	Agency string
	// Label is the agency's default label, used where the input carries no marking.
	Label *wf.Label
	// Markings maps the input's own markings to labels; a marking it does not
	// hold is refused as unknown-marking.
	Markings Markings
	// Status overrides nothing: it is used where the input does not say.
	Status wf.Status
	// Received is the time of receipt, used where the input carries no time.
	Received time.Time
}

// Markings maps the markings of source formats to labels (from the policy).
type Markings struct {
	TLP map[wf.Tlp]*wf.Label
	// Scope maps CAP scope words: Public, Restricted, Private.
	Scope map[string]*wf.Label
	// Words maps legacy and national markings as written, upper case:
	// "FOUO", "LES", "UNCLASSIFIED", ...
	Words map[string]*wf.Label
}

// Item is one record of the input: a report, or the reasons why it is none.
type Item struct {
	// Where in the input: "#3", "objects[12]", "line 40".
	Where   string
	Report  *wf.Report
	Reasons admission.Reasons
	// Notes say what a report that stands does not carry over from its
	// source: an embedded resource, a code that is in no table.
	Notes []string
}

// Refused says whether the item is no report.
func (i Item) Refused() bool { return i.Report == nil }

// Limits that every codec keeps, so that hostile input costs bounded time and memory.
const (
	// MaxInput is the largest input in bytes.
	MaxInput = 64 << 20
	// MaxDepth is how deep XML or JSON may nest.
	MaxDepth = 64
)
