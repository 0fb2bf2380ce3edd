package exercise

import (
	"fmt"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// drone: seen over a site by its guard, by police and by the air tower.
func drone(s *story, n uint64) {
	r := &s.rng
	ev := tag("drone", n)
	site := s.target()
	remote := ident(wf.IdentifierType_IDENTIFIER_TYPE_SERIAL, "1581"+r.from(plateLetters, 3)+r.digits(7), "remote-id")
	who := []string{site.watch, site.police, "tsa", "fbi"}
	t := s.start
	for i := range r.between(2, 4) {
		p := s.report(ev, who[i], wf.Kind_KIND_SAR, t).at(r.near(site.spot(), 400).place(100))
		if i > 0 && s.vague() {
			p.about(item("drone", "small quadcopter"))
		} else {
			p.about(item("drone", "small quadcopter", remote))
		}
		p.say("Drone over "+site.name, fmt.Sprintf("A quadcopter with remote id %s crossed the fence.", remote.Value)).
			sar(site.sector, site.name, wf.Behavior_BEHAVIOR_AVIATION).send()
		s.aftermath(p)
		t = t.Add(s.minutes(5, 300))
	}
}

// vessel: boarded, watched, cleared.
func vessel(s *story, n uint64) {
	r := &s.rng
	ev := tag("vessel", n)
	port := siteByID(one(r, []string{"MS-PRT-001", "MS-PRT-002"}))
	imo := ident(wf.IdentifierType_IDENTIFIER_TYPE_IMO, r.imo(), "")
	mmsi := ident(wf.IdentifierType_IDENTIFIER_TYPE_MMSI, r.mmsi(), "")
	name := one(r, []string{"Gulf", "Pearl", "Delta", "Harbor", "Coastal"}) + " " + one(r, []string{"Star", "Trader", "Venture", "Spirit", "Pioneer"})
	who := []string{"uscg", "cbp", "hsi", "harrison-so"}
	t := s.start
	for i := range r.between(2, 4) {
		ids := []*wf.Identifier{imo, mmsi}
		if i > 0 && r.chance(400) {
			ids = ids[i%2 : 1+i%2]
		}
		ship := &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_SUBJECT, Identifiers: ids, Detail: &wf.Entity_Conveyance{Conveyance: &wf.Conveyance{Kind: "vessel", Name: name}}}
		p := s.report(ev, who[i], wf.Kind_KIND_SAR, t).at(r.near(port.spot(), 300).place(150)).about(ship).
			say("Vessel "+name, fmt.Sprintf("%s, IMO %s, gave a cargo list that did not match.", name, imo.Value)).
			sar("TRANS", port.name, wf.Behavior_BEHAVIOR_MISREPRESENTATION).send()
		s.aftermath(p)
		t = t.Add(s.minutes(40, 420))
	}
}

// casing: the same car at two sites in a few days.
func casing(s *story, n uint64) {
	r := &s.rng
	ev := tag("casing", n)
	man, v := r.person(), r.vehicle()
	site := s.target()
	t := s.start
	for i := range r.between(2, 4) {
		if i == 2 {
			site = s.target()
		}
		who := []string{site.watch, site.police, "msaic", "fbi"}[i]
		p := s.report(ev, who, wf.Kind_KIND_SAR, t).at(r.near(site.spot(), 350).place(60))
		switch {
		case i > 0 && s.vague():
			p.about(v.entity(partial(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, unseen(v.plate, 1, 4), "US-MS")))
		case r.chance(500):
			p.about(s.named(man, man.licence()), v.entity(s.seen(v)))
		default:
			p.about(s.named(man), v.entity(s.seen(v)))
		}
		p.say("Interest in "+site.name, fmt.Sprintf("%s in a %s, plate %s, stayed for an hour.", man.name(), v.describe(), v.plate)).
			sar(site.sector, site.name, wf.Behavior_BEHAVIOR_SURVEILLANCE).severity(wf.Severity_SEVERITY_MODERATE).send()
		s.aftermath(p)
		t = t.Add(s.minutes(120, 600))
	}
}

// threatCall: threats by telephone to a school or a hospital.
func threatCall(s *story, n uint64) {
	r := &s.rng
	ev := tag("call", n)
	caller := ident(wf.IdentifierType_IDENTIFIER_TYPE_PHONE, r.phone(), "")
	mail := ident(wf.IdentifierType_IDENTIFIER_TYPE_EMAIL, r.email(r.from(lowerLetters, 6), r.from(lowerLetters, 5)), "")
	at := r.somewhere(r.county())
	who := []string{s.patrol(), "mbi", "fbi", s.patrol()}
	t := s.start
	for i := range r.between(2, 4) {
		p := s.report(ev, who[i], wf.Kind_KIND_THREAT, t).at(r.near(at, 300).place(60))
		if i > 0 && r.chance(350) {
			p.about(mentioned(caller, mail))
		} else {
			p.about(mentioned(caller))
		}
		p.say("Threat by telephone", fmt.Sprintf("A caller from %s named a school in %s.", caller.Value, at.name)).
			threat(wf.ThreatType_THREAT_TYPE_EXPLOSIVE, "EDU", "").severity(wf.Severity_SEVERITY_MODERATE).send()
		s.aftermath(p)
		t = t.Add(s.minutes(3, 200))
	}
}

