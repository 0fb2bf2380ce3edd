package fusion

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	emailID   = wf.IdentifierType_IDENTIFIER_TYPE_EMAIL
	cidrID    = wf.IdentifierType_IDENTIFIER_TYPE_CIDR
	domainID  = wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN
	urlID     = wf.IdentifierType_IDENTIFIER_TYPE_URL
	accountID = wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT
	serialID  = wf.IdentifierType_IDENTIFIER_TYPE_SERIAL
	imeiID    = wf.IdentifierType_IDENTIFIER_TYPE_IMEI
	macID     = wf.IdentifierType_IDENTIFIER_TYPE_MAC
	tailID    = wf.IdentifierType_IDENTIFIER_TYPE_TAIL_NUMBER
	imoID     = wf.IdentifierType_IDENTIFIER_TYPE_IMO
	vtecID    = wf.IdentifierType_IDENTIFIER_TYPE_VTEC
	cveID     = wf.IdentifierType_IDENTIFIER_TYPE_CVE
	otherID   = wf.IdentifierType_IDENTIFIER_TYPE_OTHER
	passport  = wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT
)

type part = func(*wf.Report)

func someone(p *wf.Person) part {
	return func(r *wf.Report) {
		r.Entities = append(r.Entities, &wf.Entity{Detail: &wf.Entity_Person{Person: p}})
	}
}

// called is a person of whom the whole names are known.
func called(full ...string) part {
	p := &wf.Person{}
	for _, s := range full {
		p.Names = append(p.Names, &wf.PersonName{Full: s})
	}
	return someone(p)
}

func organization(name string) part {
	return func(r *wf.Report) {
		r.Entities = append(r.Entities, &wf.Entity{Detail: &wf.Entity_Organization{Organization: &wf.Organization{Name: name}}})
	}
}

func item(kind, name string) part {
	return func(r *wf.Report) {
		r.Entities = append(r.Entities, &wf.Entity{Detail: &wf.Entity_Item{Item: &wf.Item{Kind: kind, Name: name}}})
	}
}

func says(text string) part { return func(r *wf.Report) { r.Narrative = text } }

func vessel(name string) part {
	return func(r *wf.Report) {
		r.Entities = append(r.Entities, &wf.Entity{Detail: &wf.Entity_Conveyance{Conveyance: &wf.Conveyance{Name: name}}})
	}
}

// lives gives an address "number|street|unit|city|postcode|state".
func lives(s string) part {
	f := append(strings.Split(s, "|"), "", "", "", "", "")
	return func(r *wf.Report) {
		r.Entities = append(r.Entities, &wf.Entity{Addresses: []*wf.Address{{Number: f[0], Street: f[1], Unit: f[2], City: f[3], Postcode: f[4], State: f[5]}}})
	}
}

func facility(name string) part {
	return func(r *wf.Report) {
		r.Kind, r.Body = wf.Kind_KIND_ASSET, &wf.Report_Asset{Asset: &wf.Asset{Name: name}}
	}
}

func target(name string) part {
	return func(r *wf.Report) { r.Body = &wf.Report_Sar{Sar: &wf.Sar{TargetName: name}} }
}

func incident(kind string) part {
	return func(r *wf.Report) {
		r.Kind, r.Body = wf.Kind_KIND_INCIDENT, &wf.Report_Incident{Incident: &wf.Incident{Type: kind}}
	}
}

func titled(s string) part {
	return func(r *wf.Report) { r.Kind, r.Title = wf.Kind_KIND_BULLETIN, s }
}

// entry is a row of somebody's list, with its title.
func entry(title string) part {
	return func(r *wf.Report) { r.Kind, r.Title = wf.Kind_KIND_INCIDENT, title }
}

func born(year, month, day int32) part {
	return someone(&wf.Person{Names: []*wf.PersonName{{Given: "Karim", Family: "Haddad"}}, Birth: &wf.PartialDate{Year: year, Month: month, Day: day}})
}

func aged(age int32, sex string) part {
	return someone(&wf.Person{Names: []*wf.PersonName{{Given: "Karim", Family: "Haddad"}}, Age: age, Sex: sex})
}

func suffixed(s string) part {
	return someone(&wf.Person{Names: []*wf.PersonName{{Given: "Karim", Family: "Haddad", Suffix: s}}})
}

