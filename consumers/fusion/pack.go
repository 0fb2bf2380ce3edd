package fusion

import (
	"encoding/binary"
	"slices"
	"unsafe"
)

// A live report is stored as one block of bytes, its facts packed: a mask of
// what there is, numbers as varints, clocks as differences from the event
// time, strings inline, an identifier by the place of its key in the key list,
// a UUID as sixteen bytes. The block says nothing of the event time, which
// stands in the node. TestPacking fails for a field that is not packed.

// What the mask says. A bit that is off stands for the zero value.
const (
	hasReported = 1 << iota // differs from the event time
	hasExpires
	hasLeave
	hasOrigin // differs from the agency
	hasBehaviors
	hasHazard
	hasRarity
	hasIncident
	hasSketch
	hasOwn
	hasCancel
	hasUUID
	hasRecord
	hasIDs
	hasPersons
	hasPlaces
	hasVehicles
	hasCounties
	hasOutline
	hasIgnored
	hasSupersede
	hasAddresses
	hasThings
)

// What a mark says of itself in its first byte.
const (
	markRaw    = 1 << iota // its key stands here, not in the key list
	markIssuer             // it has an issuer
	markFolded             // its folded form stands here
	markSame               // its folded form is its value
	markOwn
	markHidden
	markEntity
	markRecord // its value is the report's record
)

// pack appends the stored form of f.
func pack(b []byte, f *facts) []byte {
	var mask uint32
	set := func(bit uint32, on bool) {
		if on {
			mask |= bit
		}
	}
	set(hasReported, f.reported != f.time)
	set(hasExpires, f.expires != 0)
	set(hasLeave, f.leave != 0)
	set(hasOrigin, f.origin != f.agency)
	set(hasBehaviors, f.behaviors != 0)
	set(hasHazard, f.hazard != 0)
	set(hasRarity, f.rarity != 0)
	set(hasIncident, f.incident != 0)
	set(hasSketch, f.sketch != [sketchSize]uint32{})
	set(hasOwn, f.own != 0)
	set(hasCancel, f.cancel)
	set(hasUUID, f.id.text == "")
	set(hasRecord, f.record != "")
	set(hasIDs, len(f.ids) > 0)
	set(hasPersons, len(f.persons) > 0)
	set(hasPlaces, len(f.places) > 0)
	set(hasVehicles, len(f.vehicles) > 0)
	set(hasCounties, len(f.counties) > 0)
	set(hasOutline, len(f.outline) > 0)
	set(hasIgnored, len(f.ignored) > 0)
	set(hasSupersede, len(f.supersede) > 0)
	set(hasAddresses, len(f.addresses) > 0)
	set(hasThings, len(f.things) > 0)
	b = binary.LittleEndian.AppendUint32(b, mask)
	b = packKeys(b, f.keys)
	b = binary.AppendUvarint(b, f.revision)
	b = append(b, f.kind, f.severity, f.reliability, f.credibility)
	b = binary.AppendUvarint(b, uint64(f.cell))
	b = binary.AppendUvarint(b, uint64(f.agency))
	if mask&hasOrigin != 0 {
		b = binary.AppendUvarint(b, uint64(f.origin))
	}
	if mask&hasReported != 0 {
		b = binary.AppendVarint(b, f.reported-f.time)
	}
	if mask&hasExpires != 0 {
		b = binary.AppendVarint(b, f.expires-f.time)
	}
	if mask&hasLeave != 0 {
		b = binary.AppendVarint(b, f.leave-f.time)
	}
	if f.id.text == "" {
		b = append(b, f.id.uuid[:]...)
	} else {
		b = packString(b, f.id.text)
	}
	if mask&hasRecord != 0 {
		b = packString(b, f.record)
	}
	return packFeatures(b, f, mask)
}

