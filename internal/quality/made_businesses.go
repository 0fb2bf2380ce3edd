package quality

import (
	"fmt"
	"strconv"
	"strings"
)

const businessMapping = `name: made-businesses-LIST
title: Businesses of the seeded set, list LIST
record: {columns: [no], prefix: LIST-}
kind: incident
fields:
  - {to: incident.type, value: business record}
  - {to: "entities[0].role", value: ENTITY_ROLE_MENTIONED}
  - {to: "entities[0].organization.name", column: name}
  - {to: "entities[0].identifiers", column: phone, identifier: phone, region: US, invalid: drop}
  - {to: "entities[0].addresses[0].street", column: address}
  - {to: "entities[0].addresses[0].city", column: city}
`

// business is one of a chain or alone; chains share name and trade, not place.
type business struct{ name, trade, phone, number, street, kind, city string }

// businesses writes two lists that overlap in four of ten: what one calls
// "Crowford's Tire Service, Inc." at 12 Oak Street the other calls
// "CROWFORD TIRE SERVICE" at 12 Oak St.
func businesses(name string, n int) pages {
	r := seeded(name)
	p := pages{truth: map[string]string{}}
	columns := []string{"no", "name", "phone", "address", "city"}
	lists := map[string][][]string{"a": {columns}, "b": {columns}}
	last := business{}
	for i := 0; len(lists["a"])+len(lists["b"]) < n; i++ {
		b := newBusiness(r)
		if i > 0 && r.chance(15) {
			b.name, b.trade = last.name, last.trade // another shop of the same chain
		}
		last = b
		on := pick(r, []string{"a", "b", "ab", "ab", "ab"})
		for _, list := range strings.Split(on, "") {
			no := strconv.Itoa(len(lists[list]))
			lists[list] = append(lists[list], b.record(r, no, list))
			p.truth[list+"-"+no] = "b" + strconv.Itoa(i)
		}
	}
	for _, list := range []string{"a", "b"} {
		p.files = append(p.files, page{"list-" + list + ".csv", strings.ReplaceAll(businessMapping, "LIST", list), table(lists[list])})
	}
	return p
}

func newBusiness(r *rng) business {
	b := business{trade: strings.ReplaceAll(pick(r, trades), "-", " "), phone: fmt.Sprintf("601%d%s", 200+r.n(800), r.digits(4))}
	b.name = familyName(r)
	if r.chance(30) {
		b.name = pick(r, cities) + " " + pick(r, streetNames)
	}
	b.number, b.street, b.kind, b.city = strconv.Itoa(1+r.n(6000)), pick(r, streetNames), pick(r, streetKinds), often(r, cities)
	return b
}

// record is the business as one of the lists writes it.
func (b business) record(r *rng, no, list string) []string {
	name, phone := b.name+"'s "+b.trade, b.phone[:3]+"-"+b.phone[3:6]+"-"+b.phone[6:]
	address := b.number + " " + b.street + " " + b.kind
	if list == "b" {
		name, phone, address = strings.ToUpper(b.name+" "+b.trade), "("+b.phone[:3]+") "+b.phone[3:6]+"-"+b.phone[6:], b.number+" "+b.street+" "+shortKinds[b.kind]+"."
	}
	switch {
	case r.chance(12):
		name += pick(r, []string{", Inc.", " LLC", " Co.", " of Mississippi"})
	case r.chance(10):
		name = r.typo(name)
	case r.chance(8):
		name = "The " + b.name + " " + b.trade
	}
	switch {
	case r.chance(30):
		phone = ""
	case r.chance(10):
		phone = r.digit(phone)
	}
	switch {
	case r.chance(25):
		address = ""
	case r.chance(15):
		address += ", Suite " + strconv.Itoa(1+r.n(40))
	case r.chance(8):
		address = r.typo(address)
	}
	return []string{no, name, phone, address, b.city}
}
