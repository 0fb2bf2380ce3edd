package exercise

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// landfall is when the centre crosses the coast.
const landfall = 50 * time.Hour

// storm is the hurricane with its track.
type storm struct {
	name, id string
	track    []spot // one position every six hours
	counties []string
	// advisories of the National Hurricane Center so far.
	advisories []*pen
}

var stormNames = []string{"Ondine", "Tobias", "Zelda", "Marcel", "Quentin", "Yvette"}

// coast and inland are the counties in the order the wind reaches them.
var (
	coast  = []string{"28045", "28047", "28059"}
	inland = []string{"28109", "28131", "28039", "28035", "28073", "28111", "28041", "28067", "28153", "28075", "28061", "28023"}
)

func newStorm(s *story) *storm {
	r := &s.rng
	year := s.world.config.Start.Year()
	h := &storm{name: one(r, stormNames), id: fmt.Sprintf("AL%02d%04d", r.between(9, 19), year), counties: append(append([]string{}, coast...), inland...)}
	shore := int64(-89400000 + r.n(900000))
	for k := range 16 {
		h.track = append(h.track, spot{lat: 24800000 + int64(k)*700000, lon: shore + 2600000 - int64(k)*325000 + int64(r.n(60000))})
	}
	return h
}

func (h *storm) identifier() *wf.Identifier {
	return ident(wf.IdentifierType_IDENTIFIER_TYPE_STORM, h.id, "")
}

// hurricane writes the storm: its own chain of alerts, the chains of the
// forecast offices, and what the storm does.
func hurricane(s *story) {
	h := newStorm(s)
	h.advise(s)
	h.warn(s)
	h.manage(s)
	n := s.world.size
	for i := range 1 + n/3 {
		h.tornado(s, i)
	}
	for i := range n / 4 {
		h.flood(s, i)
	}
	for i := range 1 + n/3 {
		h.outage(s, i)
	}
	for i := range n / 3 {
		h.shelter(s, i)
	}
	for i := range n / 4 {
		h.request(s, i)
	}
	for i := range n / 4 {
		h.closure(s, i)
	}
}

// alert is one CAP-like message; refs are the earlier messages it replaces.
type alert struct {
	agency, event, code, headline string
	kind                          wf.MessageType
	urgency                       wf.Urgency
	certainty                     wf.Certainty
	severity                      wf.Severity
	lasts                         time.Duration
	chain                         []*pen
	vtec                          string
}

func (s *story) alert(event string, when time.Time, a alert) *pen {
	p := s.report(event, a.agency, wf.Kind_KIND_HAZARD, when)
	sender := a.agency + "@alerts.example"
	p.r.Record = sender + "," + p.r.Record
	p.r.ReportTime = timestamppb.New(when)
	p.r.Revision = uint64(when.UnixMilli())
	p.sent = when.Add(time.Duration(s.rng.between(5, 55)) * time.Second)
	p.r.Expires = timestamppb.New(when.Add(a.lasts))
	p.r.EventTime.End = timestamppb.New(when.Add(a.lasts))
	p.r.Severity = a.severity
	p.r.SourceReliability, p.r.InformationCredibility = wf.SourceReliability_SOURCE_RELIABILITY_A, wf.InformationCredibility_INFORMATION_CREDIBILITY_2
	t := wf.ReferenceType_REFERENCE_TYPE_SUPERSEDES
	if a.kind == wf.MessageType_MESSAGE_TYPE_CANCEL {
		t = wf.ReferenceType_REFERENCE_TYPE_CANCELS
	}
	for _, c := range a.chain {
		p.refer(t, c)
	}
	if a.vtec != "" {
		p.about(things(wf.EntityRole_ENTITY_ROLE_MENTIONED, ident(wf.IdentifierType_IDENTIFIER_TYPE_VTEC, a.vtec, "")))
	}
	p.r.Title = a.headline
	p.r.Body = &wf.Report_Hazard{Hazard: &wf.Hazard{
		MessageType: a.kind, Categories: []string{"Met"}, Event: a.event, EventCode: a.code, Urgency: a.urgency, Certainty: a.certainty,
		Onset: timestamppb.New(when.Add(a.lasts / 4)), Scope: "Public", Sender: sender,
		Infos: []*wf.HazardInfo{{Language: "en-US", Headline: a.headline, Event: a.event}},
	}}
	return p
}

// message says which of a chain's messages number i of n is.
func message(i, n int, cancel bool) wf.MessageType {
	switch {
	case i == 0:
		return wf.MessageType_MESSAGE_TYPE_ALERT
	case cancel && i == n-1:
		return wf.MessageType_MESSAGE_TYPE_CANCEL
	}
	return wf.MessageType_MESSAGE_TYPE_UPDATE
}

