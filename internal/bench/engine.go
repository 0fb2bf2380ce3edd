package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	engineBatch  = 32
	engineCommit = 8 // batches between commits
)

// engineLive is how many live reports the engine is measured with.
var engineLive = []int{10_000, 100_000, 1_000_000}

// load is one engine under traffic.
type load struct {
	*traffic
	e     *fusion.Engine
	order []int // turns in the order of arrival
	head  int   // next to arrive
	tail  int   // next to leave
	// what it took
	batches []time.Duration
	commits time.Duration
	core    time.Duration // processor time of the batches
}

func newLoad(t *traffic, order []int) *load {
	return &load{traffic: t, order: order, e: fusion.New(fusion.Config{Status: wf.Status_STATUS_EXERCISE})}
}

// batch lets some reports in and the same number of the oldest out. Only the
// engine is on the clock.
func (l *load) batch(out bool) {
	in := make([]fusion.Input, 0, engineBatch)
	for range min(engineBatch, len(l.order)-l.head) {
		in = append(in, l.report(l.order[l.head]))
		l.head++
	}
	type name struct{ agency, id string }
	old := make([]name, 0, engineBatch)
	if out {
		for range in {
			agency, id := l.key(l.order[l.tail])
			old = append(old, name{agency, id})
			l.tail++
		}
	}
	start, core := time.Now(), processorTime()
	for i := range in {
		if out {
			l.e.Remove("le", old[i].agency, old[i].id)
		}
		l.e.Apply(in[i])
	}
	l.batches, l.core = append(l.batches, time.Since(start)), l.core+processorTime()-core
	if len(l.batches)%engineCommit == 0 {
		l.commit()
	}
}

func (l *load) commit() {
	start := time.Now()
	l.e.Commit()
	l.commits += time.Since(start)
}

// run takes n reports in, with as many out or none, and forgets earlier times.
func (l *load) run(ctx context.Context, n int, out bool) error {
	l.batches, l.commits, l.core = l.batches[:0], 0, 0
	for end := min(l.head+n, len(l.order)); l.head < end; {
		if err := ctx.Err(); err != nil {
			return err
		}
		l.batch(out)
	}
	return nil
}

// took is the time of all batches, without commits.
func (l *load) took() (d time.Duration) {
	for _, b := range l.batches {
		d += b
	}
	return d
}

// engineRun is what was measured at one number of live reports.
type engineRun struct {
	live                 int
	rate, withCommit     float64 // reports/s
	fill, late           float64 // reports per second of processor time into an empty engine, in order and shuffled
	bytes, resident      float64 // per live report
	p50, p99             float64 // ms of a batch
	withdraw, withdraw99 float64 // us
	perCore              float64 // reports per second of processor time
}

// engineAt measures one number of live reports.
func (r *run) engineAt(ctx context.Context, live int) (engineRun, error) {
	out := engineRun{live: live}
	steady := min(max(live/4, 64_000), 256_000)
	t := newTraffic(11, live, live+steady)
	order := make([]int, len(t.turns))
	for i := range order {
		order[i] = i
	}
	heap, resident := held()
	r.Progress(fmt.Sprintf("engine: %d live reports, in order", live))
	l := newLoad(t, order)
	if err := l.run(ctx, live, false); err != nil {
		return out, err
	}
	l.commit()
	out.fill = float64(live) / l.core.Seconds()
	if err := l.run(ctx, steady, true); err != nil {
		return out, err
	}
	took := l.took()
	out.rate = float64(steady) / took.Seconds()
	out.withCommit = float64(steady) / (took + l.commits).Seconds()
	out.perCore = float64(steady) / l.core.Seconds()
	slices.Sort(l.batches)
	out.p50, out.p99 = quantile(l.batches, 0.5), quantile(l.batches, 0.99)
	l.commit()
	afterHeap, afterResident := held()
	out.bytes, out.resident = float64(afterHeap-heap)/float64(live), float64(afterResident-resident)/float64(live)
	out.withdraw, out.withdraw99 = l.withdrawals()
	return out, r.late(ctx, t, live, &out)
}

// late fills an engine with the same reports shuffled.
func (r *run) late(ctx context.Context, t *traffic, live int, out *engineRun) error {
	r.Progress(fmt.Sprintf("engine: %d live reports, shuffled", live))
	debug.FreeOSMemory()
	l := newLoad(t, rand.New(rand.NewPCG(1, 2)).Perm(live))
	if err := l.run(ctx, live, false); err != nil {
		return err
	}
	out.late = float64(live) / l.core.Seconds()
	return nil
}

