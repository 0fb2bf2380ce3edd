package exercise

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// single is one report that belongs to nothing. It looks like the others on
// purpose: the same surnames, towns, cars and switchboards.
func (s *story) single(a *agency) {
	r := &s.rng
	kind := a.kinds[r.n(len(a.kinds))]
	if kind == wf.Kind_KIND_HAZARD {
		s.statement(a)
		return
	}
	p := s.report("", a.token, kind, s.start)
	if a.cell == Open || a.cell == LE || r.chance(300) {
		p.at(a.home(r).place(float64(r.between(20, 400))))
	}
	switch kind {
	case wf.Kind_KIND_SAR:
		s.oddity(p)
	case wf.Kind_KIND_INCIDENT:
		s.blotter(p)
	case wf.Kind_KIND_THREAT:
		s.hint(p)
	case wf.Kind_KIND_CYBER:
		s.scan(p)
	case wf.Kind_KIND_ASSET:
		s.status(p)
	case wf.Kind_KIND_RESOURCE:
		s.stock(p)
	case wf.Kind_KIND_BULLETIN:
		s.bulletin(p)
	}
	if p.agency.cell == LE && kind == wf.Kind_KIND_THREAT && r.chance(60) {
		p.orcon(FusedS, Fused)
	}
	if r.chance(4) {
		s.takenBackFirst(p)
		return
	}
	p.send()
	s.aftermath(p)
}

// takenBackFirst submits a withdrawal that overtakes the report it takes back.
func (s *story) takenBackFirst(p *pen) {
	first := *p
	p.withdraw(s.minutes(2, 20))
	first.late(s.minutes(30, 90)).send()
}

// stranger is a person of the crowd; every fourth has one of the commonest names.
func (s *story) stranger() person {
	p := s.rng.person()
	if s.rng.chance(250) {
		p.family = s.rng.common()
	}
	return p
}

// crowd adds a person and perhaps a car, with few identifiers.
func (s *story) crowd(p *pen) (who, car string) {
	r := &s.rng
	if r.chance(750) {
		man := s.stranger()
		var ids []*wf.Identifier
		switch x := r.n(1000); {
		case x < 25 && p.agency.cell == LE:
			ids = append(ids, ident(wf.IdentifierType_IDENTIFIER_TYPE_PHONE, one(r, s.world.switchboards), ""))
		case x < 300:
			ids = append(ids, man.telephone())
		case x < 400:
			ids = append(ids, man.licence())
		}
		e := man.subject(ids...)
		if r.chance(350) {
			birth(e, man.born, 3)
		}
		p.about(e)
		who = man.name()
	}
	if r.chance(350) {
		v := r.vehicle()
		if r.chance(600) {
			p.about(v.entity(v.registration()))
		} else {
			p.about(v.entity())
		}
		car = v.describe()
	}
	return orElse(who, "an unknown person"), orElse(car, "on foot")
}

func orElse(s, or string) string {
	if s == "" {
		return or
	}
	return s
}

func (s *story) oddity(p *pen) {
	m := everyday[s.rng.n(len(everyday))]
	who, car := s.crowd(p)
	p.say(m.title, fmt.Sprintf("%s Seen: %s, %s.", m.text, who, car)).sar("", "", m.behavior)
}

var offenses = []struct{ kind, code, title string }{
	{"Larceny", "23H", "Theft from a car"}, {"Burglary", "220", "House entered"}, {"Assault", "13B", "Fight outside a bar"},
	{"Vandalism", "290", "Windows broken"}, {"Trespass", "90J", "Trespass"}, {"Suspicious circumstance", "", "Suspicious noise"},
	{"Traffic stop", "", "Stop for speed"}, {"Disturbance", "90C", "Loud quarrel"}, {"Shots fired", "520", "Shots heard"}, {"Missing person", "", "Person missing"},
}

var calls = []struct{ kind, title string }{
	{"Medical call", "Heat exhaustion"}, {"Structure fire", "Kitchen fire"}, {"Water main break", "Water main broken"}, {"Boil-water notice", "Boil-water notice"},
	{"Signal out", "Traffic signal dark"}, {"Fallen tree", "Tree on the road"}, {"Gas odor", "Smell of gas"}, {"Line down", "Line on the ground"},
}

