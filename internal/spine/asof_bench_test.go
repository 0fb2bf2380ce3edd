package spine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// The cost of an earlier picture of 100,000 reports: by frames (50,000
// situations of 700 bytes in a keyframe and 500 frames of 50 changes each after
// it), and by a replay; beside loading the newest picture.
func BenchmarkAsOf(b *testing.B) {
	const reports, situations = 100_000, 50_000
	p := newPast(b)
	var pen pen
	w := p.writer(p.worker, "w")
	text := strings.Repeat("x", 600)
	must(b, w.Commit(b.Context(), pen.frame(situations, text)))
	must(b, pen.keyframe(b.Context(), w))
	sum := fusion.Sum{}
	for _, s := range pen.have {
		sum.Add(fusion.Hash(s))
	}
	for i := range 500 {
		f := &wf.Frame{Situations: situations}
		for k := range 50 {
			s := &wf.Situation{Id: fmt.Sprintf("%032x", (i*50+k)%situations), Headline: text + fmt.Sprint(i)}
			sum.Sub(fusion.Hash(pen.have[s.Id]))
			sum.Add(fusion.Hash(s))
			pen.have[s.Id] = s
			f.Changes = append(f.Changes, &wf.Change{Change: &wf.Change_Upsert{Upsert: s}})
		}
		d := sum.Digest()
		f.Digest = d[:]
		must(b, w.Commit(b.Context(), f))
	}
	life := newLife(1)
	js, err := jetstream.New(p.guards["le"])
	must(b, err)
	for i := range reports {
		x := p.told(i, 1, life.rng)
		x.Entities[0].Identifiers[0].Value = fmt.Sprintf("+1601%07d", i/5)
		x.Entities[0].GetPerson().Names[0].Family = fmt.Sprint("Quill", i/5)
		data, err := proto.Marshal(x)
		must(b, err)
		rec := admission.Record{Event: admission.Admitted, ID: x.GetId(), Revision: 1, Withdrawn: x.GetState() == wf.ReportState_REPORT_STATE_WITHDRAWN,
			Received: time.Now(), Rule: "fbi@test"}
		_, err = js.PublishMsgAsync(&nats.Msg{Subject: p.broker.Inlet("le", subject.Reports).Of(stored(x).String()), Data: data, Header: nats.Header{admission.Header: {rec.Encode()}}})
		must(b, err)
		if i%1000 == 999 {
			<-js.PublishAsyncComplete()
		}
	}
	at := time.Now()
	b.Run("newest", func(b *testing.B) {
		for b.Loop() {
			if got := p.load(p.reader()); got.Len() != situations {
				b.Fatal(got.Len())
			}
		}
	})
	b.Run("frames", func(b *testing.B) {
		for b.Loop() {
			got, err := snapshot.At(b.Context(), p.worker, "le", exercise, at)
			must(b, err)
			if got.Revision() != 501 || got.Len() != situations {
				b.Fatal(got.Revision(), got.Len())
			}
		}
	})
	b.Run("replay", func(b *testing.B) {
		for b.Loop() {
			if got := p.replay(worker.Cut{AsOf: at}); got.Records != reports {
				b.Fatal(got.Records)
			}
		}
		b.ReportMetric(float64(reports)*float64(b.N)/b.Elapsed().Seconds(), "reports/s")
	})
}
