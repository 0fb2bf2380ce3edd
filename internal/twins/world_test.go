package twins

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// clock goes when it is told to.
type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()).UTC() }

func (c *clock) forward(d time.Duration) { c.at.Add(int64(d)) }

// place is a picture: a cell and a status.
type place struct {
	cell   string
	status wf.Status
}

// leak is what a test plants in the world with intelligence traffic.
type leak struct {
	now    func(w *world) time.Time
	engine func(w *world, cell string, c fusion.Config) worker.Engine
	// answered may change the record of an answer to a low submission.
	answered func(w *world, s submission, record []byte) []byte
	// passes is told of every report that the intelligence side has admitted.
	passes func(w *world, s submission) error
}

// world is one broker with everything on it.
type world struct {
	name  string
	dir   string
	plan  *plan
	ticks worker.Clock
	light bool
	clock clock
	tapes *Tapes
	spine *spine.Spine
	leak  *leak
	high  *intel // nil in the world without

	agencies map[string]*wire
	readers  map[string]*wire
	ears     []*wire
	streams  map[string]*events // "reader cell status"
	tokens   map[string]string  // "reader cell"
	probes   map[string]*wire   // workers' credentials, for waiting: not recorded
	metrics  map[string]*prometheus.Registry
	began    map[place]uint64 // the revision that the life began with
	expected map[place]uint64
	waiting  map[string]int    // "cell reader feed" -> stored for it and not pulled
	answered map[string]uint64 // by the guard of a cell
	life     int

	latency   []time.Duration
	submitted int
	admitted  int
	// connections is how many the server had counted when a late reader came.
	connections uint64
	asking      atomic.Pointer[submission] // low, not yet answered

	mu     sync.Mutex
	epochs map[string]int
}

// start opens the broker and all that runs on it, on what is stored in dir.
func (w *world) start() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cfg := spine.Config{
		Policy: w.plan.policy, DataDir: filepath.Join(w.dir, "data"), KeysDir: filepath.Join(w.dir, "keys"), Port: -1, HTTPPort: -1,
		Clock: w.ticks, Version: "twin", Now: w.now, Epoch: w.epoch, Log: zap.NewNop(),
	}
	if w.leak != nil && w.leak.engine != nil {
		cfg.Engine = func(cell string, c fusion.Config) worker.Engine { return w.leak.engine(w, cell, c) }
	}
	var err error
	if w.spine, err = spine.Start(ctx, cfg); err != nil {
		return fmt.Errorf("start %s: %w", w.name, err)
	}
	w.life++
	w.agencies, w.readers, w.streams, w.probes = map[string]*wire{}, map[string]*wire{}, map[string]*events{}, map[string]*wire{}
	w.tokens, w.expected, w.began, w.ears = map[string]string{}, map[place]uint64{}, map[place]uint64{}, nil
	w.metrics, w.answered = map[string]*prometheus.Registry{}, map[string]uint64{}
	return w.enter()
}

func (w *world) now() time.Time {
	if w.leak != nil && w.leak.now != nil {
		return w.leak.now(w)
	}
	return w.clock.now()
}

// epoch names the lives of the workers of each picture by their number.
func (w *world) epoch(cell string, status wf.Status) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := cell + "-" + subject.StatusToken(status)
	w.epochs[key]++
	return fmt.Sprintf("%s-%d", key, w.epochs[key])
}

// enter connects everybody below and opens their streams.
func (w *world) enter() error {
	for _, cell := range w.plan.low {
		w.metrics[cell] = prometheus.NewRegistry()
		for _, c := range w.spine.Metrics(cell) {
			if err := w.metrics[cell].Register(c); err != nil {
				return err
			}
		}
		for _, status := range subject.Statuses {
			p := place{cell, status}
			w.began[p] = w.shown(p)
			w.expected[p] = w.began[p]
		}
		probe, err := w.connect("worker", cell, "main", nil)
		if err != nil {
			return err
		}
		w.probes[cell] = probe
		for _, a := range w.plan.policy.AgenciesOf(cell) {
			if w.agencies[cell+" "+a], err = w.connect(a, cell, "main", w.tape("agency %s in %s", a, cell)); err != nil {
				return err
			}
		}
		if err := w.seat(cell); err != nil {
			return err
		}
	}
	return w.idle()
}

