package fusion

import (
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// address is a postal address as it is compared: folded, the words for kinds
// of streets and for directions left out of the street's name.
type address struct {
	number, street, unit, city, postcode, state string
	key                                         key  // of number, street and town, for the hub rule; 0 when one lacks
	event                                       bool // where it happened, not where somebody lives
}

// maxAddresses is how many addresses of a report are kept.
const maxAddresses = 4

// streetWords are kinds of streets and directions: people leave them out,
// shorten them and mix them up.
var streetWords = words(`street st str avenue ave av road rd drive dr lane ln court ct place pl crescent cres cr boulevard blvd bvd
	highway hwy way terrace tce ter circuit cct close cl parade pde parkway pkwy pky square sq trail trl circle cir loop alley aly
	route rte freeway fwy expressway expy turnpike tpke esplanade esp grove gr mews row plaza plz
	north south east west n s e w ne nw se sw northeast northwest southeast southwest`)

// unitWords begin the part of a street line that names a room of the house.
var unitWords = words(`suite ste apt apartment unit room rm floor fl flat bldg building lot space spc`)

// commonStreets are names that nearly every town has.
var commonStreets = words(`main church high park oak maple pine elm washington lake hill second 2nd first 1st third 3rd fourth 4th fifth 5th
	station cedar walnut view mill river spring center centre school market king queen victoria george london broadway`)

// largeCities are where so many live that it says little.
var largeCities = words(`london birmingham manchester paris berlin madrid rome sydney melbourne brisbane perth toronto montreal vancouver chicago
	houston phoenix philadelphia dallas austin atlanta boston miami seattle denver detroit mumbai delhi shanghai beijing moscow tokyo
	cairo lagos istanbul`)

// largeCity also knows those of several words.
func largeCity(s string) bool {
	return largeCities[s] || s == "new york" || s == "los angeles" || s == "san francisco" || s == "san diego" || s == "san antonio" || s == "mexico city"
}

func addressOf(a *wf.Address) (out address) {
	out.number, out.street, out.unit = fold(a.GetNumber()), fold(a.GetStreet()), fold(a.GetUnit())
	out.city, out.postcode, out.state = fold(a.GetCity()), fold(a.GetPostcode()), fold(a.GetState())
	if out.city == "" {
		out.city = fold(a.GetLocality())
	}
	if i := strings.IndexByte(a.GetPostcode(), '-'); i == 5 {
		out.postcode = fold(a.GetPostcode()[:5]) // ZIP+4
	}
	if out.number == "" {
		out.number, out.street = cutNumber(out.street)
	}
	out.street = cutUnit(out.street)
	if core := streetName(out.street); core != "" {
		out.street = core
	}
	if nobody.has(out.street) {
		out.street = ""
	}
	if nobody.has(out.city) {
		out.city = ""
	}
	return out
}

// cutNumber takes the house number off the front of a street line, or off its
// end, where Europe writes it.
func cutNumber(line string) (number, street string) {
	head, tail, found := strings.Cut(line, " ")
	if found && houseNumber(head) && !streetWords[tail] {
		return head, tail
	}
	if i := strings.LastIndexByte(line, ' '); i > 0 && houseNumber(line[i+1:]) && !unitWords[lastWord(line[:i])] {
		return line[i+1:], line[:i]
	}
	return "", line
}

// houseNumber is digits, with one letter behind them at most: 12, 12b, not 5th.
func houseNumber(s string) bool {
	digits := 0
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		digits++
	}
	return digits > 0 && digits <= 6 && len(s)-digits <= 1
}

func lastWord(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }

// cutUnit drops the room and what follows it from a street line: a comma is a
// space by now, so that only a word that begins one tells.
func cutUnit(street string) string {
	for i := 0; i < len(street); i++ {
		if street[i] != ' ' {
			continue
		}
		w, _, more := strings.Cut(street[i+1:], " ")
		if unitWords[w] && more {
			return street[:i]
		}
	}
	return street
}

// streetName is a street without the words for its kind and direction.
func streetName(street string) string {
	if !strings.Contains(street, " ") {
		return street
	}
	var kept [8]string
	n := 0
	for w := range strings.SplitSeq(street, " ") {
		if !streetWords[w] && n < len(kept) {
			kept[n] = w
			n++
		}
	}
	return strings.Join(kept[:n], " ")
}

func (a *address) empty() bool {
	return a.number == "" && a.street == "" && a.unit == "" && a.city == "" && a.postcode == "" && a.state == ""
}

// town is what says where the street is.
func (a *address) town() string {
	if a.postcode != "" {
		return a.postcode
	}
	return a.city
}

// address notes a postal address, proposes by it and by the town it lies in.
func (x *extraction) address(w *wf.Address, event bool) {
	a := addressOf(w)
	if a.empty() || len(x.addresses) == maxAddresses {
		return
	}
	a.event = event
	for _, t := range [...]string{a.postcode, a.city} {
		if t != "" && !largeCity(t) {
			x.towns = append(x.towns, hashParts("town", t))
		}
	}
	if a.street != "" && a.number != "" {
		x.key(keyStreet, hashParts(a.number, squeezed(a.street)))
		if town := a.town(); town != "" {
			x.mark(keyAddress, mark{kind: wHouse, value: a.number + " " + a.street + ", " + town}, hashParts(a.number, a.street, town))
			a.key = makeKey(keyAddress, hashParts(a.number, a.street, town))
		}
	}
	x.addresses = append(x.addresses, a)
}

