package quality

import (
	"fmt"
	"strconv"
	"strings"
)

// person is somebody, as a register has him before anybody garbles it.
type person struct {
	given, family        string
	year, month, day     int
	phone, mail          string
	number, street, city string
	postcode             string
	licence              string
}

var personColumns = []string{"no", "given", "family", "born", "phone", "mail", "number", "street", "city", "postcode", "licence"}

const personMapping = `name: made-persons
title: Persons of the seeded set
record: {columns: [no]}
kind: incident
fields:
  - {to: incident.type, value: person record}
  - {to: "entities[0].role", value: ENTITY_ROLE_MENTIONED}
  - {to: "entities[0].person.names[0].given", column: given}
  - {to: "entities[0].person.names[0].family", column: family}
  - {to: "entities[0].person.birth", column: born, date: YYYY-MM-DD, invalid: part}
  - {to: "entities[0].identifiers", column: phone, identifier: phone, region: US, invalid: drop}
  - {to: "entities[0].identifiers", column: mail, identifier: email, invalid: drop}
  - {to: "entities[0].identifiers", column: licence, identifier: driver_license, issuer: US-MS, invalid: drop}
  - {to: "entities[0].addresses[0].number", column: number}
  - {to: "entities[0].addresses[0].street", column: street}
  - {to: "entities[0].addresses[0].city", column: city}
  - {to: "entities[0].addresses[0].postcode", column: postcode}
`

// persons writes a register in which a person has one to six records, each
// garbled level times. One in ten lives with a relative: same family name,
// address and telephone, another person. One in forty has a parent's whole name.
func persons(level int) func(string, int) pages {
	return func(name string, n int) pages {
		r := seeded(name)
		p := pages{truth: map[string]string{}}
		var rows [][]string
		last := person{}
		for who := 0; len(rows) < n; who++ {
			x := newPerson(r)
			switch {
			case who > 0 && r.chance(10):
				x.family, x.number, x.street, x.city, x.postcode, x.phone = last.family, last.number, last.street, last.city, last.postcode, last.phone
				if r.chance(25) {
					x.given, x.year = last.given, last.year+25+r.n(10)
				}
			default:
				last = x
			}
			for range 1 + min(r.n(4), r.n(7)) {
				no := strconv.Itoa(100_000 + r.n(800_000))
				if _, taken := p.truth[no]; taken {
					continue
				}
				p.truth[no] = "p" + strconv.Itoa(who)
				rows = append(rows, x.record(r, no, level))
			}
		}
		shuffle(r, rows)
		p.files = []page{{"persons.csv", personMapping, table(append([][]string{personColumns}, rows...))}}
		return p
	}
}

func newPerson(r *rng) person {
	x := person{given: often(r, givens), family: familyName(r), year: 1935 + r.n(72), month: 1 + r.n(12), day: 1 + r.n(28)}
	x.phone = fmt.Sprintf("601%d%s", 200+r.n(800), r.digits(4))
	x.mail = strings.ToLower(x.given[:1]+x.family) + strconv.Itoa(r.n(99)) + "@" + pick(r, mailHosts)
	x.number, x.street = strconv.Itoa(1+r.n(2400)), pick(r, streetNames)+" "+pick(r, streetKinds)
	x.city, x.postcode = often(r, cities), "39"+r.digits(3)
	x.licence = "8" + r.digits(8)
	return x
}

// familyName is a common one in half of the cases, else one of a long tail.
func familyName(r *rng) string {
	if r.chance(50) {
		return often(r, families)
	}
	return pick(r, stems) + pick(r, endings)
}

// record is one record of the person: fields missing as registers miss them,
// and garbled level times.
func (x person) record(r *rng, no string, level int) []string {
	f := map[string]string{
		"no": no, "given": x.given, "family": x.family, "born": fmt.Sprintf("%04d-%02d-%02d", x.year, x.month, x.day),
		"phone": x.phone, "mail": x.mail, "number": x.number, "street": x.street, "city": x.city, "postcode": x.postcode, "licence": x.licence,
	}
	for column, percent := range map[string]int{"phone": 35, "mail": 50, "licence": 60, "born": 12, "street": 20, "postcode": 20, "city": 8, "given": 4} {
		if seeded(no + column).chance(percent) {
			f[column] = ""
		}
	}
	for range r.n(level+1) + level/2 {
		x.garble(r, f)
	}
	row := make([]string, len(personColumns))
	for i, c := range personColumns {
		row[i] = f[c]
	}
	return row
}

// garble spoils one thing.
func (x person) garble(r *rng, f map[string]string) {
	switch r.n(10) {
	case 0:
		f["given"] = r.typo(f["given"])
	case 1:
		f["family"] = r.typo(f["family"])
	case 2:
		if nick, ok := nicknames[x.given]; ok {
			f["given"] = nick
		} else {
			f["given"] = r.typo(f["given"])
		}
	case 3:
		f["given"], f["family"] = f["family"], f["given"]
	case 4:
		f["born"] = r.digit(f["born"])
	case 5:
		if len(f["born"]) == 10 && x.day <= 12 {
			f["born"] = f["born"][:5] + f["born"][8:] + "-" + f["born"][5:7]
		}
	case 6:
		f["street"], f["city"] = r.typo(f["street"]), r.typo(f["city"])
	case 7: // moved
		f["number"], f["street"], f["postcode"] = strconv.Itoa(1+r.n(2400)), pick(r, streetNames)+" "+pick(r, streetKinds), "39"+r.digits(3)
	case 8:
		f["phone"] = r.digit(f["phone"])
	case 9:
		f["licence"], f["mail"] = r.digit(f["licence"]), r.typo(f["mail"])
	}
}
