package fusion

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// TestTicksDoNotMatter: however time is cut into ticks and commits, a trend
// that only time changes is told at the tick at which it changes.
func TestTicksDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var in []Input
		for range rapid.IntRange(1, 4).Draw(t, "bursts") {
			start := time.Duration(rapid.IntRange(0, 48*60).Draw(t, "start")) * time.Minute
			every := time.Duration(rapid.IntRange(1, 1800).Draw(t, "every")) * time.Second
			for i := range rapid.IntRange(1, 80).Draw(t, "reports") {
				in = append(in, say("fbi", start+time.Duration(i)*every, id(vinID, "1FTFW1ET5DFC10312"), record(fmt.Sprint(len(in))),
					func(r *wf.Report) { r.Id = fmt.Sprint(len(in)) }))
			}
		}
		e := fed(Config{Status: wf.Status_STATUS_EXERCISE, HubLimit: 1000}, in)
		at := t0
		for range rapid.IntRange(1, 40).Draw(t, "ticks") {
			at = at.Add(time.Duration(rapid.IntRange(1, 3*3600).Draw(t, "step")) * time.Second)
			e.Tick(at)
			if rapid.Bool().Draw(t, "commit") {
				e.Commit()
			}
			if rapid.Bool().Draw(t, "look") {
				e.Commit()
				if e.Digest() != DigestOf(e.Situations()) {
					t.Fatalf("at %v the picture is another than what was committed", at)
				}
			}
		}
		e.Commit()
		once := New(Config{Status: wf.Status_STATUS_EXERCISE, HubLimit: 1000})
		once.Tick(at)
		for _, x := range shuffled(t, in) {
			once.Apply(x)
		}
		once.Commit()
		same(t, "ticked in steps", e, once)
	})
}

// TestTheForecastIsNeverLate: no trend changes before the tick at which it is
// looked at again.
func TestTheForecastIsNeverLate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &gathering{}
		for range rapid.IntRange(3, 60).Draw(t, "reports") {
			n := rapid.IntRange(1, 30).Draw(t, "at once")
			at := rapid.Int64Range(0, 30*3_600_000).Draw(t, "at")
			for range n {
				g.all = append(g.all, witness{time: at})
			}
		}
		now := rapid.Int64Range(0, 40*360).Draw(t, "now") * grid
		last := slices.MaxFunc(g.all, func(a, b witness) int { return int(a.time - b.time) }).time
		is, due := g.trendOf(now, last), g.due(now)
		if due != 0 && (due <= now || due%grid != 0) {
			t.Fatalf("due at %d, now %d", due, now)
		}
		end := due
		if due == 0 {
			end = now + 40*24*3_600_000
		}
		for range 200 {
			at := now + grid*rapid.Int64Range(0, (end-now)/grid-1).Draw(t, "look")
			if got := g.trendOf(at, last); got != is {
				t.Fatalf("%v at %d, %v already at %d, due at %d", is, now, got, at, due)
			}
		}
	})
}

// TestFadingIsHalving compares the table with the function it stands for.
func TestFadingIsHalving(t *testing.T) {
	was := int64(math.MaxInt64)
	for age := int64(0); age < 50*hourFade; age += 9_973 {
		got, want := faded(age, hourFade), math.Exp2(-float64(age)/hourFade)*rateOne
		if math.Abs(float64(got)-want) > 2e-5*want+2 {
			t.Fatalf("after %d ms %d is left, want %f", age, got, want)
		}
		if got > was {
			t.Fatalf("after %d ms more is left than before", age)
		}
		was = got
	}
}

