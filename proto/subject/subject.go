// Package subject is the grammar of every subject, stream and consumer name.
// No other package writes one.
//
//	submit.<status>.<kind>.<state>.<county>.<agency>                                    an agency to the guard
//	report.<side>.<level>.<cell>.<status>.<kind>.<state>.<county>.<agency>              stored by the guard
//	orcon.<cells>.<side>.<level>.<cell>.<status>.<kind>.<state>.<county>.<agency>       stored, originator controlled
//	refusal.<cell>.<agency>                                                             the record of a refused report
//	snapshot.<status>.frame.<slot>   snapshot.<status>.keyframe.last                    commits of a picture: the completing part
//	snapshot.<status>.frame.<slot>.<part>   snapshot.<status>.keyframe.<set>.<part>     and the parts before it
//	live.<status>.frame.<slot> ...                                                      the same, republished
//	inlet.<word>.<subject>                                                              where what a stream stores is published: see [Inlet]
//
// A feed is a wildcard over report subjects. County is a five-digit FIPS code,
// "multi" or "none"; state a lower-case USPS code, "multi" or "none".
package subject

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/watchfloor/watchfloor/proto/label"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Stream names, the same in every cell's account.
const (
	// Reports holds what the guard admitted.
	Reports = "REPORTS"
	// Refusals holds the record of what it did not.
	Refusals = "REFUSALS"
)

// Tokens that stand for no single place.
const (
	None  = "none"
	Multi = "multi"
)

// Slots is how many subjects the frames of one picture rotate over; a
// keyframe comes at least every Slots/4 frames, so that the last message of a
// slot is always the frame a late joiner needs. It is large because a busy
// picture commits a thousand frames a second, and a keyframe is the whole picture.
const Slots = 16384

// Statuses lists every status in the order of the schema.
var Statuses = []wf.Status{wf.Status_STATUS_ACTUAL, wf.Status_STATUS_EXERCISE, wf.Status_STATUS_TEST}

var statusTokens = map[wf.Status]string{
	wf.Status_STATUS_ACTUAL: "actual", wf.Status_STATUS_EXERCISE: "exercise", wf.Status_STATUS_TEST: "test",
}

// Kinds lists every kind in the order of the schema.
var Kinds = []wf.Kind{
	wf.Kind_KIND_SAR, wf.Kind_KIND_THREAT, wf.Kind_KIND_HAZARD, wf.Kind_KIND_CYBER,
	wf.Kind_KIND_INCIDENT, wf.Kind_KIND_ASSET, wf.Kind_KIND_RESOURCE, wf.Kind_KIND_BULLETIN,
}

var kindTokens = map[wf.Kind]string{
	wf.Kind_KIND_SAR: "sar", wf.Kind_KIND_THREAT: "threat", wf.Kind_KIND_HAZARD: "hazard", wf.Kind_KIND_CYBER: "cyber",
	wf.Kind_KIND_INCIDENT: "incident", wf.Kind_KIND_ASSET: "asset", wf.Kind_KIND_RESOURCE: "resource", wf.Kind_KIND_BULLETIN: "bulletin",
}

// StatusToken is actual, exercise or test; empty for any other value.
func StatusToken(s wf.Status) string { return statusTokens[s] }

// KindToken is the kind in a subject; empty for any other value.
func KindToken(k wf.Kind) string { return kindTokens[k] }

// ParseStatus is the inverse of StatusToken.
func ParseStatus(token string) (wf.Status, error) {
	for s, t := range statusTokens {
		if t == token {
			return s, nil
		}
	}
	return 0, fmt.Errorf("unknown status %q: use actual, exercise or test", token)
}

// ParseKind is the inverse of KindToken.
func ParseKind(token string) (wf.Kind, error) {
	for k, t := range kindTokens {
		if t == token {
			return k, nil
		}
	}
	return 0, fmt.Errorf("unknown kind %q: use sar, threat, hazard, cyber, incident, asset, resource or bulletin", token)
}

