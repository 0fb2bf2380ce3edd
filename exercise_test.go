package main

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/producers/exercise"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// The exercise is played by the agencies of the shipped policy, under their
// own credentials: whatever one submits in it, its policy must let it submit.
func TestTheExerciseFitsTheShippedPolicy(t *testing.T) {
	p := policy.Default()
	for _, name := range exercise.Cells {
		c, ok := p.Cell(name)
		if !ok || c.Label != exercise.CellLabel(name) {
			t.Errorf("cell %s: label %s in the exercise, %s in the policy", name, exercise.CellLabel(name), c.Label)
		}
	}
	if got, want := p.CellNames(), slices.Sorted(slices.Values(exercise.Cells)); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("cells of the policy %v, of the exercise %v", got, want)
	}
	for token, cell := range exercise.Agencies() {
		if a, ok := p.Agency(token); !ok {
			t.Errorf("agency %s is not in the policy", token)
		} else if _, ok := a.Grant(cell); !ok {
			t.Errorf("agency %s may not submit into %s", token, cell)
		}
	}
	for _, status := range []wf.Status{wf.Status_STATUS_EXERCISE, wf.Status_STATUS_TEST} {
		s, err := exercise.New(exercise.Config{Seed: 1, Reports: 5000, Status: status})
		if err != nil {
			t.Fatal(err)
		}
		bad := 0
		for st := range s.Steps() {
			r := st.Report
			if !p.MaySubmit(r.GetAgency(), st.Cell, r.GetStatus(), r.GetKind()) {
				if bad++; bad < 10 {
					t.Errorf("%s may not submit %s as %s into %s", r.GetAgency(), r.GetKind(), r.GetStatus(), st.Cell)
				}
			}
			above := p.Above(st.Cell)
			for _, cell := range r.GetLabel().GetOrconCells() {
				if !slices.Contains(above, cell) {
					t.Errorf("%s of %s names %s, which does not read %s", r.GetRecord(), r.GetAgency(), cell, st.Cell)
				}
			}
			if _, kept := p.Retention(r.GetRecordClass()); !kept {
				t.Errorf("%s: class %s has no retention", r.GetRecord(), r.GetRecordClass())
			}
			if n := proto.Size(r); n > p.Limits.MaxReport {
				t.Errorf("%s has %d bytes", r.GetRecord(), n)
			}
		}
	}
}

// What the named parts of the story turn on is still in the picture when the
// exercise ends.
func TestThePlotOutlastsTheExercise(t *testing.T) {
	windows := policy.Default().Windows()
	for _, k := range []wf.Kind{wf.Kind_KIND_SAR, wf.Kind_KIND_THREAT} {
		if w := windows[k]; w != 0 && w < exercise.Span+24*time.Hour {
			t.Errorf("window of %s is %s, shorter than the exercise", k, w)
		}
	}
}
