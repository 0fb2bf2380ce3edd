package exercise

import (
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// spot is a position in micro-degrees with its county.
type spot struct {
	lat, lon int64
	fips     string
	name     string
}

// in is a random point of a disc.
func (r *rng) in(d disc, fips string) spot {
	for {
		x := int64(r.between(int(-d.reach), int(d.reach)))
		y := int64(r.between(int(-d.reach), int(d.reach)))
		if x*x+y*y <= d.reach*d.reach {
			return spot{d.lat + northward(y), d.lon + eastward(x), fips, ""}
		}
	}
}

// northward and eastward turn metres into micro-degrees; a degree of longitude
// is taken as 93.6 km, its length in the middle of the state.
func northward(m int64) int64 { return m * 9009 / 1000 }
func eastward(m int64) int64  { return m * 10684 / 1000 }

// near is a random point at most so many metres from s.
func (r *rng) near(s spot, metres int64) spot {
	n := r.in(disc{s.lat, s.lon, metres}, s.fips)
	n.name = s.name
	return n
}

var byPopulation = cumulate(len(counties), func(i int) int { return counties[i].weight })

// county is a random one by population.
func (r *rng) county() *county { return &counties[r.zipf(byPopulation)] }

// somewhere is a random point of a county: half of them in town.
func (r *rng) somewhere(c *county) spot {
	if r.chance(500) {
		s := r.in(c.town, c.fips)
		s.name = c.seat
		return s
	}
	s := r.in(c.rural, c.fips)
	s.name = c.name + " County"
	return s
}

func degrees(micro int64) float64 { return float64(micro) / 1e6 }

// place is the spot where it happened, known to so many metres.
func (s spot) place(uncertainty float64) *wf.Place {
	return &wf.Place{
		Point:      &wf.Point{Latitude: degrees(s.lat), Longitude: degrees(s.lon)},
		CountyFips: s.fips, State: stateOf(s.fips), UncertaintyM: uncertainty, Name: s.name, Role: wf.PlaceRole_PLACE_ROLE_EVENT,
	}
}

// target is the spot as something that is expected to be acted upon.
func (s spot) target() *wf.Place {
	p := s.place(50)
	p.Role = wf.PlaceRole_PLACE_ROLE_TARGET
	return p
}

// areas are whole counties.
func areas(fips ...string) []*wf.Place {
	out := make([]*wf.Place, 0, len(fips))
	for _, f := range fips {
		out = append(out, &wf.Place{CountyFips: f, State: stateOf(f), Role: wf.PlaceRole_PLACE_ROLE_AREA, Name: areaName(f)})
	}
	return out
}

func areaName(fips string) string {
	if fips[:2] == "28" {
		return countyByFIPS(fips).name + " County"
	}
	return ""
}

func stateOf(fips string) string {
	switch fips[:2] {
	case "28":
		return "MS"
	case "29":
		return "MO"
	}
	return ""
}

// box is a closed ring around s, longer along its heading.
func (s spot) box(east, north int64) *wf.Polygon {
	corner := func(e, n int64) *wf.Point {
		return &wf.Point{Latitude: degrees(s.lat + northward(n)), Longitude: degrees(s.lon + eastward(e))}
	}
	return &wf.Polygon{Points: []*wf.Point{corner(-east, -north), corner(east, -north), corner(east, north), corner(-east, north), corner(-east, -north)}}
}
