package quality

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/consumers/fusion"
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

// outcome is what an engine made of reports, beside the truth.
type outcome struct {
	engine *fusion.Engine
	names  []fusion.Identity
	truth  []string
	found  []string
	// called is what a miss calls report i, says what it tells of it, title its title.
	called, says, title func(i int) string
}

// misses lists the n worst pairs of both kinds: the links that should not be,
// strongest first; then the pairs that should be together, those that no key
// proposes last and otherwise the nearest to the threshold first.
func (o outcome) misses(n int) []Miss {
	if n <= 0 {
		return nil
	}
	return append(o.worst(n, true), o.worst(n, false)...)
}

func (o outcome) worst(n int, wrong bool) []Miss {
	from, other := o.truth, o.found
	if wrong {
		from, other = o.found, o.truth
	}
	var out []Miss
	for _, list := range groups(from) {
		for i, a := range list {
			for _, b := range list[:i] {
				if other[a] != "" && other[a] == other[b] {
					continue
				}
				if m, ok := o.miss(a, b, wrong); ok {
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
		o.tell(&out[i])
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
func (o outcome) miss(a, b int, wrong bool) (Miss, bool) {
	p, ok := o.engine.Compare(o.names[a], o.names[b])
	if !ok || wrong && !p.Linked {
		return Miss{}, false
	}
	return Miss{Wrong: wrong, Proposed: p.Proposed, Bits: float64(p.Millibits) / 1000, a: a, b: b}, true
}

func (o outcome) tell(m *Miss) {
	p, _ := o.engine.Compare(o.names[m.a], o.names[m.b])
	m.A, m.B = o.called(m.a), o.called(m.b)
	for _, v := range p.Evidence {
		m.Why = append(m.Why, evidence(v))
	}
	m.SaysA, m.SaysB = o.says(m.a), o.says(m.b)
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
