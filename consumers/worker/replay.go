package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// ReplayConfig says which picture is made again. Sources are connections of
// the worker of Cell into every cell it reads; a replay uses consumers of its
// own there, one replay per cell and status at a time.
type ReplayConfig struct {
	Cell      string
	Status    wf.Status
	Sources   []Source
	Clock     Clock
	NewEngine func() Engine
	Cut       Cut
	// Progress is called now and then; may be nil.
	Progress func(Progress)
}

// Replayed is a picture made again.
type Replayed struct {
	Picture *snapshot.Picture
	// Records is how many the cut holds, First when the first report of all was
	// stored (clock Wall) or the earliest time that one names (clock Input).
	Records uint64
	First   time.Time
	// Purges lists at most MaxPurges reports purged after the cut; Removed counts
	// all that were purged or ended their retention after it.
	Purges  []*wf.Purge
	Removed uint64
}

const (
	// MaxPurges bounds Replayed.Purges.
	MaxPurges = 1000
	// replayFetch is how many records one fetch of a replay asks for.
	replayFetch = 500
	// replayAttempts is how many reports may break the engine one after the other.
	replayAttempts = 8
)

// ErrBusy: another replay reads the same consumers. Try again later.
var ErrBusy = errors.New("another replay of this picture is under way")

// Replay makes the picture of a cut from the stored reports, by a fresh engine
// and by the rules of the worker: the picture of the records that the cut
// holds, less the reports taken out for good since, at the cut's tick. Of
// those it knows nothing but that they were.
func Replay(ctx context.Context, c ReplayConfig) (*Replayed, error) {
	conf := Config{
		Cell: c.Cell, Status: c.Status, Sources: c.Sources, Clock: c.Clock, NewEngine: c.NewEngine, Progress: c.Progress,
	}
	if len(c.Sources) > 0 {
		conf.Home = c.Sources[0].Conn
	}
	if err := conf.check(); err != nil {
		return nil, err
	}
	aside, careful := map[position]string{}, false
	var err error
	for range replayAttempts {
		r := &replay{session: &session{Config: &conf, aside: aside, careful: careful}, cut: c.Cut}
		var out *Replayed
		if out, err = r.run(ctx); !errors.Is(err, errAgain) {
			return out, err
		}
		careful = r.careful
	}
	return nil, fmt.Errorf("replay %s %s: %w", c.Cell, subject.StatusToken(c.Status), err)
}

// replay is a session that reads up to a cut and publishes nothing.
type replay struct {
	*session
	cut    Cut
	bounds []*bound
	first  time.Time
	taken  uint64
	purges map[purgeKey]*wf.Purge // after the cut
	gone   map[purgeKey]int       // those and what ended its retention: by which source
	done   uint64
	total  uint64
	begin  time.Time
}

type purgeKey struct{ cell, agency, id string }

