package twins

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
	// without leaves the intelligence traffic out of both worlds.
	without bool
	// light leaves out the restart, and all that the intelligence side does but
	// submissions.
	light bool
}

// outcome of a pair.
type outcome struct {
	Compared
	a, b *world
}

// ground is what the worlds of a pair share.
type ground struct {
	dir, keys string
	plan      *plan
}

func (p pair) ground(t testing.TB) ground {
	t.Helper()
	dir, pol := t.TempDir(), testPolicy(t)
	x := newPlan(t, pol, p.seed, p.steps)
	if p.light {
		for i := range x.steps {
			x.steps[i].deeds = []string{"flood"}
		}
	}
	return ground{dir, madeKeys(t, dir, pol), x}
}

// run runs two worlds beside each other and compares them.
func (p pair) run(t testing.TB, m *Masker) (out outcome) {
	t.Helper()
	g := p.ground(t)
	out.a, out.b = p.world(t, "without", g, m), p.world(t, "with", g, m)
	if !p.without {
		out.b.high = newIntel(out.b)
	}
	var wg sync.WaitGroup
	errs := make([]error, 2)
	both := []*world{out.a, out.b}
	for i, w := range both {
		wg.Go(func() { errs[i] = w.run() })
	}
	wg.Wait()
	level(out.a.tapes, out.b.tapes, errs[0] == nil && errs[1] == nil)
	out.Compared = Compare(out.a.tapes, out.b.tapes)
	for i, w := range both {
		if errs[i] != nil {
			t.Errorf("seed %d, world %s: %v", p.seed, w.name, errs[i])
		}
		if err := w.stop(); err != nil {
			t.Errorf("seed %d, world %s: stop: %v", p.seed, w.name, err)
		}
	}
	return out
}

// level waits until what is still on its way has come to both: until no tape is
// longer than its twin, or one has had its time. When they are not expected to,
// there is nothing to wait for.
func level(a, b *Tapes, expected bool) {
	if !expected {
		return
	}
	_ = until(func() string { return "both tapes of a length" }, func() (bool, error) {
		la, lb := a.Lengths(), b.Lengths()
		for name, n := range la {
			if lb[name] != n {
				return false, nil
			}
		}
		return len(la) == len(lb), nil
	})
}

func (p pair) world(t testing.TB, name string, g ground, m *Masker) *world {
	t.Helper()
	w := &world{t: t, name: name, dir: filepath.Join(g.dir, name), plan: g.plan, ticks: p.ticks, light: p.light, tapes: NewTapes(m), waiting: map[string]int{}, epochs: map[string]int{}}
	w.clock.at.Store(base.UnixNano())
	if err := os.CopyFS(filepath.Join(w.dir, "keys"), os.DirFS(g.keys)); err != nil {
		t.Fatal(err)
	}
	if err := filepath.WalkDir(filepath.Join(w.dir, "keys"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return os.Chmod(path, 0o600)
	}); err != nil {
		t.Fatal(err)
	}
	return w
}

// testPolicy is the shipped policy with a quota for one intelligence cell.
func testPolicy(t testing.TB) *policy.Policy {
	t.Helper()
	p, err := withQuota(string(policy.DefaultYAML()), fills, quota)
	if err != nil {
		t.Fatal(err)
	}
	return p
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
