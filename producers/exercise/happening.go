package exercise

import (
	"fmt"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// happenings are the kinds of everyday events. Every report of one carries
// something of what the event turns on; some carry so little that nobody could
// tell.
var happenings = []happening{
	{"vehicle", 26, stolenVehicle},
	{"fraud", 20, fraud},
	{"fugitive", 16, fugitive},
	{"narcotics", 12, narcotics},
	{"drone", 9, drone},
	{"vessel", 7, vessel},
	{"casing", 12, casing},
	{"call", 8, threatCall},
	{"weather", 16, weather},
	{"road", 11, road},
	{"spill", 7, spill},
	{"plant", 6, plantOutage},
	{"malware", 9, malware},
	{"traveler", 12, traveler},
	{"network", 9, network},
	{"aircraft", 5, aircraft},
	{"handset", 6, handset},
}

// minutes is a random time in a range.
func (s *story) minutes(lo, hi int) time.Duration {
	return time.Duration(s.rng.between(lo, hi)) * time.Minute
}

// tag names an event.
func tag(kind string, n uint64) string { return fmt.Sprintf("%s-%06d", kind, n) }

// patrol is an agency that may have seen what police see.
func (s *story) patrol() string {
	return one(&s.rng, []string{"mhp", "mhp", "jackson-pd", "gulfport-pd", "biloxi-pd", "hattiesburg-pd", "hinds-so", "harrison-so", "mbi", "choctaw-pd"})
}

// bureau is one of the federal agencies of cell le.
func (s *story) bureau() string {
	return one(&s.rng, []string{"fbi", "atf", "dea", "usms", "hsi", "cbp", "usss", "tsa"})
}

// aftermath makes some reports revised, repeated or withdrawn, and some
// submissions overtake one another.
func (s *story) aftermath(p *pen) {
	switch x := s.rng.n(1000); {
	case x < 70:
		p.revise(s.minutes(20, 400), func(r *wf.Report) {
			r.InformationCredibility = wf.InformationCredibility_INFORMATION_CREDIBILITY_2
			r.Narrative += " Confirmed by a second call."
		})
	case x < 95:
		p.again(s.minutes(1, 4))
	case x < 115:
		p.withdraw(s.minutes(60, 600))
	case x < 122:
		first := *p
		p.revise(s.minutes(20, 90), func(r *wf.Report) { r.Narrative += " Corrected." })
		first.again(s.minutes(120, 300)) // overtaken by its own revision
	}
}

// stolenVehicle: taken, seen, found.
func stolenVehicle(s *story, n uint64) {
	r := &s.rng
	ev := tag("vehicle", n)
	v, owner := r.vehicle(), r.person()
	at := r.somewhere(r.county())
	taken := s.report(ev, s.patrol(), wf.Kind_KIND_INCIDENT, s.start).at(at.place(60)).
		about(v.entity(v.registration(), v.number()), owner.entity(wf.EntityRole_ENTITY_ROLE_VICTIM)).
		say("Vehicle stolen", fmt.Sprintf("%s, plate %s, taken near %s. Owner %s.", v.describe(), v.plate, at.name, owner.name())).
		incident("Motor vehicle theft", "240").send()
	t := s.start
	for range r.between(1, 3) {
		t = t.Add(s.minutes(40, 420))
		p := s.report(ev, s.patrol(), wf.Kind_KIND_INCIDENT, t)
		switch {
		case s.vague():
			p.about(v.entity(partial(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, unseen(v.plate, 0, 1), "")))
		case r.chance(500):
			p.about(v.entity(s.seen(v)))
			p.refer(wf.ReferenceType_REFERENCE_TYPE_RELATED, taken)
		default:
			p.about(v.entity(s.seen(v), v.number()))
		}
		p.at(r.near(at, 1200).place(100)).say("Stolen vehicle seen", fmt.Sprintf("Reader hit on a %s, plate %s.", v.describe(), v.plate)).
			incident("Stolen property", "280").send()
		s.aftermath(p)
	}
	if r.chance(600) {
		s.report(ev, s.patrol(), wf.Kind_KIND_INCIDENT, t.Add(s.minutes(40, 420))).at(at.place(100)).
			about(v.entity(v.number(), s.seen(v))).
			say("Stolen vehicle found", fmt.Sprintf("%s with VIN %s found without damage.", v.describe(), v.vin)).incident("Recovered vehicle", "240").send()
	}
}

// fraud: one man, several victims, his telephone and mail address.
func fraud(s *story, n uint64) {
	r := &s.rng
	ev := tag("fraud", n)
	man := r.person()
	account := ident(wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT, r.from(lowerLetters, 8)+r.digits(2), "cashwire")
	who := []string{s.patrol(), "usss", s.patrol(), s.bureau()}
	t := s.start
	for i := range r.between(2, 4) {
		at := r.somewhere(r.county())
		victim := r.person()
		p := s.report(ev, who[i], wf.Kind_KIND_INCIDENT, t).at(at.place(120))
		switch {
		case i > 0 && s.vague():
			p.about(s.named(man))
		case r.chance(600):
			p.about(s.named(man, s.heard(man), man.mail()))
		default:
			p.about(s.named(man, s.heard(man), account), mentioned(man.mail()))
		}
		p.about(victim.entity(wf.EntityRole_ENTITY_ROLE_VICTIM)).
			say("Payment scam", fmt.Sprintf("%s paid %s after calls from %s; mail %s.", victim.name(), man.name(), man.phone, man.email)).
			incident("Fraud", "26A").send()
		s.aftermath(p)
		t = t.Add(s.minutes(40, 420))
	}
}

// fugitive: a warrant, sightings, an arrest.
func fugitive(s *story, n uint64) {
	r := &s.rng
	ev := tag("fugitive", n)
	man, v := r.person(), r.vehicle()
	warrant := caseNumber("usms", "W-"+r.file(8))
	at := r.somewhere(r.county())
	first := s.report(ev, "usms", wf.Kind_KIND_THREAT, s.start).at(at.place(5000)).
		about(birth(man.subject(man.licence()), man.born, 3), mentioned(warrant)).
		say("Wanted: "+man.family, fmt.Sprintf("Warrant %s for %s, born %s.", warrant.Value, man.name(), man.dob())).
		threat(wf.ThreatType_THREAT_TYPE_SMALL_ARMS, "", "").severity(wf.Severity_SEVERITY_MODERATE).send()
	t := s.start
	for range r.between(1, 3) {
		t = t.Add(s.minutes(40, 420))
		p := s.report(ev, s.patrol(), wf.Kind_KIND_SAR, t).at(r.near(at, 1200).place(150))
		switch {
		case s.vague():
			p.about(s.named(man))
		case r.chance(500):
			p.about(birth(s.slip(man).subject(man.licence()), man.born, 3), v.entity(s.seen(v)))
		default:
			p.about(birth(s.slip(man).subject(), man.born, 3), mentioned(warrant))
		}
		p.say("Wanted man seen", fmt.Sprintf("A clerk knew %s from the poster for %s.", man.name(), warrant.Value)).
			sar("RETL", "", wf.Behavior_BEHAVIOR_MISREPRESENTATION).send()
		s.aftermath(p)
	}
	if r.chance(500) {
		s.report(ev, s.patrol(), wf.Kind_KIND_INCIDENT, t.Add(s.minutes(60, 600))).at(r.near(at, 1200).place(50)).
			about(birth(man.subject(man.licence()), man.born, 3), mentioned(warrant)).refer(wf.ReferenceType_REFERENCE_TYPE_RELATED, first).
			say("Wanted man arrested", fmt.Sprintf("%s was taken on warrant %s.", man.name(), warrant.Value)).incident("Arrest", "90Z").send()
	}
}

// narcotics: a load, a stop, a buyer, under one case.
func narcotics(s *story, n uint64) {
	r := &s.rng
	ev := tag("narcotics", n)
	man, v := r.person(), r.vehicle()
	file := caseNumber("dea", "GX-"+r.file(7))
	who := []string{"dea", "mhp", s.patrol(), "mbi", "hsi"}
	t := s.start
	for i := range r.between(3, 5) {
		p := s.report(ev, who[i], wf.Kind_KIND_INCIDENT, t).at(r.somewhere(r.county()).place(100))
		switch {
		case i > 0 && s.vague():
			p.about(v.entity(partial(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, unseen(v.plate, 3, 6), "US-MS")))
		case i == 0 || r.chance(550):
			p.about(s.named(man, s.heard(man)), v.entity(s.seen(v)), mentioned(file))
		default:
			p.about(s.named(man, s.heard(man), man.licence()), v.entity(s.seen(v)))
		}
		p.say("Narcotics", fmt.Sprintf("Case %s: %s, %s, in a %s, plate %s.", file.Value, man.name(), man.phone, v.describe(), v.plate)).
			incident("Drug offense", "35A").send()
		s.aftermath(p)
		t = t.Add(s.minutes(40, 420))
	}
}
