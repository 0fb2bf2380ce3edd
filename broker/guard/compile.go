package guard

import (
	"fmt"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Compile takes the rules of one cell out of a policy.
func Compile(p *policy.Policy, cell string) (*Rules, error) {
	c, ok := p.Cell(cell)
	if !ok {
		return nil, fmt.Errorf("compile rules: the policy has no cell %q", cell)
	}
	r := &Rules{
		Cell: cell, Label: c.Label, Above: map[string]bool{}, Agencies: map[string]Agency{}, Classes: map[wf.RecordClass]bool{},
		MaxReport: p.Limits.MaxReport, Limits: report.Limits{MaxSkew: p.Limits.MaxClockSkew}, Version: p.Version,
	}
	for _, above := range p.Above(cell) {
		r.Above[above] = true
	}
	for _, name := range p.AgenciesOf(cell) {
		a, _ := p.Agency(name)
		g, _ := a.Grant(cell)
		r.Agencies[name] = Agency{Kinds: set(g.Kinds), Statuses: set(g.Statuses)}
	}
	for class := range wf.RecordClass_name {
		if _, kept := p.Retention(wf.RecordClass(class)); kept && class != 0 {
			r.Classes[wf.RecordClass(class)] = true
		}
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	return r, nil
}

func set[T comparable](list []T) map[T]bool {
	out := make(map[T]bool, len(list))
	for _, v := range list {
		out[v] = true
	}
	return out
}