// advise is the hurricane center's chain. The third advisory overtakes the
// second on its way here.
func (h *storm) advise(s *story) {
	n := min(13, 4+s.world.size)
	for i := range n {
		when := s.world.after(landfall - time.Duration(8-i)*6*time.Hour)
		if n < 13 {
			when = s.world.after(landfall - time.Duration(n-2-i)*6*time.Hour)
		}
		at := h.track[min(i+13-n, len(h.track)-1)]
		p := s.alert(EventHurricane, when, alert{
			agency: "nhc", event: "Hurricane Advisory", code: "HUW", kind: message(i, n, false), chain: h.advisories, lasts: 12 * time.Hour,
			urgency: wf.Urgency_URGENCY_EXPECTED, certainty: wf.Certainty_CERTAINTY_LIKELY, severity: wf.Severity_SEVERITY_EXTREME,
			headline: fmt.Sprintf("Hurricane %s advisory %d", h.name, i+1),
		})
		p.about(mentioned(h.identifier())).at(areas(coast...)...)
		p.at(&wf.Place{Point: &wf.Point{Latitude: degrees(at.lat), Longitude: degrees(at.lon)}, RadiusM: 90000, Name: "center of " + h.name, Role: wf.PlaceRole_PLACE_ROLE_EVENT})
		if i == 1 {
			p.late(6*time.Hour + 9*time.Minute)
		}
		h.advisories = append(h.advisories, p.send())
	}
}

// offices are the forecast offices that serve Mississippi, with the counties
// they warn in this storm.
var offices = []struct {
	office   string
	counties []string
}{
	{"KLIX", []string{"28045", "28047", "28059", "28109"}},
	{"KMOB", []string{"28131", "28039", "28111", "28041", "28153"}},
	{"KJAN", []string{"28035", "28073", "28067", "28075", "28061", "28023"}},
}

// warn is one chain per office: hurricane warning, updates, cancellation. The
// first message names the advisory it follows.
func (h *storm) warn(s *story) {
	for k, o := range offices {
		if s.world.size < 3 && k > 0 {
			return
		}
		var chain []*pen
		vtec := fmt.Sprintf("%s.HU.W.%04d.%04d", o.office, 10+s.rng.n(80), s.world.config.Start.Year())
		for i := range 4 {
			when := s.world.after(landfall - 20*time.Hour + time.Duration(k*70)*time.Minute + time.Duration(i)*9*time.Hour)
			p := s.alert(EventHurricane, when, alert{
				agency: "nws", event: "Hurricane Warning", code: "HUW", kind: message(i, 4, true), chain: chain, vtec: vtec, lasts: 24 * time.Hour,
				urgency: wf.Urgency_URGENCY_IMMEDIATE, certainty: wf.Certainty_CERTAINTY_LIKELY, severity: wf.Severity_SEVERITY_EXTREME,
				headline: fmt.Sprintf("Hurricane warning for %s, office %s", h.name, o.office),
			})
			p.about(mentioned(h.identifier())).at(areas(o.counties...)...)
			if i == 0 {
				p.refer(wf.ReferenceType_REFERENCE_TYPE_RELATED, h.advisories[len(h.advisories)/2])
			}
			chain = append(chain, p.send())
		}
	}
}

// manage is what the emergency managers say of the storm as a whole.
func (h *storm) manage(s *story) {
	for i, a := range []string{"mema", "fema", "harrison-eoc"} {
		if s.world.size < 3 && i > 0 {
			return
		}
		adv := h.advisories[len(h.advisories)/2+i%2]
		p := s.report(EventHurricane, a, wf.Kind_KIND_INCIDENT, s.world.after(landfall-time.Duration(18-4*i)*time.Hour)).
			at(areas(coast...)...).about(mentioned(h.identifier())).refer(wf.ReferenceType_REFERENCE_TYPE_INCIDENT, adv).
			say("Hurricane "+h.name+": operations center active", fmt.Sprintf("Storm %s: the center is staffed around the clock.", h.id)).
			incident("Hurricane", "").severity(wf.Severity_SEVERITY_EXTREME)
		p.r.GetIncident().Complexity = int32(1 + i)
		p.send()
		for k := range 2 {
			p.revise(time.Duration(6+k*8)*time.Hour, func(r *wf.Report) { r.GetIncident().Evacuated = int32(4000 * (k + 1)) })
		}
	}
}