func (r *replay) run(ctx context.Context) (*Replayed, error) {
	r.engine, r.feeds, r.begin = r.NewEngine(), newFeeds(), time.Now()
	r.purges, r.gone = map[purgeKey]*wf.Purge{}, map[purgeKey]int{}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in := make(chan batch, 4)
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	g, gctx := errgroup.WithContext(ctx)
	for i, src := range r.sources {
		g.Go(func() error { return src.readAll(gctx, i, in) })
	}
	g.Go(func() error {
		defer cancel() // of an error: the sources wait for nobody
		return r.take(gctx, in)
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return r.finish()
}

// open sets the replay's consumers back to the first record.
func (r *replay) open(ctx context.Context) error {
	for _, c := range r.Sources {
		for _, channel := range subject.Channels {
			src := &source{
				cell: c.Cell, channel: channel, conn: c.Conn,
				consumer: subject.ReplayConsumer(r.Cell, r.Status, channel),
			}
			if err := src.rewind(ctx); err != nil {
				return err
			}
			r.total += src.pending.Load()
			r.sources = append(r.sources, src)
			r.bounds = append(r.bounds, r.cut.bound(r.Clock, src))
		}
	}
	r.session.done = make([]uint64, len(r.sources))
	r.unacked = make([]string, len(r.sources))
	r.moved = make([]*record, len(r.sources))
	return nil
}

// batch is what one fetch of a source gave; end: there is no more.
type batch struct {
	source  int
	records []stamped
	end     bool
}

// stamped is a record and when it was stored.
type stamped struct {
	record
	stored time.Time
}

// readAll hands on every record that was stored when the replay began.
func (s *source) readAll(ctx context.Context, index int, out chan<- batch) error {
	for s.pending.Load() > 0 {
		b, err := s.fetchAll(ctx)
		if err != nil {
			return err
		}
		b.source = index
		if err := put(ctx, out, b); err != nil {
			return err
		}
	}
	return put(ctx, out, batch{source: index, end: true})
}

func put(ctx context.Context, out chan<- batch, b batch) error {
	select {
	case out <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fetchAll takes what one fetch gives. Deliveries are numbered: one that went
// to somebody else is missed.
func (s *source) fetchAll(ctx context.Context) (batch, error) {
	fctx, cancel := context.WithTimeout(ctx, apiWait)
	defer cancel()
	n := int(min(s.pending.Load(), replayFetch))
	msgs, err := s.cons.Fetch(n, jetstream.FetchContext(fctx))
	if err != nil {
		return batch{}, fmt.Errorf("read %s again: %w", s.cell, err)
	}
	out := batch{records: make([]stamped, 0, n)}
	for m := range msgs.Messages() {
		meta, err := m.Metadata()
		if err != nil {
			return batch{}, fmt.Errorf("read %s again: %w", s.cell, err)
		}
		if meta.Sequence.Consumer != s.got.Add(1) {
			return batch{}, ErrBusy
		}
		s.pending.Store(meta.NumPending)
		r := record{sequence: meta.Sequence.Stream}
		decode(&r, m.Subject(), m.Headers().Get(admission.Header), m.Data())
		out.records = append(out.records, stamped{r, meta.Timestamp})
	}
	err = msgs.Error()
	switch {
	case ctx.Err() != nil:
		return batch{}, ctx.Err()
	case len(out.records) == 0 && (err == nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrTimeout)):
		// Something is pending and nothing comes: somebody else took it.
		return batch{}, ErrBusy
	case err != nil && len(out.records) < n && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, nats.ErrTimeout):
		return batch{}, fmt.Errorf("read %s again: %w", s.cell, err)
	}
	return out, nil
}

// take applies what the cut holds, and of the rest what was taken out.
func (r *replay) take(ctx context.Context, in <-chan batch) error {
	for left := len(r.sources); left > 0; {
		var b batch
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b = <-in:
		}
		if b.end {
			left--
			continue
		}
		for i := range b.records {
			if err := r.one(b.source, &b.records[i]); err != nil {
				return err
			}
		}
		r.done += uint64(len(b.records))
		if r.Progress != nil {
			r.Progress(Progress{Cell: r.Cell, Status: r.Status, Done: r.done, Total: max(r.done, r.total), Since: time.Since(r.begin)})
		}
	}
	return nil
}

func (r *replay) one(from int, x *stamped) error {
	if x.report != nil {
		at := x.stored
		if r.Clock == Input {
			at = inputTime(&x.record)
		}
		if r.first.IsZero() || at.Before(r.first) {
			r.first = at
		}
	}
	if !r.bounds[from].takes(&x.record, x.stored) {
		r.outside(from, x)
		return nil
	}
	r.taken++
	// Submitted anew after it was purged: not what was taken out.
	if k := r.key(from, x); x.report != nil && len(r.gone) > 0 {
		if src, ok := r.gone[k]; ok && src == from {
			delete(r.gone, k)
			delete(r.purges, k)
		}
	}
	if err := r.apply(from, &x.record); err != nil {
		return err
	}
	if r.careful {
		return r.guard(position{r.sources[from].cell, x.sequence}, func() { r.engine.Commit() })
	}
	return nil
}

func (r *replay) key(from int, x *stamped) purgeKey {
	return purgeKey{r.sources[from].cell, x.agency, x.facts.ID}
}

// outside notes what was taken out for good after the cut. A tombstone of a
// report that moved is settled by the revision that follows, though the cut
// does not hold it.
func (r *replay) outside(from int, x *stamped) {
	m := r.moved[from]
	if m != nil && r.Clock == Input && x.agency == m.agency && x.facts.ID == m.facts.ID && x.facts.Revision == m.facts.Revision {
		r.moved[from] = nil
	}
	if x.broken != "" || x.facts.Event != admission.Purged && x.facts.Event != admission.Expired {
		return
	}
	k := r.key(from, x)
	r.gone[k] = from
	// At once, for what the cut holds may come after it; and again at the end,
	// for what came before it may be read by another source later.
	r.engine.Remove(k.cell, k.agency, k.id)
	if x.facts.Event == admission.Purged {
		r.purges[k] = &wf.Purge{Cell: k.cell, Agency: k.agency, ReportId: k.id, Purged: timestamppb.New(x.stored)}
	}
}

// finish takes out what was purged since, ticks, and makes the picture.
func (r *replay) finish() (*Replayed, error) {
	if err := r.settle(); err != nil {
		return nil, err
	}
	for k := range r.gone {
		r.engine.Remove(k.cell, k.agency, k.id)
	}
	tick := r.cut.tick()
	if !tick.IsZero() {
		if why := attempt(func() { r.engine.Tick(tick) }); why != "" {
			return nil, r.suspect("tick", why)
		}
	}
	if _, err := r.collect(); err != nil {
		return nil, err
	}
	situations, reports := r.engine.Len()
	d := r.engine.Digest()
	p, err := snapshot.Made(&wf.Frame{
		Cell: r.Cell, Status: r.Status, Tick: stamp(tick), Checkpoint: r.checkpoint(), Digest: d[:], Feeds: r.feeds.all(),
		Situations: uint64(situations), Reports: uint64(reports), SetAside: r.setAside(),
	}, r.engine.All())
	if err != nil {
		return nil, err
	}
	return &Replayed{Picture: p, Records: r.taken, First: r.first, Purges: r.listed(), Removed: uint64(len(r.gone))}, nil
}

func (r *replay) listed() []*wf.Purge {
	out := make([]*wf.Purge, 0, len(r.purges))
	for _, p := range r.purges {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b *wf.Purge) int {
		return cmp.Or(strings.Compare(a.GetCell(), b.GetCell()), strings.Compare(a.GetAgency(), b.GetAgency()), strings.Compare(a.GetReportId(), b.GetReportId()))
	})
	return out[:min(len(out), MaxPurges)]
}
