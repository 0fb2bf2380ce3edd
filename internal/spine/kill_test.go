package spine_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// These make the test binary a worker process, which a test kills.
const (
	childDir  = "WATCHFLOOR_TEST_WORKER_DIR"
	childURL  = "WATCHFLOOR_TEST_WORKER_URL"
	childSeat = "WATCHFLOOR_TEST_WORKER_SEAT"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := workerProcess(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// workerProcess is what `watchfloor worker --cell le` is, for one status.
func workerProcess(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	seat, err := strconv.Atoi(os.Getenv(childSeat))
	if err != nil {
		return err
	}
	p := policy.Default()
	issuer, err := account.OpenIssuer(filepath.Join(dir, "keys"), filepath.Join(dir, "data"), p, time.Now)
	if err != nil {
		return err
	}
	w, err := spine.StartWorkers(ctx, spine.Config{
		Policy: p, Clock: worker.Wall, Seat: subject.Seat(seat), Statuses: []wf.Status{wf.Status_STATUS_ACTUAL},
		Turned: func(_ string, _ wf.Status, publishes bool) { fmt.Println("publishes", publishes) },
	}, func(principal, cell string) (account.Credential, error) {
		who, err := account.ParsePrincipal(p, principal, cell)
		if err != nil {
			return account.Credential{}, err
		}
		c, err := issuer.Issue(account.Request{Principal: who, Cell: cell, User: "seat-" + strconv.Itoa(seat)})
		c.URL = os.Getenv(childURL)
		return c, err
	}, "le")
	if err != nil {
		return err
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return w.Close(end)
}

// crew are the worker processes of a broker, and what they say.
type crew struct {
	t    *testing.T
	dir  string
	b    *broker.Broker
	seat map[int]*exec.Cmd
	says map[int]chan string
}

// hire starts a worker process in a seat and waits until it says what it does.
func (c *crew) hire(seat int, want string) {
	c.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+c.dir, childURL+"="+c.b.ClientURL(), childSeat+"="+strconv.Itoa(seat))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(c.t, err)
	must(c.t, cmd.Start())
	c.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGCONT)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	says := make(chan string, 100)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			says <- s.Text()
		}
		close(says)
	}()
	c.seat[seat], c.says[seat] = cmd, says
	c.hears(seat, want)
}

// hears waits for what the worker in a seat says next.
func (c *crew) hears(seat int, want string) {
	c.t.Helper()
	select {
	case got := <-c.says[seat]:
		if got != want {
			c.t.Fatalf("the worker in seat %d says %q, want %q", seat, got, want)
		}
	case <-time.After(time.Minute):
		c.t.Fatalf("the worker in seat %d never says %q", seat, want)
	}
}

// frameLog is every frame that a follower was told of.
type frameLog struct {
	mu     sync.Mutex
	frames []seenFrame
	gaps   []string
	resets int
}

type seenFrame struct {
	at       time.Time
	epoch    string
	revision uint64
	upTo     uint64 // of le's reports
}

func (l *frameLog) watch(u snapshot.Update) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if u.Frame == nil {
		l.resets++
		return
	}
	x := seenFrame{at: time.Now(), epoch: u.Frame.GetEpoch(), revision: u.Frame.GetRevision(), upTo: reached(u.Frame.GetCheckpoint())}
	if n := len(l.frames); n > 0 && x.revision != l.frames[n-1].revision+1 {
		l.gaps = append(l.gaps, fmt.Sprintf("%d after %d", x.revision, l.frames[n-1].revision))
	}
	l.frames = append(l.frames, x)
}

func reached(checkpoint []*wf.Position) uint64 {
	for _, p := range checkpoint {
		if p.GetCell() == "le" && p.GetChannel() == string(subject.Open) {
			return p.GetSequence()
		}
	}
	return 0
}

// since is when a frame of another epoch first held the report at a sequence.
func (l *frameLog) since(sequence uint64, not string) (time.Time, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.frames {
		if f.epoch != not && f.upTo >= sequence {
			return f.at, true
		}
	}
	return time.Time{}, false
}

