package fusion

// directions are sixteen unit vectors (east, north) in 2^-14, from east
// counter-clockwise.
var directions = [16][2]int64{
	{16384, 0}, {15137, 6270}, {11585, 11585}, {6270, 15137}, {0, 16384}, {-6270, 15137}, {-11585, 11585}, {-15137, 6270},
	{-16384, 0}, {-15137, -6270}, {-11585, -11585}, {-6270, -15137}, {0, -16384}, {6270, -15137}, {11585, -11585}, {15137, -6270},
}

const (
	unit = 1 << 14
	// metresPerDegree of latitude.
	metresPerDegree = 111_320
	// Lengths are centimetres here; rounding is added to every side, so that
	// none is rounded inward, and corners closer than merged are one.
	metre    = 100
	rounding = 2 * metre
	merged   = metre
)

// area is the area that a set of discs covers, as the support of it in
// sixteen directions around a middle: the tightest polygon with such sides
// that holds every disc whole. It depends on no order, and no place of the
// set ever lies outside.
type area struct {
	mid     geo
	scale   int64 // cosine of its latitude, in thousandths
	reach   [16]int64
	started bool
}

// newArea starts an empty area around mid.
func newArea(mid geo) area { return area{mid: mid, scale: max(cosine(mid.lat), 17)} }

// add takes in a disc. Far from the middle's latitude a disc is as wide there
// as it is at its own, never narrower.
func (a *area) add(p geo, radius int64) {
	dlon := int64(p.lon) - int64(a.mid.lon)
	if dlon > 180_000_000 {
		dlon -= 360_000_000
	} else if dlon < -180_000_000 {
		dlon += 360_000_000
	}
	east := dlon * metresPerDegree / 10_000 * a.scale / 1000
	north := (int64(p.lat) - int64(a.mid.lat)) * metresPerDegree / 10_000
	wide := radius * metre * max(1000, a.scale*1000/narrowest(p.lat)) / 1000
	for i, d := range directions {
		h := (east*d[0]+north*d[1])/unit + wide + rounding
		if !a.started || h > a.reach[i] {
			a.reach[i] = h
		}
	}
	a.started = true
}

// narrowest is a cosine of a latitude in thousandths that is not above it.
func narrowest(lat int32) int64 {
	return max(int64(cosines[min(90, (max(lat, -lat)+999_999)/1_000_000)]), 17)
}

// corners are where neighbouring sides meet, in centimetres east and north of
// the middle, counter-clockwise, without repetition.
func (a *area) corners() [][2]int64 {
	var out [][2]int64
	for i := range directions {
		j := (i + 1) % len(directions)
		u, v := directions[i], directions[j]
		// Solve p.u = a, p.v = b by Cramer's rule.
		det := u[0]*v[1] - u[1]*v[0]
		x := (a.reach[i]*v[1] - a.reach[j]*u[1]) * unit / det
		y := (a.reach[j]*u[0] - a.reach[i]*v[0]) * unit / det
		c := [2]int64{x, y}
		if n := len(out); n > 0 && near(out[n-1], c) {
			continue
		}
		out = append(out, c)
	}
	for len(out) > 1 && near(out[0], out[len(out)-1]) {
		out = out[:len(out)-1]
	}
	return out
}

// near says whether two corners are one but for rounding.
func near(a, b [2]int64) bool {
	return max(a[0]-b[0], b[0]-a[0]) <= merged && max(a[1]-b[1], b[1]-a[1]) <= merged
}

// squareMetres is the area of a polygon of corners.
func squareMetres(c [][2]int64) uint64 {
	var twice int64
	for i := range c {
		j := (i + 1) % len(c)
		twice += c[i][0]/metre*(c[j][1]/metre) - c[j][0]/metre*(c[i][1]/metre)
	}
	return uint64(max(twice, 0) / 2)
}

// at is a corner as a position. Longitude may pass 180 degrees, so that the
// ring stays one piece.
func (a *area) at(c [2]int64) geo {
	lat := int64(a.mid.lat) + c[1]*10_000/metresPerDegree
	lon := int64(a.mid.lon) + c[0]*1000/a.scale*10_000/metresPerDegree
	return geo{int32(min(max(lat, -90_000_000), 90_000_000)), int32(min(max(lon, -540_000_000), 540_000_000))}
}
