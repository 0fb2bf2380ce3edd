package narrative

import (
	"fmt"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// statement is what a report says in its fields, for asking whether a finding
// says anything new. It learns what is added, so that nothing is added twice.
type statement struct {
	ids      map[string]bool
	plates   []*wf.Identifier
	people   []named
	aliases  []named // of extracted persons: asked last, in whatever order they came
	vehicles []*wf.Entity
	names    map[string]bool
	streets  map[string]bool
	towns    map[string]bool
	// located: the report states a point, an area or a county of the event;
	// pointed: a point.
	located, pointed bool
	state            string
}

// named is one name of a person and the entity that has it.
type named struct {
	name   *wf.PersonName
	entity *wf.Entity
}

func state(r *wf.Report) *statement {
	s := &statement{ids: map[string]bool{}, names: map[string]bool{}, streets: map[string]bool{}, towns: map[string]bool{}}
	for _, en := range r.Entities {
		for _, id := range en.GetIdentifiers() {
			s.learn(id)
		}
		for _, n := range en.GetPerson().GetNames() {
			if en.GetExtracted() && n.GetAlias() {
				s.aliases = append(s.aliases, named{n, en})
			} else {
				s.people = append(s.people, named{n, en})
			}
		}
		if en.GetVehicle() != nil {
			s.vehicles = append(s.vehicles, en)
		}
		for _, n := range []string{en.GetOrganization().GetName(), en.GetItem().GetName(), en.GetItem().GetKind()} {
			s.names[foldName(n)] = true
		}
		for _, a := range en.GetAddresses() {
			s.street(a)
		}
	}
	for _, n := range []string{r.Record, r.GetIncident().GetNumber(), r.GetSar().GetTargetName(), r.GetLineage().GetOriginatorRecord()} {
		s.ids["file "+fileKey(n)] = true
	}
	for _, ref := range r.References {
		s.ids["file "+fileKey(ref.GetRecord())] = true
	}
	for _, p := range r.Places {
		s.place(p)
	}
	return s
}

// placeKey is what tells extracted places apart.
func placeKey(p *wf.Place) string {
	if pt := p.GetPoint(); pt != nil && p.GetName() == "" && p.GetAddress() == nil {
		return fmt.Sprintf("at %g,%g", pt.Latitude, pt.Longitude)
	}
	return p.GetCountyFips() + "|" + placeName(p.GetName())
}

func fileKey(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

func (s *statement) place(p *wf.Place) {
	s.street(p.GetAddress())
	if p.GetExtracted() {
		s.towns[placeKey(p)] = true
		return
	}
	if s.state == "" {
		s.state = p.GetState()
	}
	if p.GetRole() == wf.PlaceRole_PLACE_ROLE_OBSERVER || p.GetRole() == wf.PlaceRole_PLACE_ROLE_RESIDENCE {
		return
	}
	s.located = s.located || p.GetPoint() != nil || p.GetPolygon() != nil || p.GetCountyFips() != ""
	s.pointed = s.pointed || p.GetPoint() != nil || p.GetPolygon() != nil
}

func (s *statement) street(a *wf.Address) {
	if a.GetStreet() != "" {
		s.streets[a.Number+" "+streetForm(a.Street)] = true
	}
}

// identity is what tells two identifiers apart. Numbers of persons and of
// files are one, whatever type and issuer they are filed under.
func identity(id *wf.Identifier) string {
	switch id.GetType() {
	case wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT, wf.IdentifierType_IDENTIFIER_TYPE_NATIONAL_ID, wf.IdentifierType_IDENTIFIER_TYPE_DRIVER_LICENSE,
		wf.IdentifierType_IDENTIFIER_TYPE_SSN, wf.IdentifierType_IDENTIFIER_TYPE_FBI:
		return "person " + id.GetValue()
	case wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER, wf.IdentifierType_IDENTIFIER_TYPE_OTHER, wf.IdentifierType_IDENTIFIER_TYPE_STORM:
		return "file " + fileKey(id.GetValue())
	}
	return id.GetType().String() + " " + id.GetValue()
}

// learn notes an identifier; of a link and an address of mail also the host.
func (s *statement) learn(id *wf.Identifier) {
	s.ids[identity(id)] = true
	switch id.GetType() {
	case wf.IdentifierType_IDENTIFIER_TYPE_PLATE:
		s.plates = append(s.plates, id)
	case wf.IdentifierType_IDENTIFIER_TYPE_URL:
		_, host, _ := strings.Cut(id.GetValue(), "://")
		if i := strings.IndexAny(host, "/:?"); i >= 0 {
			host = host[:i]
		}
		s.ids[wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN.String()+" "+host] = true
	case wf.IdentifierType_IDENTIFIER_TYPE_EMAIL:
		_, host, _ := strings.Cut(id.GetValue(), "@")
		s.ids[wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN.String()+" "+host] = true
	}
}

// has says whether the identifier is stated, or a part of one that is.
func (s *statement) has(id *wf.Identifier) bool {
	if s.ids[identity(id)] {
		return true
	}
	if id.GetType() != wf.IdentifierType_IDENTIFIER_TYPE_PLATE {
		return false
	}
	for _, p := range s.plates {
		if id.GetPartial() && covers(id.GetValue(), p.GetValue()) {
			return true
		}
	}
	return false
}

// covers says whether the partial plate can be the other: character by
// character, or its seen part at the other's beginning or end.
func covers(part, whole string) bool {
	if len(part) == len(whole) {
		same := true
		for i := range len(part) {
			same = same && (part[i] == '?' || part[i] == whole[i] || whole[i] == '?')
		}
		if same {
			return true
		}
	}
	seen := strings.Trim(part, "?")
	return !strings.Contains(seen, "?") && (strings.HasSuffix(part, "?") && strings.HasPrefix(whole, seen) || strings.HasPrefix(part, "?") && strings.HasSuffix(whole, seen))
}

// person is the entity of the person a name is of, as far as a name can tell:
// the same family name with the same given name, one of them missing or an
// initial; and names so close that one is a slip of the other.
func (s *statement) person(n *wf.PersonName) *wf.Entity {
	if en := match(s.people, n); en != nil {
		return en
	}
	return match(s.aliases, n)
}

func match(people []named, n *wf.PersonName) *wf.Entity {
	given, family := nameParts(n)
	for _, p := range people {
		g, f := nameParts(p.name)
		switch {
		case family == f && (given == g || given == "" || g == "" || given[:1] == g[:1] && (len(given) == 1 || len(g) == 1)),
			given == g && given != "" && len(family) > 3 && len(f) > 3 && near(family, f, 2),
			family == f && len(given) > 3 && len(g) > 3 && near(given, g, 1),
			given == f && family == g:
			return p.entity
		}
	}
	return nil
}

func nameParts(n *wf.PersonName) (given, family string) {
	given, family = foldName(n.GetGiven()), foldName(n.GetFamily())
	if given == "" && family == "" {
		words := strings.Fields(foldName(n.GetFull()))
		if len(words) > 0 {
			family = words[len(words)-1]
			given = strings.Join(words[:len(words)-1], " ")
		}
	}
	given, _, _ = strings.Cut(given, " ")
	return given, family
}

func foldName(s string) string { return strings.Join(strings.Fields(foldASCII(s)), " ") }

// near says whether a and b are at most n edits apart.
func near(a, b string, n int) bool {
	if len(a)-len(b) > n || len(b)-len(a) > n || len(a) > 40 || len(b) > 40 {
		return false
	}
	var rows [2][42]int
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		prev, row := &rows[(i-1)%2], &rows[i%2]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+boolInt(a[i-1] != b[j-1]))
		}
	}
	return rows[len(a)%2][len(b)] <= n
}

// vehicle is the entity of a vehicle that this can be: nothing of it differs.
func (s *statement) vehicle(v *wf.Vehicle) *wf.Entity {
	same := func(a, b string) bool { return a == "" || b == "" || foldName(a) == foldName(b) }
	for _, en := range s.vehicles {
		o := en.GetVehicle()
		if same(v.Make, o.Make) && same(v.Model, o.Model) && same(v.Color, o.Color) && (v.Year == 0 || o.Year == 0 || v.Year == o.Year) {
			return en
		}
	}
	return nil
}
