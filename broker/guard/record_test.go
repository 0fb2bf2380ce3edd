package guard

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// The record of a refusal is bounded, whatever its sender got wrong, and says
// how much it leaves out.
func TestARecordIsBounded(t *testing.T) {
	for _, n := range []int{1, 20, 65, 2000} {
		var reasons admission.Reasons
		for range n {
			reasons.Add(admission.Invalid, strings.Repeat("f", 60), strings.Repeat("m", 200), strings.Repeat("r", 80))
		}
		x := &Examined{ReportID: strings.Repeat("0", 36)}
		x.Submission.Agency = strings.Repeat("a", 32)
		r := RecordOf("le", x, reasons)
		if size := proto.Size(r); size > admission.MaxRefusal {
			t.Errorf("%d reasons make a record of %d bytes, at most %d", n, size, admission.MaxRefusal)
		}
		if n <= 20 && len(r.GetReasons()) != n {
			t.Errorf("of %d reasons %d are recorded", n, len(r.GetReasons()))
		}
		if last := r.GetReasons()[len(r.GetReasons())-1]; n >= 65 && !strings.Contains(last.GetMessage(), "more reasons") {
			t.Errorf("the last of %d reasons is %q, which does not say that some are left out", n, last.GetMessage())
		}
	}
}