// TestNoPlaceLiesOutside: the hull holds every place with its uncertainty, and
// every corner of every polygon; the area is at least that of the largest disc.
func TestNoPlaceLiesOutside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mid := geo{int32(rapid.IntRange(-80_000_000, 80_000_000).Draw(t, "lat")), int32(rapid.IntRange(-180_000_000, 180_000_000).Draw(t, "lon"))}
		spread := rapid.SampledFrom([]int{1, 1000, 100_000, 5_000_000}).Draw(t, "spread")
		g := &gathering{all: make([]witness, 2)}
		for range rapid.IntRange(2, 12).Draw(t, "places") {
			p := geo{mid.lat + int32(rapid.IntRange(-spread, spread).Draw(t, "north")), mid.lon + int32(rapid.IntRange(-spread, spread).Draw(t, "east"))}
			if p.lon > 180_000_000 {
				p.lon -= 360_000_000
			} else if p.lon < -180_000_000 {
				p.lon += 360_000_000
			}
			g.spots = append(g.spots, spot{p, int32(rapid.IntRange(0, 30_000).Draw(t, "radius"))})
		}
		var s wf.Situation
		g.whereabouts(&s)
		if len(s.Hull) == 0 {
			return // all at one point
		}
		for _, p := range g.spots {
			for i := range 12 {
				angle := float64(i) * math.Pi / 6
				lat := float64(p.lat)/1e6 + float64(p.radius)*math.Sin(angle)/metresPerDegree
				lon := float64(p.lon)/1e6 + float64(p.radius)*math.Cos(angle)/metresPerDegree/math.Cos(float64(p.lat)/1e6*math.Pi/180)
				if out := outside(s.Hull, lat, lon); out > 0.01*float64(p.radius)+6 {
					t.Fatalf("a place of %d m reaches %.0f m outside the hull %v", p.radius, out, s.Hull)
				}
			}
			if disc := 3.1 * float64(p.radius) * float64(p.radius); float64(s.AreaM2) < disc*0.97 {
				t.Fatalf("area %d m2, one disc alone has %.0f", s.AreaM2, disc)
			}
		}
	})
}

// outside is how many metres a position lies outside a ring that turns
// counter-clockwise; not above zero inside.
func outside(ring []*wf.Point, lat, lon float64) float64 {
	worst := math.Inf(-1)
	scale := math.Cos(lat * math.Pi / 180)
	if d := lon - ring[0].Longitude; d > 180 {
		lon -= 360
	} else if d < -180 {
		lon += 360
	}
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		ex, ey := (b.Longitude-a.Longitude)*scale, b.Latitude-a.Latitude
		px, py := (lon-a.Longitude)*scale, lat-a.Latitude
		if l := math.Hypot(ex, ey); l > 0 {
			worst = max(worst, -(ex*py-ey*px)/l*metresPerDegree)
		}
	}
	return worst
}

// crowd is n reports of one reference, in knots that something stronger holds
// together.
func crowd(t *rapid.T, n int) []Input {
	var in []Input
	for i := range n {
		parts := []func(*wf.Report){refer(relatedTo, "R-7", "atf"), record(fmt.Sprint("C-", i)), func(r *wf.Report) { r.Id = fmt.Sprint("c", i) },
			func(r *wf.Report) { r.Severity = wf.Severity(rapid.IntRange(0, 5).Draw(t, "severity")) }}
		if k := rapid.IntRange(0, 9).Draw(t, "knot"); k < 8 {
			parts = append(parts, id(vinID, fmt.Sprintf("1FTFW1ET5DFC1%04d", k)))
		}
		if k := rapid.IntRange(0, 9).Draw(t, "phone"); k < 6 {
			parts = append(parts, id(phoneID, fmt.Sprintf("+1601555%04d", k)))
		}
		in = append(in, say([]string{"fbi", "atf", "dea"}[i%3], time.Duration(rapid.IntRange(0, 600).Draw(t, "minute"))*time.Minute, parts...))
	}
	return in
}

