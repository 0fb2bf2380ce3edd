package fusion

// reason is one line of a score.
type reason struct {
	kind  weight
	value string
	bits  int32
}

// pairing sums the evidence of one pair; it keeps the reasons only when asked,
// so that deciding and explaining are the same code.
type pairing struct {
	e    *Engine
	why  bool
	list []reason
	// bounded asks only whether the sum reaches least.
	bounded bool
	least   int32
	sum     int32
	// phone and mail are what phones and mailboxes gave.
	phone, mail int32
}

func (p *pairing) w(k weight) int32 { return p.e.weights.bits[k] }

func (p *pairing) add(k weight, value string, bits int32) {
	if bits == 0 {
		return
	}
	p.sum += bits
	if p.why {
		p.list = append(p.list, reason{k, value, bits})
	}
}

// score is the evidence in millibits that two reports speak of one thing, the
// same from both ends.
func (e *Engine) score(a, b int32) int32 {
	if e.nodes[b].before(&e.nodes[a]) {
		a, b = b, a
	}
	p := &e.pairing
	*p = pairing{e: e}
	p.weigh(e.facts(a), e.facts(b))
	return p.sum
}

// reasons is the evidence of a score, line by line. It holds until the next call.
func (e *Engine) reasons(a, b int32) []reason {
	if e.nodes[b].before(&e.nodes[a]) {
		a, b = b, a
	}
	p := pairing{e: e, why: true, list: e.lines[:0]}
	p.weigh(e.facts(a), e.facts(b))
	e.lines = p.list
	return p.list
}

// weigh takes the older report first.
func (p *pairing) weigh(a, b *facts) {
	ids := p.identifiers(a, b)
	home, spot := p.addresses(a, b)
	before := p.sum
	named := p.things(a, b)
	switch named.works {
	case otherWork: // who made them says nothing
	case sameWork:
		sure := p.sum
		p.people(a, b, home+p.phone, p.mail)
		if p.sum == sure && len(a.persons) > 0 && len(b.persons) > 0 {
			p.add(wMakersDiffer, "", p.w(wMakersDiffer))
		}
		p.edition(a, b, before, named)
	default:
		if p.bounded {
			p.unlessHopeless(a, b, ids, home, max(spot, named.site))
			return
		}
		p.people(a, b, home+p.phone, p.mail)
	}
	p.circumstances(a, b, ids, max(spot, named.site))
}

// circumstances adds what does not depend on who it was.
func (p *pairing) circumstances(a, b *facts, ids, spot int32) {
	if !p.otherPlates(a, b) {
		p.cars(a, b)
	}
	near := p.place(a, b, ids, spot)
	p.when(a, b, near)
	p.what(a, b, near)
	p.copied(a, b)
}

// unlessHopeless adds circumstances and people, or gives the pair up.
func (p *pairing) unlessHopeless(a, b *facts, ids, home, spot int32) {
	sure := p.sum
	p.circumstances(a, b, ids, spot)
	rest := p.sum - sure
	p.sum = sure
	if p.hopeless(a, b, rest) {
		p.sum = p.least - 1
		return
	}
	p.people(a, b, home+p.phone, p.mail)
	p.sum += rest
}

// copied says that both tell one text, unless many do. The key of a copy sorts
// behind all others.
func (p *pairing) copied(a, b *facts) {
	if len(a.keys) == 0 || len(b.keys) == 0 {
		return
	}
	k := a.keys[len(a.keys)-1]
	if k.kind() == keyCopy && k == b.keys[len(b.keys)-1] && nearCopy(&a.sketch, &b.sketch) && !p.crowded(k, a, b) {
		p.add(wCopy, "", p.w(wCopy))
	}
}