// packFeatures appends what is compared.
func packFeatures(b []byte, f *facts, mask uint32) []byte {
	if mask&hasBehaviors != 0 {
		b = binary.AppendUvarint(b, uint64(f.behaviors))
	}
	for _, x := range [...]struct{ bit, v uint64 }{
		{hasHazard, f.hazard}, {hasIncident, f.incident}, {hasOwn, f.own},
	} {
		if uint64(mask)&x.bit != 0 {
			b = binary.LittleEndian.AppendUint64(b, x.v)
		}
	}
	if mask&hasRarity != 0 {
		b = append(b, byte(f.rarity))
	}
	if mask&hasSketch != 0 {
		for _, v := range f.sketch {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
	}
	b = packList(b, f.ids, func(b []byte, m mark) []byte { return packMark(b, m, f) })
	b = packList(b, f.persons, packPerson)
	b = packList(b, f.places, func(b []byte, s spot) []byte {
		return binary.AppendVarint(packGeo(b, s.geo), int64(s.radius))
	})
	b = packList(b, f.vehicles, func(b []byte, v vehicle) []byte {
		b = binary.LittleEndian.AppendUint32(b, v.make)
		b = binary.LittleEndian.AppendUint32(b, v.model)
		return binary.LittleEndian.AppendUint32(b, v.color)
	})
	b = packList(b, f.counties, func(b []byte, c uint32) []byte { return binary.AppendUvarint(b, uint64(c)) })
	b = packList(b, f.outline, packGeo)
	b = packList(b, f.ignored, func(b []byte, l listed) []byte {
		b = binary.LittleEndian.AppendUint64(b, uint64(l.key))
		return append(packString(b, l.value), byte(l.kind))
	})
	b = packList(b, f.supersede, binary.LittleEndian.AppendUint64)
	b = packList(b, f.addresses, packAddress)
	return packList(b, f.things, func(b []byte, t thing) []byte { return packString(append(b, byte(t.kind)), t.name) })
}

// packList appends the length and the elements of a list that is not empty.
func packList[T any](b []byte, list []T, one func([]byte, T) []byte) []byte {
	if len(list) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, v := range list {
		b = one(b, v)
	}
	return b
}

func packString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func packGeo(b []byte, g geo) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(g.lat))
	return binary.LittleEndian.AppendUint32(b, uint32(g.lon))
}

// packKeys appends the key list, six bytes a key.
func packKeys(b []byte, keys []key) []byte {
	b = binary.AppendUvarint(b, uint64(len(keys)))
	for _, k := range keys {
		b = binary.BigEndian.AppendUint64(b, uint64(k))
		b = b[:len(b)-2]
	}
	return b
}

func packMark(b []byte, m mark, f *facts) []byte {
	var flags byte
	set := func(bit byte, on bool) {
		if on {
			flags |= bit
		}
	}
	i, listed := slices.BinarySearch(f.keys, m.key.list())
	set(markRaw, !listed)
	set(markIssuer, m.issuer != 0)
	set(markSame, m.folded == m.value)
	set(markFolded, m.folded != m.value && m.folded != "")
	set(markOwn, m.own)
	set(markHidden, m.hidden != 0)
	set(markEntity, m.entity != 0)
	set(markRecord, m.value == f.record)
	b = append(b, flags, byte(m.kind))
	if listed {
		b = binary.LittleEndian.AppendUint16(binary.AppendUvarint(b, uint64(i)), uint16(m.key))
	} else {
		b = binary.LittleEndian.AppendUint64(b, uint64(m.key))
	}
	if m.issuer != 0 {
		b = binary.LittleEndian.AppendUint64(b, m.issuer)
	}
	if flags&markRecord == 0 {
		b = packString(b, m.value)
	}
	if flags&markFolded != 0 {
		b = packString(b, m.folded)
	}
	if m.hidden != 0 {
		b = append(b, m.hidden)
	}
	if m.entity != 0 {
		b = append(b, m.entity)
	}
	return b
}

func packAddress(b []byte, a address) []byte {
	for _, s := range [...]string{a.number, a.street, a.unit, a.city, a.postcode, a.state} {
		b = packString(b, s)
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(a.key))
	if a.event {
		return append(b, 1)
	}
	return append(b, 0)
}

func (r *reader) address() address {
	return address{r.string(), r.string(), r.string(), r.string(), r.string(), r.string(), key(r.u64()), r.byte() != 0}
}

