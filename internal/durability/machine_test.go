//go:build linux

package durability

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/internal/disk"
)

// patience is how long anything may take on a machine that does other things too.
const patience = 120 * time.Second

// machine is a broker process on a disk of its own.
type machine struct {
	t       testing.TB
	disk    *disk.Disk
	setting setting
	creds   map[string]account.Credential
	proc    *process // nil while none runs
}

// newMachine makes a machine with an empty disk. Nothing of it outlives the test.
func newMachine(t testing.TB, d disk.Config, s setting) *machine {
	t.Helper()
	if err := disk.Available(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	x, err := disk.Open(d)
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, disk: x, setting: s}
	m.setting.Dir = x.Path()
	t.Cleanup(m.shut)
	return m
}

// shut ends everything; twice is no harm.
func (m *machine) shut() {
	if m.proc != nil {
		m.proc.kill()
		m.proc = nil
	}
	m.dropMemory()
	if err := m.disk.Close(); err != nil {
		m.t.Error(err)
	}
}

// process is one run of the broker.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	url   string
	lines chan told
	log   *tail
	ended chan struct{}
}

// tail keeps the last of what a process logs.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf.Len() > 1<<20 {
		l.buf.Reset()
	}
	return l.buf.Write(p)
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(l.buf.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-400):], "\n")
}

// launch starts the broker process; take hears what it says.
func (m *machine) launch() error {
	m.setting.Issue = m.creds == nil
	arg, err := json.Marshal(m.setting)
	if err != nil {
		return err
	}
	p := &process{cmd: exec.Command(os.Args[0]), lines: make(chan told, 4), log: &tail{}, ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), childEnv+"="+string(arg))
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if p.in, err = p.cmd.StdinPipe(); err != nil { // closes with this process, and ends that one
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	m.proc = p
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			var x told
			if json.Unmarshal(s.Bytes(), &x) == nil {
				p.lines <- x
			}
		}
		close(p.lines)
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	return nil
}

var (
	errEnded = errors.New("the broker process ended")
	errCut   = errors.New("the power went")
)

// take waits for what the broker process says next.
func (m *machine) take() (told, error) {
	p := m.proc
	select {
	case x, ok := <-p.lines:
		switch {
		case !ok:
			return x, errEnded
		case x.Error != "":
			return x, fmt.Errorf("broker: %s", x.Error)
		}
		if x.URL != "" {
			p.url = x.URL
		}
		if x.Credentials != nil {
			m.creds = x.Credentials
		}
		return x, nil
	case <-m.disk.Gone():
		return told{}, errCut
	case <-time.After(patience):
		// Where it hangs is in its goroutines.
		_ = p.cmd.Process.Signal(syscall.SIGQUIT)
		<-p.ended
		return told{}, fmt.Errorf("the broker process says nothing for %s", patience)
	}
}

// start starts the broker and waits until it takes reports.
func (m *machine) start() error {
	if err := m.launch(); err != nil {
		return err
	}
	_, err := m.take()
	return err
}

// work starts the workers and waits until they publish.
func (m *machine) work() error {
	if _, err := fmt.Fprintln(m.proc.in, "work"); err != nil {
		return errEnded
	}
	_, err := m.take()
	return err
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// stop ends the broker as an operator does. A power cut on the way is no error.
func (m *machine) stop() {
	_ = m.proc.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-m.proc.ended:
	case <-m.disk.Gone():
		m.proc.kill()
	case <-time.After(patience):
		m.proc.kill()
		m.t.Fatalf("the broker does not end:\n%s", m.proc.log)
	}
	m.proc = nil
}

// restore is the rest of a power cut: the process goes, the memory is empty, the
// power comes back.
func (m *machine) restore() error {
	if m.proc != nil {
		m.proc.kill()
		m.proc = nil
	}
	m.dropMemory()
	return m.disk.Power()
}

// dropMemory removes what the broker kept in memory: a power cut does.
func (m *machine) dropMemory() {
	for _, e := range m.disk.Entries(false) {
		if strings.HasPrefix(e.Link, "/dev/shm/watchfloor-") {
			_ = os.RemoveAll(e.Link)
		}
	}
}

// dial signs in by a credential of the first start: keys survive as well.
func (m *machine) dial(who string, opts ...nats.Option) (*nats.Conn, error) {
	c := m.creds[who]
	quiet := nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})
	nc, err := nats.Connect(m.proc.url, append(append(c.Options(), nats.Timeout(patience), nats.NoReconnect(), quiet), opts...)...)
	if err != nil {
		return nil, fmt.Errorf("connect as %s: %w", who, err)
	}
	return nc, nil
}