// weather is a chain of alerts that has nothing to do with the hurricane.
func weather(s *story, n uint64) {
	r := &s.rng
	ev := tag("weather", n)
	c := r.county()
	kind := one(r, []struct{ event, code, vtec string }{{"Severe Thunderstorm Warning", "SVR", "SV.W"}, {"Flash Flood Warning", "FFW", "FF.W"}, {"Flood Advisory", "FLA", "FL.Y"}, {"Tornado Warning", "TOR", "TO.W"}})
	office := one(r, []string{"KJAN", "KMEG", "KLIX", "KMOB"})
	vtec := fmt.Sprintf("%s.%s.%04d.%04d", office, kind.vtec, 1000+n%9000, s.world.config.Start.Year()+int(n/9000))
	at := r.in(c.rural, c.fips)
	var chain []*pen
	k := r.between(2, 4)
	t := s.start
	for i := range k {
		p := s.alert(ev, t, alert{
			agency: "nws", event: kind.event, code: kind.code, kind: message(i, k, r.chance(400)), chain: chain, vtec: vtec, lasts: s.minutes(45, 360),
			urgency: wf.Urgency_URGENCY_EXPECTED, certainty: wf.Certainty_CERTAINTY_LIKELY, severity: wf.Severity_SEVERITY_MODERATE,
			headline: kind.event + ", " + c.name + " County",
		})
		places := areas(c.fips)
		places[0].Polygon = at.box(6000, 5000)
		p.at(places...)
		chain = append(chain, p.send())
		t = t.Add(s.minutes(12, 50))
	}
}

// road: a crash, as the road authority, the patrol and the county see it.
func road(s *story, n uint64) {
	r := &s.rng
	ev := tag("road", n)
	c := r.county()
	at := r.somewhere(c)
	number := caseNumber("mdot", "TMC-"+r.file(7))
	highway := fmt.Sprintf("Highway %d", r.between(3, 98))
	first := s.report(ev, "mdot", wf.Kind_KIND_INCIDENT, s.start).at(at.place(60)).about(mentioned(number)).
		say("Crash on "+highway, fmt.Sprintf("Number %s: two lanes closed in %s County.", number.Value, c.name)).incident("Crash", "").send()
	who := []string{"mhp", "msdh", "mhp"}
	t := s.start
	for i := range r.between(1, 3) {
		t = t.Add(s.minutes(4, 90))
		p := s.report(ev, who[i], wf.Kind_KIND_INCIDENT, t).at(r.near(at, 200).place(40))
		switch {
		case s.vague():
		case r.chance(500):
			p.about(mentioned(number))
		default:
			p.refer(wf.ReferenceType_REFERENCE_TYPE_RELATED, first)
		}
		p.say("Crash on "+highway, "Responders on scene, "+number.Value+".").incident("Crash", "").send()
		s.aftermath(p)
	}
}

// spill: a derailment or a leak with a report number everybody quotes.
func spill(s *story, n uint64) {
	r := &s.rng
	ev := tag("spill", n)
	c := r.county()
	at := r.somewhere(c)
	number := caseNumber("mema", "NRC-"+r.file(7))
	who := []string{"mema", "csx-police", "msdh", "mhp", "fema"}
	t := s.start
	for i := range r.between(3, 5) {
		p := s.report(ev, who[i], wf.Kind_KIND_INCIDENT, t).at(r.near(at, 500).place(200))
		if i == 0 || !s.vague() {
			p.about(mentioned(number))
		}
		p.say("Tank car leak", fmt.Sprintf("%s: a tank car leaks near %s.", number.Value, at.name)).
			incident("Hazardous materials", "").severity(wf.Severity_SEVERITY_MODERATE).send()
		s.aftermath(p)
		t = t.Add(s.minutes(20, 240))
	}
}

// plantOutage: an asset goes down and comes back.
func plantOutage(s *story, n uint64) {
	r := &s.rng
	ev := tag("plant", n)
	site := s.target()
	number := caseNumber("entergy", "OUT-"+r.file(8))
	body := &wf.Asset{AssetId: fmt.Sprintf("%s-F%s", site.id, r.digits(6)), Name: site.name + " feeder", Sector: "Energy", Tier: site.tier,
		Lifeline: wf.Lifeline_LIFELINE_ENERGY, LifelineStatus: wf.LifelineStatus_LIFELINE_STATUS_YELLOW}
	p := s.report(ev, "entergy", wf.Kind_KIND_ASSET, s.start).at(site.spot().place(100)).about(mentioned(number)).
		say("Feeder fault at "+site.name, number.Value+": supply from the second line.")
	p.r.Body = &wf.Report_Asset{Asset: body}
	p.send()
	m := s.report(ev, "mema", wf.Kind_KIND_INCIDENT, s.start.Add(s.minutes(20, 120))).at(site.spot().place(300)).about(mentioned(number)).
		say("Reduced supply at "+site.name, "The utility's "+number.Value+".").incident("Power outage", "").send()
	s.aftermath(m)
	if r.chance(500) {
		s.report(ev, "entergy", wf.Kind_KIND_INCIDENT, s.start.Add(s.minutes(150, 400))).at(site.spot().place(100)).about(mentioned(number)).
			refer(wf.ReferenceType_REFERENCE_TYPE_RELATED, p).say("Crew report", number.Value+": cable replaced.").incident("Repair", "").send()
	}
}