// Word says whether s can be the name of a cell, agency, user or feed:
// 2 to 32 of [a-z0-9-], starting with a letter or digit.
func Word(s string) bool {
	if len(s) < 2 || len(s) > 32 || s[0] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// Submission is what a submit subject says.
type Submission struct {
	Status wf.Status
	Kind   wf.Kind
	State  string
	County string
	Agency string
}

// ErrMalformed is returned for a subject that does not follow the grammar.
var ErrMalformed = errors.New("subject does not follow the grammar")

// Submit is the subject on which an agency submits r.
func Submit(r *wf.Report) string {
	state, county := Area(r)
	return SubmissionOf(r, state, county).String()
}

// SubmissionOf is what the submit subject of r says.
func SubmissionOf(r *wf.Report, state, county string) Submission {
	return Submission{Status: r.GetStatus(), Kind: r.GetKind(), State: state, County: county, Agency: r.GetAgency()}
}

// String writes the submit subject.
func (s Submission) String() string {
	return "submit." + StatusToken(s.Status) + "." + KindToken(s.Kind) + "." + s.State + "." + s.County + "." + s.Agency
}

// ParseSubmit reads a submit subject.
func ParseSubmit(subject string) (Submission, error) {
	t := strings.Split(subject, ".")
	if len(t) != 6 || t[0] != "submit" {
		return Submission{}, fmt.Errorf("%q: %w", subject, ErrMalformed)
	}
	return parseTail(subject, t[1:])
}

// parseTail reads <status>.<kind>.<state>.<county>.<agency>.
func parseTail(subject string, t []string) (Submission, error) {
	status, err := ParseStatus(t[0])
	if err != nil {
		return Submission{}, fmt.Errorf("%q: %w", subject, err)
	}
	kind, err := ParseKind(t[1])
	if err != nil {
		return Submission{}, fmt.Errorf("%q: %w", subject, err)
	}
	s := Submission{Status: status, Kind: kind, State: t[2], County: t[3], Agency: t[4]}
	if !areaToken(s.State, 2) || !areaToken(s.County, 5) || !Word(s.Agency) {
		return Submission{}, fmt.Errorf("%q: %w", subject, ErrMalformed)
	}
	return s, nil
}

func areaToken(s string, n int) bool {
	if s == None || s == Multi {
		return true
	}
	if len(s) != n {
		return false
	}
	for i := range len(s) {
		c := s[i]
		digit := c >= '0' && c <= '9'
		if n == 5 && !digit || n == 2 && !(c >= 'a' && c <= 'z') {
			return false
		}
	}
	return true
}

// Area gives the state and county tokens of r from the FIPS codes and states
// of its places: the one that all agree on, multi, or none.
func Area(r *wf.Report) (state, county string) {
	state, county = None, None
	for _, p := range r.GetPlaces() {
		st := strings.ToLower(p.GetState())
		if st == "" {
			st = StateOfFIPS(p.GetCountyFips())
		}
		state = merge(state, st)
		county = merge(county, p.GetCountyFips())
	}
	return state, county
}

func merge(have, next string) string {
	switch {
	case next == "" || have == next || have == Multi:
		return have
	case have == None:
		return next
	}
	return Multi
}

// SubmitPattern is what an agency's credential may publish to for one status and kind.
func SubmitPattern(status wf.Status, kind wf.Kind, agency string) string {
	return "submit." + StatusToken(status) + "." + KindToken(kind) + ".*.*." + agency
}

// SubmitAll is what a guard subscribes to.
const SubmitAll = "submit.*.*.*.*.*"

// Stored is what the subject of a stored report says.
type Stored struct {
	Submission
	Sides string
	Level string
	Cell  string
	// Originator controlled: OrconCells are the cells above that may read it.
	Orcon      bool
	OrconCells []string
}

// StoredOf is where the guard of cell stores r, whose label is l.
func StoredOf(s Submission, cell string, l label.Label, m *wf.Label) Stored {
	out := Stored{Submission: s, Sides: l.Sides().Token(), Level: l.Level().Token(), Cell: cell}
	if slices.Contains(m.GetControls(), wf.Control_CONTROL_ORCON) {
		out.Orcon = true
		out.OrconCells = slices.Clone(m.GetOrconCells())
		slices.Sort(out.OrconCells)
		out.OrconCells = slices.Compact(out.OrconCells)
	}
	return out
}

// String writes the stored subject.
func (s Stored) String() string {
	tail := s.Sides + "." + s.Level + "." + s.Cell + "." + strings.TrimPrefix(s.Submission.String(), "submit.")
	if s.Orcon {
		return "orcon." + cellSet(s.OrconCells) + "." + tail
	}
	return "report." + tail
}

func cellSet(cells []string) string {
	if len(cells) == 0 {
		return None
	}
	return strings.Join(cells, "+")
}

// ParseStored reads the subject of a stored report.
func ParseStored(subject string) (Stored, error) {
	t := strings.Split(subject, ".")
	var s Stored
	switch {
	case len(t) == 9 && t[0] == "report":
		t = t[1:]
	case len(t) == 10 && t[0] == "orcon":
		s.Orcon = true
		if t[1] != None {
			s.OrconCells = strings.Split(t[1], "+")
		}
		t = t[2:]
	default:
		return Stored{}, fmt.Errorf("%q: %w", subject, ErrMalformed)
	}
	tail, err := parseTail(subject, t[3:])
	if err != nil {
		return Stored{}, err
	}
	s.Sides, s.Level, s.Cell, s.Submission = t[0], t[1], t[2], tail
	if !Word(s.Cell) || !sidesToken(s.Sides) || !levelToken(s.Level) || !cellTokens(s.OrconCells) {
		return Stored{}, fmt.Errorf("%q: %w", subject, ErrMalformed)
	}
	return s, nil
}

func sidesToken(s string) bool {
	for sides := range label.Sides(4) {
		if s == sides.Token() {
			return true
		}
	}
	return false
}

func levelToken(s string) bool {
	for l := label.Unclassified; l <= label.TopSecret; l++ {
		if s == l.Token() {
			return true
		}
	}
	return false
}

// cellTokens holds named cells to the one order in which they are written.
func cellTokens(cells []string) bool {
	for i, c := range cells {
		if !Word(c) || c == None || i > 0 && cells[i-1] >= c {
			return false
		}
	}
	return true
}

// ReportSubjects is what stream REPORTS stores.
var ReportSubjects = []string{"report.>", "orcon.>"}

// MaxCellsAbove bounds how many cells may dominate one: the filters of a
// reader above enumerate the sets of named cells.
const MaxCellsAbove = 8

// Channel is a part of a cell's REPORTS that a fusion worker reads by a
// consumer of its own. There are two, because a consumer of one subject costs
// the server far less than one of several.
type Channel string

// The channels.
const (
	// Open holds every report that is not originator controlled.
	Open Channel = ""
	// Controlled holds the originator-controlled ones.
	Controlled Channel = "orcon"
)

// Channels lists them.
var Channels = []Channel{Open, Controlled}

// OwnFilters are the subjects of a channel by which a cell reads its own
// REPORTS, one status.
func (c Channel) OwnFilters(status wf.Status) []string {
	if c == Controlled {
		return []string{"orcon.*.*.*.*." + StatusToken(status) + ".>"}
	}
	return []string{"report.*.*.*." + StatusToken(status) + ".>"}
}

// UpwardFilters are the subjects of a channel by which cell reader reads
// REPORTS of a cell below, one status: of the originator-controlled reports
// those that name the reader. above is every cell that dominates the one below.
func (c Channel) UpwardFilters(status wf.Status, reader string, above []string) []string {
	if c != Controlled {
		return c.OwnFilters(status)
	}
	var out []string
	for _, set := range cellSets(reader, above) {
		out = append(out, "orcon."+set+".*.*.*."+StatusToken(status)+".>")
	}
	return out
}

// cellSets lists every set of the cells above that holds reader, as one token.
func cellSets(reader string, above []string) []string {
	others := slices.Clone(above)
	others = slices.DeleteFunc(others, func(c string) bool { return c == reader })
	slices.Sort(others)
	var out []string
	for set := range 1 << len(others) {
		named := []string{reader}
		for i, c := range others {
			if set&(1<<i) != 0 {
				named = append(named, c)
			}
		}
		slices.Sort(named)
		out = append(out, cellSet(named))
	}
	return out
}

// Feed selects reports; an empty field matches everything, an empty status ACTUAL.
type Feed struct {
	Status wf.Status
	Kind   wf.Kind
	State  string
	County string
	Agency string
}

// Matches says whether a stored report is of the feed. A county feed includes
// reports of several counties and of none, and so does a state feed.
func (f Feed) Matches(s Stored) bool {
	status := f.Status
	if status == wf.Status_STATUS_UNSPECIFIED {
		status = wf.Status_STATUS_ACTUAL
	}
	return s.Status == status &&
		(f.Kind == wf.Kind_KIND_UNSPECIFIED || f.Kind == s.Kind) &&
		areaMatches(f.State, s.State) && areaMatches(f.County, s.County) &&
		(f.Agency == "" || f.Agency == s.Agency)
}

func areaMatches(want, have string) bool {
	return want == "" || have == want || have == Multi || have == None
}

// Refusal is the subject of a refusal record.
func Refusal(cell, agency string) string { return "refusal." + cell + "." + agency }

// RefusalSubjects is what stream REFUSALS stores.
var RefusalSubjects = []string{"refusal.>"}

// SnapshotStream is the stream of a cell's picture of one status.
func SnapshotStream(status wf.Status) string {
	return "SNAPSHOT_" + strings.ToUpper(StatusToken(status))
}

// SnapshotSubjects is what the snapshot stream of a status stores.
func SnapshotSubjects(status wf.Status) []string {
	return []string{"snapshot." + StatusToken(status) + ".>"}
}

// Frame is the subject of a frame by its revision: of its only part, or of the
// part that completes it.
func Frame(status wf.Status, revision uint64) string {
	return "snapshot." + StatusToken(status) + ".frame." + strconv.FormatUint(revision%Slots, 10)
}

// FramePart is the subject of a part of a frame before the completing one.
func FramePart(status wf.Status, revision uint64, part uint32) string {
	return Frame(status, revision) + "." + strconv.FormatUint(uint64(part), 10)
}

// Keyframe is the subject of the completing part of a keyframe.
func Keyframe(status wf.Status) string {
	return "snapshot." + StatusToken(status) + ".keyframe.last"
}

// KeyframePart is the subject of a part of a keyframe before the completing
// one. Keyframes alternate between set 0 and set 1.
func KeyframePart(status wf.Status, set, part uint32) string {
	return fmt.Sprintf("snapshot.%s.keyframe.%d.%d", StatusToken(status), set%2, part)
}

// Republish maps snapshot subjects to the live ones.
func Republish(status wf.Status) (from, to string) {
	st := StatusToken(status)
	return "snapshot." + st + ".>", "live." + st + ".>"
}

// Live is what a follower of a picture may subscribe to.
func Live(status wf.Status) string { return "live." + StatusToken(status) + ".>" }

// LiveFrames is what it does subscribe to: keyframes are for late joiners.
func LiveFrames(status wf.Status) string { return "live." + StatusToken(status) + ".frame.>" }

// DirectGet is the request for the last message of a subject of a stream.
func DirectGet(stream, subject string) string {
	return "$JS.API.DIRECT.GET." + stream + "." + subject
}

// WorkerConsumer is the durable by which cell reader's fusion worker, the one
// in the first seat, reads a channel of a cell's REPORTS, one status.
func WorkerConsumer(reader string, status wf.Status, c Channel) string {
	name := "fusion_" + reader + "_" + StatusToken(status)
	if c == Open {
		return name
	}
	return name + "_" + string(c)
}

// Seat tells the two workers of one picture apart: one publishes it, the other
// stands by. Each reads by consumers of its own.
type Seat int

// Seats lists them. The zero Seat is none.
var Seats = []Seat{1, 2}

// Valid says whether there is such a seat.
func (s Seat) Valid() bool { return slices.Contains(Seats, s) }

// Other is where the other worker sits.
func (s Seat) Other() Seat { return Seats[0] + Seats[1] - s }

// Consumer is WorkerConsumer of the worker in this seat.
func (s Seat) Consumer(reader string, status wf.Status, c Channel) string {
	name := WorkerConsumer(reader, status, c)
	if s == Seats[0] {
		return name
	}
	return name + "_" + strconv.Itoa(int(s))
}

// Ask is where the worker in a seat is asked whether it is there.
func (s Seat) Ask(status wf.Status) string {
	return "seat." + StatusToken(status) + "." + strconv.Itoa(int(s))
}

// Beat is where it answers: one subject, never the asker's choice.
func (s Seat) Beat(status wf.Status) string {
	return "beat." + StatusToken(status) + "." + strconv.Itoa(int(s))
}

// FeedConsumer is the durable by which a reader follows one feed.
func FeedConsumer(reader, feed string) string { return "feed_" + reader + "_" + feed }

// InboxPrefix is the only place where a user may be answered; set it as
// nats.CustomInboxPrefix. For an agency's user the owner is the agency.
func InboxPrefix(owner, user string) string { return "_INBOX." + owner + "." + user }
