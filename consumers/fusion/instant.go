package fusion

// instants are hazards that are over in seconds. Two networks agree on when one
// began, so that time tells two of them apart, however near they lie. It needs a
// measured onset: of a warning the time is that of its writing.
var instants = map[string]bool{"earthquake": true, "explosion": true, "quarry blast": true, "mining explosion": true}

// instantMs is how far apart the origins of one shock may be measured.
const instantMs = 16_000

// isInstant says whether the report is about one, with its onset.
func (f *facts) isInstant() bool { return f.rarity == wInstant }

// instant proposes by the moment: two grids of time, one half a step off, so
// that whatever lies within 16 s shares a cell of one.
func (x *extraction) instant(f *facts) {
	if !f.isInstant() {
		return
	}
	const step = 2 * instantMs
	x.key(keyInstant, mix(f.hazard, uint64(floorDiv(f.time, step))))
	x.key(keyInstant, mix(f.hazard+1, uint64(floorDiv(f.time+instantMs, step))))
}

// instant weighs two shocks by their origins; one originator does not tell of
// one shock twice, under two names. It says whether both are shocks,
// so that nothing else of time and hazard counts.
func (p *pairing) instant(a, b *facts) bool {
	if !a.isInstant() || a.hazard != b.hazard || !b.isInstant() {
		return false
	}
	gap := max(a.time-b.time, b.time-a.time)
	switch {
	case gap > instantMs, a.origin == b.origin:
		p.add(wInstantApart, "", p.w(wInstantApart))
	case p.within(a, b, 100_000):
		p.add(wInstant, "", p.w(wInstant))
	}
	return true
}

// within says whether a place of each lies so many metres from the other's.
func (p *pairing) within(a, b *facts, metres int64) bool {
	for _, x := range a.places {
		for _, y := range b.places {
			if distance(x.geo, y.geo) <= metres {
				return true
			}
		}
	}
	return false
}
