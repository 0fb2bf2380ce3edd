package fusion

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/proto/subject"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func pointOf(g geo) *wf.Point {
	return &wf.Point{Latitude: float64(g.lat) / 1e6, Longitude: float64(g.lon) / 1e6}
}

// whereabouts sets counties, centre, uncertainty, hull and area of a situation.
// Counties count as places only where nobody knows better.
func (g *gathering) whereabouts(s *wf.Situation) {
	fips := g.fips
	if len(g.all) > 1 {
		slices.Sort(fips)
		fips = slices.Compact(fips)
	}
	for _, c := range fips {
		if g, ok := counties[c]; ok {
			s.Counties = append(s.Counties, g.code)
		} else {
			s.Counties = append(s.Counties, fmt.Sprintf("%05d", c))
		}
	}
	spots := g.spots
	if len(spots) == 0 {
		for _, c := range fips {
			if g, ok := counties[c]; ok {
				spots = append(spots, spot{geo: g.geo, radius: g.radius})
			}
		}
	}
	if len(spots) == 0 {
		return
	}
	mid, reach := middle(spots)
	s.Center, s.UncertaintyM = pointOf(mid), float64(reach)
	g.outlined(s, mid, spots)
}

// outlined sets hull and area: every place with its uncertainty, and every
// polygon, lies inside.
func (g *gathering) outlined(s *wf.Situation, mid geo, spots []spot) {
	one := len(g.outline) == 0
	for _, p := range spots {
		one = one && p.geo == spots[0].geo
	}
	if one {
		r := uint64(s.UncertaintyM)
		s.AreaM2 = r * r * 355 / 113
		return
	}
	a := newArea(mid)
	for _, p := range spots {
		a.add(p.geo, int64(p.radius))
	}
	for _, p := range g.outline {
		a.add(p, 0)
	}
	c := a.corners()
	s.AreaM2 = squareMetres(c)
	for _, x := range c {
		s.Hull = append(s.Hull, pointOf(a.at(x)))
	}
}

// middle is the mean of the finest spots and how far from it they may reach.
func middle(spots []spot) (geo, int64) {
	finest := spots[0].radius
	for _, p := range spots {
		finest = min(finest, p.radius)
	}
	limit := max(2*int64(finest), 1000)
	var lat, lon, n int64
	var base spot // of any order of the spots the same
	found := false
	for _, p := range spots {
		if int64(p.radius) <= limit && (!found || p.lon < base.lon || p.lon == base.lon && p.lat < base.lat) {
			base, found = p, true
		}
	}
	for _, p := range spots {
		if int64(p.radius) > limit {
			continue
		}
		d := int64(p.lon) - int64(base.lon) // across the date line too
		if d > 180_000_000 {
			d -= 360_000_000
		} else if d < -180_000_000 {
			d += 360_000_000
		}
		lat, lon, n = lat+int64(p.lat), lon+d, n+1
	}
	x := int64(base.lon) + floorDiv(lon, n)
	if x > 180_000_000 {
		x -= 360_000_000
	} else if x < -180_000_000 {
		x += 360_000_000
	}
	mid := geo{int32(floorDiv(lat, n)), int32(x)}
	var reach int64
	for _, p := range spots {
		if int64(p.radius) <= limit {
			reach = max(reach, distance(mid, p.geo)+int64(p.radius))
		}
	}
	return mid, reach
}

var kindWords = [...]string{
	"Reports", "Suspicious activity", "Threat", "Hazard", "Cyber", "Incident", "Asset status", "Resources", "Bulletin",
}

var behaviorWords = [...]string{
	"", "breach", "misrepresentation", "theft", "sabotage", "cyberattack", "threat", "aviation", "eliciting",
	"testing security", "recruiting", "photography", "surveillance", "materials", "expertise", "weapons", "sector-specific",
}

