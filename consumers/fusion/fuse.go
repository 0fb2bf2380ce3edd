package fusion

import (
	"cmp"
	"slices"
	"strings"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Output is one situation as `watchfloor fuse` prints it: all its reports, and
// the links that hold it together; of a mass situation those of its parts.
type Output struct {
	ID      string         `json:"id"`
	Reports []OutputReport `json:"reports"`
	Links   []OutputLink   `json:"links"`
}

// OutputReport names one report of a situation.
type OutputReport struct {
	ID     string `json:"id"`
	Agency string `json:"agency"`
	Record string `json:"record"`
}

// OutputLink is one link of a situation's tree, by report id.
type OutputLink struct {
	A        string           `json:"a"`
	B        string           `json:"b"`
	Bits     float64          `json:"bits"`
	Evidence []OutputEvidence `json:"evidence"`
}

// OutputEvidence is one reason of a link.
type OutputEvidence struct {
	Kind  string  `json:"kind"`
	Value string  `json:"value,omitempty"`
	Bits  float64 `json:"bits"`
}

// Fuse correlates a set of reports without a broker. Statuses never meet:
// each has an engine of its own. Ticked at now (zero: never), sorted by id;
// the same set gives the same output in any order.
func Fuse(inputs []Input, c Config, now time.Time) []Output {
	var out []Output
	for _, e := range engines(inputs, c, now) {
		for c := range e.comps {
			if e.comps[c].size > 0 {
				out = append(out, e.output(int32(c)))
			}
		}
	}
	slices.SortFunc(out, func(a, b Output) int { return cmp.Or(strings.Compare(a.ID, b.ID), len(a.Reports)-len(b.Reports)) })
	return out
}

// Explain is Fuse that explains: the situations whose id, or that of a part,
// begins with a prefix; for an empty one all of two reports or more. Sorted by
// score, the highest first.
func Explain(inputs []Input, c Config, now time.Time, prefix string) []Explanation {
	var out []Explanation
	for _, e := range engines(inputs, c, now) {
		e.Commit()
		for _, s := range e.Situations() {
			ids := []string{s.Id}
			for _, p := range s.Parts {
				ids = append(ids, p.Id)
			}
			for i, id := range ids {
				if !strings.HasPrefix(id, prefix) || prefix == "" && (s.Size < 2 || i > 0) {
					continue
				}
				if x, ok := e.Explain(id); ok {
					out = append(out, x)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b Explanation) int {
		return cmp.Or(cmp.Compare(b.Situation.Score, a.Situation.Score), strings.Compare(a.Situation.Id, b.Situation.Id))
	})
	return out
}

// engines are one per status, fed and ticked.
func engines(inputs []Input, c Config, now time.Time) map[wf.Status]*Engine {
	out := map[wf.Status]*Engine{}
	for _, in := range inputs {
		s := in.Report.GetStatus()
		if s == wf.Status_STATUS_UNSPECIFIED {
			continue
		}
		e := out[s]
		if e == nil {
			c.Status = s
			e = New(c)
			out[s] = e
		}
		e.Apply(in)
	}
	for _, e := range out {
		if !now.IsZero() {
			e.Tick(now)
		}
	}
	return out
}

// output is a situation with all its reports, those of a mass situation too.
func (e *Engine) output(c int32) Output {
	o := outputOf(seal(e.build(e.ring(c))))
	if int(e.comps[c].size) <= e.massSize {
		return o
	}
	m := e.ring(c)
	slices.SortFunc(m, e.inPicture)
	o.Reports = o.Reports[:0]
	for _, n := range m {
		f := e.facts(n)
		o.Reports = append(o.Reports, OutputReport{f.id.String(), strings.Clone(e.words.texts[f.agency]), strings.Clone(f.record)})
	}
	return o
}

func outputOf(s *wf.Situation) Output {
	o := Output{ID: s.Id, Reports: make([]OutputReport, len(s.Members)), Links: make([]OutputLink, len(s.Links))}
	for i, m := range s.Members {
		o.Reports[i] = OutputReport{m.ReportId, m.Agency, m.Record}
	}
	for i, l := range s.Links {
		k := OutputLink{A: s.Members[l.A].ReportId, B: s.Members[l.B].ReportId, Bits: float64(l.Millibits) / 1000, Evidence: []OutputEvidence{}}
		for _, v := range l.Evidence {
			k.Evidence = append(k.Evidence, OutputEvidence{v.Kind, v.Value, float64(v.Millibits) / 1000})
		}
		o.Links[i] = k
	}
	return o
}
