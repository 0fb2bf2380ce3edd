package exercise

import (
	"fmt"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// date is a date of birth.
type date struct{ year, month, day int32 }

// person is somebody the story is about.
type person struct {
	given, family string
	born          date
	sex           string
	phone, email  string
	license       string
}

func (r *rng) person() person {
	p := person{given: r.given(), family: r.surname(), sex: one(r, []string{"M", "M", "F"})}
	p.born = date{int32(r.between(1955, 2005)), int32(r.between(1, 12)), int32(r.between(1, 28))}
	p.phone, p.license = r.phone(), r.license()
	p.email = r.email(p.given, p.family)
	return p
}

func (p person) name() string { return p.given + " " + p.family }

// dob is the date of birth as a narrative gives it.
func (p person) dob() string {
	return fmt.Sprintf("%04d-%02d-%02d", p.born.year, p.born.month, p.born.day)
}

func (p person) telephone() *wf.Identifier {
	return ident(wf.IdentifierType_IDENTIFIER_TYPE_PHONE, p.phone, "")
}
func (p person) mail() *wf.Identifier {
	return ident(wf.IdentifierType_IDENTIFIER_TYPE_EMAIL, p.email, "")
}
func (p person) licence() *wf.Identifier {
	return ident(wf.IdentifierType_IDENTIFIER_TYPE_DRIVER_LICENSE, p.license, "US-MS")
}

// entity is the person as a report names them.
func (p person) entity(role wf.EntityRole, ids ...*wf.Identifier) *wf.Entity {
	return &wf.Entity{Role: role, Identifiers: ids, Detail: &wf.Entity_Person{Person: &wf.Person{
		Names: []*wf.PersonName{{Given: p.given, Family: p.family}}, Sex: p.sex,
	}}}
}

// subject is the person in the role a report most often means.
func (p person) subject(ids ...*wf.Identifier) *wf.Entity {
	return p.entity(wf.EntityRole_ENTITY_ROLE_SUBJECT, ids...)
}

// birth adds the date of birth to a person's entity, to as many parts as said:
// 3 is the day, 2 the month, 1 the year.
func birth(e *wf.Entity, d date, parts int) *wf.Entity {
	b := &wf.PartialDate{Year: d.year}
	if parts > 1 {
		b.Month = d.month
	}
	if parts > 2 {
		b.Day = d.day
	}
	e.GetPerson().Birth = b
	return e
}

// vehicle is one that the story is about.
type vehicle struct {
	make, model, color string
	year               int
	plate, vin         string
}

var models = [][3]string{
	{"Ford", "F-150", "pickup"}, {"Chevrolet", "Silverado", "pickup"}, {"Toyota", "Camry", "sedan"}, {"Honda", "Accord", "sedan"},
	{"Nissan", "Altima", "sedan"}, {"Ford", "Transit", "van"}, {"GMC", "Sierra", "pickup"}, {"Dodge", "Charger", "sedan"},
	{"Toyota", "Corolla", "sedan"}, {"Chevrolet", "Tahoe", "SUV"}, {"Jeep", "Wrangler", "SUV"}, {"Chevrolet", "Express", "van"},
	{"Honda", "CR-V", "SUV"}, {"Nissan", "Rogue", "SUV"}, {"Ram", "1500", "pickup"}, {"Kia", "Optima", "sedan"}, {"Hyundai", "Elantra", "sedan"},
}
var colors = []string{"white", "black", "silver", "gray", "blue", "red", "white", "black", "gray", "tan", "green"}

func (r *rng) vehicle() vehicle {
	m := models[r.n(len(models))]
	y := r.between(2006, 2024)
	return vehicle{make: m[0], model: m[1], color: one(r, colors), year: y, plate: r.plate(), vin: r.vin(y)}
}

func (v vehicle) describe() string { return v.color + " " + v.make + " " + v.model }

func (v vehicle) registration() *wf.Identifier {
	return ident(wf.IdentifierType_IDENTIFIER_TYPE_PLATE, v.plate, "US-MS")
}
func (v vehicle) number() *wf.Identifier {
	return ident(wf.IdentifierType_IDENTIFIER_TYPE_VIN, v.vin, "")
}

func (v vehicle) entity(ids ...*wf.Identifier) *wf.Entity {
	return &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_SUBJECT, Identifiers: ids, Detail: &wf.Entity_Vehicle{Vehicle: &wf.Vehicle{
		Make: v.make, Model: v.model, Color: v.color, Year: int32(v.year),
	}}}
}

// things is an entity of bare identifiers: a case number, a storm, a host.
func things(role wf.EntityRole, ids ...*wf.Identifier) *wf.Entity {
	return &wf.Entity{Role: role, Identifiers: ids}
}

func mentioned(ids ...*wf.Identifier) *wf.Entity {
	return things(wf.EntityRole_ENTITY_ROLE_MENTIONED, ids...)
}

func item(kind, name string, ids ...*wf.Identifier) *wf.Entity {
	return &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_MENTIONED, Identifiers: ids, Detail: &wf.Entity_Item{Item: &wf.Item{Kind: kind, Name: name}}}
}

// caseNumber is the number of a case, by the agency that gave it.
func caseNumber(agency, number string) *wf.Identifier {
	return ident(wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER, number, agency)
}
