package worker

import (
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// A purge is seen to at once, the end of a retention within an hour, and what
// the worker before has seen to not again.
func TestWhenFramesAreErased(t *testing.T) {
	told := func(p *purges, e admission.Event, at time.Time) {
		p.told(&record{facts: admission.Record{Event: e, ID: "x"}}, at)
	}
	var p purges
	if p.due(day) {
		t.Error("nothing was taken out, and it is due")
	}
	told(&p, admission.Expired, day)
	told(&p, admission.Expired, day.Add(50*time.Minute))
	if p.due(day.Add(59*time.Minute)) || !p.due(day.Add(time.Hour)) || p.count != 0 {
		t.Errorf("the end of a retention: %d purges, due %v", p.count, p.due(day.Add(time.Hour)))
	}
	told(&p, admission.Purged, day)
	if !p.due(day) || p.count != 1 || !p.ids["x"] {
		t.Errorf("a purge: %+v", p)
	}
	head := snapshot.Head{Frame: &wf.Frame{Purged: 1}}
	if p.recovered(head); !p.due(day) {
		t.Error("what was not erased is forgotten")
	}
	head.Frame.Erased = 1
	if p.recovered(head); p.due(day.Add(2*time.Hour)) || p.erased != 1 {
		t.Errorf("what was erased is due again: %+v", p)
	}
}