func packPerson(b []byte, p person) []byte {
	b = binary.LittleEndian.AppendUint16(b, p.birth.year)
	b = append(b, p.birth.month, p.birth.day, p.age, p.entity, p.sex, p.line, byte(len(p.names)), byte(len(p.numbers)))
	for _, n := range p.names {
		b = packString(packString(packString(b, n.given), n.middle), n.family)
	}
	for _, n := range p.numbers {
		b = packString(binary.LittleEndian.AppendUint64(b, n.class), n.value)
	}
	return b
}

// head is what the first fields of a stored report say.
type head struct {
	revision             uint64
	cell, agency, origin uint32
}

// peek reads the first fields of a stored report.
func peek(b []byte) (s head) {
	r := reader{b: b}
	mask := r.u32()
	r.next(6 * int(r.uvarint()))
	s.revision = r.uvarint()
	r.next(4)
	s.cell, s.agency = uint32(r.uvarint()), uint32(r.uvarint())
	s.origin = s.agency
	if mask&hasOrigin != 0 {
		s.origin = uint32(r.uvarint())
	}
	return s
}

// view is a report's facts unpacked, in memory that is used again. Its strings
// lie in the arena.
type view struct {
	facts
	of      int32 // the node, 0 none
	used    uint64
	given   []name   // behind the persons
	numbers []number // behind the persons
}

// unpack reads the stored form of a report of a given event time.
func (v *view) unpack(b []byte, time int64) {
	f := &v.facts
	r := reader{b: b}
	mask := r.u32()
	*f = facts{
		time: time, reported: time, keys: f.keys[:0], ids: f.ids[:0], persons: f.persons[:0], places: f.places[:0], vehicles: f.vehicles[:0],
		counties: f.counties[:0], outline: f.outline[:0], ignored: f.ignored[:0], supersede: f.supersede[:0],
		addresses: f.addresses[:0], things: f.things[:0],
	}
	f.keys = r.keys(f.keys)
	f.revision = r.uvarint()
	f.kind, f.severity, f.reliability, f.credibility = r.b[r.at], r.b[r.at+1], r.b[r.at+2], r.b[r.at+3]
	r.at += 4
	f.cell, f.agency = uint32(r.uvarint()), uint32(r.uvarint())
	f.origin = f.agency
	if mask&hasOrigin != 0 {
		f.origin = uint32(r.uvarint())
	}
	if mask&hasReported != 0 {
		f.reported += r.varint()
	}
	if mask&hasExpires != 0 {
		f.expires = time + r.varint()
	}
	if mask&hasLeave != 0 {
		f.leave = time + r.varint()
	}
	if mask&hasUUID != 0 {
		f.id.uuid = [16]byte(r.next(16))
	} else {
		f.id.text = r.string()
	}
	if mask&hasRecord != 0 {
		f.record = r.string()
	}
	v.unpackFeatures(&r, mask)
}

func (v *view) unpackFeatures(r *reader, mask uint32) {
	f := &v.facts
	if mask&hasBehaviors != 0 {
		f.behaviors = uint32(r.uvarint())
	}
	if mask&hasHazard != 0 {
		f.hazard = r.u64()
	}
	if mask&hasIncident != 0 {
		f.incident = r.u64()
	}
	if mask&hasOwn != 0 {
		f.own = r.u64()
	}
	if mask&hasRarity != 0 {
		f.rarity = weight(r.byte())
	}
	if mask&hasSketch != 0 {
		for i := range f.sketch {
			f.sketch[i] = r.u32()
		}
	}
	f.cancel = mask&hasCancel != 0
	if mask&hasIDs != 0 {
		for range r.uvarint() {
			f.ids = append(f.ids, r.mark(f))
		}
	}
	if mask&hasPersons != 0 {
		v.unpackPersons(r)
	}
	if mask&hasPlaces != 0 {
		for range r.uvarint() {
			f.places = append(f.places, spot{r.geo(), int32(r.varint())})
		}
	}
	if mask&hasVehicles != 0 {
		for range r.uvarint() {
			f.vehicles = append(f.vehicles, vehicle{r.u32(), r.u32(), r.u32()})
		}
	}
	if mask&hasCounties != 0 {
		for range r.uvarint() {
			f.counties = append(f.counties, uint32(r.uvarint()))
		}
	}
	if mask&hasOutline != 0 {
		for range r.uvarint() {
			f.outline = append(f.outline, r.geo())
		}
	}
	if mask&hasIgnored != 0 {
		for range r.uvarint() {
			f.ignored = append(f.ignored, listed{key(r.u64()), r.string(), weight(r.byte())})
		}
	}
	if mask&hasSupersede != 0 {
		for range r.uvarint() {
			f.supersede = append(f.supersede, r.u64())
		}
	}
	if mask&hasAddresses != 0 {
		for range r.uvarint() {
			f.addresses = append(f.addresses, r.address())
		}
	}
	if mask&hasThings != 0 {
		for range r.uvarint() {
			f.things = append(f.things, thing{weight(r.byte()), r.string()})
		}
	}
}

