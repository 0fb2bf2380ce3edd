package admit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	cell   = "le"
	agency = "jackson-pd"
)

// bed is a nats-server with the streams of one cell and no accounts: what the
// loop does is tested here, who may do what in package account.
type bed struct {
	t   testing.TB
	url string
	srv *server.Server
	nc  *nats.Conn
	js  jetstream.JetStream
}

func newBed(t testing.TB, maxBytes int64) *bed {
	t.Helper()
	b := &bed{t: t, srv: startServer(t, t.TempDir(), -1)}
	b.connect(maxBytes)
	return b
}

func newServer(dir string, port int) (*server.Server, error) {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir, SyncAlways: true,
		JetStreamCipher: server.AES, JetStreamKey: "a key for tests only", DisableJetStreamBanner: true, MaxPayload: 2 << 20,
	})
	if err != nil {
		return nil, fmt.Errorf("start nats-server: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		s.Shutdown()
		return nil, errors.New("start nats-server: not ready after 10 s")
	}
	return s, nil
}

func startServer(t testing.TB, dir string, port int) *server.Server {
	t.Helper()
	s, err := newServer(dir, port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

func (b *bed) connect(maxBytes int64) {
	b.t.Helper()
	if b.url == "" {
		b.url = b.srv.ClientURL()
	}
	if err := b.provision(maxBytes); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(b.nc.Close)
}

// provision connects and declares the streams of the cell.
func (b *bed) provision(maxBytes int64) (err error) {
	b.nc, err = nats.Connect(b.url, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond),
		nats.CustomInboxPrefix(subject.InboxPrefix(agency, "test")))
	if err != nil {
		return err
	}
	if b.js, err = jetstream.New(b.nc); err != nil {
		return err
	}
	for _, cfg := range []jetstream.StreamConfig{
		{Name: subject.Reports, Subjects: subject.ReportSubjects, AllowAtomicPublish: true, Discard: jetstream.DiscardNew, MaxBytes: maxBytes},
		{Name: subject.Refusals, Subjects: subject.RefusalSubjects, MaxBytes: 64 << 20},
	} {
		if _, err := b.js.CreateOrUpdateStream(context.Background(), cfg); err != nil {
			return fmt.Errorf("create stream %s: %w", cfg.Name, err)
		}
	}
	return nil
}

func rules(t testing.TB) *guard.Rules {
	t.Helper()
	r, err := guard.Compile(policy.Default(), cell)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (b *bed) config() Config {
	log := zap.NewNop()
	if t, ok := b.t.(*testing.T); ok {
		log = zaptest.NewLogger(t, zaptest.Level(zap.ErrorLevel))
	}
	return Config{Rules: rules(b.t), URL: b.url, Log: log,
		Options: []nats.Option{nats.CustomInboxPrefix(subject.InboxPrefix("guard", "test"))}}
}

// run is a guard under way.
type run struct {
	*Guard
	t      testing.TB
	cancel context.CancelFunc
	done   chan error
	once   sync.Once
	err    error
}

func (b *bed) start(edit func(*Guard)) *run { return b.startWith(b.config(), edit) }

func (b *bed) startWith(cfg Config, edit func(*Guard)) *run {
	b.t.Helper()
	g, err := New(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	if edit != nil {
		edit(g)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &run{Guard: g, t: b.t, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- g.Run(ctx) }()
	select {
	case <-g.Ready():
	case err := <-r.done:
		b.t.Fatalf("guard did not start: %v", err)
	case <-time.After(20 * time.Second):
		b.t.Fatal("guard is not ready after 20 s")
	}
	b.t.Cleanup(func() { _ = r.stop() })
	return r
}

// stop ends the guard in order and returns what Run returned.
func (r *run) stop() error {
	r.cancel()
	return r.wait()
}

func (r *run) wait() error {
	r.once.Do(func() {
		select {
		case r.err = <-r.done:
		case <-time.After(30 * time.Second):
			r.t.Error("guard does not end")
		}
	})
	return r.err
}

var seed atomic.Uint64

// newReport is a valid report of agency.
func newReport() *wf.Report {
	now := time.Now()
	n := seed.Add(1)
	return &wf.Report{
		Id: uuid.Must(uuid.NewV7()).String(), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: agency, Record: fmt.Sprintf("26-%06d", n), Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_EXERCISE,
		Label:       &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
		RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT,
		EventTime:   &wf.TimeRange{Start: timestamppb.New(now.Add(-time.Hour))}, ReportTime: timestamppb.New(now),
		Places:                 []*wf.Place{{CountyFips: "28049", State: "MS"}},
		SourceReliability:      wf.SourceReliability_SOURCE_RELIABILITY_B,
		Severity:               wf.Severity_SEVERITY_MODERATE,
		Title:                  "Vehicle against the gate",
		Narrative:              "A vehicle struck the north gate and left.",
		Language:               "en-US",
		SourceFormat:           "native",
		InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Body:                   &wf.Report_Incident{Incident: &wf.Incident{Type: "hit and run"}},
	}
}

func marshal(t testing.TB, r *wf.Report) []byte {
	t.Helper()
	data, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// submit publishes as a stock client does and returns the guard's answer.
func (b *bed) submit(r *wf.Report) admission.Answer {
	b.t.Helper()
	return b.submitBytes(subject.Submit(r), marshal(b.t, r))
}

func (b *bed) submitBytes(subj string, data []byte) admission.Answer {
	b.t.Helper()
	m, err := b.nc.Request(subj, data, 10*time.Second)
	if err != nil {
		b.t.Fatalf("submit on %s: %v", subj, err)
	}
	a, err := admission.ParseAnswer(m.Data)
	if err != nil {
		b.t.Fatalf("answer %q: %v", m.Data, err)
	}
	return a
}

// stored is one message of REPORTS.
type stored struct {
	seq     uint64
	subject string
	rec     admission.Record
	data    []byte
	batch   string
}

// reports reads the whole stream.
func (b *bed) reports() []stored {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	c, err := b.js.CreateConsumer(ctx, subject.Reports, jetstream.ConsumerConfig{AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true})
	if err != nil {
		b.t.Fatal(err)
	}
	var out []stored
	for left := c.CachedInfo().NumPending; left > 0; {
		batch, err := c.Fetch(int(min(left, 2000)), jetstream.FetchMaxWait(2*time.Second))
		if err != nil {
			b.t.Fatal(err)
		}
		for m := range batch.Messages() {
			meta, err := m.Metadata()
			if err != nil {
				b.t.Fatal(err)
			}
			rec, err := admission.ParseRecord(m.Headers().Get(admission.Header))
			if err != nil {
				b.t.Fatalf("message %d: %v", meta.Sequence.Stream, err)
			}
			left = meta.NumPending
			out = append(out, stored{meta.Sequence.Stream, m.Subject(), rec, m.Data(), m.Headers().Get(headerBatch)})
		}
	}
	return out
}
