package fusion

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// traffic is n reports of which 60 % belong to situations of about five:
// persons, vehicles and phones around towns, with noise from switchboards.
func traffic(n int) []Input {
	rng := rand.New(rand.NewPCG(7, 7))
	given, family := strings.Fields(givens), strings.Fields(surnames)
	out := make([]Input, 0, n)
	for len(out) < n {
		at := t0.Add(time.Duration(len(out)) * 3 * time.Second)
		lat, lon := 30.2+4.6*rng.Float64(), -91.5+3.3*rng.Float64()
		g, f := given[rng.IntN(len(given))], family[rng.IntN(len(family))]+string(rune('a'+rng.IntN(26)))
		phone := fmt.Sprintf("+1601%07d", rng.IntN(10_000_000))
		plate := fmt.Sprintf("%c%c%c%04d", 'A'+rng.IntN(26), 'A'+rng.IntN(26), 'A'+rng.IntN(26), rng.IntN(10_000))
		born := &wf.PartialDate{Year: int32(1950 + rng.IntN(55)), Month: int32(1 + rng.IntN(12)), Day: int32(1 + rng.IntN(28))}
		size := 1
		if rng.IntN(4) > 0 {
			size = 2 + rng.IntN(7)
		}
		for range size {
			i := len(out)
			r := &wf.Report{
				Id: fmt.Sprintf("019912b2-8750-7248-a526-%012d", i), Agency: fmt.Sprintf("agency-%d", rng.IntN(40)), Record: fmt.Sprintf("REC-25-%d", i),
				Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE, Status: wf.Status_STATUS_EXERCISE, Kind: wf.Kind_KIND_SAR,
				EventTime:  &wf.TimeRange{Start: timestamppb.New(at.Add(time.Duration(rng.IntN(48*3600)) * time.Second))},
				ReportTime: timestamppb.New(at.Add(49 * time.Hour)), Severity: wf.Severity_SEVERITY_MINOR,
				Places:    []*wf.Place{{Point: &wf.Point{Latitude: lat + 0.01*rng.Float64(), Longitude: lon}, CountyFips: "28049", State: "MS", UncertaintyM: 100}},
				Narrative: fmt.Sprintf("%s %s was seen near the gate in a gray pickup with plate %s and left before the patrol car arrived at hour %d", g, f, plate, i),
				Body:      &wf.Report_Sar{Sar: &wf.Sar{Behaviors: []wf.Behavior{wf.Behavior(1 + rng.IntN(16))}}},
			}
			if rng.IntN(3) > 0 {
				r.Entities = append(r.Entities, &wf.Entity{
					Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: phone}},
					Detail:      &wf.Entity_Person{Person: &wf.Person{Names: []*wf.PersonName{{Given: g, Family: f}}, Birth: born}},
				})
			}
			if rng.IntN(2) > 0 {
				r.Entities = append(r.Entities, &wf.Entity{
					Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PLATE, Value: plate, Issuer: "US-MS"}},
					Detail:      &wf.Entity_Vehicle{Vehicle: &wf.Vehicle{Make: "Ford", Model: "F-150", Color: "gray"}},
				})
			}
			out = append(out, Input{Cell: "le", Report: r})
		}
	}
	return out[:n]
}

// BenchmarkSteady inserts a report and removes the oldest, with a commit every
// 256 reports, at a number of live reports.
func BenchmarkSteady(b *testing.B) {
	for _, live := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("live=%d", live), func(b *testing.B) {
			in := traffic(2 * live)
			e := New(Config{Status: wf.Status_STATUS_EXERCISE})
			before := heap()
			for _, x := range in[:live] {
				e.Apply(x)
			}
			e.Commit()
			perReport := float64(heap()-before) / float64(live)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				i := live + n
				old := in[(i-live)%len(in)]
				e.Remove(old.Cell, old.Report.Agency, old.Report.Id)
				e.Apply(in[i%len(in)])
				if n%256 == 255 {
					e.Commit()
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reports/s")
			b.ReportMetric(perReport, "B/live")
			if _, n := e.Len(); n == 0 {
				b.Fatal("nothing was committed")
			}
		})
	}
}

