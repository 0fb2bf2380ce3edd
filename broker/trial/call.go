package trial

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/proof"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// call is one thing to try.
type call struct {
	trap      string
	subject   string
	subscribe bool
	queue     string
	body      []byte
	header    nats.Header
	// silent: even when permitted nothing answers, or in no inbox but the agency's.
	silent bool
	// still: when permitted it changes nothing for anybody.
	still bool
	// as is the call that shows with all rights what this one would do; nil: itself.
	as *call
}

func (c call) action() string {
	switch {
	case c.queue != "":
		return "queue"
	case c.subscribe:
		return "subscribe"
	}
	return "publish"
}

func (c call) key() string {
	if c.as != nil {
		return c.as.key()
	}
	return c.action() + " " + c.subject + " " + string(c.body)
}

func object(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("trial: " + err.Error()) // a literal of this file
	}
	return b
}

// impossible makes a stream refuse what is published to it.
var impossible = nats.Header{"Nats-Expected-Last-Sequence": {"9007199254740991"}}

const never = uint64(1) << 53

// harmless are bodies with which a server that takes the request does nothing:
// it answers with an error, or finds nothing to do.
var harmless = map[string][]byte{
	"STREAM.CREATE":           object(map[string]any{"name": "ANOTHER"}),
	"STREAM.UPDATE":           object(map[string]any{"name": "ANOTHER"}),
	"STREAM.DELETE":           []byte("not empty"),
	"STREAM.PURGE":            object(map[string]any{"filter": "nothing.here"}),
	"STREAM.SNAPSHOT":         []byte("no request"),
	"STREAM.RESTORE":          []byte("no request"),
	"STREAM.MSG.DELETE":       object(map[string]any{"seq": never}),
	"STREAM.MSG.GET":          object(map[string]any{"seq": 1}),
	"STREAM.INFO":             object(map[string]any{"subjects_filter": ">"}),
	"DIRECT.GET":              object(map[string]any{"seq": 1}),
	"CONSUMER.CREATE":         object(map[string]any{"stream_name": "ANOTHER"}),
	"CONSUMER.DURABLE.CREATE": object(map[string]any{"stream_name": "ANOTHER"}),
	"CONSUMER.DELETE":         []byte("not empty"),
	"CONSUMER.PAUSE":          []byte("no request"),
	"CONSUMER.RESET":          []byte("no request"),
	"CONSUMER.UNPIN":          []byte("no request"),
	"CONSUMER.MSG.NEXT":       object(map[string]any{"batch": 1, "no_wait": true, "max_bytes": 1}),
	"ACK":                     []byte("no acknowledgement"),
	"ACK.v2":                  []byte("no acknowledgement"),
}

// earnest is a pull that takes what there is: only from the twin, only where it
// is permitted.
var earnest = object(map[string]any{"batch": 20, "no_wait": true})

// trapOf says which of the traps of account/DESIGN.md a request is.
func trapOf(name string) string {
	switch {
	case strings.HasPrefix(name, "ACK"), strings.HasPrefix(name, "FC"):
		return "T22"
	case strings.HasPrefix(name, "CONSUMER."):
		return "T2"
	case strings.HasPrefix(name, "STREAM."), strings.HasPrefix(name, "DIRECT."):
		return "T8"
	}
	return "T1"
}

// alone are requests that only servers in a cluster answer: to them one server
// says nothing, whoever asks.
var alone = []string{"PEER.", "LEADER.", "CANCEL_MOVE", "META.", "SERVER.", "ACCOUNT."}

// callsOf lists every call there is in a cell: every request on every stream
// and consumer, and every way to hear or say what is not one's own. hash is how
// the second form of acknowledgement names the account.
func callsOf(cell proof.Cell, hash string) []call {
	streams, consumers := names(cell)
	var out []call
	for _, c := range proof.Calls() {
		for _, s := range expand(c, streams, consumers) {
			if strings.HasSuffix(c.Name, ".v2") {
				s = strings.Replace(s, "._.1.", "._."+hash+".", 1)
			}
			out = append(out, requestCall(c, s))
		}
	}
	for _, name := range consumers {
		out = append(out, crossed(name, "mine"))
	}
	return append(out, coreCalls(cell)...)
}

