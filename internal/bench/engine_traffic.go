package bench

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// traffic is a seeded stream of reports over a country: 60 % belong to
// situations (five reports on average over 12 days; up to three persons and
// four identifiers, each mentioned in two of three; one name in eight written
// wrongly, a third without date of birth), the rest is noise (one phone in
// fifty a switchboard's). It keeps 24 bytes a report, not the report, and
// makes any report at any time.
type traffic struct {
	turns []turn
	towns []town
	heap  []float64 // running weight of the towns
}

// turn is one report to be: when, and what of.
type turn struct {
	at   int64 // ms
	seed uint64
	part uint32 // of a situation, from 1; 0 noise
	n    uint32 // names the report
}

type town struct {
	lat, lon float64
	county   string
}

// window is how much event time the live reports span, whatever their number.
const engineWindow = 30 * 24 * time.Hour

var engineEpoch = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// newTraffic plans reports: live of them span the window, all in the order of
// their event times.
func newTraffic(seed uint64, live, all int) *traffic {
	rng := rand.New(rand.NewPCG(seed, 1))
	t := &traffic{turns: make([]turn, 0, all+all/8)}
	step := float64(engineWindow.Milliseconds()) / float64(live)
	span := float64(engineWindow.Milliseconds()) * 0.4
	total := 0.0
	for i := range 2000 {
		t.towns = append(t.towns, town{25.5 + 23*rng.Float64(), -123 + 50*rng.Float64(), fmt.Sprintf("%02d%03d", 1+rng.IntN(56), 1+2*rng.IntN(80))})
		total += 1 / float64(i+10)
		t.heap = append(t.heap, total)
	}
	for len(t.turns) < all {
		at := float64(len(t.turns)) * step
		for range 4 { // four of ten are noise, six belong to situations of five on average
			t.turns = append(t.turns, turn{at: engineEpoch + int64(at+10*step*rng.Float64()), seed: rng.Uint64()})
		}
		left := 6
		if rng.IntN(5) == 0 {
			left = 6 + rng.IntN(3) - 1
		}
		for left > 0 {
			size := min(left, 1+rng.IntN(9))
			seed := rng.Uint64()
			for part := range size {
				t.turns = append(t.turns, turn{at: engineEpoch + int64(at+span*rng.Float64()), seed: seed, part: uint32(part + 1)})
			}
			left -= size
		}
	}
	slices.SortFunc(t.turns, func(a, b turn) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.seed, b.seed), cmp.Compare(a.part, b.part))
	})
	for i := range t.turns {
		t.turns[i].n = uint32(i)
	}
	t.turns = slices.Clip(t.turns[:all])
	return t
}

// fact is what a situation or a stray report is about.
type fact struct {
	town    town
	lat     float64
	lon     float64
	act     wf.Behavior
	persons []human
	ids     []*wf.Identifier
	cars    []*wf.Vehicle // by identifier, nil for others
}

type human struct {
	given, family string
	born          *wf.PartialDate
}

func (t *traffic) about(rng *rand.Rand, persons, ids int) fact {
	i, _ := slices.BinarySearch(t.heap, rng.Float64()*t.heap[len(t.heap)-1])
	f := fact{town: t.towns[min(i, len(t.towns)-1)], act: wf.Behavior(1 + rng.IntN(16))}
	f.lat, f.lon = f.town.lat+0.12*rng.NormFloat64(), f.town.lon+0.12*rng.NormFloat64()
	for range persons {
		f.persons = append(f.persons, human{
			given: engineName(zipf(rng, 5_000), 2), family: engineName(zipf(rng, 150_000), 3),
			born: &wf.PartialDate{Year: int32(1945 + rng.IntN(60)), Month: int32(1 + rng.IntN(12)), Day: int32(1 + rng.IntN(28))},
		})
	}
	for range ids {
		id, car := engineIdentifier(rng)
		f.ids, f.cars = append(f.ids, id), append(f.cars, car)
	}
	return f
}

// zipf is an index below n, the small ones more often.
func zipf(rng *rand.Rand, n int) int {
	return min(int(math.Exp(rng.Float64()*math.Log(float64(n+1))))-1, n-1)
}

var engineSyllables = [...]string{
	"ba", "bel", "cor", "da", "den", "el", "fa", "gar", "ha", "hol", "in", "ja", "ker", "la", "lin", "ma", "mer", "na", "nor", "o", "per", "ra", "ron",
	"sa", "sel", "ta", "tin", "ul", "va", "ver", "wil", "za", "mon", "ler", "bri", "cha", "sto", "gra", "fi", "ther", "wes", "lo", "pen", "dar", "mc", "hen", "ric", "ol", "sk", "yu", "ki",
	"son", "ton",
}

// engineName is the nth made-up name of a few syllables.
func engineName(n, syllables int) string {
	b := make([]byte, 0, 16)
	for range syllables {
		b = append(b, engineSyllables[n%len(engineSyllables)]...)
		n /= len(engineSyllables)
	}
	b[0] -= 'a' - 'A'
	return string(b)
}