// squeezed is a string without its spaces.
func squeezed(s string) string {
	if strings.IndexByte(s, ' ') < 0 {
		return s
	}
	return strings.ReplaceAll(s, " ", "")
}

// addressScore is what two addresses say, part by part.
type addressScore struct {
	kinds [8]weight
	bits  [8]int32
	n     int
	total int32
}

func (s *addressScore) add(p *pairing, k weight) {
	if k == wNone {
		return
	}
	s.kinds[s.n], s.bits[s.n] = k, p.w(k)
	s.total += s.bits[s.n]
	s.n++
}

// cap bounds what the parts from the given one on say together.
func (s *addressScore) cap(p *pairing, from int, k weight) {
	var sum int32
	for _, b := range s.bits[from:s.n] {
		sum += b
	}
	if over := sum - p.w(k); over > 0 {
		s.kinds[s.n], s.bits[s.n] = k, -over
		s.total -= over
		s.n++
	}
}

// addresses adds the best pair of addresses of two reports. It returns
// what that gave, and what of it an address of the event itself.
func (p *pairing) addresses(a, b *facts) (home, event int32) {
	var best addressScore
	var x, y *address
	for i := range a.addresses {
		for j := range b.addresses {
			if s := p.address(&a.addresses[i], &b.addresses[j]); x == nil || s.total > best.total {
				best, x, y = s, &a.addresses[i], &b.addresses[j]
			}
		}
	}
	if x == nil {
		return 0, 0
	}
	if most := p.w(wHub); best.total > most && x.key == y.key && p.crowded(x.key, a, b) {
		p.add(wHub, "", most)
		return most, 0
	}
	for i := range best.n {
		value := ""
		if p.why && best.kinds[i] == wStreet {
			value = min(x.street, y.street)
		}
		p.add(best.kinds[i], value, best.bits[i])
	}
	if x.event && y.event {
		event = max(best.total, 0)
	}
	return max(best.total, 0), event
}

// crowded says whether a key that both reports carry is a hub where either
// stands. Of a key that only one carries it must not be asked: the other is
// not scored again when it becomes one.
func (p *pairing) crowded(k key, a, b *facts) bool {
	return k != 0 && p.e.hubOfEither(k, a.time, b.time)
}

func (p *pairing) address(x, y *address) (s addressScore) {
	street, unit := alike(x.street, y.street), alike(x.unit, y.unit)
	if street <= different && x.unit != "" && y.unit != "" || street == unsaid && x.unit+y.unit != "" {
		// House name and street stand in each other's place.
		if c := max(alike(x.street, y.unit), alike(x.unit, y.street)); c >= similar && len(x.unit)+len(y.unit) > 3 {
			street, unit = similar, min(alike(x.street, y.unit), alike(x.unit, y.street))
		}
	}
	house := houseRow(x.number, y.number)
	if street >= similar && house != wHouse && alike(x.city, y.city) == different && (x.postcode == "" || x.postcode != y.postcode) {
		street = unsaid // another town has a street of that name
	}
	s.add(p, streetRow(street, x.street))
	if street >= similar {
		s.add(p, house)
	}
	if unit >= similar && len(x.unit) > 2 {
		s.add(p, wUnit)
	}
	from := s.n
	s.add(p, postcodeRow(x.postcode, y.postcode))
	s.add(p, cityRow(x.city, y.city))
	if s.n == from && x.state != "" && y.state != "" && x.state != y.state {
		s.add(p, wStateDiffers)
	}
	if s.n > from {
		s.cap(p, from, wTownCap)
	}
	if s.n > 0 {
		s.cap(p, 0, wAddressCap)
	}
	return s
}

// likeness of two words of an address.
type likeness int8

const (
	unsaid likeness = iota - 1
	different
	similar
	identical
)

// alike compares two names of one kind: written apart or together and with a
// typo or two they are similar.
func alike(x, y string) likeness {
	switch {
	case x == "" || y == "":
		return unsaid
	case x == y:
		return identical
	}
	if x, y = squeezed(x), squeezed(y); x == y {
		return identical
	}
	if len(x) >= 4 && len(y) >= 4 && (oneEdit(x, y) || similarity(x, y) >= 900) {
		return similar
	}
	return different
}

func streetRow(l likeness, street string) weight {
	switch {
	case l == identical && commonStreets[street]:
		return wStreetCommon
	case l == identical:
		return wStreet
	case l == similar:
		return wStreetClose
	case l == different:
		return wStreetDiffers
	}
	return wNone
}

func houseRow(x, y string) weight {
	switch {
	case x == "" || y == "":
		return wNone
	case x == y:
		return wHouse
	case oneEdit(x, y) && (max(len(x), len(y)) > 2 || x[0] == y[len(y)-1]):
		return wHouseClose // of two digits only an exchange: 12 and 14 are neighbours
	}
	return wHouseDiffers
}

func postcodeRow(x, y string) weight {
	switch {
	case x == "" || y == "":
		return wNone
	case x == y:
		return wPostcode
	case oneEdit(x, y):
		return wPostcodeClose
	}
	return wPostcodeDiffers
}

func cityRow(x, y string) weight {
	switch l := alike(x, y); {
	case l >= similar && (largeCity(x) || largeCity(y)):
		return wCityLarge
	case l == identical:
		return wLocality
	case l == similar:
		return wCityClose
	case l == different:
		return wCityDiffers
	}
	return wNone
}
