package narrative

import (
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// place adds a place. Where the report states where it happened, only streets
// and coordinates are added, and without the town's position or county: what a
// text names besides is where somebody came from as often as not.
func (e *enrichment) place(f *Finding, o *owner) {
	if e.places >= maxPlaces || len(e.r.Places) >= report.MaxPlaces {
		return
	}
	p := proto.CloneOf(f.Place)
	p.Extracted = true
	s := e.stated
	a := p.GetAddress()
	street := a.GetStreet() != ""
	switch {
	case street && s.streets[a.Number+" "+streetForm(a.Street)]:
		return
	case street && p.Role == wf.PlaceRole_PLACE_ROLE_RESIDENCE && o != nil && !o.stated && len(o.entity.Addresses) < maxNames:
		s.street(a)
		o.entity.Addresses = append(o.entity.Addresses, a)
		e.added++
		return
	case s.state != "" && p.State != "" && p.State != s.state:
		return
	case s.located && f.Kind == Coordinate && s.pointed, s.located && !street && f.Kind != Coordinate:
		return
	case s.located && street:
		p.Point, p.CountyFips, p.State, p.RadiusM, p.UncertaintyM = nil, "", "", 0, 0
	}
	if !street && s.known(p) {
		return
	}
	s.street(a)
	s.towns[placeKey(p)] = true
	if f.Kind == Coordinate {
		p.Role = wf.PlaceRole_PLACE_ROLE_EVENT
	}
	e.r.Places = append(e.r.Places, p)
	e.places++
	e.added++
}

// known says whether a town, county, facility or point is among the places
// already; a county also when a town of it is.
func (s *statement) known(p *wf.Place) bool {
	if s.towns[placeKey(p)] {
		return true
	}
	if p.Name != "" || p.CountyFips == "" {
		return false
	}
	for k := range s.towns {
		if len(k) > 5 && k[:5] == p.CountyFips {
			return true
		}
	}
	return false
}
