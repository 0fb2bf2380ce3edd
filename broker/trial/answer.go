package trial

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/proof"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// answersStored: NATS checks no reply subject, so whoever is answered names any
// subject of its cell (T3). Every principal asks for everything that it may and
// has it answered on all that a stream of the cell stores, on what a guard takes
// for a submission, and by every word of an inlet that it knows. Each names a
// subject of its own, so that what is stored in the end says whose it is.
func (t *trial) answersStored(ctx context.Context) error {
	all := t.someStandings()
	for _, step := range []func(*tries) error{t.askAndLearn, t.askElsewhere} {
		for i := range all {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := step(&all[i]); err != nil {
				return fmt.Errorf("%s in %s: %w", all[i].standing.Principal, all[i].standing.Cell, err)
			}
		}
	}
	stored := map[string]string{}
	for _, c := range t.world.Cells {
		subjects, err := t.whatIsStored(ctx, c)
		if err != nil {
			return err
		}
		stored[c.Name] = subjects
	}
	for _, x := range all {
		t.tellTries(x, stored)
	}
	return nil
}

// tries are all that one principal has tried in one cell.
type tries struct {
	standing proof.Standing
	mark     string // stands in every subject
	may      []call // that is answered
	targets  []target
}

// target is a subject on which an answer is asked for.
type target struct{ subject, shown string }

// someStandings are those of every principal, or of a quarter of them: what one
// learns in one cell it tries in all of its cells.
func (t *trial) someStandings() []tries {
	var out []tries
	drawn := map[string]bool{}
	for i, s := range t.proof.Standings {
		who := s.Principal.String() + "@" + s.Principal.In
		if _, ok := drawn[who]; !ok {
			drawn[who] = t.cfg.Sample == 0 || t.draw.IntN(4) == 0
		}
		if drawn[who] {
			out = append(out, tries{standing: s, mark: fmt.Sprintf("answers-%d", i)})
		}
	}
	return out
}

// askAndLearn makes all that the principal may ask, to be answered in its own
// inbox, and keeps the words that it learns.
func (t *trial) askAndLearn(x *tries) error {
	s := x.standing
	key, err := t.twin.account(s.Cell)
	if err != nil {
		return err
	}
	for _, c := range callsOf(t.cellOf(s.Cell), hashed(key)) {
		if !c.subscribe && s.May(false, c.subject, user) && !submits(c.subject) {
			if strings.Contains(c.subject, ".MSG.NEXT.") {
				c.body = earnest
			}
			x.may = append(x.may, c)
		}
	}
	x.may = t.put(x.may, "twin")
	t.holdsWords(s)
	if len(x.may) == 0 {
		return nil // the guard alone answers it: see replies
	}
	k, err := t.signedIn(s)
	if err != nil {
		return err
	}
	defer k.close()
	for chunk := range slices.Chunk(x.may, batch) {
		answers, err := k.try(chunk)
		if err != nil {
			return err
		}
		for i, a := range answers {
			t.learn(s.Principal, a.data)
			chunk[i].silent = chunk[i].silent || a.text == "nothing"
		}
	}
	return nil
}

// submits says whether a subject is one that the guard listens on.
func submits(subj string) bool {
	_, err := subject.ParseSubmit(subj)
	return err == nil
}

