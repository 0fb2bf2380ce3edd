package twins

import (
	"fmt"
	"regexp"
	"sync/atomic"
)

// Mask takes one field out of what is compared, and nothing around it.
type Mask struct {
	// Name is written in the field's place.
	Name string
	// Field is what is replaced: its first group stays before the name, its second
	// after it.
	Field *regexp.Regexp
	// Only is where the field stands; everywhere when it is nil.
	Only *regexp.Regexp
	// Why the field may differ between the two worlds.
	Why string
}

// Masks is the whole list. A mask of it that matches nothing in a run fails
// the run.
//
// Lengths are not in it: sizes of messages, chunks and bodies are dropped, and
// what they measure is compared. Nor is the order of a message's header lines,
// which a client writes as a Go map gives them: they are compared sorted.
var Masks = []Mask{
	{
		Name: "server", Field: regexp.MustCompile(`("server_id":")[A-Z0-9]{56}(")`), Only: info,
		Why: "a key that each server makes for itself when it starts",
	},
	{
		Name: "curve", Field: regexp.MustCompile(`("xkey":")[A-Z0-9]{56}(")`), Only: info,
		Why: "a key that each server makes for itself when it starts",
	},
	{
		Name: "nonce", Field: regexp.MustCompile(`("nonce":")[A-Za-z0-9_-]+(")`), Only: info,
		Why: "random, to be signed once",
	},
	{
		Name: "connection", Field: regexp.MustCompile(`("client_id":)[0-9]+(\b)`), Only: info,
		Why: "the server counts the connections of all its accounts: see DESIGN.md, what remains",
	},
	{
		Name: "port", Field: regexp.MustCompile(`("port":)[0-9]+(\b)`), Only: info,
		Why: "any free port, so that two servers can run beside each other",
	},
	{
		Name: "delivered", Field: regexp.MustCompile(`(\$JS\.ACK\.REPORTS\.[A-Za-z0-9_-]+\.[0-9]+\.[0-9]+\.[0-9]+\.)[0-9]{19}(\.[0-9]+)`),
		Why: "wall clock: when JetStream stored the message, in the subject of its acknowledgement",
	},
	{
		Name: "stored", Field: regexp.MustCompile(`(\nNats-Time-Stamp: )[0-9T:.+Z-]+(\n)`),
		Why: "wall clock: when JetStream stored the message, beside a message that was asked for or republished",
	},
	{
		Name: "moment", Field: regexp.MustCompile(`("(?:created|ts|last_active|first_ts|last_ts)": ?")[0-9T:.+Z-]+(")`), Only: regexp.MustCompile(`"type":"io\.nats\.jetstream\.api\.v1\.(?:consumer_info|stream_info)_response"`),
		Why: "wall clock: JetStream's own times of a stream or consumer",
	},
	{
		Name: "date", Field: regexp.MustCompile(`(\nDate: )[A-Za-z0-9:, ]+(\n)`), Only: regexp.MustCompile(`^HTTP/1\.1 `),
		Why: "wall clock of an answer",
	},
	{
		Name: "took", Field: regexp.MustCompile(`(\nwatchfloor_worker_commit_seconds_(?:bucket\{[^}\n]*,le="[0-9.e+-]+"\}|sum\{[^}\n]*\}) )[0-9.e+-]+(\n)`), Only: regexp.MustCompile(`^HTTP/1\.1 `),
		Why: "how long the disk took for a frame; how many frames there were is compared",
	},
}

var info = regexp.MustCompile(`^INFO `)

// Keepalive is what a server says by its own timer when it has nothing to say.
// Such messages are left out whole.
var Keepalive = regexp.MustCompile(`^(?:PING\n|: ping\n\n)$`)

// Masker applies Masks and counts what each took.
type Masker struct {
	hits      []atomic.Int64
	keepalive atomic.Int64
}

// NewMasker counts from nought.
func NewMasker() *Masker { return &Masker{hits: make([]atomic.Int64, len(Masks))} }

// Apply is a record without the fields of the list.
func (m *Masker) Apply(record []byte) []byte {
	for i := range Masks {
		k := &Masks[i]
		if k.Only != nil && !k.Only.Match(record) {
			continue
		}
		// Neighbours share their line end: the second pass takes those between.
		for {
			at := k.Field.FindAllIndex(record, -1)
			if len(at) == 0 {
				break
			}
			m.hits[i].Add(int64(len(at)))
			record = k.Field.ReplaceAll(record, []byte("${1}<"+k.Name+">${2}"))
		}
	}
	return record
}

// Drop says whether a record is left out whole.
func (m *Masker) Drop(record []byte) bool {
	if len(record) > 16 || !Keepalive.Match(record) {
		return false
	}
	m.keepalive.Add(1)
	return true
}

// Idle lists the masks that took nothing.
func (m *Masker) Idle() []string {
	var out []string
	for i := range m.hits {
		if m.hits[i].Load() == 0 {
			out = append(out, Masks[i].Name)
		}
	}
	if m.keepalive.Load() == 0 {
		out = append(out, "keepalive")
	}
	return out
}

// Counts is how often each mask was needed.
func (m *Masker) Counts() map[string]int64 {
	out := map[string]int64{"keepalive": m.keepalive.Load()}
	for i := range m.hits {
		out[Masks[i].Name] = m.hits[i].Load()
	}
	return out
}

// Add adds the counts of another.
func (m *Masker) Add(counts map[string]int64) {
	m.keepalive.Add(counts["keepalive"])
	for i := range m.hits {
		m.hits[i].Add(counts[Masks[i].Name])
	}
}

// Hits says how often each mask was needed.
func (m *Masker) Hits() string {
	s := fmt.Sprintf("keepalive %d", m.keepalive.Load())
	for i := range m.hits {
		s += fmt.Sprintf(", %s %d", Masks[i].Name, m.hits[i].Load())
	}
	return s
}
