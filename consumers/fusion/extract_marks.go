package fusion

import (
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// references reads the report's own name and the records it names.
func (x *extraction) references(f *facts, r *wf.Report) {
	if r.Record != "" {
		f.own = x.record(r.Agency, r.Record, true)
	}
	for i, ref := range r.References {
		if i == maxReferences {
			break
		}
		if ref.GetType() == wf.ReferenceType_REFERENCE_TYPE_CONTEXT || ref.GetRecord() == "" {
			continue
		}
		agency := ref.GetAgency()
		if agency == "" {
			agency = r.Agency
			// A name without an agency may be anybody's, such as a CAP incident.
			if !global(ref.Record) {
				x.record("*", ref.Record, false)
			}
		}
		h := x.record(agency, ref.Record, false)
		switch ref.GetType() {
		case wf.ReferenceType_REFERENCE_TYPE_CANCELS:
			f.cancel = true
			x.super = append(x.super, h)
		case wf.ReferenceType_REFERENCE_TYPE_SUPERSEDES:
			x.super = append(x.super, h)
		}
	}
	if l := r.GetLineage(); l.GetOriginatorRecord() != "" && l.GetOriginator() != "" {
		x.record(l.Originator, l.OriginatorRecord, false)
	}
}

// record marks the name of a record and returns its hash. A record name
// belongs to its agency unless it is global by its form.
func (x *extraction) record(agency, record string, own bool) uint64 {
	name := strings.ToUpper(strings.TrimSpace(record))
	if nobody.has(fold(name)) || name == "" || name == "0" {
		return 0
	}
	kind := wReference
	if global(name) {
		agency = "*"
		name = twoParts(name)
		switch stixType(name) {
		case "MARKING-DEFINITION", "EXTENSION-DEFINITION", "LANGUAGE-CONTENT":
			return 0
		case "IDENTITY", "LOCATION", "TOOL", "MALWARE", "VULNERABILITY", "CAMPAIGN", "INTRUSION-SET", "THREAT-ACTOR", "ATTACK-PATTERN", "COURSE-OF-ACTION":
			kind = wObject
		}
	}
	h := hashParts("record", agency, name)
	x.mark(keyReference, mark{kind: kind, value: short(record), own: own}, h)
	return h
}

// twoParts drops the time from a CAP reference "sender,identifier,sent".
func twoParts(s string) string {
	if i := strings.IndexByte(s, ','); i >= 0 {
		if j := strings.IndexByte(s[i+1:], ','); j >= 0 {
			return s[:i+1+j]
		}
	}
	return s
}

// global says whether a record name is unique in the world by its form: a
// STIX id or UUID, a URN or URL, or CAP's "sender,identifier".
func global(s string) bool {
	if len(s) >= 36 && uuidShape(s[len(s)-36:]) {
		return true
	}
	if len(s) < 12 {
		return false
	}
	return strings.IndexByte(s, ',') > 0 || hasFold(s, "urn:") || hasFold(s, "http:") || hasFold(s, "https:")
}

func hasFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func uuidShape(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
				return false
			}
		}
	}
	return true
}

func stixType(name string) string {
	if i := strings.Index(name, "--"); i > 0 && len(name) == i+2+36 {
		return name[:i]
	}
	return ""
}

// markRule is how identifiers of a type are keyed and weighed.
type markRule struct {
	key    keyType
	weight weight
	issued bool // the issuer is part of the name
}

