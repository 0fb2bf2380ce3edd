package trial

import (
	"slices"
	"strings"
	"testing"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/proof"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// started is a trial of the shipped policy before its first attempt, with the
// secrets planted, and where watch-le stands in le.
func started(t *testing.T) (*trial, proof.Standing, *[]Attempt) {
	t.Helper()
	w, err := broker.Compile(policy.Default())
	if err != nil {
		t.Fatal(err)
	}
	var told []Attempt
	tr := &trial{cfg: Config{Policy: policy.Default(), Tell: func(a Attempt) { told = append(told, a) }}, world: w, proof: proof.Prove(w), control: map[string]string{}, roots: map[string]*client{}, learned: map[string]map[string]bool{}}
	if tr.twin, err = openTwin(t.Context(), tr.cfg.Policy); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, k := range tr.roots {
			k.close()
		}
		tr.twin.close()
	})
	if err := tr.plant(t.Context()); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(tr.proof.Standings, func(s proof.Standing) bool { return s.Principal.String() == "reader/watch-le" && s.Cell == "le" })
	return tr, tr.proof.Standings[i], &told
}

// What a trial calls a leak, and what it calls wrong, when the world is not as
// the proof says.
func TestATrialSeesWhatDoesNotHold(t *testing.T) {
	feed := subject.Reports + "." + subject.FeedConsumer("watch-le", "all")
	pull := call{subject: "$JS.API.CONSUMER.MSG.NEXT." + feed, body: object(map[string]any{"batch": 1, "no_wait": true})}
	frame := call{subject: subject.DirectGet(subject.SnapshotStream(wf.Status_STATUS_ACTUAL), subject.Frame(wf.Status_STATUS_ACTUAL, 1))}
	again := call{subject: "$JS.API.CONSUMER.MSG.NEXT." + feed, body: earnest}
	tr, stands, told := started(t)
	for _, c := range []struct {
		name  string
		plant func(*proof.Standing)
		call  call
		want  Outcome
		why   string
	}{
		{"as it is", func(*proof.Standing) {}, pull, Allowed, "its own feed all"},
		{"the server permits more than the proof", func(s *proof.Standing) { s.Grants = nil }, call{subject: "$JS.API.CONSUMER.INFO." + feed}, Leak, "must be refused"},
		{"a subscription more than the proof", func(s *proof.Standing) { s.Grants = nil }, call{subject: "live.actual.>", subscribe: true}, Leak, "must be refused"},
		{"a queue more than the proof", func(s *proof.Standing) { s.Grants = nil }, call{subject: "live.actual.>", subscribe: true, queue: "q"}, Leak, "must be refused"},
		{"it brings what the label does not dominate", func(s *proof.Standing) { s.Principal.Cells = []string{"open"} }, frame, Leak, "it brought what only le holds"},
		{"it brings what the originator keeps in its cell", func(s *proof.Standing) { s.Principal.Cells = []string{"fused"} }, again, Leak, "it brought what only le holds"},
		{"the server permits less", func(s *proof.Standing) { s.Grants = append(s.Grants, proof.Grant{Subject: "more.>"}) }, call{subject: "more.x"}, Wrong, "says that it is permitted"},
		{"a misspelt call", func(*proof.Standing) {}, call{subject: "$JS.API.STREAM.DELEET.REPORTS"}, Wrong, "nothing answers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := stands
			*told, tr.sum = nil, Summary{}
			s.Grants = slices.Clone(s.Grants)
			c.plant(&s)
			if err := tr.makes(s, []call{c.call}, tr.twin.Issue, "twin"); err != nil {
				t.Fatal(err)
			}
			if got := (*told)[0]; got.Outcome != c.want || !strings.Contains(got.Why, c.why) {
				t.Errorf("got %s, want %s because %q", got, c.want, c.why)
			}
			if holds := tr.sum.Err() == nil; holds != (c.want == Allowed) {
				t.Errorf("the trial holds: %v", holds)
			}
		})
	}
}

// The second form of acknowledgement is one the server listens to: it answers.
func TestHashedIsTheServers(t *testing.T) {
	tr, _, _ := started(t)
	key, err := tr.twin.account("le")
	if err != nil {
		t.Fatal(err)
	}
	k, err := tr.twin.root("le")
	if err != nil {
		t.Fatal(err)
	}
	defer k.close()
	for hash, want := range map[string]string{hashed(key): "answered", hashed("another"): "no responders"} {
		s := "$JS.ACK._." + hash + "." + subject.Reports + "." + subject.FeedConsumer("watch-le", "all") + ".1.1.1.1.1.1"
		got, err := k.try([]call{{subject: s, body: []byte("no acknowledgement")}})
		if err != nil || got[0].text != want {
			t.Errorf("%s: got %+v, %v; want %s", s, got, err, want)
		}
	}
}
