package narrative

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// address is a house number, a street with its type, and what follows of unit,
// town, state and postcode.
func (s *scan) address(i int) int {
	if n := len(s.raw(i)); n > 6 || s.glued(i) && i > 0 && !s.symbolAt(i-1, "(\"/,:") || s.raw(i)[0] == '0' || s.symbolAt(i-1, "$#") {
		return i
	}
	old := boolInt(s.word(i+1) == "old")
	if road, k := s.road(i + 1 + old); road != "" && s.capital(i+1) {
		a := &wf.Address{Number: s.word(i), Street: strings.Repeat("old ", old) + road}
		return s.located(a, i, k, Address, "a number and a numbered road")
	}
	j, ok := s.street(i + 1)
	if !ok {
		return i
	}
	number, street := normal.Street(s.span(i, j))
	if number == "" || street == "" {
		return i
	}
	a := &wf.Address{Number: number, Street: streetForm(street)}
	return s.located(a, i, j, Address, "a number, a name and a word for a street")
}

// block is "1200 block of North State Street", kept as an address of its
// hundred.
func (s *scan) block(i int) int {
	if s.word(i+1) != "block" && s.word(i+1) != "blk" || len(s.raw(i)) > 5 {
		return i
	}
	k := i + 2 + boolInt(s.word(i+2) == "of")
	j, ok := s.street(k)
	if !ok {
		return i
	}
	street := streetForm(normal.AddressPart(s.span(k, j)))
	a := &wf.Address{Number: s.raw(i) + " block", Street: street}
	return s.located(a, i, j, Address, "a block of a street")
}

// street reads direction, name of one to four words, and type of a street.
func (s *scan) street(i int) (next int, ok bool) {
	j := i
	if s.is(j, direction) && s.capital(j) {
		j++
		j += boolInt(s.symbolAt(j, ".") && s.glued(j))
	}
	names := 0
	for ; names < 5; names++ {
		t := s.tok(j)
		if names > 0 && t.class&streetType != 0 && t.letters != lower && !s.is(j+1, streetType) && !(s.capital(j+1) && s.is(j+2, streetType) && !s.symbolAt(j+1, ",")) {
			j++
			if s.symbolAt(j, ".") && s.glued(j) && len(s.word(j-1)) <= 4 && !s.endsAt(j) {
				j++
			}
			if n := s.tok(j); s.word(j-2) == "county" && n.shape == number && n.end-n.start <= 4 && n.gap && !n.line {
				j++ // County Road 405
			}
			if s.is(j, direction) && s.capital(j) && !s.tok(j).line && len(s.word(j)) <= 2 {
				j++
			}
			return j, true
		}
		switch {
		case t.line, t.shape == symbol, t.letters == lower && !ordinal(s.word(j)):
			return i, false
		case names == 0 && t.class&stop != 0 && t.class&(color|given|givenAlso|surnameAlso|direction|stateName|month|facilityWord) == 0 && !ordinal(s.word(j)) && !streetName[s.word(j)]:
			return i, false
		case t.shape == number && names > 0 || t.shape == number && len(s.raw(j)) > 3:
			return i, false
		}
		j++
		j += boolInt(s.symbolAt(j, ".") && s.glued(j) && s.is(j-1, abbreviation|streetType))
	}
	return i, false
}

// streetForm writes types and directions of a street in the postal short form,
// so that two hands write one street alike.
func streetForm(street string) string {
	words := strings.Fields(strings.ReplaceAll(strings.Trim(street, " ,"), ".", ""))
	for i, w := range words {
		if short, ok := streetForms[w]; ok && (i == 0 || i >= len(words)-2) && len(words) > 1 {
			words[i] = short
		}
	}
	return strings.Join(words, " ")
}

var streetForms = map[string]string{
	"street": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "lane": "ln", "boulevard": "blvd", "court": "ct", "circle": "cir", "place": "pl", "parkway": "pkwy",
	"trail": "trl", "terrace": "ter", "square": "sq", "cove": "cv", "alley": "aly", "crossing": "xing", "north": "n", "south": "s", "east": "e", "west": "w",
	"northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
}

