//go:build linux

package durability_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// senders are the agencies that send under every fault.
var senders = []string{"fbi", "dea", "jackson-pd", "gulfport-pd"}

// window is how many reports an agency has under way.
const window = 8

func faultReport(agency string, i int) *wf.Report {
	now := time.Now()
	return &wf.Report{
		Id: uuid.Must(uuid.NewV7()).String(), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: agency, Record: fmt.Sprint("26-", i), Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_ACTUAL,
		Label:       &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
		RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT,
		EventTime:   &wf.TimeRange{Start: timestamppb.New(now.Add(-time.Hour))}, ReportTime: timestamppb.New(now),
		Places:            []*wf.Place{{CountyFips: "28049", State: "MS"}},
		SourceReliability: wf.SourceReliability_SOURCE_RELIABILITY_B, InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Severity: wf.Severity_SEVERITY_MODERATE, Title: "Gate", Language: "en-US", SourceFormat: "native",
		Body: &wf.Report_Incident{Incident: &wf.Incident{Type: "collision"}},
	}
}

// sent is a report as its sender knows it.
type sent struct {
	id       string
	sequence uint64 // it was acknowledged at
	tries    int
}

// load is agencies that send the same report until it is acknowledged, a window
// of them at a time: the next window only when all of this one are.
type load struct {
	t       *testing.T
	attempt time.Duration // how long an attempt waits for its answer
	pause   atomic.Int64  // of each agency after a window, in nanoseconds
	quit    chan struct{}
	wg      sync.WaitGroup

	mu      sync.Mutex
	acked   map[string][]sent // by agency, in the order sent
	told    map[admission.Code]int
	silent  int           // attempts without an answer
	longest time.Duration // until an answer, of those that were answered
}

func newLoad(s *site, attempt time.Duration) *load {
	l := &load{t: s.t, attempt: attempt, quit: make(chan struct{}), acked: map[string][]sent{}, told: map[admission.Code]int{}}
	for _, agency := range senders {
		nc := s.connect(agency)
		l.wg.Go(func() { l.run(nc, agency) })
	}
	return l
}

func (l *load) run(nc *nats.Conn, agency string) {
	for i := 0; ; i += window {
		var wg sync.WaitGroup
		out := make([]sent, window)
		for n := range window {
			r := faultReport(agency, i+n)
			data, err := proto.Marshal(r)
			if err != nil {
				l.t.Error(err)
				return
			}
			wg.Go(func() { out[n] = l.until(nc, r.GetId(), subject.Submit(r), data) })
		}
		wg.Wait()
		short := false
		l.mu.Lock()
		for _, s := range out {
			short = short || s.sequence == 0
			if s.sequence > 0 {
				l.acked[agency] = append(l.acked[agency], s)
			}
		}
		l.mu.Unlock()
		select {
		case <-l.quit:
			return
		case <-time.After(time.Duration(l.pause.Load())):
		}
		if short {
			return // the last window of the load: verify counts in whole ones
		}
	}
}

// until sends a report until it is acknowledged; sequence 0 when the load ended before.
func (l *load) until(nc *nats.Conn, id, subj string, data []byte) sent {
	for tries := 1; ; tries++ {
		if seq := l.once(nc, subj, data); seq > 0 {
			return sent{id, seq, tries}
		}
		select {
		case <-l.quit:
			return sent{}
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// once is one attempt of a stock client.
func (l *load) once(nc *nats.Conn, subj string, data []byte) uint64 {
	began := time.Now()
	m, err := nc.Request(subj, data, l.attempt)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.silent++
		return 0
	}
	l.longest = max(l.longest, time.Since(began))
	a, err := admission.ParseAnswer(m.Data)
	if err != nil {
		l.t.Errorf("answer %q: %v", m.Data, err)
		return 0
	}
	if a.Error == nil {
		return a.Sequence
	}
	for _, r := range a.Error.Refusal {
		l.told[r.Code]++
		if !r.Code.Retryable() {
			l.t.Errorf("a lawful report is refused for good: %s", a.Error.Description)
		}
	}
	return 0
}

func (l *load) count() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range l.acked {
		n += len(list)
	}
	return n
}

// more waits until so many more reports are acknowledged.
func (l *load) more(n int) {
	l.t.Helper()
	at := l.count()
	l.wait("more reports are acknowledged", func() bool { return l.count() >= at+n })
}

func (l *load) wait(what string, cond func() bool) {
	l.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !cond(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			l.t.Fatalf("never: %s (%d acknowledged, told %v)", what, l.count(), l.told)
		}
	}
}

// answered is how often senders were told a code.
func (l *load) answered(codes ...admission.Code) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range codes {
		n += l.told[c]
	}
	return n
}

func (l *load) stop() {
	close(l.quit)
	l.wg.Wait()
}

