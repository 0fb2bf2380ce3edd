package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/internal/demo"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/producers/exercise"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// exercisePlace is where a live demo stands, kept beside its data.
type exercisePlace struct {
	Seed     uint64 `json:"seed"`
	Reports  int    `json:"reports"`
	Position int    `json:"position"`
}

func (e exercisePlace) write(dir string) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "exercise.json"), append(data, '\n'), 0o600)
}

// place reads where an earlier demo stood. Its scenario goes on; other flags
// than its own need --fresh, for two scenarios in one picture make no sense.
func place(dir string, f demoFlags) (exercisePlace, error) {
	want := exercisePlace{Seed: f.seed, Reports: f.reports}
	data, err := os.ReadFile(filepath.Join(dir, "exercise.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return want, nil
	}
	if err != nil {
		return want, fmt.Errorf("read where the exercise stood: %w", err)
	}
	var have exercisePlace
	if err := json.Unmarshal(data, &have); err != nil {
		return want, usage("read %s: %w; start over with --fresh", filepath.Join(dir, "exercise.json"), err)
	}
	if have.Seed != want.Seed || have.Reports != want.Reports {
		return want, usage("%s holds the exercise of seed %d with %d reports: continue it with --seed %d --reports %d, or start over with --fresh", dir, have.Seed, have.Reports, have.Seed, have.Reports)
	}
	return have, nil
}

func (a *app) demoLive(ctx context.Context, f demoFlags) (err error) {
	dir := demoDir(a.dir)
	if f.fresh {
		if err := forget(dir); err != nil {
			return err
		}
	}
	if err := ensure(dir); err != nil {
		return err
	}
	at, err := place(dir, f)
	if err != nil {
		return err
	}
	scenario, err := exercise.New(exercise.Config{Seed: at.Seed, Reports: at.Reports})
	if err != nil {
		return usage("%w", err)
	}
	c := a.spineConfig(f, policy.Default())
	c.DataDir, c.KeysDir, c.Port, c.HTTPPort, c.Statuses = filepath.Join(dir, "data"), filepath.Join(dir, "keys"), f.port, f.http, exerciseOnly
	c.Recovery = a.recovery()
	if err := freePorts(f.port, f.http, len(c.Policy.Cells)); err != nil {
		return err
	}
	s, err := spine.Start(ctx, c)
	if err != nil {
		return startError(err, dir)
	}
	run := runFile{URL: s.Broker().ClientURL(), PID: os.Getpid(), Status: "exercise", Pages: pages(s)}
	if err = run.write(dir); err == nil {
		a.welcome(s, at)
		err = a.playLive(ctx, s, f, scenario, &at)
		a.digests(s, "stopped")
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return errors.Join(err, at.write(dir), s.Close(end), os.Remove(filepath.Join(dir, runFileName)))
}

// playLive plays until the end of the exercise, then keeps serving until interrupted.
func (a *app) playLive(ctx context.Context, s *spine.Spine, f demoFlags, scenario *exercise.Scenario, at *exercisePlace) error {
	sender := sendInto(s)
	defer sender.Close()
	a.digests(s, "recovered")
	player := &demo.Player{Scenario: scenario, Extract: f.extract, Sender: sender, Speed: f.speed, PauseAfter: f.pauseAfter}
	player.Paused = func(paused bool, n int, when time.Time) {
		if !paused {
			fmt.Fprintln(a.out, "exercise clock runs")
			return
		}
		settle, cancel := context.WithTimeout(ctx, settleTimeout)
		defer cancel()
		if err := s.Settled(settle); err != nil {
			return
		}
		fmt.Fprintf(a.out, "exercise clock paused at %s after %d submissions; press Enter to go on\n", zulu(when), n)
		a.digests(s, "paused")
	}
	go a.toggleOnEnter(player)
	n, err := player.Play(ctx, at.Position)
	at.Position = n
	if lost, ok := errors.AsType[*producers.Unacknowledged](err); ok {
		return unreachable("%d submissions were not acknowledged, and are sent again at the next start: %w", len(lost.Reports), err)
	}
	if ctx.Err() != nil {
		// Interrupted: what was sent is acknowledged; let the pictures have it.
		settle, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return s.Settled(settle)
	}
	if err != nil {
		return fmt.Errorf("play the exercise: %w", err)
	}
	fmt.Fprintf(a.out, "exercise over after %d submissions; the pages stay until Ctrl-C (start over with --fresh)\n", n)
	<-ctx.Done()
	return nil
}

// toggleOnEnter pauses and resumes; it ends with the process or with its input.
func (a *app) toggleOnEnter(p *demo.Player) {
	lines := bufio.NewScanner(a.in)
	for lines.Scan() {
		p.Toggle()
	}
}

func (a *app) welcome(s *spine.Spine, at exercisePlace) {
	fmt.Fprintf(a.out, "Watchfloor is up: broker %s, exercise seed %d, %d reports", s.Broker().ClientURL(), at.Seed, at.Reports)
	if at.Position > 0 {
		fmt.Fprintf(a.out, ", going on after submission %d", at.Position)
	}
	fmt.Fprintln(a.out, ". EXERCISE EXERCISE EXERCISE")
	a.pageTable(s, true)
	fmt.Fprintf(a.out, "Enter pauses the exercise clock, Ctrl-C ends. In another terminal: %s watch --cell fused%s\n", a.name, a.elsewhere())
}

func (a *app) pageTable(s *spine.Spine, tokens bool) {
	for _, c := range s.Cells() {
		page := c.URL + "/"
		if tokens {
			page = c.Page()
		}
		fmt.Fprintf(a.out, "  %-8s %-24s %s\n", c.Name, c.Label, page)
	}
}

// digests prints the digest of every exercise picture, so that it can be
// compared before and after a restart.
func (a *app) digests(s *spine.Spine, when string) {
	for _, c := range s.Cells() {
		s.Picture(c.Name, wf.Status_STATUS_EXERCISE).Read(func(p *snapshot.Picture) {
			fmt.Fprintf(a.out, "%s: cell %-8s revision %-6d reports %-6d digest %x\n", when, c.Name, p.Revision(), p.Reports(), p.Digest())
		})
	}
}

func pages(s *spine.Spine) map[string]string {
	out := map[string]string{}
	for _, c := range s.Cells() {
		out[c.Name] = c.URL
	}
	return out
}

// forget removes what a demo stored, and nothing else.
func forget(dir string) error {
	for _, n := range []string{"data", "access", "keys", "creds", "exercise.json", runFileName} {
		if err := os.RemoveAll(filepath.Join(dir, n)); err != nil {
			return fmt.Errorf("forget the earlier demo: %w", err)
		}
	}
	return nil
}
