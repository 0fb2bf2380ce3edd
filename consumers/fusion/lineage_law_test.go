package fusion

import (
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// TestLineageTellsAll: over any history, who follows the lineage alone knows
// which situations there are, and finds every report whose situation has
// another name.
func TestLineageTellsAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawReports(t)
		for i := range in {
			switch rapid.IntRange(0, 4).Draw(t, "then") {
			case 0:
				in = append(in, withdrawal(in[i], 2))
			case 1:
				in = append(in, revised(t, in[i], 3))
			}
		}
		e, ids, step, before := New(cramped()), map[string]bool{}, t0, map[ident]string{}
		for _, x := range shuffled(t, in) {
			e.Apply(x)
			if rapid.IntRange(0, 5).Draw(t, "tick") == 0 {
				step = step.Add(time.Duration(rapid.IntRange(0, 12).Draw(t, "by")) * time.Hour)
				e.Tick(step)
			}
			maps.DeleteFunc(before, func(report ident, _ string) bool { return e.know(report) == 0 }) // it left in between
			if rapid.IntRange(0, 3).Draw(t, "commit") > 0 {
				continue
			}
			d := e.Commit()
			retell(t, d, ids)
			want := map[string]bool{}
			for s := range e.All() {
				want[s.Id] = true
			}
			if !maps.Equal(ids, want) {
				t.Fatalf("lineage says %v, the picture has %v", ids, want)
			}
			for report, now := range whereabouts(e) {
				if was := before[report]; was != "" && was != now && !told(d, was, now) {
					t.Fatalf("a report went from %s to %s, of which nothing tells: %v", was, now, d.Lineage)
				}
			}
			before = whereabouts(e)
		}
	})
}

// whereabouts is the committed situation of every live report.
func whereabouts(e *Engine) map[ident]string {
	out := map[ident]string{}
	for _, n := range e.nodes[1:] {
		if n.record != 0 && n.pict != 0 {
			out[n.id] = e.pictures[n.pict].id.String()
		}
	}
	return out
}

func retell(t *rapid.T, d Delta, ids map[string]bool) {
	had := maps.Clone(ids)
	for _, l := range d.Lineage {
		switch l.Type {
		case wf.LineageType_LINEAGE_TYPE_BORN, wf.LineageType_LINEAGE_TYPE_SPLIT:
			if l.Type == wf.LineageType_LINEAGE_TYPE_BORN && had[l.SituationId] {
				t.Fatalf("%s is born again", l.SituationId)
			}
			ids[l.SituationId] = true
		case wf.LineageType_LINEAGE_TYPE_MERGED, wf.LineageType_LINEAGE_TYPE_GONE:
			if !had[l.SituationId] {
				t.Fatalf("%s ends, which was not there", l.SituationId)
			}
			delete(ids, l.SituationId)
		default:
			if !ids[l.SituationId] {
				t.Fatalf("%v of %s, which is not there", l.Type, l.SituationId)
			}
		}
	}
	for _, l := range d.Lineage {
		names := l.Type == wf.LineageType_LINEAGE_TYPE_MERGED || l.Type == wf.LineageType_LINEAGE_TYPE_SPLIT
		if names != (l.OtherId != "") || names && (l.OtherId == l.SituationId || !ids[l.OtherId]) {
			t.Fatalf("%v of %s names %q: it must be another that is there", l.Type, l.SituationId, l.OtherId)
		}
	}
}

func told(d Delta, was, now string) bool {
	return slices.ContainsFunc(d.Lineage, func(l *wf.LineageEvent) bool {
		return l.Type == wf.LineageType_LINEAGE_TYPE_MERGED && l.SituationId == was && l.OtherId == now ||
			l.Type == wf.LineageType_LINEAGE_TYPE_SPLIT && l.SituationId == now && l.OtherId == was
	})
}
