// Package proof shows from what a policy is compiled to (account and user JWTs,
// streams and consumers, as the server gets them) that no principal reaches a
// label its own does not dominate, and lists all that each can do.
//
// It is the second opinion on packages account and stream: it calls none of
// their functions, decodes the JWTs and configurations itself, and decides by
// the meaning NATS gives them. What it does not understand it refuses. It
// takes every permission at its widest: a deny list is worth nothing, a name
// the server fills in is any name.
//
// It starts no server and reads no key: package trial tries the same calls
// against a running broker.
package proof

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/proto/label"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// World is what a broker would run.
type World struct {
	Cells []Cell
	// System is the public key of the system account.
	System string
	// Accounts are the account JWTs.
	Accounts []string
	// Users are user JWTs, as issued; one of every principal is enough.
	Users []string
	// Doors are the HTTP listeners, Tokens what is issued for them: one for
	// every reader, cell and purpose that one is given for.
	Doors  []Door
	Tokens []string
	// Principals are those that the policy names, and the broker's own parts.
	Principals []Principal
}

// Cell is an account with what it stores.
type Cell struct {
	Name string
	// Account is the public key of its account.
	Account string
	Label   label.Label
	// Streams and Consumers are configurations in JSON, as sent to the server.
	Streams   [][]byte
	Consumers []Consumer
}

// Consumer is the configuration in JSON of a consumer of a stream.
type Consumer struct {
	Stream string
	Config []byte
}

// Kind says what a principal is for. The zero kind may do nothing.
type Kind string

// The kinds of principal.
const (
	Agency    Kind = "agency"
	Reader    Kind = "reader"
	Worker    Kind = "worker"
	Guard     Kind = "guard"
	API       Kind = "api"
	Provision Kind = "provision"
	Backup    Kind = "backup"
	Doctor    Kind = "doctor"
)

// Principal is who may hold a credential.
type Principal struct {
	Kind Kind
	Name string
	// Cells are the cells whose labels are its own: what one of them dominates
	// it may read. Empty for an agency, which reads nothing.
	Cells []string
	// Feeds are the names of a reader's feeds.
	Feeds []string
	// Tokens bounds a reader's HTTP tokens.
	Tokens Bounds
	// Submits is what an agency may submit.
	Submits []Submission
	// In is the one cell that a part of the broker stands in; its namesake in
	// another cell is another principal. Empty for all others.
	In string
}

// String is the principal as its scope in an account names it: "agency/fbi".
func (p Principal) String() string { return string(p.Kind) + "/" + p.Name }

// Submission is what an agency may submit to a cell.
type Submission struct {
	Cell   string
	Status wf.Status
	Kind   wf.Kind
}

// Proof is what was found.
type Proof struct {
	// Cells by rising label, as columns of a matrix.
	Cells []string
	// Standings lists every principal in every cell it has a credential for.
	Standings []Standing
	// Leaks is empty when the world is tight.
	Leaks []Leak
}

// Standing is one principal in one cell's account.
type Standing struct {
	Principal Principal
	Cell      string
	Grants    []Grant
	// HTTP is what tokens open, by purpose.
	HTTP []HTTP
}

// Grant is one permission, with everything it reaches.
type Grant struct {
	// Subscribe, else publish.
	Subscribe bool
	// Subject as it stands in the account, templates included.
	Subject string
	Effects []Effect
}

// Verb is what a permission lets a principal do.
type Verb string

// The verbs. What the server answers to a request is part of the verb.
const (
	Hears    Verb = "hears"    // messages on their way, by subscription
	Fetches  Verb = "fetches"  // what a consumer delivers
	Gets     Verb = "gets"     // stored messages, by sequence or subject
	Learns   Verb = "learns"   // configuration and counts of a stream or consumer
	Creates  Verb = "creates"  // a consumer, that may deliver anywhere in the account
	Manages  Verb = "manages"  // a stream or consumer: create, change, empty, delete, set back
	Stores   Verb = "stores"   // messages into a stream
	Submits  Verb = "submits"  // to the guard
	Answers  Verb = "answers"  // into somebody's inbox
	Speaks   Verb = "speaks"   // to somebody who listens
	Controls Verb = "controls" // the server
	Signs    Verb = "signs in" // what a credential is, not what it may publish
)

