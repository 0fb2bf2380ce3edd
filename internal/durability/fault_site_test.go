//go:build linux

package durability_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/staging"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/disk"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// siteEnv makes this test binary the process that a test kills.
const siteEnv = "WATCHFLOOR_FAULT_SITE"

// siteConfig is what such a process is told.
type siteConfig struct {
	Data, Keys string
	Port       int
	Reserve    int64
	// Workers makes it a process of workers in seat 2, against the broker at URL.
	Workers bool
	URL     string
}

// TestSiteProcess is no test: it is the process that the others start.
func TestSiteProcess(t *testing.T) {
	text := os.Getenv(siteEnv)
	if text == "" {
		return
	}
	var c siteConfig
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	run := c.up
	if c.Workers {
		run = c.work
	}
	if err := run(ctx); err != nil {
		fmt.Println("failed", strings.ReplaceAll(err.Error(), "\n", " "))
		os.Exit(3)
	}
	os.Exit(0)
}

func (c siteConfig) spine() spine.Config {
	return spine.Config{
		Policy: policy.Default(), DataDir: c.Data, KeysDir: c.Keys, Port: c.Port, Clock: worker.Wall, WithoutHTTP: true,
		Only: []string{"le"}, Statuses: []wf.Status{wf.Status_STATUS_ACTUAL}, Log: zap.NewNop(),
		Broker: func(b *broker.Config) { b.Reserve = c.Reserve },
	}
}

