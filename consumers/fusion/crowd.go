package fusion

// Where a great many reports of a day lie, that two lie there says little: a
// stadium, a port, a mass incident. Places of one spot carry the key of their
// cell, which counts like any key; over its limit it is a hub. The rule looks
// only at pairs that share the cell, so that what it decides is a function of the
// same reports for both; a pair on either side of a cell's edge keeps its weight.

// crowdCell is about 440 m of latitude, in millionths of a degree.
const crowdCell = 4_000

// sharp is the largest uncertainty in metres of a place that counts.
const sharp = 150

// crowds notes the cells of the report's spots.
func (x *extraction) crowds(f *facts) {
	for _, s := range x.spots {
		if s.radius <= sharp {
			x.key(keyCrowd, gridCell(s.geo, crowdCell))
		}
	}
}

// inCrowd says whether the two share a cell that is a hub on the day of either.
func (p *pairing) inCrowd(a, b *facts) bool {
	for _, s := range a.places {
		if s.radius > sharp {
			continue
		}
		k := makeKey(keyCrowd, gridCell(s.geo, crowdCell)).list()
		if b.has(k) && p.e.hubOfEither(k, a.time, b.time) {
			return true
		}
	}
	return false
}