var markRules = [...]markRule{
	wf.IdentifierType_IDENTIFIER_TYPE_PHONE:          {keyPhone, wPhone, false},
	wf.IdentifierType_IDENTIFIER_TYPE_EMAIL:          {keyEmail, wEmail, false},
	wf.IdentifierType_IDENTIFIER_TYPE_PLATE:          {keyPlate, wPlate, false},
	wf.IdentifierType_IDENTIFIER_TYPE_VIN:            {keyVIN, wVIN, false},
	wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT:       {keyPersonNumber, wPersonNumber, true},
	wf.IdentifierType_IDENTIFIER_TYPE_DRIVER_LICENSE: {keyPersonNumber, wPersonNumber, true},
	wf.IdentifierType_IDENTIFIER_TYPE_SSN:            {keyPersonNumber, wPersonNumber, false},
	wf.IdentifierType_IDENTIFIER_TYPE_NATIONAL_ID:    {keyPersonNumber, wPersonNumber, true},
	wf.IdentifierType_IDENTIFIER_TYPE_IMEI:           {keyDevice, wDeviceNumber, false},
	wf.IdentifierType_IDENTIFIER_TYPE_SERIAL:         {keySerial, wSerial, true},
	wf.IdentifierType_IDENTIFIER_TYPE_IP:             {keyIP, wIP, false},
	wf.IdentifierType_IDENTIFIER_TYPE_CIDR:           {keyCIDR, wCIDR, false},
	wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN:         {keyDomain, wDomain, false},
	wf.IdentifierType_IDENTIFIER_TYPE_URL:            {keyURL, wURL, false},
	wf.IdentifierType_IDENTIFIER_TYPE_HASH:           {keyHash, wHash, false},
	wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT:        {keyAccount, wAccount, true},
	wf.IdentifierType_IDENTIFIER_TYPE_TAIL_NUMBER:    {keyCraft, wCraft, false},
	wf.IdentifierType_IDENTIFIER_TYPE_IMO:            {keyCraft, wCraft, false},
	wf.IdentifierType_IDENTIFIER_TYPE_MMSI:           {keyCraft, wCraft, false},
	wf.IdentifierType_IDENTIFIER_TYPE_HULL:           {keyCraft, wCraft, false},
	wf.IdentifierType_IDENTIFIER_TYPE_VTEC:           {keyEvent, wEventKey, false},
	wf.IdentifierType_IDENTIFIER_TYPE_MAC:            {keyDevice, wDeviceNumber, false},
	wf.IdentifierType_IDENTIFIER_TYPE_FBI:            {keyPersonNumber, wPersonNumber, true},
	wf.IdentifierType_IDENTIFIER_TYPE_CVE:            {keyCVE, wCVE, false},
	wf.IdentifierType_IDENTIFIER_TYPE_STORM:          {keyEvent, wEventKey, false},
	wf.IdentifierType_IDENTIFIER_TYPE_OTHER:          {keyOtherID, wOtherID, true},
}

// identifier marks one identifier of an entity; p is the person it belongs to.
func (x *extraction) identifier(id *wf.Identifier, p *person) {
	t, v := id.GetType(), strings.TrimSpace(id.GetValue())
	if v == "" || len(v) > 2048 {
		return
	}
	switch t {
	case wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER:
		issuer := id.GetIssuer()
		if issuer == "" {
			issuer = x.agency
		}
		x.record(issuer, v, false)
		return
	case wf.IdentifierType_IDENTIFIER_TYPE_STIX:
		x.record("*", v, false)
		return
	}
	if t <= 0 || int(t) >= len(markRules) || markRules[t].key == keyNone {
		return
	}
	rule := markRules[t]
	if stopped(t, v) {
		if len(x.ignored) < maxListed {
			x.ignored = append(x.ignored, listed{makeKey(rule.key, hashParts(v)), short(v), rule.weight})
		}
		return
	}
	x.plain(id, rule, v, p)
}

