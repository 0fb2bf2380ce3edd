package quality

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/quake"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// quakes is the earthquakes of a week, each told once by every network that
// gave it an id: that is the catalogue's own truth of which solutions are one.
type quakes struct {
	name string
	// split makes what the networks say of one event.
	split   func(*wf.Report) []*wf.Report
	targets func(Row) []Target
}

var quakeSets = []quakes{
	{name: "quakes", split: byName, targets: func(r Row) []Target { return []Target{atLeast("F1", 0.98, r.Pairs.F1)} }},
	{name: "quakes-no-id", split: byPlaceAndTime},
}

func quakeParts() []part {
	var out []part
	for _, q := range quakeSets {
		out = append(out, part{q.name, false, q.run})
	}
	return out
}

func (q quakes) run(ctx context.Context, c Config) (Row, error) {
	data, err := os.ReadFile(filepath.Join(c.Corpus, "hazards", "usgs-earthquakes-week.geojson"))
	if err != nil {
		return Row{}, fmt.Errorf("%w: %w", ErrNoCorpus, err)
	}
	var s set
	for _, item := range quake.Decode(data, codec.Options{Agency: options.Agency, Label: options.Label}) {
		if item.Refused() {
			s.refused++
			continue
		}
		for _, r := range q.split(item.Report) {
			r.Status = wf.Status_STATUS_TEST
			s.reports, s.truth = append(s.reports, r), append(s.truth, item.Report.Record)
		}
	}
	r, err := s.measure(ctx, c)
	if err != nil {
		return Row{}, err
	}
	if q.targets != nil {
		r.Targets = q.targets(r)
	}
	return r, nil
}

// byName: every network sends the event under its own id and names the others.
func byName(r *wf.Report) []*wf.Report {
	ids := []string{r.Record}
	for _, ref := range r.References {
		ids = append(ids, ref.Record)
	}
	var out []*wf.Report
	for _, id := range ids {
		o := proto.CloneOf(r)
		o.Record, o.Id, o.References = id, report.RecordID(r.Agency, id), nil
		o.Lineage = &wf.Lineage{Originator: quake.Network(id), OriginatorRecord: id}
		for _, other := range ids {
			if other != id {
				o.References = append(o.References, &wf.Reference{Type: wf.ReferenceType_REFERENCE_TYPE_RELATED, Record: other, Agency: quake.Network(other)})
			}
		}
		out = append(out, o)
	}
	return out
}

// byPlaceAndTime: the networks know nothing of each other, and each has its own
// solution: the catalogue holds one only, so the others are that one moved by
// up to 6 km and 3 s, as regional solutions differ.
func byPlaceAndTime(r *wf.Report) []*wf.Report {
	out := byName(r)
	for i, o := range out {
		o.References = nil
		if i == 0 {
			continue
		}
		g := seeded(o.Record)
		p := o.Places[0].Point
		p.Latitude += (g.float() - 0.5) * 0.1
		p.Longitude += (g.float() - 0.5) * 0.1
		o.EventTime = &wf.TimeRange{Start: timestamppb.New(o.EventTime.Start.AsTime().Add(g.duration(6e9) - 3e9))}
		o.Title = o.Title[:strings.IndexByte(o.Title+" ", ' ')]
		o.Places[0].Name = ""
		if h := o.GetHazard(); h != nil {
			h.Onset, h.Infos = o.EventTime.Start, slices.Clip(h.Infos[:0])
		}
	}
	return out
}
