package fusion

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// shock is an earthquake that a network measured.
func shock(network string, after time.Duration, lat, lon float64) Input {
	return say(network, after, at(lat, lon), hazard("Earthquake", wf.MessageType_MESSAGE_TYPE_ALERT), func(r *wf.Report) {
		r.GetHazard().Onset = timestamppb.New(t0.Add(after))
		r.Places[0].UncertaintyM = 0
	})
}

func outlined(corners ...float64) func(*wf.Report) {
	return func(r *wf.Report) {
		p := &wf.Polygon{}
		for i := 0; i+1 < len(corners); i += 2 {
			p.Points = append(p.Points, &wf.Point{Latitude: corners[i], Longitude: corners[i+1]})
		}
		r.Places = append(r.Places, &wf.Place{Polygon: p})
	}
}

func TestPlaceAndMomentOfHazards(t *testing.T) {
	const s, low = time.Second, 15_000 // the threshold of some three thousand reports
	warning := hazard("Flash Flood Warning", wf.MessageType_MESSAGE_TYPE_ALERT)
	box := outlined(32, -90, 32, -89.8, 32.1, -89.8, 32.1, -90, 32, -90)
	for _, c := range []struct {
		rule string
		in   []Input
		want []int
	}{
		{"one shock, as two networks measure it", []Input{shock("nc", 0, 37.60, -118.93), shock("nn", 3*s, 37.66, -118.90)}, []int{2}},
		{"an aftershock at the very place is another", []Input{shock("nc", 0, 37.60, -118.93), shock("nn", 40*s, 37.60, -118.93)}, []int{1, 1}},
		{"one network does not tell of a shock twice", []Input{shock("nc", 0, 37.60, -118.93), shock("nc", 3*s, 37.60, -118.93)}, []int{1, 1}},
		{"shocks at one moment far apart are two", []Input{shock("nc", 0, 37.60, -118.93), shock("ak", s, 61.10, -150.10)}, []int{1, 1}},
		{"warnings for an area drawn alike are one", []Input{say("nws", 0, warning, box), say("ipaws", 2*time.Hour, warning, box)}, []int{2}},
		{"warnings for areas that overlap are not", []Input{say("nws", 0, warning, box),
			say("ipaws", 2*time.Hour, warning, outlined(32, -90, 32, -89.8, 32.1, -89.8, 32.12, -90, 32, -90))}, []int{1, 1}},
	} {
		var got []int
		for _, x := range fed(Config{Status: wf.Status_STATUS_EXERCISE, Threshold: low}, c.in).Situations() {
			got = append(got, len(x.Members))
		}
		slices.Sort(got)
		slices.Reverse(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: situations of %v reports, want %v", c.rule, got, c.want)
		}
	}
}

// Two of a common name at one place are one, until the day's crowd is there;
// when the crowd is withdrawn they are one again, exactly.
func TestACrowdTakesThePlaceItsWeight(t *testing.T) {
	in := []Input{say("fbi", 0, human("Karim", "Haddad", 0, 0, 0), at(32.3010, -90.1790)), say("atf", time.Hour, human("Karim", "Haddad", 0, 0, 0), at(32.3010, -90.1790))}
	together := func(e *Engine) bool {
		p, _ := e.Compare(Identity{in[0].Cell, "fbi", in[0].Report.Id}, Identity{in[1].Cell, "atf", in[1].Report.Id})
		return p.Together
	}
	e := fed(Config{Status: wf.Status_STATUS_EXERCISE, Threshold: 28_000}, in)
	before := e.Digest()
	if !together(e) {
		t.Fatal("two of a name at one place are apart without a crowd")
	}
	var crowd []Input
	for i := range DefaultHubLimit*10 + 10 {
		crowd = append(crowd, say("mhp", 2*time.Hour+time.Duration(i)*time.Second, at(32.3011, -90.1791), record(time.Duration(i).String())))
	}
	for _, r := range crowd {
		e.Apply(r)
	}
	if together(e) {
		p, _ := e.Compare(Identity{in[0].Cell, "fbi", in[0].Report.Id}, Identity{in[1].Cell, "atf", in[1].Report.Id})
		t.Errorf("two of a name are one among a crowd: %v", p)
	}
	for _, r := range crowd {
		e.Remove(r.Cell, r.Report.Agency, r.Report.Id)
	}
	e.Commit()
	if !together(e) || e.Digest() != before {
		t.Error("the crowd left something behind")
	}
}

// However reports come to a place and leave it again, on either side of the
// edge of a cell, the picture is that of those that are there.
func TestCrowdsComeAndGo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := Config{Status: wf.Status_STATUS_EXERCISE, Threshold: 20_000, HubLimit: 1}
		n := rapid.IntRange(12, 60).Draw(t, "reports")
		var in []Input
		for i := range n {
			// An edge of the grid lies at 32.304.
			lat := rapid.SampledFrom([]float64{32.3036, 32.3039, 32.3041}).Draw(t, "latitude")
			family := rapid.SampledFrom([]string{"Haddad", "Eastdon"}).Draw(t, "family")
			in = append(in, say("mhp", time.Duration(i)*time.Minute, human("Karim", family, 0, 0, 0), at(lat, -90.1790), record(time.Duration(i).String())))
		}
		gone := rapid.IntRange(0, n-1).Draw(t, "gone")
		late := rapid.Permutation(in).Draw(t, "order")
		e := fed(config, late)
		for _, r := range late[:gone] {
			e.Remove(r.Cell, r.Report.Agency, r.Report.Id)
		}
		e.Commit()
		if got, want := e.Digest(), fed(config, late[gone:]).Digest(); got != want {
			t.Fatalf("%d of %d reports left: the picture is not that of the rest", gone, n)
		}
	})
}
