package fusion

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Explanation says why a situation is one.
type Explanation struct {
	Situation *wf.Situation
	// Lines can be read aloud: what it is, every link of the tree with its
	// evidence, what it would fall apart without, what was ignored, what is
	// related but not part of it.
	Lines []string
	// Related are reports of other situations just below the threshold.
	Related []Related
}

// Related is a pair that is near the threshold and not linked.
type Related struct {
	// Member is the index of the situation's own report.
	Member uint32
	// Situation and Report are the other side.
	Situation string
	Report    string
	Agency    string
	Millibits int32
	Evidence  []*wf.Evidence
}

// relatedBand is how far below the threshold a pair is still worth a pointer.
const relatedBand = 10_000

const maxRelated = 20

// Explain explains one situation as it is now.
func (e *Engine) Explain(id string) (Explanation, bool) {
	m, ok := e.find(id)
	if !ok {
		return Explanation{}, false
	}
	m = slices.Clone(m)
	x := Explanation{Situation: seal(e.build(m)), Related: e.related(m)}
	x.Lines = Read(x.Situation)
	for _, r := range x.Related {
		x.Lines = append(x.Lines, fmt.Sprintf("Related, not part of it: %s of %s with report %d (%s bits): %s.",
			r.Report, r.Agency, r.Member+1, signed(r.Millibits), evidenceText(r.Evidence)))
	}
	return x, true
}

// Read is the explanation of a situation in lines, from what it carries itself.
func Read(s *wf.Situation) []string {
	out := []string{s.GetHeadline() + "."}
	for i, m := range s.GetMembers() {
		line := fmt.Sprintf("Report %d: %s of %s (%s), %s.", i+1, recordOf(m), m.GetAgency(), m.GetCell(), m.GetEventTime().AsTime().Format("2006-01-02 15:04Z"))
		if m.GetSuperseded() {
			line += " Superseded."
		}
		out = append(out, line)
	}
	for _, l := range s.GetLinks() {
		out = append(out, fmt.Sprintf("Report %d and report %d are one: %s bits: %s.", l.GetA()+1, l.GetB()+1, signed(l.GetMillibits()), evidenceText(l.GetEvidence())))
	}
	if s.WeakestLink != nil && int(*s.WeakestLink) < len(s.GetLinks()) {
		l := s.GetLinks()[*s.WeakestLink]
		out = append(out, fmt.Sprintf("It would fall apart without the link of report %d and report %d (%s bits), the weakest of %d in its tree; %s in all.",
			l.GetA()+1, l.GetB()+1, signed(l.GetMillibits()), len(s.GetLinks()), plural(int(s.GetLinkCount()), "link")))
	}
	for _, i := range s.GetIgnored() {
		why := "too many reports carry it"
		if i.GetReason() == "stop-list" {
			why = "it is on the stop-list"
		}
		out = append(out, fmt.Sprintf("Ignored: %s %s in %s: %s.", i.GetKind(), i.GetValue(), plural(int(i.GetMembers()), "report"), why))
	}
	return append(out, fmt.Sprintf("Confidence %d.%d %% from %s.", s.GetConfidencePermille()/10, s.GetConfidencePermille()%10,
		plural(int(s.GetOriginators()), "independent originator")))
}

func recordOf(m *wf.Member) string {
	if m.GetRecord() != "" {
		return m.GetRecord()
	}
	return m.GetReportId()
}

// signed writes thousandths of a bit as bits with one decimal.
func signed(mb int32) string {
	sign := "+"
	if mb < 0 {
		sign, mb = "-", -mb
	}
	tenths := (mb + 50) / 100
	return fmt.Sprintf("%s%d.%d", sign, tenths/10, tenths%10)
}

func evidenceText(list []*wf.Evidence) string {
	out := ""
	for i, v := range list {
		if i > 0 {
			out += ", "
		}
		out += v.GetKind()
		if v.GetValue() != "" {
			out += " " + v.GetValue()
		}
		out += " " + signed(v.GetMillibits())
	}
	return out
}

// related lists the strongest pairs below the threshold between members and
// reports of other situations.
func (e *Engine) related(m []int32) []Related {
	var out []Related
	for i, n := range m[:min(len(m), 512)] {
		seen := map[int32]bool{}
		for _, k := range e.facts(n).keys {
			w := e.index.window(k, n, e.k)
			for _, o := range append(slices.Clone(w.older()), w.newer()...) {
				if seen[o] || e.nodes[o].comp == e.nodes[n].comp {
					continue
				}
				seen[o] = true
				if s := e.score(n, o); s < e.threshold && s >= e.threshold-relatedBand && s > 0 {
					out = append(out, e.pointer(uint32(i), n, o, s))
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Related) int {
		return cmp.Or(cmp.Compare(b.Millibits, a.Millibits), cmp.Compare(a.Member, b.Member), cmp.Compare(a.Agency, b.Agency), cmp.Compare(a.Report, b.Report))
	})
	return out[:min(len(out), maxRelated)]
}

func (e *Engine) pointer(member uint32, n, o, bits int32) Related {
	f := e.facts(o)
	r := Related{Member: member, Report: f.id.String(), Agency: e.words.texts[f.agency], Millibits: bits}
	if f.record != "" {
		r.Report = strings.Clone(f.record)
	}
	if p := e.nodes[o].pict; p != 0 {
		id := e.pictures[p].id
		r.Situation = fmt.Sprintf("%x", id[:])
	}
	r.Evidence = evidenceOf(e.reasons(n, o))
	sealEvidence(r.Evidence, cloneIt)
	return r
}
