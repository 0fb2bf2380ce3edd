//go:build linux

package durability

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/spine"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// childEnv makes the test binary a broker with its workers, which a test kills.
const childEnv = "WATCHFLOOR_TEST_DURABLE_BROKER"

// setting is what a broker process is started with.
type setting struct {
	Dir      string
	LazySync bool // acknowledges before it syncs: must lose
	OnDisk   bool // batches are staged on the disk, not in memory
	Issue    bool // tell the credentials; they hold over restarts
}

// told is a line that a broker process writes to its standard output.
type told struct {
	URL         string                        `json:"url,omitempty"` // it takes reports
	Credentials map[string]account.Credential `json:"credentials,omitempty"`
	Ready       bool                          `json:"ready,omitempty"` // its workers publish
	Error       string                        `json:"error,omitempty"`
}

const (
	actual  = wf.Status_STATUS_ACTUAL
	theCell = "le"
)

// The agencies that send: three in the cell whose picture is watched, one below it.
var agencies = map[string]string{"jackson-pd": "le", "fbi": "le", "mhp": "le", "nws": "open"}

// cells of the policy that the brokers of these tests have.
var cells = []string{"open", "le"}

func TestMain(m *testing.M) {
	if s := os.Getenv(childEnv); s != "" {
		os.Exit(brokerProcess(s))
	}
	os.Exit(m.Run())
}

// twoCells is the default policy less most of its cells: a start is then as
// quick as it can be.
func twoCells() *policy.Policy {
	p := *policy.Default()
	known := func(cell string) bool { return slices.Contains(cells, cell) }
	p.Cells = slices.DeleteFunc(slices.Clone(p.Cells), func(c policy.Cell) bool { return !known(c.Name) })
	p.Agencies = slices.DeleteFunc(slices.Clone(p.Agencies), func(a policy.Agency) bool { _, ok := agencies[a.Name]; return !ok })
	p.Readers = slices.DeleteFunc(slices.Clone(p.Readers), func(r policy.Reader) bool { return !slices.ContainsFunc(r.Cells, known) })
	p.Formats = nil
	return &p
}

// brokerProcess is what `watchfloor up` is, without HTTP: it lives until it is
// killed, told to end, or left alone.
func brokerProcess(arg string) int {
	out := json.NewEncoder(os.Stdout)
	var s setting
	err := json.Unmarshal([]byte(arg), &s)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		work := make(chan struct{})
		go func() { // whoever started it holds the other end
			in := bufio.NewScanner(os.Stdin)
			if in.Scan() {
				close(work)
			}
			for in.Scan() {
			}
			os.Exit(3)
		}()
		err = runBroker(ctx, s, out, work)
	}
	if err != nil {
		_ = out.Encode(told{Error: err.Error()})
		return 1
	}
	return 0
}

// runBroker starts the broker and, when it is told to, the workers.
func runBroker(ctx context.Context, s setting, out *json.Encoder, work <-chan struct{}) error {
	logs := zap.NewDevelopmentConfig()
	logs.Level, logs.DisableStacktrace = zap.NewAtomicLevelAt(zap.InfoLevel), true
	log, err := logs.Build()
	if err != nil {
		return err
	}
	p := twoCells()
	c := broker.Config{
		Policy: p, Port: -1, DataDir: filepath.Join(s.Dir, "data"), KeysDir: filepath.Join(s.Dir, "keys"), Log: log,
		LazySync: s.LazySync, StageOnDisk: s.OnDisk,
	}
	brokertest.Root()(&c)
	hangs := time.AfterFunc(20*time.Second, func() { _ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1) })
	b, err := broker.Open(ctx, c)
	hangs.Stop()
	if err != nil {
		return err
	}
	defer b.Close()
	hello := told{URL: b.ClientURL()}
	if s.Issue {
		if hello.Credentials, err = issueAll(b); err != nil {
			return err
		}
	}
	if err := out.Encode(hello); err != nil {
		return err
	}
	select {
	case <-work:
	case <-ctx.Done():
		return nil
	}
	w, err := spine.StartWorkers(ctx, spine.Config{Policy: p, Clock: worker.Wall, Statuses: []wf.Status{actual}, Log: log}, b.Credential)
	if err != nil {
		return err
	}
	if err := out.Encode(told{Ready: true}); err != nil {
		return err
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return w.Close(end)
}

// issueAll makes a credential for everybody who takes part.
func issueAll(b *broker.Broker) (map[string]account.Credential, error) {
	out := map[string]account.Credential{}
	for agency, cell := range agencies {
		c, err := b.Credential(agency, cell)
		if err != nil {
			return nil, err
		}
		out[agency] = c
	}
	for _, cell := range cells {
		root, err := b.Issue(account.Request{Principal: account.Root(), Cell: cell})
		if err != nil {
			return nil, err
		}
		out["root in "+cell] = root
		read, err := b.Credential("worker/"+theCell, cell)
		if err != nil {
			return nil, fmt.Errorf("worker in %s: %w", cell, err)
		}
		out["worker in "+cell] = read
	}
	reader, err := b.Credential("watch-le", theCell)
	out["reader"] = reader
	return out, err
}
