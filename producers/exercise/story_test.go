package exercise

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

type identifier struct {
	t             wf.IdentifierType
	value, issuer string
}

// exclusive identifiers belong to one person or thing.
var exclusive = []wf.IdentifierType{
	wf.IdentifierType_IDENTIFIER_TYPE_VIN, wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT, wf.IdentifierType_IDENTIFIER_TYPE_DRIVER_LICENSE,
	wf.IdentifierType_IDENTIFIER_TYPE_SSN, wf.IdentifierType_IDENTIFIER_TYPE_NATIONAL_ID, wf.IdentifierType_IDENTIFIER_TYPE_IMEI,
	wf.IdentifierType_IDENTIFIER_TYPE_SERIAL, wf.IdentifierType_IDENTIFIER_TYPE_HASH, wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER,
	wf.IdentifierType_IDENTIFIER_TYPE_FBI, wf.IdentifierType_IDENTIFIER_TYPE_STIX, wf.IdentifierType_IDENTIFIER_TYPE_MAC,
}

func identifiers(r *wf.Report) map[identifier]bool {
	out := map[identifier]bool{}
	for _, e := range r.GetEntities() {
		for _, id := range e.GetIdentifiers() {
			out[identifier{id.GetType(), id.GetValue(), id.GetIssuer()}] = true
		}
	}
	return out
}

// latest is the last revision of every report of an event.
func latest(s *Scenario, event string) map[Key]*wf.Report {
	out := map[Key]*wf.Report{}
	for st := range s.Steps() {
		if st.Event == event && st.Report.GetRevision() >= out[st.Key()].GetRevision() {
			out[st.Key()] = st.Report
		}
	}
	return out
}

func all(reports map[Key]*wf.Report, cells ...string) map[identifier]bool {
	out := map[identifier]bool{}
	for k, r := range reports {
		if slices.Contains(cells, k.Cell) {
			for id := range identifiers(r) {
				out[id] = true
			}
		}
	}
	return out
}

func TestThePlotCrossesOnGarbledTracesOnly(t *testing.T) {
	for seed := range uint64(20) {
		s := scenario(t, seed, 300)
		plot := latest(s, EventPlot)
		police, services := all(plot, LE), all(plot, Intel, IntelS)
		if len(plot) != len(s.Truth().Group(GroupPlot)) || len(s.Truth().Group(GroupPlotLE)) < 6 || len(s.Truth().Group(GroupPlotIntel)) < 5 {
			t.Fatalf("seed %d: plot of %d reports, halves %d and %d", seed, len(plot), len(s.Truth().Group(GroupPlotLE)), len(s.Truth().Group(GroupPlotIntel)))
		}
		for id := range police {
			if services[id] {
				t.Errorf("seed %d: both halves hold %v", seed, id)
			}
		}
		garbledPhone, partialPlate, names := false, false, 0
		for id := range police {
			for other := range services {
				if id.t != other.t {
					continue
				}
				if slices.Contains(exclusive, id.t) && id.value == other.value {
					t.Errorf("seed %d: exclusive %v on both sides", seed, id)
				}
				garbledPhone = garbledPhone || id.t == wf.IdentifierType_IDENTIFIER_TYPE_PHONE && oneSwap(id.value, other.value)
				partialPlate = partialPlate || id.t == wf.IdentifierType_IDENTIFIER_TYPE_PLATE && id.value != other.value && compatible(id.value, other.value)
			}
		}
		for a, ra := range plot {
			for b, rb := range plot {
				if a.Cell == LE && b.Cell != LE && len(ra.GetEntities())+len(rb.GetEntities()) > 0 {
					if n, m := nameOf(ra), nameOf(rb); n != "" && m != "" {
						if n == m {
							t.Errorf("seed %d: both sides write %q", seed, n)
						}
						names++
					}
				}
			}
		}
		if !garbledPhone || !partialPlate || names == 0 {
			t.Errorf("seed %d: garbled phone %v, partial plate %v, names %d", seed, garbledPhone, partialPlate, names)
		}
	}
}

func nameOf(r *wf.Report) string {
	for _, e := range r.GetEntities() {
		if p := e.GetPerson(); p != nil {
			return p.GetNames()[0].GetGiven() + " " + p.GetNames()[0].GetFamily()
		}
	}
	return ""
}

// oneSwap says whether a is b with two neighbouring characters exchanged.
func oneSwap(a, b string) bool {
	if len(a) != len(b) || a == b {
		return false
	}
	for i := range len(a) - 1 {
		if a[:i] == b[:i] && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:] {
			return true
		}
	}
	return false
}

// compatible says whether two plates agree where both were seen.
func compatible(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if a[i] != b[i] && a[i] != '?' && b[i] != '?' {
			return false
		}
	}
	return true
}

