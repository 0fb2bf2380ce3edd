package admit

import (
	"testing"

	"github.com/watchfloor/watchfloor/proto/admission"
)

func TestAdmits(t *testing.T) {
	b := newBed(t, -1)
	g := b.start(nil)
	for i := range 3 {
		a := b.submit(newReport())
		if a.Error != nil || a.Sequence != uint64(i+1) || a.Stream != "REPORTS" || a.Duplicate {
			t.Fatalf("report %d: answer %+v (%v)", i, a, a.Error)
		}
	}
	if err := g.stop(); err != nil {
		t.Fatal(err)
	}
	if got := len(b.reports()); got != 3 {
		t.Fatalf("stored %d, want 3", got)
	}
	_ = admission.Header
}
