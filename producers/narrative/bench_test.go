package narrative_test

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/producers/narrative"
	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// blotter is a narrative of some 500 characters, dense with findings.
const blotter = `On 3/14/2025 at about 2145 hrs officers were sent to 1423 W Capitol St, Jackson, MS for a suspicious vehicle. The driver, John A. Smith, W/M, ` +
	`DOB 3/4/1981, gave 601-555-0123 as his number and said he works nearby. He was in a gray Ford F-150, MS tag ABC 1234, with a passenger who refused to give a name. ` +
	`Staff of the plant had seen the same truck twice in the past week, each time shortly after the change of shift, and had taken pictures of the gate. ` +
	`Both left when asked. See case no. 2025-00123.`

// prose holds nothing to find.
const prose = "The staff of the plant had seen the same truck twice in the past week, and each time it left shortly after the change of shift. "

var context = narrative.Context{State: "MS", Reported: reported, Agency: "jackson-pd"}

// Time per narrative, beside one telephone number read by the tables of the
// world's numbering plans.
func BenchmarkExtract(b *testing.B) {
	b.Run("narrative", func(b *testing.B) {
		b.SetBytes(int64(len(blotter)))
		b.ReportAllocs()
		for b.Loop() {
			narrative.Extract(blotter, context)
		}
	})
	b.Run("prose", func(b *testing.B) {
		text := strings.Repeat(prose, 4)
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			narrative.Extract(text, context)
		}
	})
	b.Run("megabyte", func(b *testing.B) {
		text := strings.Repeat(prose, narrative.MaxText/len(prose))
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			narrative.Extract(text, context)
		}
	})
	b.Run("enrich", func(b *testing.B) {
		r := &wf.Report{Agency: "jackson-pd", Kind: wf.Kind_KIND_SAR, ReportTime: timestamppb.New(reported), Narrative: blotter, Places: []*wf.Place{{State: "MS"}}}
		for b.Loop() {
			narrative.Enrich(proto.CloneOf(r))
		}
	})
	// The ratio is taken in turns, so that a busy machine weighs on both.
	b.Run("ratio", func(b *testing.B) {
		var text, phone time.Duration
		for b.Loop() {
			began := time.Now()
			narrative.Extract(blotter, context)
			text += time.Since(began)
			began = time.Now()
			if _, err := normal.Phone("+44 20 7946 0958", ""); err != nil {
				b.Fatal(err)
			}
			phone += time.Since(began)
		}
		b.ReportMetric(float64(text)/float64(phone), "phones/narrative")
	})
	b.Run("one phone", func(b *testing.B) {
		for b.Loop() {
			if _, err := normal.Phone("+44 20 7946 0958", ""); err != nil {
				b.Fatal(err)
			}
		}
	})
}