func TestTheDecoySharesOnlyTheSwitchboard(t *testing.T) {
	for seed := range uint64(20) {
		s := scenario(t, seed, 2000)
		plot, decoy := latest(s, EventPlot), latest(s, EventDecoy)
		cells := []string{Open, LE, IntelS, Intel, FusedS, Fused}
		in, shared := all(decoy, cells...), []identifier{}
		for id := range all(plot, cells...) {
			if in[id] {
				shared = append(shared, id)
			}
		}
		if len(shared) != 1 || shared[0].t != wf.IdentifierType_IDENTIFIER_TYPE_PHONE {
			t.Fatalf("seed %d: plot and decoy share %v, want one telephone number", seed, shared)
		}
		var halves [2]int
		for k := range decoy {
			if k.Cell == LE {
				halves[0]++
			} else {
				halves[1]++
			}
		}
		if halves[0] < 3 || halves[1] < 2 {
			t.Errorf("seed %d: decoy has halves of %v", seed, halves)
		}
		strangers := map[Key]bool{}
		for st := range s.Steps() {
			if st.Event == "" && st.Cell == LE && identifiers(st.Report)[shared[0]] {
				strangers[st.Key()] = true
			}
		}
		if len(strangers) <= 20 {
			t.Errorf("seed %d: %d unrelated reports mention the switchboard, want more than 20", seed, len(strangers))
		}
	}
}

func TestHalvesHangTogetherBySomethingExclusive(t *testing.T) {
	for seed := range uint64(10) {
		plot := latest(scenario(t, seed, 300), EventPlot)
		for _, cells := range [][]string{{LE}, {Intel, IntelS}} {
			count := map[identifier]int{}
			for k, r := range plot {
				if slices.Contains(cells, k.Cell) {
					for id := range identifiers(r) {
						if slices.Contains(exclusive, id.t) {
							count[id]++
						}
					}
				}
			}
			shared := 0
			for _, n := range count {
				shared = max(shared, n)
			}
			if shared < 2 {
				t.Errorf("seed %d: the half in %v has no exclusive identifier in two reports", seed, cells)
			}
		}
	}
}

// arrivals counts what happens to reports on their way.
type arrivals struct {
	duplicates, revisions, withdrawals, overtaken, tombstones, early, heldBack int
}

func arrive(t *testing.T, s *Scenario) (n arrivals) {
	t.Helper()
	last := map[Key]*wf.Report{}
	bodies := map[Key]map[uint64]*wf.Report{}
	records := map[string]bool{}
	for st := range s.Steps() {
		k, r := st.Key(), st.Report
		was := last[k]
		if same := bodies[k][r.GetRevision()]; same != nil && !proto.Equal(same, r) {
			t.Errorf("%v: revision %d with two contents", k, r.GetRevision())
		}
		if bodies[k] == nil {
			bodies[k] = map[uint64]*wf.Report{}
		}
		bodies[k][r.GetRevision()] = r
		withdrawn := r.GetState() == wf.ReportState_REPORT_STATE_WITHDRAWN
		switch {
		case was == nil && withdrawn:
			n.tombstones++
		case was == nil:
			if st.At.Sub(r.GetReportTime().AsTime()) > time.Hour {
				n.heldBack++
			}
			for _, ref := range r.GetReferences() {
				if t := ref.GetType(); (t == wf.ReferenceType_REFERENCE_TYPE_SUPERSEDES || t == wf.ReferenceType_REFERENCE_TYPE_CANCELS) && !records[ref.GetRecord()] {
					n.early++
				}
			}
		case r.GetRevision() == was.GetRevision():
			n.duplicates++
		case r.GetRevision() < was.GetRevision():
			n.overtaken++
			continue
		case withdrawn:
			n.withdrawals++
		default:
			n.revisions++
		}
		records[r.GetRecord()] = true
		last[k] = r
	}
	return n
}

func TestReportsArriveAsTheyDoInLife(t *testing.T) {
	n := arrive(t, scenario(t, 2, 2000))
	if n.duplicates < 10 || n.revisions < 40 || n.withdrawals < 10 || n.overtaken < 2 || n.tombstones < 1 || n.early < 2 || n.heldBack < 5 {
		t.Errorf("too little of something: %+v", n)
	}
}

func TestCopiesNameTheirOriginator(t *testing.T) {
	reports := latest(scenario(t, 5, 300), EventCircular)
	originators := map[string]bool{}
	copies := 0
	for k, r := range reports {
		o := r.GetLineage().GetOriginator()
		if o == "" {
			o = k.Agency
		} else {
			copies++
		}
		if r.GetState() == wf.ReportState_REPORT_STATE_ACTIVE {
			originators[o] = true
		}
	}
	if len(originators) != 1 || copies < 3 {
		t.Errorf("%d copies of %d originators, want at least 3 of 1", copies, len(originators))
	}
}

func TestTheHurricaneIsChainsOfAlerts(t *testing.T) {
	for _, n := range []int{100, 2000, 20_000} {
		s := scenario(t, 7, n)
		types := map[wf.MessageType]int{}
		vtec, storms, chains := map[string]int{}, map[string]bool{}, 0
		for _, r := range latest(s, EventHurricane) {
			if h := r.GetHazard(); h != nil {
				types[h.GetMessageType()]++
				if len(r.GetReferences()) > 0 {
					chains++
				}
			}
			for id := range identifiers(r) {
				switch id.t {
				case wf.IdentifierType_IDENTIFIER_TYPE_VTEC:
					vtec[id.value]++
				case wf.IdentifierType_IDENTIFIER_TYPE_STORM:
					storms[id.value] = true
				}
			}
		}
		if types[wf.MessageType_MESSAGE_TYPE_ALERT] < 2 || types[wf.MessageType_MESSAGE_TYPE_UPDATE] < 4 || types[wf.MessageType_MESSAGE_TYPE_CANCEL] < 1 || len(storms) != 1 || chains < 5 || len(vtec) < 1 {
			t.Errorf("%d reports: messages %v, storms %v, VTEC %v, %d with references", n, types, storms, vtec, chains)
		}
	}
}