func (l *frameLog) epoch() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.frames) == 0 {
		return ""
	}
	return l.frames[len(l.frames)-1].epoch
}

// load is an agency that sends a few hundred reports a second.
type load struct {
	mu    sync.Mutex
	acked map[string]uint64 // report id -> sequence
	last  uint64
	stop  chan struct{}
	done  chan error
}

func sarReport(i int) *wf.Report {
	now := time.Now()
	return &wf.Report{
		Id: uuid.Must(uuid.NewV7()).String(), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: "jackson-pd", Record: fmt.Sprint("26-", i), Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_ACTUAL,
		Label:       &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
		RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT,
		EventTime:   &wf.TimeRange{Start: timestamppb.New(now.Add(-time.Hour))}, ReportTime: timestamppb.New(now),
		Places:            []*wf.Place{{CountyFips: "28049", State: "MS"}},
		SourceReliability: wf.SourceReliability_SOURCE_RELIABILITY_B, InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Severity: wf.Severity_SEVERITY_MODERATE, Title: "Gate", Language: "en-US", SourceFormat: "native",
		Body: &wf.Report_Incident{Incident: &wf.Incident{Type: "collision"}},
	}
}

func startLoad(t *testing.T, b *broker.Broker) *load {
	t.Helper()
	cred := brokertest.Credential(t, b, "jackson-pd", "le")
	c, err := producers.Connect(t.Context(), cred.URL, "jackson-pd", producers.WithJWT(cred.JWT, cred.Seed), producers.WithCell("le"))
	must(t, err)
	t.Cleanup(c.Close)
	l := &load{acked: map[string]uint64{}, stop: make(chan struct{}), done: make(chan error, 1)}
	go func() { l.done <- l.run(c) }()
	return l
}

// run sends bursts of three every ten milliseconds.
func (l *load) run(c *producers.Client) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; {
		select {
		case <-l.stop:
			return nil
		case <-tick.C:
		}
		var pending []*producers.Pending
		for range 3 {
			p, err := c.PublishAsync(context.Background(), sarReport(i))
			if err != nil {
				return err
			}
			pending = append(pending, p)
			i++
		}
		for _, p := range pending {
			ack, err := p.Wait(context.Background())
			if err != nil {
				return err
			}
			l.mu.Lock()
			l.acked[p.Report().ID], l.last = ack.Sequence, max(l.last, ack.Sequence)
			l.mu.Unlock()
		}
	}
}

func (l *load) end(t *testing.T) {
	t.Helper()
	close(l.stop)
	must(t, <-l.done)
}

func (l *load) count() (n int, last uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked), l.last
}

// after waits until a report was admitted that was sent after the call.
func (l *load) after() uint64 {
	_, last := l.count()
	for {
		if _, now := l.count(); now > last+3 { // those on their way at the call
			return now
		}
		time.Sleep(time.Millisecond)
	}
}

// mustTakeOver waits for the first frame of a new epoch with what was admitted
// after began, and says how long it took.
func mustTakeOver(t *testing.T, l *load, frames *frameLog, before string, began time.Time) time.Duration {
	t.Helper()
	sequence := l.after()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if at, ok := frames.since(sequence, before); ok {
			return at.Sub(began)
		}
	}
	t.Fatalf("no frame of another worker with the report at %d", sequence)
	return 0
}