// hashed is the server's short name of an account: TestHashedIsTheServers
// compares.
func hashed(account string) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	sum := sha256.Sum256([]byte(account))
	out := make([]byte, 8)
	for i := range out {
		out[i] = digits[int(sum[i])%len(digits)]
	}
	return string(out)
}

// crossed is an acknowledgement to one consumer, written so that it also fits
// the second form of one to another.
func crossed(to, from string) call {
	return call{trap: "T22", subject: "$JS.ACK." + subject.Reports + "." + to + "." + subject.Reports + "." + from + ".1.1.1", body: []byte("no acknowledgement"), silent: true}
}

// crossings are those of a principal's own consumers to all others of the cell.
func crossings(s proof.Standing, cell proof.Cell) []call {
	_, consumers := names(cell)
	own := map[string]bool{}
	for _, g := range s.Grants {
		for _, e := range g.Effects {
			if _, name := e.Consumer(); e.Request() == "CONSUMER.MSG.NEXT" && name != "*" && name != "" {
				own[name] = true
			}
		}
	}
	var out []call
	for _, from := range slices.Sorted(maps.Keys(own)) {
		for _, to := range consumers {
			if !own[to] {
				c, as := crossed(to, from), crossed(to, "mine")
				c.as = &as
				out = append(out, c)
			}
		}
	}
	return out
}

func requestCall(c proof.Call, s string) call {
	body := harmless[c.Name]
	if c.Tail > 0 {
		body = nil
	}
	silent := strings.HasPrefix(c.Name, "FC") || strings.HasPrefix(c.Name, "SNAPSHOT.") || slices.ContainsFunc(alone, func(a string) bool { return strings.Contains(c.Name, a) })
	still := strings.HasSuffix(c.Name, ".INFO") || strings.HasSuffix(c.Name, ".NAMES") || strings.HasSuffix(c.Name, ".LIST") || c.Name == "INFO" || strings.HasSuffix(c.Name, ".GET")
	return call{trap: trapOf(c.Name), subject: s, body: body, silent: silent, still: still}
}

// names reads the streams of a cell, and the consumers of REPORTS.
func names(cell proof.Cell) (streams, consumers []string) {
	name := func(data []byte) string {
		var n struct {
			Name string `json:"name"`
		}
		if err := json.Unmarshal(data, &n); err != nil {
			panic("trial: " + err.Error()) // the proof has read it
		}
		return n.Name
	}
	for _, s := range cell.Streams {
		streams = append(streams, name(s))
	}
	for _, c := range cell.Consumers {
		consumers = append(consumers, name(c.Config))
	}
	return streams, consumers
}

// expand writes the subjects of a request: one for every stream and consumer.
func expand(c proof.Call, streams, consumers []string) []string {
	if c.Stream == 0 {
		return []string{fill(c, "", "", "x")}
	}
	var out []string
	for _, s := range streams {
		switch {
		case c.Tail > 0:
			for _, subj := range kept(s) {
				out = append(out, strings.TrimSuffix(fill(c, s, "", ""), ">")+subj)
			}
		case c.Consumer == 0:
			out = append(out, fill(c, s, "", ""))
		case strings.HasPrefix(c.Name, "CONSUMER.CREATE") || strings.HasPrefix(c.Name, "CONSUMER.DURABLE"):
			out = append(out, fill(c, s, "spy", ""))
		case s == subject.Reports:
			for _, name := range consumers {
				out = append(out, fill(c, s, name, ""))
			}
		}
	}
	return out
}

// kept are subjects that a stream stores, one of them a wildcard.
func kept(stream string) []string {
	for _, status := range subject.Statuses {
		if stream == subject.SnapshotStream(status) {
			return append([]string{subject.Frame(status, 1), subject.Keyframe(status)}, stores(stream)...)
		}
	}
	return stores(stream)
}

