package quality

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Miss is a pair on which the engine and the truth disagree.
type Miss struct {
	// Wrong: linked, and not one thing. Otherwise missed: one thing, and in two situations.
	Wrong bool `json:"wrong"`
	// Proposed: some key brought the two together.
	Proposed bool    `json:"proposed"`
	Bits     float64 `json:"bits"`
	// A and B are the record ids; Why is the evidence, line by line.
	A   string   `json:"a"`
	B   string   `json:"b"`
	Why []string `json:"why"`
	// SaysA and SaysB are what the two reports say.
	SaysA string `json:"says_a"`
	SaysB string `json:"says_b"`

	a, b int
}

// misses lists the n worst pairs of both kinds: the links that should not be,
// strongest first; then the pairs that should be together, those that no key
// proposes last and otherwise the nearest to the threshold first.
func (f fused) misses(n int) []Miss {
	if n <= 0 {
		return nil
	}
	return append(f.worst(n, true), f.worst(n, false)...)
}

func (f fused) worst(n int, wrong bool) []Miss {
	from, other := f.truth, f.found
	if wrong {
		from, other = f.found, f.truth
	}
	var out []Miss
	for _, list := range groups(from) {
		for i, a := range list {
			for _, b := range list[:i] {
				if other[a] != "" && other[a] == other[b] {
					continue
				}
				if m, ok := f.miss(a, b, wrong); ok {
					out = append(out, m)
				}
			}
		}
	}
	slices.SortFunc(out, func(x, y Miss) int {
		return cmp.Or(last(x, y), cmp.Compare(y.Bits, x.Bits), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	out = out[:min(n, len(out))]
	for i := range out {
		f.tell(&out[i])
	}
	return out
}

// last puts what no key proposes after the rest.
func last(x, y Miss) int {
	if x.Proposed == y.Proposed {
		return 0
	}
	if x.Proposed {
		return -1
	}
	return 1
}

// miss looks at one pair. Two that are wrongly in one situation by way of
// others are no fault of their own: the links are.
func (f fused) miss(a, b int, wrong bool) (Miss, bool) {
	p, ok := f.engine.Compare(f.identity(a), f.identity(b))
	if !ok || wrong && !p.Linked {
		return Miss{}, false
	}
	return Miss{Wrong: wrong, Proposed: p.Proposed, Bits: float64(p.Millibits) / 1000, a: a, b: b}, true
}

func (f fused) tell(m *Miss) {
	p, _ := f.engine.Compare(f.identity(m.a), f.identity(m.b))
	m.A, m.B = f.reports[m.a].Record, f.reports[m.b].Record
	for _, v := range p.Evidence {
		m.Why = append(m.Why, evidence(v))
	}
	m.SaysA, m.SaysB = says(f.reports[m.a]), says(f.reports[m.b])
}

func evidence(v *wf.Evidence) string {
	return strings.ReplaceAll(fmt.Sprintf("%s %s %+.1f", v.GetKind(), v.GetValue(), float64(v.GetMillibits())/1000), "  ", " ")
}

// says is a report without what only administers it, in one line.
func says(r *wf.Report) string {
	r = proto.CloneOf(r)
	r.Id, r.Agency, r.Record, r.Revision, r.State, r.Status, r.Label = "", "", "", 0, 0, 0, nil
	r.Kind, r.RecordClass, r.SourceFormat, r.ReportTime = 0, 0, "", nil
	b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(r)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
