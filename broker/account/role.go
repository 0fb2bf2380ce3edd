package account

import (
	"fmt"
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Principal is who holds a credential in a cell. The zero value is nobody.
type Principal struct {
	Kind string
	Name string
}

// The kinds of principal.
const (
	kindAgency    = "agency"
	kindReader    = "reader"
	kindGuard     = "guard"
	kindWorker    = "worker"
	kindAPI       = "api"
	kindProvision = "provision"
	kindBackup    = "backup"
	kindDoctor    = "doctor"
	kindRestore   = "restore"
	kindRoot      = "root"
)

// Agency is the agency of the name.
func Agency(name string) Principal { return Principal{kindAgency, name} }

// Reader is the reader of the name.
func Reader(name string) Principal { return Principal{kindReader, name} }

// Guard admits reports into the cell.
func Guard() Principal { return Principal{kindGuard, kindGuard} }

// Worker is the fusion worker of cell reader, in its own or a dominated cell.
func Worker(reader string) Principal { return Principal{kindWorker, reader} }

// API is the cell's HTTP listener.
func API() Principal { return Principal{kindAPI, kindAPI} }

// Provision declares streams and consumers; its credential never leaves the broker.
func Provision() Principal { return Principal{kindProvision, kindProvision} }

// Backup copies the cell's streams out, whole.
func Backup() Principal { return Principal{kindBackup, kindBackup} }

// Doctor looks at the cell's streams and consumers: at their state, never at a
// message.
func Doctor() Principal { return Principal{kindDoctor, kindDoctor} }

// Restore puts a cell's streams back. Only an authority of [OpenOffline] knows it.
func Restore() Principal { return Principal{kindRestore, kindRestore} }

// Root may do everything in the cell. No authority outside the tests of this
// module knows it.
func Root() Principal { return Principal{kindRoot, kindRoot} }

// String is the principal as it stands in an account: "agency/fbi".
func (p Principal) String() string { return p.Kind + "/" + p.Name }

func comparePrincipals(a, b Principal) int { return strings.Compare(a.String(), b.String()) }

// ParsePrincipal reads what a command line says: the name of an agency or a
// reader, "guard", "api", "worker" (of the cell itself) or "worker/CELL".
func ParsePrincipal(p *policy.Policy, text, cell string) (Principal, error) {
	switch {
	case text == kindGuard:
		return Guard(), nil
	case text == kindAPI:
		return API(), nil
	case text == kindWorker:
		return Worker(cell), nil
	}
	if reader, ok := strings.CutPrefix(text, kindWorker+"/"); ok {
		return Worker(reader), nil
	}
	if _, ok := p.Agency(text); ok {
		return Agency(text), nil
	}
	if _, ok := p.Reader(text); ok {
		return Reader(text), nil
	}
	return Principal{}, fmt.Errorf("%q is neither an agency nor a reader of the policy: %w", text, ErrUnknown)
}

// parseRole reads a principal as it stands in an account and in the register.
func parseRole(text string) (Principal, error) {
	kind, name, ok := strings.Cut(text, "/")
	if !ok || !subject.Word(kind) || !subject.Word(name) {
		return Principal{}, fmt.Errorf("%q is no principal: %w", text, ErrUnknown)
	}
	return Principal{kind, name}, nil
}

// Role is what a principal may do in one cell: the subjects it may publish and
// subscribe to, nothing else.
type Role struct {
	Publish   []string
	Subscribe []string
}

// user stands in a role's inbox for the name of the user, which the server
// fills in from a credential that we have signed.
const user = "{{name()}}"

// owner is whose inbox the principal is answered in.
func (p Principal) owner() string {
	switch p.Kind {
	case kindAgency, kindReader:
		return p.Name
	case kindWorker:
		return kindWorker + "-" + p.Name
	}
	return p.Kind
}

func inbox(p Principal) string { return subject.InboxPrefix(p.owner(), user) + ".>" }

// inlets says where each stream of a cell takes in what it stores.
type inlets func(cell, stream string) subject.Inlet

// rolesOf gives every principal of every cell its role.
func rolesOf(p *policy.Policy, in inlets) map[string]map[Principal]Role {
	out := map[string]map[Principal]Role{}
	for _, c := range p.Cells {
		roles := map[Principal]Role{
			Guard():     guardRole(p, c.Name, in),
			API():       pictureRole(API()),
			Provision(): provisionRole(),
			Backup():    backupRole(),
			Doctor():    doctorRole(),
		}
		for _, r := range append(p.Above(c.Name), c.Name) {
			roles[Worker(r)] = workerRole(c.Name, r, in)
		}
		for _, a := range p.AgenciesOf(c.Name) {
			roles[Agency(a)] = agencyRole(p, c.Name, a)
		}
		for _, r := range p.Readers {
			if slices.Contains(p.Readable(r.Name), c.Name) {
				roles[Reader(r.Name)] = readerRole(p, c.Name, r)
			}
		}
		out[c.Name] = roles
	}
	return out
}

func agencyRole(p *policy.Policy, cell, agency string) Role {
	r := Role{Subscribe: []string{inbox(Agency(agency))}}
	a, _ := p.Agency(agency)
	g, _ := a.Grant(cell)
	for _, status := range g.Statuses {
		for _, kind := range g.Kinds {
			r.Publish = append(r.Publish, subject.SubmitPattern(status, kind, agency))
		}
	}
	return r
}

// guardRole: the guard stores and records refusals by the inlets of their
// streams, answers agencies in their own
// inboxes, and rebuilds its index by a consumer of its own.
func guardRole(p *policy.Policy, cell string, in inlets) Role {
	r := Role{Subscribe: []string{subject.SubmitAll, inbox(Guard())}}
	r.Publish = append(r.Publish, in(cell, subject.Reports).All(subject.ReportSubjects)...)
	r.Publish = append(r.Publish, in(cell, subject.Refusals).Of(subject.Refusal(cell, "*")))
	for _, a := range p.AgenciesOf(cell) {
		r.Publish = append(r.Publish, subject.InboxPrefix(a, ">"))
	}
	r.Publish = append(r.Publish,
		"$JS.API.CONSUMER.CREATE."+subject.Reports+".*",
		"$JS.API.CONSUMER.MSG.NEXT."+subject.Reports+".*",
	)
	return r
}

// consumerAPI is all that using one provisioned consumer takes, with both
// forms of acknowledgement. The second names the domain, which is "_" where
// there is none: with a wildcard in its place it would fit the first form of
// everybody's consumers, $JS.ACK.STREAM.THEIRS.STREAM.MINE.1.1.1.
func consumerAPI(name string) []string {
	return []string{
		"$JS.API.CONSUMER.INFO." + subject.Reports + "." + name,
		"$JS.API.CONSUMER.MSG.NEXT." + subject.Reports + "." + name,
		"$JS.ACK." + subject.Reports + "." + name + ".>",
		"$JS.ACK._.*." + subject.Reports + "." + name + ".>",
	}
}

// workerRole: in every cell its own consumers, those of either seat and those
// of replays, which it may also set back to read again; in its own cell the
// picture, by the inlet of its stream, which it learns from the stream, with its history, which nobody else writes and whose frames it erases
// when a report is purged, the frames of the other seat's worker as they are
// published, and the subjects by which the two know of each other.
func workerRole(cell, reader string, in inlets) Role {
	r := Role{Subscribe: []string{inbox(Worker(reader))}}
	for _, status := range subject.Statuses {
		for _, channel := range subject.Channels {
			names := []string{subject.ReplayConsumer(reader, status, channel)}
			for _, seat := range subject.Seats {
				names = append(names, seat.Consumer(reader, status, channel))
			}
			for _, name := range names {
				r.Publish = append(r.Publish, consumerAPI(name)...)
				r.Publish = append(r.Publish, "$JS.API.CONSUMER.RESET."+subject.Reports+"."+name)
			}
		}
	}
	if cell != reader {
		return r
	}
	for _, status := range subject.Statuses {
		stream := subject.SnapshotStream(status)
		r.Publish = append(r.Publish, in(cell, stream).All(subject.SnapshotSubjects(status))...)
		r.Publish = append(r.Publish,
			"$JS.API.STREAM.INFO."+stream,
			directGet(status), subject.History(stream), subject.Erase(stream))
		r.Subscribe = append(r.Subscribe, subject.LiveFrames(status))
		for _, seat := range subject.Seats {
			both := []string{seat.Ask(status), seat.Beat(status)}
			r.Publish = append(r.Publish, both...)
			r.Subscribe = append(r.Subscribe, both...)
		}
	}
	return r
}

func directGet(status wf.Status) string {
	return subject.DirectGet(subject.SnapshotStream(status), subject.SnapshotSubjects(status)[0])
}

// pictureRole: the picture of the cell, by last message of a subject and live.
func pictureRole(p Principal) Role {
	r := Role{Subscribe: []string{inbox(p)}}
	for _, status := range subject.Statuses {
		r.Publish = append(r.Publish, directGet(status))
		r.Subscribe = append(r.Subscribe, subject.Live(status))
	}
	return r
}

// readerRole: the picture where the reader is cleared for the cell, and its
// own feeds there and in every cell below.
func readerRole(p *policy.Policy, cell string, reader policy.Reader) Role {
	r := Role{Subscribe: []string{inbox(Reader(reader.Name))}}
	if p.Cleared(reader.Name, cell) {
		r = pictureRole(Reader(reader.Name))
	}
	for _, f := range reader.Feeds {
		r.Publish = append(r.Publish, consumerAPI(subject.FeedConsumer(reader.Name, f.Name))...)
	}
	return r
}

// provisionRole: declare and look, but never read, purge or delete a message.
func provisionRole() Role {
	return Role{
		Subscribe: []string{inbox(Provision())},
		Publish: []string{
			"$JS.API.INFO",
			"$JS.API.STREAM.LIST", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO.*",
			"$JS.API.STREAM.CREATE.*", "$JS.API.STREAM.UPDATE.*",
			"$JS.API.CONSUMER.LIST.*", "$JS.API.CONSUMER.NAMES.*", "$JS.API.CONSUMER.INFO.*.*",
			"$JS.API.CONSUMER.CREATE.>", "$JS.API.CONSUMER.DELETE.*.*",
		},
	}
}

// streams are the streams of every cell.
func streams() []string {
	out := []string{subject.Reports, subject.Refusals}
	for _, status := range subject.Statuses {
		out = append(out, subject.SnapshotStream(status))
	}
	return out
}

// backupRole: each stream of the cell as a whole, and nothing that changes one.
// The second subject says that a piece has arrived.
func backupRole() Role {
	r := Role{Subscribe: []string{inbox(Backup())}}
	for _, s := range streams() {
		r.Publish = append(r.Publish, "$JS.API.STREAM.SNAPSHOT."+s, "$JS.SNAPSHOT.ACK."+s+".*.*.*")
	}
	return r
}

// doctorRole: how streams and consumers stand.
func doctorRole() Role {
	return Role{
		Subscribe: []string{inbox(Doctor())},
		Publish:   []string{"$JS.API.INFO", "$JS.API.STREAM.LIST", "$JS.API.CONSUMER.LIST." + subject.Reports},
	}
}

// restoreRole: streams that are not there yet, and to read them again.
func restoreRole() Role {
	r := backupRole()
	r.Subscribe = []string{inbox(Restore())}
	for _, s := range streams() {
		r.Publish = append(r.Publish, "$JS.API.STREAM.RESTORE."+s, "$JS.SNAPSHOT.RESTORE."+s+".*")
	}
	return r
}
