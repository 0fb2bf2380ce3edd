package fusion

import (
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
		x.organization(en.Role, d.Organization)
	case *wf.Entity_Conveyance:
		x.thing(wCraftName, keyOrganization, d.Conveyance.GetName())
	case *wf.Entity_Item:
		x.item(d.Item)
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
		x.address(a, false)
	}
	if p != nil && len(p.names) == 0 && p.birth == (birth{}) && len(p.numbers) == 0 && p.age == 0 {
		x.persons = x.persons[:len(x.persons)-1]
	}
}

// organization notes one by its names. What is attacked is a target.
func (x *extraction) organization(role wf.EntityRole, o *wf.Organization) {
	kind, t := wOrganization, keyOrganization
	if role == wf.EntityRole_ENTITY_ROLE_TARGET || role == wf.EntityRole_ENTITY_ROLE_VICTIM {
		kind, t = wTarget, keyTarget
	}
	x.thing(kind, t, o.GetName())
	for i, n := range o.GetAliases() {
		if i == maxNames {
			break
		}
		x.thing(kind, t, n)
	}
}

func personOf(w *wf.Person, entity uint8) person {
	p := person{entity: entity}
	for i, n := range w.GetNames() {
		if i == 2*maxNames || len(p.names) == maxNames {
			break
		}
		p.line = max(p.line, lineOf(n.GetSuffix()), lineOf(lastWord(n.GetFull())))
		if s := nameOf(n); s != (name{}) {
			p.names = append(p.names, s)
		}
	}
	if b := w.GetBirth(); b != nil && b.Year >= 1000 && b.Year <= 2200 && b.Month >= 0 && b.Month <= 12 && b.Day >= 0 && b.Day <= 31 {
		p.birth = birth{uint16(b.Year), uint8(b.Month), uint8(b.Day)}
		if bogusBirths[p.birth] {
			p.birth = birth{} // what forms hold when nobody knows
		}
	}
	if a := w.GetAge(); a > 0 && a < 130 {
		p.age = uint8(a)
	}
	switch s := fold(w.GetSex()); {
	case s == "m" || s == "male" || s == "man" || s == "boy":
		p.sex = 'm'
	case s == "f" || s == "female" || s == "woman" || s == "girl":
		p.sex = 'f'
	}
	return p
}

// bogusBirths are what forms and computers write when nobody knows. Of the
// first of January of a later year many are true.
var bogusBirths = map[birth]bool{
	{1900, 1, 1}: true, {1901, 1, 1}: true, {1899, 12, 31}: true, {1899, 12, 30}: true, {1970, 1, 1}: true, {1800, 1, 1}: true, {1753, 1, 1}: true,
	{1111, 11, 11}: true,
}

// nameOf is a name in its parts; zero when it says nothing.
func nameOf(w *wf.PersonName) name {
	n := name{given: fold(w.GetGiven()), middle: fold(w.GetMiddle()), family: fold(w.GetFamily())}
	if n.given == "" && n.family == "" {
		full := short(w.GetFull())
		if nobody.has(fold(full)) {
			return name{}
		}
		n = splitName(full)
	}
	if nobody.has(n.given) {
		n.given = ""
	}
	n.given = dropTitles(n.given)
	if first, rest, more := strings.Cut(n.given, " "); more {
		n.given = first
		if n.middle == "" {
			n.middle = rest
		}
	}
	if nobody.has(n.family) {
		n.family = ""
	}
	if n.given == "" && n.family == "" {
		return name{}
	}
	return n
}

// lineOf is what a suffix says of the generation.
func lineOf(s string) uint8 {
	switch fold(s) {
	case "jr", "junior":
		return 1
	case "sr", "senior":
		return 2
	case "iii", "3rd":
		return 3
	case "iv", "4th":
		return 4
	}
	return 0
}

func (x *extraction) vehicle(v *wf.Vehicle) {
	if len(x.vehicles) == maxVehicles {
		return
	}
	small := func(s string) uint32 {
		if s = fold(s); s == "" || nobody.has(s) {
			return 0
		}
		return uint32(hashString(s)>>32) | 1
	}
	if o := (vehicle{small(v.GetMake()), small(v.GetModel()), small(v.GetColor())}); o != (vehicle{}) {
		x.vehicles = append(x.vehicles, o)
	}
}

// personKeys bring persons together: each kind survives an error in one part
// of what is known, and none is made where a more telling one serves.
func (x *extraction) personKeys() {
	for i := range x.persons {
		p := &x.persons[i]
		var born uint64
		if b := p.birth; b.year != 0 && b.month != 0 && b.day != 0 {
			born = mix(uint64(keyNameBirth), uint64(b.year)<<16|uint64(b.month)<<8|uint64(b.day))
			for _, t := range x.towns {
				x.key(keyBirthTown, mix(born, t))
			}
		}
		for _, n := range p.names {
			x.nameKeys(p, n, born)
		}
	}
}

func (x *extraction) nameKeys(p *person, n name, born uint64) {
	family, given := codeOf(n.family), codeOf(formal(n.given))
	if born != 0 {
		if family != 0 {
			x.key(keyNameBirth, mix(born, family))
		}
		if given != 0 {
			x.key(keyNameBirth, mix(born, given))
		}
	}
	if given != 0 && family != 0 {
		x.fullName(n, given, family)
	}
	for _, t := range x.towns {
		if family != 0 {
			x.key(keyNameTown, mix(family, t))
		}
		if given != 0 && given != family {
			x.key(keyNameTown, mix(given, t))
		}
	}
	if family == 0 {
		return
	}
	for _, c := range x.cells(200_000, 0) {
		x.key(keySurnameNear, mix(family, c))
	}
	if i := strings.LastIndexByte(n.family, ' '); i > 0 { // one of two surnames
		last := codeOf(n.family[i+1:])
		x.key(keyName, mix(min(given, last), max(given, last)))
	}
	if born == 0 {
		x.phonesClose(family)
	}
	for _, u := range p.numbers {
		if l := len(u.value); l >= 6 {
			x.key(keyNameTown, mix(family, hashParts("head", u.value[:l/2])))
			x.key(keyNameTown, mix(family, hashParts("tail", u.value[l/2:])))
		}
	}
}

// rareName is from how many thousandths of a bit a full name is rare enough to
// propose by itself, wherever it is said.
const rareName = 20_000

// fullName keys given name and surname in any order: a common name with the
// place, a rare one without. Where neither a place nor a birth date helps,
// the sounds of both.
func (x *extraction) fullName(n name, given, family uint64) {
	a, b := formal(n.given), squeezed(n.family)
	full := hashParts("name", min(a, b), max(a, b))
	cells := x.cells(500_000, 0)
	if len(cells) == 0 || bitsOfGiven(a)+bitsOfSurname(b) >= rareName {
		x.key(keyName, full)
	} else {
		for _, c := range cells {
			x.key(keyNamePlace, mix(full, c))
		}
	}
	if len(cells) == 0 {
		x.key(keyName, mix(min(given, family), max(given, family)))
	}
}

// codeOf hashes how a name sounds; 0 for none.
func codeOf(s string) uint64 {
	if s == "" {
		return 0
	}
	if s[0] >= 0x80 {
		return hashString(s)
	}
	c := soundexOf(s)
	return mix(uint64(keyNameTown), uint64(c[0])<<24|uint64(c[1])<<16|uint64(c[2])<<8|uint64(c[3]))
}