func bearing(value string, who part) part {
	return func(r *wf.Report) {
		who(r)
		r.Entities[len(r.Entities)-1].Identifiers = []*wf.Identifier{{Type: passport, Value: value, Issuer: "USA"}}
	}
}

func all(parts ...part) []part { return parts }

// between is the evidence of two reports: millibits by row.
func between(t *testing.T, a, b Input) map[string]int32 {
	t.Helper()
	e := fed(Config{Status: wf.Status_STATUS_EXERCISE}, []Input{a, b})
	p, ok := e.Compare(Identity{a.Cell, a.Report.Agency, a.Report.Id}, Identity{b.Cell, b.Report.Agency, b.Report.Id})
	if !ok {
		t.Fatal("a report is not live")
	}
	out := map[string]int32{}
	for _, l := range p.Evidence {
		out[l.Kind] += l.Millibits
	}
	return out
}

// rules are one case or more for every row of the table: what two reports say,
// and the rows that must count. A row with "!" before it must not.
var rules = []struct {
	a, b []part
	want string
}{
	// Identifiers.
	{all(record("R-7")), all(refer(relatedTo, "R-7", "fbi")), "reference"},
	{all(id(vinID, "1FTFW1ET5DFC10312")), all(id(vinID, "1FTFW1ET5DFC10312")), "vin"},
	{all(id(hashID, strings.Repeat("ab", 32))), all(id(hashID, strings.Repeat("ab", 32))), "hash"},
	{all(issued(passport, "C0123456", "USA")), all(issued(passport, "C0123456", "USA")), "person-number"},
	{all(id(imeiID, "490154203237518")), all(id(imeiID, "490154203237518")), "device-number"},
	{all(id(macID, "00:1a:2b:3c:4d:5e")), all(id(macID, "00:1a:2b:3c:4d:5e")), "device-number"},
	{all(id(tailID, "N123AB")), all(id(tailID, "N123AB")), "craft"},
	{all(id(imoID, "9074729")), all(id(tailID, "9074729")), "!craft"},
	{all(id(vtecID, "KJAN.TO.W.0012.2025")), all(id(vtecID, "KJAN.TO.W.0012.2025")), "event-key"},
	{all(issued(serialID, "AB12", "acme")), all(issued(serialID, "AB12", "acme")), "serial"},
	{all(id(serialID, "AB12345")), all(id(serialID, "AB12345")), "other-id !serial"},
	{all(issued(otherID, "badge 77", "stl")), all(issued(otherID, "badge 77", "stl")), "other-id"},
	{all(issued(accountID, "joroe77", "telegram")), all(issued(accountID, "joroe77", "telegram")), "account"},
	{all(issued(accountID, "joroe77", "telegram")), all(issued(accountID, "joroe77", "signal")), "!account"},
	{all(id(cveID, "CVE-2024-3094")), all(id(cveID, "CVE-2024-3094")), "cve"},
	{all(refer(relatedTo, "malware--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061", "")), all(refer(relatedTo, "malware--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061", "")), "object"},
	{all(item("malware", "Emotet")), all(item("malware", "EMOTET")), "malware"},
	{all(refer(wf.ReferenceType_REFERENCE_TYPE_SIGHTING, "indicator--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061", "")),
		all(record("indicator--0c7b5b88-8ff7-4a4d-aa9d-feb398cd0061")), "reference"},
	// Vehicles.
	{all(issued(plateID, "HNC4821", "US-MS")), all(issued(plateID, "HNC4821", "US-MS")), "plate"},
	{all(issued(plateID, "HNC4821", "US-MS")), all(id(plateID, "HNC4821")), "plate-only"},
	{all(issued(plateID, "HNC4821", "US-MS")), all(issued(plateID, "HNC4821", "US-LA")), "plate-elsewhere"},
	{all(id(plateID, "HNC4821")), all(id(plateID, "HNC?821")), "plate-partial"},
	{all(id(plateID, "HNC4821")), all(id(plateID, "HNC4812")), "plate-close"},
	{all(id(plateID, "HNC4821"), car("Ford", "F-150", "gray")), all(id(plateID, "ZZZ1111"), car("Ford", "F-150", "gray")), "plate-differs !vehicle-make"},
	{all(car("Ford", "F-150", "gray")), all(car("FORD", "f150", "gray")), "vehicle-make !vehicle-model vehicle-color"},
	{all(car("Ford", "Ranger", "gray")), all(car("FORD", "ranger", "gray")), "vehicle-make vehicle-model vehicle-color"},
	// Phones, mail, networks.
	{all(id(phoneID, "+16015550123")), all(id(phoneID, "+16015550123")), "phone"},
	{all(id(phoneID, "+16015550123")), all(id(phoneID, "+16015550132")), "phone-close"},
	{all(id(phoneID, "+16015550123"), organization("Zwetschge Cafe")), all(id(phoneID, "+12125550177"), organization("Zwetschge Cafe")), "phone-differs organization"},
	{all(id(emailID, "k.haddad@quick.example")), all(id(emailID, "k.haddad@quick.example")), "e-mail"},
	{all(id(emailID, "k.haddad@quickmail.net")), all(id(emailID, "k.hadad@quickmail.net")), "e-mail-close"},
	{all(id(emailID, "kim12@quickmail.net")), all(id(emailID, "kim15@quickmail.net")), "!e-mail-close !e-mail-box"},
	{all(id(emailID, "f.j@sharp.com")), all(id(emailID, "h.k@sharp.com")), "!e-mail-close"},
	{all(id(emailID, "k.haddad@quickmail.net")), all(id(emailID, "k.haddad@other.org")), "e-mail-box"},
	{all(id(urlID, "http://a.evil.net/x")), all(id(urlID, "http://a.evil.net/x")), "url !site"},
	{all(id(urlID, "http://a.evil.net/x")), all(id(domainID, "a.evil.net")), "domain"},
	{all(id(domainID, "a.evil.net")), all(id(domainID, "b.evil.net")), "site"},
	{all(id(domainID, "a.evil.co.uk")), all(id(domainID, "b.other.co.uk")), "!site"},
	{all(id(domainID, "a.github.io")), all(id(domainID, "b.github.io")), "!site"},
	{all(id(ipID, "198.51.100.7")), all(id(ipID, "198.51.100.7")), "ip"},
	{all(id(ipID, "198.51.100.7")), all(id(ipID, "198.51.100.9")), "network"},
	{all(id(ipID, "198.51.100.7")), all(id(ipID, "198.51.101.7")), "!network"},
	{all(id(ipID, "198.51.100.7")), all(id(cidrID, "198.51.100.0/24")), "cidr"},
	{all(id(ipID, "2001:db8:1::7")), all(id(cidrID, "2001:db8:1::/64")), "cidr"},
	// Addresses.
	{all(lives("12|Idaho Ave||Natchez|39120")), all(lives("12|idaho avenue||natchez|39120")), "street house-number postcode town town-cap"},
	{all(lives("|12 n. Idaho St., suite 8")), all(lives("12|idaho")), "street house-number"},
	{all(lives("12|Main St||Natchez")), all(lives("14|Main Street||Natchez")), "street-common house-number-differs town"},
	{all(lives("12|Main St||Natchez")), all(lives("14|Main Street||Tupelo")), "!street-common !street-differs town-differs"},
	{all(lives("56|Hallen Close|warra")), all(lives("65|warra|hallenclose")), "street-close house-number-close"},
	{all(lives("12|Idaho Ave|Willaroo Farm")), all(lives("12|Idaho Ave|willaroo farm")), "unit"},
	{all(lives("12|Idaho Ave|Willaroo Farm|Natchez|39120")), all(lives("12|Idaho Ave|Willaroo Farm|Natchez|39120")), "address-cap"},
	{all(lives("12|Idaho Ave||Natchez|39120")), all(lives("9|Ohio Rd||Tupelo|38801")), "street-differs postcode-differs town-differs"},
	{all(lives("|||Natchez|39120")), all(lives("|||Nathcez|39210")), "town-close postcode-close"},
	{all(lives("|||London")), all(lives("|||london")), "city !town"},
	{all(lives("|||||MS")), all(lives("|||||LA")), "state-differs"},
	// Names of things.
	{all(organization("Zwetschge Laundry Inc")), all(organization("Laundry, Zwetshge")), "organization"},
	{all(organization("Zwetschge Laundry")), all(organization("Palace Court")), "organization-differs"},
	{all(facility("Zwetschge Power Plant")), all(facility("ZWETSCHGE PLANT")), "facility"},
	{all(target("Zwetschge Dam")), all(target("zwetschge dam")), "target"},
	{all(vessel("Morgenstern")), all(vessel("MORGENSTERN")), "craft-name"},
	{all(item("rifle", "Zwetschge 77")), all(item("weapon", "zwetschge 77")), "item"},
	{all(item("book", "Querying mutable skylines")), all(item("book", "Querying Mutable Sky-Lines")), "work"},
	{all(item("book", "Querying mutable skylines"), called("Karim Haddad")), all(item("book", "Lightweight telemetry"), called("Karim Haddad")), "work-differs !surname"},
	{all(item("book", "Querying mutable skylines"), called("Karim Haddad")), all(item("book", "Querying mutable skylines"), called("Ann Zwetschge"), called("Zoe Morgenstern")), "work makers-differ"},
	{all(item("book", "Querying mutable skylines"), called("Karim Haddad")), all(item("book", "Querying mutable skylines"), called("Karim Haddad")), "work surname work-cap"},
	{all(item("book", "Editor's notes"), called("Karim Haddad")), all(item("book", "Editor's notes"), called("Karim Haddad")), "work surname work-cap"},
	{all(titled("Querying mutable skylines")), all(titled("querying mutable skylines")), "title"},
	{all(titled("Querying mutable skylines"), at(32, -90)), all(titled("querying mutable skylines"), at(32, -90)), "!title"},
	{all(entry("Querying mutable skylines"), called("Karim Haddad")), all(entry("Lightweight turbine telemetry"), called("Karim Haddad")), "work-differs !surname"},
	{all(entry("Skylines"), called("Karim Haddad")), all(entry("Lightweight turbine telemetry"), called("Karim Haddad")), "work-differs !surname"},
	{all(entry("Skylines"), called("Karim Haddad")), all(entry("Telemetry"), called("Karim Haddad")), "surname !work-differs"},
	{all(entry("Querying mutable skylines"), organization("Morgenstern")), all(entry("Querying mutable skylines"), organization("Morgenstern")), "work organization"},
	{all(entry("Senior software engineer"), called("Karim Haddad")), all(entry("Head of turbine telemetry"), called("Karim Haddad")), "surname !work-differs"},
	{all(entry("Querying mutable skylines"), human("Karim", "Haddad", 1980, 1, 2)), all(entry("Lightweight turbine telemetry"), human("Karim", "Haddad", 1980, 1, 2)), "birth !work-differs"},
	{all(entry("Querying mutable skylines"), called("Karim Haddad"), says("He left.")), all(entry("Lightweight turbine telemetry"), called("Karim Haddad"), says("He came.")), "surname !work-differs"},
	// Names of people.
	{all(called("Karim Haddad")), all(called("Haddad, Karim")), "surname given-name !names-swapped"},
	{all(called("Владимир Иванов")), all(called("Vladimir Ivanov")), "surname given-name"},
	{all(called("Γιώργος Παπαδόπουλος")), all(called("Giorgos Papadopoulos")), "surname given-name"},
	{all(called("محمد حداد")), all(called("Muhammad Haddad")), "surname-like given-name-like"},
	{all(human("Karim", "Haddad", 0, 0, 0)), all(human("Haddad", "Karim", 0, 0, 0)), "surname given-name names-swapped"},
	{all(human("Karim", "Hadad", 0, 0, 0)), all(human("Kareem", "Haddad", 0, 0, 0)), "surname-similar given-name-similar"},
	{all(human("Karim", "Gutierrez Haddad", 0, 0, 0)), all(human("Karim", "Haddad", 0, 0, 0)), "surname-part given-name"},
	{all(human("Karim", "de la Cruz", 0, 0, 0)), all(human("Karim", "Delacruz", 0, 0, 0)), "surname-similar"},
	{all(human("", "karimhaddad", 0, 0, 0)), all(human("Karim", "Haddad", 0, 0, 0)), "surname given-name"},
	{all(human("Bob", "Haddad", 0, 0, 0)), all(human("Robert", "Haddad", 0, 0, 0)), "given-name-similar"},
	{all(human("K", "Haddad", 0, 0, 0)), all(human("Karim", "Haddad", 0, 0, 0)), "initial"},
	{all(human("P", "Haddad", 0, 0, 0)), all(human("Karim", "Haddad", 0, 0, 0)), "initial-differs !surname"},
	{all(human("Karim", "Haddad", 0, 0, 0)), all(human("Karim", "Zwetschge", 0, 0, 0)), "surname-differs given-name"},
	{all(human("Ann", "Haddad", 0, 0, 0)), all(human("Karim", "Haddad", 0, 0, 0)), "given-name-differs !surname"},
	{all(called("Karim Paul Haddad")), all(called("Karim P Haddad")), "middle-name"},
	{all(called("Karim Paul Haddad")), all(called("Karim Zeno Haddad")), "middle-name-differs"},
	{all(called("Karim Paul Haddad")), all(called("Paul Haddad")), "given-name-like !given-name-differs"},
	{all(called("Unknown Person", "Karim Haddad")), all(called("Karim Haddad")), "surname given-name"},
	{all(suffixed("Jr")), all(suffixed("Sr")), "suffix-differs"},
	{all(aged(30, "male")), all(aged(31, "F")), "age sex-differs"},
	{all(aged(30, "m")), all(aged(50, "male")), "age-differs !sex-differs"},
	{all(aged(38, "")), all(born(1988, 1, 2)), "age-fits-birth"},
	{all(aged(60, "")), all(born(1988, 1, 2)), "age-differs"},
	{all(born(1988, 4, 9)), all(born(1988, 4, 9)), "birth"},
	{all(born(1988, 4, 9)), all(born(1988, 4, 19)), "birth-one-digit"},
	{all(born(1988, 4, 21)), all(born(1988, 4, 12)), "birth-one-digit"},
	{all(born(1988, 4, 9)), all(born(1988, 9, 4)), "birth-swapped"},
	{all(born(1988, 4, 9)), all(born(1977, 4, 9)), "birth-two-parts"},
	{all(born(1988, 4, 9)), all(born(1988, 5, 17)), "birth-near"},
	{all(born(1988, 4, 9)), all(born(1989, 2, 17)), "birth-year-near"},
	{all(born(1988, 4, 0)), all(born(1988, 4, 9)), "birth-month"},
	{all(born(1988, 0, 0)), all(born(1988, 4, 9)), "birth-year"},
	{all(born(1988, 4, 9)), all(born(1961, 11, 23)), "birth-differs"},
	{all(bearing("C01234567", human("Karim", "Haddad", 0, 0, 0))), all(bearing("C01234576", human("Karim", "Haddad", 0, 0, 0))), "person-number-close"},
	{all(bearing("C01234567", human("Karim", "Haddad", 0, 0, 0))), all(bearing("C01934587", human("Karim", "Haddad", 0, 0, 0))), "person-number-like"},
	{all(bearing("C01234567", human("Karim", "Haddad", 0, 0, 0))), all(bearing("X98765432", human("Karim", "Haddad", 0, 0, 0))), "person-number-differs"},
	{all(called("Karim Haddad"), called("Zoe Morgenstern")), all(called("Karim Haddad"), called("Zoe Morgenstern")), "surname second-person"},
	{all(id(phoneID, "+16015550123"), human("Ann", "Haddad", 0, 0, 0)), all(id(phoneID, "+16015550123"), human("Karim", "Haddad", 0, 0, 0)), "household-cap"},
	{all(human("Zebulon", "Quackenbush", 1961, 3, 14)), all(human("Zebulon", "Quackenbush", 1984, 11, 2)), "birth-differs namesakes"},
	{all(id(vinID, "1FTFW1ET5DFC10312"), id(hashID, strings.Repeat("ab", 32))), all(id(vinID, "1FTFW1ET5DFC10312"), id(hashID, strings.Repeat("ab", 32))), "identifiers-cap"},
	// Place, time, what happened.
	{all(at(32.3, -90.18), behavior(11)), all(at(32.3, -90.18), behavior(11)), "place-150m time-30min behavior"},
	{all(at(32.3, -90.18), behavior(11)), all(at(32.305, -90.18), behavior(12)), "place-1km behavior-differs"},
	{all(at(32.3, -90.18)), all(at(32.33, -90.18)), "place-5km"},
	{all(at(32.3, -90.18)), all(at(32.4, -90.18)), "place-25km !time-30min"},
	{all(at(32.3, -90.18)), all(at(34.4, -90.18)), "place-apart"},
	{all(behavior(11)), all(behavior(11)), "!behavior"},
	{all(incident("arson"), at(32.3, -90.18)), all(incident("Arson"), at(32.3, -90.18)), "incident-type"},
	{all(incident("person record")), all(incident("person record")), "!incident-type"},
	{all(hazard("Earthquake", 1), at(32.3, -90.18)), all(hazard("Earthquake", 1), at(32.4, -90.18)), "hazard-rare time-1min"},
	{all(hazard("Chlorine release", 1)), all(hazard("Chlorine release", 1)), "hazard"},
	{all(hazard("Flood Watch", 1)), all(hazard("Flood Watch", 1)), "hazard-common"},
	{all(narrative(strings.Repeat("an odd tale of nine Zwetschge trucks ", 1) + longTale)), all(narrative("an odd tale of nine Zwetschge trucks " + longTale)), "narrative-copy"},
	{all(outlined(32, -90, 32, -89.8, 32.1, -89.8, 32, -90)), all(outlined(32, -90, 32, -89.8, 32.1, -89.8, 32, -90)), "same-outline !place-25km"},
	{all(facility("Zwetschge Power Plant"), at(32.3, -90.18)), all(facility("Zwetschge Power Plant"), at(32.3, -90.18)), "facility !place-150m"},
}

