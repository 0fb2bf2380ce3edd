// Package doctor looks at a broker's folder, and at the broker while it runs,
// and says what is well, what will not stay well, what is not, and what to do.
//
// It repairs nothing and reads no report: it signs in to each cell with a
// credential that sees how streams and consumers stand, and with the listener's
// to read when agencies were last heard.
package doctor

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/transport"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Level is how bad a finding is.
type Level int

// The levels, rising.
const (
	OK Level = iota
	Warn
	Fail
)

var levels = []string{"ok", "warn", "fail"}

func (l Level) String() string { return levels[l] }

// MarshalText writes the level as its word.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText is the inverse.
func (l *Level) UnmarshalText(text []byte) error {
	*l = Level(max(slices.Index(levels, string(text)), 0))
	return nil
}

// Finding is what one check came to.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	What  string `json:"what"`
	// Do is what to do; empty when there is nothing.
	Do string `json:"do,omitempty"`
	// Items are what it is about, one by one, when there is more than one.
	Items []string `json:"items,omitempty"`
}

// Worst is the highest level of any.
func Worst(list []Finding) Level {
	worst := OK
	for _, f := range list {
		worst = max(worst, f.Level)
	}
	return worst
}

// Running is how a running broker is reached.
type Running struct {
	URL string
	// Pages are the cells' listeners.
	Pages map[string]string
	// Certificates of the listeners for other machines; nil: there are none.
	Certificates *transport.Files
	Issue        func(account.Request) (account.Credential, error)
	// Inlet is where a stream of a cell takes in what it stores.
	Inlet func(cell, stream string) subject.Inlet
}

// Config says what to look at.
type Config struct {
	DataDir, KeysDir string
	// CredsDir holds credentials files; it may be missing.
	CredsDir string
	// Policy in force; PolicyErr is why there is none.
	Policy    *policy.Policy
	PolicyErr error
	// Broker is nil when none runs.
	Broker *Running
	// Statuses whose pictures are made.
	Statuses []wf.Status
	// Stalled is after how long a reader that takes nothing is told of.
	Stalled time.Duration
	// Soon is how long before its end a credential or certificate is told of.
	Soon time.Duration
	// Reserve is how many bytes of the disk should stay free; the broker keeps a
	// smaller one itself.
	Reserve uint64
	Now     func() time.Time
	// Between is how long consumers are watched that have something waiting, or
	// that nobody seems to ask.
	Between time.Duration
}

// The defaults of a Config.
const (
	Stalled = 15 * time.Minute
	Soon    = 7 * 24 * time.Hour
	Reserve = 2 << 30
	Between = time.Second
)

// examination is one under way.
type examination struct {
	Config
	found []Finding
	// cells as the broker shows them, when it could be asked.
	cells []*cell
	// inlets are the broker's, by cell.
	inlets func(cell string) func(stream string) subject.Inlet
	rate   float64 // bytes stored a second, over all that is stored
}

// Examine makes every check that can be made, and says of those that cannot
// why.
func Examine(ctx context.Context, c Config) []Finding {
	e := &examination{Config: c}
	there := e.format()
	e.keys()
	e.policy()
	e.ask(ctx, there)
	e.rate = e.growth()
	e.disk()
	e.write()
	e.clock()
	if len(e.cells) > 0 {
		e.streams()
		e.quota()
	}
	if len(e.cells) > 0 && e.Broker != nil {
		e.staging()
		e.health(ctx)
		e.workers()
		e.readers()
		e.silent()
	}
	e.register()
	e.files()
	e.certificates()
	return e.found
}

func (e *examination) say(check string, level Level, what, do string, items ...string) {
	if level == OK {
		do = ""
	}
	e.found = append(e.found, Finding{check, level, what, do, items})
}

// some names a few of many.
func some(items []string) string {
	if len(items) <= 4 {
		return strings.Join(items, ", ")
	}
	return strings.Join(items[:3], ", ") + ", and " + itoa(len(items)-3) + " more"
}

func sortedItems(in []string) []string {
	slices.SortFunc(in, cmp.Compare[string])
	return in
}
