package exercise

import (
	"fmt"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// lookalikes are reports that have much in common and nothing to do with one
// another. Each of them belongs to nothing.
var lookalikes = []func(s *story){namesakes, office, fleet, namesakes, office, fleet, household}

// lookalike writes one of them. A household, which a careful analyst would
// take for one matter too, comes only in scenarios large enough to bear it.
func (s *story) lookalike() {
	n := len(lookalikes)
	if s.world.size < 10 {
		n--
	}
	lookalikes[s.rng.n(n)](s)
}

// namesakes: two people of one common name, in one town on one day.
func namesakes(s *story) {
	r := &s.rng
	c := r.county()
	given, family := r.given(), r.common()
	t := s.start
	for i := range 2 {
		man := r.person()
		man.given, man.family = given, family
		e := man.subject(man.licence())
		if i == 0 || r.chance(700) {
			birth(e, man.born, 3)
		}
		p := s.report("", s.patrol(), wf.Kind_KIND_SAR, t).at(r.in(c.town, c.fips).place(120)).about(e)
		m := everyday[r.n(len(everyday))]
		p.say(m.title, m.text+" The person is known as "+man.name()+".").sar("", "", m.behavior).send()
		t = t.Add(s.minutes(10, 300))
	}
}

// office: unrelated people who give the number of the place they work at.
func office(s *story) {
	r := &s.rng
	c := r.county()
	number := ident(wf.IdentifierType_IDENTIFIER_TYPE_PHONE, r.phone(), "")
	t := s.start
	for range r.between(3, 7) {
		man := s.stranger()
		o := one(r, offenses)
		s.report("", s.patrol(), wf.Kind_KIND_INCIDENT, t).at(r.somewhere(c).place(150)).
			about(birth(man.entity(wf.EntityRole_ENTITY_ROLE_WITNESS, number), man.born, 3)).
			say(o.title, fmt.Sprintf("%s. Witness %s, reachable at work, %s.", o.title, man.name(), number.Value)).incident(o.kind, o.code).send()
		t = t.Add(s.minutes(40, 420))
	}
}

// fleet: vans of one firm with plates of one batch, each seen about its own work.
func fleet(s *story) {
	r := &s.rng
	c := r.county()
	v := r.vehicle()
	v.make, v.model, v.color = "Ford", "Transit", "white"
	stem, last := r.from(plateLetters, 3)+r.digits(3), r.n(6)
	t := s.start
	for i := range r.between(2, 4) {
		v.plate = stem + string(rune('0'+last+i))
		m := everyday[r.n(len(everyday))]
		s.report("", s.patrol(), wf.Kind_KIND_SAR, t).at(r.in(c.rural, c.fips).place(150)).about(v.entity(v.registration())).
			say(m.title, fmt.Sprintf("%s A %s, plate %s, stood near.", m.text, v.describe(), v.plate)).sar("", "", m.behavior).send()
		t = t.Add(s.minutes(60, 420))
	}
}

// household: a brother and a sister, one telephone, two unrelated matters.
func household(s *story) {
	r := &s.rng
	c := r.county()
	brother, sister := r.person(), r.person()
	sister.family, sister.phone = brother.family, brother.phone
	t := s.start
	for _, p := range []person{brother, sister} {
		m := offenses[r.n(len(offenses))]
		s.report("", s.patrol(), wf.Kind_KIND_INCIDENT, t).at(r.somewhere(c).place(150)).
			about(birth(p.entity(wf.EntityRole_ENTITY_ROLE_VICTIM, p.telephone()), p.born, 3)).
			say(m.title, fmt.Sprintf("%s. Reported by %s, %s.", m.title, p.name(), p.phone)).incident(m.kind, m.code).send()
		t = t.Add(s.minutes(300, 420))
	}
}
