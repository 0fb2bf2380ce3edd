package consumers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// What says what became of a report.
type What string

// What an Event tells.
const (
	// Reported: a new report or a new revision of one.
	Reported What = "reported"
	// Withdrawn: its agency takes it back. Forget it.
	Withdrawn What = "withdrawn"
	// Moved: its next revision is of another feed. Forget this one; when the
	// new one is of your feed too, it follows.
	Moved What = "moved"
	// Expired: its retention ended. Forget it.
	Expired What = "expired"
	// Purged: it was deleted. Forget it and everything derived from it.
	Purged What = "purged"
	// Unreadable: a stored record that this version cannot read.
	Unreadable What = "unreadable"
)

// Event is one record of a feed. Records of a report come in the order in
// which they were stored.
type Event struct {
	What     What
	Cell     string
	Agency   string
	ID       string
	Revision uint64
	Received time.Time
	// Report of a Reported or Withdrawn event.
	Report *wf.Report
	// Stored is what the subject says: kind, status, place, marking.
	Stored subject.Stored
	// Sequence grows within the cell.
	Sequence uint64
	// Again: it was delivered before, and may have been handled.
	Again bool
	// Reason of an Unreadable event.
	Reason string
}

const (
	feedBatch = 256
	feedOpen  = 30 * time.Second
	// tryAgain is how long a record waits after its handler failed.
	tryAgain = time.Second
)

// Subscription is a feed being followed.
type Subscription struct {
	cancel context.CancelFunc // stops fetching
	stop   context.CancelFunc // stops handling too
	closed chan struct{}
	mu     sync.Mutex
	err    error
}

// Stop ends at once; what was fetched and not handled comes again next time.
func (s *Subscription) Stop() { s.stop() }

// Drain handles what has been fetched, then ends.
func (s *Subscription) Drain(ctx context.Context) error {
	s.cancel()
	select {
	case <-s.closed:
		return s.Err()
	case <-ctx.Done():
		s.stop()
		return fmt.Errorf("drain feed: %w", ctx.Err())
	}
}

// Closed is closed when the feed is not followed any more.
func (s *Subscription) Closed() <-chan struct{} { return s.closed }

// Err says why it ended; nil while it runs and after Stop or Drain.
func (s *Subscription) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Follow calls handle with every record of the reader's feed that the filter
// matches, at least once, one at a time, from where the feed was last left.
// Records it does not match are passed over for good. A zero filter matches
// all actual reports of the feed. When handle fails, the record comes again.
func (c *Client) Follow(ctx context.Context, feed string, filter subject.Feed, handle func(Event) error) (*Subscription, error) {
	if c.reader == "" {
		return nil, fmt.Errorf("follow %s: %w", feed, ErrNoReader)
	}
	if err := checkFilter(filter); err != nil {
		return nil, fmt.Errorf("follow %s: %w", feed, err)
	}
	cctx, done := context.WithTimeout(ctx, apiWait)
	defer done()
	cons, err := c.js.Consumer(cctx, subject.Reports, subject.FeedConsumer(c.reader, feed))
	if err != nil {
		return nil, fmt.Errorf("follow %s: %w", feed, c.explain(err))
	}
	handling, stop := context.WithCancel(ctx)
	fetching, cancel := context.WithCancel(handling)
	s := &Subscription{cancel: cancel, stop: stop, closed: make(chan struct{})}
	go func() {
		defer close(s.closed)
		defer stop()
		if err := c.follow(fetching, handling, cons, func(m jetstream.Msg) { c.deliver(m, filter, handle) }); err != nil {
			s.mu.Lock()
			s.err = fmt.Errorf("follow %s: %w", feed, err)
			s.mu.Unlock()
		}
	}()
	return s, nil
}

