package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// session is one life of an engine: recovering, standing by, publishing, to the
// end or the next beginning. Its methods run in one goroutine; sources and the
// seat run in their own.
type session struct {
	*Config
	epoch   string
	aside   map[position]string // outlives the session
	careful bool                // commit after every record, to find the one that breaks a commit
	wasLive bool

	engine  Engine
	seat    *seat
	tail    *snapshot.Tail
	writer  *snapshot.Writer
	sources []*source
	wake    chan struct{} // a source has something
	done    []uint64      // applied, per source
	unacked []string      // per source: where to acknowledge what was applied last
	fresh   int           // records applied since the last frame
	flight  *flight       // the frame being stored, or nil
	moved   []*record     // per source: a tombstone whose report may follow
	feeds   feeds
	input   time.Time // latest time named by a report
	at      position  // the record applied last
	tick    time.Time
	warned  bool   // of a clock that was set back
	broken  uint64 // records that cannot be read
	purges  purges
	// agrees: the engine's picture is the published one, as of the same frame.
	agrees   bool
	compared snapshot.Head // the frame that agrees speaks of
	// hot: it was so while another worker published.
	hot bool
	// whole lists the situations of the picture that was recovered, until it changes.
	whole     []*wf.Change
	collected bool // changes were taken from the engine

	lastFrame time.Time
	lastKey   time.Time
}

func (s *session) run(ctx context.Context) error {
	s.engine, s.feeds = s.NewEngine(), newFeeds()
	s.Metrics.aside.Reset() // every record is read again
	var err error
	if s.seat, err = s.sit(ctx); err != nil {
		return err
	}
	defer s.seat.leave()
	s.SeatFree = false // it was; whoever begins again waits for it
	if err := s.trail(ctx); err != nil {
		return err
	}
	defer func() {
		if err := s.tail.Stop(); err != nil {
			s.Log.Warn("worker ends", zap.Error(err))
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := s.openSources(ctx); err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, src := range s.sources {
		g.Go(func() error { return src.read(gctx) })
		g.Go(func() error { return src.ask(gctx) })
	}
	g.Go(func() error { return s.seat.watch(gctx) })
	g.Go(func() error {
		defer cancel()
		return s.work(gctx)
	})
	return s.blame(ctx, g.Wait())
}

// work recovers, stands by until nobody else publishes, then publishes.
func (s *session) work(ctx context.Context) error {
	if err := s.recover(ctx); err != nil {
		return err
	}
	if err := s.standBy(ctx); err != nil {
		return err
	}
	s.Metrics.leads.Set(1)
	s.ready(true)
	return s.live(ctx)
}

func (s *session) ready(publishes bool) {
	s.wasLive, s.whole = true, nil
	if s.Ready != nil {
		s.Ready(publishes)
	}
}

// trail finds the newest head of the published picture and follows it.
func (s *session) trail(ctx context.Context) error {
	t, err := snapshot.Trail(ctx, s.Home, s.Cell, s.Status)
	if t == nil {
		return err
	}
	s.tail = t
	if err != nil {
		s.Log.Error("stored picture is damaged, it is made anew", zap.Error(err))
	}
	return nil
}

// blame turns a theft into ErrFenced when the thief has claimed the picture.
func (s *session) blame(ctx context.Context, err error) error {
	if !errors.Is(err, errTaken) || s.writer == nil {
		return err
	}
	held, ferr := s.writer.Holds(context.WithoutCancel(ctx))
	if ferr == nil && !held {
		return fmt.Errorf("%w: %w", err, snapshot.ErrFenced)
	}
	return err
}

func (s *session) openSources(ctx context.Context) error {
	s.wake = make(chan struct{}, 1)
	for _, c := range s.Sources {
		for _, channel := range subject.Channels {
			src := &source{
				cell: c.Cell, channel: channel, conn: c.Conn,
				consumer: s.Seat.Consumer(s.Cell, s.Status, channel), out: make(chan []record, ahead), wake: s.wake,
			}
			if err := src.rewind(ctx); err != nil {
				return err
			}
			s.sources = append(s.sources, src)
		}
	}
	s.done = make([]uint64, len(s.sources))
	s.unacked = make([]string, len(s.sources))
	s.moved = make([]*record, len(s.sources))
	return nil
}

// behind is how many stored records wait to be applied.
func (s *session) behind() (left uint64) {
	for _, src := range s.sources {
		left += src.pending.Load() + uint64(src.waiting())
	}
	return left
}

func (s *session) checkpoint() []*wf.Position {
	out := make([]*wf.Position, 0, len(s.sources))
	for i, src := range s.sources {
		out = append(out, &wf.Position{Cell: src.cell, Sequence: s.done[i], Channel: string(src.channel)})
	}
	slices.SortFunc(out, func(a, b *wf.Position) int {
		return cmp.Or(strings.Compare(a.GetCell(), b.GetCell()), strings.Compare(a.GetChannel(), b.GetChannel()))
	})
	return out
}

// state is what a frame says beside its changes.
func (s *session) state() *wf.Frame {
	situations, reports := s.engine.Len()
	d := s.engine.Digest()
	return &wf.Frame{
		Tick: stamp(s.tick), Checkpoint: s.checkpoint(), Digest: d[:],
		Situations: uint64(situations), Reports: uint64(reports), SetAside: s.setAside(),
		Purged: s.purges.count, Erased: s.purges.erased,
	}
}

// acknowledge tells each source's consumer how far the picture has come.
func (s *session) acknowledge(unacked []string) {
	for i, reply := range unacked {
		if reply == "" {
			continue
		}
		if err := s.sources[i].conn.Publish(reply, acked); err != nil {
			s.Log.Warn("acknowledge", zap.Error(err))
		}
	}
}

func (s *session) setAside() uint64 { return s.broken + uint64(len(s.aside)) }

func stamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// event names a record for metrics.
func event(r *record) string {
	switch {
	case r.broken != "":
		return "broken"
	case r.facts.Event == admission.Admitted && r.facts.Withdrawn:
		return "withdrawn"
	}
	return string(r.facts.Event)
}
