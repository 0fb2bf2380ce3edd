package stix

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// take folds the object of that id into the report with everything it refers
// to that is no report itself; nil when there is nothing to fold.
func (c *converter) take(id string) *object {
	again := c.b.folded[id]
	o := c.b.fold(id)
	if o == nil {
		return nil
	}
	if !c.taken[id] {
		if again {
			c.b.budget--
		}
		c.taken[id] = true
		c.parts = append(c.parts, o)
	}
	return o
}

// label joins the markings of the parts. Where the object carries none the
// agency's default holds.
func (c *converter) label() admission.Reasons {
	var reasons admission.Reasons
	label, bad := c.b.own(c.o)
	reasons = append(reasons, bad...)
	if label == nil && c.b.options.Label != nil {
		label = c.b.options.Mark(c.b.options.Label, "")
	}
	if label == nil {
		reasons.Add(admission.UnknownMarking, "object_marking_refs", "the object carries no marking and the agency has no default label", "mark the object")
		return reasons
	}
	for _, p := range c.parts[1:] {
		own, bad := c.b.own(p)
		reasons = append(reasons, bad...)
		if own == nil {
			continue
		}
		joined, err := codec.Join(label, own)
		if err != nil {
			reasons.Add(admission.UnknownMarking, "object_marking_refs", err.Error(), "give the marking a level in the policy")
			continue
		}
		label = joined
	}
	label.Original = short(label.Original, 900)
	c.r.Label = label
	return reasons
}

// entity adds an entity unless it says nothing or the report is full.
func (c *converter) entity(e *wf.Entity) {
	if e == nil || len(e.Identifiers) == 0 && e.Detail == nil && e.Description == "" {
		return
	}
	if len(c.r.Entities) >= maxEntities {
		c.left++
		return
	}
	c.r.Entities = append(c.r.Entities, e)
}

// reference adds a reference once.
func (c *converter) reference(t wf.ReferenceType, id, word string) {
	if id == "" || id == c.o.id {
		return
	}
	word = short(codec.Line(word), 100)
	key := id + " " + word
	if c.named[key] {
		return
	}
	c.named[key] = true
	c.r.References = append(c.r.References, &wf.Reference{Type: t, Record: id, Relationship: word})
}

// order makes the report independent of the order of the document, and says
// what did not fit.
func (c *converter) order() {
	slices.SortStableFunc(c.r.References, func(a, b *wf.Reference) int {
		return cmp.Or(cmp.Compare(a.Record, b.Record), cmp.Compare(a.Relationship, b.Relationship))
	})
	c.r.Entities = sortEntities(c.r.Entities)
	if y := c.r.GetCyber(); y != nil {
		for id := range c.taken {
			y.ObjectIds = append(y.ObjectIds, id)
		}
		for _, rel := range c.b.outgoing[c.o.id] {
			if c.b.newest[c.o.id] == c.o {
				y.ObjectIds = append(y.ObjectIds, rel.id)
			}
		}
		slices.Sort(y.ObjectIds)
		slices.Sort(c.sectors)
		y.Sectors = c.list(slices.Compact(c.sectors), 64)
	}
	if c.left > 0 {
		c.notes = append(c.notes, fmt.Sprintf("entities over %d in the report are left out: %d or more", maxEntities, c.left))
	}
}
