package exercise

import (
	"fmt"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// decoy is another plot: another man, another target, the same motel and a van
// of the same make and colour. Both its sides know his passport.
func decoy(s *story) {
	r := &s.rng
	man := r.person()
	man.sex = "M"
	van := r.vehicle()
	van.make, van.model, van.color = "Ford", "Transit", "white"
	motel := ident(wf.IdentifierType_IDENTIFIER_TYPE_PHONE, s.world.switchboards[0], "")
	passport := ident(wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT, r.passport(), "CAN")
	target := siteByID("MS-EDU-001")
	t := s.world.after(36*time.Hour + time.Duration(r.between(0, 300))*time.Minute)
	const ev = EventDecoy
	scene := r.near(target.spot(), 200)

	s.report(ev, "mhp", wf.Kind_KIND_SAR, t).at(scene.place(40)).
		about(birth(man.subject(man.licence(), motel), man.born, 3), van.entity(van.registration())).
		say("Man measured the gates of the stadium", fmt.Sprintf("%s, staying at the motel %s, paced off the gates; %s, plate %s.", man.name(), motel.Value, van.describe(), van.plate)).
		sar(target.sector, target.name, wf.Behavior_BEHAVIOR_SURVEILLANCE).severity(wf.Severity_SEVERITY_MODERATE).send()
	s.report(ev, "mbi", wf.Kind_KIND_SAR, t.Add(7*time.Hour)).at(r.near(scene, 900).place(60)).
		about(man.subject(man.licence()), van.entity(van.registration())).
		say("Questions about crowd numbers", fmt.Sprintf("%s asked a vendor when the gates are fullest.", man.name())).
		sar(target.sector, target.name, wf.Behavior_BEHAVIOR_ELICITING).send()
	s.report(ev, "cbp", wf.Kind_KIND_SAR, t.Add(-22*time.Hour)).
		about(birth(man.subject(passport, man.licence(), motel), man.born, 3)).
		say("Entry with a one-way ticket", fmt.Sprintf("%s, passport %s, named the motel %s as his address.", man.name(), passport.Value, motel.Value)).
		sar("TRANS", "", wf.Behavior_BEHAVIOR_MISREPRESENTATION).send()
	s.report(ev, "jackson-pd", wf.Kind_KIND_SAR, t.Add(16*time.Hour)).at(r.in(countyByFIPS("28049").town, "28049").place(60)).
		about(man.subject(man.telephone(), man.licence()), van.entity(van.registration())).
		say("Rented van not returned", fmt.Sprintf("%s, plate %s, rented to %s, %s, is overdue.", van.describe(), van.plate, man.name(), man.phone)).
		sar("TRANS", "", wf.Behavior_BEHAVIOR_THEFT).send()
	s.report(ev, "cia", wf.Kind_KIND_THREAT, t.Add(-30*time.Hour)).
		about(birth(man.subject(passport, man.mail()), man.born, 3)).
		say("Visits abroad", fmt.Sprintf("%s, passport %s, wrote from %s.", man.name(), passport.Value, man.email)).
		threat(wf.ThreatType_THREAT_TYPE_SMALL_ARMS, target.sector, "").send()
	s.report(ev, "nctc", wf.Kind_KIND_THREAT, t.Add(10*time.Hour)).at(target.spot().target()).
		about(man.subject(passport, man.mail(), motel)).
		say("Message traffic", fmt.Sprintf("%s wrote of a crowd and of a room at the motel %s.", man.email, motel.Value)).
		threat(wf.ThreatType_THREAT_TYPE_SMALL_ARMS, target.sector, target.name).severity(wf.Severity_SEVERITY_SEVERE).send()
	s.report(ev, "dhs-ia", wf.Kind_KIND_THREAT, t.Add(20*time.Hour)).at(target.spot().target()).
		about(birth(man.subject(passport), man.born, 3)).
		say("Watch-list inquiry", fmt.Sprintf("Inquiry on passport %s of %s.", passport.Value, man.name())).
		threat(wf.ThreatType_THREAT_TYPE_SMALL_ARMS, target.sector, target.name).send()
}
