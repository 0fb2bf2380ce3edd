package fusion

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// TestLookupIsAMap: whatever hashes it is given, crowded or far apart.
func TestLookupIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l lookup
		l.init(2)
		model := map[uint64]uint32{}
		of := func(f func(v uint64) uint64) *rapid.Generator[uint64] { return rapid.Map(rapid.Uint64Range(0, 60), f) }
		hash := rapid.OneOf(rapid.Uint64(), // far apart, at one place, at the last place, at each place
			of(func(v uint64) uint64 { return v << 26 }), of(func(v uint64) uint64 { return ^uint64(0)>>2 - v<<26 }), of(func(v uint64) uint64 { return v << 56 }))
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			h := hash.Draw(t, "hash") >> 26 << 26 // what a segment of two bits and a tag tell apart
			s, tag := l.segment(h)
			i := s.seek(tag)
			if got, want := s.at(i, tag), model[h]; got != want {
				t.Fatalf("hash %x holds %d, want %d", h, got, want)
			}
			switch {
			case model[h] == 0:
				ref := rapid.Uint32Range(1, refMask).Draw(t, "ref")
				s.add(i, tag, ref)
				model[h] = ref
			case rapid.Bool().Draw(t, "drop"):
				s.drop(i)
				delete(model, h)
			default:
				model[h] = model[h]%refMask + 1
				s.set(i, model[h])
			}
		}
		used := 0
		for _, s := range l.segments {
			used += int(s.used)
		}
		if used != len(model) {
			t.Fatalf("%d in use, want %d", used, len(model))
		}
		for h, want := range model {
			if got := l.get(h); got != want {
				t.Fatalf("hash %x holds %d, want %d", h, got, want)
			}
		}
	})
}

// TestLookupTellsEqualTagsApart: by the number that was put in.
func TestLookupTellsEqualTagsApart(t *testing.T) {
	var l lookup
	l.init(4)
	s, tag := l.segment(1 << 40)
	for ref := uint32(1); ref <= 50; ref++ {
		s.add(s.seek(tag), tag, ref)
	}
	for ref := uint32(1); ref <= 50; ref += 2 {
		s.dropRef(tag, ref)
	}
	var got []uint32
	for i := s.seek(tag); s.at(i, tag) != 0; i++ {
		got = append(got, s.at(i, tag))
	}
	slices.Sort(got)
	for i, ref := range got {
		if ref != uint32(2*i+2) {
			t.Fatalf("left %v, want the even ones", got)
		}
	}
	if len(got) != 25 {
		t.Fatalf("%d left, want 25", len(got))
	}
}

// TestTimersRing: each timer goes off at the first advance to its tick or
// beyond, however far that goes, and one that was cleared never.
func TestTimersRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w timers
		nodes := make([]node, 40)
		due := map[int32]uint32{}
		ahead := rapid.OneOf(rapid.Uint32Range(1, 2000), rapid.Uint32Range(1, 3_000_000), rapid.Uint32Range(1, 400_000_000), rapid.Just[uint32](1024), rapid.Just[uint32](1<<20))
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			n := int32(rapid.IntRange(1, len(nodes)-1).Draw(t, "node"))
			switch rapid.IntRange(0, 3).Draw(t, "do") {
			case 0:
				w.clear(nodes, n)
				delete(due, n)
			case 1:
				to := min(w.now+ahead.Draw(t, "advance"), lastTick)
				got := slices.Clone(w.advance(nodes, to))
				slices.Sort(got)
				var want []int32
				for n, d := range due {
					if d <= to {
						want = append(want, n)
						delete(due, n)
					}
				}
				slices.Sort(want)
				if !slices.Equal(got, want) || w.now != to {
					t.Fatalf("at %d (asked for %d) %v are due, want %v", w.now, to, got, want)
				}
			default:
				if at := w.now + ahead.Draw(t, "due"); nodes[n].due == 0 && at <= lastTick {
					w.set(nodes, n, at)
					due[n] = at
				}
			}
		}
		if sum := w.count[0] + w.count[1] + w.count[2]; sum != len(due) {
			t.Fatalf("%d timers counted, want %d", sum, len(due))
		}
	})
}

// TestWordsAreForgotten: however many originators come and go.
func TestWordsAreForgotten(t *testing.T) {
	e := New(Config{Status: wf.Status_STATUS_EXERCISE})
	for i := range 5000 {
		in := say("fbi", 0, record("R"))
		in.Report.Agency = string(rune('a'+i%26)) + in.Report.Id + string(rune(i))
		in.Cell = in.Report.Agency
		e.Apply(in)
		e.Remove(in.Cell, in.Report.Agency, in.Report.Id)
	}
	if n := len(e.words.texts); n > 4 || len(e.words.numbers) != 0 {
		t.Fatalf("%d words kept, %d known, want none", n, len(e.words.numbers))
	}
}