// Effect is one thing that a permission reaches.
type Effect struct {
	Verb Verb
	// Cell whose account it is reached in.
	Cell string
	// What it is: a stream, "consumer NAME of STREAM", an inbox's owner.
	What string
	// Subjects is the part of the subject space that is reached.
	Subjects string
	// Labels of all that may be read there; empty when nothing is read.
	Labels []label.Label
	// Path from the permission to what is reached.
	Path []string
	// Why it is the principal's to do; empty in a leak.
	Why string

	call     string // of the JetStream API: "STREAM.INFO"
	stream   string
	consumer string
	filters  []pattern
	owner    string // of an inbox
	imported bool
	named    bool // the subject is: of a get, or of what a stream republishes
}

// Leak is something a principal reaches that is not its own to reach.
type Leak struct {
	Kind string
	// Who is the principal, empty when it is the account itself.
	Who  string
	Cell string
	// Path leads from the principal over the subject and the stream or consumer
	// to the label.
	Path []string
	// Message says what is wrong.
	Message string
}

// String is the leak on one line.
func (l Leak) String() string {
	who := l.Who
	if who == "" {
		who = "account"
	}
	return fmt.Sprintf("%s: %s in %s -> %s: %s", l.Kind, who, l.Cell, strings.Join(l.Path, " -> "), l.Message)
}

// masked is the leak without the words of inlets: it goes to logs.
func (l Leak) masked() Leak {
	l.Path = slices.Clone(l.Path)
	for i := range l.Path {
		l.Path[i] = Masked(l.Path[i])
	}
	l.Message = Masked(l.Message)
	return l
}

// Error is a world that leaks.
type Error struct{ Leaks []Leak }

// Error lists the leaks, one per line, at most twenty.
func (e *Error) Error() string {
	const most = 20
	lines := make([]string, 0, most+1)
	for i, l := range e.Leaks {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more", len(e.Leaks)-most))
			break
		}
		lines = append(lines, l.String())
	}
	return "policy would leak: " + strings.Join(lines, "\n")
}

// Err is an [*Error] when there is a leak.
func (p *Proof) Err() error {
	if len(p.Leaks) == 0 {
		return nil
	}
	return &Error{Leaks: p.Leaks}
}

// Prove looks at everything that every principal may do.
func Prove(w World) *Proof {
	m := readWorld(w)
	m.flow()
	m.checkInlets()
	j := &judge{model: m}
	for _, u := range m.users {
		j.standing(u)
	}
	j.answers()
	j.doors(w)
	out := &Proof{Cells: m.columns(), Standings: j.standings, Leaks: append(m.leaks, j.leaks...)}
	for i, l := range out.Leaks {
		out.Leaks[i] = l.masked()
	}
	slices.SortFunc(out.Standings, compareStandings)
	slices.SortFunc(out.Leaks, compareLeaks)
	out.Leaks = slices.CompactFunc(out.Leaks, func(a, b Leak) bool { return a.String() == b.String() })
	return out
}

// gravest are the kinds of leak that are printed first.
var gravest = []string{"label", "originator control", "standing", "credential"}

func compareLeaks(a, b Leak) int {
	rank := func(l Leak) int {
		if i := slices.Index(gravest, l.Kind); i >= 0 {
			return i
		}
		return len(gravest)
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a.String(), b.String()))
}

func compareStandings(a, b Standing) int {
	if c := strings.Compare(a.Principal.String(), b.Principal.String()); c != 0 {
		return c
	}
	return strings.Compare(a.Cell, b.Cell)
}

// Consumer is the stream and the consumer that the effect is about; the second
// is empty when it is about none, and "*" for all of the stream.
func (e Effect) Consumer() (stream, consumer string) { return e.stream, e.consumer }

// Request is the JetStream request that has the effect: "STREAM.INFO".
func (e Effect) Request() string { return e.call }
