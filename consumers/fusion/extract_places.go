package fusion

import (
	"cmp"
	"slices"
	"strconv"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// places reads where it happened. Where the observer stood or somebody lives
// is not where it happened; an address counts as one all the same.
func (x *extraction) places(f *facts, r *wf.Report) {
	for i, p := range r.Places {
		if i == maxPlaces {
			break
		}
		if p == nil {
			continue
		}
		if p.Address != nil {
			x.address(p.Address, p.Role != wf.PlaceRole_PLACE_ROLE_OBSERVER && p.Role != wf.PlaceRole_PLACE_ROLE_RESIDENCE)
		}
		if p.Role == wf.PlaceRole_PLACE_ROLE_OBSERVER || p.Role == wf.PlaceRole_PLACE_ROLE_RESIDENCE {
			continue
		}
		x.place(p)
	}
	if len(x.spots) > 1 {
		slices.SortFunc(x.spots, func(a, b spot) int {
			return cmp.Or(cmp.Compare(a.radius, b.radius), cmp.Compare(a.lat, b.lat), cmp.Compare(a.lon, b.lon))
		})
		x.spots = slices.Compact(x.spots)
		x.spots = x.spots[:min(len(x.spots), maxSpots)]
	}
	if len(x.outline) > 0 {
		x.outline = hull(x.outline, maxOutline)
	}
}

func (x *extraction) place(p *wf.Place) {
	if v, err := strconv.ParseUint(p.CountyFips, 10, 32); err == nil && len(p.CountyFips) == 5 && len(x.counties) < maxCounties {
		x.counties = append(x.counties, uint32(v))
	}
	if p.Point != nil {
		if g, ok := degrees(p.Point.Latitude, p.Point.Longitude); ok {
			x.spots = append(x.spots, spot{geo: g, radius: max(metres(p.RadiusM), metres(p.UncertaintyM))})
		}
		return
	}
	x.polygon(p.GetPolygon().GetPoints())
}

// metres is a length that fits; what is none is zero.
func metres(v float64) int32 {
	if !(v > 0) {
		return 0
	}
	return int32(min(v, 20_000_000))
}

// polygon is a spot in the middle of its bounds that reaches to their corner.
func (x *extraction) polygon(points []*wf.Point) {
	if len(points) < 3 {
		return
	}
	step := max(1, len(points)/256)
	var lo, hi geo
	n := 0
	for i := 0; i < len(points); i += step {
		g, ok := degrees(points[i].GetLatitude(), points[i].GetLongitude())
		if !ok {
			continue
		}
		if n == 0 {
			lo, hi = g, g
		}
		n++
		lo = geo{min(lo.lat, g.lat), min(lo.lon, g.lon)}
		hi = geo{max(hi.lat, g.lat), max(hi.lon, g.lon)}
		x.outline = append(x.outline, g)
	}
	if n == 0 {
		return
	}
	mid := geo{int32((int64(lo.lat) + int64(hi.lat)) / 2), int32((int64(lo.lon) + int64(hi.lon)) / 2)}
	x.spots = append(x.spots, spot{geo: mid, radius: int32(min(distance(mid, hi), 20_000_000))})
}

// cells are the grid cells of a size (millionths of a degree) that the spots
// lie in, and with reach those that a disc of that many metres around touches:
// two spots within reach of each other then share a cell from both ends.
func (x *extraction) cells(size int32, reach int32) []uint64 {
	cells := x.grid[:0]
	for _, s := range x.spots {
		if s.radius > 10_000 {
			continue
		}
		cells = append(cells, gridCell(s.geo, size))
		if reach == 0 {
			continue
		}
		d := reach * 9 // millionths of a degree per metre of latitude
		w := int32(int64(d) * 1000 / max(cosine(s.lat), 50))
		for _, g := range [...]geo{{s.lat + d, s.lon + w}, {s.lat + d, s.lon - w}, {s.lat - d, s.lon + w}, {s.lat - d, s.lon - w}} {
			if c := gridCell(g, size); !slices.Contains(cells, c) && len(cells) < 4*maxSpots {
				cells = append(cells, c)
			}
		}
	}
	x.grid = cells
	return slices.Compact(cells)
}

func gridCell(g geo, size int32) uint64 {
	lat, lon := floorDiv(int64(g.lat), int64(size)), floorDiv(int64(g.lon), int64(size))
	return mix(uint64(size), uint64(lat+1<<20)<<32|uint64(lon+1<<20))
}

// maxCountyKeys is how many counties of an alert propose it: those with the
// smallest hashes, so that alerts for overlapping areas choose alike.
const maxCountyKeys = 4

// placeKeys bring together what happened at one place, when no person is
// named who would do it better.
func (x *extraction) placeKeys(f *facts) {
	for _, v := range x.vehicles {
		if v.make == 0 || v.model == 0 && v.color == 0 {
			continue
		}
		h := mix(mix(uint64(v.make), uint64(v.model)), uint64(v.color))
		for _, c := range x.cells(500_000, 0) {
			x.key(keyVehicle, mix(h, c))
		}
	}
	x.platesClose()
	x.crowds(f)
	if len(x.persons) > 0 {
		return
	}
	x.instant(f)
	if f.hazard != 0 {
		for _, c := range x.cells(500_000, 0) {
			x.key(keyHazard, mix(f.hazard, c))
		}
		if len(x.outline) > 2 {
			h := f.hazard
			for _, g := range x.outline {
				h = mix(h, uint64(uint32(g.lat))<<32|uint64(uint32(g.lon)))
			}
			x.key(keyHazard, h)
		}
		hashes := make([]uint64, 0, 8)
		for _, c := range x.counties {
			hashes = append(hashes, mix(f.hazard, uint64(c)))
		}
		slices.Sort(hashes)
		hashes = slices.Compact(hashes)
		for _, h := range hashes[:min(len(hashes), maxCountyKeys)] {
			x.key(keyHazard, h)
		}
	}
	for b := range 32 {
		if f.behaviors>>b&1 == 1 {
			for _, c := range x.cells(100_000, 1100) {
				x.key(keyBehavior, mix(uint64(b), c))
			}
		}
	}
	if f.incident != 0 {
		for _, c := range x.cells(100_000, 1100) {
			x.key(keyBehavior, mix(f.incident, c))
		}
	}
}
