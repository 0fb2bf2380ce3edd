package quality

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/producers/narrative"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// scenario is a seeded exercise, read as it is written: no report is kept. One
// engine reads what all cells admit, by the threshold of a broker's engines.
type scenario struct {
	name    string
	reports int
	full    bool // takes minutes: only when asked for
	// change rewrites a report, the same for every revision of it; may be nil.
	change func(*wf.Report)
	// beside: also without the change, to tell which plots it is that merges.
	beside  bool
	targets func(Row) []Target
}

var scenarios = []scenario{
	{name: "exercise-10k", reports: 10_000, targets: exerciseTargets},
	{name: "exercise-100k", reports: 100_000, targets: exerciseTargets},
	{name: "exercise-1m", reports: 1_000_000, full: true, targets: exerciseTargets},
	{name: "exercise-words", reports: 20_000, change: wordsOnly, targets: func(Row) []Target { return nil }},
	{name: "one-phone-in-10%", reports: 100_000, change: onePhone,
		targets: func(r Row) []Target { return []Target{atLeast("P", 0.98, r.Pairs.Precision)} }},
	{name: "one-place-in-20%", reports: 100_000, change: onePlace, beside: true,
		targets: func(r Row) []Target { return []Target{none("plot merged", r.Plots)} }},
}

func exerciseTargets(r Row) []Target {
	return []Target{atLeast("P", 0.995, r.Pairs.Precision), atLeast("R", 0.90, r.Pairs.Recall)}
}

func exerciseParts() []part {
	var out []part
	for _, s := range scenarios {
		out = append(out, part{s.name, s.full, s.run})
	}
	return out
}

// share says whether a report is one of n in a hundred, by its id alone.
func share(r *wf.Report, n uint64) bool {
	h := fnv.New64a()
	h.Write([]byte(r.GetId()))
	x := h.Sum64() // FNV leaves its low bits alike
	x ^= x >> 32
	x *= 0x9e3779b97f4a7c15
	return x>>32%100 < n
}

// onePhone: a switchboard that every tenth report names.
func onePhone(r *wf.Report) {
	if !share(r, 10) {
		return
	}
	r.Entities = append(r.Entities, &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_MENTIONED,
		Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: "+16015550100"}}})
}

// onePlace: a mass incident, where every fifth report comes from.
func onePlace(r *wf.Report) {
	if !share(r, 20) {
		return
	}
	r.Places = []*wf.Place{{Role: wf.PlaceRole_PLACE_ROLE_EVENT, Point: &wf.Point{Latitude: 32.2988, Longitude: -90.1848}, UncertaintyM: 50, State: "MS", CountyFips: "28049"}}
}

// wordsOnly leaves of a report its texts, times and references: whom and where
// it speaks of has to be read out of its words.
func wordsOnly(r *wf.Report) { r.Entities, r.Places = nil, nil }

func (s scenario) run(ctx context.Context, c Config) (Row, error) {
	t, err := s.play(ctx, c, s.change)
	if err != nil {
		return Row{}, err
	}
	o := t.outcome()
	r := o.row(c)
	r.Threshold, r.Seconds = float64(fusion.DefaultThreshold)/1000, t.took.Seconds()
	if s.beside {
		plain, err := s.play(ctx, c, nil)
		if err != nil {
			return Row{}, err
		}
		before := plain.outcome().merged()
		for plot := range o.merged() {
			if before[plot] {
				continue
			}
			r.Merged++
			if slices.Contains(plots, plot) {
				r.Plots++
			}
		}
	}
	r.Targets = s.targets(r)
	return r, nil
}

// plots are the stories of an exercise that analysts must not see mixed up; the
// rest is ordinary traffic.
var plots = []string{exercise.EventPlot, exercise.EventDecoy, exercise.EventHurricane, exercise.EventIntrusion, exercise.EventCircular}

// play tells the exercise to an engine.
func (s scenario) play(ctx context.Context, c Config, change func(*wf.Report)) (*telling, error) {
	sc, err := exercise.New(exercise.Config{Seed: 1, Reports: c.scaled(s.reports)})
	if err != nil {
		return nil, fmt.Errorf("write the exercise: %w", err)
	}
	t := newTelling(c.Weights)
	for step := range sc.Steps() {
		if t.steps++; t.steps%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		r := proto.CloneOf(step.Report)
		if change != nil {
			change(r)
		}
		narrative.Enrich(r) // as the edge sends it
		step.Report = r
		t.hear(step)
	}
	return t, nil
}

// telling is an exercise on its way through the engine: of every report its
// name and its truth, and nothing else.
type telling struct {
	engine  *fusion.Engine
	number  map[fusion.Identity]int32
	reports []told
	steps   int
	took    time.Duration
}

type told struct {
	name     fusion.Identity
	event    string
	revision uint64
	active   bool
}

func newTelling(w fusion.Weights) *telling {
	return &telling{engine: fusion.New(fusion.Config{Status: wf.Status_STATUS_EXERCISE, Weights: w}), number: map[fusion.Identity]int32{}}
}

func (t *telling) hear(s exercise.Step) {
	name := fusion.Identity{Cell: s.Cell, Agency: s.Report.GetAgency(), ID: s.Report.GetId()}
	i, known := t.number[name]
	if !known {
		i = int32(len(t.reports))
		t.number[name] = i
		t.reports = append(t.reports, told{name: name, event: s.Event})
	}
	if r := &t.reports[i]; s.Report.GetRevision() > r.revision {
		r.revision, r.active = s.Report.GetRevision(), s.Report.GetState() == wf.ReportState_REPORT_STATE_ACTIVE
	}
	start := time.Now()
	t.engine.Apply(fusion.Input{Cell: s.Cell, Received: s.At, Report: s.Report})
	t.took += time.Since(start)
}

// outcome is the live reports with their truth. One that should be live and is
// not stands alone, and so costs recall.
func (t *telling) outcome() outcome {
	o := outcome{engine: t.engine}
	for _, r := range t.reports {
		if r.active {
			o.names, o.truth = append(o.names, r.name), append(o.truth, r.event)
		}
	}
	t.number, t.reports = nil, nil
	o.called = func(i int) string { return o.names[i].Agency + " " + o.names[i].ID }
	o.says = func(i int) string {
		if o.truth[i] == "" {
			return "noise: of no event"
		}
		return "event " + o.truth[i]
	}
	o.find()
	return o
}

// merged are the plots that share a situation with another: events of which a
// situation holds two or more reports, beside as much of another event.
func (o outcome) merged() map[string]bool {
	parts := map[string]map[string]int{}
	for i, f := range o.found {
		if f == "" || o.truth[i] == "" {
			continue
		}
		if parts[f] == nil {
			parts[f] = map[string]int{}
		}
		parts[f][o.truth[i]]++
	}
	plots := map[string]bool{}
	for _, events := range parts {
		var some []string
		for event, n := range events {
			if n > 1 {
				some = append(some, event)
			}
		}
		if len(some) > 1 {
			for _, event := range some {
				plots[event] = true
			}
		}
	}
	return plots
}
