package fusion

import "slices"

// tiers are the distances that count, in metres.
var tiers = [...]struct {
	reach int64
	kind  weight
}{{150, wPlace150m}, {1_000, wPlace1km}, {5_000, wPlace5km}, {25_000, wPlace25km}}

// place compares where two reports say it happened. It returns the row that
// counted; wNone when nothing is known or they lie apart. What an address of the
// event gave already is not given again.
func (p *pairing) place(a, b *facts, ids, spot int32) weight {
	best, apart := len(tiers), false
	for i := range a.places {
		for j := range b.places {
			x, y := &a.places[i], &b.places[j]
			d := distance(x.geo, y.geo)
			slack := int64(x.radius) + int64(y.radius)
			t := tierOf(max(d, int64(x.radius), int64(y.radius)))
			best = min(best, t)
			apart = apart || t == len(tiers) && d > slack+25_000
		}
	}
	if best == len(tiers) && (shareCounty(a, b) || p.inCounty(a, b) || p.inCounty(b, a)) {
		best = len(tiers) - 1
	}
	if len(a.outline) > 2 && slices.Equal(a.outline, b.outline) {
		p.add(wPlaceSame, "", p.w(wPlaceSame))
		return wPlaceSame
	}
	if best < len(tiers) {
		k := tiers[best].kind
		if (k == wPlace150m || k == wPlace1km) && p.inCrowd(a, b) {
			k = wPlaceCrowded
		}
		bits, _ := beyond(p.w(k), spot) // an address of the event and its position are one observation
		p.add(k, "", bits)
		return k
	}
	if apart && ids < 20_000 {
		p.add(wPlaceApart, "", p.w(wPlaceApart))
	}
	return wNone
}

func tierOf(d int64) int {
	for i, t := range tiers {
		if d <= t.reach {
			return i
		}
	}
	return len(tiers)
}

func shareCounty(a, b *facts) bool {
	for i, j := 0, 0; i < len(a.counties) && j < len(b.counties); {
		switch {
		case a.counties[i] < b.counties[j]:
			i++
		case a.counties[i] > b.counties[j]:
			j++
		default:
			return true
		}
	}
	return false
}

// inCounty says whether a position of a lies in a county of b, which knows no
// better: within its circle and a third.
func (p *pairing) inCounty(a, b *facts) bool {
	if len(b.places) > 0 || len(a.places) == 0 {
		return false
	}
	for i, fips := range b.counties {
		if i == 8 {
			break
		}
		c, ok := counties[fips]
		if ok && distance(c.geo, a.places[0].geo) <= int64(c.radius)*4/3 {
			return true
		}
	}
	return false
}

// when counts time only together with place: candidates are near in time by
// the way they are found, so that time alone says nothing.
func (p *pairing) when(a, b *facts, near weight) {
	if p.instant(a, b) {
		return
	}
	gap := a.time - b.time
	gap = max(gap, -gap)
	switch near {
	case wPlace150m, wPlace1km, wPlace5km, wPlaceSame:
	case wPlace25km, wPlaceCrowded:
		if a.hazard != 0 && a.hazard == b.hazard && gap <= 60_000 {
			p.add(wTimeMinute, "", p.w(wTimeMinute))
		}
		return
	default:
		return
	}
	switch {
	case a.hazard != 0 && a.hazard == b.hazard && gap <= 60_000:
		p.add(wTimeMinute, "", p.w(wTimeMinute))
	case gap <= hourMs/2:
		p.add(wTime30min, "", p.w(wTime30min))
	case gap <= 6*hourMs:
		p.add(wTime6h, "", p.w(wTime6h))
	}
}
