package stix

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// references writes each reference where STIX has it: in a list of the object,
// or as a relationship.
func (e *encoder) references() {
	for _, ref := range e.r.GetReferences() {
		if !validID(ref.GetRecord()) {
			continue // another format's record: STIX cannot name it
		}
		id, word := ref.GetRecord(), ref.GetRelationship()
		switch {
		case e.typ == "sighting" && word == "sighting-of":
			e.m["sighting_of_ref"] = id
		case e.typ == "sighting" && word == "observed-data":
			e.add("observed_data_refs", id)
		case e.typ == "sighting" && word == "where-sighted":
			e.add("where_sighted_refs", id)
		case e.typ == "malware-analysis" && word == "analysis":
			e.add("analysis_sco_refs", id)
		case e.contains() && slices.Contains([]string{"contains", "observed", "note", "opinion"}, word):
			e.add("object_refs", id)
		case strings.HasSuffix(word, " (by)"):
			e.relate(id, strings.TrimSuffix(word, " (by)"), e.id)
		default:
			e.relate(e.id, word, id)
		}
	}
}

func (e *encoder) add(list, id string) {
	have, _ := e.m[list].([]string)
	e.m[list] = append(have, id)
}

// partTime is the version of the parts: the report's revision is the latest of them.
func (e *encoder) partTime() string {
	if e.r.GetRevision() > uint64(e.modified.UnixMilli()) {
		return timeText(time.UnixMilli(int64(e.r.GetRevision())))
	}
	return timeText(e.modified)
}

// relate adds a relationship; its id follows from what it says.
func (e *encoder) relate(source, word, target string) {
	if word == "" {
		word = "related-to"
	}
	at := e.partTime()
	e.objects = append(e.objects, map[string]any{
		"type": "relationship", "spec_version": "2.1", "id": "relationship--" + report.RecordID(source, word+" "+target),
		"created": at, "modified": at, "relationship_type": word, "source_ref": source, "target_ref": target,
	})
}

// attach ties a folded object to the main one.
func (e *encoder) attach(id, word string) {
	switch {
	case e.typ == "sighting" && word == "witness":
		e.add("where_sighted_refs", id)
	case e.contains():
		e.add("object_refs", id)
	default:
		e.relate(e.id, word, id)
	}
}

// entities writes what the object itself does not name again.
func (e *encoder) entities() {
	inPattern := map[string]bool{}
	for _, id := range patternIdentifiers(e.r.GetCyber().GetPattern()) {
		inPattern[id.GetType().String()+id.GetValue()] = true
	}
	for _, x := range e.r.GetEntities() {
		switch {
		case e.self(x):
		case x.GetOrganization() != nil:
			e.identity(x, x.GetOrganization().GetName(), "organization", x.GetOrganization().GetSectors())
		case x.GetPerson() != nil && len(x.GetPerson().GetNames()) > 0:
			e.identity(x, x.GetPerson().GetNames()[0].GetFull(), "individual", nil)
		case len(x.GetIdentifiers()) > 0 && inPattern[x.GetIdentifiers()[0].GetType().String()+x.GetIdentifiers()[0].GetValue()]:
		default:
			e.observable(x)
		}
	}
}

// self says whether the entity is the object's own, and writes its aliases.
func (e *encoder) self(x *wf.Entity) bool {
	own := e.typ == "vulnerability" || e.typ == "identity"
	for _, id := range x.GetIdentifiers() {
		own = own || id.GetType() == wf.IdentifierType_IDENTIFIER_TYPE_STIX && id.GetValue() == e.id
	}
	if x.GetItem().GetKind() == e.typ && x.GetItem().GetName() == e.name() {
		own = true
	}
	if !own {
		return false
	}
	if a := x.GetOrganization().GetAliases(); len(a) > 0 {
		e.m["aliases"] = a
	}
	if s := x.GetOrganization().GetSectors(); len(s) > 0 {
		e.m["sectors"] = s
	}
	var external []map[string]string
	for _, id := range x.GetIdentifiers() {
		if id.GetType() == wf.IdentifierType_IDENTIFIER_TYPE_CVE {
			external = append(external, map[string]string{"source_name": "cve", "external_id": id.GetValue()})
		}
	}
	if len(external) > 0 {
		e.m["external_references"] = external
	}
	return true
}

