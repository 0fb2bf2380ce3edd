package twins

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/worker"
)

// pair says which two worlds to run.
type pair struct {
	seed  uint64
	steps int
	ticks worker.Clock
	// light leaves out the restart, and all that the intelligence side does but
	// submissions.
	light bool
}

// outcome of a pair.
type outcome struct {
	Compared
	without, with told
	tapes         *Tapes // without
}

// ground is what the worlds of a pair share.
type ground struct {
	dir, keys string
	plan      *plan
}

func (p pair) plan() (*plan, error) {
	pol, err := testPolicy()
	if err != nil {
		return nil, err
	}
	x, err := newPlan(pol, p.seed, p.steps)
	if err == nil && p.light {
		for i := range x.steps {
			x.steps[i].deeds = []string{"flood"}
		}
	}
	return x, err
}

// run runs two worlds beside each other, each in a process of its own, so that
// what a process shares is not shared by the two, and compares them.
func (p pair) run(t testing.TB, m *Masker) (out outcome) {
	t.Helper()
	dir := t.TempDir()
	pol, err := testPolicy()
	if err != nil {
		t.Fatal(err)
	}
	keys := madeKeys(t, dir, pol)
	var children [2]*child
	for i, name := range []string{"without", "with"} {
		children[i] = startChild(t, job{Name: name, Seed: p.seed, Steps: p.steps, Ticks: p.ticks, Dir: dir, Keys: keys, High: i == 1})
	}
	var tapes [2]*Tapes
	var accounts [2]told
	level(t, children)
	for i, c := range children {
		tapes[i], accounts[i] = c.end(t, m)
		if accounts[i].Err != "" {
			t.Errorf("seed %d, world %s: %s", p.seed, c.job.Name, accounts[i].Err)
		}
	}
	out.without, out.with, out.tapes = accounts[0], accounts[1], tapes[0]
	out.Compared = Compare(tapes[0], tapes[1])
	return out
}

func (p pair) world(name string, g ground, m *Masker) (*world, error) {
	w := &world{name: name, dir: filepath.Join(g.dir, name), plan: g.plan, ticks: p.ticks, light: p.light, tapes: NewTapes(m), waiting: map[string]int{}, epochs: map[string]int{}}
	w.clock.at.Store(base.UnixNano())
	if err := os.CopyFS(filepath.Join(w.dir, "keys"), os.DirFS(g.keys)); err != nil {
		return nil, err
	}
	err := filepath.WalkDir(filepath.Join(w.dir, "keys"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	})
	return w, err
}

// testPolicy is the shipped policy with a quota for one intelligence cell.
func testPolicy() (*policy.Policy, error) {
	return withQuota(string(policy.DefaultYAML()), fills, quota)
}

func withQuota(text, cell, size string) (*policy.Policy, error) {
	p, err := policy.Parse([]byte(strings.Replace(text, "  - name: "+cell+"\n", "  - name: "+cell+"\n    quota: "+size+"\n", 1)))
	if err != nil {
		return nil, err
	}
	if c, _ := p.Cell(cell); c.Quota == 0 {
		return nil, fmt.Errorf("%s has no quota", cell)
	}
	return p, nil
}

// madeKeys makes the keys that both worlds use.
func madeKeys(t testing.TB, dir string, p *policy.Policy) string {
	t.Helper()
	keys := filepath.Join(dir, "keys")
	if _, err := account.Open(account.Config{KeysDir: keys, DataDir: filepath.Join(dir, "none"), Policy: p, Now: func() time.Time { return base }}); err != nil {
		t.Fatal(err)
	}
	return keys
}

// run plays the plan.
func (w *world) run() error {
	if err := w.start(); err != nil {
		return err
	}
	draw := rand.New(rand.NewPCG(w.plan.seed, 22))
	last := len(w.plan.steps) - 1
	for i, s := range w.plan.steps {
		if i == last && !w.light {
			if err := w.again(draw); err != nil {
				return err
			}
		}
		if err := w.play(s, draw); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// again stops everything and starts it on what is stored: what a reader sees
// who comes after a restart.
func (w *world) again(draw *rand.Rand) error {
	// The server's own ping comes within seconds of each connection's beginning.
	first := w.ears[0]
	if err := first.until("a ping", func() bool { return first.pings > 0 }); err != nil {
		return err
	}
	if err := w.stop(); err != nil {
		return fmt.Errorf("stop: %w", err)
	}
	if err := w.start(); err != nil {
		return err
	}
	s := step{name: "after a restart"}
	w.tapes.Step(s.name)
	if err := w.quiet(); err != nil {
		return err
	}
	if err := w.keyframes(); err != nil {
		return err
	}
	return w.observe(s, draw)
}

// play lets both sides do their part of a step, and the low side look.
func (w *world) play(s step, draw *rand.Rand) error {
	w.tapes.Step(s.name)
	if err := w.tick(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		if w.high == nil {
			done <- nil
			return
		}
		done <- w.high.step(s)
	}()
	err := w.low(s, draw)
	if herr := <-done; herr != nil {
		return fmt.Errorf("intelligence side: %w", herr)
	}
	return err
}

func (w *world) low(s step, draw *rand.Rand) error {
	for _, x := range s.low {
		w.tapes.Step(fmt.Sprintf("%s: %s of %s into %s", s.name, x.note, x.agency, x.cell))
		if err := w.submitLow(x); err != nil {
			return err
		}
	}
	if err := w.quiet(); err != nil {
		return err
	}
	return w.observe(s, draw)
}