func engineIdentifier(rng *rand.Rand) (*wf.Identifier, *wf.Vehicle) {
	switch r := rng.IntN(20); {
	case r < 8:
		number := rng.IntN(800_000_000)
		if rng.IntN(50) == 0 {
			number = 900_000_000 + rng.IntN(200)
		}
		return &wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: fmt.Sprintf("+1%010d", 2_010_000_000+number)}, nil
	case r < 14:
		plate := []byte{byte('A' + rng.IntN(26)), byte('A' + rng.IntN(26)), byte('A' + rng.IntN(26))}
		plate = strconv.AppendInt(plate, int64(1000+rng.IntN(9000)), 10)
		makes, colors := [...]string{"Ford", "Toyota", "Honda", "Chevrolet", "Nissan", "Ram"}, [...]string{"gray", "white", "black", "red", "blue"}
		return &wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_PLATE, Value: string(plate), Issuer: "US-" + [...]string{"MS", "LA", "TX", "AL", "TN", "CA", "NY", "FL"}[rng.IntN(8)]},
			&wf.Vehicle{Make: makes[rng.IntN(len(makes))], Model: "model " + strconv.Itoa(rng.IntN(12)), Color: colors[rng.IntN(len(colors))]}
	case r < 16:
		return &wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_EMAIL, Value: fmt.Sprintf("%s%d@mail%d.example", engineName(zipf(rng, 150_000), 3), rng.IntN(1000), rng.IntN(20))}, nil
	case r < 18:
		n := zipf(rng, 1<<24)
		return &wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_IP, Value: fmt.Sprintf("203.%d.%d.%d", n>>16, n>>8&255, n&255)}, nil
	case r < 19:
		return &wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT, Value: strconv.Itoa(100_000_000 + rng.IntN(800_000_000)), Issuer: "US"}, nil
	}
	return &wf.Identifier{Type: wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN, Value: engineName(zipf(rng, 140_000), 3) + ".example"}, nil
}

// key names the report of a turn.
func (t *traffic) key(i int) (agency, id string) {
	n := t.turns[i].n
	return "agency-" + strconv.Itoa(int(n*2654435761>>16)%48), fmt.Sprintf("019912b2-8750-7248-a526-%012x", n)
}

// report is the report of a turn.
func (t *traffic) report(i int) fusion.Input {
	x := t.turns[i]
	rng := rand.New(rand.NewPCG(x.seed, 2))
	var f fact
	if x.part == 0 {
		f = t.about(rng, rng.IntN(2), rng.IntN(3))
	} else {
		f = t.about(rng, rng.IntN(4), 1+rng.IntN(4))
		rng = rand.New(rand.NewPCG(x.seed, uint64(2+x.part)))
	}
	agency, id := t.key(i)
	at := time.UnixMilli(x.at)
	r := &wf.Report{
		Id: id, Agency: agency, Record: "REC-26-" + strconv.Itoa(int(x.n)), Revision: 1,
		State: wf.ReportState_REPORT_STATE_ACTIVE, Status: wf.Status_STATUS_EXERCISE, Kind: wf.Kind_KIND_SAR, Severity: wf.Severity(1 + rng.IntN(4)),
		SourceReliability: wf.SourceReliability(1 + rng.IntN(6)), InformationCredibility: wf.InformationCredibility(1 + rng.IntN(6)),
		EventTime: &wf.TimeRange{Start: timestamppb.New(at)}, ReportTime: timestamppb.New(at.Add(time.Duration(rng.IntN(240)) * time.Minute)),
		Places: []*wf.Place{{Point: &wf.Point{Latitude: f.lat + 0.01*rng.NormFloat64(), Longitude: f.lon + 0.01*rng.NormFloat64()},
			CountyFips: f.town.county, UncertaintyM: float64(20 + rng.IntN(400))}},
		Narrative: engineNarrative(rng),
		Body:      &wf.Report_Sar{Sar: &wf.Sar{Behaviors: []wf.Behavior{f.act}}},
	}
	for _, p := range f.persons {
		if x.part == 0 || rng.IntN(20) < 13 {
			r.Entities = append(r.Entities, engineMention(rng, p))
		}
	}
	for k, v := range f.ids {
		if x.part != 0 && rng.IntN(20) >= 13 {
			continue
		}
		e := &wf.Entity{Identifiers: []*wf.Identifier{v}}
		if f.cars[k] != nil {
			e.Detail = &wf.Entity_Vehicle{Vehicle: f.cars[k]}
		} else if l := len(r.Entities); l > 0 && r.Entities[l-1].GetPerson() != nil {
			r.Entities[l-1].Identifiers = append(r.Entities[l-1].Identifiers, v)
			continue
		}
		r.Entities = append(r.Entities, e)
	}
	return fusion.Input{Cell: "le", Report: r}
}

func engineMention(rng *rand.Rand, p human) *wf.Entity {
	given, family := p.given, p.family
	if rng.IntN(8) == 0 {
		b := []byte(family)
		b[1+rng.IntN(len(b)-1)] = byte('a' + rng.IntN(26))
		family = string(b)
	}
	w := &wf.Person{Names: []*wf.PersonName{{Given: given, Family: family}}}
	if rng.IntN(10) >= 3 {
		w.Birth = p.born
	}
	return &wf.Entity{Detail: &wf.Entity_Person{Person: w}}
}

// engineNarrative is some thirty words.
func engineNarrative(rng *rand.Rand) string {
	b := make([]byte, 0, 256)
	for range 20 + rng.IntN(20) {
		n := rng.IntN(2000)
		b = append(b, engineSyllables[n%len(engineSyllables)]...)
		b = append(b, engineSyllables[n/7%len(engineSyllables)]...)
		b = append(b, ' ')
	}
	return string(b)
}