// identifiers adds up what both name, at most the cap. A hub keeps little;
// what says the same twice counts once.
func (p *pairing) identifiers(a, b *facts) int32 {
	start := p.sum
	var web int32
	var close weight
	for i, j := 0, 0; i < len(a.ids) && j < len(b.ids); {
		x, y := &a.ids[i], &b.ids[j]
		switch {
		case x.key < y.key:
			i++
		case x.key > y.key:
			j++
		case x.key.kind().compared():
			i++
			j++
		default:
			k, bits := p.shared(a, b, x, y)
			switch k {
			case wURL, wDomain, wSite: // a link, its host and its site are one observation
				bits, web = beyond(bits, web)
			case wPhone:
				p.phone += bits
			case wEmail:
				p.mail += bits
			case wPlateIssued, wPlate, wPlatePartial, wPlateOther:
				close = wPlate
			}
			p.add(k, shown(x, y), bits)
			i++
			j++
		}
	}
	p.nearly(a, b, close)
	got := p.sum - start
	if most := p.w(wIDCap); got > most {
		p.add(wIDCap, "", most-got)
		got = most
	}
	return got
}

// beyond is what bits add to what is already counted of one observation.
func beyond(bits, have int32) (more, total int32) {
	if bits <= have {
		return 0, have
	}
	return bits - have, bits
}

// shown is the value both agree on, the same from both ends.
func shown(x, y *mark) string {
	v := x.value
	if y.value < v {
		v = y.value
	}
	if x.kind == wPersonNumber {
		return masked(v)
	}
	return v
}

// masked hides the number of a person but for its end.
func masked(v string) string {
	if len(v) <= 4 {
		return "..."
	}
	return "..." + v[len(v)-4:]
}

// shared is the row and bits of an identifier that both reports carry.
func (p *pairing) shared(a, b *facts, x, y *mark) (weight, int32) {
	k := max(x.kind, y.kind)
	if k == wObject && x.own != y.own {
		k = wReference // one report names the other: that is no mere common object
	}
	switch k {
	case wPlate, wPlatePartial:
		if x.issuer != 0 && y.issuer != 0 {
			if x.issuer != y.issuer {
				k = wPlateOther
			} else if k == wPlate {
				k = wPlateIssued
			}
		}
	}
	bits := p.w(k)
	if k == wPlatePartial {
		bits = p.partial(max(x.hidden, y.hidden))
	}
	if p.e.hubOfEither(x.key, a.time, b.time) {
		bits = min(bits, p.w(wHub))
	}
	return k, bits
}

func (p *pairing) partial(hidden uint8) int32 {
	return max(0, p.w(wPlatePartial)-2000*int32(max(hidden, 1)-1))
}

// nearly compares plates and phones that do not agree wholly.
func (p *pairing) nearly(a, b *facts, done weight) {
	x, y := a.kinds(), b.kinds()
	both := x & y
	if done != wPlate && both.has(keyPlate) {
		p.closest(a, b, keyPlate)
	}
	if both.has(keyPhone) {
		p.closest(a, b, keyPhone)
	}
	if both.has(keyEmail) {
		p.closest(a, b, keyEmail)
	}
	if (x.has(keyIP) || x.has(keyCIDR)) && (y.has(keyIP) || y.has(keyCIDR)) {
		p.networks(a, b)
	}
}

// keyKinds is a set of key types.
type keyKinds uint64

func (s keyKinds) has(t keyType) bool { return s>>t&1 != 0 }

// kinds is the key types of the identifiers.
func (f *facts) kinds() (s keyKinds) {
	for i := range f.ids {
		s |= 1 << f.ids[i].key.kind()
	}
	return s
}

// closest adds the best near agreement of one kind, unless some of that kind
// agree exactly.
func (p *pairing) closest(a, b *facts, t keyType) {
	xs, ys := a.of(t), b.of(t)
	if len(xs) == 0 || len(ys) == 0 || len(xs)*len(ys) > 64 {
		return
	}
	var best int32
	var kind weight
	var value string
	for i := range xs {
		for j := range ys {
			x, y := &xs[i], &ys[j]
			if x.key == y.key {
				return
			}
			k, bits := p.near(x, y, t)
			if v := shown(x, y); bits > best || bits == best && bits > 0 && v < value {
				best, kind, value = bits, k, v
			}
		}
	}
	if best > 0 {
		p.add(kind, value, best)
		switch t {
		case keyPhone:
			p.phone += best
		case keyEmail:
			p.mail += best
		}
	}
}

// of is the run of identifiers of one key type.
func (f *facts) of(t keyType) []mark {
	lo, hi := key(uint64(t)<<keyShift), key(uint64(t+1)<<keyShift)
	i := 0
	for i < len(f.ids) && f.ids[i].key < lo {
		i++
	}
	j := i
	for j < len(f.ids) && f.ids[j].key < hi {
		j++
	}
	return f.ids[i:j]
}