// TestPartsOfAMassSituation: the parts are a function of the set, none is too
// large, and with those that stand alone they make up the whole.
func TestPartsOfAMassSituation(t *testing.T) {
	c := Config{Status: wf.Status_STATUS_EXERCISE, massSize: 12, HubLimit: 8}
	rapid.Check(t, func(t *rapid.T) {
		in := crowd(t, rapid.IntRange(13, 60).Draw(t, "reports"))
		e := fed(c, in)
		same(t, "shuffled", fed(c, shuffled(t, in)), e)
		all := e.Situations()
		if len(all) != 1 || int(all[0].Size) != len(in) || len(all[0].Roll) == 0 {
			t.Fatalf("%d situations, want one of %d reports, by its parts", len(all), len(in))
		}
		s := all[0]
		sum := s.Alone
		for _, p := range s.Parts {
			sum += p.Size
			if p.Size < 2 || int(p.Size) > c.massSize || p.PartingMillibits >= s.PartingMillibits {
				t.Fatalf("a part of %d reports that hangs by %d, all part at %d", p.Size, p.PartingMillibits, s.PartingMillibits)
			}
			x, ok := e.Situation(p.Id)
			if !ok || p.Id == s.Id || x.Size != p.Size || len(x.Members) != int(p.Size) || x.Headline != p.Headline || x.Severity != p.Severity {
				t.Fatalf("part %v is %v by itself", p, x)
			}
		}
		if sum != s.Size || int(s.PartCount) != len(s.Parts) {
			t.Fatalf("%d parts and %d alone hold %d of %d reports", s.PartCount, s.Alone, sum, s.Size)
		}
		for _, l := range s.Links {
			if int(l.A) >= len(s.Members) || int(l.B) >= len(s.Members) {
				t.Fatalf("a link of members %d and %d of %d", l.A, l.B, len(s.Members))
			}
		}
		if out := Fuse(in, c, time.Time{}); len(out) != 1 || len(out[0].Reports) != len(in) {
			t.Fatalf("fuse prints %d situations, want one of all %d reports", len(out), len(in))
		}
		// Withdrawn was never, among hundreds as among two.
		var kept []Input
		for _, x := range in {
			if rapid.IntRange(0, 4).Draw(t, "withdraw") > 0 {
				kept = append(kept, x)
				continue
			}
			e.Apply(withdrawal(x, 2))
		}
		e.Commit()
		same(t, "withdrawn", e, fed(c, kept))
	})
}

// TestTheRollKnowsWhoIsInIt: two mass situations that show the same and have
// other members are not one.
func TestTheRollKnowsWhoIsInIt(t *testing.T) {
	c := Config{Status: wf.Status_STATUS_EXERCISE, massSize: 12}
	var in []Input
	for i := range maxNamed + 40 {
		in = append(in, say("fbi", time.Duration(i)*time.Minute, refer(relatedTo, "R-7", "atf"), func(r *wf.Report) { r.Id = fmt.Sprint("c", i) }))
	}
	was := fed(c, in).Situations()[0]
	in[20].Report.Revision = 2
	is := fed(c, in).Situations()[0]
	if slices.Equal(was.Roll, is.Roll) || Hash(was) == Hash(is) {
		t.Error("another revision of a member that is not listed leaves the situation the same")
	}
	is.Roll = was.Roll
	if !proto.Equal(was, is) {
		t.Error("the member was listed: nothing was tested")
	}
}