// stores are all subjects that a stream stores.
func stores(stream string) []string {
	for _, status := range subject.Statuses {
		if stream == subject.SnapshotStream(status) {
			return subject.SnapshotSubjects(status)
		}
	}
	if stream == subject.Refusals {
		return subject.RefusalSubjects
	}
	return subject.ReportSubjects
}

// fill puts names where the wildcards are.
func fill(c proof.Call, stream, consumer, other string) string {
	t := strings.Split(c.Subject, ".")
	for i, w := range t {
		switch {
		case i == c.Stream && i > 0:
			t[i] = stream
		case i == c.Consumer && i > 0:
			t[i] = consumer
			if w == ">" {
				return strings.Join(t, ".")
			}
		case w == "*" && other != "":
			t[i] = other
		case w == "*", w == ">" && c.Tail == 0:
			t[i] = "1"
		}
	}
	return strings.Join(t, ".")
}

// coreCalls are the subjects of the cell itself.
func coreCalls(cell proof.Cell) []call {
	none := []string{subject.None, subject.None}
	in := inletsOf(cell)
	out := []call{
		{trap: "T4", subject: in[subject.Reports].Of(report(cell, none)), body: []byte("forged"), header: impossible},
		{trap: "T4", subject: in[subject.Refusals].Of(subject.Refusal(cell.Name, "forged")), body: []byte("forged"), header: impossible},
		{trap: "T3", subject: "$SYS.REQ.USER.INFO", still: true},
		{trap: "T1", subject: "$SYS.REQ.ACCOUNT.PING.CONNZ", still: true},
		{trap: "T1", subject: "$SYS.REQ.SERVER.PING", silent: true, still: true},
		{trap: "T1", subject: "$SRV.PING", silent: true, still: true},
	}
	for _, status := range subject.Statuses {
		out = append(out,
			call{trap: "T5", subject: in[subject.SnapshotStream(status)].Of(subject.Frame(status, 1)), body: []byte("forged"), header: impossible},
			call{trap: "T5", subject: strings.TrimSuffix(subject.Live(status), ">") + "frame.0", silent: true})
	}
	listen := []string{">", "*.>", subject.NewInlet("*").Source(), "$JS.>", "$JS.EVENT.>", "$JS.API.>", "$SYS.>", "_INBOX.>", subject.SubmitAll}
	for _, stream := range slices.Sorted(maps.Keys(in)) {
		listen = append(append(listen, stores(stream)...), in[stream].All(stores(stream))...)
	}
	for _, status := range subject.Statuses {
		listen = append(listen, subject.Live(status))
	}
	for _, owner := range []string{"guard", "api", "provision", "backup", "worker-" + cell.Name, "dea", "nws", "watch-le", "watch-noc"} {
		listen = append(listen, subject.InboxPrefix(owner, ">"), subject.InboxPrefix(owner, "main.x"))
		out = append(out, call{trap: "T3", subject: subject.InboxPrefix(owner, "main.x"), silent: true})
	}
	for _, s := range listen {
		trap := "T1"
		if strings.HasPrefix(s, "_INBOX") {
			trap = "T6"
		}
		out = append(out, call{trap: trap, subject: s, subscribe: true, still: true}, call{trap: trap, subject: s, subscribe: true, still: true, queue: "trial"})
	}
	for _, agency := range []string{"dea", "nws", "cia", "noc-desk"} {
		for _, kind := range []wf.Kind{wf.Kind_KIND_SAR, wf.Kind_KIND_HAZARD} {
			s := subject.Submission{Status: wf.Status_STATUS_ACTUAL, Kind: kind, State: subject.None, County: subject.None, Agency: agency}
			out = append(out, call{trap: "T7", subject: s.String(), body: []byte("forged"), silent: true})
		}
	}
	return out
}

func report(cell proof.Cell, area []string) string {
	s := subject.Submission{Status: wf.Status_STATUS_ACTUAL, Kind: wf.Kind_KIND_INCIDENT, State: area[0], County: area[1], Agency: "forged"}
	return subject.StoredOf(s, cell.Name, cell.Label, &wf.Label{}).String()
}

func (c call) String() string { return fmt.Sprintf("%s %s", c.action(), c.subject) }
