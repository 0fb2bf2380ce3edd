package twins

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// base is the stepped clock's first instant: 40 ms before a point of the grid of
// ticks, so that a worker's timer never waits longer. It lies ahead of the
// machine's clock, so that everything was stored before it.
var base = time.Date(2041, time.March, 3, 12, 0, 0, 0, time.UTC).Add(-40 * time.Millisecond)

// stride is how far the clock goes in a step: on the grid, and beyond the
// minute after which a worker commits although nothing changed.
const stride = 70 * time.Second

// submission is a report on its way into a cell, or what should be one.
type submission struct {
	cell, agency, subject string
	data                  []byte
	note                  string
	// report that is submitted, when it is one that may be admitted.
	report *wf.Report
}

// step is what happens between two readings of the clock.
type step struct {
	name string
	low  []submission
	high []submission
	// deeds of the intelligence side beside submissions.
	deeds []string
}

// plan is the traffic of a pair of worlds: a function of the seed.
type plan struct {
	seed   uint64
	policy *policy.Policy
	low    []string // cells
	steps  []step

	draw  *rand.Rand
	queue map[string][]exercise.Step // by status, low or high
	sent  []submission               // low, admitted once
	intel []submission               // high, meant to be admitted
	// samples are reports of the intelligence side to put other content into.
	samples []submission
	places  map[string]string // identity -> subject of its first revision
	number  int
	turn    int // of the low side's mischief
}

func newPlan(p *policy.Policy, seed uint64, steps int) (*plan, error) {
	x := &plan{seed: seed, policy: p, draw: rand.New(rand.NewPCG(seed, 21)), queue: map[string][]exercise.Step{}, places: map[string]string{}}
	if x.low = lowCells(p); len(x.low) == 0 {
		return nil, errors.New("the policy has no cell le")
	}
	for i, status := range subject.Statuses {
		if err := x.fill(seed*3+uint64(i), status); err != nil {
			return nil, err
		}
	}
	for i := range min(steps, most) {
		x.steps = append(x.steps, x.step(i))
	}
	return x, nil
}

// lowCells are cell le and those that it dominates.
func lowCells(p *policy.Policy) (out []string) {
	le, ok := p.Cell("le")
	for _, c := range p.Cells {
		if ok && le.Label.Dominates(c.Label) {
			out = append(out, c.Name)
		}
	}
	return out
}

// most steps of a plan; with more the clock would reach the hour at which workers
// restate their pictures. scenarios hold enough for them, and the first steps of
// a seed are the same however many there are.
const (
	most      = 60
	scenarios = 400
)

// fill queues a scenario of a status, the low cells' part and the others'.
func (x *plan) fill(seed uint64, status wf.Status) error {
	made := status
	if status == wf.Status_STATUS_ACTUAL {
		made = wf.Status_STATUS_TEST // the scenario writes no actual reports
	}
	sc, err := exercise.New(exercise.Config{Seed: seed, Reports: scenarios, Status: made, Start: base.Add(-100 * time.Hour).Truncate(time.Hour)})
	if err != nil {
		return err
	}
	for s := range sc.Steps() {
		s.Report = proto.Clone(s.Report).(*wf.Report)
		s.Report.Status = status
		key := "high " + status.String()
		if slices.Contains(x.low, s.Cell) {
			key = "low " + status.String()
		} else if status == wf.Status_STATUS_ACTUAL && len(x.samples) < 40 && s.Report.GetState() == wf.ReportState_REPORT_STATE_ACTIVE && strings.HasPrefix(s.Cell, "intel") {
			x.samples = append(x.samples, submit(s.Cell, s.Report, "sample"))
		}
		x.queue[key] = append(x.queue[key], s)
	}
	return nil
}

func submit(cell string, r *wf.Report, note string) submission {
	data, err := proto.Marshal(r)
	if err != nil {
		panic(err) // a report that was made here
	}
	return submission{cell: cell, agency: r.GetAgency(), subject: subject.Submit(r), data: data, note: note, report: r}
}

