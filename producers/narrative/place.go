package narrative

import (
	"math"
	"strconv"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// capital says whether token i begins with a capital, as names of places do.
func (s *scan) capital(i int) bool {
	t := s.tok(i)
	return t.shape != symbol && t.letters != lower && t.end > t.start
}

// county is "Hinds County", "Orleans Parish". The state beside it, else where
// the report is from, else the only county of that name.
func (s *scan) county(i int) int {
	for n := 3; n >= 1; n-- { // words of the name
		k := i + n
		if s.symbolAt(i+1, ".") && n < 3 { // St. Louis
			k++
		}
		if !s.is(k, countyWord) || !s.capital(k) && !s.is(k, countyWord) || s.word(k) == "counties" || (s.word(k) == "co" || s.word(k) == "cnty") && !s.capital(k) {
			continue
		}
		name := placeName(s.span(i, k))
		lines := entries(countyTable, name)
		if len(lines) == 0 {
			continue
		}
		next := k + 1 + boolInt(s.symbolAt(k+1, ".") && s.word(k) == "co")
		if s.agencyWord(next) {
			return i
		}
		state, end := s.stateFollowing(next)
		if state == "" {
			state, end = s.ctx.State, next
		}
		sp, ok := chooseCounty(lines, state)
		if !ok {
			return i
		}
		p := &wf.Place{CountyFips: sp.fips, State: sp.state}
		s.add(Finding{Kind: County, Normal: sp.fips, Why: "a name before County, in the table of counties", Place: p}, i, end)
		return end
	}
	return i
}

func chooseCounty(lines []string, state string) (spot, bool) {
	var counties []string
	for _, l := range lines {
		if strings.HasSuffix(l, "|c") {
			counties = append(counties, l)
		}
	}
	return choose(counties, state, true)
}

// agencyWord says whether what follows a county makes it an agency, a road or
// a building: those lie anywhere.
func (s *scan) agencyWord(k int) bool {
	switch s.word(k) {
	case "sheriff", "sheriffs", "so", "jail", "court", "courthouse", "road", "rd", "school", "schools", "board", "deputy", "deputies", "detention", "hospital", "airport", "district", "emergency",
		"fire", "line", "ema", "supervisors", "coroner", "prosecutor", "health", "attorney", "commission", "medical", "community", "narcotics", "park", "fair", "highway":
		return true
	}
	return false
}

// stateFollowing is the state after a place: ", MS", ", Mississippi", " MS".
func (s *scan) stateFollowing(k int) (string, int) {
	j := k
	if s.symbolAt(j, ",") {
		j++
	}
	c, next := s.state(j)
	if c == "" || s.tok(j).line {
		return "", k
	}
	if s.tok(j).class&stateCode != 0 && j == k && s.shouted {
		return "", k // JACKSON IN ...
	}
	return c, next
}

// city is a town of the table, with its state beside it, or after a
// preposition where the report's state has such a town.
func (s *scan) city(i int) int {
	t := s.tok(i)
	if t.shape != word || s.glued(i) && i > 0 && !s.symbolAt(i-1, "(\"'/,") {
		return i
	}
	for n := 3; n >= 1; n-- {
		k := i + n
		if s.symbolAt(i+1, ".") && s.is(i, abbreviation) {
			k++
		}
		if k > len(s.toks) || !s.allCapital(i, k) || s.tok(k-1).shape != word {
			continue
		}
		state, end := s.stateFollowing(k)
		if state == "" && !s.is(i-1, preposition) {
			continue
		}
		lines := entries(cityTable, placeName(s.span(i, k)))
		if len(lines) == 0 {
			continue
		}
		why := "a town before its state"
		if state == "" {
			if !s.is(i-1, preposition) || s.notATown(k) || t.class&(given|month|weekday) != 0 && s.ctx.State == "" {
				continue
			}
			why = "a town of the report's state after a preposition"
			if state, end = s.ctx.State, k; state == "" {
				why = "the only larger town of that name after a preposition"
			}
		}
		sp, ok := choose(lines, state, true)
		if !ok || s.ctx.State == "" && end == k && sp.radius < 7000 {
			continue
		}
		s.town(i, k, end, sp, why)
		return end
	}
	return s.unlisted(i)
}

// town notes a town, with where people live when the words before say so.
func (s *scan) town(i, k, end int, sp spot, why string) {
	p := &wf.Place{CountyFips: sp.fips, State: sp.state, Name: properPlace(s.span(i, k)), Point: &wf.Point{Latitude: sp.lat, Longitude: sp.lon},
		RadiusM: sp.radius, UncertaintyM: sp.radius, Address: &wf.Address{City: placeName(s.span(i, k)), State: strings.ToLower(sp.state)}}
	if s.near(i, 4, residence) {
		p.Role = wf.PlaceRole_PLACE_ROLE_RESIDENCE
	}
	s.add(Finding{Kind: City, Normal: p.Address.City + ", " + sp.state, Why: why, Place: p}, i, end)
}

// unlisted is a town the table does not hold, before the name of a state and
// after a preposition.
func (s *scan) unlisted(i int) int {
	if !s.is(i-1, preposition) || s.tok(i).class&stop != 0 || s.shouted || s.tok(i).letters != title {
		return i
	}
	k := i + 1
	if s.tok(k).letters == title && s.tok(k).class&(stop|stateName) == 0 && !s.symbolAt(k, ",") {
		k++
	}
	if !s.symbolAt(k, ",") || s.tok(k+1).letters == lower {
		return i
	}
	code, end := s.state(k + 1)
	if code == "" {
		return i
	}
	p := &wf.Place{State: code, Name: properPlace(s.span(i, k)), Address: &wf.Address{City: placeName(s.span(i, k)), State: strings.ToLower(code)}}
	s.add(Finding{Kind: City, Normal: p.Address.City + ", " + code, Why: "a name between a preposition and a state", Place: p}, i, end)
	return end
}

func (s *scan) allCapital(i, k int) bool {
	for n := i; n < k; n++ {
		if t := s.tok(n); t.shape != symbol && (t.letters == lower || t.line && n > i || t.shape != word) || t.shape == symbol && !s.symbolAt(n, ".-'") {
			return false
		}
	}
	return true
}

// notATown says whether what follows makes the name another's: Jackson Street,
// Jackson County, Jackson Police, Jackson Smith.
func (s *scan) notATown(k int) bool {
	t := s.tok(k)
	if s.is(k, streetType|countyWord|facilityWord|orgSuffix) && t.letters != lower || s.symbolAt(k, "-'&") && s.glued(k) || s.symbolAt(k, "’") {
		return true
	}
	return t.shape == word && t.letters != lower && !t.line && !s.symbolAt(k-1, ".,;") && !s.shouted
}

func properPlace(t string) string { return strings.Join(strings.Fields(t), " ") }

// facility is a named place of the table, or a name before a word for one.
func (s *scan) facility(i int) int {
	if !s.capital(i) || s.tok(i).class&stop != 0 && s.tok(i).class&(direction|given|givenAlso|stateName|surnameAlso) == 0 || s.glued(i) && i > 0 && !s.symbolAt(i-1, "(\"'“") {
		return i
	}
	end := i
	for k := i; k < i+8 && k < len(s.toks); k++ {
		t := s.tok(k)
		if t.shape == symbol && !s.symbolAt(k, ".-'’&") || t.shape != symbol && t.letters == lower && !(k > i && (s.word(k) == "of" || s.word(k) == "the")) || t.line && k > i || s.symbolAt(k, ".") && !s.abbreviated(k) {
			break
		}
		if s.is(k, facilityWord) && k > i {
			end = k + 1
		}
	}
	if end == i || s.shouted && end > i+5 {
		return i
	}
	name := s.span(i, end)
	if f := s.listed(i, &end); f != nil {
		s.add(*f, i, end)
		return end
	}
	if s.shouted || s.ctx.Heading || end-i < 2 || !s.properWord(i, end) {
		return i
	}
	p := &wf.Place{Name: properPlace(name), State: s.ctx.State}
	s.add(Finding{Kind: Facility, Normal: placeName(name), Why: "a name before a word for a facility", Place: p}, i, end)
	return end
}

// properWord says whether the name holds a word that is none of the language.
func (s *scan) properWord(i, end int) bool {
	for k := i; k < end; k++ {
		if t := s.tok(k); t.shape == word && t.class&(stop|facilityWord|streetType|preposition|direction|countyWord) == 0 && t.end-t.start > 2 {
			return true
		}
	}
	return false
}

// namedRadius is how far from a named facility its mention places an event, in
// metres: more than what counts as the same spot. A text that names a hospital
// does not say that it happened there.
const namedRadius = 6000

// listed looks the name up, whole and without its last words.
func (s *scan) listed(i int, end *int) *Finding {
	for k := *end; k > i+1; k-- {
		lines := entries(facilityTable, placeName(s.span(i, k)))
		if len(lines) == 0 {
			continue
		}
		sp, ok := choose(lines, s.ctx.State, false)
		if !ok {
			sp, ok = choose(lines, "", false)
		}
		if !ok {
			continue
		}
		*end = k
		p := &wf.Place{Name: properPlace(s.span(i, k)), State: sp.state, Point: &wf.Point{Latitude: sp.lat, Longitude: sp.lon}, UncertaintyM: max(sp.radius, namedRadius)}
		return &Finding{Kind: Facility, Normal: placeName(s.span(i, k)), Why: "a name of the table of facilities", Place: p}
	}
	return nil
}

// coordinate is a pair of degrees: decimal with three places or more, or
// degrees, minutes and seconds with N and W.
func (s *scan) coordinate(i int) int {
	lat, j, ok := s.angle(i, 'n', 's')
	if !ok || lat < -90 || lat > 90 {
		return i
	}
	k := j
	for s.symbolAt(k, ",/;") || s.word(k) == "lon" || s.word(k) == "long" || s.word(k) == "and" || s.symbolAt(k, ":") {
		k++
	}
	lon, end, ok := s.angle(k, 'w', 'e')
	if !ok || lon < -180 || lon > 180 || lat == 0 && lon == 0 {
		return i
	}
	lat, lon = math.Round(lat*1e6)/1e6, math.Round(lon*1e6)/1e6
	p := &wf.Place{Point: &wf.Point{Latitude: lat, Longitude: lon}, UncertaintyM: 100}
	s.add(Finding{Kind: Coordinate, Normal: strconv.FormatFloat(lat, 'f', -1, 64) + "," + strconv.FormatFloat(lon, 'f', -1, 64), Why: "latitude and longitude in degrees", Place: p}, i, end)
	return end
}

// angle reads one of a pair; plus and minus are the letters of its directions.
func (s *scan) angle(i int, plus, minus byte) (v float64, next int, ok bool) {
	j, sign, marked := i, 1.0, false
	if s.symbolAt(j, "+-") {
		if s.symbolAt(j, "-") {
			sign = -1
		}
		j++
	}
	if s.tok(j).shape != number || len(s.raw(j)) > 3 || s.tok(j).end == 0 {
		return 0, i, false
	}
	v, err := strconv.ParseFloat(s.raw(j), 64)
	if err != nil {
		return 0, i, false
	}
	j++
	places := 0
	if s.symbolAt(j, ".") && s.glued(j) && s.glued(j+1) && s.tok(j+1).shape != symbol {
		frac := s.raw(j + 1)
		digits := strings.TrimRight(frac, "NSEWnsew")
		if len(frac)-len(digits) > 1 || strings.Trim(digits, "0123456789") != "" || len(digits) > 9 {
			return 0, i, false
		}
		f, err := strconv.ParseFloat("0."+digits+"0", 64)
		if err != nil {
			return 0, i, false
		}
		v, places = v+f, len(digits)
		if len(frac) > len(digits) {
			marked = true
			sign, ok = heading(foldASCII(frac[len(digits):])[0], plus, minus)
			if !ok {
				return 0, i, false
			}
		}
		j += 2
	} else if m, next, found := s.sexagesimal(j); found {
		v, j, places = v+m, next, 4
	}
	if s.raw(j) == "°" || s.raw(j) == "º" {
		j++
	}
	if c := s.word(j); len(c) == 1 && (c[0] == plus || c[0] == minus) && s.tok(j).letters == initial && !marked {
		marked = true
		if sign, ok = heading(c[0], plus, minus); !ok {
			return 0, i, false
		}
		j++
	}
	if plus == 'w' {
		if marked {
			sign = -sign
		} else if sign > 0 {
			return 0, i, false // without a W, a place in America has a minus
		}
	}
	return sign * v, j, places >= 3
}

func heading(c, plus, minus byte) (float64, bool) {
	switch c {
	case plus:
		return 1, true
	case minus:
		return -1, true
	}
	return 0, false
}

// sexagesimal reads minutes and seconds after the degree sign at j.
func (s *scan) sexagesimal(j int) (v float64, next int, ok bool) {
	sign := func() bool {
		switch s.raw(j) {
		case "°", "º", "'", "\"", "′", "″", "’", "”", "deg":
			j++
			return true
		}
		return false
	}
	if !sign() || s.tok(j).shape != number {
		return 0, j, false
	}
	m := float64(leading(s.raw(j)))
	j++
	if !sign() || m >= 60 {
		return 0, j, false
	}
	sec := 0.0
	if s.tok(j).shape == number {
		sec = float64(leading(s.raw(j)))
		j++
		if s.symbolAt(j, ".") && s.tok(j+1).shape == number {
			f, err := strconv.ParseFloat("0."+s.raw(j+1), 64)
			if err != nil || len(s.raw(j+1)) > 6 {
				return 0, j, false
			}
			sec += f
			j += 2
		}
		sign()
		sign()
	}
	return m/60 + sec/3600, j, sec < 60
}