// streetName are common words that streets are called.
var streetName = wordSet("first second third fourth fifth sixth seventh eighth ninth main county state central union market capitol court college university river lake bridge park church school hospital airport high old new center centre bay gulf beach ridge valley spring springs industrial commerce mill front water washington memorial veterans depot station plaza")

// endsAt says whether the full stop at j ends a sentence: a capital follows.
func (s *scan) endsAt(j int) bool {
	t := s.tok(j + 1)
	return t.end == 0 || t.gap && t.letters != lower && t.class&(stateCode|unitWord|direction) == 0 && !s.symbolAt(j+1, ",(")
}

func ordinal(w string) bool {
	if len(w) < 3 || !isDigit(w[0]) {
		return false
	}
	switch w[len(w)-2:] {
	case "st", "nd", "rd", "th":
		return digitsOnly([]string{w[:len(w)-2]})
	}
	return false
}

// located reads what follows a street and notes the address.
func (s *scan) located(a *wf.Address, i, j int, kind Kind, why string) int {
	k := j + boolInt(s.symbolAt(j, ","))
	if s.is(k, unitWord) || s.symbolAt(k, "#") {
		n := k + 1
		n += boolInt(s.symbolAt(n, ".") || s.symbolAt(n, "#"))
		if t := s.tok(n); t.shape == number || t.shape == mixed || t.letters == initial {
			a.Unit, j = s.word(n), n+1
			k = j
		}
	}
	sp, j := s.townAfter(a, j)
	p := &wf.Place{Address: a, State: strings.ToUpper(a.State)}
	if sp != nil {
		p.CountyFips = sp.fips
		p.Point, p.RadiusM, p.UncertaintyM = &wf.Point{Latitude: sp.lat, Longitude: sp.lon}, sp.radius, sp.radius
	}
	if s.near(i, 4, residence) {
		p.Role = wf.PlaceRole_PLACE_ROLE_RESIDENCE
	}
	text := strings.TrimSpace(a.Number + " " + a.Street)
	if a.City != "" {
		text += ", " + a.City
	}
	f := Finding{Kind: kind, Normal: text, Why: why, Place: p}
	if p.Role == wf.PlaceRole_PLACE_ROLE_RESIDENCE {
		f.Of = s.whose(i)
	}
	s.add(f, i, j)
	return j
}

// townAfter reads ", Jackson, MS 39201" into a.
func (s *scan) townAfter(a *wf.Address, j int) (*spot, int) {
	k := j
	if s.symbolAt(k, ",") || s.word(k) == "in" {
		k++
	}
	if k == j && s.tok(k).line {
		k = j
	}
	for n := 3; n >= 1 && s.capital(k); n-- {
		e := k + n + boolInt(s.symbolAt(k+1, ".") && s.is(k, abbreviation))
		if e > len(s.toks) || !s.allCapital(k, e) {
			continue
		}
		lines := entries(cityTable, placeName(s.span(k, e)))
		if len(lines) == 0 {
			continue
		}
		state, end := s.stateFollowing(e)
		if state == "" {
			if k == j || s.notATown(e) {
				continue
			}
			state, end = s.ctx.State, e
		}
		sp, ok := choose(lines, state, true)
		if !ok {
			continue
		}
		a.City, a.State = placeName(s.span(k, e)), strings.ToLower(sp.state)
		if z := s.tok(end); z.shape == number && z.end-z.start == 5 {
			a.Postcode, end = s.raw(end), end+1
			if s.symbolAt(end, "-") && s.glued(end) && s.tok(end+1).shape == number && len(s.raw(end+1)) == 4 {
				end += 2
			}
		}
		return &sp, end
	}
	return nil, j
}

