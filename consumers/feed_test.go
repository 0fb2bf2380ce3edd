package consumers

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// A record is what its subject, its admission record and its payload say
// together; a copy under another subject is nobody's report.
func TestRecordThatContradictsItselfIsUnreadable(t *testing.T) {
	r := &wf.Report{
		Id: "01890000-0000-7000-8000-000000000001", Revision: 2, Agency: "fbi",
		Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_ACTUAL,
	}
	data, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	header := func(rev uint64) string {
		return admission.Record{Event: admission.Admitted, ID: r.Id, Revision: rev, Rule: "fbi@v1"}.Encode()
	}
	const subj = "report.le.cui.le.actual.incident.ms.28049."
	for name, c := range map[string]struct {
		subject, header string
		want            What
	}{
		"as stored":       {subj + "fbi", header(2), Reported},
		"another agency":  {subj + "dea", header(2), Unreadable},
		"another kind":    {"report.le.cui.le.actual.threat.ms.28049.fbi", header(2), Unreadable},
		"another status":  {"report.le.cui.le.exercise.incident.ms.28049.fbi", header(2), Unreadable},
		"another version": {subj + "fbi", header(3), Unreadable},
		"no record":       {subj + "fbi", "", Unreadable},
	} {
		e := decode(c.subject, c.header, data)
		if e.What != c.want || (e.Report != nil) != (c.want == Reported) {
			t.Errorf("%s: got %s with %v, want %s", name, e.What, e.Report, c.want)
		}
	}
}