// BenchmarkFill inserts into an empty engine, with a commit every 256 reports.
func BenchmarkFill(b *testing.B) {
	in := traffic(100_000)
	b.ReportAllocs()
	done := 0
	for b.Loop() {
		e := New(Config{Status: wf.Status_STATUS_EXERCISE})
		for i, x := range in {
			e.Apply(x)
			if i%256 == 255 {
				e.Commit()
			}
		}
		e.Commit()
		done += len(in)
	}
	b.ReportMetric(float64(done)/b.Elapsed().Seconds(), "reports/s")
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkMass is what a commit costs after one more report of a situation of
// so many: all name one record, and every second something else too.
func BenchmarkMass(b *testing.B) {
	for _, size := range []int{500, 5_000, 20_000, 100_000} {
		b.Run(fmt.Sprintf("reports=%d", size), func(b *testing.B) {
			in := traffic(size + 20_000)
			for i := range in {
				in[i].Report.References = []*wf.Reference{{Type: relatedTo, Record: "STORM-1", Agency: "nws"}}
			}
			e := New(Config{Status: wf.Status_STATUS_EXERCISE})
			for _, x := range in[:size] {
				e.Apply(x)
			}
			start := time.Now()
			d := e.Commit()
			b.ReportMetric(float64(time.Since(start).Milliseconds()), "ms/first")
			bytes := 0
			for n := 0; b.Loop(); n++ {
				e.Apply(in[size+n%20_000])
				d = e.Commit()
			}
			for _, c := range d.Changes {
				bytes += proto.Size(c)
			}
			b.ReportMetric(float64(bytes), "B/frame")
			if n, r := e.Len(); n > r/10 {
				b.Fatalf("%d situations of %d reports: no mass", n, r)
			}
		})
	}
}

// BenchmarkExtract reads reports into facts and packs them.
func BenchmarkExtract(b *testing.B) {
	in := traffic(4096)
	e := New(Config{Status: wf.Status_STATUS_EXERCISE})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f := e.extract(in[i%len(in)])
		e.buf = pack(e.buf[:0], f)
		e.dropWords(f)
	}
}

// BenchmarkUnpack unpacks stored reports that are in the cache.
func BenchmarkUnpack(b *testing.B) {
	in := traffic(64)
	e := New(Config{Status: wf.Status_STATUS_EXERCISE})
	for _, x := range in {
		e.Apply(x)
	}
	for i := 0; b.Loop(); i++ {
		e.facts(int32(1 + i%len(in)))
	}
}

// BenchmarkScore scores a pair of unpacked reports.
func BenchmarkScore(b *testing.B) {
	in := traffic(64)
	e := New(Config{Status: wf.Status_STATUS_EXERCISE})
	for _, x := range in {
		e.Apply(x)
	}
	for i := 0; b.Loop(); i++ {
		e.score(int32(1+i/64%7), int32(1+(i/64+1)%7))
	}
}

// BenchmarkFlood is a million reports of one minute at one point, the worst an
// agency could send; -benchtime 1x.
func BenchmarkFlood(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("reports=%d", n), func(b *testing.B) {
			in := floodAt(n)
			for b.Loop() {
				e := New(Config{Status: wf.Status_STATUS_EXERCISE})
				before := heap()
				for i, x := range in {
					e.Apply(x)
					if i%1000 == 999 {
						e.Commit()
					}
				}
				e.Commit()
				b.ReportMetric(float64(heap()-before)/float64(n), "B/live")
				if s, _ := e.Len(); s != n {
					b.Fatalf("%d situations of %d reports", s, n)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "reports/s")
		})
	}
}
