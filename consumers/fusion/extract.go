package fusion

import (
	"cmp"
	"slices"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// What is read of one report. More of anything is left out, in the order of
// the report, so that hostile input costs bounded time and memory.
const (
	maxEntities   = 64
	maxMarks      = 96
	maxPersons    = 8
	maxNames      = 4
	maxNumbers    = 4
	maxReferences = 96
	maxPlaces     = 96
	maxSpots      = 4
	maxVehicles   = 4
	maxCounties   = 256
	maxOutline    = 12
	maxKeys       = 96
	maxOfType     = 64
	maxNarrative  = 16 << 10
	maxListed     = 8
)

// extraction collects the features of one report in reused memory.
type extraction struct {
	keys      []key
	ids       []mark
	persons   []person
	spots     []spot
	vehicles  []vehicle
	counties  []uint32
	outline   []geo
	ignored   []listed
	towns     []uint64
	addresses []address
	things    []thing
	grid      []uint64
	super     []uint64
	agency    string
	entity    uint8
	facts     facts
}

func (x *extraction) reset(agency string) {
	*x = extraction{
		keys: x.keys[:0], ids: x.ids[:0], persons: x.persons[:0], spots: x.spots[:0], vehicles: x.vehicles[:0],
		counties: x.counties[:0], outline: x.outline[:0], ignored: x.ignored[:0], towns: x.towns[:0], addresses: x.addresses[:0], things: x.things[:0], grid: x.grid[:0],
		super: x.super[:0], agency: agency, facts: x.facts,
	}
}

func (x *extraction) key(t keyType, hash uint64) { x.keys = append(x.keys, makeKey(t, hash).list()) }

// mark notes an identifier and proposes by it.
func (x *extraction) mark(t keyType, m mark, hash uint64) {
	if len(x.ids) == maxMarks {
		return
	}
	m.key = makeKey(t, hash)
	m.entity = x.entity
	x.ids = append(x.ids, m)
	x.keys = append(x.keys, m.key.list())
}

// extract reads a report. The facts hold until the next is read.
func (e *Engine) extract(in Input) *facts {
	r, x := in.Report, &e.ext
	x.reset(r.Agency)
	f := &x.facts
	*f = facts{
		revision: r.Revision, id: reportIDOf(r.Id), record: r.Record, cell: e.words.use(in.Cell), agency: e.words.use(r.Agency),
		kind: enum(r.Kind), severity: enum(r.Severity),
		reliability: enum(r.SourceReliability), credibility: enum(r.InformationCredibility),
	}
	e.times(f, r)
	x.references(f, r)
	f.origin = e.words.use(cmp.Or(r.GetLineage().GetOriginator(), r.Agency))
	x.places(f, r)
	x.entities(r)
	x.body(f, r)
	x.title(r)
	x.thingKeys()
	x.personKeys()
	x.placeKeys(f)
	var words int
	f.sketch, words = sketch(r.Narrative)
	if r.Kind != wf.Kind_KIND_HAZARD { // alerts are written by form
		x.copyKey(&f.sketch, words)
	}
	x.settle(f)
	return f
}

// enum keeps an enum value in a byte; what is out of range is unspecified.
func enum[T ~int32](v T) uint8 {
	if v < 0 || v > 200 {
		return 0
	}
	return uint8(v)
}

// times fills in the clocks of a report. An absent event time is the report's.
func (e *Engine) times(f *facts, r *wf.Report) {
	if r.ReportTime != nil {
		f.reported = r.ReportTime.AsTime().UnixMilli()
	}
	f.time = f.reported
	end := f.time
	if s := r.GetEventTime().GetStart(); s != nil {
		f.time = s.AsTime().UnixMilli()
		end = f.time
	}
	if t := r.GetEventTime().GetEnd(); t != nil {
		end = max(end, t.AsTime().UnixMilli())
	}
	if r.Expires != nil {
		f.expires = max(1, r.Expires.AsTime().UnixMilli())
		end = max(end, f.expires)
	}
	if k := int(r.Kind); k >= 0 && k < len(e.windows) && e.windows[k] > 0 {
		f.leave = max(1, end+e.windows[k])
	}
}

// settle sorts what was collected, drops doubles and caps it.
func (x *extraction) settle(f *facts) {
	slices.Sort(x.keys)
	f.keys = capKeys(slices.Compact(x.keys))
	slices.SortStableFunc(x.ids, func(a, b mark) int {
		if a.key != b.key {
			if a.key < b.key {
				return -1
			}
			return 1
		}
		if a.own != b.own { // the own name first, so that it is the one kept
			if a.own {
				return -1
			}
			return 1
		}
		if c := strings.Compare(a.value, b.value); c != 0 {
			return c
		}
		switch {
		case a.issuer < b.issuer:
			return 1
		case a.issuer > b.issuer:
			return -1
		}
		return 0
	})
	f.ids = slices.CompactFunc(x.ids, func(a, b mark) bool { return a.key == b.key })
	slices.Sort(x.counties)
	f.persons, f.places, f.vehicles, f.counties = x.persons, x.spots, x.vehicles, slices.Compact(x.counties)
	f.outline, f.ignored, f.supersede, f.addresses, f.things = x.outline, x.ignored, x.super, x.addresses, x.things
}

// capKeys keeps the most telling keys: they sort by type, then hash.
func capKeys(keys []key) []key {
	if len(keys) <= maxOfType {
		return keys
	}
	out, run := keys[:0], 0
	var last keyType
	for _, k := range keys {
		if k.kind() != last {
			last, run = k.kind(), 0
		}
		if run++; run <= maxOfType && len(out) < maxKeys {
			out = append(out, k)
		}
	}
	return out
}

// body reads what only one kind of report says.
func (x *extraction) body(f *facts, r *wf.Report) {
	switch b := r.Body.(type) {
	case *wf.Report_Sar:
		for i, v := range b.Sar.GetBehaviors() {
			if i < maxEntities && v > 0 && v < 32 {
				f.behaviors |= 1 << v
			}
		}
		x.thing(wTarget, keyTarget, b.Sar.GetTargetName())
	case *wf.Report_Threat:
		x.thing(wTarget, keyTarget, b.Threat.GetTargetName())
		x.named(keyMalware, wMalware, b.Threat.GetActor())
	case *wf.Report_Hazard:
		x.hazard(f, b.Hazard)
	case *wf.Report_Cyber:
		if describes[b.Cyber.GetObjectType()] {
			x.named(keyMalware, wMalware, b.Cyber.GetName())
		}
	case *wf.Report_Incident:
		if n := b.Incident.GetNumber(); n != "" {
			x.record(r.Agency, n, false)
		}
		if t := fold(b.Incident.GetType()); t != "" {
			f.incident = hashParts("incident", t)
		}
	case *wf.Report_Asset:
		x.thing(wFacility, keyOrganization, b.Asset.GetName())
		for i, n := range b.Asset.GetAliases() {
			if i < maxNames {
				x.thing(wFacility, keyOrganization, n)
			}
		}
		if id := b.Asset.GetAssetId(); id != "" {
			x.mark(keyOtherID, mark{kind: wOtherID, value: short(id)}, hashParts("asset", id))
		}
	}
}

// title notes the report's own title where nothing else says what it is of. A
// title of suspicious activity, a threat or a hazard is a sort of event, no name.
// Beside people and organizations that are named by the way, it is the title of
// what they made.
func (x *extraction) title(r *wf.Report) {
	switch r.Kind {
	case wf.Kind_KIND_INCIDENT, wf.Kind_KIND_ASSET, wf.Kind_KIND_RESOURCE, wf.Kind_KIND_BULLETIN:
	default:
		return
	}
	if len(x.spots) > 0 || len(x.addresses) > 0 || len(x.vehicles) > 0 || x.foreign() {
		return
	}
	if len(x.things) == 0 && len(x.persons) == 0 {
		x.thing(wTitle, keyWork, r.Title)
		return
	}
	if r.Kind != wf.Kind_KIND_INCIDENT || office(r.Title) {
		return
	}
	kind := wTitle
	if r.Narrative == "" && onlyMakers(r.Entities) && strings.Count(fold(r.Title), " ") >= 2 {
		kind = wWork
	}
	x.thing(kind, keyWork, r.Title)
}

// foreign says whether the report carries an identifier beside its own name.
func (x *extraction) foreign() bool {
	return slices.ContainsFunc(x.ids, func(m mark) bool { return !m.own && m.key.kind() != keyOrganization })
}

// onlyMakers says whether all that a report names is people and organizations
// in passing, by their names alone, as authors and publishers are.
func onlyMakers(entities []*wf.Entity) bool {
	for _, en := range entities {
		switch en.GetRole() {
		case wf.EntityRole_ENTITY_ROLE_MENTIONED, wf.EntityRole_ENTITY_ROLE_UNSPECIFIED:
		default:
			return false
		}
		p := en.GetPerson()
		if en.GetExtracted() || p.GetBirth() != nil || p.GetAge() != 0 || en.GetItem() != nil || en.GetVehicle() != nil || en.GetConveyance() != nil {
			return false
		}
	}
	return true
}

// office says whether a title is a person's: mister, doctor, manager of sales.
func office(title string) bool {
	for w := range strings.SplitSeq(fold(title), " ") {
		if offices[w] {
			return true
		}
	}
	return false
}

var offices = words(`mr mrs ms miss mister dr prof professor sir dame rev reverend father sister officer sergeant captain lieutenant major
	colonel general judge senator deputy sheriff chief head president director manager supervisor assistant associate secretary clerk
	analyst engineer developer programmer designer consultant representative agent broker accountant auditor nurse physician technician
	specialist coordinator administrator executive ceo cfo cto vp partner owner founder teacher lecturer driver operator worker inspector`)

// copyKey proposes reports whose narratives may be all but the same by their
// smallest shingle. The text of a form is a hub before long.
func (x *extraction) copyKey(s *[sketchSize]uint32, words int) {
	if words >= copyWords {
		x.key(keyCopy, mix(uint64(keyCopy), uint64(s[0])))
	}
}

// describes holds the STIX types whose name is a name.
var describes = map[string]bool{
	"malware": true, "campaign": true, "intrusion-set": true, "threat-actor": true, "infrastructure": true,
}

// named marks a thing by its name.
func (x *extraction) named(t keyType, kind weight, s string) {
	n := fold(s)
	if len(n) < 3 || nobody.has(n) {
		return
	}
	x.mark(t, mark{kind: kind, value: n}, hashParts(n))
}

func (x *extraction) hazard(f *facts, h *wf.Hazard) {
	f.cancel = h.GetMessageType() == wf.MessageType_MESSAGE_TYPE_CANCEL
	event := fold(h.GetEvent())
	if event == "" {
		event = fold(h.GetEventCode())
	}
	if event == "" {
		return
	}
	f.hazard = hashParts("hazard", event)
	f.rarity = rarityOf(event)
	if h.Onset != nil && instants[event] {
		f.rarity = wInstant
	}
}

// rarityOf says how telling it is that two reports name the same hazard.
func rarityOf(event string) weight {
	for _, w := range strings.Fields(event) {
		switch w {
		case "earthquake", "quake", "tsunami", "hurricane", "volcano", "nuclear", "radiological", "dam", "avalanche", "tornado":
			return wHazardRare
		case "heat", "flood", "wind", "marine", "craft", "fog", "frost", "freeze", "rip", "weather", "air", "surf", "statement", "cold":
			return wHazardCommon
		}
	}
	return wHazard
}

// short bounds a value that is shown.
func short(s string) string {
	if len(s) > maxName {
		return strings.ToValidUTF8(s[:maxName], "")
	}
	return s
}