// tornado is a short chain with a polygon. In every fourth the update comes
// before the alert; in every fifth the cancellation comes before both.
func (h *storm) tornado(s *story, i int) {
	r := &s.rng
	c := countyByFIPS(one(r, h.counties))
	at := r.in(c.rural, c.fips)
	event := fmt.Sprintf("%s/tornado-%02d", EventHurricane, i+1)
	office := one(r, offices).office
	vtec := fmt.Sprintf("%s.TO.W.%04d.%04d", office, 100+i, s.world.config.Start.Year())
	t := s.world.after(landfall - 4*time.Hour + time.Duration(r.between(0, 14*60))*time.Minute)
	var chain []*pen
	n := r.between(2, 4)
	for k := range n {
		p := s.alert(event, t.Add(time.Duration(k*12)*time.Minute), alert{
			agency: "nws", event: "Tornado Warning", code: "TOR", kind: message(k, n, true), chain: chain, vtec: vtec, lasts: 45 * time.Minute,
			urgency: wf.Urgency_URGENCY_IMMEDIATE, certainty: wf.Certainty_CERTAINTY_OBSERVED, severity: wf.Severity_SEVERITY_EXTREME,
			headline: "Tornado warning, " + c.name + " County",
		})
		at.lat += northward(1500)
		places := areas(c.fips)
		places[0].Polygon = at.box(7000, 9000)
		p.at(places...)
		switch {
		case k == 0 && i%4 == 1, k < n-1 && i%5 == 2:
			p.late(50 * time.Minute)
		}
		chain = append(chain, p.send())
	}
}

// flood is a slow chain for one river reach, and the road it closes.
func (h *storm) flood(s *story, i int) {
	r := &s.rng
	c := countyByFIPS(one(r, h.counties))
	event := fmt.Sprintf("%s/flood-%02d", EventHurricane, i+1)
	vtec := fmt.Sprintf("%s.FL.W.%04d.%04d", one(r, offices).office, 300+i, s.world.config.Start.Year())
	t := s.world.after(landfall + time.Duration(r.between(0, 12*60))*time.Minute)
	var chain []*pen
	for k := range 3 {
		p := s.alert(event, t.Add(time.Duration(k*7)*time.Hour), alert{
			agency: "nws", event: "Flood Warning", code: "FLW", kind: message(k, 3, false), chain: chain, vtec: vtec, lasts: 30 * time.Hour,
			urgency: wf.Urgency_URGENCY_EXPECTED, certainty: wf.Certainty_CERTAINTY_LIKELY, severity: wf.Severity_SEVERITY_SEVERE,
			headline: "Flood warning, " + c.name + " County",
		})
		p.at(areas(c.fips)...)
		chain = append(chain, p.send())
	}
}

// outage is a loss of power as the utility and the state see it.
func (h *storm) outage(s *story, i int) {
	r := &s.rng
	c := countyByFIPS(one(r, h.counties))
	at := r.in(c.town, c.fips)
	event := fmt.Sprintf("%s/outage-%02d", EventHurricane, i+1)
	number := caseNumber("entergy", "OUT-"+r.digits(7))
	t := s.world.after(landfall - 2*time.Hour + time.Duration(r.between(0, 18*60))*time.Minute)
	feeder := fmt.Sprintf("%s feeder %d", c.seat, r.between(10, 99))
	asset := &wf.Asset{AssetId: "ENT-" + r.digits(5), Name: feeder, Sector: "Energy", Lifeline: wf.Lifeline_LIFELINE_ENERGY, LifelineStatus: wf.LifelineStatus_LIFELINE_STATUS_RED, Tier: 3}
	customers := 200 * r.between(1, 90)
	p := s.report(event, "entergy", wf.Kind_KIND_ASSET, t).at(at.place(300)).about(mentioned(number)).
		say("Feeder out: "+feeder, fmt.Sprintf("%s: %d customers without power.", number.Value, customers)).severity(wf.Severity_SEVERITY_MODERATE)
	p.r.Body = &wf.Report_Asset{Asset: asset}
	p.send()
	s.report(event, "mema", wf.Kind_KIND_INCIDENT, t.Add(40*time.Minute)).at(at.place(2000)).about(mentioned(number)).
		refer(wf.ReferenceType_REFERENCE_TYPE_RELATED, p).
		say("Power outage in "+c.seat, fmt.Sprintf("The utility's outage %s, about %d customers.", number.Value, customers)).incident("Power outage", "").send()
	p.revise(time.Duration(r.between(5, 20))*time.Hour, func(rep *wf.Report) {
		rep.GetAsset().LifelineStatus = wf.LifelineStatus_LIFELINE_STATUS_GREEN
		rep.Severity = wf.Severity_SEVERITY_MINOR
	})
}

