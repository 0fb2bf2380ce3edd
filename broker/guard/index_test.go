package guard_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

type key struct {
	agency string
	id     guard.ID
}

// The index is a map whose changes can be taken back.
func TestIndexIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := guard.NewIndex(rapid.Uint64().Draw(t, "seed"))
		settled, model := map[key]guard.Entry{}, map[key]guard.Entry{}
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			switch rapid.IntRange(0, 20).Draw(t, "step") {
			case 0:
				x.Settle()
				settled = clone(model)
			case 1:
				x.Rollback()
				model = clone(settled)
			default:
				for range rapid.IntRange(1, 30).Draw(t, "puts") {
					k, e := drawKey(t), drawEntry(t)
					if err := x.Put(k.agency, k.id, e); err != nil {
						t.Fatal(err)
					}
					model[k] = e
				}
			}
			if x.Len() != len(model) {
				t.Fatalf("%d entries, want %d", x.Len(), len(model))
			}
			for k, want := range model {
				got, ok := x.Lookup(k.agency, k.id)
				if !ok || got != want {
					t.Fatalf("%v: got %+v %v, want %+v", k, got, ok, want)
				}
			}
			for k := range settled {
				if _, ok := model[k]; !ok {
					t.Fatalf("%v vanished", k)
				}
			}
			k := key{"nobody", guard.ID{}}
			if _, ok := x.Lookup(k.agency, k.id); ok {
				t.Fatal("found what nobody put")
			}
		}
	})
}

