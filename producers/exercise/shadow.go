package exercise

import (
	"fmt"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// malware: one campaign, as several defenders see it.
func malware(s *story, n uint64) {
	r := &s.rng
	ev := tag("malware", n)
	hash := ident(wf.IdentifierType_IDENTIFIER_TYPE_HASH, r.hash(), "sha256")
	ip := ident(wf.IdentifierType_IDENTIFIER_TYPE_IP, r.address(), "")
	host := ident(wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN, r.host(), "")
	who := []string{"cisa", one(r, []string{"entergy", "cisa", "dhs-ia"}), one(r, []string{"dhs-ia", "energy-in"}), one(r, []string{"nsa", "fbi-ib"}), "cisa"}
	t := s.start
	for i := range r.between(2, 5) {
		p := s.report(ev, who[i], wf.Kind_KIND_CYBER, t)
		infra := func(ids ...*wf.Identifier) {
			p.about(things(wf.EntityRole_ENTITY_ROLE_INFRASTRUCTURE, ids...))
		}
		switch {
		case i > 0 && s.vague():
			infra(ip)
		case i == 0 || r.chance(450):
			infra(ip, host, hash)
		default:
			infra(ip, host)
		}
		p.say("Campaign "+host.Value[:4], fmt.Sprintf("Mail with a file that calls %s at %s.", host.Value, ip.Value)).
			cyber("Phishing with a loader", int32(r.between(20, 95)), "malicious-activity").send()
		s.aftermath(p)
		t = t.Add(s.minutes(30, 420))
	}
}

// traveler: a person both sides have an interest in; the passport links them.
func traveler(s *story, n uint64) {
	r := &s.rng
	ev := tag("traveler", n)
	man := r.person()
	passport := ident(wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT, r.passport(), one(r, []string{"USA", "CAN", "MEX", "GBR", "DEU", "BRA", "PHL", "NGA"}))
	who := [][]string{{"nctc", "cbp", "dhs-ia"}, {"cia", "nctc", "hsi"}, {"dhs-ia", "fbi-ib", "tsa"}, {"cbp", "dhs-ia", "nctc"}}[r.n(4)]
	t := s.start
	for i := range r.between(2, 3) {
		p := s.report(ev, who[i], wf.Kind_KIND_THREAT, t)
		if i > 0 && s.vague() {
			p.about(s.named(man))
		} else {
			p.about(s.named(man, passport, s.heard(man)))
		}
		p.say("Travel record", fmt.Sprintf("%s, passport %s, reachable at %s.", man.name(), passport.Value, man.phone)).
			threat(wf.ThreatType_THREAT_TYPE_OTHER, "", "")
		if p.agency.cell == LE && r.chance(80) {
			p.orcon(FusedS, Fused)
		}
		p.send()
		s.aftermath(p)
		t = t.Add(s.minutes(40, 420))
	}
}

// network: accounts and telephones of a group, known to the services; now and
// then a desk above both sides adds its view.
func network(s *story, n uint64) {
	r := &s.rng
	ev := tag("network", n)
	man := r.person()
	account := ident(wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT, r.from(lowerLetters, 10), "rivertalk")
	who := []string{"nsa", "fbi-ib", "dia", "cia"}
	if r.chance(400) {
		who[2] = one(r, []string{"noc-desk", "msaic-fusion"})
	}
	t := s.start
	for i := range r.between(2, 4) {
		p := s.report(ev, who[i], wf.Kind_KIND_THREAT, t)
		switch {
		case i > 0 && s.vague():
			p.about(s.named(man))
		case r.chance(500):
			p.about(s.named(man, s.heard(man), man.mail()))
		default:
			p.about(s.named(man, s.heard(man), account), mentioned(man.mail()))
		}
		p.say("Contacts of "+man.family, fmt.Sprintf("%s uses %s and %s.", man.name(), man.phone, man.email)).
			threat(wf.ThreatType_THREAT_TYPE_OTHER, "", "")
		if p.agency.cell == Intel && r.chance(150) {
			p.orcon(Fused)
		}
		p.send()
		s.aftermath(p)
		t = t.Add(s.minutes(40, 420))
	}
}

// aircraft: a flight without a plan, followed by police and by the military.
func aircraft(s *story, n uint64) {
	r := &s.rng
	ev := tag("aircraft", n)
	tail := ident(wf.IdentifierType_IDENTIFIER_TYPE_TAIL_NUMBER, r.tail(), "")
	field := siteByID(one(r, []string{"MS-APT-001", "MS-APT-002", "MS-APT-003", "MS-AFB-002"}))
	who := []string{"tsa", "northcom", "mhp", "dhs-ia"}
	t := s.start
	for i := range r.between(2, 4) {
		plane := &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_SUBJECT, Detail: &wf.Entity_Conveyance{Conveyance: &wf.Conveyance{Kind: "aircraft", Make: "Cessna", Color: "white"}}}
		if i == 0 || !s.vague() {
			plane.Identifiers = []*wf.Identifier{tail}
		}
		p := s.report(ev, who[i], wf.Kind_KIND_SAR, t).at(r.near(field.spot(), 600).place(300)).about(plane).
			say("Low flight at "+field.name, fmt.Sprintf("A white single-engine airplane, %s, circled without a flight plan.", tail.Value)).
			sar(field.sector, field.name, wf.Behavior_BEHAVIOR_AVIATION).send()
		s.aftermath(p)
		t = t.Add(s.minutes(4, 150))
	}
}

// handset: numbers change, the telephone stays the same.
func handset(s *story, n uint64) {
	r := &s.rng
	ev := tag("handset", n)
	man := r.person()
	device := ident(wf.IdentifierType_IDENTIFIER_TYPE_IMEI, r.imei(), "")
	who := []string{"dea", "fbi-ib", "nsa", "mbi"}
	t := s.start
	for i := range r.between(2, 4) {
		p := s.report(ev, who[i], wf.Kind_KIND_THREAT, t)
		man.phone = r.phone()
		if i > 0 && s.vague() {
			p.about(s.named(man, man.telephone()))
		} else {
			p.about(s.named(man, device, man.telephone()))
		}
		p.say("Change of number", fmt.Sprintf("The handset %s of %s now answers to %s.", device.Value, man.name(), man.phone)).
			threat(wf.ThreatType_THREAT_TYPE_OTHER, "", "").send()
		s.aftermath(p)
		t = t.Add(s.minutes(60, 420))
	}
}
