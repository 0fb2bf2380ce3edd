package stix

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// check refuses what STIX 2.1 does not allow, as far as one object tells.
func (o *object) check() {
	if !typeName(o.typ) {
		o.bad(admission.Invalid, "type", quote(o.typ)+" is not the name of a type", "use 3 to 250 of a-z, 0-9 and '-'")
		return
	}
	o.checkID()
	o.checkVersion()
	o.checkTimes()
	s := o.shape()
	for _, name := range slices.Sorted(maps.Keys(s.required)) {
		o.need(name, s.required[name])
	}
	o.checkRefs()
	o.checkSpecial()
	o.checkGranular()
}

func typeName(s string) bool {
	return len(s) >= 3 && len(s) <= 250 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// validID says whether s is type--uuid in lower case.
func validID(s string) bool {
	return report.NormalIdentifier(&wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_STIX, Value: s}) == nil
}

func (o *object) checkID() {
	switch {
	case o.id == "":
		o.bad(admission.Missing, "id", "the object has no id", "give type--uuid")
	case !validID(o.id):
		o.bad(admission.Invalid, "id", quote(o.id)+" is not type--uuid with a lower-case RFC 4122 UUID", "write the UUID in lower case")
	case typeOf(o.id) != o.typ:
		o.bad(admission.Invalid, "id", quote(o.id)+" is the id of another type than "+o.typ, "start the id with the type")
	}
}

func (o *object) checkVersion() {
	v, present := o.m["spec_version"]
	switch {
	case present && v != "2.1":
		o.bad(admission.Invalid, "spec_version", fmt.Sprintf("the object is of another version than 2.1: %v", v), "convert it to STIX 2.1")
	case !present && !o.shape().observable:
		o.bad(admission.Missing, "spec_version", "spec_version is required", `give "2.1"`)
	}
}

func (o *object) checkTimes() {
	for _, name := range timeProperties {
		if v, present := o.m[name]; present {
			s, _ := v.(string)
			if t, ok := parseTime(s); !ok || t.Year() < 1850 {
				o.bad(admission.BadTime, name, quote(s)+" is not a time with a zone", "write it as 2016-05-12T08:17:27.000Z")
			}
		}
	}
	if o.shape().observable {
		return
	}
	o.need("created", 's')
	o.created = o.instant("created")
	if o.typ == "marking-definition" {
		return
	}
	o.need("modified", 's')
	o.modified = o.instant("modified")
	switch {
	case o.created.IsZero() || o.modified.IsZero():
	case o.modified.Before(o.created):
		o.bad(admission.BadTime, "modified", "the object was modified before it was created", "correct one of the two")
	case o.modified.Before(time.Unix(0, 0)):
		o.bad(admission.BadTime, "modified", quote(o.str("modified"))+" is before 1970", "correct it")
	}
	o.checkOrder("first_seen", "last_seen")
	o.checkOrder("first_observed", "last_observed")
	o.checkOrder("valid_from", "valid_until")
}

func (o *object) checkOrder(from, to string) {
	if a, b := o.instant(from), o.instant(to); !a.IsZero() && !b.IsZero() && b.Before(a) {
		o.bad(admission.BadTime, to, to+" is before "+from, "correct one of the two")
	}
}

// need refuses a required property that is absent, empty or of another type.
func (o *object) need(name string, kind byte) {
	v, present := o.m[name]
	if !present {
		o.bad(admission.Missing, name, name+" is required in "+o.typ, "give it")
		return
	}
	ok := false
	switch kind {
	case 's', 't', 'r':
		s, isText := v.(string)
		ok = isText && s != ""
	case 'l', 'R':
		list, isList := v.([]any)
		ok = isList && len(list) > 0
	case 'b':
		_, ok = v.(bool)
	case 'n':
		_, ok = v.(json.Number)
	case 'o':
		_, ok = v.(map[string]any)
	}
	if !ok {
		o.bad(admission.Invalid, name, name+" is empty or of another JSON type", "give it as the schema says")
	}
}

// checkRefs wants every reference to be an id; what it refers to may be elsewhere.
func (o *object) checkRefs() {
	refs := o.refs()
	slices.Sort(refs)
	for _, id := range slices.Compact(refs) {
		if !validID(id) && !o.oldObservable(id) {
			o.bad(admission.Invalid, "", "the reference "+quote(id)+" is not type--uuid with a lower-case RFC 4122 UUID", "refer by id")
		}
	}
	for i, id := range o.strs("object_marking_refs") {
		if typeOf(id) != "marking-definition" {
			o.bad(admission.UnknownMarking, fmt.Sprintf("object_marking_refs[%d]", i), quote(id)+" is no marking definition", "refer to a marking-definition")
		}
	}
}

// oldObservable allows the numbers by which the deprecated "objects" of
// observed-data refer to one another.
func (o *object) oldObservable(id string) bool {
	_, err := strconv.ParseUint(id, 10, 32)
	return err == nil && o.typ == "observed-data" && o.m["objects"] != nil
}

// checkSpecial holds the rules that one property does not tell.
func (o *object) checkSpecial() {
	switch o.typ {
	case "location":
		o.checkLocation()
	case "observed-data":
		if o.m["objects"] == nil && len(o.strs("object_refs")) == 0 {
			o.bad(admission.Missing, "object_refs", "the observed data refers to nothing observed", "give object_refs")
		}
	case "malware-analysis":
		if o.str("result") == "" && len(o.strs("analysis_sco_refs")) == 0 {
			o.bad(admission.Missing, "result", "the analysis has neither a result nor observables", "give result or analysis_sco_refs")
		}
	case "malware":
		if o.flag("is_family") && o.str("name") == "" {
			o.bad(admission.Missing, "name", "a malware family has no name", "name it")
		}
	}
	if v, present := o.m["confidence"]; present {
		if n, ok := o.number("confidence"); !ok || n < 0 || n > 100 {
			o.bad(admission.Invalid, "confidence", fmt.Sprintf("confidence %v is not between 0 and 100", v), "leave it out when it is not known")
		}
	}
	if v, present := o.m["revoked"]; present {
		if _, ok := v.(bool); !ok {
			o.bad(admission.Invalid, "revoked", "revoked is neither true nor false", "give a boolean")
		}
	}
}

func (o *object) checkLocation() {
	lat, hasLat := o.float("latitude")
	lon, hasLon := o.float("longitude")
	switch {
	case hasLat != hasLon:
		o.bad(admission.BadGeometry, "latitude", "there is only one of latitude and longitude", "give both or neither")
	case hasLat && (lat < -90 || lat > 90 || lon < -180 || lon > 180):
		o.bad(admission.BadGeometry, "latitude", "the point is off the map", "give decimal degrees")
	case !hasLat && o.str("region") == "" && o.str("country") == "":
		o.bad(admission.Missing, "region", "the location has neither region nor country nor a point", "give at least one")
	}
	if p, ok := o.float("precision"); ok && (!hasLat || p < 0) {
		o.bad(admission.Invalid, "precision", "precision is given without a point, or negative", "give metres beside latitude and longitude")
	}
}

// quote shows a value of the input, cut short.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "..."
	}
	return strconv.Quote(s)
}
