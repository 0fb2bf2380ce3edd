package twins

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Record is one thing that a credential received: a message of NATS, an answer
// over HTTP, an event of a stream.
type Record struct {
	// Step says when, for who reads a difference; it is not compared.
	Step string
	Data []byte
}

// Tape is everything that came over one connection, in order.
type Tape struct {
	Name string

	mu      sync.Mutex
	masker  *Masker
	records []Record
	bytes   int // as received
}

// Tapes are those of one world.
type Tapes struct {
	// Tamper, when it is set, changes what is kept: the planted leaks of tests.
	Tamper func(tape string, record []byte) []byte

	masker *Masker
	mu     sync.Mutex
	step   string
	all    map[string]*Tape
}

// NewTapes keeps what a world says, masked.
func NewTapes(m *Masker) *Tapes { return &Tapes{masker: m, all: map[string]*Tape{}} }

// Step names what the following records belong to.
func (t *Tapes) Step(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.step = name
}

// Tape is the tape of a name, new or with what it holds.
func (t *Tapes) Tape(name string) *Recorder {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all[name] == nil {
		t.all[name] = &Tape{Name: name, masker: t.masker}
	}
	return &Recorder{t, t.all[name]}
}

// Recorder writes on a tape.
type Recorder struct {
	of   *Tapes
	tape *Tape
}

// Keep puts one record on the tape.
func (r *Recorder) Keep(data []byte) {
	r.of.mu.Lock()
	step, tamper := r.of.step, r.of.Tamper
	r.of.mu.Unlock()
	if tamper != nil {
		data = tamper(r.tape.Name, data)
	}
	if r.tape.masker.Drop(data) {
		return
	}
	n := len(data)
	data = r.tape.masker.Apply(bytes.Clone(data))
	r.tape.mu.Lock()
	defer r.tape.mu.Unlock()
	r.tape.records = append(r.tape.records, Record{step, data})
	r.tape.bytes += n
}

func (t *Tape) snapshot() []Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.records)
}

// Lengths is how many records each tape holds.
func (t *Tapes) Lengths() map[string]int {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]int{}
	for name, tape := range t.all {
		tape.mu.Lock()
		out[name] = len(tape.records)
		tape.mu.Unlock()
	}
	return out
}

// Dump is what all tapes hold, and how many bytes were received.
func (t *Tapes) Dump() (records map[string][]Record, bytes map[string]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	records, bytes = map[string][]Record{}, map[string]int{}
	for name, tape := range t.all {
		records[name] = tape.snapshot()
		bytes[name] = tape.bytes
	}
	return records, bytes
}

// Load is the tapes of a dump.
func Load(m *Masker, records map[string][]Record, bytes map[string]int) *Tapes {
	t := NewTapes(m)
	for name, list := range records {
		t.all[name] = &Tape{Name: name, masker: m, records: list, bytes: bytes[name]}
	}
	return t
}

// Bytes is how much was received and kept.
func (t *Tapes) Bytes() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tape := range t.all {
		tape.mu.Lock()
		n += tape.bytes
		tape.mu.Unlock()
	}
	return n
}

// Compared is what a comparison found.
type Compared struct {
	Tapes, Records, Bytes int
	// Differences, one of each tape that differs: its first.
	Differences []Difference
}

// Difference is where a tape of one world and that of the other part.
type Difference struct {
	Tape string
	At   int // record
	// Before is the last record that both have; A and B are those that differ, nil
	// where the tape has ended.
	Before, A, B *Record
}

// Compare holds the tapes of two worlds against each other. bytes counts what
// both have.
func Compare(a, b *Tapes) Compared {
	var out Compared
	names := map[string]bool{}
	for _, t := range []*Tapes{a, b} {
		for name := range t.Lengths() {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		out.Tapes++
		ra, rb := a.Tape(name).tape.snapshot(), b.Tape(name).tape.snapshot()
		n := 0
		for n < min(len(ra), len(rb)) && bytes.Equal(ra[n].Data, rb[n].Data) {
			out.Bytes += len(ra[n].Data)
			n++
		}
		out.Records += n
		if n < max(len(ra), len(rb)) {
			out.Differences = append(out.Differences, Difference{name, n, at(ra, n-1), at(ra, n), at(rb, n)})
		}
	}
	return out
}

func at(list []Record, i int) *Record {
	if i < 0 || i >= len(list) {
		return nil
	}
	return &list[i]
}

// around is how much of a record is shown before and after the first byte that
// differs.
const around = 240

// String shows the difference with what is around it.
func (d Difference) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s, record %d\n", d.Tape, d.At)
	var ta, tb []byte
	if d.A != nil {
		ta = d.A.Data
	}
	if d.B != nil {
		tb = d.B.Data
	}
	from := 0
	for from < min(len(ta), len(tb)) && ta[from] == tb[from] {
		from++
	}
	if d.Before != nil {
		fmt.Fprintf(&s, "  both, before (%s): %s\n", d.Before.Step, excerpt(d.Before.Data, 0))
	}
	for _, side := range []struct {
		name string
		r    *Record
	}{{"without intelligence", d.A}, {"with intelligence   ", d.B}} {
		if side.r == nil {
			fmt.Fprintf(&s, "  %s: nothing more\n", side.name)
			continue
		}
		fmt.Fprintf(&s, "  %s (%s), from byte %d: %s\n", side.name, side.r.Step, from, excerpt(side.r.Data, from))
	}
	return s.String()
}

func excerpt(data []byte, at int) string {
	from, to := max(0, at-around), min(len(data), at+around)
	return fmt.Sprintf("%q", data[from:to])
}
