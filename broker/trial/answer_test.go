package trial

import (
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker/proof"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// rebuild changes how a stream of the twin takes in.
func rebuild(t *testing.T, tr *trial, cell, stream string, edit func(*jetstream.StreamConfig)) {
	t.Helper()
	k, err := tr.rootOf(cell)
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(k.nc)
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	edit(&cfg)
	if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
}

// takeIn lets a stream take in by an inlet.
func takeIn(in subject.Inlet) func(*jetstream.StreamConfig) {
	return func(c *jetstream.StreamConfig) {
		c.Subjects = in.All(stores(c.Name))
		c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: in.Source(), Destination: ">"}
	}
}

// leaks lists who stores answers of the server, and where.
func leaks(told []Attempt) []string {
	var out []string
	for _, a := range told {
		if a.Outcome == Leak {
			out = append(out, a.Principal+" in "+a.Cell+" "+a.Action+" "+a.Subject+": "+a.Answer+", "+a.Why)
		}
	}
	return out
}

// Nobody has an answer of the server stored, whatever it asks and names. With a
// stream that can be named, it is seen who has.
func TestAnswersThatAreStoredAreSeen(t *testing.T) {
	picture := subject.SnapshotStream(wf.Status_STATUS_ACTUAL)
	for _, c := range []struct {
		name  string
		plant func(*testing.T, *trial)
		want  []string // of one leak; none: there is no leak
	}{
		{"as it is", func(*testing.T, *trial) {}, nil},
		{"a stream takes in on its plain subjects again", func(t *testing.T, tr *trial) {
			rebuild(t, tr, "le", subject.Refusals, func(c *jetstream.StreamConfig) {
				c.Subjects, c.SubjectTransform = append(c.Subjects, subject.RefusalSubjects...), nil
			})
		}, []string{"reader/watch-le in le reply to refusal.answers-", "an answer is stored in le"}},
		{"one word in two cells", func(t *testing.T, tr *trial) {
			rebuild(t, tr, "le", picture, takeIn(tr.twin.Inlet("fused", picture)))
			for i, x := range tr.inlets {
				if x.cell == "le" && x.stream == picture {
					tr.inlets[i].twin = tr.twin.Inlet("fused", picture).Word()
				}
			}
		}, []string{"worker/fused in le reply to snapshot.actual.answers-", "by word", "an answer is stored in le"}},
		{"one may see where a stream takes in", func(t *testing.T, tr *trial) {
			spy := proof.Standing{
				Principal: proof.Principal{Kind: "root", Name: "root"}, Cell: "le",
				Grants: []proof.Grant{{Subject: "$JS.API.STREAM.INFO." + subject.Reports}},
			}
			tr.proof.Standings = append(tr.proof.Standings, spy)
		}, []string{"root/root in le reply to report.answers-", "by word", "an answer is stored in le"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr, _, told := started(t)
			if err := tr.findInlets(); err != nil {
				t.Fatal(err)
			}
			tr.proof.Standings = slices.DeleteFunc(slices.Clone(tr.proof.Standings), func(s proof.Standing) bool {
				return !slices.Contains([]string{"reader/watch-le", "worker/fused", "guard/guard"}, s.Principal.String()) || s.Cell != "le" && s.Cell != "fused"
			})
			c.plant(t, tr)
			*told = nil
			if err := tr.answersStored(t.Context()); err != nil {
				t.Fatal(err)
			}
			found := leaks(*told)
			if len(*told) < 20 || c.want == nil && len(found) > 0 {
				t.Errorf("%d attempts, leaks %q", len(*told), found)
			}
			if c.want != nil && !slices.ContainsFunc(found, func(l string) bool {
				return !slices.ContainsFunc(c.want, func(w string) bool { return !strings.Contains(l, w) })
			}) {
				t.Errorf("no leak that says %q among %q", c.want, found)
			}
		})
	}
}

// What a principal receives is searched for the words of inlets.
func TestAnAnswerThatTellsTheWordIsSeen(t *testing.T) {
	tr, _, told := started(t)
	if err := tr.findInlets(); err != nil {
		t.Fatal(err)
	}
	spy := proof.Standing{
		Principal: proof.Principal{Kind: "root", Name: "root"}, Cell: "le",
		Grants: []proof.Grant{{Subject: "$JS.API.STREAM.INFO." + subject.Reports}},
	}
	if err := tr.makes(spy, []call{{subject: "$JS.API.STREAM.INFO." + subject.Reports}}, tr.twin.Issue, "twin"); err != nil {
		t.Fatal(err)
	}
	if got := leaks(*told); len(got) != 1 || !strings.Contains(got[0], "it tells where REPORTS of le takes in") {
		t.Errorf("got %q", got)
	}
}
