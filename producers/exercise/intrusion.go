package exercise

import (
	"fmt"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// intrusion is a break-in at the utility. The utility and its sector know two
// addresses and a host, which many may share; the implant's hash, which is one
// thing's own, is known to those who took it apart.
func intrusion(s *story) {
	r := &s.rng
	relay := ident(wf.IdentifierType_IDENTIFIER_TYPE_IP, r.address(), "")
	second := ident(wf.IdentifierType_IDENTIFIER_TYPE_IP, r.address(), "")
	host := ident(wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN, r.host(), "")
	deeper := ident(wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN, r.host(), "")
	implant := ident(wf.IdentifierType_IDENTIFIER_TYPE_HASH, r.hash(), "sha256")
	ticket := caseNumber("entergy", "IR-"+r.digits(6))
	infra := func(ids ...*wf.Identifier) *wf.Entity {
		return things(wf.EntityRole_ENTITY_ROLE_INFRASTRUCTURE, ids...)
	}
	plant := siteByID("MS-PWR-003").spot()
	t := s.world.after(20*time.Hour + time.Duration(r.between(0, 120))*time.Minute)
	const ev = EventIntrusion

	first := s.report(ev, "entergy", wf.Kind_KIND_CYBER, t).at(plant.place(500)).about(infra(relay, host), mentioned(ticket)).
		say("Logins from an unknown address", fmt.Sprintf("Ticket %s: remote logins from %s; the client called %s.", ticket.Value, relay.Value, host.Value)).
		cyber("Remote access to the control network", 60, "intrusion").severity(wf.Severity_SEVERITY_SEVERE).send()
	s.report(ev, "entergy", wf.Kind_KIND_INCIDENT, t.Add(3*time.Hour)).at(plant.place(500)).about(mentioned(ticket), infra(relay, host)).
		refer(wf.ReferenceType_REFERENCE_TYPE_RELATED, first).
		say("Operator stations isolated", "Ticket "+ticket.Value+": two stations were cut off.").incident("Cyber incident", "").
		class(wf.RecordClass_RECORD_CLASS_CYBER).severity(wf.Severity_SEVERITY_SEVERE).send()
	c := s.report(ev, "cisa", wf.Kind_KIND_CYBER, t.Add(7*time.Hour)).at(plant.place(500)).about(infra(relay, host, implant)).
		say("Implant recovered at a utility", fmt.Sprintf("File %s beacons to %s by way of %s.", implant.Value[:16], host.Value, relay.Value)).
		cyber("Implant on an operator station", 85, "malware").severity(wf.Severity_SEVERITY_SEVERE).
		tearline(wf.Level_LEVEL_UNCLASSIFIED, []wf.Side{wf.Side_SIDE_LE}, "Block the host "+host.Value+".")
	c.r.Label.Tlp = wf.Tlp_TLP_AMBER
	c.send()
	c.revise(6*time.Hour, func(rep *wf.Report) { rep.GetCyber().KillChainPhases = []string{"command-and-control"} })
	s.report(ev, "fbi", wf.Kind_KIND_INCIDENT, t.Add(10*time.Hour)).at(plant.place(500)).about(infra(relay, host), mentioned(ticket)).
		say("Victim notified", fmt.Sprintf("Notification for %s; addresses %s and %s.", ticket.Value, relay.Value, host.Value)).incident("Computer intrusion", "26G").send()
	s.report(ev, "dhs-ia", wf.Kind_KIND_CYBER, t.Add(12*time.Hour)).about(infra(relay, host, deeper, implant)).
		say("Infrastructure of the actor", fmt.Sprintf("%s and %s are registered alike.", host.Value, deeper.Value)).
		cyber("Command infrastructure", 70, "malicious-activity").severity(wf.Severity_SEVERITY_SEVERE).send()
	s.report(ev, "energy-in", wf.Kind_KIND_CYBER, t.Add(14*time.Hour)).about(infra(relay, host)).
		say("Same pattern at other utilities", fmt.Sprintf("%s and %s were seen at the sector's edge.", relay.Value, host.Value)).
		cyber("Sector scan", 50, "anomalous-activity").send()
	s.report(ev, "nsa", wf.Kind_KIND_CYBER, t.Add(9*time.Hour)).about(infra(second, deeper, relay), item("malware", "", implant)).
		say("Origin of the implant", fmt.Sprintf("%s is served from %s.", deeper.Value, second.Value)).
		cyber("Origin infrastructure", 80, "attribution").severity(wf.Severity_SEVERITY_SEVERE).orcon(Fused).send()
	s.report(ev, "fbi-ib", wf.Kind_KIND_THREAT, t.Add(22*time.Hour)).about(infra(second, deeper)).
		say("Intent of the actor", fmt.Sprintf("The operators of %s and %s intend to cause an outage during the storm.", deeper.Value, second.Value)).
		threat(wf.ThreatType_THREAT_TYPE_CYBER, "ENRG", "Entergy Mississippi").severity(wf.Severity_SEVERITY_SEVERE).send()
	s.report(ev, "msaic-fusion", wf.Kind_KIND_THREAT, t.Add(16*time.Hour)).at(plant.target()).about(infra(relay, host, deeper)).
		say("Joint note on the intrusion", fmt.Sprintf("Police and services speak of one matter: %s, %s.", relay.Value, host.Value)).
		threat(wf.ThreatType_THREAT_TYPE_CYBER, "ENRG", "Entergy Mississippi").severity(wf.Severity_SEVERITY_SEVERE).send()
}

// circular is one tip that comes back from everywhere: six reports, one source.
func circular(s *story) {
	r := &s.rng
	man, car := r.person(), r.vehicle()
	at := r.somewhere(countyByFIPS("28075"))
	t := s.world.after(12*time.Hour + time.Duration(r.between(0, 300))*time.Minute)
	const ev = EventCircular
	tip := s.report(ev, "msaic", wf.Kind_KIND_SAR, t).at(at.place(50)).about(man.subject(man.telephone()), car.entity(car.registration())).
		say("Tip: threats at a rally", fmt.Sprintf("A caller says %s, %s, in a %s, plate %s, spoke of violence.", man.name(), man.phone, car.describe(), car.plate)).
		sar("MASS", "", wf.Behavior_BEHAVIOR_THREAT).severity(wf.Severity_SEVERITY_MODERATE).send()
	for i, a := range []string{"miac", "stl-pd", "hinds-so", "dhs-ia"} {
		path := []string{"msaic", "miac", "stl-pd", "hinds-so", "dhs-ia"}[:2+i]
		p := s.report(ev, a, wf.Kind_KIND_SAR, t.Add(time.Duration(3+4*i)*time.Hour)).at(at.place(2000)).about(man.subject(), car.entity(car.registration())).
			copied(tip, path...).
			say("Received: threats at a rally", fmt.Sprintf("%s heard that %s, plate %s, means to act.", a, man.name(), car.plate)).
			sar("MASS", "", wf.Behavior_BEHAVIOR_THREAT)
		if i == 2 {
			p.refer(wf.ReferenceType_REFERENCE_TYPE_RELATED, tip)
		}
		p.send()
		if i == 1 {
			p.withdraw(20 * time.Hour)
		}
	}
}