func (e *encoder) identity(x *wf.Entity, name, class string, sectors []string) {
	if name == "" {
		return
	}
	at := e.partTime()
	m := map[string]any{"type": "identity", "spec_version": "2.1", "id": "identity--" + report.RecordID(e.id, class+" "+name),
		"created": at, "modified": at, "name": name, "identity_class": class}
	if len(sectors) > 0 {
		m["sectors"] = sectors
	}
	e.objects = append(e.objects, m)
	word := "related-to"
	switch x.GetRole() {
	case wf.EntityRole_ENTITY_ROLE_TARGET:
		word = "targets"
	case wf.EntityRole_ENTITY_ROLE_SUBJECT:
		word = "attributed-to"
	case wf.EntityRole_ENTITY_ROLE_WITNESS:
		word = "witness"
	}
	e.attach(m["id"].(string), word)
}

// observable writes a thing as the observable it came from.
func (e *encoder) observable(x *wf.Entity) {
	m := map[string]any{}
	typ := x.GetItem().GetKind()
	hashes := map[string]string{}
	for _, id := range x.GetIdentifiers() {
		switch id.GetType() {
		case wf.IdentifierType_IDENTIFIER_TYPE_IP, wf.IdentifierType_IDENTIFIER_TYPE_CIDR:
			typ, m["value"] = ipType(id.GetValue()), id.GetValue()
		case wf.IdentifierType_IDENTIFIER_TYPE_HASH:
			hashes[hashNames[id.GetIssuer()]] = id.GetValue()
		case wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT:
			typ, m["account_type"] = "user-account", id.GetIssuer()
			if m["user_id"] == nil {
				m["user_id"] = id.GetValue()
			} else {
				m["account_login"] = id.GetValue()
			}
		default:
			for name, t := range addressTypes {
				if t == id.GetType() {
					typ, m["value"] = name, id.GetValue()
				}
			}
		}
	}
	if len(hashes) > 0 {
		m["hashes"] = hashes
		if typ == "" {
			typ = "file"
		}
	}
	if name := x.GetItem().GetName(); typ == "email-message" {
		m["subject"], m["is_multipart"] = name, false
	} else if name != "" {
		m["name"] = name
	}
	if !shapes[typ].observable || len(m) == 0 {
		return // STIX has no object for it
	}
	m["type"], m["id"] = typ, typ+"--"+report.RecordID(e.id, x.String())
	e.objects = append(e.objects, m)
	e.attach(m["id"].(string), "related-to")
}

var hashNames = map[string]string{"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512"}

func ipType(s string) string {
	host, _, _ := strings.Cut(s, "/")
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		return "ipv6-addr"
	}
	return "ipv4-addr"
}

func (e *encoder) places() {
	at := e.partTime()
	for _, p := range e.r.GetPlaces() {
		m := map[string]any{"type": "location", "spec_version": "2.1", "id": "location--" + report.RecordID(e.id, p.String()), "created": at, "modified": at}
		if p.GetName() != "" {
			m["name"] = p.GetName()
		}
		if pt := p.GetPoint(); pt != nil {
			m["latitude"], m["longitude"] = pt.GetLatitude(), pt.GetLongitude()
			if p.GetUncertaintyM() > 0 {
				m["precision"] = p.GetUncertaintyM()
			}
		}
		if c := p.GetAddress().GetCountry(); c != "" {
			m["country"] = strings.ToUpper(c)
		}
		if p.GetState() != "" {
			m["country"], m["administrative_area"] = "US", "US-"+p.GetState()
		}
		for name, s := range map[string]string{"street_address": p.GetAddress().GetStreet(), "city": p.GetAddress().GetCity(), "postal_code": p.GetAddress().GetPostcode()} {
			if s != "" {
				m[name] = s
			}
		}
		if m["latitude"] == nil && m["country"] == nil {
			m["region"] = "unspecified"
		}
		e.objects = append(e.objects, m)
		word := "located-at"
		switch p.GetRole() {
		case wf.PlaceRole_PLACE_ROLE_TARGET:
			word = "targets"
		case wf.PlaceRole_PLACE_ROLE_EVENT:
			word = "witness"
		}
		e.attach(m["id"].(string), word)
	}
}
