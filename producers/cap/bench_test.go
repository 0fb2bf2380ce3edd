package cap_test

import (
	"testing"

	"github.com/watchfloor/watchfloor/producers/cap"
)

func BenchmarkDecode(b *testing.B) {
	data := []byte(sample)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if items := cap.Decode(data, options()); len(items) != 1 || items[0].Refused() {
			b.Fatal(items)
		}
	}
}
