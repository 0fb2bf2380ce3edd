package guard_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var rewrite = flag.Bool("rewrite", false, "write what the guard decides into the transcripts")

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A transcript is a list of commands, each with what the guard decides after
// "----". Decisions that admit go into the index, as the loop does it.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := newWorld(t, "le").play(string(text))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(text), got); diff != "" {
				t.Errorf("decisions differ (-want +got); look, then run with -rewrite:\n%s", diff)
			}
		})
	}
}

// world is a cell: rules and what it holds.
type world struct {
	t     testing.TB
	rules *guard.Rules
	index *guard.Index
	last  uint64
}

func newWorld(t testing.TB, cell string) *world {
	t.Helper()
	w := &world{t: t, index: guard.NewIndex(7)}
	w.enter(cell)
	return w
}

func (w *world) enter(cell string) {
	w.t.Helper()
	r, err := guard.Compile(policy.Default(), cell)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Version = "v1"
	w.rules = r
}

// play returns the transcript with the decisions as they are now.
func (w *world) play(text string) string {
	var out strings.Builder
	for _, block := range strings.Split(strings.TrimSpace(text), "\n\n") {
		input, _, _ := strings.Cut(block, "\n----")
		out.WriteString(input + "\n----\n")
		for line := range strings.Lines(input) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			word, rest, _ := strings.Cut(line, " ")
			out.WriteString(w.do(word, fields(rest)))
		}
		out.WriteString("\n")
	}
	return out.String()
}

func fields(s string) map[string]string {
	out := map[string]string{}
	for _, f := range strings.Fields(s) {
		k, v, _ := strings.Cut(f, "=")
		out[k] = v
	}
	return out
}

func (w *world) do(word string, f map[string]string) string {
	switch word {
	case "cell":
		w.index, w.last = guard.NewIndex(7), 0
		w.enter(f["name"])
		return fmt.Sprintf("%s: %s\n", f["name"], w.rules.Label)
	case "submit":
		return w.submit(f)
	case "expire", "purge":
		return w.gone(word, f)
	}
	w.t.Fatalf("unknown command %q", word)
	return ""
}

// base is a report that cell le admits.
func base(f map[string]string) *wf.Report {
	agency, name := get(f, "agency", "jackson-pd"), get(f, "id", "A")
	r := &wf.Report{
		Id: report.RecordID(agency, name), Revision: number(get(f, "rev", "1")), State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: agency, Record: name, Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_EXERCISE,
		Label:       &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
		RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT,
		EventTime:   &wf.TimeRange{Start: timestamppb.New(now.Add(-time.Hour))}, ReportTime: timestamppb.New(now),
		Places:                 []*wf.Place{{CountyFips: get(f, "county", "28049"), State: get(f, "state", "MS")}},
		SourceReliability:      wf.SourceReliability_SOURCE_RELIABILITY_B,
		InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Severity:               wf.Severity_SEVERITY_MODERATE, Title: get(f, "title", "Gate"), Language: "en-US", SourceFormat: "native",
		Body: &wf.Report_Incident{Incident: &wf.Incident{Type: "collision"}},
	}
	if v, ok := f["uuid"]; ok {
		r.Id = v
	}
	return r
}

func (w *world) report(f map[string]string) *wf.Report {
	r := base(f)
	if v, ok := f["kind"]; ok {
		r.Kind, _ = subject.ParseKind(v)
		if r.Kind == wf.Kind_KIND_SAR {
			r.RecordClass = wf.RecordClass_RECORD_CLASS_SAR
			r.Body = &wf.Report_Sar{Sar: &wf.Sar{Behaviors: []wf.Behavior{wf.Behavior_BEHAVIOR_PHOTOGRAPHY}}}
		}
		if r.Kind == wf.Kind_KIND_HAZARD {
			r.RecordClass = wf.RecordClass_RECORD_CLASS_PUBLIC_ALERT
			r.Body = &wf.Report_Hazard{Hazard: &wf.Hazard{Event: "Flood Warning"}}
		}
	}
	if v, ok := f["status"]; ok {
		r.Status, _ = subject.ParseStatus(v)
	}
	if v, ok := f["level"]; ok {
		r.Label.Level = wf.Level(number(v))
	}
	if v, ok := f["sides"]; ok {
		r.Label.Sides = nil
		for _, s := range strings.Split(v, "+") {
			switch s {
			case "le":
				r.Label.Sides = append(r.Label.Sides, wf.Side_SIDE_LE)
			case "intel":
				r.Label.Sides = append(r.Label.Sides, wf.Side_SIDE_INTEL)
			}
		}
	}
	if v, ok := f["compartment"]; ok {
		r.Label.Compartments = []string{v}
	}
	if v, ok := f["orcon"]; ok {
		r.Label.Controls = []wf.Control{wf.Control_CONTROL_ORCON}
		if v != "" {
			r.Label.OrconCells = strings.Split(v, "+")
		}
	}
	if v, ok := f["class"]; ok {
		r.RecordClass = wf.RecordClass(number(v))
	}
	if v, ok := f["tearline"]; ok {
		r.Tearlines = []*wf.Tearline{{Id: "t1", Label: &wf.Label{Level: wf.Level(number(v))}, Text: "Watch the gates."}}
	}
	if v, ok := f["ahead"]; ok {
		d, err := time.ParseDuration(v)
		if err != nil {
			w.t.Fatal(err)
		}
		r.ReportTime = timestamppb.New(now.Add(d))
	}
	if _, ok := f["withdrawn"]; ok {
		r = report.Withdraw(r, r.Revision, now)
	}
	return r
}

