package fusion

import (
	"strconv"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// entities reads whom and what a report speaks of.
func (x *extraction) entities(r *wf.Report) {
	for i, en := range r.Entities {
		if i == maxEntities {
			break
		}
		if en == nil {
			continue
		}
		x.entity = uint8(i + 1)
		x.one(en)
	}
	x.entity = 0
}

func (x *extraction) one(en *wf.Entity) {
	var p *person
	switch d := en.Detail.(type) {
	case *wf.Entity_Person:
		if len(x.persons) < maxPersons {
			x.persons = append(x.persons, personOf(d.Person, x.entity))
			p = &x.persons[len(x.persons)-1]
		}
	case *wf.Entity_Vehicle:
		x.vehicle(d.Vehicle)
	case *wf.Entity_Organization:
		if en.Role == wf.EntityRole_ENTITY_ROLE_TARGET || en.Role == wf.EntityRole_ENTITY_ROLE_VICTIM {
			x.named(keyTarget, wTarget, d.Organization.GetName())
		} else {
			x.named(keyOrganization, wOrganization, d.Organization.GetName())
		}
	case *wf.Entity_Item:
		switch strings.ToLower(d.Item.GetKind()) {
		case "malware", "campaign", "tool":
			x.named(keyMalware, wMalware, d.Item.GetName())
		}
	}
	for i, id := range en.Identifiers {
		if i == maxMarks {
			break
		}
		x.identifier(id, p)
	}
	for i, a := range en.Addresses {
		if i == maxNames {
			break
		}
		x.address(a)
	}
	if p != nil && len(p.names) == 0 && p.birth == (birth{}) && len(p.numbers) == 0 && p.age == 0 {
		x.persons = x.persons[:len(x.persons)-1]
	}
}

func personOf(w *wf.Person, entity uint8) person {
	p := person{entity: entity}
	for i, n := range w.GetNames() {
		if i == 2*maxNames || len(p.names) == maxNames {
			break
		}
		given, family := fold(n.GetGiven()), fold(n.GetFamily())
		if given == "" && family == "" {
			given, family = splitName(short(n.GetFull()))
		}
		given = dropTitles(given)
		given, _, _ = strings.Cut(given, " ")
		if nobody[given] {
			given = ""
		}
		if nobody[family] {
			family = ""
		}
		if given == "" && family == "" {
			continue
		}
		p.names = append(p.names, name{given: given, family: family})
	}
	if b := w.GetBirth(); b != nil && b.Year >= 1880 && b.Year <= 2200 && b.Month >= 0 && b.Month <= 12 && b.Day >= 0 && b.Day <= 31 {
		p.birth = birth{uint16(b.Year), uint8(b.Month), uint8(b.Day)}
		if p.birth == (birth{1900, 1, 1}) {
			p.birth = birth{} // what forms hold when nobody knows
		}
	}
	if a := w.GetAge(); a > 0 && a < 130 {
		p.age = uint8(a)
	}
	return p
}

func (x *extraction) vehicle(v *wf.Vehicle) {
	if len(x.vehicles) == maxVehicles {
		return
	}
	small := func(s string) uint32 {
		if s = fold(s); s == "" || nobody[s] {
			return 0
		}
		return uint32(hashString(s)>>32) | 1
	}
	if o := (vehicle{small(v.GetMake()), small(v.GetModel()), small(v.GetColor())}); o != (vehicle{}) {
		x.vehicles = append(x.vehicles, o)
	}
}

// address marks a postal address and the town it lies in.
func (x *extraction) address(a *wf.Address) {
	street, number := fold(a.GetStreet()), fold(a.GetNumber())
	town := fold(a.GetPostcode())
	if town == "" {
		town = fold(a.GetCity())
	}
	if town != "" {
		x.towns = append(x.towns, hashParts("town", town))
	}
	if street == "" || number == "" {
		return
	}
	if town != "" {
		x.mark(keyAddress, mark{kind: wAddress, value: number + " " + street + ", " + town}, hashParts(number, street, town))
	}
	x.mark(keyStreet, mark{kind: wStreet, value: number + " " + street}, hashParts(number, street))
}

// formal is the given name that a short form stands for.
func formal(given string) string {
	if f, ok := shortForms[given]; ok {
		return f
	}
	return given
}

// personKeys are the composite keys of fusion.md: each survives an error in
// one part of what is known of a person.
func (x *extraction) personKeys() {
	for i := range x.persons {
		p := &x.persons[i]
		var dob string
		if b := p.birth; b.year != 0 && b.month != 0 && b.day != 0 {
			dob = strconv.Itoa(int(b.year)*10000 + int(b.month)*100 + int(b.day))
		}
		for _, n := range p.names {
			x.nameKeys(p, n, dob)
		}
	}
}

func (x *extraction) nameKeys(p *person, n name, dob string) {
	family, given := soundex(n.family), soundex(formal(n.given))
	if dob != "" && family != "" {
		x.key(keyNameBirth, hashParts(family, dob))
	}
	if dob != "" && given != "" {
		x.key(keyNameBirth, hashParts(given, dob))
	}
	if n.given != "" && n.family != "" {
		a, b := formal(n.given), n.family
		if a > b {
			a, b = b, a
		}
		full := hashParts("name", a, b)
		x.key(keyName, full)
		for _, c := range x.cells(500_000, 0) {
			x.key(keyNamePlace, mix(full, c))
		}
	}
	if family == "" {
		return
	}
	code := hashParts("surname", family)
	for _, c := range x.cells(100_000, 1100) {
		x.key(keySurnameNear, mix(code, c))
	}
	for _, t := range x.towns {
		x.key(keyNameTown, mix(code, t))
	}
	for i := range x.ids {
		if m := &x.ids[i]; m.kind == wPhone {
			x.phoneClose(code, m.value)
		}
	}
	for _, u := range p.numbers {
		if l := len(u.value); l >= 6 {
			x.key(keyNameTown, mix(code, hashParts("head", u.value[:l/2])))
			x.key(keyNameTown, mix(code, hashParts("tail", u.value[l/2:])))
		}
	}
}
