package cli

import (
	"fmt"
	"os"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/internal/ingest"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/csv"
	"github.com/watchfloor/watchfloor/producers/feed"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// readMapping reads a CSV mapping: a shipped one by name, else a file; none for "".
func readMapping(name string) (*csv.Mapping, error) {
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

// codecOptions are what the codecs need of a policy for reports of one route.
func codecOptions(p *policy.Policy, r ingest.Route) codec.Options {
	o := codec.Options{Agency: r.Agency, Status: wf.Status_STATUS_ACTUAL, Received: time.Now().UTC(), Markings: codec.Markings(p.Markings(r.Cell))}
	if g, ok := p.Agency(r.Agency); ok {
		if grant, ok := g.Grant(r.Cell); ok {
			o.Label = grant.Default.Proto()
		}
	}
	return o
}

// routeOf is the policy's route of a file format.
func routeOf(p *policy.Policy, f feed.Format) (ingest.Route, error) {
	if r, ok := p.Format(string(f)); ok {
		return ingest.Route{Agency: r.Agency, Cell: r.Cell}, nil
	}
	return ingest.Route{}, fmt.Errorf("the policy has no format %q: add it under formats, or say --as", f)
}

// reader reads files by their format's route in the policy, or all by one route.
func fileReader(p *policy.Policy, m *csv.Mapping, all *ingest.Route) feed.Config {
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
