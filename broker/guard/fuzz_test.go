package guard_test

import (
	"bytes"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/vectors"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Whatever comes on whatever subject is refused with a reason, or is a report
// of the subject's agency whose label the cell dominates, to be stored on a
// subject that says so.
func FuzzExamine(f *testing.F) {
	cells := rulesOf(f)
	admitted := 0
	for _, v := range vectors.All() {
		r := new(wf.Report)
		if err := proto.Unmarshal(v.Data, r); err != nil || len(v.Data) > 64<<10 {
			continue
		}
		for i, rules := range cells {
			f.Add(uint8(i), subject.Submit(r), v.Data, i == len(cells)-1)
			if x := guard.Examine(rules, guard.Received{Subject: subject.Submit(r), Payload: v.Data, At: vectors.Now}); len(x.Reasons) == 0 {
				admitted++
			}
		}
	}
	if admitted == 0 {
		f.Fatal("no seed is admitted anywhere: this tries refusals only")
	}
	f.Add(uint8(0), "submit.actual.tip.none.none.*", []byte{}, false)
	f.Add(uint8(2), "submit.actual.tip.>", []byte("\x0a\x24"), false)
	f.Fuzz(func(t *testing.T, cell uint8, subj string, data []byte, foreign bool) {
		rules := cells[int(cell)%len(cells)]
		in := guard.Received{Subject: subj, Payload: bytes.Clone(data), At: vectors.Now, ForeignReply: foreign}
		x := guard.Examine(rules, in)
		if !bytes.Equal(in.Payload, data) {
			t.Fatal("the payload was changed")
		}
		if again := guard.Examine(rules, in); again.Reasons.String() != x.Reasons.String() || again.Stored != x.Stored {
			t.Fatalf("judged twice: %s, then %s", x.Reasons, again.Reasons)
		}
		if len(x.Reasons) == 0 {
			admissible(t, rules, x, data)
		}
	})
}

func rulesOf(tb testing.TB) []*guard.Rules {
	tb.Helper()
	var all []*guard.Rules
	for _, c := range policy.Default().Cells {
		r, err := guard.Compile(policy.Default(), c.Name)
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// admissible checks what is admitted against the report itself.
func admissible(t *testing.T, rules *guard.Rules, x *guard.Examined, data []byte) {
	t.Helper()
	r := new(wf.Report)
	if err := proto.Unmarshal(data, r); err != nil {
		t.Fatalf("admitted, but unreadable: %v", err)
	}
	l, err := label.FromProto(r.GetLabel())
	if err != nil || !rules.Label.Dominates(l) {
		t.Fatalf("cell %s admits %v (%v)", rules.Cell, r.GetLabel(), err)
	}
	s, err := subject.ParseStored(x.Stored)
	if err != nil || s.Cell != rules.Cell || s.Agency != r.GetAgency() || s.String() != x.Stored {
		t.Fatalf("a report of %s in %s would be stored on %q (%v)", r.GetAgency(), rules.Cell, x.Stored, err)
	}
	if orcon := slices.Contains(r.GetLabel().GetControls(), wf.Control_CONTROL_ORCON); orcon != s.Orcon {
		t.Fatalf("originator control %v, but the subject is %q", orcon, x.Stored)
	}
	if !x.Known() || x.ReportID != r.GetId() {
		t.Fatalf("admitted without an identity: %q", r.GetId())
	}
}