// askElsewhere asks once more, to be answered on every target; then in its own
// inbox again, which shows that what was asked before has been taken. Wildcards
// go first: while an answer to one is awaited the server gives up those that
// nobody listens for on subjects that it matches.
func (t *trial) askElsewhere(x *tries) error {
	if len(x.may) == 0 {
		return nil
	}
	k, err := t.signedIn(x.standing)
	if err != nil {
		return err
	}
	defer k.close()
	x.targets = t.targets(x.standing, x.mark)
	k.patient = patience
	for _, wild := range []bool{true, false} {
		for _, c := range x.may {
			for _, to := range x.targets {
				if strings.Contains(to.subject, "*") != wild {
					continue
				}
				if err := k.nc.PublishMsg(&nats.Msg{Subject: c.subject, Reply: to.subject, Data: c.body, Header: c.header}); err != nil {
					return err
				}
			}
		}
		for chunk := range slices.Chunk(x.may, batch) {
			if _, err := k.try(chunk); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *trial) cellOf(name string) proof.Cell {
	i := slices.IndexFunc(t.world.Cells, func(c proof.Cell) bool { return c.Name == name })
	return t.world.Cells[i]
}

// holdsWords adds the words that stand in a principal's permissions.
func (t *trial) holdsWords(s proof.Standing) {
	for _, g := range s.Grants {
		for _, x := range t.inlets {
			if strings.Contains(g.Subject, x.proof) {
				t.knows(s.Principal, x.twin)
			}
		}
	}
}

// targets are the subjects that the principal can name in the cell.
func (t *trial) targets(s proof.Standing, mark string) []target {
	var out []target
	known := slices.Sorted(maps.Keys(t.learned[s.Principal.String()+"@"+s.Principal.In]))
	for _, x := range t.inlets {
		if x.cell != s.Cell {
			continue
		}
		for _, pattern := range stores(x.stream) {
			plain := strings.TrimSuffix(pattern, ">") + mark
			out = append(out, target{plain, plain})
			if within(s.Principal) {
				continue // its words are those of the process that holds the keys
			}
			out = append(out, target{subject.NewInlet("*").Of(plain), plain + ", by a wildcard for the word"})
			for n, word := range known {
				if x.writes(s.Principal) && word == x.twin {
					continue // it may publish there
				}
				out = append(out, target{subject.NewInlet(word).Of(plain), fmt.Sprintf("%s, by word %d that it knows", plain, n+1)})
			}
		}
	}
	submit := subject.Submission{Status: wf.Status_STATUS_TEST, Kind: wf.Kind_KIND_INCIDENT, State: subject.None, County: subject.None, Agency: mark}
	return append(out, target{submit.String(), submit.String()})
}

// whatIsStored is the subjects of everything that a cell of the twin stores,
// once everything that was answered has come to its streams: it waits until
// what it has answered there itself, with all rights and by the words, is stored.
func (t *trial) whatIsStored(ctx context.Context, c proof.Cell) (string, error) {
	k, err := t.rootOf(c.Name)
	if err != nil {
		return "", err
	}
	const mark = "answers-control"
	for _, x := range t.inlets {
		if x.cell == c.Name {
			to := subject.NewInlet(x.twin).Of(strings.TrimSuffix(stores(x.stream)[0], ">") + mark)
			if err := k.nc.PublishRequest("$JS.API.INFO", to, nil); err != nil {
				return "", err
			}
		}
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		_, streams, err := look(ctx, k, c, mark)
		if err != nil {
			return "", err
		}
		if streams == len(inletsOf(c)) {
			time.Sleep(100 * time.Millisecond) // one that is still behind
			all, _, err := look(ctx, k, c, mark)
			return all, err
		}
		if time.Now().After(deadline) {
			return "", fmt.Errorf("with all rights in %s, an answer by the word of an inlet is stored in %d of %d streams: this trial would see none", c.Name, streams, len(inletsOf(c)))
		}
	}
}

// look lists the subjects of a cell, each between line ends, and counts the
// streams with the mark in one.
func look(ctx context.Context, k *client, c proof.Cell, mark string) (all string, marked int, err error) {
	all = "\n"
	for stream := range inletsOf(c) {
		subjects, err := subjectsOf(ctx, k, stream)
		if err != nil {
			return "", 0, fmt.Errorf("look at %s of %s: %w", stream, c.Name, err)
		}
		text := strings.Join(subjects, "\n") + "\n"
		if all += text; strings.Contains(text, mark) {
			marked++
		}
	}
	return all, marked, nil
}

func subjectsOf(ctx context.Context, k *client, stream string) ([]string, error) {
	m, err := k.nc.RequestWithContext(ctx, "$JS.API.STREAM.INFO."+stream, object(map[string]any{"subjects_filter": ">"}))
	if err != nil {
		return nil, err
	}
	var info struct {
		State struct {
			Subjects map[string]uint64 `json:"subjects"`
		} `json:"state"`
	}
	if err := json.Unmarshal(m.Data, &info); err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(info.State.Subjects)), nil
}

func (t *trial) rootOf(cell string) (*client, error) {
	if k, ok := t.roots[cell]; ok {
		return k, nil
	}
	k, err := t.twin.root(cell)
	if err == nil {
		t.roots[cell] = k
	}
	return k, err
}

// tellTries says of every target whether something is stored by it: on the
// subject that it is stored under, or as the record of a refusal.
func (t *trial) tellTries(x tries, stored map[string]string) {
	s := x.standing
	for _, to := range x.targets {
		a := Attempt{
			Trap: "T3", Principal: s.Principal.String(), Cell: s.Cell, Action: "reply to", Subject: to.shown, Where: "twin", Outcome: Refused,
			Answer: fmt.Sprintf("nothing is stored of the answers to %d requests", len(x.may)), Why: "with all rights and the word, one is",
		}
		plain, _, _ := strings.Cut(to.shown, ", ")
		if submits(plain) {
			plain = subject.Refusal(s.Cell, x.mark)
		}
		for cell, all := range stored {
			if strings.Contains(all, "\n"+plain+"\n") || strings.Contains(all, "."+plain+"\n") {
				a.Outcome, a.Answer, a.Why = Leak, "an answer is stored in "+cell, "it publishes nothing there"
			}
		}
		t.tell(a)
	}
}