// unpackPersons fills two lists for all persons, of which each has a part:
// they must not move once a person points into them.
func (v *view) unpackPersons(r *reader) {
	n := int(r.uvarint())
	v.given = slices.Grow(v.given[:0], maxPersons*maxNames)
	v.numbers = slices.Grow(v.numbers[:0], maxPersons*maxNumbers)
	for range n {
		b := r.next(10)
		p := person{birth: birth{binary.LittleEndian.Uint16(b), b[2], b[3]}, age: b[4], entity: b[5], sex: b[6], line: b[7]}
		at := len(v.given)
		for range b[8] {
			v.given = append(v.given, name{r.string(), r.string(), r.string()})
		}
		p.names = v.given[at:len(v.given):len(v.given)]
		at = len(v.numbers)
		for range b[9] {
			v.numbers = append(v.numbers, number{r.u64(), r.string()})
		}
		p.numbers = v.numbers[at:len(v.numbers):len(v.numbers)]
		v.persons = append(v.persons, p)
	}
}

// reader walks a stored form. It trusts it: only pack writes one.
type reader struct {
	b  []byte
	at int
}

func (r *reader) byte() byte {
	r.at++
	return r.b[r.at-1]
}

func (r *reader) next(n int) []byte {
	r.at += n
	return r.b[r.at-n : r.at]
}

func (r *reader) u16() uint16 { return binary.LittleEndian.Uint16(r.next(2)) }
func (r *reader) u32() uint32 { return binary.LittleEndian.Uint32(r.next(4)) }
func (r *reader) u64() uint64 { return binary.LittleEndian.Uint64(r.next(8)) }

func (r *reader) uvarint() uint64 {
	if c := r.b[r.at]; c < 0x80 {
		r.at++
		return uint64(c)
	}
	return r.long()
}

func (r *reader) long() uint64 {
	v, n := binary.Uvarint(r.b[r.at:])
	r.at += n
	return v
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

// string is a string that lies where it is stored.
func (r *reader) string() string {
	n := int(r.uvarint())
	if n == 0 {
		return ""
	}
	r.at += n
	return unsafe.String(&r.b[r.at-n], n)
}

func (r *reader) geo() geo { return geo{int32(r.u32()), int32(r.u32())} }

func (r *reader) keys(out []key) []key {
	n := int(r.uvarint())
	b := r.next(6 * n)
	for ; len(b) >= 6; b = b[6:] {
		out = append(out, key(uint64(binary.BigEndian.Uint32(b))<<32|uint64(binary.BigEndian.Uint16(b[4:]))<<16))
	}
	return out
}

func (r *reader) mark(f *facts) mark {
	flags := r.byte()
	m := mark{kind: weight(r.byte()), own: flags&markOwn != 0}
	if flags&markRaw == 0 {
		m.key = f.keys[r.uvarint()] | key(r.u16())
	} else {
		m.key = key(r.u64())
	}
	if flags&markIssuer != 0 {
		m.issuer = r.u64()
	}
	if m.value = f.record; flags&markRecord == 0 {
		m.value = r.string()
	}
	switch {
	case flags&markFolded != 0:
		m.folded = r.string()
	case flags&markSame != 0:
		m.folded = m.value
	}
	if flags&markHidden != 0 {
		m.hidden = r.byte()
	}
	if flags&markEntity != 0 {
		m.entity = r.byte()
	}
	return m
}
