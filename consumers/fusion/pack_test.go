package fusion

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Every test of the engine runs with freed memory spoiled, so that whatever
// outlives its report shows itself; benchmarks run without.
func TestMain(m *testing.M) {
	flag.Parse()
	poisoned = flag.Lookup("test.bench").Value.String() == ""
	os.Exit(m.Run())
}

// fill gives every field that reflection finds a value: filled leaves none zero.
func fill(t *rapid.T, v reflect.Value, filled bool) {
	switch v.Type() {
	case reflect.TypeFor[key]():
		v.SetUint(uint64(drawKey(t)))
		return
	case reflect.TypeFor[reportID]():
		s := rapid.StringN(1, 40, -1).Draw(t, "id")
		if rapid.Bool().Draw(t, "uuid") {
			s = rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`).Draw(t, "uuid")
		}
		v.Set(reflect.ValueOf(reportIDOf(s)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Field(i)
			fill(t, reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem(), filled)
		}
	case reflect.Slice:
		n := rapid.IntRange(0, 4).Draw(t, "length")
		if filled {
			n = max(n, 1)
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), filled)
		}
	case reflect.String:
		v.SetString(rapid.StringN(map[bool]int{true: 1}[filled], 200, -1).Draw(t, "string"))
	case reflect.Bool:
		v.SetBool(filled || rapid.Bool().Draw(t, "bool"))
	default:
		x := rapid.OneOf(rapid.Just[uint64](0), rapid.Uint64()).Draw(t, "number")
		if filled {
			x |= 1
		}
		if v.CanInt() {
			v.SetInt(int64(x) << (64 - v.Type().Bits()) >> (64 - v.Type().Bits()))
		} else {
			v.SetUint(x << (64 - v.Type().Bits()) >> (64 - v.Type().Bits()))
		}
	}
}

func drawKey(t *rapid.T) key {
	return makeKey(keyType(rapid.IntRange(1, int(keyTypes)-1).Draw(t, "type")), rapid.Uint64().Draw(t, "hash"))
}

func drawFacts(t *rapid.T, filled bool) *facts {
	f := &facts{}
	fill(t, reflect.ValueOf(f).Elem(), filled)
	for i := range f.ids { // most identifiers propose by their key
		if rapid.Bool().Draw(t, "listed") {
			f.keys = append(f.keys, f.ids[i].key.list())
		}
		switch rapid.IntRange(0, 3).Draw(t, "value") {
		case 0:
			f.ids[i].value = f.record
		case 1:
			f.ids[i].folded = f.ids[i].value
		}
	}
	for i := range f.keys {
		f.keys[i] = f.keys[i].list()
	}
	slices.Sort(f.keys)
	f.keys = slices.Compact(f.keys)
	return f
}

func unpacked(f *facts) *facts {
	b := append(pack(nil, f), "what stands behind"...)
	v := &view{}
	v.unpack(append(pack(nil, &facts{keys: []key{1, 2}, record: "before"}), 0), 1)
	v.unpack(b, f.time)
	return &v.facts
}

var exactly = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty(),
}

// TestPacking: what is unpacked is what was packed. A field of facts, or of
// anything in it, that pack or unpack forgets fails here with its name.
func TestPacking(t *testing.T) {
	for _, filled := range []bool{true, false} {
		rapid.Check(t, func(t *rapid.T) {
			f := drawFacts(t, filled)
			if diff := cmp.Diff(f, unpacked(f), exactly); diff != "" {
				t.Fatalf("unpacked, the facts differ (-packed +unpacked): is every field in pack and in unpack?\n%s", diff)
			}
		})
	}
}

// TestIDsKeepTheirForm: an id comes out as it was handed in and sorts as text.
func TestIDsKeepTheirForm(t *testing.T) {
	draw := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{11}[0-9a-g]`)).
		Filter(func(s string) bool { return s != "" })
	rapid.Check(t, func(t *rapid.T) {
		a, b := draw.Draw(t, "a"), draw.Draw(t, "b")
		if got := reportIDOf(a).String(); got != a {
			t.Fatalf("id %q came out as %q", a, got)
		}
		if got, want := reportIDOf(a).compare(reportIDOf(b)), map[bool]int{true: -1, false: 1}[a < b]; a != b && got != want {
			t.Fatalf("compare(%q, %q) = %d, want %d", a, b, got, want)
		}
	})
}

// TestArena takes and gives blocks of every size: they never overlap, and
// what was given back is used again.
func TestArena(t *testing.T) {
	for size := 1; size <= slabSize/2; size++ {
		c := classOf(size)
		if c < 0 || c >= arenaClasses || sizeOf(c) < size || c > 1 && sizeOf(c-1) >= size {
			t.Fatalf("a block of %d bytes has class %d of %d bytes", size, c, sizeOf(c))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		var a arena
		a.init()
		type block struct {
			r    ref
			size int
			seed byte
		}
		var live []block
		total, most := 0, 0
		for i := range rapid.IntRange(1, 400).Draw(t, "steps") {
			if len(live) > 0 && rapid.IntRange(0, 2).Draw(t, "give") == 0 {
				j := rapid.IntRange(0, len(live)-1).Draw(t, "which")
				total -= live[j].size
				a.give(live[j].r)
				live = slices.Delete(live, j, j+1)
			} else {
				size := rapid.OneOf(rapid.IntRange(1, 600), rapid.IntRange(1, 3*slabSize)).Draw(t, "size")
				b := block{a.take(size), size, byte(i)}
				if b.r == 0 {
					t.Fatal("a block lies nowhere")
				}
				for j := range a.at(b.r)[:size] {
					a.at(b.r)[j] = b.seed
				}
				live = append(live, b)
				total += size
				most = max(most, total)
			}
			for _, b := range live {
				m := a.at(b.r)[:b.size]
				if m[0] != b.seed || m[b.size-1] != b.seed || m[b.size/2] != b.seed {
					t.Fatalf("block of %d bytes was written over", b.size)
				}
			}
		}
		for _, b := range live {
			a.give(b.r)
		}
		for c, i := range a.partial {
			if i != 0 {
				t.Fatalf("all was given back and class %d still has slab %d", c, i)
			}
		}
		if a.bytes > 2*most+arenaClasses*slabSize {
			t.Fatalf("%d bytes held for at most %d in use", a.bytes, most)
		}
	})
}

// TestWhatWasHandedOutStays: nothing handed out points into the memory that
// reports lie in.
func TestWhatWasHandedOutStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := New(cramped())
		for _, x := range drawReports(t) {
			e.Apply(x)
		}
		var out []proto.Message
		for _, c := range e.Commit().Changes {
			out = append(out, c)
		}
		for _, s := range e.Situations() {
			one, _ := e.Explain(s.Id)
			out = append(out, s, one.Situation)
			for _, r := range one.Related {
				out = append(out, &wf.Situation{Headline: r.Report + r.Agency, Links: []*wf.Link{{Evidence: r.Evidence}}})
			}
		}
		before := make([][]byte, len(out))
		for i, m := range out {
			before[i], _ = proto.MarshalOptions{Deterministic: true}.Marshal(m)
		}
		for i := range e.records.slabs {
			poison(e.records.slabs[i].mem)
		}
		for i, m := range out {
			if after, err := (proto.MarshalOptions{Deterministic: true}).Marshal(m); err != nil || !bytes.Equal(after, before[i]) {
				t.Fatalf("%s changed with the engine's memory (%v)", before[i], err)
			}
		}
	})
}
