package report

import (
	"fmt"
	"slices"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func (c *checker) entities(list []*wf.Entity) {
	if !c.count("entities", len(list), maxMany) {
		return
	}
	for i, e := range list {
		c.enter("entities", i)
		c.entity(e)
		c.leave()
	}
}

func (c *checker) entity(e *wf.Entity) {
	if e.GetDetail() == nil && len(e.GetIdentifiers()) == 0 && len(e.GetAddresses()) == 0 && e.GetDescription() == "" {
		c.refuse(admission.Missing, "detail", "the entity says nothing", "give an identifier, a detail, an address or a description, or leave it out")
	}
	if !known(e.GetRole(), wf.EntityRole_ENTITY_ROLE_MENTIONED) {
		c.enum("role", int32(e.GetRole()), "the entity roles of the schema")
	}
	if c.count("identifiers", len(e.GetIdentifiers()), maxMany) {
		for i, id := range e.GetIdentifiers() {
			if err := NormalIdentifier(id); err != nil {
				c.refuseAt(admission.NotNormal, "identifiers", i, err.Error(), "normalise it before sending, or mark it partial")
			}
		}
	}
	c.text("description", e.GetDescription(), maxText)
	if c.count("addresses", len(e.GetAddresses()), maxFew) {
		for i, a := range e.GetAddresses() {
			c.enter("addresses", i)
			c.address(a)
			c.leave()
		}
	}
	c.detail(e)
	c.extracted(e)
}

// extracted checks that what is said to be filled from the text is filled, and
// that nothing is said twice.
func (c *checker) extracted(e *wf.Entity) {
	fields := e.GetExtractedFields()
	if len(fields) > 0 && e.GetExtracted() {
		c.refuse(admission.Invalid, "extracted_fields", "the whole entity is extracted", "name fields only of an entity that is stated")
		return
	}
	for i, f := range fields {
		p := e.GetPerson()
		filled := f == "person.birth" && p.GetBirth() != nil || f == "person.age" && p.GetAge() != 0 || f == "person.sex" && p.GetSex() != ""
		if !filled || slices.Contains(fields[:i], f) {
			c.refuseAt(admission.Invalid, "extracted_fields", i, quoted("field", f)+" is no filled person.birth, person.age or person.sex, or is named twice", "name each filled field once")
			return
		}
	}
}

func (c *checker) detail(e *wf.Entity) {
	switch d := e.GetDetail().(type) {
	case *wf.Entity_Person:
		c.enter("person", -1)
		c.person(d.Person)
		c.leave()
	case *wf.Entity_Vehicle:
		v := d.Vehicle
		for _, f := range [...]struct{ name, value string }{{"make", v.GetMake()}, {"model", v.GetModel()}, {"style", v.GetStyle()}, {"color", v.GetColor()}} {
			c.line("vehicle."+f.name, f.value, maxToken)
		}
		if y := v.GetYear(); y != 0 && (y < 1886 || y > 2199) {
			c.refuse(admission.Invalid, "vehicle.year", fmt.Sprintf("year %d is not the year of a vehicle", y), "give four digits, or leave it out")
		}
	case *wf.Entity_Organization:
		c.line("organization.name", d.Organization.GetName(), maxName)
		c.lines("organization.aliases", d.Organization.GetAliases(), maxMany, maxName)
		c.lines("organization.sectors", d.Organization.GetSectors(), maxFew, maxToken)
	case *wf.Entity_Conveyance:
		v := d.Conveyance
		for _, f := range [...]struct{ name, value string }{{"kind", v.GetKind()}, {"name", v.GetName()}, {"make", v.GetMake()}, {"model", v.GetModel()}, {"color", v.GetColor()}} {
			c.line("conveyance."+f.name, f.value, maxName)
		}
	case *wf.Entity_Item:
		c.line("item.kind", d.Item.GetKind(), maxToken)
		c.line("item.name", d.Item.GetName(), maxName)
		c.line("item.quantity", d.Item.GetQuantity(), maxToken)
	}
}

func (c *checker) person(p *wf.Person) {
	if c.count("names", len(p.GetNames()), maxFew) {
		for i, n := range p.GetNames() {
			c.enter("names", i)
			c.name(n)
			c.leave()
		}
	}
	if b := p.GetBirth(); b != nil && !ValidDate(b) {
		c.refuse(admission.BadTime, "birth", fmt.Sprintf("year %d, month %d, day %d is no date", b.GetYear(), b.GetMonth(), b.GetDay()), "use zero for each part that is not known")
	}
	if a := p.GetAge(); a < 0 || a > 130 {
		c.refuse(admission.Invalid, "age", fmt.Sprintf("age %d is not between 0 and 130", a), "give years, or leave it out")
	}
	c.line("sex", p.GetSex(), maxToken)
	c.line("nationality", p.GetNationality(), maxToken)
	c.text("description", p.GetDescription(), maxText)
}

func (c *checker) name(n *wf.PersonName) {
	if n.GetGiven() == "" && n.GetMiddle() == "" && n.GetFamily() == "" && n.GetFull() == "" {
		c.refuse(admission.Missing, "full", "the name is empty", "give the parts or the whole name, or leave it out")
	}
	c.line("given", n.GetGiven(), maxName)
	c.line("middle", n.GetMiddle(), maxName)
	c.line("family", n.GetFamily(), maxName)
	c.line("suffix", n.GetSuffix(), maxToken)
	c.line("full", n.GetFull(), maxName)
}

// ValidDate says whether the known parts of d can be those of a date; at least
// one must be known.
func ValidDate(d *wf.PartialDate) bool {
	y, m, day := d.GetYear(), d.GetMonth(), d.GetDay()
	if y == 0 && m == 0 && day == 0 {
		return false
	}
	if y != 0 && (y < 1800 || y > 2199) || m < 0 || m > 12 || day < 0 || day > 31 {
		return false
	}
	if m == 0 {
		return true
	}
	last := int32(31)
	switch m {
	case 4, 6, 9, 11:
		last = 30
	case 2:
		last = 28
		if y == 0 || y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			last = 29
		}
	}
	return day <= last
}

func (c *checker) references(list []*wf.Reference) {
	if !c.count("references", len(list), maxRefs) {
		return
	}
	for i, ref := range list {
		c.enter("references", i)
		if t := ref.GetType(); t == 0 || !known(t, wf.ReferenceType_REFERENCE_TYPE_CONTEXT) {
			c.enum("type", int32(t), "the reference types of the schema")
		}
		c.need("record", ref.GetRecord(), "name the other record as its source does")
		c.line("record", ref.GetRecord(), maxName)
		if a := ref.GetAgency(); a != "" && !subject.Word(a) {
			c.refuse(admission.Invalid, "agency", quoted("agency", a)+" is not the token of an agency", "use the token, or leave it out when the record's name is global")
		}
		c.line("relationship", ref.GetRelationship(), maxToken)
		c.leave()
	}
}

func (c *checker) lineage(l *wf.Lineage) {
	if l == nil {
		return
	}
	if l.GetOriginator() == "" && l.GetOriginatorRecord() != "" {
		c.refuse(admission.Missing, "lineage.originator", "there is a record of an originator but no originator", "name the originator")
	}
	c.line("lineage.originator", l.GetOriginator(), maxName)
	c.line("lineage.originator_record", l.GetOriginatorRecord(), maxName)
	c.lines("lineage.path", l.GetPath(), maxFew, maxToken)
}
