package exercise

import (
	"fmt"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Names of the events a scorecard asks for by name.
const (
	EventPlot      = "plot"
	EventDecoy     = "decoy"
	EventHurricane = "hurricane"
	EventIntrusion = "intrusion"
	EventCircular  = "circular"
)

// cast is who and what the plot turns on. The two sides know the man under two
// spellings; the services have his number with two digits swapped and saw only
// part of the plate. No identifier is the same on both sides, and what else
// agrees, a name that sounds alike with a birth date or with a place and an
// hour, is not enough: the halves join only by the garbled traces.
type cast struct {
	target       *site
	man, other   person // as police write him, and as the services do
	friend       person // known to police only
	contact      person // known to the services only
	van          vehicle
	glimpse      string // the plate as the watcher at the fence saw it
	partPlate    string // the plate as the services saw it
	passport     string // of an alias, known to the services only
	chat         string
	watched      time.Time // when he stood at the fence
	fence        spot
	caseFile     string
	garbledPhone string
}

// watchable are the sites of the first tier that a plot may turn on.
var watchable = []int{0, 1, 3, 6, 8, 12}

func newCast(s *story) *cast {
	r := &s.rng
	c := &cast{target: &sites[watchable[r.n(len(watchable))]]}
	sp := spellings[r.n(len(spellings))]
	c.man = r.person()
	c.man.given, c.man.family, c.man.sex, c.man.phone = sp.given, sp.family, "M", r.localPhone()
	c.other = c.man
	c.other.given, c.other.family = sp.otherGiven, sp.otherFamily
	c.garbledPhone = transposed(r, c.man.phone)
	c.other.phone = c.garbledPhone
	c.other.email = r.email(sp.otherGiven, sp.otherFamily)
	c.friend, c.contact = r.person(), r.person()
	c.van = r.vehicle()
	c.van.make, c.van.model, c.van.color = "Ford", "Transit", "white"
	c.glimpse = unseen(c.van.plate, 2)
	c.partPlate = unseen(c.van.plate, 2, 5)
	c.passport, c.chat = r.passport(), r.from(lowerLetters, 9)
	c.watched = s.world.after(30*time.Hour + time.Duration(r.between(0, 240))*time.Minute)
	c.fence = r.near(c.target.spot(), 250)
	c.caseFile = "415F-JN-" + r.digits(6)
	return c
}

// aside is a spot some 500 metres inland of the fence.
func (c *cast) aside(r *rng, metres int64) spot {
	at := r.near(c.target.spot(), metres)
	at.lat += northward(450)
	at.name = ""
	return at
}

func plot(s *story) {
	c := newCast(s)
	plotCase(s, c, plotAtFence(s, c))
	plotServices(s, c)
}

// plotAtFence is what police and guards see at the target; it returns the
// traffic stop. Together with plotCase it is the half that lies in cell le.
func plotAtFence(s *story, c *cast) (stop *pen) {
	r, t, site := &s.rng, c.watched, c.target
	const ev = EventPlot
	seen := s.report(ev, site.watch, wf.Kind_KIND_SAR, t).at(c.fence.place(40)).
		about(c.man.subject(), c.van.entity(partial(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, c.glimpse, "US-MS"))).
		say("Man photographed the intake at "+site.name, fmt.Sprintf("A man who called himself %s filmed the fence line from a %s, plate %s with one letter unread.", c.man.name(), c.van.describe(), c.glimpse)).
		sar(site.sector, site.name, wf.Behavior_BEHAVIOR_PHOTOGRAPHY, wf.Behavior_BEHAVIOR_SURVEILLANCE).severity(wf.Severity_SEVERITY_MODERATE).send()
	seen.revise(3*time.Hour, func(rep *wf.Report) {
		rep.InformationCredibility = wf.InformationCredibility_INFORMATION_CREDIBILITY_2
		rep.Narrative += " A second guard confirms the time."
	})

	relay := "msaic"
	if site.watch == relay {
		relay = "miac"
	}
	s.report(ev, relay, wf.Kind_KIND_SAR, t.Add(9*time.Hour)).at(c.fence.place(200)).
		about(c.man.subject(), c.van.entity(partial(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, c.glimpse, "US-MS"))).
		copied(seen, site.watch, relay).refer(wf.ReferenceType_REFERENCE_TYPE_RELATED, seen).
		say("Passed on: filming at "+site.name, fmt.Sprintf("From %s: %s filmed the fence line, plate %s.", site.watch, c.man.name(), c.glimpse)).
		sar(site.sector, site.name, wf.Behavior_BEHAVIOR_PHOTOGRAPHY).send().again(40 * time.Second)

	s.report(ev, site.police, wf.Kind_KIND_SAR, t.Add(34*time.Hour)).at(r.near(c.fence, 120).place(20)).
		about(c.van.entity(c.van.registration()), c.man.subject()).
		say("Fence cut at "+site.name, fmt.Sprintf("A hole large enough for a man; %s, plate %s, was seen leaving. A guard knew the driver as %s.", c.van.describe(), c.van.plate, c.man.name())).
		sar(site.sector, site.name, wf.Behavior_BEHAVIOR_BREACH).severity(wf.Severity_SEVERITY_SEVERE).send()

	return s.report(ev, "mhp", wf.Kind_KIND_SAR, t.Add(5*time.Hour)).at(r.in(countyByFIPS(site.at.fips).town, site.at.fips).place(30)).
		about(birth(c.man.subject(c.man.licence(), c.man.telephone(), ident(wf.IdentifierType_IDENTIFIER_TYPE_PHONE, s.world.switchboards[0], "")), c.man.born, 3),
			c.van.entity(c.van.registration(), c.van.number())).
		say("Traffic stop near "+site.name, fmt.Sprintf("Driver %s, born %s, gave %s and the motel %s as contacts; %s, plate %s. Could not say why he was parked there at night.",
			c.man.name(), c.man.dob(), c.man.phone, s.world.switchboards[0], c.van.describe(), c.van.plate)).
		sar(site.sector, site.name, wf.Behavior_BEHAVIOR_SURVEILLANCE).severity(wf.Severity_SEVERITY_MODERATE).send()
}

// plotCase is what investigators find, after the stop.
func plotCase(s *story, c *cast, stop *pen) {
	r, t, site := &s.rng, c.watched, c.target
	const ev = EventPlot
	s.report(ev, "atf", wf.Kind_KIND_SAR, t.Add(14*time.Hour)).at(r.in(countyByFIPS("28049").town, "28049").place(60)).
		about(birth(c.man.subject(c.man.licence(), c.man.telephone()), c.man.born, 3)).
		say("Bulk purchase without a permit", fmt.Sprintf("%s paid cash for restricted materials and left %s for the delivery.", c.man.name(), c.man.phone)).
		sar("CHEM", "", wf.Behavior_BEHAVIOR_MATERIALS).severity(wf.Severity_SEVERITY_SEVERE).send()

	s.report(ev, "hinds-so", wf.Kind_KIND_SAR, t.Add(20*time.Hour)).at(r.in(countyByFIPS("28049").town, "28049").place(60)).
		about(c.man.subject(), c.van.entity(c.van.registration())).
		say("Contractor badges stolen", fmt.Sprintf("Badges of a firm that works at %s were taken; a %s, plate %s, was at the yard, rented by %s.", site.name, c.van.describe(), c.van.plate, c.man.name())).
		sar(site.sector, site.name, wf.Behavior_BEHAVIOR_THEFT).severity(wf.Severity_SEVERITY_MODERATE).send()

	file := s.report(ev, "fbi", wf.Kind_KIND_THREAT, t.Add(26*time.Hour)).at(site.spot().target()).
		about(birth(c.man.subject(c.man.telephone()), c.man.born, 3), c.friend.subject(), mentioned(caseNumber("fbi", c.caseFile))).
		say("Assessment opened on "+c.man.family, fmt.Sprintf("Case %s: %s and %s are believed to plan an attack on %s.", c.caseFile, c.man.name(), c.friend.name(), site.name)).
		threat(wf.ThreatType_THREAT_TYPE_EXPLOSIVE, site.sector, site.name).severity(wf.Severity_SEVERITY_SEVERE).
		class(wf.RecordClass_RECORD_CLASS_CRIMINAL_INTELLIGENCE).orcon(Fused).
		tearline(wf.Level_LEVEL_UNCLASSIFIED, []wf.Side{wf.Side_SIDE_LE}, "Report persons who film access points of energy and transport sites.").send()
	file.revise(8*time.Hour, func(rep *wf.Report) { rep.Severity = wf.Severity_SEVERITY_EXTREME })

	s.report(ev, "hsi", wf.Kind_KIND_SAR, t.Add(30*time.Hour)).at(r.in(countyByFIPS("28047").town, "28047").place(100)).
		about(c.friend.subject(c.friend.licence()), c.man.entity(wf.EntityRole_ENTITY_ROLE_MENTIONED, c.man.telephone()), mentioned(caseNumber("fbi", c.caseFile))).
		say("Parcel held", fmt.Sprintf("Parcel of timers addressed to %s, to be called for by %s on %s; see %s.", c.friend.name(), c.man.name(), c.man.phone, c.caseFile)).
		sar("MAIL", "", wf.Behavior_BEHAVIOR_MATERIALS).severity(wf.Severity_SEVERITY_SEVERE).send()

	s.report(ev, "mbi", wf.Kind_KIND_THREAT, t.Add(36*time.Hour)).at(site.spot().target()).
		about(c.friend.subject(c.friend.licence()), c.man.subject(c.man.licence())).refer(wf.ReferenceType_REFERENCE_TYPE_RELATED, stop).
		say("Associate identified", fmt.Sprintf("%s, who shares a storage unit with %s, asked about shift changes at %s.", c.friend.name(), c.man.name(), site.name)).
		threat(wf.ThreatType_THREAT_TYPE_EXPLOSIVE, site.sector, site.name).severity(wf.Severity_SEVERITY_SEVERE).send()
}

// plotServices is the half that lies in cells intel-s and intel.
func plotServices(s *story, c *cast) {
	r, t, site := &s.rng, c.watched, c.target
	const ev = EventPlot
	passport := ident(wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT, c.passport, "USA")
	account := ident(wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT, c.chat, "rivertalk")
	plate := partial(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, c.partPlate, "US-MS")

	s.report(ev, "cia", wf.Kind_KIND_THREAT, t.Add(-20*time.Hour)).
		about(c.other.subject(passport, c.other.telephone(), c.other.mail()), c.contact.subject()).
		say("Travel of "+c.other.family, fmt.Sprintf("%s returned on passport %s after meeting %s; reachable at %s and %s.", c.other.name(), c.passport, c.contact.name(), c.garbledPhone, c.other.email)).
		threat(wf.ThreatType_THREAT_TYPE_EXPLOSIVE, site.sector, "").severity(wf.Severity_SEVERITY_SEVERE).orcon(Fused).send()

	s.report(ev, "nsa", wf.Kind_KIND_THREAT, t.Add(-6*time.Hour)).
		about(c.other.subject(c.other.telephone(), c.other.mail(), account)).
		say("Exchange of messages", fmt.Sprintf("Account %s and %s speak of a delivery in the week of the storm; number %s taken down by ear.", c.chat, c.other.email, c.garbledPhone)).
		threat(wf.ThreatType_THREAT_TYPE_EXPLOSIVE, site.sector, "").severity(wf.Severity_SEVERITY_SEVERE).send()

	s.report(ev, "dhs-ia", wf.Kind_KIND_THREAT, t.Add(12*time.Minute)).at(c.aside(r, 300).place(200)).
		about(birth(c.other.subject(), c.man.born, 1), mentioned(plate)).
		say("Watcher's note", fmt.Sprintf("The man travelling as %s, born %d, stood at a fence; plate %s as far as it was seen.", c.other.name(), c.man.born.year, c.partPlate)).
		threat(wf.ThreatType_THREAT_TYPE_EXPLOSIVE, site.sector, "").severity(wf.Severity_SEVERITY_MODERATE).send()

	s.report(ev, "northcom", wf.Kind_KIND_SAR, t.Add(18*time.Minute)).at(c.aside(r, 300).place(200)).
		about(c.other.subject(), mentioned(plate)).
		say("Vehicle turned away", fmt.Sprintf("A van with plate %s was turned away; the driver gave the name %s at the checkpoint.", c.partPlate, c.other.name())).
		sar(site.sector, "", wf.Behavior_BEHAVIOR_TESTING_SECURITY).send()

	ib := s.report(ev, "fbi-ib", wf.Kind_KIND_THREAT, t.Add(5*time.Hour+20*time.Minute)).
		about(birth(c.other.subject(c.other.telephone()), c.man.born, 3), mentioned(plate)).
		say("Pattern of life, "+c.other.family, fmt.Sprintf("%s, born %s, uses %s and a van with plate %s.", c.other.name(), c.man.dob(), c.garbledPhone, c.partPlate)).
		threat(wf.ThreatType_THREAT_TYPE_EXPLOSIVE, site.sector, "").severity(wf.Severity_SEVERITY_SEVERE).send()
	ib.revise(10*time.Hour, func(rep *wf.Report) {
		rep.SourceReliability = wf.SourceReliability_SOURCE_RELIABILITY_B
		rep.InformationCredibility = wf.InformationCredibility_INFORMATION_CREDIBILITY_2
	})

	s.report(ev, "dia", wf.Kind_KIND_SAR, t.Add(41*time.Hour)).at(c.aside(r, 300).place(200)).
		about(c.other.subject(c.other.telephone())).
		say("Probing of a checkpoint", fmt.Sprintf("%s tried a side gate; the number %s was on the pass he showed.", c.other.name(), c.garbledPhone)).
		sar(site.sector, "", wf.Behavior_BEHAVIOR_TESTING_SECURITY).severity(wf.Severity_SEVERITY_MODERATE).send()

	s.report(ev, "nctc", wf.Kind_KIND_THREAT, t.Add(32*time.Hour)).
		about(c.other.subject(passport), c.contact.subject()).
		say("Record review", fmt.Sprintf("Passport %s of %s was used with %s twice this year.", c.passport, c.other.name(), c.contact.name())).
		threat(wf.ThreatType_THREAT_TYPE_EXPLOSIVE, site.sector, "").severity(wf.Severity_SEVERITY_SEVERE).send()
}
