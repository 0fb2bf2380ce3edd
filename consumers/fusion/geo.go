package fusion

import (
	_ "embed"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/watchfloor/watchfloor/proto/subject"
)

// county is the middle of a county and the radius of a circle of its area.
type county struct {
	code string // FIPS
	name string // "Hinds County MS"
	geo
	radius int32
}

//go:embed counties.csv
var countyFile string

// counties is the gazetteer: FIPS code, name, latitude and longitude in
// ten-thousandths of a degree, radius in kilometres.
var counties = func() map[uint32]county {
	out := make(map[uint32]county, 3300)
	for line := range strings.Lines(countyFile) {
		f := strings.Split(strings.TrimSpace(line), ",")
		if len(f) != 5 {
			continue
		}
		var v [4]int
		for i, s := range []string{f[0], f[2], f[3], f[4]} {
			v[i], _ = strconv.Atoi(s)
		}
		out[uint32(v[0])] = county{f[0], f[1] + " " + strings.ToUpper(subject.StateOfFIPS(f[0])), geo{int32(v[1] * 100), int32(v[2] * 100)}, int32(v[3] * 1000)}
	}
	return out
}()

// degrees turns decimal degrees into millionths; ok is false for what is no position.
func degrees(lat, lon float64) (geo, bool) {
	if !(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180) {
		return geo{}, false
	}
	return geo{int32(math.Round(lat * 1e6)), int32(math.Round(lon * 1e6))}, true
}

// cosines holds cos of 0 to 90 degrees in thousandths.
var cosines = [91]int32{
	1000, 1000, 999, 999, 998, 996, 995, 993, 990, 988, 985, 982, 978, 974, 970, 966, 961, 956, 951, 946,
	940, 934, 927, 921, 914, 906, 899, 891, 883, 875, 866, 857, 848, 839, 829, 819, 809, 799, 788, 777,
	766, 755, 743, 731, 719, 707, 695, 682, 669, 656, 643, 629, 616, 602, 588, 574, 559, 545, 530, 515,
	500, 485, 469, 454, 438, 423, 407, 391, 375, 358, 342, 326, 309, 292, 276, 259, 242, 225, 208, 191,
	174, 156, 139, 122, 105, 87, 70, 52, 35, 17, 0,
}

func cosine(lat int32) int64 {
	return int64(cosines[min(90, (max(lat, -lat)+500_000)/1_000_000)])
}

// offset is the way from a to b in metres: a flat earth around them is good
// enough for the distances that count.
func offset(a, b geo) (north, east int64) {
	dlon := int64(b.lon) - int64(a.lon)
	if dlon > 180_000_000 {
		dlon -= 360_000_000
	} else if dlon < -180_000_000 {
		dlon += 360_000_000
	}
	north = (int64(b.lat) - int64(a.lat)) * 111_320 / 1_000_000
	east = dlon * 111_320 / 1_000_000 * cosine(int32((int64(a.lat)+int64(b.lat))/2)) / 1000
	return north, east
}

// distance is metres between a and b, the same from both ends.
func distance(a, b geo) int64 {
	if b.lat < a.lat || b.lat == a.lat && b.lon < a.lon {
		a, b = b, a
	}
	n, e := offset(a, b)
	return root(n*n + e*e)
}

// root is the integer square root.
func root(x int64) int64 {
	if x <= 0 {
		return 0
	}
	r := int64(1) << ((bits.Len64(uint64(x)) + 1) / 2)
	for {
		next := (r + x/r) / 2
		if next >= r {
			return r
		}
		r = next
	}
}

// hull is the convex hull, counter-clockwise from the westernmost point, with
// at most limit points (the rest thinned out evenly).
func hull(points []geo, limit int) []geo {
	p := slices.Clone(points)
	slices.SortFunc(p, func(a, b geo) int {
		if a.lon != b.lon {
			return int(a.lon) - int(b.lon)
		}
		return int(a.lat) - int(b.lat)
	})
	p = slices.Compact(p)
	if len(p) < 3 {
		return p
	}
	turn := func(o, a, b geo) int64 {
		return (int64(a.lon)-int64(o.lon))*(int64(b.lat)-int64(o.lat)) - (int64(a.lat)-int64(o.lat))*(int64(b.lon)-int64(o.lon))
	}
	var out []geo
	for pass := range 2 {
		base := len(out)
		for _, x := range p {
			for len(out) >= base+2 && turn(out[len(out)-2], out[len(out)-1], x) <= 0 {
				out = out[:len(out)-1]
			}
			out = append(out, x)
		}
		out = out[:len(out)-1]
		if pass == 0 {
			slices.Reverse(p)
		}
	}
	for n := len(out); n > limit; n = len(out) {
		thin := make([]geo, 0, limit)
		for i := range limit {
			thin = append(thin, out[i*n/limit])
		}
		out = thin
	}
	return out
}