// hazardNames are the events a headline may name: words of this list, never of
// a report.
var hazardNames = func() map[uint64]string {
	out := map[uint64]string{}
	for n := range strings.Lines(`Earthquake
Tsunami Warning
Hurricane Warning
Hurricane Watch
Tropical Storm Warning
Tropical Storm Watch
Storm Surge Warning
Storm Surge Watch
Tornado Warning
Tornado Watch
Severe Thunderstorm Warning
Severe Thunderstorm Watch
Flash Flood Warning
Flash Flood Watch
Flash Flood Emergency
Flood Warning
Flood Watch
Flood Advisory
Coastal Flood Warning
Coastal Flood Advisory
Winter Storm Warning
Winter Storm Watch
Winter Weather Advisory
Blizzard Warning
Ice Storm Warning
Extreme Wind Warning
High Wind Warning
Wind Advisory
Heat Advisory
Excessive Heat Warning
Extreme Heat Warning
Red Flag Warning
Fire Weather Watch
Dense Fog Advisory
Special Weather Statement
Special Marine Warning
Small Craft Advisory
Gale Warning
Rip Current Statement
Air Quality Alert
Freeze Warning
Frost Advisory
Child Abduction Emergency
Civil Emergency Message
Hazardous Materials Warning
Nuclear Power Plant Warning
Radiological Hazard Warning
Dam Failure
Evacuation Immediate
Shelter in Place Warning
Law Enforcement Warning
`) {
		n = strings.TrimSpace(n)
		out[hashParts("hazard", fold(n))] = n
	}
	return out
}()

// headline names kind, what, how many and where: nothing that a report wrote.
func (e *Engine) headline(s *wf.Situation, g *gathering) string {
	var b strings.Builder
	b.WriteString(kindWords[min(max(0, int(s.Kind)), len(kindWords)-1)])
	if w := g.what(s); w != "" {
		b.WriteString(": ")
		b.WriteString(w)
	}
	b.WriteString(", ")
	b.WriteString(plural(len(g.all), "report"))
	if s.Originators > 1 {
		b.WriteString(" from ")
		b.WriteString(plural(int(s.Originators), "originator"))
	}
	if len(s.Counties) > 0 {
		b.WriteString(", ")
		b.WriteString(countyName(s.Counties[0]))
		if n := len(s.Counties) - 1; n > 0 {
			b.WriteString(" and ")
			b.WriteString(plural(n, "other county"))
		}
	}
	if s.Ended {
		b.WriteString(" (ended)")
	}
	return b.String()
}

func countyName(fips string) string {
	var v uint32
	for _, c := range []byte(fips) {
		v = v*10 + uint32(c-'0')
	}
	if c, ok := counties[v]; ok {
		return c.name
	}
	return strings.TrimSpace("county " + fips + " " + strings.ToUpper(subject.StateOfFIPS(fips)))
}

// what is the hazard or the behaviors that most members speak of.
func (g *gathering) what(s *wf.Situation) string {
	if s.Kind == wf.Kind_KIND_HAZARD {
		return g.hazard()
	}
	if s.Kind != wf.Kind_KIND_SAR {
		return ""
	}
	var count [32]int
	for i := range g.all {
		for b := g.all[i].behaviors; b != 0; b &= b - 1 {
			count[bits.TrailingZeros32(b)]++
		}
	}
	var out []string
	for range 2 {
		best := 0
		for b := 1; b < len(behaviorWords); b++ {
			if count[b] > count[best] {
				best = b
			}
		}
		if best == 0 {
			break
		}
		out = append(out, behaviorWords[best])
		count[best] = 0
	}
	return strings.Join(out, " and ")
}

func (g *gathering) hazard() string {
	count := map[uint64]int{}
	for i := range g.all {
		if h := g.all[i].hazard; h != 0 {
			count[h]++
		}
	}
	best, most := "", 0
	for h, n := range count {
		if w := hazardNames[h]; w != "" && (n > most || n == most && w < best) {
			best, most = w, n
		}
	}
	return best
}
