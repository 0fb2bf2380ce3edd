package exercise

import (
	"encoding/json"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// akin says whether two reports have anything in common that could tell an
// analyst they speak of one event: an identifier, a part of one, a reference,
// a copied substance, a name, or a spot.
func akin(a, b *wf.Report) bool {
	return sharesIdentifier(a, b) || refers(a, b) || refers(b, a) || sharesPlace(a, b) || sharesName(a, b)
}

func sharesIdentifier(a, b *wf.Report) bool {
	for x := range identifiers(a) {
		for y := range identifiers(b) {
			if x == y || x.t == y.t && (compatible(x.value, y.value) || oneSwap(x.value, y.value) || oneOff(x.value, y.value)) {
				return true
			}
		}
	}
	return false
}

// oneOff says whether exactly one character differs.
func oneOff(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	d := 0
	for i := range len(a) {
		if a[i] != b[i] {
			d++
		}
	}
	return d == 1
}

func refers(a, b *wf.Report) bool {
	for _, ref := range a.GetReferences() {
		if ref.GetRecord() == b.GetRecord() && ref.GetAgency() == b.GetAgency() {
			return true
		}
	}
	la, lb := a.GetLineage(), b.GetLineage()
	return la != nil && (la.GetOriginatorRecord() == b.GetRecord() || lb != nil && la.GetOriginatorRecord() == lb.GetOriginatorRecord())
}

func sharesName(a, b *wf.Report) bool {
	n, m := nameOf(a), nameOf(b)
	_, f, _ := strings.Cut(n, " ")
	_, g, _ := strings.Cut(m, " ")
	return len(f) > 1 && len(g) > 1 && n[0] == m[0] && f[:2] == g[:2]
}

func sharesPlace(a, b *wf.Report) bool {
	for _, p := range a.GetPlaces() {
		for _, q := range b.GetPlaces() {
			if p.GetPoint() != nil && q.GetPoint() != nil && metres(spotOf(p), spotOf(q)) < 2500 {
				return true
			}
		}
	}
	return false
}

func spotOf(p *wf.Place) spot {
	return spot{lat: int64(p.GetPoint().GetLatitude() * 1e6), lon: int64(p.GetPoint().GetLongitude() * 1e6)}
}

// pieces is how many parts a set of reports falls into when only those akin
// to one another hold together.
func pieces(reports []*wf.Report) int {
	seen := make([]bool, len(reports))
	n := 0
	for i := range reports {
		if seen[i] {
			continue
		}
		n++
		queue := []int{i}
		seen[i] = true
		for len(queue) > 0 {
			x := queue[0]
			queue = queue[1:]
			for j := range reports {
				if !seen[j] && akin(reports[x], reports[j]) {
					seen[j] = true
					queue = append(queue, j)
				}
			}
		}
	}
	return n
}

// live is the last active revision of every report that is not withdrawn, with
// its event.
func live(s *Scenario) (map[Key]*wf.Report, map[string][]Key) {
	reports, events := map[Key]*wf.Report{}, map[string][]Key{}
	for st := range s.Steps() {
		k := st.Key()
		if _, known := reports[k]; !known && st.Event != "" {
			events[st.Event] = append(events[st.Event], k)
		}
		if was := reports[k]; was == nil || st.Report.GetRevision() > was.GetRevision() {
			reports[k] = st.Report
		}
	}
	return reports, events
}

func sees(cell string, k Key, r *wf.Report) bool {
	if r.GetState() != wf.ReportState_REPORT_STATE_ACTIVE || !CellLabel(cell).Dominates(CellLabel(k.Cell)) {
		return false
	}
	orcon := slices.Contains(r.GetLabel().GetControls(), wf.Control_CONTROL_ORCON)
	return k.Cell == cell || !orcon || slices.Contains(r.GetLabel().GetOrconCells(), cell)
}

// Truth claims only what somebody who reads the reports of a cell could know:
// what a cell shows of an event hangs together by what the reports say.
func TestTruthIsHonestInEveryCell(t *testing.T) {
	for seed := range uint64(5) {
		reports, events := live(scenario(t, seed, 20_000))
		for _, cell := range Cells {
			torn, whole := 0, 0
			for name, keys := range events {
				var visible []*wf.Report
				for _, k := range keys {
					if sees(cell, k, reports[k]) {
						visible = append(visible, reports[k])
					}
				}
				if len(visible) < 2 {
					continue
				}
				if n := pieces(visible); n > 1 {
					torn++
					if torn < 4 {
						t.Logf("seed %d: %s falls into %d pieces in %s", seed, name, n, cell)
					}
				} else {
					whole++
				}
			}
			if torn*100 > whole {
				t.Errorf("seed %d: in %s %d events of %d do not hang together", seed, cell, torn, torn+whole)
			}
		}
	}
}

func TestNamedPartsHangTogetherWhereTheyAreScored(t *testing.T) {
	for seed := range uint64(20) {
		reports, events := live(scenario(t, seed, 2000))
		for _, c := range []struct{ event, cell string }{
			{EventPlot, LE}, {EventPlot, IntelS}, {EventPlot, Intel}, {EventPlot, FusedS}, {EventPlot, Fused},
			{EventDecoy, LE}, {EventDecoy, Intel}, {EventDecoy, Fused}, {EventHurricane, Open}, {EventHurricane, Fused},
			{EventIntrusion, Open}, {EventIntrusion, LE}, {EventIntrusion, IntelS}, {EventIntrusion, Intel}, {EventIntrusion, Fused}, {EventCircular, Fused},
		} {
			var visible []*wf.Report
			for _, k := range events[c.event] {
				if sees(c.cell, k, reports[k]) {
					visible = append(visible, reports[k])
				}
			}
			if n := pieces(visible); n != 1 {
				t.Errorf("seed %d: %s is %d pieces of %d reports in %s", seed, c.event, n, len(visible), c.cell)
			}
		}
	}
}

func TestEventsHaveMoreThanOneReport(t *testing.T) {
	_, events := live(scenario(t, 8, 20_000))
	in := 0
	for name, keys := range events {
		if in += len(keys); len(keys) < 2 {
			t.Errorf("event %s has one report", name)
		}
	}
	if in < 20_000*45/100 || in > 20_000*75/100 {
		t.Errorf("%d of 20,000 reports belong to an event, want about 60 %%", in)
	}
}

func corpus(t *testing.T, path string) []byte {
	t.Helper()
	dir := os.Getenv("WATCHFLOOR_CORPUS")
	if dir == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("WATCHFLOOR_CORPUS is not set: name the folder of the corpus")
		}
		dir = "../../../shared/data"
	}
	b, err := os.ReadFile(filepath.Join(dir, path))
	if err != nil {
		t.Fatalf("read the corpus: %v; set WATCHFLOOR_CORPUS to its folder", err)
	}
	return b
}

