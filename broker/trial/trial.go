// Package trial tries against running brokers what package proof says of a
// policy: every principal makes every call, and what the server answers is held
// against what the proof expects.
//
// What does no harm even where it should be refused and is not goes to the
// broker that is tried: each call is made so that a server that would take it
// finds nothing to do (a deletion with a body that it refuses, a publication
// that expects an impossible last sequence). What is permitted and changes
// something is made against a twin, a broker of the same policy in a temporary
// folder; so is every refused call, with all rights, to show that it is not
// misspelt.
package trial

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/proof"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// user is the name of the credentials that are issued for a trial.
const user = "trial"

// Issuer makes credentials of the broker that is tried.
type Issuer func(account.Request) (account.Credential, error)

// longest is how long a trial may take.
const longest = time.Hour

// Config is what a trial needs.
type Config struct {
	Policy *policy.Policy
	// Running issues credentials of a running broker; nil tries the twin alone.
	Running Issuer
	// Inlet is where a stream of a cell of that broker takes in what it stores.
	Inlet func(cell, stream string) subject.Inlet
	// Sample is how many calls each principal makes in each cell, drawn with
	// Seed; zero: all.
	Sample int
	Seed   uint64
	// Tell is told of every attempt as it was answered. It is called by one
	// goroutine at a time.
	Tell func(Attempt)
}

// Outcome is how an attempt ended.
type Outcome string

// The outcomes.
const (
	// Refused by the server or the issuer, as it should be.
	Refused Outcome = "refused"
	// Allowed, as it should be: within the principal's label.
	Allowed Outcome = "allowed"
	// Leak: taken where the proof says that it must be refused, or it brought
	// what the principal's label does not dominate.
	Leak Outcome = "LEAK"
	// Wrong: refused where the proof says that it is permitted, or a call that
	// nothing answers even with all rights.
	Wrong Outcome = "WRONG"
)

// Attempt is one call of one principal.
type Attempt struct {
	Trap      string  `json:"trap"`
	Principal string  `json:"principal"`
	Cell      string  `json:"cell"`
	Action    string  `json:"action"` // publish, subscribe, sign in ...
	Subject   string  `json:"subject"`
	Outcome   Outcome `json:"outcome"`
	// Answer is what the server said: "permissions violation", "answered",
	// "no responders", "nothing".
	Answer string `json:"answer"`
	// Why an allowed call is the principal's; of a refused one what it is with
	// all rights.
	Why string `json:"why"`
	// Where: "running" or "twin".
	Where string `json:"where"`
}

// String is the attempt on one line.
func (a Attempt) String() string {
	return fmt.Sprintf("%-8s %-4s %-20s %-8s %-9s %s  (%s: %s; %s)", a.Outcome, a.Trap, a.Principal, a.Cell, a.Action, a.Subject, a.Where, a.Answer, a.Why)
}

// Summary counts attempts by outcome.
type Summary struct {
	Attempts int `json:"attempts"`
	Refused  int `json:"refused"`
	Allowed  int `json:"allowed"`
	Leaks    int `json:"leaks"`
	Wrong    int `json:"wrong"`
	// Controls are the calls made with all rights: Worked of them were answered
	// or taken, of Nobody there is nothing that listens, so that a refusal shows
	// less (flow control of consumers that are pulled, acknowledgements to those
	// that want none, direct gets of streams that offer none).
	Controls int `json:"controls"`
	Worked   int `json:"worked"`
	Nobody   int `json:"nobody"`
	// Bytes that principals received and that were searched for other cells'
	// secrets.
	Bytes int `json:"bytes"`
	// Notes say what there was nothing to try of.
	Notes []string `json:"notes"`
}

// Err says what did not hold.
func (s Summary) Err() error {
	if s.Leaks+s.Wrong == 0 {
		return nil
	}
	return fmt.Errorf("%d leaks, %d calls not as the proof expects", s.Leaks, s.Wrong)
}

// trial is one run.
type trial struct {
	cfg     Config
	proof   *proof.Proof
	world   proof.World
	twin    *twin
	draw    *rand.Rand
	secrets []secret
	inlets  []inlet
	learned map[string]map[string]bool // principal -> words of the twin's inlets
	roots   map[string]*client         // with all rights in a cell of the twin
	control map[string]string          // cell and call -> answer with all rights
	sum     Summary
}