// take is the next report of a queue. Of the low ones a revision that would move
// to another subject is passed over: whether a worker sees the old one go and
// the new one come in one commit or in two is a matter of its timing.
func (x *plan) take(side string, status wf.Status) (submission, bool) {
	key := side + " " + status.String()
	for len(x.queue[key]) > 0 {
		s := x.queue[key][0]
		x.queue[key] = x.queue[key][1:]
		at := submit(s.Cell, s.Report, "report")
		if side == "high" {
			return at, true
		}
		id := s.Cell + " " + s.Report.GetAgency() + " " + s.Report.GetId()
		stored := subject.StoredOf(subject.SubmissionOf(s.Report, "", ""), s.Cell, mustLabel(x.policy, s.Cell), s.Report.GetLabel()).String() + at.subject
		if first, ok := x.places[id]; ok && first != stored {
			continue
		}
		x.places[id] = stored
		return at, true
	}
	return submission{}, false
}

func (x *plan) step(i int) step {
	s := step{name: fmt.Sprintf("step %d", i)}
	statuses := []wf.Status{wf.Status_STATUS_ACTUAL, wf.Status_STATUS_ACTUAL, wf.Status_STATUS_EXERCISE}
	if i%4 == 0 {
		statuses = append(statuses, wf.Status_STATUS_TEST)
	}
	for _, status := range statuses {
		if r, ok := x.take("low", status); ok {
			s.low = append(s.low, r)
			x.sent = append(x.sent, r)
		}
	}
	if r, ok := x.common(i); ok {
		s.low = append(s.low, r)
	}
	for range 2 {
		s.low = append(s.low, x.mischief(x.sent, x.turn%mischiefs))
		x.turn++
	}
	s.high = x.high(i, s.low)
	s.deeds = x.deeds(i)
	return s
}

// common is a low report with the plates and numbers that the intelligence side
// makes a hub of, as long as the low side alone has fewer of them than a hub has.
func (x *plan) common(i int) (submission, bool) {
	from := x.named()
	if from == nil || i >= fusion.DefaultHubLimit-4 {
		return submission{}, false
	}
	r := proto.Clone(from.report).(*wf.Report)
	r.Id, r.Revision, r.References, r.Record = x.id(), 1, nil, ""
	return submit(from.cell, r, "on the same plate"), true
}

// named is the first low report that names somebody or something.
func (x *plan) named() *submission {
	for i := range x.sent {
		r := x.sent[i].report
		for _, e := range r.GetEntities() {
			if len(e.GetIdentifiers()) > 0 && r.GetState() == wf.ReportState_REPORT_STATE_ACTIVE {
				return &x.sent[i]
			}
		}
	}
	return nil
}

// mischiefs is how many kinds of mischief there are.
const mischiefs = 10

// mischief is a submission that is not admitted, or not again, of what was.
func (x *plan) mischief(list []submission, kind int) submission {
	s := list[x.draw.IntN(len(list))]
	r := proto.Clone(s.report).(*wf.Report)
	switch kind {
	case 0:
		s.note = "again"
	case 1:
		r.Title += " (other words)"
		s = submit(s.cell, r, "conflict")
	case 2:
		s.note, s.data = "garbage", []byte("no report at all")
	case 3:
		r.Label = &wf.Label{Level: wf.Level_LEVEL_TOP_SECRET, Sides: []wf.Side{wf.Side_SIDE_INTEL}}
		r.Revision++
		s = submit(s.cell, r, "above the cell")
	case 4:
		s.note, s.subject = "wrong subject", strings.Replace(s.subject, "submit.", "submit.x", 1)
	case 5:
		r.Agency = "cia"
		own, sub := s.agency, s.subject
		s = submit(s.cell, r, "another's name")
		s.agency, s.subject = own, sub
	case 6:
		r.Kind = wf.Kind_KIND_BULLETIN
		r.Revision++
		sub := s.subject
		s = submit(s.cell, r, "another kind")
		s.subject = sub
	case 7:
		s.note, s.data = "truncated", s.data[:len(s.data)/2]
	case 8:
		s.note, s.data = "too large", make([]byte, 1<<20+1)
	case 9:
		r.ReportTime = timestamppb.New(base.Add(1000 * time.Hour))
		r.Revision++
		s = submit(s.cell, r, "of the future")
	}
	return s
}