func (s *story) blotter(p *pen) {
	if p.agency.cell == Open {
		c := one(&s.rng, calls)
		p.say(c.title, c.title+" reported by a resident.").incident(c.kind, "")
		return
	}
	o := one(&s.rng, offenses)
	who, car := s.crowd(p)
	p.say(o.title, fmt.Sprintf("%s. Involved: %s, %s.", o.title, who, car)).incident(o.kind, o.code)
	p.r.GetIncident().Unfounded = s.rng.chance(40)
}

func (s *story) hint(p *pen) {
	who, _ := s.crowd(p)
	t := wf.ThreatType(s.rng.between(5, 12))
	p.say("Statement of intent", fmt.Sprintf("A source says that %s spoke of revenge.", who)).threat(t, "", "")
}

func (s *story) scan(p *pen) {
	r := &s.rng
	ids := []*wf.Identifier{ident(wf.IdentifierType_IDENTIFIER_TYPE_IP, r.address(), "")}
	if r.chance(400) {
		ids = append(ids, ident(wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN, r.host(), ""))
	}
	if r.chance(120) {
		ids = append(ids, ident(wf.IdentifierType_IDENTIFIER_TYPE_HASH, r.hash(), "sha256"))
	}
	p.about(things(wf.EntityRole_ENTITY_ROLE_INFRASTRUCTURE, ids...)).
		say("Scan of public addresses", "Ports were probed from "+ids[0].Value+".").
		cyber("Network scan", int32(r.between(5, 60)), "anomalous-activity")
}

func (s *story) status(p *pen) {
	r := &s.rng
	site := s.target()
	p.r.Places = nil
	p.at(site.spot().place(50)).say("Status of "+site.name, "Routine check, nothing to report.")
	p.r.Body = &wf.Report_Asset{Asset: &wf.Asset{AssetId: site.id + "-" + r.digits(6), Name: site.name, Sector: sectorName(site.sector),
		Lifeline: wf.Lifeline(site.lifeline), LifelineStatus: wf.LifelineStatus_LIFELINE_STATUS_GREEN, Tier: site.tier}}
}

func (s *story) stock(p *pen) {
	r := &s.rng
	what := one(r, []string{"Boat, flat bottom", "Cots", "Light tower", "Sandbags", "Tarpaulins", "Type 3 engine", "Water tender"})
	p.say("Resource: "+what, "Count at the end of the shift.")
	p.r.Body = &wf.Report_Resource{Resource: &wf.Resource{Category: "Resource Management", Name: what, Quantity: int32(r.between(1, 300)),
		State: wf.ResourceState_RESOURCE_STATE_AVAILABLE}}
}

func (s *story) bulletin(p *pen) {
	start := p.r.GetEventTime().GetStart()
	text := one(&s.rng, []string{"Report unattended bags.", "Expect longer lines at checkpoints.", "Watch for forged work orders.", "Check generators before the storm."})
	p.r.EventTime.End = timestamppb.New(start.AsTime().Add(72 * time.Hour))
	if p.agency.cell != Open {
		p.r.RecordClass = wf.RecordClass_RECORD_CLASS_INTELLIGENCE
	}
	p.say("Bulletin", text)
	p.r.Body = &wf.Report_Bulletin{Bulletin: &wf.Bulletin{Type: wf.BulletinType_BULLETIN_TYPE_BULLETIN, Start: start, End: p.r.EventTime.End, Summary: text}}
}

// statement is one alert without a chain.
func (s *story) statement(a *agency) {
	r := &s.rng
	c := r.county()
	if a.fips != "" {
		c = countyByFIPS(a.fips)
	}
	kind := one(r, []struct{ event, code string }{{"Special Weather Statement", "SPS"}, {"Heat Advisory", "HTY"}, {"Rip Current Statement", "RPS"}, {"Dense Fog Advisory", "FGY"}, {"Air Quality Alert", "AQA"}})
	if a.token == "usgs" {
		kind.event, kind.code = "Earthquake", "EQR"
	}
	p := s.alert("", s.start, alert{
		agency: a.token, event: kind.event, code: kind.code, kind: wf.MessageType_MESSAGE_TYPE_ALERT, lasts: s.minutes(60, 600),
		urgency: wf.Urgency_URGENCY_FUTURE, certainty: wf.Certainty_CERTAINTY_POSSIBLE, severity: wf.Severity_SEVERITY_MINOR,
		headline: kind.event + ", " + c.name + " County",
	})
	if a.token == "usgs" {
		p.r.GetHazard().Categories = []string{"Geo"}
		p.at(r.in(c.rural, c.fips).place(3000))
	} else {
		p.at(areas(c.fips)...)
	}
	p.send()
}
