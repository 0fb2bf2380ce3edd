package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/csv"
	"github.com/watchfloor/watchfloor/producers/feed"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// mapping reads a CSV mapping: a shipped one by name, else a file; none for "".
func mapping(name string) (*csv.Mapping, error) {
	if name == "" {
		return nil, nil
	}
	if m, err := csv.Shipped(name); err == nil {
		return m, nil
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usage("--map %s is neither shipped (%v) nor a file that can be read: %w", name, csv.Names(), err)
	}
	m, err := csv.ParseMapping(data)
	if err != nil {
		return nil, usage("mapping %s: %w", name, err)
	}
	return m, nil
}

// route is as which agency and into which cell a format is read.
type route struct{ agency, cell string }

// codecOptions are what the codecs need of a policy for reports of one route.
func codecOptions(p *policy.Policy, r route) codec.Options {
	o := codec.Options{Agency: r.agency, Status: wf.Status_STATUS_ACTUAL, Received: time.Now().UTC(), Markings: codec.Markings(p.Markings(r.cell))}
	if g, ok := p.Agency(r.agency); ok {
		if grant, ok := g.Grant(r.cell); ok {
			o.Label = grant.Default.Proto()
		}
	}
	return o
}

// routeOf is the policy's route of a file format.
func routeOf(p *policy.Policy, f feed.Format) (route, error) {
	if r, ok := p.Format(string(f)); ok {
		return route{r.Agency, r.Cell}, nil
	}
	return route{}, fmt.Errorf("the policy has no format %q: add it under formats, or say --as", f)
}

// reader reads files by their format's route in the policy, or all by one route.
func fileReader(p *policy.Policy, m *csv.Mapping, all *route) feed.Config {
	return feed.Config{Mapping: m, Options: func(f feed.Format) codec.Options {
		r, err := routeOf(p, f)
		if all != nil {
			r = *all
		} else if err != nil {
			return codec.Options{Received: time.Now().UTC()}
		}
		return codecOptions(p, r)
	}}
}
