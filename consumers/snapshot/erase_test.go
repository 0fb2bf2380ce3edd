package snapshot

import (
	"bytes"
	"fmt"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// A mass situation lists some of its reports. A purge of one that it does not
// list must still find the frames that were made with it.
func TestAMassSituationIsDerivedFromAllItsReports(t *testing.T) {
	for _, c := range []struct {
		reports int
		mass    bool
	}{{20, false}, {700, true}} {
		e := fusion.New(fusion.Config{Status: wf.Status_STATUS_EXERCISE})
		for i := range c.reports {
			e.Apply(fusion.Input{Cell: "le", Report: &wf.Report{
				Id: fmt.Sprintf("019912b2-8750-7248-a526-%012d", i), Agency: "fbi", Revision: 1, Kind: wf.Kind_KIND_SAR,
				State: wf.ReportState_REPORT_STATE_ACTIVE, Status: wf.Status_STATUS_EXERCISE, ReportTime: timestamppb.Now(),
				References: []*wf.Reference{{Type: wf.ReferenceType_REFERENCE_TYPE_RELATED, Agency: "fbi", Record: "CASE-1"}},
			}})
		}
		data, err := proto.Marshal(&wf.Frame{Changes: e.Commit().Changes})
		if err != nil {
			t.Fatal(err)
		}
		unlisted := 0
		for i := range c.reports {
			if !names(data, map[string]bool{fmt.Sprintf("019912b2-8750-7248-a526-%012d", i): true}) {
				unlisted++
			}
		}
		if (unlisted > 0) != c.mass || bytes.Contains(data, roll) != c.mass {
			t.Errorf("%d reports: %d are not listed, found as a mass situation: %v", c.reports, unlisted, bytes.Contains(data, roll))
		}
	}
}
