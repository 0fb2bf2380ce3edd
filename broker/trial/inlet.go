package trial

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/proof"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// inlet is where one stream takes in what it stores: by another word in the
// policy as it is compiled for the proof, at the twin, and at the running broker.
type inlet struct {
	cell, stream         string
	proof, twin, running string
}

// inletsOf reads the inlets of a cell's streams.
func inletsOf(cell proof.Cell) map[string]subject.Inlet {
	out := map[string]subject.Inlet{}
	for _, data := range cell.Streams {
		var c struct {
			Name      string `json:"name"`
			Transform struct {
				Source string `json:"src"`
			} `json:"subject_transform"`
		}
		if err := json.Unmarshal(data, &c); err != nil {
			panic("trial: " + err.Error()) // the proof has read it
		}
		out[c.Name], _ = subject.InletOf(c.Transform.Source)
	}
	return out
}

func (t *trial) findInlets() error {
	for _, c := range t.world.Cells {
		for stream, in := range inletsOf(c) {
			x := inlet{cell: c.Name, stream: stream, proof: in.Word(), twin: t.twin.Inlet(c.Name, stream).Word()}
			if t.cfg.Inlet != nil {
				x.running = t.cfg.Inlet(c.Name, stream).Word()
			}
			if x.proof == "" || x.twin == "" || t.cfg.Inlet != nil && x.running == "" {
				return fmt.Errorf("stream %s of %s has no inlet: start the broker of this release once", stream, c.Name)
			}
			t.inlets = append(t.inlets, x)
		}
	}
	slices.SortFunc(t.inlets, func(a, b inlet) int { return strings.Compare(a.cell+a.stream, b.cell+b.stream) })
	return nil
}

// put writes calls with the words of the broker that they are made to.
func (t *trial) put(calls []call, where string) []call {
	var pairs []string
	for _, x := range t.inlets {
		word := x.twin
		if where == "running" {
			word = x.running
		}
		pairs = append(pairs, x.proof, word)
	}
	words := strings.NewReplacer(pairs...)
	out := slices.Clone(calls)
	for i := range out {
		out[i].subject = words.Replace(out[i].subject)
	}
	return out
}

// toldIn says whether somebody who reads data knows a word of the inlet.
func (x inlet) toldIn(data []byte) bool {
	return contains(data, x.twin) || x.running != "" && contains(data, x.running)
}

// mayKnow says who knows where a stream takes in: who writes it, and whose
// credentials are made only inside processes that hold the keys.
func (x inlet) mayKnow(p proof.Principal) bool {
	return p.In == x.cell && within(p) || x.writes(p)
}

// within says whether credentials of the principal are made only inside
// processes that hold the keys, where the words are.
func within(p proof.Principal) bool {
	return slices.Contains([]proof.Kind{proof.Provision, proof.Backup, proof.Doctor}, p.Kind)
}

func (x inlet) writes(p proof.Principal) bool {
	own := stores(x.stream)[0]
	if own == subject.ReportSubjects[0] || own == subject.RefusalSubjects[0] {
		return p.Kind == proof.Guard && p.In == x.cell
	}
	return p.Kind == proof.Worker && p.Name == x.cell
}

// spoken finds words of inlets in what somebody receives.
var spoken = regexp.MustCompile(`inlet\.([0-9a-z]+)\.`)

// learn keeps the words that a principal has received.
func (t *trial) learn(p proof.Principal, data []byte) {
	for _, m := range spoken.FindAllSubmatch(data, -1) {
		t.knows(p, string(m[1]))
	}
}

func (t *trial) knows(p proof.Principal, word string) {
	who := p.String() + "@" + p.In
	if t.learned[who] == nil {
		t.learned[who] = map[string]bool{}
	}
	t.learned[who][word] = true
}

// signedIn is a credential of a principal at the twin.
func (t *trial) signedIn(s proof.Standing) (*client, error) {
	cred, err := t.twin.Issue(account.Request{Principal: request(s).Principal, Cell: s.Cell, User: user})
	if err != nil {
		return nil, err
	}
	return dial(cred)
}
