package stix

import (
	"maps"
	"slices"

	"github.com/watchfloor/watchfloor/producers/codec"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// observable folds an observable and those it refers to. The report's entities
// are things, so each observable is one, with every identifier it has.
func (c *converter) observable(id string) {
	if c.o.id != id && c.take(id) == nil {
		return
	}
	c.walkObservable(id, map[string]bool{})
}

func (c *converter) walkObservable(id string, seen map[string]bool) {
	o := c.b.newest[id]
	if o == nil || seen[id] || !o.shape().observable || c.b.budget < 0 || len(c.r.Entities) >= maxEntities && c.left > 0 {
		return
	}
	seen[id] = true
	if id != c.o.id {
		c.take(id)
	}
	c.entity(observableEntity(o.typ, o.m))
	refs := o.refs()
	slices.Sort(refs)
	for _, ref := range slices.Compact(refs) {
		c.walkObservable(ref, seen)
	}
}

// oldObjects reads the deprecated embedded objects of observed-data.
func (c *converter) oldObjects() {
	objects, _ := c.o.m["objects"].(map[string]any)
	for _, k := range slices.Sorted(maps.Keys(objects)) {
		m, _ := objects[k].(map[string]any)
		typ, _ := m["type"].(string)
		c.entity(observableEntity(typ, m))
	}
}

// observableEntity is the thing an observable describes; nil when it has no
// identifier and no name.
func observableEntity(typ string, m map[string]any) *wf.Entity {
	e := &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_INFRASTRUCTURE}
	text := func(name string) string { s, _ := m[name].(string); return s }
	add := func(ids ...*wf.Identifier) {
		for _, id := range ids {
			if id != nil {
				e.Identifiers = append(e.Identifiers, id)
			}
		}
	}
	switch typ {
	case "ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr", "mac-addr":
		add(addressIdentifier(typ, text("value")))
	case "user-account":
		for _, name := range []string{"user_id", "account_login"} {
			add(account(text(name), text("account_type")))
		}
	case "file", "artifact", "x509-certificate":
		e.Role = wf.EntityRole_ENTITY_ROLE_MENTIONED
		hashes, _ := m["hashes"].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(hashes)) {
			v, _ := hashes[name].(string)
			add(hash(name, v))
		}
		if typ == "artifact" {
			add(addressIdentifier("url", text("url")))
		}
	}
	name := codec.Line(text("name"))
	if typ == "email-message" {
		name = codec.Line(text("subject"))
	}
	if len(e.Identifiers) == 0 && name == "" {
		return nil
	}
	if name != "" || typ == "file" {
		e.Detail = &wf.Entity_Item{Item: &wf.Item{Kind: short(typ, 120), Name: short(name, 900)}}
	}
	return e
}

// observed is the thing behind one value of a pattern.
func observed(id *wf.Identifier) *wf.Entity {
	e := &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_INFRASTRUCTURE, Identifiers: []*wf.Identifier{id}}
	if id.Type == wf.IdentifierType_IDENTIFIER_TYPE_HASH {
		e.Role = wf.EntityRole_ENTITY_ROLE_MENTIONED
		e.Detail = &wf.Entity_Item{Item: &wf.Item{Kind: "file"}}
	}
	return e
}

// selfEntity is what the object names by itself: its STIX id, its aliases, its CVE.
func selfEntity(o *object) *wf.Entity {
	if o.shape().observable {
		return nil
	}
	if o.typ == "identity" {
		return identity(o)
	}
	e := &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_MENTIONED}
	if !genericType(o.typ) && o.typ != "relationship" {
		e.Identifiers = append(e.Identifiers, &wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_STIX, Value: o.id})
	}
	if o.typ == "vulnerability" {
		e.Identifiers = append(e.Identifiers, cves(o)...)
	}
	name := short(codec.Line(o.str("name")), 900)
	switch o.typ {
	case "threat-actor", "intrusion-set", "campaign":
		e.Role = wf.EntityRole_ENTITY_ROLE_SUBJECT
		aliases := lines(o.strs("aliases"))
		for i := range aliases {
			aliases[i] = short(aliases[i], 900)
		}
		e.Detail = &wf.Entity_Organization{Organization: &wf.Organization{Name: name, Aliases: aliases[:min(len(aliases), 1000)]}}
	case "malware", "tool", "vulnerability", "infrastructure":
		if name != "" {
			e.Detail = &wf.Entity_Item{Item: &wf.Item{Kind: o.typ, Name: name}}
		}
	}
	return e
}

// cves are the CVE names of a vulnerability.
func cves(o *object) []*wf.Identifier {
	names := []string{o.str("name")}
	list, _ := o.m["external_references"].([]any)
	for _, v := range list {
		m, _ := v.(map[string]any)
		if s, _ := m["external_id"].(string); s != "" {
			names = append(names, s)
		}
	}
	var out []*wf.Identifier
	for _, s := range names {
		id := identifier(wf.IdentifierType_IDENTIFIER_TYPE_CVE, s, "")
		if id != nil && !slices.ContainsFunc(out, func(x *wf.Identifier) bool { return x.Value == id.Value }) {
			out = append(out, id)
		}
	}
	return out
}

// identity is a person or an organization.
func identity(o *object) *wf.Entity {
	e := &wf.Entity{Role: wf.EntityRole_ENTITY_ROLE_MENTIONED}
	name := short(codec.Line(o.str("name")), 900)
	if o.str("identity_class") == "individual" {
		e.Detail = &wf.Entity_Person{Person: &wf.Person{Names: []*wf.PersonName{{Full: name}}}}
		return e
	}
	var sectors []string
	for _, s := range lines(o.strs("sectors")) {
		sectors = append(sectors, short(s, 120))
	}
	e.Detail = &wf.Entity_Organization{Organization: &wf.Organization{Name: name, Sectors: sectors[:min(len(sectors), 64)]}}
	return e
}