type ring [][2]float64

// polygons are the outlines of the counties by FIPS code.
func polygons(t *testing.T) map[string][]ring {
	t.Helper()
	var doc struct {
		Features []struct {
			Properties struct{ GEOID, NAME string }
			Geometry   struct{ Coordinates [][]ring }
		}
	}
	if err := json.Unmarshal(corpus(t, "geo/ms_counties.geojson"), &doc); err != nil {
		t.Fatalf("read county outlines: %v", err)
	}
	out := map[string][]ring{}
	for _, f := range doc.Features {
		for _, p := range f.Geometry.Coordinates {
			out[f.Properties.GEOID] = append(out[f.Properties.GEOID], p...)
		}
		if c := countyByFIPS(f.Properties.GEOID); c.fips != f.Properties.GEOID || c.name != f.Properties.NAME {
			t.Errorf("county %s %s stands in the table as %s %s", f.Properties.GEOID, f.Properties.NAME, c.fips, c.name)
		}
	}
	if len(out) != 82 || len(counties) != 82 {
		t.Fatalf("%d outlines, %d counties in the table, want 82", len(out), len(counties))
	}
	return out
}

func inside(rings []ring, lat, lon float64) bool {
	in := false
	for _, r := range rings {
		for i := range len(r) - 1 {
			x1, y1, x2, y2 := r[i][0], r[i][1], r[i+1][0], r[i+1][1]
			if (y1 > lat) != (y2 > lat) && lon < (x2-x1)*(lat-y1)/(y2-y1)+x1 {
				in = !in
			}
		}
	}
	return in
}

func TestPointsLieInTheirCounty(t *testing.T) {
	outlines := polygons(t)
	points, wrong := 0, map[string]int{}
	used := map[string]bool{}
	for st := range scenario(t, 1, 20_000).Steps() {
		for _, p := range st.Report.GetPlaces() {
			if p.GetPoint() == nil || p.GetCountyFips()[:min(2, len(p.GetCountyFips()))] != "28" {
				continue
			}
			points++
			used[p.GetCountyFips()] = true
			if !inside(outlines[p.GetCountyFips()], p.GetPoint().GetLatitude(), p.GetPoint().GetLongitude()) {
				wrong[p.GetCountyFips()+" "+p.GetName()]++
			}
		}
	}
	out := 0
	for name, n := range wrong {
		out += n
		t.Logf("%d points outside %s", n, name)
	}
	if points < 10_000 || out*100 > points || len(used) < 80 {
		t.Errorf("%d of %d points lie outside their county; %d counties are used", out, points, len(used))
	}
}

func TestDistrictsAreThePatrols(t *testing.T) {
	n := map[int]int{}
	for _, c := range counties {
		n[c.district]++
	}
	want := map[int]int{1: 10, 2: 10, 3: 10, 4: 9, 5: 10, 6: 9, 7: 9, 8: 6, 9: 9}
	for d, k := range want {
		if n[d] != k {
			t.Errorf("district %d has %d counties, want %d", d, n[d], k)
		}
	}
}

// metres is the distance of two spots, rounded down.
func metres(a, b spot) int64 {
	x := (a.lon - b.lon) * 1000 / 10684
	y := (a.lat - b.lat) * 1000 / 9009
	return root(x*x + y*y)
}

// root is the integer square root.
func root(n int64) int64 {
	if n <= 0 {
		return 0
	}
	x := int64(1) << ((bits.Len64(uint64(n)) + 1) / 2)
	for {
		y := (x + n/x) / 2
		if y >= x {
			return x
		}
		x = y
	}
}