// crossing is a place on a numbered road: "I-55 at exit 98", "Hwy 49 near mile
// marker 12", "I-20 and Highway 18".
func (s *scan) crossing(i int) int {
	road, j := s.road(i)
	if road == "" {
		return s.corner(i)
	}
	k := j
	for n := 0; n < 5 && (s.word(k) == "at" || s.word(k) == "near" || s.word(k) == "northbound" || s.word(k) == "southbound" || s.word(k) == "eastbound" || s.word(k) == "westbound" ||
		s.word(k) == "nb" || s.word(k) == "sb" || s.word(k) == "eb" || s.word(k) == "wb" || s.word(k) == "the" || s.symbolAt(k, ",")); n++ {
		k++
	}
	at := ""
	switch w := s.word(k); {
	case w == "exit" && s.tok(k+1).shape != symbol && digitsIn([]string{s.raw(k + 1)}) > 0 && isDigit(s.raw(k + 1)[0]):
		at, k = "exit "+s.word(k+1), k+2
	case (w == "mile" && (s.word(k+1) == "marker" || s.word(k+1) == "post")) && s.tok(k+2).shape == number:
		at, k = "mile "+s.word(k+2), k+3
	case (w == "mm" || w == "milepost") && s.tok(k+1).shape == number:
		at, k = "mile "+s.word(k+1), k+2
	case w == "and" || s.symbolAt(k, "&/") || k > j:
		if w == "and" || s.symbolAt(k, "&/") {
			k++
		}
		other, n := s.road(k)
		if other == "" || other == road {
			return i
		}
		if other < road {
			road, other = other, road
		}
		at, k = other, n
	default:
		return i
	}
	a := &wf.Address{Number: "at " + at, Street: road}
	return s.located(a, i, k, Crossing, "a numbered road with an exit, a mile or another road")
}

// road is a numbered road at i in one spelling: "i-55", "us-49", "hwy-18".
func (s *scan) road(i int) (name string, next int) {
	w, j := s.word(i), i+1
	switch w {
	case "i", "interstate", "ih":
		name = "i"
		if w == "i" && s.tok(i).letters != initial {
			return "", i
		}
	case "us":
		name = "us"
		if s.tok(i).letters != upper {
			return "", i
		}
	case "hwy", "highway", "sr", "route", "rt":
		name = "hwy"
	case "ms", "mo", "state":
		if w != "state" && s.tok(i).letters != upper {
			return "", i
		}
		name = "hwy"
		if w == "state" && s.word(j) != "route" && s.word(j) != "highway" && s.word(j) != "hwy" {
			return "", i
		}
	default:
		return "", i
	}
	for s.symbolAt(j, "-.") || s.word(j) == "highway" || s.word(j) == "hwy" || s.word(j) == "route" {
		j++
	}
	if w == "u" || s.tok(j).shape == symbol || len(s.raw(j)) > 4 || len(s.raw(j)) == 0 || !isDigit(s.raw(j)[0]) {
		return "", i
	}
	if (w == "i" || w == "ms" || w == "mo") && !s.glued(i+1) {
		return "", i
	}
	return name + "-" + s.word(j), j + 1
}

// corner is two streets: "Main St and 5th Ave", "corner of Capitol & State Streets".
func (s *scan) corner(i int) int {
	if !s.capital(i) && !ordinal(s.word(i)) || s.is(i-1, direction) && s.capital(i-1) {
		return i
	}
	if t := s.tok(i); t.class&stop != 0 && t.class&(color|given|givenAlso|surnameAlso|direction|month) == 0 && !streetName[s.word(i)] {
		return i
	}
	j, ok := s.street(i)
	if !ok || !(s.word(j) == "and" || s.symbolAt(j, "&/") || s.word(j) == "at") {
		return i
	}
	k, ok := s.street(j + 1)
	if !ok {
		return i
	}
	one, two := streetForm(normal.AddressPart(s.span(i, j))), streetForm(normal.AddressPart(s.span(j+1, k)))
	if two < one {
		one, two = two, one
	}
	if one == "" || two == "" || one == two {
		return i
	}
	return s.located(&wf.Address{Number: "at " + two, Street: one}, i, k, Crossing, "two streets")
}
