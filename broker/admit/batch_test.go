package admit

import (
	"testing"

	"github.com/nats-io/nuid"
)

// Readers see the name of the batch that a report came with. Names of one
// generator tell how many it has made: so no two guards share one, nor any with
// the rest of the process. The first twelve letters are the generator's own.
func TestNamesOfBatchesCountNothingOfOtherCells(t *testing.T) {
	const own = 12
	seen := map[string]string{nuid.Next()[:own]: "the process"}
	for _, name := range []string{"one guard", "another guard"} {
		b := newBed(t, 0)
		b.start(nil)
		r := newReport()
		b.submit(r)
		r.Revision, r.Places[0].CountyFips = 2, "28047"
		b.submit(r) // moves to another subject, in a batch
		all := b.reports()
		batch := all[len(all)-1].batch
		if len(batch) < own {
			t.Fatalf("%s: the moved report has batch %q", name, batch)
		}
		if other, ok := seen[batch[:own]]; ok {
			t.Errorf("%s and %s name by one generator: %s", name, other, batch)
		}
		seen[batch[:own]] = name
	}
}
