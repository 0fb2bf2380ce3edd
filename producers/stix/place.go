package stix

import (
	"strings"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// place adds a location. A country or region without a point is a name.
func (c *converter) place(o *object, role wf.PlaceRole) {
	p := &wf.Place{Role: role, Name: placeName(o)}
	if lat, ok := o.float("latitude"); ok {
		lon, _ := o.float("longitude")
		p.Point = &wf.Point{Latitude: lat, Longitude: lon}
		p.UncertaintyM, _ = o.float("precision")
	}
	area := strings.ToUpper(strings.TrimPrefix(o.str("administrative_area"), "US-"))
	if country := strings.ToUpper(o.str("country")); (country == "" || country == "US" || country == "USA") && subject.IsState(area) {
		p.State = area
	}
	a := &wf.Address{Street: folded(o.str("street_address")), City: folded(o.str("city")), Postcode: folded(o.str("postal_code")), Country: folded(o.str("country"))}
	if a.Street != "" || a.City != "" || a.Postcode != "" {
		p.Address = a
	}
	if p.Name == "" && p.Point == nil && p.State == "" && p.Address == nil {
		return
	}
	c.r.Places = append(c.r.Places, p)
}

func placeName(o *object) string {
	for _, name := range []string{"name", "city", "administrative_area", "country", "region"} {
		if s := codec.Line(o.str(name)); s != "" {
			return short(s, 400)
		}
	}
	return ""
}

// folded is the normal form of the parts of an address.
func folded(s string) string { return short(strings.ToLower(codec.Line(s)), 400) }