func (w *world) submit(f map[string]string) string {
	r := w.report(f)
	data, err := proto.Marshal(r)
	if err != nil {
		w.t.Fatal(err)
	}
	subj := subject.Submit(r)
	if v, ok := f["from"]; ok {
		s := subject.SubmissionOf(r, "ms", "28049")
		s.Agency = v
		subj = s.String()
	}
	if v, ok := f["subject"]; ok {
		subj = v
	}
	switch f["bytes"] {
	case "garbage":
		data = []byte("this is no protobuf")
	case "truncated":
		data = data[:len(data)/2]
	case "large":
		data = make([]byte, report.MaxSize+1)
	}
	x := guard.Examine(w.rules, guard.Received{Subject: subj, Payload: data, At: now, ForeignReply: f["reply"] == "foreign"})
	return w.decide(x)
}

func (w *world) decide(x *guard.Examined) string {
	d := guard.Decide(x, w.index)
	var out strings.Builder
	fmt.Fprint(&out, d.Verdict)
	switch d.Verdict {
	case guard.Admit:
		w.last += uint64(d.Messages())
		w.put(x, d)
		fmt.Fprintf(&out, " %d %s by %s\n", w.last, d.Subject, d.Record.Rule)
		if d.Moved != nil {
			fmt.Fprintf(&out, "  moved from %s (%s revision %d)\n", d.Moved.Subject, d.Moved.Record.Event, d.Moved.Record.Revision)
		}
	case guard.Refuse:
		out.WriteString("\n")
		for _, r := range d.Reasons {
			fmt.Fprintf(&out, "  %s at %q: %s\n", r.GetCode(), r.GetField(), r.GetMessage())
		}
	default:
		fmt.Fprintf(&out, " %d\n", d.Sequence)
	}
	return out.String()
}

func (w *world) put(x *guard.Examined, d guard.Decision) {
	w.t.Helper()
	err := w.index.Put(x.Submission.Agency, x.ID, guard.Entry{
		Revision: x.Revision, Digest: guard.DigestOf(x.Hash), Sequence: w.last, Subject: d.Subject,
		Kind: x.Kind, Status: x.Status, Withdrawn: x.Withdrawn,
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// gone is what the retention worker writes.
func (w *world) gone(word string, f map[string]string) string {
	r := base(f)
	x, ok := guard.ParseID(r.Id)
	e, held := w.index.Lookup(r.Agency, x)
	if !ok || !held {
		return "unknown\n"
	}
	rec := admission.Record{Event: admission.Expired, ID: r.Id, Revision: e.Revision, Received: now, Rule: "retention@v1"}
	if word == "purge" {
		rec.Event = admission.Purged
	}
	w.last++
	if err := w.index.Restore(e.Subject, w.last, rec.Encode()); err != nil {
		w.t.Fatal(err)
	}
	return fmt.Sprintf("%s at %d\n", rec.Event, w.last)
}

func get(f map[string]string, key, def string) string {
	if v, ok := f[key]; ok {
		return v
	}
	return def
}

func number(s string) uint64 {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func received(t testing.TB, r *wf.Report) guard.Received {
	t.Helper()
	data, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return guard.Received{Subject: subject.Submit(r), Payload: data, At: now}
}
