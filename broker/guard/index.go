package guard

import (
	"errors"
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Entry is what the cell holds of one identity: its highest revision.
type Entry struct {
	Revision uint64
	// Digest of the payload of that revision.
	Digest Digest
	// Sequence in REPORTS.
	Sequence uint64
	// Subject it is stored on.
	Subject string
	Kind    wf.Kind
	Status  wf.Status
	// Withdrawn by its originator.
	Withdrawn bool
	// Gone: expired or purged. The identity stays, so that a repeated
	// submission cannot bring the content back.
	Gone bool
}

// Digest is the first half of the payload's SHA-256: it tells an agency's own
// revisions apart, and halves the memory of the index.
type Digest [16]byte

// DigestOf shortens a hash.
func DigestOf(hash [32]byte) Digest { return Digest(hash[:16]) }

// Index is what a guard remembers of every report of its cell: (agency, id) to
// Entry. It is built for ten million reports: 56 bytes each in chunks that
// never move, found through an open-addressed table of four-byte references.
// Changes since the last Settle can be taken back. It is not safe for
// concurrent use.
type Index struct {
	seed     uint64
	table    []uint32 // number of the row + 1; 0 is free; length a power of two
	chunks   []*[chunkRows]row
	rows     int
	agencies words
	subjects words
	journal  []change
	latest   time.Time // see Latest
}

const chunkRows = 1 << 12

// row is an Entry with its key, strings as numbers.
type row struct {
	id       ID
	digest   Digest
	revision uint64
	sequence uint64
	subject  uint32
	agency   uint16
	kind     uint8 // kind and status, four bits each
	flags    uint8
}

const (
	flagWithdrawn = 1 << iota
	flagGone
)

// change is how to take one Put back.
type change struct {
	row   uint32
	fresh bool
	old   row
}

// words numbers strings.
type words struct {
	number map[string]uint32
	word   []string
}

func (w *words) intern(s string) uint32 {
	n, ok := w.number[s]
	if !ok {
		n = uint32(len(w.word))
		w.number[s] = n
		w.word = append(w.word, s)
	}
	return n
}

// NewIndex makes an empty index. The seed should be secret: it keeps a sender
// from choosing ids that collide.
func NewIndex(seed uint64) *Index {
	return &Index{
		seed: seed, table: make([]uint32, 1<<10),
		agencies: words{number: map[string]uint32{}}, subjects: words{number: map[string]uint32{}},
	}
}

// Len is how many identities the index holds.
func (x *Index) Len() int { return x.rows }

// Lookup finds the entry of an identity.
func (x *Index) Lookup(agency string, id ID) (Entry, bool) {
	a, ok := x.agencies.number[agency]
	if !ok {
		return Entry{}, false
	}
	n := x.table[x.slot(uint16(a), id)]
	if n == 0 {
		return Entry{}, false
	}
	return x.entry(x.at(n - 1)), true
}

func (x *Index) entry(r *row) Entry {
	return Entry{
		Revision: r.revision, Digest: r.digest, Sequence: r.sequence, Subject: x.subjects.word[r.subject],
		Kind: wf.Kind(r.kind & 15), Status: wf.Status(r.kind >> 4),
		Withdrawn: r.flags&flagWithdrawn != 0, Gone: r.flags&flagGone != 0,
	}
}

func (x *Index) at(n uint32) *row { return &x.chunks[n/chunkRows][n%chunkRows] }

// slot is where the identity is, or where it would go.
func (x *Index) slot(agency uint16, id ID) uint64 {
	mask := uint64(len(x.table) - 1)
	for i := x.hash(agency, id) & mask; ; i = (i + 1) & mask {
		n := x.table[i]
		if n == 0 {
			return i
		}
		if r := x.at(n - 1); r.agency == agency && r.id == id {
			return i
		}
	}
}

func (x *Index) hash(agency uint16, id ID) uint64 {
	const k0, k1 = 0x9e3779b97f4a7c15, 0xd6e8feb86659fd93
	a, b := id.halves()
	hi, lo := bits.Mul64(a^x.seed, b^k0^uint64(agency)<<48)
	hi, lo = bits.Mul64(hi^lo^x.seed, uint64(agency)^k1)
	return hi ^ lo
}

// Put sets the entry of an identity.
func (x *Index) Put(agency string, id ID, e Entry) error {
	a := x.agencies.intern(agency)
	if a > 1<<16-1 {
		return fmt.Errorf("index agency %q: more than %d agencies", agency, 1<<16)
	}
	if e.Kind < 0 || e.Kind > 15 || e.Status < 0 || e.Status > 15 {
		return fmt.Errorf("index report of %q: kind %d, status %d", agency, e.Kind, e.Status)
	}
	next := row{
		id: id, digest: e.Digest, revision: e.Revision, sequence: e.Sequence,
		subject: x.subjects.intern(e.Subject), agency: uint16(a), kind: uint8(e.Kind) | uint8(e.Status)<<4,
	}
	if e.Withdrawn {
		next.flags |= flagWithdrawn
	}
	if e.Gone {
		next.flags |= flagGone
	}
	at := x.slot(next.agency, id)
	if n := x.table[at]; n != 0 {
		r := x.at(n - 1)
		x.journal = append(x.journal, change{row: n - 1, old: *r})
		*r = next
		return nil
	}
	x.insert(at, next)
	return nil
}

func (x *Index) insert(at uint64, r row) {
	if x.rows%chunkRows == 0 && x.rows/chunkRows == len(x.chunks) {
		x.chunks = append(x.chunks, new([chunkRows]row))
	}
	n := uint32(x.rows)
	x.rows++
	*x.at(n) = r
	x.table[at] = n + 1
	x.journal = append(x.journal, change{row: n, fresh: true})
	if uint64(x.rows)*4 > uint64(len(x.table))*3 {
		x.grow()
	}
}

// grow doubles the table. Rows go in by number, so the latest row is again
// the last one placed: Rollback may clear its slot without breaking a chain.
func (x *Index) grow() {
	x.table = make([]uint32, 2*len(x.table))
	for n := range uint32(x.rows) {
		r := x.at(n)
		x.table[x.slot(r.agency, r.id)] = n + 1
	}
}

// Settle makes every change so far final.
func (x *Index) Settle() { x.journal = x.journal[:0] }

// Rollback takes back every change since the last Settle.
func (x *Index) Rollback() {
	for i := len(x.journal) - 1; i >= 0; i-- {
		c := x.journal[i]
		r := x.at(c.row)
		if c.fresh {
			x.table[x.slot(r.agency, r.id)] = 0
			*r = row{}
			x.rows--
			continue
		}
		*r = c.old
	}
	x.journal = x.journal[:0]
}

// ErrForeign is a message of REPORTS that no guard wrote. NATS checks no reply
// subject (trap T3): who may ask JetStream anything can have the answer, or a
// copy of a record it may read, stored here. It is no report, and passed over.
var ErrForeign = errors.New("no guard wrote this message")

// Latest is the latest receipt time of the records restored.
func (x *Index) Latest() time.Time { return x.latest }

// Restore puts a stored record of REPORTS into the index, as rebuilding it
// does. Records come in stream order; reading the end of the stream once more
// changes nothing, and nor does a copy of a record.
func (x *Index) Restore(storedSubject string, sequence uint64, header string) error {
	if header == "" {
		return fmt.Errorf("record %d: %w", sequence, ErrForeign)
	}
	rec, err := admission.ParseRecord(header)
	if err != nil {
		return fmt.Errorf("record %d: %w", sequence, err)
	}
	id, ok := ParseID(rec.ID)
	if !ok {
		return fmt.Errorf("record %d: %q is no report id", sequence, rec.ID)
	}
	s, err := subject.ParseStored(storedSubject)
	if err != nil {
		return fmt.Errorf("record %d: %w: %w", sequence, ErrForeign, err)
	}
	if rec.Received.After(x.latest) {
		x.latest = rec.Received
	}
	have, held := x.Lookup(s.Agency, id)
	switch rec.Event {
	case admission.Moved:
		return nil
	case admission.Expired, admission.Purged:
		if held && rec.Revision >= have.Revision {
			have.Gone = true
			return x.Put(s.Agency, id, have)
		}
		return nil
	}
	if agency, _, _ := strings.Cut(rec.Rule, "@"); agency != s.Agency {
		return fmt.Errorf("record %d: admitted for %q, stored for %q: %w", sequence, agency, s.Agency, ErrForeign)
	}
	if held && rec.Revision <= have.Revision {
		return nil
	}
	return x.Put(s.Agency, id, Entry{
		Revision: rec.Revision, Digest: DigestOf(rec.Hash), Sequence: sequence, Subject: storedSubject,
		Kind: s.Kind, Status: s.Status, Withdrawn: rec.Withdrawn,
	})
}

// Seed is the seed the index was made with.
func (x *Index) Seed() uint64 { return x.seed }
