package report_test

import (
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/vectors"
)

// judge is what a guard does before it asks the policy.
func judge(data []byte, at time.Time) admission.Reasons {
	r, reasons := report.Decode(data)
	if len(reasons) > 0 {
		return reasons
	}
	return report.Validate(r, at, report.Limits{})
}

func TestVectors(t *testing.T) {
	for _, at := range []time.Time{vectors.Now, vectors.Now.AddDate(20, 0, 0)} {
		for _, v := range vectors.All() {
			t.Run(v.Name, func(t *testing.T) { checkVector(t, v, at) })
		}
	}
}

func checkVector(t *testing.T, v vectors.Vector, at time.Time) {
	got := judge(v.Data, at)
	if v.Stage == vectors.Guard || v.Verdict == vectors.Admitted {
		if len(got) > 0 {
			t.Fatalf("want nothing wrong with the report itself, got %s", got)
		}
		return
	}
	for _, want := range v.Reasons {
		if !gives(got, want) {
			t.Errorf("want reason %s at %q, got %s", want.Code, want.Field, got)
		}
	}
	if len(got) != len(v.Reasons) {
		t.Errorf("got %d reasons, want exactly %d: %s", len(got), len(v.Reasons), got)
	}
	for _, r := range got {
		if r.Message == "" || r.Remedy == "" {
			t.Errorf("reason %s at %q has no message or no remedy", r.Code, r.Field)
		}
	}
}

func gives(got admission.Reasons, want vectors.Reason) bool {
	for _, r := range got {
		if admission.Code(r.Code) == want.Code && r.Field == want.Field {
			return true
		}
	}
	return false
}
