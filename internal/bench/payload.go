package bench

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/internal/ingest"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// submission is an encoded report and where it goes.
type submission struct {
	route   ingest.Route
	subject string
	// stored is where the guard would store it: the baseline publishes there.
	stored   string
	identity producers.Identity
	data     []byte
}

// submissions encodes the exercise beforehand, so that neither side pays for it.
// Only those of cell, unless it is empty.
func submissions(seed uint64, reports int, cell string) ([]submission, error) {
	s, err := exercise.New(exercise.Config{Seed: seed, Reports: reports})
	if err != nil {
		return nil, err
	}
	var out []submission
	for step := range s.Steps() {
		if cell != "" && step.Cell != cell {
			continue
		}
		data, err := proto.Marshal(step.Report)
		if err != nil {
			return nil, fmt.Errorf("encode: %w", err)
		}
		l, err := label.FromProto(step.Report.GetLabel())
		if err != nil {
			return nil, err
		}
		to, err := subject.ParseSubmit(subject.Submit(step.Report))
		if err != nil {
			return nil, err
		}
		stored := subject.StoredOf(to, step.Cell, l, step.Report.GetLabel())
		if cell != "" && stored.Orcon {
			continue // read by a channel of its own, which latency does not watch
		}
		out = append(out, submission{
			route: ingest.Route{Agency: step.Report.GetAgency(), Cell: step.Cell}, subject: to.String(),
			stored:   stored.String(),
			identity: producers.Identity{ID: step.Report.GetId(), Revision: step.Report.GetRevision()}, data: data,
		})
	}
	return out, nil
}