// TestNoCopyRaisesConfidence: whoever passes a report on, or pastes its text,
// adds nothing, however well it is evaluated; nor does what cannot be judged.
func TestNoCopyRaisesConfidence(t *testing.T) {
	vin := id(vinID, "1FTFW1ET5DFC10312")
	text := func(k int) string {
		return fmt.Sprintf("a white van number %d stood at the north gate %d of the station for an hour and %d men took pictures of the transformers %d there", k, k*7, k*13, k*17)
	}
	rapid.Check(t, func(t *rapid.T) {
		agencies := []string{"fbi", "atf", "dea", "cbp"}
		drawn := func() (wf.SourceReliability, wf.InformationCredibility) {
			return wf.SourceReliability(rapid.IntRange(0, 6).Draw(t, "reliability")), wf.InformationCredibility(rapid.IntRange(0, 6).Draw(t, "credibility"))
		}
		var in []Input
		for i := range rapid.IntRange(1, 8).Draw(t, "reports") {
			r, c := drawn()
			in = append(in, say(rapid.SampledFrom(agencies).Draw(t, "agency"), time.Duration(i)*time.Minute, vin, rated(r, c), narrative(text(i)), record(fmt.Sprint("O-", i))))
		}
		c := Config{Status: wf.Status_STATUS_EXERCISE, Threshold: 20_000}
		look := func(in []Input) *wf.Situation {
			all := fed(c, in).Situations()
			if len(all) != 1 {
				t.Fatalf("%d situations, want one", len(all))
			}
			return all[0]
		}
		was := look(in)
		for i := range rapid.IntRange(1, 5).Draw(t, "copies") {
			of := rapid.IntRange(0, len(in)-1).Draw(t, "of")
			r, cred := drawn()
			copier := rapid.SampledFrom([]string{"wire", "desk", "fbi", "atf"}).Draw(t, "copier")
			parts := []func(*wf.Report){vin, record(fmt.Sprint("C-", i)), narrative(text(of))}
			if copier == "wire" || copier == "desk" {
				parts = append(parts, func(x *wf.Report) { x.Lineage = &wf.Lineage{Originator: in[of].Report.Agency} })
				if rapid.Bool().Draw(t, "own words") {
					parts = append(parts, narrative(text(100+i)))
				}
			}
			more := append(slices.Clone(in), say(copier, time.Duration(30+i)*time.Minute, append(parts, rated(r, cred))...))
			if is := look(more); copier == "wire" || copier == "desk" || copier == in[of].Report.Agency {
				if is.ConfidencePermille != was.ConfidencePermille || is.Originators != was.Originators {
					t.Fatalf("a copy by %s makes %d from %d of %d from %d", copier, is.ConfidencePermille, is.Originators, was.ConfidencePermille, was.Originators)
				}
			} else if is.Originators > was.Originators {
				t.Fatalf("a text pasted by %s is a new originator", copier)
			}
		}
		unknown := append(slices.Clone(in), say("nobody", time.Hour, vin, rated(6, 6), record("U")))
		if is := look(unknown); is.ConfidencePermille != was.ConfidencePermille || is.Originators != was.Originators+1 {
			t.Fatalf("one who cannot be judged makes %d of %d", is.ConfidencePermille, was.ConfidencePermille)
		}
		same(t, "shuffled", fed(c, shuffled(t, in)), fed(c, in))
	})
}

// TestTheBridgeHoldsTheTwoSides: without the links that the bridge counts, the
// situation is two of the sizes it says, and none of those links is stronger
// than the weakest of the tree.
func TestTheBridgeHoldsTheTwoSides(t *testing.T) {
	c := cramped()
	c.massSize = 0
	rapid.Check(t, func(t *rapid.T) {
		e := fed(c, drawReports(t))
		for _, s := range e.Situations() {
			if s.Size == 1 {
				continue
			}
			m, _ := e.find(s.Id)
			weakest, side := s.Links[*s.WeakestLink], newUnion(len(m))
			for i, l := range s.Links {
				if l.Millibits < weakest.Millibits {
					t.Fatalf("link %d has %d, the weakest %d", i, l.Millibits, weakest.Millibits)
				}
				if i != int(*s.WeakestLink) {
					side.join(int32(l.A), int32(l.B))
				}
			}
			sizes, crossing := map[int32]uint32{}, uint32(0)
			for i := range m {
				sizes[side.find(int32(i))]++
			}
			for _, x := range e.spans(m) {
				if side.find(x.a) != side.find(x.b) {
					crossing++
					if x.bits > weakest.Millibits {
						t.Fatalf("a link of %d crosses a bridge of %d", x.bits, weakest.Millibits)
					}
				}
			}
			a, b := sizes[side.find(int32(weakest.A))], sizes[side.find(int32(weakest.B))]
			if s.Bridge.AReports != a || s.Bridge.BReports != b || a+b != s.Size || s.Bridge.Links != crossing {
				t.Fatalf("bridge %v, want sides of %d and %d and %d links", s.Bridge, a, b, crossing)
			}
		}
	})
}