// high is what the intelligence side submits beside the low submissions: the
// scenario's own, and copies of what the low side has just said.
func (x *plan) high(i int, low []submission) []submission {
	var out []submission
	for _, status := range subject.Statuses {
		if r, ok := x.take("high", status); ok {
			out = append(out, r)
			if r.report.GetState() == wf.ReportState_REPORT_STATE_ACTIVE {
				x.intel = append(x.intel, r)
			}
		}
	}
	for _, s := range low {
		if s.report == nil || s.report.GetState() != wf.ReportState_REPORT_STATE_ACTIVE {
			continue
		}
		out = append(out, x.copies(s.report)...)
	}
	out = append(out, x.hub()...)
	if len(x.intel) > 4 {
		old := x.intel[x.draw.IntN(len(x.intel))]
		out = append(out, x.withdrawn(old), x.revised(old))
	}
	for kind := range mischiefs {
		if s := x.mischief(x.intel, kind); submits(s) {
			out = append(out, s)
		}
	}
	return append(out, x.refused()...)
}

// copies are reports with the plates, names, numbers, places and words of a low
// one: under an id of their own, and under the very same.
func (x *plan) copies(low *wf.Report) (out []submission) {
	for _, id := range []string{x.id(), low.GetId()} {
		s := x.samples[x.draw.IntN(len(x.samples))]
		r := proto.Clone(s.report).(*wf.Report)
		r.Id, r.Revision, r.Status, r.Record = id, low.GetRevision(), low.GetStatus(), low.GetRecord()
		r.Entities, r.Places, r.Title, r.Narrative = low.GetEntities(), low.GetPlaces(), low.GetTitle(), low.GetNarrative()
		r.EventTime, r.ReportTime, r.Expires, r.References = low.GetEventTime(), low.GetReportTime(), low.GetExpires(), low.GetReferences()
		out = append(out, submit(s.cell, r, "copy"))
	}
	x.intel = append(x.intel, out...)
	return out
}

// hub is one plate and one telephone in report after report: beyond any limit of
// what may tell two reports apart. The low side uses them too.
func (x *plan) hub() (out []submission) {
	low := x.named()
	if low == nil {
		return nil
	}
	from := low.report
	for range 6 {
		s := x.samples[x.draw.IntN(len(x.samples))]
		r := proto.Clone(s.report).(*wf.Report)
		r.Id, r.Revision, r.Status, r.Entities, r.References = x.id(), 1, from.GetStatus(), from.GetEntities(), nil
		r.EventTime, r.ReportTime = from.GetEventTime(), from.GetReportTime()
		out = append(out, submit(s.cell, r, "hub"))
	}
	return out
}

func (x *plan) id() string {
	x.number++
	return fmt.Sprintf("0195%04x-%04x-7000-8000-%012x", x.draw.IntN(1<<16), x.draw.IntN(1<<16), x.number)
}

func (x *plan) withdrawn(s submission) submission {
	old := s.report
	r := &wf.Report{
		Id: old.GetId(), Revision: old.GetRevision() + 1, State: wf.ReportState_REPORT_STATE_WITHDRAWN, Agency: old.GetAgency(), Kind: old.GetKind(),
		Status: old.GetStatus(), Label: old.GetLabel(), Places: old.GetPlaces(), ReportTime: old.GetReportTime(),
	}
	return submit(s.cell, r, "withdrawal")
}

func (x *plan) revised(s submission) submission {
	r := proto.Clone(s.report).(*wf.Report)
	r.Revision += 2
	r.Title += ", revised"
	return submit(s.cell, r, "revision")
}

// refused are submissions that the guards of the intelligence side turn away.
func (x *plan) refused() []submission {
	s := x.samples[x.draw.IntN(len(x.samples))]
	bad := s
	bad.note, bad.data = "garbage", []byte("no report at all")
	r := proto.Clone(s.report).(*wf.Report)
	r.Id, r.Label = x.id(), &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}}
	late := proto.Clone(s.report).(*wf.Report)
	late.Id, late.ReportTime = x.id(), timestamppb.New(base.Add(1000*time.Hour))
	return []submission{bad, submit(s.cell, r, "the other side's label"), submit(s.cell, late, "of the future")}
}

// deeds of the intelligence side in a step.
func (x *plan) deeds(i int) []string {
	out := []string{"flood", "bulk"}
	all := []string{"restart intel", "restart fused", "pull", "ask", "past", "connect", "standby"}
	for range 2 {
		out = append(out, all[x.draw.IntN(len(all))])
	}
	if i < len(all) {
		out = append(out, all[i])
	}
	return out
}
