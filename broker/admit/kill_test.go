package admit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/staging"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// childDir and childPort make this test binary the process that is killed.
const (
	childDir  = "WATCHFLOOR_TEST_CHILD_DIR"
	childPort = "WATCHFLOOR_TEST_CHILD_PORT"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is a server and a guard whose batches are staged in memory.
func child(dir string) error {
	port, err := strconv.Atoi(os.Getenv(childPort))
	if err != nil {
		return err
	}
	if _, err = newServer(dir, port); err != nil {
		return err
	}
	b := &bed{url: "nats://127.0.0.1:" + os.Getenv(childPort)}
	if err := b.provision(-1); err != nil {
		return err
	}
	singles := SinglesInMemory
	if _, err := staging.Link(dir, "$G", subject.Reports); errors.Is(err, staging.ErrNoMemory) {
		singles = SinglesOnDisk
	} else if err != nil {
		return err
	}
	rules, err := guard.Compile(policy.Default(), cell)
	if err != nil {
		return err
	}
	g, err := New(Config{Rules: rules, URL: b.url, Singles: singles, Options: []nats.Option{nats.CustomInboxPrefix(subject.InboxPrefix("guard", "child"))}})
	if err != nil {
		return err
	}
	go func() {
		<-g.Ready()
		fmt.Println("ready")
	}()
	return g.Run(context.Background())
}

// spawn starts a child and waits until it takes reports.
func spawn(t *testing.T, dir string, port int) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childPort+"="+strconv.Itoa(port))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || line != "ready\n" {
		t.Fatalf("child says %q, %v", line, err)
	}
	return cmd
}

// The whole process, server and guard, is killed under load, three times.
// Nothing acknowledged is lost, nothing is stored twice.
func TestKilledProcess(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	dir := t.TempDir()
	cmd := spawn(t, dir, port)
	b := &bed{t: t, url: fmt.Sprintf("nats://127.0.0.1:%d", port)}
	b.connect(-1)
	senders := newLoad(b, 60)
	for range 3 {
		at := senders.count()
		eventually(t, "reports are acknowledged", func() bool { return senders.count() > at+200 })
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		cmd = spawn(t, dir, port)
	}
	at := senders.count()
	eventually(t, "reports are acknowledged after the last kill", func() bool { return senders.count() > at+200 })
	senders.stop()
	eventually(t, "the test is connected again", b.nc.IsConnected)
	senders.verify()
	link := filepath.Join(dir, "jetstream", "$G", "streams", subject.Reports, "batches")
	if staged, err := os.Readlink(link); err == nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if err := staging.Clear(staged); err != nil {
			t.Error(err)
		}
	}
}