// Run makes every attempt. The error is that it could not be run; whether the
// broker holds, the summary says.
func Run(ctx context.Context, cfg Config) (Summary, error) {
	w, err := broker.Compile(cfg.Policy)
	if err != nil {
		return Summary{}, err
	}
	t := &trial{
		cfg: cfg, proof: proof.Prove(w), world: w, draw: rand.New(rand.NewPCG(cfg.Seed, 8)),
		control: map[string]string{}, roots: map[string]*client{}, learned: map[string]map[string]bool{},
	}
	if cfg.Running != nil && cfg.Inlet == nil {
		return Summary{}, errors.New("try a running broker: where its streams take in is not known")
	}
	if err := t.proof.Err(); err != nil {
		return Summary{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if t.twin, err = openTwin(ctx, cfg.Policy); err != nil {
		return Summary{}, fmt.Errorf("start a twin: %w", err)
	}
	defer t.twin.close()
	if err := t.findInlets(); err != nil {
		return Summary{}, err
	}
	err = t.run(ctx)
	for _, k := range t.roots {
		k.close()
	}
	return t.sum, err
}

func (t *trial) run(ctx context.Context) error {
	steps := []func(context.Context) error{t.plant, t.effective, t.listeners, t.names, t.replies, t.poison, t.everybody, t.answersStored}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// tell counts an attempt and passes it on.
func (t *trial) tell(a Attempt) {
	t.sum.Attempts++
	switch a.Outcome {
	case Refused:
		t.sum.Refused++
	case Allowed:
		t.sum.Allowed++
	case Leak:
		t.sum.Leaks++
	case Wrong:
		t.sum.Wrong++
	}
	if t.cfg.Tell != nil {
		t.cfg.Tell(a)
	}
}

func (t *trial) note(format string, args ...any) {
	t.sum.Notes = append(t.sum.Notes, fmt.Sprintf(format, args...))
}

// everybody: every principal makes every call in every cell it stands in, and
// tries to sign in to all others.
func (t *trial) everybody(ctx context.Context) error {
	for _, cell := range t.world.Cells {
		key, err := t.twin.account(cell.Name)
		if err != nil {
			return err
		}
		calls := callsOf(cell, hashed(key))
		if err := t.controls(cell.Name, calls); err != nil {
			return err
		}
		for _, s := range t.proof.Standings {
			if s.Cell != cell.Name {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := t.principal(s, t.sample(slices.Concat(calls, crossings(s, cell)))); err != nil {
				return fmt.Errorf("%s in %s: %w", s.Principal, s.Cell, err)
			}
		}
	}
	return t.strangers()
}

func (t *trial) sample(calls []call) []call {
	if t.cfg.Sample == 0 || t.cfg.Sample >= len(calls) {
		return calls
	}
	out := slices.Clone(calls)
	t.draw.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:t.cfg.Sample]
}

// request is for a credential of the principal.
func request(s proof.Standing) account.Request {
	return account.Request{Principal: account.Principal{Kind: string(s.Principal.Kind), Name: s.Principal.Name}, Cell: s.Cell, User: user}
}

// principal makes its calls: at the running broker those that must be refused
// or change nothing, at the twin the rest.
func (t *trial) principal(s proof.Standing, calls []call) error {
	var there, here []call
	for _, c := range calls {
		if t.cfg.Running != nil && (c.still || !s.May(c.subscribe, c.subject, user)) {
			there = append(there, c)
			continue
		}
		if strings.Contains(c.subject, ".MSG.NEXT.") && s.May(false, c.subject, user) {
			c.body = earnest
		}
		here = append(here, c)
	}
	if len(there) > 0 {
		if err := t.makes(s, there, t.cfg.Running, "running"); err != nil {
			return err
		}
	}
	return t.makes(s, here, t.twin.Issue, "twin")
}

func (t *trial) makes(s proof.Standing, calls []call, issue Issuer, where string) error {
	cred, err := issue(request(s))
	if err != nil {
		return err
	}
	k, err := dial(cred)
	if err != nil {
		return err
	}
	defer k.close()
	for chunk := range slices.Chunk(calls, batch) {
		answers, err := k.try(t.put(chunk, where))
		if err != nil {
			return err
		}
		for i, a := range answers {
			t.learn(s.Principal, a.data)
			t.tell(t.judged(s, chunk[i], a, where))
		}
	}
	return nil
}

// judged holds an answer against the proof, and what came with it against the
// secrets of cells that the principal may not read.
func (t *trial) judged(s proof.Standing, c call, a answer, where string) Attempt {
	out := Attempt{Trap: c.trap, Principal: s.Principal.String(), Cell: s.Cell, Action: c.action(), Subject: c.subject, Answer: a.text, Where: where}
	may := s.May(c.subscribe, c.subject, user)
	control := t.control[s.Cell+" "+c.key()]
	switch {
	case may && a.refused:
		out.Outcome, out.Why = Wrong, "the proof says that it is permitted"
	case may:
		out.Outcome, out.Why = Allowed, s.Why(c.subscribe, c.subject, user)
	case !a.refused:
		out.Outcome, out.Why = Leak, "the proof says that it must be refused"
	case control == "":
		out.Outcome, out.Why = Wrong, "even with all rights nothing answers"
	default:
		out.Outcome, out.Why = Refused, "with all rights: "+control
	}
	t.sum.Bytes += len(a.data)
	for _, x := range t.inlets {
		if x.toldIn(a.data) && !x.mayKnow(s.Principal) {
			out.Outcome, out.Why = Leak, "it tells where "+x.stream+" of "+x.cell+" takes in"
		}
	}
	for _, x := range t.secrets {
		if contains(a.data, x.text) && !t.mayRead(s.Principal, x) {
			out.Outcome, out.Why = Leak, "it brought what only "+x.cell+" holds"
		}
	}
	return out
}

// contains looks for a secret as it is and as JSON writes bytes.
func contains(data []byte, secret string) bool {
	return bytes.Contains(data, []byte(secret)) || bytes.Contains(data, []byte(base64.StdEncoding.EncodeToString([]byte(secret))))
}

// secret is what only one cell holds.
type secret struct {
	cell, text string
	// controlled by an originator that names no cell above.
	controlled bool
}

// mayRead says by the labels of the policy whether a principal may see what a
// cell holds.
func (t *trial) mayRead(p proof.Principal, x secret) bool {
	low, _ := t.cfg.Policy.Cell(x.cell)
	return slices.ContainsFunc(p.Cells, func(name string) bool {
		own, ok := t.cfg.Policy.Cell(name)
		return ok && own.Label.Dominates(low.Label) && (!x.controlled || name == x.cell)
	})
}