// shelter is opened by one and counted by another.
func (h *storm) shelter(s *story, i int) {
	r := &s.rng
	c := countyByFIPS(one(r, h.counties))
	at := r.in(c.town, c.fips)
	event := fmt.Sprintf("%s/shelter-%02d", EventHurricane, i+1)
	at.name = fmt.Sprintf("%s shelter %d", c.seat, i+1)
	number := caseNumber("redcross", "SH-"+r.digits(6))
	t := s.world.after(landfall - 16*time.Hour + time.Duration(r.between(0, 8*60))*time.Minute)
	open := s.report(event, "redcross", wf.Kind_KIND_RESOURCE, t).at(at.place(20)).about(mentioned(number)).
		say("Shelter open: "+at.name, fmt.Sprintf("%s with %d places.", number.Value, 50*r.between(2, 12)))
	open.r.Body = &wf.Report_Resource{Resource: &wf.Resource{Category: "Mass Care", ResourceKind: "facility", Name: at.name, Quantity: int32(50 * r.between(2, 12)), State: wf.ResourceState_RESOURCE_STATE_AVAILABLE}}
	open.send()
	who := "mema"
	if c.fips == "28047" {
		who = "harrison-eoc"
	}
	count := s.report(event, who, wf.Kind_KIND_INCIDENT, t.Add(11*time.Hour)).at(at.place(30)).about(mentioned(number)).
		say("Shelter count: "+at.name, number.Value+": people counted at midnight.").incident("Sheltering", "")
	count.r.GetIncident().Sheltered = int32(r.between(10, 400))
	count.send()
	open.revise(40*time.Hour, func(rep *wf.Report) { rep.GetResource().State = wf.ResourceState_RESOURCE_STATE_DEMOBILIZED })
}

// request is mutual aid: asked for, offered, under one mission number.
func (h *storm) request(s *story, i int) {
	r := &s.rng
	c := countyByFIPS(one(r, h.counties))
	at := r.in(c.town, c.fips)
	event := fmt.Sprintf("%s/request-%02d", EventHurricane, i+1)
	mission := caseNumber("mema", "SMAC-"+r.digits(6))
	t := s.world.after(landfall + 3*time.Hour + time.Duration(r.between(0, 12*60))*time.Minute)
	what := one(r, []string{"Generator, 100 kW", "Swiftwater rescue team", "Potable water", "Debris clearance team", "Ambulance strike team"})
	who := "msdh"
	if c.fips == "28047" {
		who = "harrison-eoc"
	}
	ask := s.report(event, who, wf.Kind_KIND_RESOURCE, t).at(at.place(500)).about(mentioned(mission)).
		say("Request: "+what, fmt.Sprintf("Mission %s for %s County.", mission.Value, c.name))
	ask.r.Body = &wf.Report_Resource{Resource: &wf.Resource{Category: "Mass Care", Name: what, Quantity: int32(r.between(1, 6)), NimsType: int32(r.between(1, 4)),
		State: wf.ResourceState_RESOURCE_STATE_REQUESTED, Compact: "SMAC", RequestingJurisdiction: c.name + " County"}}
	ask.send()
	give := s.report(event, "mema", wf.Kind_KIND_RESOURCE, t.Add(2*time.Hour)).at(at.place(500)).about(mentioned(mission)).
		refer(wf.ReferenceType_REFERENCE_TYPE_RELATED, ask).
		say("Offer: "+what, "Mission "+mission.Value+" is filled.")
	give.r.Body = &wf.Report_Resource{Resource: &wf.Resource{Category: "Mass Care", Name: what, Quantity: int32(r.between(1, 6)), NimsType: int32(r.between(1, 3)),
		State: wf.ResourceState_RESOURCE_STATE_ORDERED, Compact: "SMAC", RequestingJurisdiction: c.name + " County", AssistingJurisdiction: "State of Mississippi"}}
	give.send()
	give.revise(5*time.Hour, func(rep *wf.Report) { rep.GetResource().State = wf.ResourceState_RESOURCE_STATE_ON_SCENE })
}

// closure is a flooded road, on both sides of the line between cells.
func (h *storm) closure(s *story, i int) {
	r := &s.rng
	c := countyByFIPS(one(r, h.counties))
	at := r.in(c.rural, c.fips)
	event := fmt.Sprintf("%s/closure-%02d", EventHurricane, i+1)
	number := caseNumber("mdot", "RC-"+r.digits(6))
	road := fmt.Sprintf("Highway %d", r.between(11, 98))
	t := s.world.after(landfall + time.Duration(r.between(0, 20*60))*time.Minute)
	first := s.report(event, "mdot", wf.Kind_KIND_INCIDENT, t).at(at.place(50)).about(mentioned(number)).
		say(road+" closed by water", fmt.Sprintf("Closure %s in %s County.", number.Value, c.name)).incident("Road closure", "").severity(wf.Severity_SEVERITY_MODERATE).send()
	s.report(event, "mhp", wf.Kind_KIND_INCIDENT, t.Add(15*time.Minute)).at(r.near(at, 300).place(80)).about(mentioned(number)).
		say("Traffic turned back on "+road, "Barriers up for "+number.Value+".").incident("Road closure", "").send()
	first.revise(time.Duration(r.between(8, 30))*time.Hour, func(rep *wf.Report) { rep.Severity = wf.Severity_SEVERITY_MINOR })
}