const longTale = `that stood behind the depot from dawn until noon while two men counted pallets and wrote the numbers of each gate into a
	small green book before they left toward the river road with the lights off and the doors open`

// TestEveryRowHasARule: each case shows what it should, and no row of the
// table is without a case.
func TestEveryRowHasARule(t *testing.T) {
	shown := map[string]bool{"hub": true, "time-6h": true, "work-year-differs": true, "number-differs": true, "work-makers-cap": true,
		"instant": true, "instant-differs": true, "place-crowded": true} // below
	for i, c := range rules {
		got := between(t, say("fbi", 0, c.a...), say("atf", time.Second, c.b...))
		for _, w := range strings.Fields(c.want) {
			name, not := strings.CutPrefix(w, "!")
			if bits := got[name]; (bits != 0) == not {
				t.Errorf("case %d: %s counts %d, want %s: %v", i, name, bits, w, got)
			}
			if !not {
				shown[name] = true
			}
		}
	}
	for _, name := range WeightNames() {
		if !shown[name] {
			t.Errorf("no case shows that %s counts", name)
		}
	}
}

func TestRowsThatNeedTime(t *testing.T) {
	book := item("book", "Querying mutable skylines")
	near := at(32.3, -90.18)
	if got := between(t, say("fbi", 0, near), say("atf", 4*time.Hour, near)); got["time-6h"] == 0 {
		t.Errorf("four hours apart at one place: %v", got)
	}
	if got := between(t, say("fbi", 0, book), say("atf", 366*24*time.Hour, book)); got["work-year-differs"] >= 0 {
		t.Errorf("two editions a year apart: %v", got)
	}
	shock := func(r *wf.Report) {
		r.Kind, r.Body = wf.Kind_KIND_HAZARD, &wf.Report_Hazard{Hazard: &wf.Hazard{Event: "Earthquake", Onset: r.EventTime.Start}}
	}
	if got := between(t, say("fbi", 0, shock, near), say("atf", 9*time.Second, shock, near)); got["instant"] == 0 {
		t.Errorf("one shock by two networks: %v", got)
	}
	if got := between(t, say("fbi", 0, shock, near), say("atf", 40*time.Second, shock, near)); got["instant-differs"] >= 0 {
		t.Errorf("a shock and its aftershock: %v", got)
	}
	one := between(t, say("fbi", 0, item("book", "Mutable skylines, part I")), say("atf", 1, item("book", "Mutable skylines, part II")))
	same := between(t, say("fbi", 0, item("book", "Mutable skylines, part I")), say("atf", 1, item("book", "Mutable skylines, part I")))
	if one["work"] >= same["work"]-8000 {
		t.Errorf("part I and part II: %v, part I twice: %v", one, same)
	}
	editors := between(t, say("fbi", 0, item("book", "Editor's notes"), called("Karim Haddad")), say("atf", 1, item("book", "Editor's notes"), called("Karim Haddad")))
	if sum := total(editors); sum > editors["work"]+5000 {
		t.Errorf("makers add %d to a title everybody uses: %v", sum-editors["work"], editors)
	}
}

