package stix_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/watchfloor/watchfloor/producers/internal/corpus"
	"github.com/watchfloor/watchfloor/producers/stix"
)

// The largest bundle of the corpus: 1,106 objects, 825 relationships, 2 MB.
func BenchmarkDecode(b *testing.B) {
	data, err := os.ReadFile(filepath.Join(corpus.Dir(b, "stix/INDEX.csv"), "stix", "attack", "ics-attack-11.json"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if items := stix.Decode(data, options()); len(items) < 250 {
			b.Fatalf("%d items", len(items))
		}
	}
}
