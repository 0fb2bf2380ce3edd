package narrative

import (
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// What Enrich adds at most to one report.
const (
	maxEntities    = 64
	maxPlaces      = 8
	maxIdentifiers = 16 // of one entity
	maxNames       = 8
	// A moment in the text is the event's only when it lies this close before
	// the report; older ones tell of something else.
	maxBefore = 31 * 24 * time.Hour
	maxAfter  = 24 * time.Hour
)

// Enrich adds to r what its title and narrative say, in normal form and marked
// as extracted, and says how much it added. What r states is never removed,
// changed, repeated or contradicted: an entity it states gains at most a birth
// date, age or sex that it lacks, named in extracted_fields. A withdrawn report
// stays as it is. Enriching twice is enriching once; the same report gives the
// same result. [Strip] is its inverse.
//
// Of alerts (kind hazard, or read from CAP) only event keys are taken, and of
// STIX objects only hashes and CVEs: their texts name whom to call and where to
// read on, and their formats have fields for the rest.
func Enrich(r *wf.Report) int {
	if r == nil || r.State == wf.ReportState_REPORT_STATE_WITHDRAWN || r.Title == "" && r.Narrative == "" {
		return 0
	}
	e := enrichment{r: r, stated: state(r)}
	for _, en := range r.Entities {
		e.entities += boolInt(en.GetExtracted())
	}
	for _, p := range r.Places {
		e.places += boolInt(p.GetExtracted())
	}
	c := contextOf(r)
	title := c
	title.Heading = true
	e.text(Extract(r.Title, title))
	e.text(Extract(r.Narrative, c))
	e.eventTime()
	// Never make a report too large to send.
	if e.added > 0 && len(r.Narrative) > report.MaxSize/2 && proto.Size(r) > report.MaxSize {
		Strip(r)
		return 0
	}
	return e.added
}

// contextOf is what a report's fields say of its text.
func contextOf(r *wf.Report) Context {
	c := Context{Agency: r.Agency}
	if r.ReportTime != nil {
		c.Reported = r.ReportTime.AsTime()
	} else if s := r.GetEventTime().GetStart(); s != nil {
		c.Reported = s.AsTime()
	}
	for _, p := range r.Places {
		if p.GetExtracted() {
			continue
		}
		if c.State == "" {
			if c.State = p.GetState(); c.State == "" {
				c.State = strings.ToUpper(subject.StateOfFIPS(p.GetCountyFips()))
			}
		}
		if c.County == "" {
			c.County = p.GetCountyFips()
		}
	}
	return c
}

// wanted says whether a finding may go into a report of r's kind and source.
func wanted(r *wf.Report, k Kind) bool {
	switch {
	case k == VTEC || k == Storm:
		return true
	case r.Kind == wf.Kind_KIND_HAZARD, strings.HasPrefix(r.SourceFormat, "cap"), strings.HasPrefix(r.SourceFormat, "nws"):
		return false
	case strings.HasPrefix(r.SourceFormat, "stix"):
		return k == Hash || k == CVE
	case r.Kind == wf.Kind_KIND_ASSET || r.Kind == wf.Kind_KIND_RESOURCE || r.Kind == wf.Kind_KIND_BULLETIN:
		return k == Case
	case r.Language != "" && !strings.HasPrefix(strings.ToLower(r.Language), "en"):
		_, machine := identifierTypes[k]
		return machine && k != Case && k != Plate && k != Account && k != Serial
	}
	return true
}

// enrichment is one report on its way.
type enrichment struct {
	r        *wf.Report
	stated   *statement
	added    int
	places   int
	entities int
	moments  []*wf.TimeRange
}

// text adds the findings of one text. owners are the entities made or found
// for its persons and vehicles, by the number of the finding.
func (e *enrichment) text(found []Finding) {
	owners := make([]*owner, len(found)+1)
	for i := range found {
		f := &found[i]
		if f.sender || !wanted(e.r, f.Kind) {
			continue
		}
		switch {
		case f.Kind == Person:
			owners[i+1] = e.person(f, owners[f.Of])
		case f.Kind == Vehicle:
			owners[i+1] = e.vehicle(f)
		case f.Identifier != nil:
			e.identifier(f, owners[f.Of])
		case f.Kind == Birth || f.Kind == Age || f.Kind == Sex:
			e.describe(f, found, owners)
		case f.Kind == Organization || f.Kind == Item:
			e.item(f)
		case f.Place != nil:
			e.place(f, owners[f.Of])
		case f.Time != nil:
			e.moments = append(e.moments, f.Time)
		}
	}
}

// owner is the entity that findings belong to: one the report states, or one
// made for them, which is added to the report when it first says something.
type owner struct {
	entity *wf.Entity
	stated bool
	placed bool
}

func (e *enrichment) put(o *owner) bool {
	if o.placed {
		return true
	}
	if e.entities >= maxEntities || len(e.r.Entities) >= report.MaxEntities {
		return false
	}
	o.placed = true
	e.r.Entities = append(e.r.Entities, o.entity)
	e.entities++
	e.added++
	return true
}

// identifier adds an identifier to its owner, or alone.
func (e *enrichment) identifier(f *Finding, o *owner) {
	if e.stated.has(f.Identifier) {
		return
	}
	id := proto.CloneOf(f.Identifier)
	id.Extracted = true
	if o == nil || o.stated || len(o.entity.Identifiers) >= maxIdentifiers {
		o = &owner{entity: &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_MENTIONED, Extracted: true}}
	}
	o.entity.Identifiers = append(o.entity.Identifiers, id)
	fresh := !o.placed
	if !e.put(o) {
		o.entity.Identifiers = o.entity.Identifiers[:len(o.entity.Identifiers)-1]
		return
	}
	if !fresh {
		e.added++
	}
	e.stated.learn(id)
}