func (p *pairing) near(x, y *mark, t keyType) (weight, int32) {
	switch t {
	case keyEmail:
		return p.emailNear(x.value, y.value)
	case keyPhone:
		if len(x.value) == len(y.value) && len(x.value) >= 10 && garbled(x.value, y.value) {
			return wPhoneClose, p.w(wPhoneClose)
		}
		return wNone, 0
	}
	if x.issuer != 0 && y.issuer != 0 && x.issuer != y.issuer {
		return wNone, 0
	}
	fx, fy := x.folded, y.folded
	if x.hidden > 0 || y.hidden > 0 {
		if fits(fx, fy) {
			return wPlatePartial, p.partial(max(x.hidden, y.hidden))
		}
		return wNone, 0
	}
	if len(fx) >= 5 && len(fx) == len(fy) && garbled(fx, fy) {
		return wPlateClose, p.w(wPlateClose)
	}
	return wNone, 0
}

// garbled says whether one character differs or two neighbours changed
// places, in strings of one length.
func garbled(a, b string) bool {
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if i == len(a) {
		return false
	}
	return a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// fits says whether two patterns with '?' agree wherever both were seen, or
// the shorter, seen in part, stands at an end of the longer.
func fits(a, b string) bool {
	if len(a) != len(b) {
		if len(a) > len(b) {
			a, b = b, a
		}
		return len(a) >= 3 && (agree(a, b[:len(a)]) || agree(a, b[len(b)-len(a):]))
	}
	return agree(a, b)
}

func agree(a, b string) bool {
	seen := 0
	for i := range len(a) {
		switch {
		case a[i] == '?' || b[i] == '?':
		case a[i] != b[i]:
			return false
		default:
			seen++
		}
	}
	return seen >= 3
}

// what compares behaviors, hazards and incident types.
func (p *pairing) what(a, b *facts, near weight) {
	if near != wNone && a.behaviors != 0 && b.behaviors != 0 {
		if a.behaviors&b.behaviors != 0 {
			p.add(wBehavior, "", p.w(wBehavior))
		} else {
			p.add(wBehaviorDiffers, "", p.w(wBehaviorDiffers))
		}
	}
	if a.hazard != 0 && a.hazard == b.hazard && !(a.isInstant() && b.isInstant()) {
		k := a.rarity
		if a.isInstant() {
			k = wHazardRare
		}
		p.add(k, "", p.w(k))
	}
	if near != wNone && a.incident != 0 && a.incident == b.incident {
		p.add(wIncidentType, "", p.w(wIncidentType))
	}
}

// otherPlates says whether both name plates that cannot be the same.
func (p *pairing) otherPlates(a, b *facts) bool {
	xs, ys := a.of(keyPlate), b.of(keyPlate)
	if len(xs) == 0 || len(ys) == 0 || len(xs)*len(ys) > 64 {
		return false
	}
	for i := range xs {
		for j := range ys {
			fx, fy := xs[i].folded, ys[j].folded
			if fits(fx, fy) || len(fx) == len(fy) && garbled(fx, fy) {
				return false
			}
		}
	}
	p.add(wPlateDiffers, "", p.w(wPlateDiffers))
	return true
}

// cars adds the best agreement of two described vehicles.
func (p *pairing) cars(a, b *facts) {
	var best int32
	var pick [3]int32
	for i := range a.vehicles {
		for j := range b.vehicles {
			x, y := &a.vehicles[i], &b.vehicles[j]
			var got [3]int32
			if x.make != 0 && x.make == y.make {
				got[0] = p.w(wVehicleMake)
				if x.model != 0 && x.model == y.model {
					got[1] = p.w(wVehicleModel)
				}
			}
			if x.color != 0 && x.color == y.color && (got[0] != 0 || got[1] != 0) {
				got[2] = p.w(wVehicleColor)
			}
			if s := got[0] + got[1] + got[2]; s > best {
				best, pick = s, got
			}
		}
	}
	p.add(wVehicleMake, "", pick[0])
	p.add(wVehicleModel, "", pick[1])
	p.add(wVehicleColor, "", pick[2])
}
