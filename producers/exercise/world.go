package exercise

import (
	"container/heap"
	"slices"
	"time"
)

// world is what all stories of a scenario have in common.
type world struct {
	config Config
	// switchboards are telephone numbers many unrelated people answer to; the
	// first is the motel that plot and decoy share.
	switchboards []string
	outages      []outage
	size         int // hundreds of reports, at most 60: how large the hurricane is
}

// outage is a time in which an agency's reports wait for its line to come back.
type outage struct {
	agency   string
	from, to time.Time
}

func newWorld(c Config) *world {
	w := &world{config: c, size: min(c.Reports/100, 60)}
	r := seeded(c.Seed, 'w')
	for range 1 + c.Reports/8000 {
		w.switchboards = append(w.switchboards, r.localPhone())
	}
	for _, o := range []struct {
		agency   string
		from, to time.Duration
	}{{"choctaw-pd", 39 * time.Hour, 45 * time.Hour}, {"harrison-eoc", landfall - 2*time.Hour, landfall + 5*time.Hour}, {"csx-police", 60 * time.Hour, 64 * time.Hour}} {
		w.outages = append(w.outages, outage{o.agency, c.Start.Add(o.from), c.Start.Add(o.to)})
	}
	return w
}

// arrival is when a report gets through: what an outage held back comes as one
// batch, in its order, when the line is back.
func (w *world) arrival(a *agency, at time.Time) time.Time {
	for _, o := range w.outages {
		if o.agency == a.token && !at.Before(o.from) && at.Before(o.to) {
			return o.to.Add(at.Sub(o.from) / 1000)
		}
	}
	return at
}

func (w *world) after(d time.Duration) time.Time { return w.config.Start.Add(d) }

// story begins a story; its number is unique and decides all it draws.
func (w *world) story(no uint64, start time.Time) *story {
	r := seeded(w.config.Seed, 's', no)
	r.story = no
	return &story{world: w, rng: r, no: no, start: start}
}

// firstOrdinary is the number of the first story that is not a named one.
const firstOrdinary = 16

// run yields every step in the order of the clock.
func (w *world) run(yield func(Step) bool) {
	var q queue
	named, seen := 0, map[string]bool{}
	for i, write := range []func(*story){plot, decoy, motel, hurricane, intrusion, circular} {
		s := w.story(uint64(i+1), w.config.Start)
		write(s)
		named += int(s.said)
		for _, st := range s.steps {
			seen[st.Report.GetAgency()] = true
		}
		q.add(s)
	}
	o := &ordinary{world: w, total: w.config.Reports - named}
	for i := range agencies {
		if !seen[agencies[i].token] {
			o.quiet = append(o.quiet, &agencies[i])
		}
	}
	for {
		s := o.next()
		for q.Len() > 0 && (s == nil || q.head().At.Before(s.start)) {
			if !yield(q.take()) {
				return
			}
		}
		if s == nil {
			return
		}
		q.add(s)
	}
}

// queue holds the steps of stories under way, the earliest first; ties go by
// story and by order within the story.
type queue struct {
	steps []queued
	count uint64
}

type queued struct {
	Step
	no uint64
}

func (q *queue) add(s *story) {
	slices.SortStableFunc(s.steps, func(a, b Step) int { return a.At.Compare(b.At) })
	for _, st := range s.steps {
		heap.Push(q, queued{st, q.count})
		q.count++
	}
}

func (q *queue) head() *queued { return &q.steps[0] }
func (q *queue) take() Step    { return heap.Pop(q).(queued).Step }

func (q *queue) Len() int { return len(q.steps) }
func (q *queue) Less(i, j int) bool {
	a, b := &q.steps[i], &q.steps[j]
	if c := a.At.Compare(b.At); c != 0 {
		return c < 0
	}
	return a.no < b.no
}
func (q *queue) Swap(i, j int) { q.steps[i], q.steps[j] = q.steps[j], q.steps[i] }
func (q *queue) Push(x any)    { q.steps = append(q.steps, x.(queued)) }
func (q *queue) Pop() any {
	last := len(q.steps) - 1
	x := q.steps[last]
	q.steps[last] = queued{}
	q.steps = q.steps[:last]
	return x
}