// person finds the stated person of that name, or makes one.
func (e *enrichment) person(f *Finding, of *owner) *owner {
	n := f.Person.Names[0]
	if en := e.stated.person(n); en != nil {
		return &owner{entity: en, stated: !en.Extracted, placed: true}
	}
	if p := of.person(); n.Alias && p != nil && !of.stated && len(p.Names) < maxNames {
		p.Names = append(p.Names, n)
		e.stated.aliases = append(e.stated.aliases, named{n, of.entity})
		e.added++
		return of
	}
	o := &owner{entity: &wf.Entity{Role: f.Role, Extracted: true, Detail: &wf.Entity_Person{Person: proto.CloneOf(f.Person)}}}
	if !e.put(o) {
		return nil
	}
	e.stated.people = append(e.stated.people, named{n, o.entity})
	return o
}

func (o *owner) person() *wf.Person {
	if o == nil {
		return nil
	}
	return o.entity.GetPerson()
}

// describe adds birth, age or sex to whom it belongs. Where both are given, a
// stated age and an extracted birth are left side by side only if they agree.
func (e *enrichment) describe(f *Finding, found []Finding, owners []*owner) {
	if f.Of == 0 || f.Of > len(found) {
		return
	}
	o := owners[f.Of]
	p := o.person()
	if p == nil {
		return
	}
	field := ""
	switch {
	case f.Kind == Birth && p.Birth == nil && agrees(f.Date, p.Age, contextOf(e.r).Reported):
		p.Birth, field = proto.CloneOf(f.Date), "person.birth"
	case f.Kind == Age && p.Age == 0 && agrees(p.Birth, int32(f.Count), contextOf(e.r).Reported):
		p.Age, field = int32(f.Count), "person.age"
	case f.Kind == Sex && p.Sex == "":
		p.Sex, field = f.Normal, "person.sex"
	default:
		return
	}
	e.added++
	if o.stated {
		o.entity.ExtractedFields = append(o.entity.ExtractedFields, field)
	}
}