// TestACrowdedPlaceSaysLittle: what lies where very many reports lie, and when
// they are made, is no evidence.
func TestACrowdedPlaceSaysLittle(t *testing.T) {
	near := at(32.3, -90.18)
	in := []Input{say("fbi", 0, near), say("atf", time.Minute, near)}
	for i := range 12 * DefaultHubLimit {
		in = append(in, say("dea", time.Duration(i)*time.Second, near, record(fmt.Sprint("C-", i)), func(r *wf.Report) { r.Id = fmt.Sprint("crowd-", i) }))
	}
	e := fed(Config{Status: wf.Status_STATUS_EXERCISE}, in)
	p, ok := e.Compare(Identity{"le", "fbi", in[0].Report.Id}, Identity{"le", "atf", in[1].Report.Id})
	if !ok || len(p.Evidence) != 1 || p.Evidence[0].Kind != "place-crowded" {
		t.Errorf("two of %d reports at one place: %v", len(in), p.Evidence)
	}
}

func total(rows map[string]int32) (sum int32) {
	for _, b := range rows {
		sum += b
	}
	return sum
}

// TestWhatEverybodyHasIsStopped: a value on a stop-list weighs nothing, says so
// and proposes nothing; its neighbour that is none does.
func TestWhatEverybodyHasIsStopped(t *testing.T) {
	for _, c := range []struct {
		t        wf.IdentifierType
		stop, ok string
	}{
		{ssnID, "000123456", "212345678"}, {ssnID, "666123456", "667123456"}, {ssnID, "912345678", "812345678"}, {ssnID, "212005678", "212015678"},
		{ssnID, "212340000", "212340001"}, {ssnID, "078051120", "078051121"}, {ssnID, "111111111", "111111112"}, {ssnID, "123456789", "123456780"},
		{phoneID, "+18005550123", "+16015550123"}, {phoneID, "+18885550123", "+16625550123"}, {phoneID, "+16015555555", "+16015550155"}, {phoneID, "+16015551212", "+16015550112"},
		{ipID, "8.8.8.8", "8.8.9.9"}, {ipID, "10.1.2.3", "11.1.2.3"}, {ipID, "192.168.1.1", "192.169.1.1"}, {ipID, "100.64.0.1", "100.63.0.1"}, {ipID, "169.254.1.1", "169.253.1.1"},
		{ipID, "fe80::1", "2001:db8::1"}, {ipID, "2001:4860:4860::8888", "2001:4860:4860::8889"}, {cidrID, "0.0.0.0/0", "198.51.100.0/24"},
		{emailID, "x@mailinator.com", "x@harris.net"}, {emailID, "noreply@harris.net", "kreply@harris.net"},
		{domainID, "gmail.com", "gmaik.com"}, {domainID, "mailinator.com", "harris.net"}, {urlID, "https://www.google.com/", "https://www.google.com/file/77"},
		{hashID, "d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427f"},
		{hashID, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", strings.Repeat("ab", 32)},
		{vinID, "11111111111111111", "1FTFW1ET5DFC10312"}, {vinID, "12345678901234567", "1M8GDM9AXKP042788"},
		{plateID, "TEMP", "TEMQ"}, {plateID, "UNKNOWN", "UNKNOWM"}, {macID, "00:00:00:00:00:00", "00:00:00:00:00:01"}, {imeiID, "000000000000000", "490154203237518"},
	} {
		a, b := say("fbi", 0, id(c.t, c.stop), id(vinID, "2FTFW1ET5DFC10312")), say("atf", 1, id(c.t, c.stop), id(vinID, "2FTFW1ET5DFC10312"))
		if got := between(t, a, b); total(got) != DefaultWeights().bits[wVIN] {
			t.Errorf("%s counts: %v", c.stop, got)
		}
		s := fed(Config{Status: wf.Status_STATUS_EXERCISE}, []Input{a, b}).Situations()
		if len(s) != 1 || len(s[0].Ignored) != 1 || s[0].Ignored[0].Reason != "stop-list" {
			t.Errorf("%s: the picture does not say that it was ignored", c.stop)
		}
		if got := between(t, say("fbi", 0, id(c.t, c.ok)), say("atf", 1, id(c.t, c.ok))); total(got) == 0 {
			t.Errorf("%s, which is none, counts nothing", c.ok)
		}
	}
	for _, who := range []part{called("Unknown Unknown"), called("John Doe"), born(1900, 1, 1), born(1970, 1, 1), human("N/A", "none", 0, 0, 0)} {
		if got := between(t, say("fbi", 0, who), say("atf", 1, who)); got["birth"] != 0 || got["surname"] != 0 && got["given-name"] == 0 {
			t.Errorf("a placeholder counts: %v", got)
		}
	}
}

// TestABrokenPartLeavesTheRest: whichever single part of a record is garbled,
// the two are still proposed and still one.
func TestABrokenPartLeavesTheRest(t *testing.T) {
	whole := func(change func(p *wf.Person, a *wf.Address, phone *wf.Identifier)) part {
		p := &wf.Person{Names: []*wf.PersonName{{Given: "Karim", Family: "Haddad"}}, Birth: &wf.PartialDate{Year: 1988, Month: 4, Day: 9}}
		a := &wf.Address{Number: "123", Street: "Idaho Avenue", City: "Natchez", Postcode: "39120"}
		n := &wf.Identifier{Type: phoneID, Value: "+16015550123"}
		change(p, a, n)
		return func(r *wf.Report) {
			r.Entities = []*wf.Entity{{Identifiers: []*wf.Identifier{n}, Addresses: []*wf.Address{a}, Detail: &wf.Entity_Person{Person: p}}}
		}
	}
	for name, change := range map[string]func(p *wf.Person, a *wf.Address, n *wf.Identifier){
		"nothing": func(*wf.Person, *wf.Address, *wf.Identifier) {},
		"first letter": func(p *wf.Person, _ *wf.Address, n *wf.Identifier) {
			p.Names[0].Family, n.Value = "Jaddad", "+16625550177"
		},
		"both names": func(p *wf.Person, _ *wf.Address, n *wf.Identifier) {
			p.Names[0].Family, p.Names[0].Given, n.Value = "Haddda", "Krim", "+16625550177"
		},
		"names swapped": func(p *wf.Person, _ *wf.Address, _ *wf.Identifier) {
			p.Names[0].Family, p.Names[0].Given = "Karim", "Hadad"
		},
		"no given name": func(p *wf.Person, _ *wf.Address, _ *wf.Identifier) { p.Names[0].Given = "" },
		"birth, phone":  func(p *wf.Person, _ *wf.Address, n *wf.Identifier) { p.Birth.Day, n.Value = 10, "+16625550177" },
		"birth missing": func(p *wf.Person, _ *wf.Address, _ *wf.Identifier) { p.Birth = nil },
		"phone swapped": func(_ *wf.Person, _ *wf.Address, n *wf.Identifier) { n.Value = "+16015550132" },
		"moved": func(_ *wf.Person, a *wf.Address, n *wf.Identifier) {
			*a = wf.Address{Number: "9", Street: "Ohio Rd", City: "Tupelo", Postcode: "38801"}
		},
		"all of address": func(_ *wf.Person, a *wf.Address, _ *wf.Identifier) {
			a.Number, a.Street, a.City, a.Postcode = "132", "Idhao Av", "Nachez", "39210"
		},
	} {
		t.Run(name, func(t *testing.T) {
			in := []Input{say("fbi", 0, whole(func(*wf.Person, *wf.Address, *wf.Identifier) {})), say("atf", time.Hour, whole(change))}
			if got := groups(in...); !slices.Equal(got, []int{2}) {
				t.Errorf("situations of %v reports: %v", got, between(t, in[0], in[1]))
			}
		})
	}
}
