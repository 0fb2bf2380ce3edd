package cli

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var toJSON = protojson.MarshalOptions{UseProtoNames: true}

// jsonLine writes m as one line of JSON with proto names. protojson varies its
// white space on purpose; compacting makes the line the same every time.
func jsonLine(w io.Writer, m proto.Message) error {
	b, err := compactJSON(m)
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

func compactJSON(m proto.Message) (json.RawMessage, error) {
	b, err := toJSON.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write json: %w", err)
	}
	var out strings.Builder
	var raw json.RawMessage = b
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(raw); err != nil {
		return nil, fmt.Errorf("write json: %w", err)
	}
	return json.RawMessage(strings.TrimSuffix(out.String(), "\n")), nil
}

// severityWord is the last word of the enum value, lower case.
func severityWord(s wf.Severity) string {
	w := strings.ToLower(strings.TrimPrefix(s.String(), "SEVERITY_"))
	if w == "unspecified" {
		return "unknown"
	}
	return w
}

// zulu is a time as a watch officer writes it: 2005-08-29 11:10Z.
func zulu(t time.Time) string {
	if t.IsZero() || t.Unix() == 0 {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

// byScore sorts the situations an analyst should see first to the front.
func byScore(s []*wf.Situation) []*wf.Situation {
	out := slices.Clone(s)
	slices.SortStableFunc(out, func(a, b *wf.Situation) int {
		if d := int(b.GetScore()) - int(a.GetScore()); d != 0 {
			return d
		}
		return strings.Compare(a.GetId(), b.GetId())
	})
	return out
}

// situationTable prints the first most situations, best first.
func situationTable(w io.Writer, all []*wf.Situation, most int) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "SITUATION\tKIND\tSEVERITY\tREPORTS\tCONFIDENCE\tLAST EVENT\tHEADLINE")
	sorted := byScore(all)
	for i, s := range sorted {
		if i == most {
			break
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%d\t%d.%d%%\t%s\t%s\n", s.GetId(), subject.KindToken(s.GetKind()), severityWord(s.GetSeverity()),
			s.GetSize(), s.GetConfidencePermille()/10, s.GetConfidencePermille()%10, zulu(s.GetLastEvent().AsTime()), s.GetHeadline())
	}
	_ = tw.Flush()
	if len(sorted) > most {
		fmt.Fprintf(w, "... and %d more (use -o jsonl for all)\n", len(sorted)-most)
	}
}

func snapshotHead(w io.Writer, s *wf.Snapshot) {
	fmt.Fprintf(w, "cell %s, %s, revision %d, tick %s: %s of %s, digest %s\n", s.GetCell(), subject.StatusToken(s.GetStatus()),
		s.GetRevision(), zulu(s.GetTick().AsTime()), count(len(s.GetSituations()), "situation"), count(int(s.GetReports()), "report"), hex.EncodeToString(s.GetDigest()))
	if n := s.GetSetAside(); n > 0 {
		fmt.Fprintf(w, "%s set aside: what is stored could not be read or correlated; the metric watchfloor_worker_set_aside_records says why, the log which\n", count(int(n), "report"))
	}
}