// processorTime is what this process has used of any core: on a machine that
// others use too, it says what the work costs.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// withdrawals takes out reports at random, one by one.
func (l *load) withdrawals() (mean, p99 float64) {
	rng := rand.New(rand.NewPCG(3, 4))
	var all []time.Duration
	core := time.Duration(0)
	for range min(10_000, (l.head-l.tail)/4) {
		agency, id := l.key(l.order[l.tail+rng.IntN(l.head-l.tail)])
		in := fusion.Input{Cell: "le", Report: &wf.Report{Id: id, Agency: agency, Revision: 2,
			State: wf.ReportState_REPORT_STATE_WITHDRAWN, Status: wf.Status_STATUS_EXERCISE}}
		start, before := time.Now(), processorTime()
		l.e.Apply(in)
		all, core = append(all, time.Since(start)), core+processorTime()-before
	}
	slices.Sort(all)
	return float64(core.Microseconds()) / float64(len(all)), 1000 * quantile(all, 0.99)
}

// held is the bytes that live objects take in the heap, and what the process
// takes in memory.
func held() (heap, resident uint64) {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, uint64(memory("VmRSS") * (1 << 20))
}

// engine measures the correlation engine by itself, on one core.
func (r *run) engine(ctx context.Context) ([]Figure, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	live := r.Live
	if len(live) == 0 {
		live = engineLive
	}
	var out []Figure
	var first engineRun
	for i, n := range live {
		m, err := r.engineAt(ctx, n)
		if err != nil {
			return out, err
		}
		if i == 0 {
			first = m
		}
		out = append(out, engineFigures(m, first)...)
	}
	return append(out, elsewhere(out)...), nil
}

// engineFigures sets the figures of one size beside those of the first.
func engineFigures(m, first engineRun) []Figure {
	name := func(s string) string { return fmt.Sprintf("engine-%s-%s", counted(m.live), s) }
	over := func(f Figure) Figure {
		f.Ratio = f.Ours / f.Baseline
		return f
	}
	return []Figure{
		over(Figure{Name: name("turnover"), Unit: "reports/s in and out; baseline " + counted(first.live), Ours: m.rate, Baseline: first.rate, P50: m.p50, P99: m.p99,
			Target: ">= 100,000/s at 1M, >= 0.33 x of 10k, p99 of 32 <= 1 ms"}),
		over(Figure{Name: name("turnover-processor"), Unit: "reports/s of processor time; baseline by the clock", Ours: m.perCore, Baseline: m.rate, Target: "the clock's, where nothing else runs"}),
		over(Figure{Name: name("turnover-committed"), Unit: "reports/s, a commit every 256; baseline without", Ours: m.withCommit, Baseline: m.rate, Target: "reported"}),
		over(Figure{Name: name("memory"), Unit: "bytes of heap a live report; baseline resident", Ours: m.bytes, Baseline: m.resident, Target: "<= 600"}),
		over(Figure{Name: name("shuffled"), Unit: "reports/s of processor time, fill; baseline in order", Ours: m.late, Baseline: m.fill, Target: ">= 0.8 x"}),
		over(Figure{Name: name("withdrawal"), Unit: "us of processor time, mean; baseline p99 by the clock", Ours: m.withdraw, Baseline: m.withdraw99, Target: "<= 50 us"}),
	}
}

// counted is a number of reports in a word.
func counted(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return fmt.Sprintf("%dM", n/1_000_000)
	case n >= 1000 && n%1000 == 0:
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprint(n)
}

// elsewhere is what others say of themselves, beside our last rate, for the
// reader: other work on other machines.
func elsewhere(ours []Figure) []Figure {
	i := len(ours) - 6
	if i < 0 {
		return nil
	}
	var out []Figure
	for _, o := range []struct {
		name string
		rate float64
		note string
	}{
		{"MISP-attributes", 1_500, "correlation SQL on a machine like this"},
		{"Senzing-records", 100, "sizing guide, 8 cores, 10M records"},
		{"Splink-records", 1_000_000. / 60, "a million a minute in batch on a laptop"},
	} {
		out = append(out, Figure{Name: "beside-" + o.name, Unit: "a second", Ours: ours[i].Ours, Baseline: o.rate, Ratio: ours[i].Ours / o.rate, Target: "for the reader: " + o.note})
	}
	return out
}
