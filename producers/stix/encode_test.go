package stix_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/watchfloor/watchfloor/producers/internal/corpus"
	"github.com/watchfloor/watchfloor/producers/stix"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// comparable is what a round trip keeps: not the ids of what was folded, which
// are made anew, nor what only the neighbours in the bundle tell (families,
// names in titles), nor which word made an actor other than cyber.
func comparable(r *wf.Report) *wf.Report {
	r = proto.CloneOf(r)
	if y := r.GetCyber(); y != nil {
		y.ObjectIds = nil
	}
	if th := r.GetThreat(); th != nil {
		th.Type = 0
	}
	r.Title, r.Label.Original = "", ""
	for _, ref := range r.References {
		ref.Type = 0
	}
	return r
}

// Written and read again, a report of the corpus says the same.
func TestCorpusRoundTrip(t *testing.T) {
	dir, done, unnamed := corpus.Dir(t, "stix/INDEX.csv"), 0, 0
	for _, row := range corpus.Rows(t, filepath.Join(dir, "stix", "INDEX.csv")) {
		data, err := os.ReadFile(filepath.Join(dir, row[0]))
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range stix.Decode(data, options()) {
			if it.Refused() || it.Report.State != wf.ReportState_REPORT_STATE_ACTIVE || !statement(it.Report) {
				continue
			}
			encoded, err := stix.Encode(it.Report)
			if err != nil {
				// What was observed had no identifier: there is nothing to write.
				if typeOf(it.Report.Record) != "observed-data" {
					t.Errorf("%s %s: %v", row[0], it.Where, err)
				}
				unnamed++
				continue
			}
			var back *wf.Report
			for _, again := range stix.Decode(encoded, options()) {
				if again.Refused() {
					t.Errorf("%s %s: encoded object is refused: %s", row[0], it.Where, again.Reasons)
				} else if again.Report.Record == it.Report.Record {
					back = again.Report
				} else {
					t.Errorf("%s %s: the bundle makes another report, %s", row[0], it.Where, again.Report.Record)
				}
			}
			if back == nil {
				t.Errorf("%s %s: the report is gone", row[0], it.Where)
				continue
			}
			if diff := cmp.Diff(comparable(it.Report), comparable(back), protocmp.Transform()); diff != "" {
				t.Errorf("%s %s %s: round trip differs (-want +got):\n%s", row[0], it.Where, it.Report.Record, diff)
			}
			done++
		}
	}
	if done < 500 || unnamed > 3 {
		t.Errorf("only %d reports made the round trip, %d had nothing to write", done, unnamed)
	}
}

// statement says whether the report's object states something by itself and
// has a type that STIX defines.
func statement(r *wf.Report) bool {
	return slices.Contains([]string{"attack-pattern", "campaign", "course-of-action", "grouping", "incident", "indicator", "infrastructure", "intrusion-set",
		"malware", "note", "observed-data", "opinion", "report", "sighting", "threat-actor", "tool", "vulnerability"}, typeOf(r.Record))
}

func typeOf(id string) string {
	for i := range id {
		if id[i:min(i+2, len(id))] == "--" {
			return id[:i]
		}
	}
	return id
}

// A label beyond TLP goes along as a statement, and comes back when the policy
// maps its words.
func TestEncodedLabelIsNotLost(t *testing.T) {
	r := reportOf(decode(sdo("indicator", 1, obj{"object_marking_refs": []string{amber}})), sdo("indicator", 1, nil))
	data, err := stix.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	o := options()
	o.Markings.Words["CUI//LE"] = &wf.Label{Level: wf.Level_LEVEL_SECRET}
	items := stix.Decode(data, o)
	if len(items) != 1 || items[0].Report.GetLabel().GetLevel() != wf.Level_LEVEL_SECRET || items[0].Report.Label.Tlp != wf.Tlp_TLP_AMBER {
		t.Errorf("got %v", items)
	}
}

func TestEncodeRefuses(t *testing.T) {
	hazard := &wf.Report{Id: uuid(1), State: wf.ReportState_REPORT_STATE_ACTIVE, Body: &wf.Report_Hazard{Hazard: &wf.Hazard{}}}
	withdrawn := &wf.Report{Id: uuid(1), State: wf.ReportState_REPORT_STATE_WITHDRAWN, Body: &wf.Report_Cyber{Cyber: &wf.Cyber{}}}
	for name, r := range map[string]*wf.Report{"a hazard": hazard, "a withdrawal": withdrawn, "nothing": {}} {
		if data, err := stix.Encode(r); err == nil {
			t.Errorf("%s is encoded: %s", name, data)
		}
	}
}

func TestNativeReportsEncode(t *testing.T) {
	at := time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)
	r := reportOf(decode(sdo("incident", 1, obj{"description": "intrusion at a utility"})), sdo("incident", 1, nil))
	r.Record = "IR-2024-7"
	data, err := stix.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	items := stix.Decode(data, options())
	if len(items) != 1 || items[0].Report.GetKind() != wf.Kind_KIND_INCIDENT || items[0].Report.Narrative != "intrusion at a utility" ||
		!items[0].Report.ReportTime.AsTime().Equal(at) {
		t.Errorf("got %v", items)
	}
}
