package exercise

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// story is one event or one unrelated matter: what is said about it, by whom
// and when. It draws from its own generator, so that no story depends on another.
type story struct {
	world *world
	rng   rng
	no    uint64 // unique in the scenario
	start time.Time
	said  uint64
	steps []Step
}

// pen writes one report of a story.
type pen struct {
	story  *story
	agency *agency
	event  string
	r      *wf.Report
	sent   time.Time
}

// report begins what an agency says of something that happened at when.
func (s *story) report(event, token string, kind wf.Kind, when time.Time) *pen {
	a := agencyIndex[token]
	written := when.Add(time.Duration(s.rng.between(2, 25)) * time.Minute)
	p := &pen{story: s, agency: a, event: event, sent: written.Add(time.Duration(s.rng.between(1, 50)) * time.Second)}
	p.r = &wf.Report{
		Id: uuid7(written, s.world.config.Seed, s.no, s.said), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: token, Record: a.number(when.Year(), s.no*512+s.said), Kind: kind, Status: s.world.config.Status,
		Label: a.label(&s.rng, kind), RecordClass: report.ClassOf(kind),
		EventTime: &wf.TimeRange{Start: timestamppb.New(when)}, ReportTime: timestamppb.New(written),
		SourceReliability:      wf.SourceReliability(s.rng.between(1, 4)),
		InformationCredibility: wf.InformationCredibility(s.rng.between(1, 4)),
		Severity:               wf.Severity_SEVERITY_MINOR,
	}
	if s.rng.chance(120) {
		p.r.SourceReliability = wf.SourceReliability_SOURCE_RELIABILITY_F
		p.r.InformationCredibility = wf.InformationCredibility_INFORMATION_CREDIBILITY_6
	}
	s.said++
	return p
}

// say gives title and narrative.
func (p *pen) say(title, narrative string) *pen {
	p.r.Title, p.r.Narrative = title, narrative
	return p
}

// at adds places.
func (p *pen) at(places ...*wf.Place) *pen {
	p.r.Places = append(p.r.Places, places...)
	return p
}

// about adds entities.
func (p *pen) about(entities ...*wf.Entity) *pen {
	p.r.Entities = append(p.r.Entities, entities...)
	return p
}

// refer points at another report of the story.
func (p *pen) refer(t wf.ReferenceType, to *pen) *pen {
	p.r.References = append(p.r.References, &wf.Reference{Type: t, Record: to.r.GetRecord(), Agency: to.r.GetAgency()})
	return p
}

// copied marks the report as the substance of another, passed on.
func (p *pen) copied(from *pen, path ...string) *pen {
	p.r.Lineage = &wf.Lineage{Originator: from.r.GetAgency(), OriginatorRecord: from.r.GetRecord(), Path: path}
	return p
}

func (p *pen) severity(s wf.Severity) *pen {
	p.r.Severity = s
	return p
}

func (p *pen) class(c wf.RecordClass) *pen {
	p.r.RecordClass = c
	return p
}

// orcon lets only the named cells above read the report.
func (p *pen) orcon(cells ...string) *pen {
	p.r.Label.Controls = append(p.r.Label.Controls, wf.Control_CONTROL_ORCON)
	p.r.Label.OrconCells = cells
	return p
}

// tearline adds a part written for wider release.
func (p *pen) tearline(level wf.Level, sides []wf.Side, text string) *pen {
	n := len(p.r.Tearlines)
	p.r.Tearlines = append(p.r.Tearlines, &wf.Tearline{
		Id:    uuid7(p.sent, ^p.story.world.config.Seed, p.story.no, p.story.said*8+uint64(n)),
		Label: &wf.Label{Level: level, Sides: sides}, Text: text,
	})
	return p
}

// late delays the first submission.
func (p *pen) late(d time.Duration) *pen {
	p.sent = p.sent.Add(d)
	return p
}

func (p *pen) sar(sector, target string, behaviors ...wf.Behavior) *pen {
	p.r.Body = &wf.Report_Sar{Sar: &wf.Sar{
		Behaviors: behaviors, TargetSector: sector, TargetName: target, TipClass: "SPCSA", TipDomain: "G",
		Circumstances:            []string{one(&p.story.rng, circumstances)},
		PrivacyInformationExists: len(p.r.Entities) > 0, NatureOfSource: one(&p.story.rng, sourceNatures),
	}}
	if p.r.RecordClass == wf.RecordClass_RECORD_CLASS_SAR && p.story.rng.chance(250) {
		p.r.RecordClass = wf.RecordClass_RECORD_CLASS_ISE_SAR
	}
	return p
}

var circumstances = []string{
	"Behavior continued after staff asked the person to leave.", "The stated purpose did not match what was seen.",
	"Repeated on several days at the same hour.", "The person left in haste when approached.",
	"Interest was in access points the public does not use.", "No work order or permit was on file.",
}
var sourceNatures = []string{"anonymous tip", "trained interviewer", "written statement", "private sector", "other"}

func (p *pen) threat(t wf.ThreatType, sector, target string) *pen {
	p.r.Body = &wf.Report_Threat{Threat: &wf.Threat{Type: t, TargetSector: sector, TargetName: target, LikelihoodPercent: int32(p.story.rng.between(10, 80))}}
	if c := p.agency.cell; c != LE {
		p.r.RecordClass = wf.RecordClass_RECORD_CLASS_INTELLIGENCE
	}
	return p
}

func (p *pen) incident(kind, offense string) *pen {
	p.r.Body = &wf.Report_Incident{Incident: &wf.Incident{Number: p.r.GetRecord(), Type: kind, OffenseCode: offense}}
	return p
}

func (p *pen) cyber(name string, confidence int32, types ...string) *pen {
	p.r.Body = &wf.Report_Cyber{Cyber: &wf.Cyber{ObjectType: "event", Name: name, Types: types, Confidence: &confidence}}
	return p
}

// send submits the report.
func (p *pen) send() *pen {
	p.story.submit(p.sent, p.agency, p.r, p.event)
	return p
}

// again submits the same bytes once more, as a sender does that saw no answer.
func (p *pen) again(after time.Duration) *pen {
	p.story.submit(p.sent.Add(after), p.agency, p.r, p.event)
	return p
}

// revise submits the next revision.
func (p *pen) revise(after time.Duration, change func(r *wf.Report)) *pen {
	next := proto.Clone(p.r).(*wf.Report)
	next.Revision++
	next.ReportTime = timestamppb.New(p.sent.Add(after))
	change(next)
	p.r = next
	p.story.submit(p.sent.Add(after+3*time.Second), p.agency, next, p.event)
	return p
}

// withdraw takes the report back.
func (p *pen) withdraw(after time.Duration) {
	w := report.Withdraw(p.r, p.r.GetRevision()+1, p.sent.Add(after))
	p.r = w
	p.story.submit(p.sent.Add(after+2*time.Second), p.agency, w, p.event)
}

func (s *story) submit(at time.Time, a *agency, r *wf.Report, event string) {
	s.steps = append(s.steps, Step{At: s.world.arrival(a, at), Cell: a.cell, Report: r, Event: event})
}
