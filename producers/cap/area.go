package cap

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// maxRadius is half the circumference of the earth in kilometres, rounded up.
const maxRadius = 20040

// places reads the areas of every info; an area said again in another
// language is one. The description names the first place of its area.
func (c *converter) places(r *wf.Report, h *wf.Hazard) {
	seen := map[string]bool{}
	for i := range c.a.Infos {
		for j := range c.a.Infos[i].Areas {
			path := fmt.Sprintf("alert.info[%d].area[%d]", i, j)
			area := &c.a.Infos[i].Areas[j]
			places, zones := c.area(area, path)
			h.Zones = union(h.Zones, zones)
			key := placesKey(places)
			if seen[key] {
				continue
			}
			seen[key] = true
			places[0].Name = codec.Line(area.Description)
			r.Places = append(r.Places, places...)
		}
	}
	slices.Sort(h.Zones)
}

// placesKey is equal for areas that cover the same ground.
func placesKey(places []*wf.Place) string {
	var b []byte
	for _, p := range places {
		b, _ = proto.MarshalOptions{Deterministic: true}.MarshalAppend(b, p)
		b = append(b, 0)
	}
	return string(b)
}

// area lists the places of one area, at least one, and its forecast zones.
func (c *converter) area(a *Area, path string) ([]*wf.Place, []string) {
	c.require(path+".areaDesc", a.Description)
	var out []*wf.Place
	for i, s := range a.Polygons {
		if p := c.polygon(s, fmt.Sprintf("%s.polygon[%d]", path, i)); p != nil {
			out = append(out, &wf.Place{Polygon: p})
		}
	}
	for i, s := range a.Circles {
		if p := c.circle(s, fmt.Sprintf("%s.circle[%d]", path, i)); p != nil {
			out = append(out, p)
		}
	}
	codes := c.geocodes(a.Geocodes, path)
	out = append(out, codes.places()...)
	if len(out) == 0 {
		// Only words: told apart by them.
		out = append(out, &wf.Place{Name: codec.Line(a.Description)})
	}
	for _, p := range out {
		p.Role = wf.PlaceRole_PLACE_ROLE_AREA
	}
	return out, codes.zones
}

// polygon reads pairs of latitude,longitude. An empty element, which old
// messages of the weather service carry, is no polygon.
func (c *converter) polygon(s, field string) *wf.Polygon {
	pairs := strings.Fields(s)
	if len(pairs) == 0 {
		return nil
	}
	out := &wf.Polygon{Points: make([]*wf.Point, 0, len(pairs))}
	for i, pair := range pairs {
		p, problem := parsePoint(pair)
		if problem != "" {
			c.bad(admission.BadGeometry, fmt.Sprintf("%s.point[%d]", field, i), quote(pair)+" "+problem, "write latitude,longitude in decimal degrees")
			return nil
		}
		out.Points = append(out.Points, p)
	}
	first, last := out.Points[0], out.Points[len(out.Points)-1]
	switch {
	case len(out.Points) < 4:
		c.bad(admission.BadGeometry, field, fmt.Sprintf("the polygon has %d points", len(out.Points)), "give at least four, the last equal to the first")
	case first.Latitude != last.Latitude || first.Longitude != last.Longitude:
		c.bad(admission.BadGeometry, field, "the polygon is not closed", "end it with its first point")
	case swapped(out.Points):
		c.bad(admission.BadGeometry, field, "latitude and longitude are swapped", "write latitude,longitude")
	default:
		return out
	}
	return nil
}

func parsePoint(s string) (*wf.Point, string) {
	a, b, ok := strings.Cut(s, ",")
	lat, err1 := parseDegrees(a)
	lon, err2 := parseDegrees(b)
	switch {
	case !ok || err1 != nil || err2 != nil:
		return nil, "is not a point"
	case (math.Abs(lat) > 90 || math.Abs(lon) > 180) && inUnitedStates(lon, lat):
		return nil, "is off the map: latitude and longitude are swapped"
	case math.Abs(lat) > 90 || math.Abs(lon) > 180:
		return nil, "is off the map"
	}
	return &wf.Point{Latitude: lat, Longitude: lon}, ""
}

// parseDegrees reads a decimal number: no exponent, no hexadecimal, no infinity.
func parseDegrees(s string) (float64, error) {
	if s == "" || strings.Trim(s, "+-.0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	v, err := strconv.ParseFloat(s, 64)
	if v == 0 {
		v = 0 // minus zero is zero
	}
	return v, err
}

// swapped says whether no point can be meant as written while every one, read
// the other way round, lies in the United States.
func swapped(points []*wf.Point) bool {
	for _, p := range points {
		if p.Latitude >= -60 || !inUnitedStates(p.Longitude, p.Latitude) {
			return false
		}
	}
	return true
}

func inUnitedStates(lat, lon float64) bool {
	return lat >= 13 && lat <= 72 && lon >= -180 && lon <= -60
}

// circle reads "latitude,longitude radius", the radius in kilometres.
func (c *converter) circle(s, field string) *wf.Place {
	f := strings.Fields(s)
	if len(f) == 0 {
		return nil
	}
	if len(f) != 2 {
		c.bad(admission.BadGeometry, field, quote(s)+" is not a circle", "write latitude,longitude radius")
		return nil
	}
	p, problem := parsePoint(f[0])
	if problem == "" && swapped([]*wf.Point{p}) {
		problem = "has latitude and longitude swapped"
	}
	if problem != "" {
		c.bad(admission.BadGeometry, field, quote(f[0])+" "+problem, "write latitude,longitude radius")
		return nil
	}
	radius, err := parseDegrees(f[1])
	if err != nil || radius < 0 || radius > maxRadius {
		c.bad(admission.BadGeometry, field, quote(f[1])+" is not a radius on earth", "write kilometres, 0 for a point")
		return nil
	}
	return &wf.Place{Point: p, RadiusM: math.Round(radius*1e6) / 1e3} // to the millimetre
}