// up is `watchfloor up` for one cell and status; it says how it is whenever that changes.
func (c siteConfig) up(ctx context.Context) error {
	s, err := spine.Start(ctx, c.spine())
	if err != nil {
		return err
	}
	// The site has run for a while: what the server syncs only now and then
	// (names, keys, descriptions of streams) is on disk.
	if err := syncAll(c.Data); err != nil {
		return err
	}
	fmt.Println("ready", s.Broker().ClientURL())
	for was := ""; ctx.Err() == nil; {
		now := "well"
		if err := s.Broker().Health(); err != nil {
			now = "ill " + strings.ReplaceAll(err.Error(), "\n", " ")
		}
		if kind := now[:min(len(now), 30)]; kind != was {
			was = kind
			fmt.Println(now, "restarts", s.Broker().Store().Restarts)
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	end, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return s.Close(end)
}

func syncAll(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.IsDir() && !d.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// work is `watchfloor worker`.
func (c siteConfig) work(ctx context.Context) error {
	issue, err := issuer(c.Keys, c.Data, c.URL, "seat-2")
	if err != nil {
		return err
	}
	cfg := c.spine()
	cfg.Seat = subject.Seats[1]
	cfg.Turned = func(string, wf.Status, bool) { fmt.Println("turned") }
	w, err := spine.StartWorkers(ctx, cfg, issue, "le")
	if err != nil {
		return err
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return w.Close(end)
}

// issuer signs in with the keys of a broker in another process.
func issuer(keys, data, url, user string) (spine.Issue, error) {
	p := policy.Default()
	a, err := account.OpenIssuer(keys, data, p, time.Now)
	if err != nil {
		return nil, err
	}
	return func(principal, cell string) (account.Credential, error) {
		who, err := account.ParsePrincipal(p, principal, cell)
		if err != nil {
			return account.Credential{}, err
		}
		c, err := a.Issue(account.Request{Principal: who, Cell: cell, User: user})
		c.URL = url
		return c, err
	}, nil
}

// site is a broker with its guards and workers in a process of its own, on a
// disk that fails on demand.
type site struct {
	t    *testing.T
	cfg  siteConfig
	disk *disk.Disk // nil: the machine's own
	up   *process
}

// process is a child and what it says.
type process struct {
	cmd *exec.Cmd

	mu   sync.Mutex
	said []string
	over bool // it says nothing more
}

// newSite opens a site on a simulated disk, or on the machine's own.
func newSite(t *testing.T, d *disk.Config) *site {
	t.Helper()
	s := &site{t: t, cfg: siteConfig{Keys: filepath.Join(t.TempDir(), "keys"), Port: freePort(t), Reserve: -1}}
	if d == nil {
		s.cfg.Data = filepath.Join(t.TempDir(), "data")
		t.Cleanup(s.unstage)
		return s
	}
	if err := disk.Available(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	var err error
	s.disk, err = disk.Open(*d)
	must(t, err)
	t.Cleanup(func() { must(t, s.disk.Close()) })
	s.cfg.Data = filepath.Join(s.disk.Path(), "data")
	t.Cleanup(s.unstage)
	return s
}

// unstage removes what a killed broker leaves in memory.
func (s *site) unstage() {
	if s.up != nil {
		s.up.kill()
	}
	links, err := filepath.Glob(filepath.Join(s.cfg.Data, "store", "jetstream", "*", "streams", subject.Reports, "batches"))
	must(s.t, err)
	for _, link := range links {
		if dir, err := os.Readlink(link); err == nil {
			must(s.t, staging.Clear(dir))
		}
	}
}

// longForm is set by `make faults`.
var longForm = os.Getenv("WATCHFLOOR_FAULTS") == "long"

// long leaves a test to `make faults`.
func long(t *testing.T) {
	t.Helper()
	if !longForm {
		t.Skip("part of the long form: make faults")
	}
}

// times is how often, in the short form and in the long one.
func times(short, long int) int {
	if longForm {
		return long
	}
	return short
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) url() string { return "nats://127.0.0.1:" + strconv.Itoa(s.cfg.Port) }

// spawn starts a process.
func (s *site) spawn(c siteConfig) *process {
	s.t.Helper()
	text, err := json.Marshal(c)
	must(s.t, err)
	p := &process{cmd: exec.Command(os.Args[0], "-test.run=^TestSiteProcess$")}
	p.cmd.Env = append(os.Environ(), siteEnv+"="+string(text))
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	must(s.t, err)
	must(s.t, p.cmd.Start())
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.mu.Lock()
			p.said = append(p.said, lines.Text())
			p.mu.Unlock()
		}
		p.mu.Lock()
		p.over = true
		p.mu.Unlock()
	}()
	s.t.Cleanup(func() { p.kill() })
	return p
}

// kill is kill -9.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// says waits until the process says a line that begins so, after the last from lines.
func (p *process) says(t *testing.T, from int, prefix string) string {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(2 * time.Millisecond) {
		p.mu.Lock()
		said, over := p.said[min(from, len(p.said)):], p.over
		p.mu.Unlock()
		for _, line := range said {
			if strings.HasPrefix(line, prefix) {
				return line
			}
		}
		if over || time.Now().After(deadline) {
			t.Fatalf("the process does not say %q, it says %q", prefix, said)
		}
	}
}

// heard is how many lines the process has said.
func (p *process) heard() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.said)
}

// start starts the broker and waits until it takes reports.
func (s *site) start() {
	s.t.Helper()
	s.up = s.spawn(s.cfg)
	s.up.says(s.t, 0, "ready")
}

// helper starts workers in the second seat.
func (s *site) helper() *process {
	s.t.Helper()
	c := s.cfg
	c.Workers, c.URL = true, s.url()
	p := s.spawn(c)
	p.says(s.t, 0, "turned")
	return p
}

// connect signs in as a principal of le, for ever.
func (s *site) connect(principal string, more ...nats.Option) *nats.Conn {
	s.t.Helper()
	return s.dial(principal, "le", more...)
}

func (s *site) dial(principal, cell string, more ...nats.Option) *nats.Conn {
	s.t.Helper()
	issue, err := issuer(s.cfg.Keys, s.cfg.Data, s.url(), "test")
	must(s.t, err)
	c, err := issue(principal, cell)
	must(s.t, err)
	opts := append(c.Options(), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond), nats.ReconnectBufSize(-1),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	nc, err := nats.Connect(c.URL, append(opts, more...)...)
	must(s.t, err)
	s.t.Cleanup(nc.Close)
	return nc
}
