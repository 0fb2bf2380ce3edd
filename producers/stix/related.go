package stix

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/codec"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// own adds what the object itself holds and what it names by reference.
func (c *converter) own() {
	o := c.o
	c.entity(selfEntity(o))
	switch o.typ {
	case "indicator":
		if o.str("pattern_type") == "stix" && len(o.str("pattern")) <= maxPattern {
			for _, id := range patternIdentifiers(o.str("pattern")) {
				c.entity(observed(id))
			}
		}
	case "observed-data":
		c.oldObjects()
		c.contents("object_refs", "observed")
	case "sighting":
		c.sighting()
	case "report", "grouping":
		c.contents("object_refs", "contains")
	case "note", "opinion":
		c.about("object_refs")
	case "malware-analysis":
		c.contents("analysis_sco_refs", "analysis")
		c.observable(o.str("sample_ref"))
	case "relationship":
		c.ends()
	case "location":
		c.place(o, wf.PlaceRole_PLACE_ROLE_AREA)
	case "language-content":
		c.reference(wf.ReferenceType_REFERENCE_TYPE_CONTEXT, o.str("object_ref"), "translates")
	default:
		switch {
		case o.shape().observable:
			c.observable(o.id)
		case shapes[o.typ].required == nil:
			c.custom()
		}
	}
	for _, id := range o.strs("sample_refs") {
		c.observable(id)
	}
}

// maxPattern is the longest pattern that a report may hold.
const maxPattern = 64 << 10

// contents adds what a product, a cluster or an observation holds.
func (c *converter) contents(property, word string) {
	for _, id := range c.o.strs(property) {
		switch {
		case typeOf(id) == "relationship":
			if r := c.b.newest[id]; r != nil && !c.b.alone[r] {
				continue // it stands in the report of its source
			}
			c.reference(wf.ReferenceType_REFERENCE_TYPE_CONTEXT, id, word)
		case c.background(id):
			if !c.mention(id, wf.EntityRole_ENTITY_ROLE_MENTIONED, wf.PlaceRole_PLACE_ROLE_AREA) {
				c.reference(wf.ReferenceType_REFERENCE_TYPE_CONTEXT, id, word)
			}
		default:
			c.reference(wf.ReferenceType_REFERENCE_TYPE_CONTAINS, id, word)
		}
	}
}

// about adds what a note or an opinion is about.
func (c *converter) about(property string) {
	for _, id := range c.o.strs(property) {
		t := wf.ReferenceType_REFERENCE_TYPE_RELATED
		if c.background(id) {
			t = wf.ReferenceType_REFERENCE_TYPE_CONTEXT
		}
		c.reference(t, id, c.o.typ)
	}
}

// background says whether a shared reference to the object is no evidence of
// one event: techniques, tools, malware families, organizations, places.
func (c *converter) background(id string) bool {
	if genericType(typeOf(id)) {
		return true
	}
	o := c.b.newest[id]
	return o != nil && o.typ == "malware" && o.flag("is_family")
}

func (c *converter) sighting() {
	o := c.o
	t := wf.ReferenceType_REFERENCE_TYPE_SIGHTING
	if genericType(typeOf(o.str("sighting_of_ref"))) {
		t = wf.ReferenceType_REFERENCE_TYPE_CONTEXT
	}
	c.reference(t, o.str("sighting_of_ref"), "sighting-of")
	for _, id := range o.strs("observed_data_refs") {
		c.reference(wf.ReferenceType_REFERENCE_TYPE_SIGHTING, id, "observed-data")
	}
	for _, id := range o.strs("where_sighted_refs") {
		if !c.mention(id, wf.EntityRole_ENTITY_ROLE_WITNESS, wf.PlaceRole_PLACE_ROLE_EVENT) {
			c.reference(wf.ReferenceType_REFERENCE_TYPE_CONTEXT, id, "where-sighted")
		}
	}
}

// related adds the relationships that the report carries.
func (c *converter) related() {
	for _, r := range c.b.outgoing[c.o.id] {
		c.parts = append(c.parts, r)
		other, word := r.str("target_ref"), r.str("relationship_type")
		if r.str("source_ref") != c.o.id {
			other, word = r.str("source_ref"), word+" (by)"
		}
		c.relation(other, word)
		if s := codec.Clean(r.str("description")); s != "" {
			c.r.Narrative = strings.TrimSpace(c.r.Narrative + "\n\n" + short(word, 100) + " " + c.called(other) + ": " + s)
		}
	}
}

// relation adds one relation of the report to another object.
func (c *converter) relation(id, word string) {
	role, place := wf.EntityRole_ENTITY_ROLE_MENTIONED, wf.PlaceRole_PLACE_ROLE_AREA
	switch word {
	case "targets", "compromises":
		role, place = wf.EntityRole_ENTITY_ROLE_TARGET, wf.PlaceRole_PLACE_ROLE_TARGET
	case "attributed-to":
		role = wf.EntityRole_ENTITY_ROLE_SUBJECT
	}
	if !c.mention(id, role, place) {
		c.reference(c.relationType(id, word), id, word)
	}
}

// relationType is CONTEXT for what many unrelated reports share.
func (c *converter) relationType(id, word string) wf.ReferenceType {
	switch {
	case genericType(c.o.typ) || genericType(typeOf(id)):
		return wf.ReferenceType_REFERENCE_TYPE_CONTEXT
	case strings.HasPrefix(word, "uses") && typeOf(id) == "malware":
		// A family is used by many; an instance by few. An unknown one may be either.
		if o := c.b.newest[id]; o == nil || o.flag("is_family") {
			return wf.ReferenceType_REFERENCE_TYPE_CONTEXT
		}
	}
	return wf.ReferenceType_REFERENCE_TYPE_RELATED
}

// ends adds both ends of a relationship that is a report of its own.
func (c *converter) ends() {
	source, target := c.o.str("source_ref"), c.o.str("target_ref")
	t := wf.ReferenceType_REFERENCE_TYPE_RELATED
	if genericType(typeOf(source)) || genericType(typeOf(target)) {
		t = wf.ReferenceType_REFERENCE_TYPE_CONTEXT
	}
	for _, id := range []string{source, target} {
		if !c.mention(id, wf.EntityRole_ENTITY_ROLE_MENTIONED, wf.PlaceRole_PLACE_ROLE_AREA) {
			c.reference(t, id, c.o.str("relationship_type"))
		}
	}
}

// custom adds the references of a type STIX does not define, as background.
func (c *converter) custom() {
	for _, id := range c.o.refs() {
		if id != c.o.str("created_by_ref") && typeOf(id) != "marking-definition" {
			c.reference(wf.ReferenceType_REFERENCE_TYPE_CONTEXT, id, "refers-to")
		}
	}
}

// mention folds an identity, a location or an observable into the report;
// false when the id is none of these or not in the document.
func (c *converter) mention(id string, role wf.EntityRole, place wf.PlaceRole) bool {
	o := c.take(id)
	if o == nil {
		return false
	}
	switch {
	case o.typ == "identity":
		e := identity(o)
		e.Role = role
		c.entity(e)
		if e.GetOrganization() != nil {
			c.sectors = append(c.sectors, lines(o.strs("sectors"))...)
		}
	case o.typ == "location":
		c.place(o, place)
	case o.shape().observable:
		c.observable(id)
	}
	return true
}