func (x *extraction) plain(id *wf.Identifier, rule markRule, v string, p *person) {
	issuer := strings.ToUpper(id.GetIssuer())
	m := mark{kind: rule.weight, value: short(v)}
	switch rule.key {
	case keyPlate:
		x.plate(id, v, issuer)
		return
	case keyPersonNumber:
		class := hashParts(id.GetType().String(), issuer)
		if p != nil && len(p.numbers) < maxNumbers {
			p.numbers = append(p.numbers, number{class, short(v)})
		}
		if rule.issued && issuer == "" && len(v) < 8 {
			m.kind = wOtherID
		}
	case keySerial:
		if issuer == "" {
			m.kind = wOtherID
		}
	}
	if id.GetPartial() || strings.IndexByte(v, '?') >= 0 {
		return // only plates are compared in part
	}
	if !rule.issued {
		issuer = ""
	}
	x.mark(rule.key, m, hashParts(rule.name(id), issuer, strings.ToLower(v)))
	switch rule.key {
	case keyEmail:
		x.emailKeys(strings.ToLower(v))
	case keyIP, keyCIDR:
		x.networkKeys(v)
	case keyDomain, keyURL:
		x.host(strings.ToLower(v), rule.key == keyURL)
	}
}

// host marks the host of a link, and the site that a host belongs to.
func (x *extraction) host(v string, link bool) {
	if link {
		if _, rest, ok := strings.Cut(v, "://"); ok {
			v = rest
		}
		v, _, _ = strings.Cut(v, "/")
		v, _, _ = strings.Cut(v, ":")
		v = strings.TrimPrefix(v, "www.")
		if v == "" || stopDomains[v] || strings.IndexByte(v, '.') < 0 || digit(v[len(v)-1]) {
			return
		}
		x.mark(keyDomain, mark{kind: wDomain, value: short(v)}, hashParts("", "", v))
	}
	if s := site(v); s != "" && s != v && !sharedHosts[s] && !stopDomains[s] && !mailHosts[s] {
		x.mark(keyDomain, mark{kind: wSite, value: short(s)}, hashParts("", "", s))
	}
}

// name keeps types that share a key type apart.
func (r markRule) name(id *wf.Identifier) string {
	switch r.key {
	case keyPersonNumber, keyCraft, keyDevice, keyEvent:
		return id.GetType().String()
	}
	return ""
}

// plate marks a plate by its folded characters. Its first and last three,
// with the place or the look of the vehicle, bring it together with plates
// that differ in one or were seen in part: alone those never link.
func (x *extraction) plate(id *wf.Identifier, v, issuer string) {
	f := foldPlate(v)
	if len(f) < 3 || len(f) > 10 {
		return
	}
	m := mark{kind: wPlate, value: short(v), folded: f}
	if issuer != "" {
		m.issuer = hashString(issuer)
	}
	unseen := strings.Count(f, "?")
	if unseen > 0 || id.GetPartial() {
		if len(f)-unseen < 3 {
			return
		}
		m.kind = wPlatePartial
		m.hidden = uint8(max(unseen, 1))
	}
	x.mark(keyPlate, m, hashParts("plate", f))
}

// platesClose proposes by the ends of plates.
func (x *extraction) platesClose() {
	for i := range x.ids {
		m := &x.ids[i]
		if m.key.kind() != keyPlate {
			continue
		}
		f := m.folded
		for _, end := range [...]string{f[:3], f[len(f)-3:]} {
			if strings.IndexByte(end, '?') >= 0 {
				continue
			}
			h := hashString(end)
			for _, c := range x.cells(500_000, 0) {
				x.key(keyPlateClose, mix(h, c))
			}
			if len(x.spots) == 0 {
				for _, v := range x.vehicles {
					x.key(keyPlateClose, mix(h, uint64(v.make)<<32|uint64(v.model)))
				}
			}
		}
	}
}

// phonesClose keys each phone, together with a surname, by either half of its
// digits: one stays when one digit is wrong or two have changed places.
func (x *extraction) phonesClose(family uint64) {
	for i := range x.ids {
		m := &x.ids[i]
		if v := m.value; m.kind == wPhone && len(v) >= 10 && len(v) <= 16 {
			x.key(keyPhoneClose, mix(family, hashParts("head", v[:len(v)-4])))
			x.key(keyPhoneClose, mix(family, hashParts("tail", v[len(v)-4:])))
		}
	}
}
