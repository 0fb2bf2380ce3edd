package exercise

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func scenario(t testing.TB, seed uint64, reports int) *Scenario {
	t.Helper()
	s, err := New(Config{Seed: seed, Reports: reports})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// digest is over everything a scenario yields.
func digest(t testing.TB, s *Scenario) string {
	t.Helper()
	h := sha256.New()
	for st := range s.Steps() {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(st.Report)
		if err != nil {
			t.Fatalf("encode: %v", err)
		}
		fmt.Fprintf(h, "%d %s %s %d ", st.At.UnixNano(), st.Cell, st.Event, len(b))
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestTheSameSeedGivesTheSameBytes(t *testing.T) {
	seen := map[string]uint64{}
	for seed := range uint64(4) {
		s := scenario(t, seed, 2000)
		one, two, other := digest(t, s), digest(t, s), digest(t, scenario(t, seed, 2000))
		if one != two || one != other {
			t.Errorf("seed %d: three runs give %s, %s, %s", seed, one[:8], two[:8], other[:8])
		}
		if was, dup := seen[one]; dup {
			t.Errorf("seeds %d and %d give the same scenario", was, seed)
		}
		seen[one] = seed
	}
}

// The bytes are part of what is promised: a change of them is a change of
// every published score.
func TestTheScenarioIsTheOneThatWasPublished(t *testing.T) {
	const want = "6ac236a181f7cbfca5a582b6265263d16e18a35a5f2ff33555d34a94823d6c2b"
	if got := digest(t, scenario(t, 1, 2000)); got != want {
		t.Errorf("seed 1, 2,000 reports: digest %s, want %s; when the scenario was changed on purpose, write the new one here and say so in CHANGELOG", got, want)
	}
}

func TestStoppingEarlyEndsTheSequence(t *testing.T) {
	n := 0
	for range scenario(t, 1, 100_000).Steps() {
		if n++; n == 10 {
			break
		}
	}
	if n != 10 {
		t.Errorf("took %d steps, want 10", n)
	}
}

func TestEveryReportIsValidAndFitsItsCell(t *testing.T) {
	for _, c := range []struct {
		seed    uint64
		reports int
	}{{1, 100}, {2, 333}, {1, 2000}, {2, 2000}, {3, 2000}, {4, 2000}, {5, 2000}, {6, 20_000}} {
		s := scenario(t, c.seed, c.reports)
		wrong := 0
		for st := range s.Steps() {
			r := st.Report
			rs := report.Validate(r, st.At, report.Limits{})
			if b, err := proto.Marshal(r); err != nil {
				t.Fatalf("encode: %v", err)
			} else if _, reasons := report.Decode(b); len(reasons) > 0 {
				rs = append(rs, reasons...)
			}
			l, err := label.FromProto(r.GetLabel())
			cell := CellLabel(st.Cell)
			if err != nil || !cell.Dominates(l) || cell.Sides() != l.Sides() {
				t.Errorf("%s of %s: label %v does not fit cell %s", r.GetRecord(), r.GetAgency(), r.GetLabel(), st.Cell)
			}
			if Agencies()[r.GetAgency()] != st.Cell || r.GetStatus() != wf.Status_STATUS_EXERCISE {
				t.Errorf("%s of %s into cell %s as %s", r.GetRecord(), r.GetAgency(), st.Cell, r.GetStatus())
			}
			if report.UUIDVersion(r.GetId()) != 7 {
				t.Errorf("id %s is not of version 7", r.GetId())
			}
			for _, up := range r.GetLabel().GetOrconCells() {
				if !CellLabel(up).Dominates(cell) {
					t.Errorf("%s of cell %s names cell %s, which is not above", r.GetRecord(), st.Cell, up)
				}
			}
			if len(rs) > 0 {
				if wrong++; wrong < 10 {
					t.Errorf("seed %d: %s %s: %v", c.seed, st.Event, r.GetRecord(), rs)
				}
			}
		}
		if wrong > 0 {
			t.Errorf("seed %d, %d reports: %d steps are not valid", c.seed, c.reports, wrong)
		}
	}
}

func TestSizesAreKept(t *testing.T) {
	for _, n := range []int{100, 101, 500, 2000, 30_000} {
		s := scenario(t, 9, n)
		ids, records := map[Key]string{}, map[string]string{}
		var last time.Time
		for st := range s.Steps() {
			k := st.Key()
			if e, known := ids[k]; known && e != st.Event {
				t.Errorf("%v is of event %q and of %q", k, e, st.Event)
			}
			ids[k] = st.Event
			record := st.Report.GetAgency() + " " + st.Report.GetRecord()
			if was, known := records[record]; known && was != k.ID {
				t.Errorf("record %s has two ids", record)
			}
			records[record] = k.ID
			if st.At.Before(last) {
				t.Fatalf("step at %s after one at %s", st.At, last)
			}
			last = st.At
		}
		if len(ids) != n {
			t.Errorf("%d different reports, want %d", len(ids), n)
		}
		if over := last.Sub(s.Config().Start); over > Span+12*time.Hour {
			t.Errorf("%d reports: the last step comes after %s", n, over)
		}
		if truth := s.Truth(); truth.Len() != n {
			t.Errorf("truth of %d reports, want %d", truth.Len(), n)
		}
	}
}

func TestNearlyFiftyAgenciesTakePartOnBothSides(t *testing.T) {
	for _, n := range []int{300, 2000} {
		sides := map[string]map[string]bool{}
		for st := range scenario(t, 3, n).Steps() {
			if sides[st.Cell] == nil {
				sides[st.Cell] = map[string]bool{}
			}
			sides[st.Cell][st.Report.GetAgency()] = true
		}
		total := 0
		for _, cell := range Cells {
			total += len(sides[cell])
		}
		if total != len(agencies) || len(sides[LE]) < 20 || len(sides[IntelS])+len(sides[Intel]) < 8 {
			t.Errorf("%d reports: %d agencies publish (le %d, intel-s %d, intel %d), want %d", n, total, len(sides[LE]), len(sides[IntelS]), len(sides[Intel]), len(agencies))
		}
	}
}

func TestKindsAreThoseOfTheAgency(t *testing.T) {
	allowed := map[string][]wf.Kind{
		Open:  {wf.Kind_KIND_HAZARD, wf.Kind_KIND_INCIDENT, wf.Kind_KIND_RESOURCE, wf.Kind_KIND_ASSET, wf.Kind_KIND_BULLETIN, wf.Kind_KIND_CYBER},
		LE:    {wf.Kind_KIND_SAR, wf.Kind_KIND_THREAT, wf.Kind_KIND_INCIDENT, wf.Kind_KIND_ASSET},
		Fused: {wf.Kind_KIND_THREAT, wf.Kind_KIND_BULLETIN, wf.Kind_KIND_INCIDENT, wf.Kind_KIND_SAR},
		Intel: {wf.Kind_KIND_THREAT, wf.Kind_KIND_CYBER, wf.Kind_KIND_SAR, wf.Kind_KIND_INCIDENT},
	}
	allowed[IntelS], allowed[FusedS] = allowed[Intel], allowed[Fused]
	for st := range scenario(t, 4, 20_000).Steps() {
		k := st.Report.GetKind()
		if !slices.Contains(allowed[st.Cell], k) && !(st.Report.GetAgency() == "cisa" && k == wf.Kind_KIND_CYBER) {
			t.Errorf("%s submits %s into %s", st.Report.GetAgency(), k, st.Cell)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, c := range []Config{{Reports: 99}, {Reports: 1_000_001}, {Reports: -1}, {Status: wf.Status_STATUS_ACTUAL}, {Status: 9}, {Start: time.Unix(1e9, 1)}, {Start: time.Date(1066, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		if _, err := New(c); !errors.Is(err, ErrConfig) {
			t.Errorf("New(%+v) gives %v, want ErrConfig", c, err)
		}
	}
	s, err := New(Config{Status: wf.Status_STATUS_TEST, Start: time.Date(2031, 8, 1, 0, 0, 0, 0, time.FixedZone("", -5*3600))})
	if err != nil {
		t.Fatal(err)
	}
	for st := range s.Steps() {
		if st.Report.GetStatus() != wf.Status_STATUS_TEST || st.At.Before(s.Config().Start) || !strings.Contains(st.Report.GetRecord(), "-31-") {
			t.Fatalf("step at %s: status %s, record %s", st.At, st.Report.GetStatus(), st.Report.GetRecord())
		}
	}
}

func TestAHundredThousandReportsTakeSeconds(t *testing.T) {
	began := time.Now()
	n := 0
	for range scenario(t, 1, 100_000).Steps() {
		n++
	}
	took := time.Since(began)
	t.Logf("100,000 reports in %d steps: %s, %.0f steps/s", n, took.Round(time.Millisecond), float64(n)/took.Seconds())
	if took > 20*time.Second {
		t.Errorf("100,000 reports took %s", took)
	}
}

func BenchmarkSteps(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for range scenario(b, 1, 2000).Steps() {
		}
	}
}

// Numbers that belong to one thing are given once: no two events of a large
// scenario share a driver's licence, a hull, a beacon or a tail number.
func TestRegistersGiveNoNumberTwice(t *testing.T) {
	taken := map[string]uint64{}
	for story := range uint64(600_000) {
		r := seeded(1, story)
		r.story = story
		for _, n := range []string{r.license(), r.license(), r.imo(), r.mmsi(), r.tail(), "W-" + r.file(8), "GX-" + r.file(7)} {
			if by, ok := taken[n]; ok {
				t.Fatalf("stories %d and %d both have %s", by, story, n)
			}
			taken[n] = story
		}
	}
}