func clone(m map[key]guard.Entry) map[key]guard.Entry {
	out := make(map[key]guard.Entry, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

func drawKey(t *rapid.T) key {
	var id guard.ID
	binary.BigEndian.PutUint16(id[rapid.IntRange(0, 14).Draw(t, "at"):], rapid.Uint16().Draw(t, "id"))
	return key{rapid.SampledFrom([]string{"fbi", "dea", "jackson-pd"}).Draw(t, "agency"), id}
}

func drawEntry(t *rapid.T) guard.Entry {
	return guard.Entry{
		Revision: rapid.Uint64().Draw(t, "revision"), Sequence: rapid.Uint64().Draw(t, "sequence"),
		Subject: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "subject"),
		Kind:    wf.Kind(rapid.IntRange(0, 8).Draw(t, "kind")), Status: wf.Status(rapid.IntRange(0, 3).Draw(t, "status")),
		Withdrawn: rapid.Bool().Draw(t, "withdrawn"), Gone: rapid.Bool().Draw(t, "gone"),
	}
}

// Reading the same records twice, or the tail again, changes nothing.
func TestRestoreIsIdempotent(t *testing.T) {
	const subj = "report.le.cui.le.exercise.incident.ms.28049.jackson-pd"
	const name = "01890000-0000-7000-8000-000000000001"
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var records []string
	for rev := uint64(1); rev <= 3; rev++ {
		records = append(records, admission.Record{Event: admission.Admitted, ID: name, Revision: rev, Received: at, Hash: [32]byte{byte(rev)}, Rule: "jackson-pd@v1"}.Encode())
	}
	records = append(records, admission.Record{Event: admission.Expired, ID: name, Revision: 3, Received: at, Rule: "jackson-pd@v1"}.Encode())
	restore := func(from int, x *guard.Index) guard.Entry {
		for i, rec := range records[from:] {
			if err := x.Restore(subj, uint64(from+i+1), rec); err != nil {
				t.Fatal(err)
			}
		}
		id, _ := guard.ParseID(name)
		e, ok := x.Lookup("jackson-pd", id)
		if !ok {
			t.Fatal("not found")
		}
		return e
	}
	x := guard.NewIndex(1)
	want := restore(0, x)
	if want.Revision != 3 || want.Sequence != 3 || !want.Gone {
		t.Fatalf("restored %+v, want revision 3 at 3, gone", want)
	}
	for from := range records {
		if diff := cmp.Diff(want, restore(from, x)); diff != "" {
			t.Errorf("read again from %d: %s", from, diff)
		}
	}
}

func TestRestoreRefusesWhatItCannotRead(t *testing.T) {
	good := admission.Record{Event: admission.Admitted, ID: "01890000-0000-7000-8000-000000000001", Revision: 1, Rule: "jackson-pd@v1"}
	other := good
	other.ID = "not-an-id"
	const subj = "report.le.cui.le.exercise.incident.ms.28049.jackson-pd"
	for name, c := range map[string]struct{ subject, header string }{
		"no header": {subj, ""}, "unknown event": {subj, "invented x 1 a 0 00 r"},
		"no id": {subj, other.Encode()}, "no stored subject": {"report.le", good.Encode()},
	} {
		if err := guard.NewIndex(1).Restore(c.subject, 7, c.header); err == nil {
			t.Errorf("%s: restored", name)
		}
	}
}

// A copy of a record on another subject is not a later word: neither another
// agency's report, nor the way back to a revision that was replaced.
func TestRestorePassesOverCopies(t *testing.T) {
	const name, subj = "01890000-0000-7000-8000-000000000001", "report.le.cui.le.exercise.incident.ms.28049."
	id, _ := guard.ParseID(name)
	record := func(rev uint64) string {
		return admission.Record{Event: admission.Admitted, ID: name, Revision: rev, Hash: [32]byte{byte(rev)}, Rule: "jackson-pd@v1"}.Encode()
	}
	x := guard.NewIndex(1)
	for rev := uint64(1); rev <= 2; rev++ {
		if err := x.Restore(subj+"jackson-pd", rev, record(rev)); err != nil {
			t.Fatal(err)
		}
	}
	want, _ := x.Lookup("jackson-pd", id)
	for rev := uint64(1); rev <= 2; rev++ {
		if err := x.Restore("report.le.cui.le.exercise.incident.none.none.jackson-pd", 2+rev, record(rev)); err != nil {
			t.Error(err)
		}
		if err := x.Restore(subj+"fbi", 4+rev, record(rev)); !errors.Is(err, guard.ErrForeign) {
			t.Errorf("a copy under fbi: got %v, want %v", err, guard.ErrForeign)
		}
	}
	if got, _ := x.Lookup("jackson-pd", id); got != want {
		t.Errorf("after copies: %+v, want %+v", got, want)
	}
	if _, ok := x.Lookup("fbi", id); ok {
		t.Error("fbi holds a report of jackson-pd")
	}
}

// A cell of ten million reports must fit: at most 80 bytes each.
func TestIndexIsSmall(t *testing.T) {
	const n = 1_000_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x := guard.NewIndex(1)
	for i := range uint64(n) {
		var id guard.ID
		binary.BigEndian.PutUint64(id[8:], i*0x9e3779b97f4a7c15)
		subj := fmt.Sprintf("report.le.cui.le.actual.incident.ms.%05d.jackson-pd", i%3000)
		if err := x.Put("jackson-pd", id, guard.Entry{Revision: 1, Sequence: i, Subject: subj}); err != nil {
			t.Fatal(err)
		}
		if i%4096 == 0 {
			x.Settle()
		}
	}
	x.Settle()
	runtime.GC()
	runtime.ReadMemStats(&after)
	per := float64(after.HeapAlloc-before.HeapAlloc) / n
	t.Logf("%.1f bytes per report", per)
	if per > 80 {
		t.Errorf("%.1f bytes per report, want at most 80", per)
	}
	runtime.KeepAlive(x)
}

// The zero values admit nothing.
func TestZeroValuesRefuse(t *testing.T) {
	var d guard.Decision
	if d.Verdict != guard.Refuse || d.Messages() != 0 {
		t.Errorf("the zero decision is %s", d.Verdict)
	}
	for name, rules := range map[string]*guard.Rules{"nil": nil, "zero": {}} {
		x := guard.Examine(rules, guard.Received{Subject: "submit.exercise.incident.ms.28049.jackson-pd", At: now})
		if d := guard.Decide(x, guard.NewIndex(1)); d.Verdict != guard.Refuse || len(d.Reasons) == 0 {
			t.Errorf("%s rules: %s with %d reasons", name, d.Verdict, len(d.Reasons))
		}
		if rules.Check() == nil {
			t.Errorf("%s rules pass the check", name)
		}
	}
	if d := guard.Decide(&guard.Examined{}, guard.NewIndex(1)); d.Verdict != guard.Refuse || len(d.Reasons) == 0 {
		t.Errorf("nothing examined: %s with %d reasons", d.Verdict, len(d.Reasons))
	}
}

func BenchmarkExamine(b *testing.B) {
	w := newWorld(b, "le")
	r := w.report(map[string]string{"id": "A"})
	in := received(b, r)
	b.ReportAllocs()
	for b.Loop() {
		if x := guard.Examine(w.rules, in); len(x.Reasons) > 0 {
			b.Fatal(x.Reasons)
		}
	}
}