func (w *world) tape(format string, args ...any) *Recorder {
	return w.tapes.Tape(fmt.Sprintf("life %d: ", w.life) + fmt.Sprintf(format, args...))
}

// connect signs in as a principal.
func (w *world) connect(principal, cell, user string, tape *Recorder) (*wire, error) {
	c, err := w.spine.Broker().Credential(principal, cell)
	if err != nil {
		return nil, err
	}
	return dial(c, tape)
}

// lowReaders are the readers that are cleared for no cell but low ones.
func (w *world) lowReaders() (out []policy.Reader) {
	for _, r := range w.plan.policy.Readers {
		if !slices.ContainsFunc(r.Cells, func(c string) bool { return !slices.Contains(w.plan.low, c) }) {
			out = append(out, r)
		}
	}
	return out
}

// seat connects the readers, the worker, the guard and the listener of a cell,
// each with its own credential, and listens to all that it may hear.
func (w *world) seat(cell string) error {
	for _, r := range w.lowReaders() {
		if !slices.Contains(w.plan.policy.Readable(r.Name), cell) {
			continue
		}
		nc, err := w.connect(r.Name, cell, "main", w.tape("reader %s in %s", r.Name, cell))
		if err != nil {
			return err
		}
		w.readers[cell+" "+r.Name] = nc
		for _, f := range r.Feeds {
			w.waiting[feedKey(cell, r.Name, f.Name)] += 0
		}
		if !w.plan.policy.Cleared(r.Name, cell) {
			continue
		}
		if err := w.ear(r.Name, cell, lives()...); err != nil {
			return err
		}
		if w.tokens[r.Name+" "+cell], _, err = w.spine.Broker().IssueToken(r.Name, cell, 12*time.Hour); err != nil {
			return err
		}
		for _, status := range subject.Statuses {
			key := r.Name + " " + cell + " " + subject.StatusToken(status)
			w.streams[key], err = listen(w.addr(cell), "/v1/events?status="+subject.StatusToken(status), w.tokens[r.Name+" "+cell], w.tape("events %s", key))
			if err != nil {
				return err
			}
			if err := w.streams[key].until(w.mark(place{cell, status})); err != nil {
				return err
			}
		}
	}
	var beats []string
	for _, status := range subject.Statuses {
		beats = append(beats, subject.LiveFrames(status))
		for _, seat := range subject.Seats {
			beats = append(beats, seat.Beat(status))
		}
	}
	if err := w.ear("worker", cell, beats...); err != nil {
		return err
	}
	if err := w.ear("api", cell, lives()...); err != nil {
		return err
	}
	return w.ear("guard", cell, subject.SubmitAll)
}

func lives() (out []string) {
	for _, status := range subject.Statuses {
		out = append(out, subject.Live(status))
	}
	return out
}

// ear listens, with a connection for each subject: what comes of two streams has
// no order.
func (w *world) ear(principal, cell string, subjects ...string) error {
	for _, s := range subjects {
		nc, err := w.connect(principal, cell, "main", w.tape("ear %s in %s to %s", principal, cell, s))
		if err != nil {
			return err
		}
		w.ears = append(w.ears, nc)
		if _, err := nc.subscribe(s); err != nil {
			return err
		}
		if err := nc.flush(); err != nil {
			return err
		}
	}
	return nil
}

func feedKey(cell, reader, feed string) string { return cell + " " + reader + " " + feed }

func (w *world) addr(cell string) string {
	for _, c := range w.spine.Cells() {
		if c.Name == cell {
			u, err := url.Parse(c.URL)
			if err == nil {
				return u.Host
			}
		}
	}
	return ""
}

// stop ends everything.
func (w *world) stop() error {
	for _, m := range []map[string]*wire{w.agencies, w.readers, w.probes} {
		for _, nc := range m {
			nc.close()
		}
	}
	for _, nc := range w.ears {
		nc.close()
	}
	for _, e := range w.streams {
		e.conn.Close()
	}
	if w.high != nil {
		w.high.close()
	}
	if w.spine == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s := w.spine
	w.spine = nil
	return s.Close(ctx)
}

func mustLabel(p *policy.Policy, cell string) label.Label {
	c, _ := p.Cell(cell)
	return c.Label
}