// stored reads every report of le as a reader does: id -> sequences, and how many there are.
func (s *site) stored() map[string][]uint64 {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	js, err := jetstream.New(s.connect("watch-le"))
	must(s.t, err)
	c, err := js.Consumer(ctx, subject.Reports, subject.FeedConsumer("watch-le", "all"))
	must(s.t, err)
	out := map[string][]uint64{}
	for left := true; left; {
		batch, err := c.Fetch(1000, jetstream.FetchMaxWait(5*time.Second))
		must(s.t, err)
		left = false
		for m := range batch.Messages() {
			meta, err := m.Metadata()
			must(s.t, err)
			rec, err := admission.ParseRecord(m.Headers().Get(admission.Header))
			must(s.t, err)
			if seqs := out[rec.ID]; !slices.Contains(seqs, meta.Sequence.Stream) { // delivered again
				out[rec.ID] = append(seqs, meta.Sequence.Stream)
			}
			must(s.t, m.Ack())
			left = meta.NumPending > 0
		}
		if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
			s.t.Fatal(err)
		}
		if !left {
			info, err := c.Info(ctx)
			must(s.t, err)
			left = info.NumPending > 0
		}
	}
	return out
}

// verify holds what was acknowledged against what is stored, sender by sender:
// nothing lost, nothing twice, and nothing out of order that was sent once the
// one before was acknowledged.
func (l *load) verify(stored map[string][]uint64) {
	t := l.t
	t.Helper()
	lost, twice, moved, reordered := 0, 0, 0, 0
	for _, seqs := range stored {
		if len(seqs) > 1 {
			twice++
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, agency := range slices.Sorted(maps.Keys(l.acked)) {
		list := l.acked[agency]
		for i, s := range list {
			switch seqs := stored[s.id]; {
			case len(seqs) == 0:
				lost++
			case seqs[0] != s.sequence:
				moved++
			}
			// A window is under way at once; the window before it is not.
			if before := i - i%window - 1; before >= 0 && s.sequence <= list[before].sequence {
				reordered++
			}
		}
	}
	n := 0
	for _, list := range l.acked {
		n += len(list)
	}
	t.Logf("%d acknowledged, %d stored; lost %d, twice %d, elsewhere %d, reordered %d; told %v, %d attempts unanswered, longest answer %s",
		n, len(stored), lost, twice, moved, reordered, l.told, l.silent, l.longest.Round(time.Millisecond))
	if lost+twice+moved+reordered > 0 {
		t.Errorf("lost %d, stored twice %d, stored elsewhere %d, reordered %d", lost, twice, moved, reordered)
	}
	if n == 0 {
		t.Error("nothing was acknowledged: the test shows nothing")
	}
}

// picture waits until the published picture of le has everything acknowledged, and
// compares it with one made from scratch.
func (s *site) picture(l *load) {
	s.t.Helper()
	var last uint64
	members := map[string]bool{}
	for _, list := range l.acked {
		for _, x := range list {
			last = max(last, x.sequence)
			members[x.id] = true
		}
	}
	f, err := snapshot.Follow(s.t.Context(), s.connect("watch-le"), "le", wf.Status_STATUS_ACTUAL, nil)
	must(s.t, err)
	var cut worker.Cut
	var want [32]byte
	l.wait("the picture has every report", func() (all bool) {
		f.Read(func(p *snapshot.Picture) {
			cut.Checkpoint, cut.Tick, want = p.Checkpoint(), p.Tick(), p.Digest()
			for _, at := range p.Checkpoint() {
				all = all || at.GetCell() == "le" && at.GetChannel() == string(subject.Open) && at.GetSequence() >= last
			}
		})
		return all
	})
	f.Read(func(p *snapshot.Picture) {
		for _, x := range p.Situations() {
			for _, m := range x.GetMembers() {
				delete(members, m.GetReportId())
			}
		}
	})
	var sources []worker.Source
	p := policy.Default()
	for _, from := range append([]string{"le"}, p.Dominated("le")...) {
		sources = append(sources, worker.Source{Cell: from, Conn: s.dial("worker/le", from)})
	}
	got, err := worker.Replay(s.t.Context(), worker.ReplayConfig{
		Cell: "le", Status: wf.Status_STATUS_ACTUAL, Sources: sources, Clock: worker.Wall, Cut: cut,
		NewEngine: func() worker.Engine {
			return fusion.New(fusion.Config{Status: wf.Status_STATUS_ACTUAL, Windows: p.Windows()})
		},
	})
	must(s.t, err)
	if got.Picture.Digest() != want {
		s.t.Errorf("the picture (%d situations) is not the one made from scratch (%d)", 0, got.Picture.Len())
	}
	if len(members) > 0 && got.Picture.Len() > 0 {
		s.t.Logf("%d reports are in situations by parts only", len(members))
	}
}
