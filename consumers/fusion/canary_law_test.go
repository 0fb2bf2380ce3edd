package fusion

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// canary is a report of the small world that carries its own mark in every
// text there is. Marks are what no other report can hold.
func canary(t *rapid.T, i int) (Input, string) {
	in, mark := drawReport(t, i), fmt.Sprintf("QX%03dZJ", i)
	r := in.Report
	r.Id, r.Record = strings.ToLower(mark)+"-id", mark+"-record"
	r.Title, r.Narrative = mark+" title", strings.Repeat(mark+" was seen at the gate and ", 4)
	r.Lineage = &wf.Lineage{Originator: "agency-" + strings.ToLower(mark), OriginatorRecord: mark}
	for _, p := range r.Places {
		p.Name = mark + " hill"
	}
	r.Entities = append(r.Entities, &wf.Entity{
		Description: mark,
		Identifiers: []*wf.Identifier{
			{Type: wf.IdentifierType_IDENTIFIER_TYPE_EMAIL, Value: mark + "@example.net"},
			{Type: wf.IdentifierType_IDENTIFIER_TYPE_PLATE, Value: mark, Issuer: "US-MS"},
			{Type: wf.IdentifierType_IDENTIFIER_TYPE_URL, Value: "https://" + strings.ToLower(mark) + ".example.org/x"},
		},
		Detail: &wf.Entity_Person{Person: &wf.Person{Names: []*wf.PersonName{{Given: mark + "g", Family: mark + "f"}}}},
	})
	if rapid.Bool().Draw(t, "names another") {
		r.References = append(r.References, &wf.Reference{Type: relatedTo, Record: mark + "-other", Agency: "fbi"})
	}
	return in, mark
}

// shadow is another report that agrees with a canary, so that what it says
// would be shown: mentions and links name what two agree on.
func shadow(in Input, i int) Input {
	r := &wf.Report{}
	*r = wf.Report{
		Id: fmt.Sprintf("shadow-%d", i), Agency: "dea", Record: fmt.Sprintf("S-%d", i), Revision: 1, State: in.Report.State, Status: in.Report.Status,
		Kind: in.Report.Kind, EventTime: in.Report.EventTime, ReportTime: timestamppb.New(in.Report.ReportTime.AsTime().Add(time.Minute)), Places: in.Report.Places[:0:0],
		Entities: in.Report.Entities,
	}
	return Input{Cell: in.Cell, Report: r}
}

// TestNothingRemainsOfWhatWasWithdrawn: once a report and its like are
// withdrawn, no later change, situation or explanation holds a byte of it, and
// no count is other than if they had never come. What nobody may show is not
// shown before either.
func TestNothingRemainsOfWhatWasWithdrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stay := drawReports(t)
		e := New(cramped())
		for _, x := range stay {
			e.Apply(x)
		}
		var gone []Input
		var marks []string
		for i := range rapid.IntRange(1, 6).Draw(t, "canaries") {
			x, mark := canary(t, 500+i)
			gone, marks = append(gone, x, shadow(x, i)), append(marks, mark)
		}
		shown := false
		for _, x := range gone {
			e.Apply(x)
			out := bytes.ToUpper(said(t, e, e.Commit()))
			for _, mark := range marks {
				shown = shown || bytes.Contains(out, []byte(mark))
				for _, never := range []string{mark + " TITLE", mark + " WAS SEEN", mark + " HILL", mark + "G", mark + "F"} {
					if bytes.Contains(out, []byte(never)) {
						t.Fatalf("%q left the engine", never)
					}
				}
			}
		}
		if !shown {
			t.Fatal("no mark was ever shown: nothing is tested")
		}
		for _, x := range shuffled(t, gone) {
			if rapid.Bool().Draw(t, "purged") {
				e.Remove(x.Cell, x.Report.Agency, x.Report.Id)
			} else {
				e.Apply(withdrawal(x, 2))
			}
			if rapid.Bool().Draw(t, "commit") {
				e.Commit()
			}
		}
		out := bytes.ToUpper(said(t, e, e.Commit()))
		more := drawReport(t, 900)
		e.Apply(more)
		e.Tick(t0.Add(time.Hour))
		out = append(out, bytes.ToUpper(said(t, e, e.Commit()))...)
		for _, mark := range marks {
			if i := bytes.Index(out, []byte(mark)); i >= 0 {
				t.Fatalf("of a withdrawn report there is still %q", out[max(0, i-40):min(len(out), i+40)])
			}
		}
		never := fed(cramped(), append(stay, more))
		never.Tick(t0.Add(time.Hour))
		never.Commit()
		same(t, "withdrawn", e, never)
	})
}
