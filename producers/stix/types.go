package stix

// shape is what is known of a type.
type shape struct {
	// required properties beside the common ones, with the JSON type of each:
	// s text, l list, b bool, n number, t time, r reference, R references.
	required map[string]byte
	// observable: no created, no modified (SCO).
	observable bool
	// folded into the reports that refer to it.
	folded bool
	// generic background: a shared one is no evidence of one event.
	generic bool
}

var named = map[string]byte{"name": 's'}

var shapes = map[string]shape{
	"attack-pattern":   {required: named, generic: true},
	"campaign":         {required: named},
	"course-of-action": {required: named, generic: true},
	"grouping":         {required: map[string]byte{"context": 's', "object_refs": 'R'}},
	"identity":         {required: named, folded: true, generic: true},
	"incident":         {required: named},
	"indicator":        {required: map[string]byte{"pattern": 's', "pattern_type": 's', "valid_from": 't'}},
	"infrastructure":   {required: named},
	"intrusion-set":    {required: named},
	"location":         {folded: true, generic: true},
	"malware":          {required: map[string]byte{"is_family": 'b'}},
	"malware-analysis": {required: map[string]byte{"product": 's'}},
	"note":             {required: map[string]byte{"content": 's', "object_refs": 'R'}},
	"observed-data":    {required: map[string]byte{"first_observed": 't', "last_observed": 't', "number_observed": 'n'}},
	"opinion":          {required: map[string]byte{"opinion": 's', "object_refs": 'R'}},
	"report":           {required: map[string]byte{"name": 's', "published": 't', "object_refs": 'R'}},
	"threat-actor":     {required: named},
	"tool":             {required: named, generic: true},
	"vulnerability":    {required: named, generic: true},

	"relationship": {required: map[string]byte{"relationship_type": 's', "source_ref": 'r', "target_ref": 'r'}, folded: true},
	"sighting":     {required: map[string]byte{"sighting_of_ref": 'r'}},

	"language-content":     {required: map[string]byte{"object_ref": 'r', "contents": 'o'}, generic: true},
	"marking-definition":   {folded: true, generic: true},
	"extension-definition": {required: map[string]byte{"name": 's', "schema": 's', "version": 's', "extension_types": 'l', "created_by_ref": 'r'}, folded: true, generic: true},

	"artifact": sco(nil), "autonomous-system": sco(map[string]byte{"number": 'n'}), "directory": sco(map[string]byte{"path": 's'}),
	"domain-name": sco(value), "email-addr": sco(value), "email-message": sco(map[string]byte{"is_multipart": 'b'}), "file": sco(nil),
	"ipv4-addr": sco(value), "ipv6-addr": sco(value), "mac-addr": sco(value), "mutex": sco(named),
	"network-traffic": sco(map[string]byte{"protocols": 'l'}), "process": sco(nil), "software": sco(named), "url": sco(value),
	"user-account": sco(nil), "windows-registry-key": sco(nil), "x509-certificate": sco(nil),
}

var value = map[string]byte{"value": 's'}

func sco(required map[string]byte) shape {
	return shape{required: required, observable: true, folded: true, generic: true}
}

// shapeOf is the shape of the object's type. A type STIX does not define is
// background: an observable when it has no version of its own.
func (o *object) shape() shape {
	if s, ok := shapes[o.typ]; ok {
		return s
	}
	if o.m["created"] == nil && o.m["modified"] == nil {
		return shape{observable: true, folded: true, generic: true}
	}
	return shape{generic: true}
}

// genericType says whether a type is background; unknown types are.
func genericType(t string) bool {
	s, ok := shapes[t]
	return !ok || s.generic
}

// timeProperties are read as instants wherever they stand on an object.
var timeProperties = []string{"created", "modified", "first_seen", "last_seen", "first_observed", "last_observed",
	"valid_from", "valid_until", "published"}
