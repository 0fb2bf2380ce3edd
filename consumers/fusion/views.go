package fusion

// views are the reports that were looked at last, unpacked. What facts hands
// out holds until viewCount-1 other reports were asked for, or its report
// leaves: whoever needs it for longer copies what it needs. Nothing that
// leaves the engine may point into it; seal sees to that.
type views struct {
	slots [viewCount]view
	clock uint64
}

const viewCount = 8

// facts is what is known of a live report, unpacked.
func (e *Engine) facts(n int32) *facts {
	v := &e.views
	v.clock++
	oldest := &v.slots[0]
	for i := range v.slots {
		s := &v.slots[i]
		if s.of == n {
			s.used = v.clock
			return &s.facts
		}
		if s.used < oldest.used {
			oldest = s
		}
	}
	if poisoned {
		oldest.poison()
	}
	oldest.of, oldest.used = n, v.clock
	x := &e.nodes[n]
	oldest.unpack(e.records.at(x.record), x.time)
	return &oldest.facts
}

// forget drops the view of a report that leaves.
func (v *views) forget(n int32) {
	for i := range v.slots {
		if s := &v.slots[i]; s.of == n {
			if poisoned {
				s.poison()
			}
			s.of, s.used = 0, 0
		}
	}
}

// poison spoils what a view held, for whoever still holds it.
func (v *view) poison() {
	f := &v.facts
	*f = facts{keys: spoil(f.keys), ids: spoil(f.ids), persons: spoil(f.persons), places: spoil(f.places), vehicles: spoil(f.vehicles),
		counties: spoil(f.counties), outline: spoil(f.outline), ignored: spoil(f.ignored), supersede: spoil(f.supersede),
		addresses: spoil(f.addresses), things: spoil(f.things)}
	f.time, f.id.text, f.record, f.own, f.hazard = -1, "stale", "stale", ^uint64(0), ^uint64(0)
	v.given, v.numbers = spoil(v.given), spoil(v.numbers)
}

// spoil zeroes all that a list ever held.
func spoil[T any](s []T) []T {
	clear(s[:cap(s)])
	return s[:0]
}