func checkFilter(f subject.Feed) error {
	if f.Status != wf.Status_STATUS_UNSPECIFIED && subject.StatusToken(f.Status) == "" ||
		f.Kind != wf.Kind_KIND_UNSPECIFIED && subject.KindToken(f.Kind) == "" {
		return fmt.Errorf("%w: unknown status or kind", ErrBadFilter)
	}
	if f.State != "" && len(f.State) != 2 || f.County != "" && len(f.County) != 5 || f.Agency != "" && !subject.Word(f.Agency) {
		return fmt.Errorf("%w: a state is two letters in lower case, a county five digits, an agency its token", ErrBadFilter)
	}
	return nil
}

// follow keeps one long fetch open and hands on what arrives.
func (c *Client) follow(fetching, handling context.Context, cons jetstream.Consumer, each func(jetstream.Msg)) error {
	for fetching.Err() == nil {
		octx, cancel := context.WithTimeout(fetching, feedOpen)
		batch, err := cons.Fetch(feedBatch, jetstream.FetchContext(octx))
		if err == nil {
			for m := range batch.Messages() {
				if handling.Err() != nil {
					break
				}
				each(m)
			}
			err = batch.Error()
		}
		cancel()
		switch {
		case fetching.Err() != nil:
			return nil
		case c.nc.IsClosed():
			return ErrClosed
		case err == nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		case errors.Is(err, jetstream.ErrConsumerDeleted), errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, nats.ErrNoResponders) && c.nc.IsConnected():
			return fmt.Errorf("%w: the feed was taken away", ErrNotPermitted)
		default:
			c.log.Warn("feed interrupted", zap.Error(err))
			wait(fetching, 250*time.Millisecond)
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// deliver hands one record on and acknowledges it when it was handled.
func (c *Client) deliver(m jetstream.Msg, filter subject.Feed, handle func(Event) error) {
	e := read(m)
	if e.What == Unreadable || filter.Matches(e.Stored) {
		if err := handle(e); err != nil {
			c.log.Warn("handler failed, the record comes again", zap.Uint64("sequence", e.Sequence), zap.Error(err))
			if err := m.NakWithDelay(tryAgain); err != nil {
				c.log.Warn("give back", zap.Error(err))
			}
			return
		}
	}
	if err := m.Ack(); err != nil {
		c.log.Warn("acknowledge", zap.Error(err))
	}
}

// read makes an event of a stored record.
func read(m jetstream.Msg) Event {
	e := decode(m.Subject(), m.Headers().Get(admission.Header), m.Data())
	if meta, err := m.Metadata(); err == nil {
		e.Sequence, e.Again = meta.Sequence.Stream, meta.NumDelivered > 1
	}
	return e
}

// decode makes an event of a record's subject, admission record and payload.
// What they do not agree on is no report: NATS checks no reply subject, so a
// reader can have a copy of a record stored under another agency's subject.
func decode(subj, header string, data []byte) Event {
	var e Event
	unreadable := func(why string) Event {
		e.What, e.Reason, e.Report = Unreadable, why, nil
		return e
	}
	var err error
	if e.Stored, err = subject.ParseStored(subj); err != nil {
		return unreadable(err.Error())
	}
	e.Cell, e.Agency = e.Stored.Cell, e.Stored.Agency
	facts, err := admission.ParseRecord(header)
	if err != nil {
		return unreadable(err.Error())
	}
	e.ID, e.Revision, e.Received = facts.ID, facts.Revision, facts.Received
	switch facts.Event {
	case admission.Moved:
		e.What = Moved
	case admission.Expired:
		e.What = Expired
	case admission.Purged:
		e.What = Purged
	case admission.Admitted:
		r := new(wf.Report)
		if err := proto.Unmarshal(data, r); err != nil {
			return unreadable("payload is not a report")
		}
		if r.GetId() != facts.ID || r.GetRevision() != facts.Revision || subject.SubmissionOf(r, e.Stored.State, e.Stored.County) != e.Stored.Submission {
			return unreadable("payload, admission record and subject contradict each other")
		}
		e.What, e.Report = Reported, r
		if facts.Withdrawn {
			e.What = Withdrawn
		}
	default:
		return unreadable("unknown event " + string(facts.Event))
	}
	return e
}