// Worker processes are killed under load, and one is stopped and wakes up
// again. The other one publishes what was admitted after that (the log says how
// soon); every report is in the picture once, readers are told every revision
// once, and the picture is the one made from scratch.
func TestKilledWorkers(t *testing.T) {
	dir := t.TempDir()
	b := brokertest.Start(t, brokertest.Dir(dir))
	f, err := snapshot.Follow(t.Context(), brokertest.Connect(t, b, "watch-le", "le"), "le", wf.Status_STATUS_ACTUAL, nil)
	must(t, err)
	var frames frameLog
	defer f.Watch(frames.watch)()
	c := &crew{t: t, dir: dir, b: b, seat: map[int]*exec.Cmd{}, says: map[int]chan string{}}
	c.hire(1, "publishes true")
	l := startLoad(t, b)
	c.hire(2, "publishes false")
	began := time.Now()
	var took []time.Duration
	active := 1
	for range 3 {
		sent, _ := l.count()
		for n := sent; n < sent+300; n, _ = l.count() {
			time.Sleep(5 * time.Millisecond)
		}
		before, killed := frames.epoch(), time.Now()
		must(t, c.seat[active].Process.Signal(syscall.SIGKILL))
		_ = c.seat[active].Wait()
		took = append(took, mustTakeOver(t, l, &frames, before, killed))
		c.hears(3-active, "publishes true")
		c.hire(active, "publishes false") // it comes back and stands by
		active = 3 - active
	}
	before, stopped := frames.epoch(), time.Now()
	must(t, c.seat[active].Process.Signal(syscall.SIGSTOP))
	pause := mustTakeOver(t, l, &frames, before, stopped)
	c.hears(3-active, "publishes true")
	must(t, c.seat[active].Process.Signal(syscall.SIGCONT))
	c.hears(active, "publishes false")
	l.end(t)
	sent, last := l.count()
	rate := float64(sent) / time.Since(began).Seconds()
	slices.Sort(took)
	t.Logf("%d reports at %.0f/s; killed: first frame with a report admitted after it %v, median %v; stopped: %v",
		sent, rate, took, took[len(took)/2], pause)
	until(t, f, "every report", func(p *snapshot.Picture) bool { return reached(p.Checkpoint()) >= last })
	frames.mu.Lock()
	defer frames.mu.Unlock()
	if len(frames.gaps) > 0 || frames.resets != 1 {
		t.Errorf("revisions %v, %d resets: readers were not told every revision once", frames.gaps, frames.resets)
	}
	once(t, f, l)
	fromScratch(t, b, f)
}

// once holds that every acknowledged report is in the picture exactly once.
func once(t *testing.T, f *snapshot.Follower, l *load) {
	t.Helper()
	in := map[string]int{}
	f.Read(func(p *snapshot.Picture) {
		for _, s := range p.Situations() {
			for _, m := range s.GetMembers() {
				in[m.GetReportId()]++
			}
		}
	})
	missing, twice := 0, 0
	for id := range l.acked {
		switch n := in[id]; {
		case n == 0:
			missing++
		case n > 1:
			twice++
		}
	}
	if missing > 0 || twice > 0 || len(in) < len(l.acked) {
		t.Errorf("of %d reports %d are missing and %d are in the picture twice", len(l.acked), missing, twice)
	}
}

// fromScratch compares the picture with one that a fresh engine makes from the
// stored reports.
func fromScratch(t *testing.T, b *broker.Broker, f *snapshot.Follower) {
	t.Helper()
	var cut worker.Cut
	var want [32]byte
	f.Read(func(p *snapshot.Picture) { cut.Checkpoint, cut.Tick, want = p.Checkpoint(), p.Tick(), p.Digest() })
	p := policy.Default()
	var sources []worker.Source
	for _, from := range append([]string{"le"}, p.Dominated("le")...) {
		sources = append(sources, worker.Source{Cell: from, Conn: brokertest.Connect(t, b, "worker/le", from)})
	}
	got, err := worker.Replay(t.Context(), worker.ReplayConfig{
		Cell: "le", Status: wf.Status_STATUS_ACTUAL, Sources: sources, Clock: worker.Wall, Cut: cut,
		NewEngine: func() worker.Engine {
			return fusion.New(fusion.Config{Status: wf.Status_STATUS_ACTUAL, Windows: p.Windows()})
		},
	})
	must(t, err)
	if got.Picture.Digest() != want {
		t.Error("the picture is not the one made from scratch")
	}
}
