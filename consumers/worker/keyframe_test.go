package worker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Whatever was applied, removed and collected before, the situations that a
// keyframe restates are those of the engine's digest.
func TestKeyframeRestatesWhatWasCollected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &session{engine: fusion.New(fusion.Config{Status: wf.Status_STATUS_EXERCISE})}
		revision := uint64(0)
		for range rapid.IntRange(1, 6).Draw(t, "collects") {
			for range rapid.IntRange(0, 8).Draw(t, "records") {
				revision++
				id := fmt.Sprint("r", rapid.IntRange(0, 5).Draw(t, "report"))
				if rapid.IntRange(0, 3).Draw(t, "gone") == 0 {
					s.engine.Remove("le", "mhp", id)
					continue
				}
				s.engine.Apply(fusion.Input{Cell: "le", Report: sighting(id, revision)})
			}
			if _, err := s.collect(); err != nil {
				t.Fatal(err)
			}
			if got, want := fusion.DigestOf(slices.Collect(s.situations())), s.engine.Digest(); got != want {
				t.Fatalf("%d situations restated are not those collected", len(slices.Collect(s.situations())))
			}
		}
	})
}

func sighting(id string, revision uint64) *wf.Report {
	return &wf.Report{
		Id: id, Revision: revision, Agency: "mhp", State: wf.ReportState_REPORT_STATE_ACTIVE, Status: wf.Status_STATUS_EXERCISE,
		Kind: wf.Kind_KIND_INCIDENT, Title: fmt.Sprint(id, " as of ", revision), ReportTime: timestamppb.New(time.Unix(1_750_000_000+int64(revision), 0)),
	}
}