// agrees says whether a birth date and an age can be of one person.
func agrees(birth *wf.PartialDate, age int32, at time.Time) bool {
	if birth == nil || birth.Year == 0 || age == 0 || at.IsZero() {
		return true
	}
	d := int32(at.Year()) - birth.Year - age
	return d >= -1 && d <= 2
}

// vehicle finds the stated vehicle that this is, or makes one. A color and a
// style alone are only kept for the plate that follows.
func (e *enrichment) vehicle(f *Finding) *owner {
	if en := e.stated.vehicle(f.Vehicle); en != nil {
		return &owner{entity: en, stated: !en.Extracted, placed: true}
	}
	o := &owner{entity: &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_MENTIONED, Extracted: true, Detail: &wf.Entity_Vehicle{Vehicle: proto.CloneOf(f.Vehicle)}}}
	if f.Vehicle.Make == "" {
		return o
	}
	if !e.put(o) {
		return nil
	}
	e.stated.vehicles = append(e.stated.vehicles, o.entity)
	return o
}

// item adds an organization, a weapon or a material.
func (e *enrichment) item(f *Finding) {
	name := foldName(f.Item.GetName())
	if e.stated.names[name] {
		return
	}
	en := &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_MENTIONED, Extracted: true}
	if f.Kind == Organization {
		en.Detail = &wf.Entity_Organization{Organization: &wf.Organization{Name: f.Item.GetName()}}
	} else {
		en.Detail = &wf.Entity_Item{Item: proto.CloneOf(f.Item)}
	}
	if e.put(&owner{entity: en}) {
		e.stated.names[name] = true
	}
}

// eventTime fills the time of the event when the report has none and its text
// names one moment, or one day, shortly before the report.
func (e *enrichment) eventTime() {
	if e.r.EventTime.GetStart() != nil || e.r.ReportTime == nil || e.r.Kind == wf.Kind_KIND_HAZARD {
		return
	}
	var best *wf.TimeRange
	for _, m := range e.moments {
		at := m.Start.AsTime()
		reported := e.r.ReportTime.AsTime()
		if at.Before(reported.Add(-maxBefore)) || at.After(reported.Add(maxAfter)) {
			continue
		}
		switch {
		case best == nil, best.End != nil && m.End == nil:
			best = m
		case best.End == nil:
		case !best.Start.AsTime().Equal(at):
			return // two days: either
		}
	}
	if best == nil || e.r.EventTime != nil {
		return
	}
	e.r.EventTime = proto.CloneOf(best)
	e.r.EventTime.Extracted = true
	e.added++
}

// Strip takes out of r everything that is marked as extracted: what is left is
// what the report states.
func Strip(r *wf.Report) {
	var entities []*wf.Entity
	for _, en := range r.Entities {
		if en.GetExtracted() {
			continue
		}
		stripEntity(en)
		entities = append(entities, en)
	}
	r.Entities = entities
	var places []*wf.Place
	for _, p := range r.Places {
		if !p.GetExtracted() {
			places = append(places, p)
		}
	}
	r.Places = places
	if r.EventTime.GetExtracted() {
		r.EventTime = nil
	}
}

func stripEntity(en *wf.Entity) {
	var ids []*wf.Identifier
	for _, id := range en.GetIdentifiers() {
		if !id.GetExtracted() {
			ids = append(ids, id)
		}
	}
	if len(ids) < len(en.GetIdentifiers()) {
		en.Identifiers = ids
	}
	p := en.GetPerson()
	for _, f := range en.GetExtractedFields() {
		switch {
		case p == nil:
		case f == "person.birth":
			p.Birth = nil
		case f == "person.age":
			p.Age = 0
		case f == "person.sex":
			p.Sex = ""
		}
	}
	if en != nil {
		en.ExtractedFields = nil
	}
}
