package report

import (
	"fmt"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// maxRadius is half the way round the earth in metres.
const maxRadius = 20_037_508

func (c *checker) places(list []*wf.Place) {
	if !c.count("places", len(list), maxMany) {
		return
	}
	for i, p := range list {
		c.enter("places", i)
		c.place(p)
		c.leave()
	}
}

func (c *checker) place(p *wf.Place) {
	if p.GetPoint() == nil && p.GetPolygon() == nil && p.GetCountyFips() == "" && p.GetState() == "" && p.GetName() == "" && p.GetAddress() == nil {
		c.refuse(admission.Missing, "point", "the place says nothing", "give a point, polygon, county, state, name or address, or leave the place out")
	}
	if pt := p.GetPoint(); pt != nil {
		c.point(pt)
	} else if p.GetRadiusM() != 0 {
		c.refuse(admission.BadGeometry, "radius_m", "there is a radius but no point", "give the point the radius is around")
	}
	c.metres("radius_m", p.GetRadiusM())
	c.metres("uncertainty_m", p.GetUncertaintyM())
	if p.GetPolygon() != nil {
		c.polygon(p.GetPolygon().GetPoints())
	}
	c.county(p.GetCountyFips(), p.GetState())
	c.text("name", p.GetName(), maxText)
	if !known(p.GetRole(), wf.PlaceRole_PLACE_ROLE_OBSERVER) {
		c.enum("role", int32(p.GetRole()), "the place roles of the schema")
	}
	if p.GetAddress() != nil {
		c.enter("address", -1)
		c.address(p.GetAddress())
		c.leave()
	}
}

func (c *checker) metres(field string, m float64) {
	if !(m >= 0 && m <= maxRadius) { // NaN too
		c.refuse(admission.BadGeometry, field, fmt.Sprintf("%v m is not between 0 and %d", m, maxRadius), "give metres")
	}
}

const remedyOrder = "give latitude first, in decimal degrees of WGS-84"

func (c *checker) point(p *wf.Point) {
	switch {
	case swapped(p):
		c.refuse(admission.BadGeometry, "point", "latitude and longitude are swapped", remedyOrder)
	case !onEarth(p):
		c.refuse(admission.BadGeometry, "point", fmt.Sprintf("latitude %v, longitude %v is not on the earth", p.GetLatitude(), p.GetLongitude()), remedyOrder)
	}
}

func onEarth(p *wf.Point) bool {
	lat, lon := p.GetLatitude(), p.GetLongitude()
	return lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180 // false for NaN
}

// swapped says whether p cannot be meant as it stands: a latitude off the
// earth or deep in Antarctica that, read as a longitude, lands in or around
// the United States.
func swapped(p *wf.Point) bool {
	lat, lon := p.GetLatitude(), p.GetLongitude()
	return lat >= -180 && lat < -60 && lon >= 13 && lon <= 72
}

// polygon checks one ring: long enough, on the earth, closed, not swapped and
// not a single spot.
func (c *checker) polygon(ring []*wf.Point) {
	if !c.count("polygon.points", len(ring), maxRing) {
		return
	}
	if len(ring) < 4 {
		c.refuse(admission.BadGeometry, "polygon.points", fmt.Sprintf("the ring has %d points, it needs at least 4", len(ring)), "give three corners and the first again")
		return
	}
	turned, spot := true, true
	first := ring[0]
	for _, p := range ring {
		turned = turned && swapped(p)
		spot = spot && samePoint(p, first)
	}
	if turned {
		c.refuse(admission.BadGeometry, "polygon.points", "latitude and longitude are swapped in every point", remedyOrder)
		return
	}
	for i, p := range ring {
		if !onEarth(p) {
			c.refuseAt(admission.BadGeometry, "polygon.points", i, fmt.Sprintf("latitude %v, longitude %v is not on the earth", p.GetLatitude(), p.GetLongitude()), remedyOrder)
		}
	}
	if !samePoint(first, ring[len(ring)-1]) {
		c.refuse(admission.BadGeometry, "polygon.points", "the ring is not closed", "repeat the first point at the end")
	}
	if spot {
		c.refuse(admission.BadGeometry, "polygon.points", "all points of the ring are the same", "send a point instead")
	}
}

func samePoint(a, b *wf.Point) bool {
	return a.GetLatitude() == b.GetLatitude() && a.GetLongitude() == b.GetLongitude()
}

// county checks the FIPS code, the USPS code, and that they agree.
func (c *checker) county(fips, state string) {
	if state != "" && !subject.IsState(state) {
		c.refuse(admission.Invalid, "state", quoted("state", state)+" is not a USPS code", "use two upper-case letters, such as MS")
	}
	if fips == "" {
		return
	}
	if !countyCode(fips) {
		c.refuse(admission.Invalid, "county_fips", quoted("county", fips)+" is not the five-digit FIPS code of a county", "keep the leading zero, and leave the field out for a whole state")
		return
	}
	if state != "" && subject.IsState(state) && !equalLower(state, subject.StateOfFIPS(fips)) {
		c.refuse(admission.Invalid, "county_fips", fmt.Sprintf("county %s is not in %s", fips, state), "correct one of the two")
	}
}

func countyCode(s string) bool {
	if len(s) != 5 || s[2:] == "000" || subject.StateOfFIPS(s) == "" {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// equalLower compares an upper-case code with a lower-case one of equal length.
func equalLower(upper, lower string) bool {
	if len(upper) != len(lower) {
		return false
	}
	for i := range len(upper) {
		if upper[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

// address checks the normal form of each part: lower case, single spaces.
func (c *checker) address(a *wf.Address) {
	for _, p := range [...]struct{ name, value string }{
		{"number", a.GetNumber()}, {"street", a.GetStreet()}, {"unit", a.GetUnit()}, {"city", a.GetCity()},
		{"state", a.GetState()}, {"postcode", a.GetPostcode()}, {"country", a.GetCountry()}, {"locality", a.GetLocality()},
	} {
		if p.value == "" {
			continue
		}
		c.line(p.name, p.value, maxName)
		if !foldedText(p.value) {
			c.refuse(admission.NotNormal, p.name, quoted("part", p.value)+" is not lower case with single spaces", "normalise the address before sending")
		}
	}
}
