package subject_test

import (
	"strings"
	"testing"

	"github.com/watchfloor/watchfloor/proto/subject"
)

// A subject is either refused or exactly what it reads as: nothing has two
// spellings, and no wildcard gets through.
func FuzzSubjects(f *testing.F) {
	for _, s := range []string{
		"submit.actual.tip.none.none.fbi", "submit.exercise.incident.ms.28049.jackson-pd",
		"report.le.cui.le.actual.sar.mo.29510.stl-pd", "orcon.fused+intel.intel.secret.intel.actual.tip.none.none.cia",
		"orcon.none.le.cui.le.test.tip.multi.multi.fbi", "submit.*.>.none.none.fbi", "report.le.cui.le.actual.sar.mo.29510.", "....",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := subject.ParseSubmit(s); err == nil && got.String() != s {
			t.Errorf("%q reads as %q", s, got)
		} else if err == nil && strings.ContainsAny(s, "*> \t\r\n") {
			t.Errorf("%q is taken", s)
		}
		if got, err := subject.ParseStored(s); err == nil && got.String() != s {
			t.Errorf("%q reads as %q", s, got)
		} else if err == nil && strings.ContainsAny(s, "*> \t\r\n") {
			t.Errorf("%q is taken", s)
		}
	})
}
