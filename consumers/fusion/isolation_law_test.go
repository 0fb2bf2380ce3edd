package fusion

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// said is every byte that an engine lets out: the change of a commit, the
// picture and the explanation of each situation.
func said(t *rapid.T, e *Engine, d Delta) []byte {
	var b bytes.Buffer
	write := func(m proto.Message) {
		raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(raw)
		b.WriteByte('\n')
	}
	for _, c := range d.Changes {
		write(c)
	}
	for _, l := range d.Lineage {
		write(l)
	}
	for _, s := range e.Situations() {
		write(s)
		x, _ := e.Explain(s.Id)
		fmt.Fprintf(&b, "%s\n%v\n%v\n", strings.Join(x.Lines, "\n"), x.Related, x.Attached)
	}
	digest := e.Digest()
	b.Write(digest[:])
	fmt.Fprint(&b, e.Stats(), e.Now())
	return b.Bytes()
}

// mayRead are the cells of a drawn world, low to high.
var mayRead = map[string][]string{"le": {"le"}, "intel": {"le", "intel"}}

// TestWhatACellMayNotReadDoesNotMatter: the engine of le says the same, byte
// by byte and commit by commit, in a world where intelligence names the same
// plates, phones and people all day in an engine beside it, and in one where
// it is silent.
func TestWhatACellMayNotReadDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		world := drawReports(t)
		alone, beside, high := New(cramped()), New(cramped()), New(cramped())
		feed := func(e *Engine, cell string, x Input) {
			if slices.Contains(mayRead[cell], x.Cell) {
				e.Apply(x)
			}
		}
		at := t0
		for _, x := range world {
			feed(alone, "le", x)
			feed(high, "intel", x)
			feed(beside, "le", x)
			if rapid.IntRange(0, 3).Draw(t, "commit") > 0 {
				continue
			}
			at = at.Add(time.Hour)
			alone.Tick(at)
			want := said(t, alone, alone.Commit())
			high.Tick(at)
			said(t, high, high.Commit())
			beside.Tick(at)
			if got := said(t, beside, beside.Commit()); !bytes.Equal(got, want) {
				t.Fatalf("beside intelligence le says\n%q\nwithout it\n%q", got, want)
			}
		}
		// And the part of the high world that le may read is le's world.
		var readable []Input
		for _, x := range world {
			if x.Cell == "le" {
				readable = append(readable, x)
			}
		}
		before := fed(cramped(), readable)
		for _, x := range world {
			if x.Cell != "le" {
				high.Remove(x.Cell, x.Report.Agency, x.Report.Id)
			}
		}
		for _, e := range []*Engine{high, before} {
			e.Tick(at)
			e.Commit()
		}
		same(t, "what is left of the high world", high, before)
	})
}

// TestStatusesAreWorldsApart: the engine of one status says the same whatever
// the others submit under the same names.
func TestStatusesAreWorldsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		world := drawReports(t)
		var own []Input
		for i := range world {
			world[i].Report.Status = wf.Status(rapid.IntRange(1, 3).Draw(t, "status"))
			if world[i].Report.Status == wf.Status_STATUS_EXERCISE {
				own = append(own, world[i])
			}
		}
		c := cramped()
		mixed, pure := fed(c, world), fed(c, own)
		same(t, "among other statuses", mixed, pure)
		n := 0
		for _, o := range Fuse(world, c, time.Time{}) {
			n += len(o.Reports)
			for _, r := range o.Reports[1:] {
				if statusOf(world, r.ID) != statusOf(world, o.Reports[0].ID) {
					t.Fatalf("a situation of %v and %v", statusOf(world, r.ID), statusOf(world, o.Reports[0].ID))
				}
			}
		}
		if n != len(world) {
			t.Fatalf("%d reports of %d in situations", n, len(world))
		}
	})
}

func statusOf(world []Input, id string) wf.Status {
	i := slices.IndexFunc(world, func(x Input) bool { return x.Report.Id == id })
	return world[i].Report.Status
}

// TestReplicasAgree: two engines that get the same reports in other batches,
// in another order between the cells, commit and tick when they like; whenever
// both have read as far and ticked as late, they have one digest.
func TestReplicasAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawReports(t)
		for i := range in {
			switch rapid.IntRange(0, 5).Draw(t, "then") {
			case 0:
				in = append(in, withdrawal(in[i], 2))
			case 1:
				in = append(in, revised(t, in[i], 3))
			}
		}
		a, b, at := New(cramped()), New(cramped()), t0
		for len(in) > 0 {
			n := rapid.IntRange(1, len(in)).Draw(t, "as far")
			next := at.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "as late")) * time.Hour)
			for _, e := range []*Engine{a, b} {
				for _, x := range shuffled(t, in[:n]) {
					e.Apply(x)
					if rapid.IntRange(0, 4).Draw(t, "commit") == 0 {
						e.Commit()
					}
					if rapid.IntRange(0, 4).Draw(t, "tick") == 0 && next.After(at) {
						e.Tick(at.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(at))).Draw(t, "part"))))
					}
				}
				e.Tick(next)
				e.Commit()
			}
			in, at = in[n:], next
			same(t, "replica", a, b)
		}
	})
}

// TestUnderPressureNothingRemains: whatever came and went, was revised and ran
// out, with hubs crossed up and down and windows pushed apart, the picture is
// that of what is live.
func TestUnderPressureNothingRemains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool, c := drawReports(t), cramped()
		e, at := New(c), t0
		live, revision := map[int]Input{}, map[int]uint64{}
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			i := rapid.IntRange(0, len(pool)-1).Draw(t, "which")
			revision[i]++
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0, 1, 2, 3:
				x := revised(t, pool[i], revision[i])
				e.Apply(x)
				live[i] = x
			case 4, 5:
				e.Apply(withdrawal(pool[i], revision[i]))
				delete(live, i)
			case 6, 7:
				e.Remove(pool[i].Cell, pool[i].Report.Agency, pool[i].Report.Id)
				delete(live, i)
			case 8:
				at = at.Add(time.Duration(rapid.IntRange(0, 6).Draw(t, "hours")) * time.Hour)
				e.Tick(at)
			default:
				e.Commit()
			}
		}
		e.Tick(at)
		e.Commit()
		never := New(c)
		for _, x := range live {
			never.Apply(x)
		}
		never.Tick(at)
		never.Commit()
		same(t, "under pressure", e, never)
	})
}
