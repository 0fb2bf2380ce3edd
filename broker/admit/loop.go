package admit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// loop is one run of a guard. Its goroutine owns everything in it.
type loop struct {
	g   *Guard
	log *zap.Logger

	// intake takes submissions and sends many answers, store sends batches:
	// both gather writes. direct writes at once: single messages and few answers.
	intake, store, direct *nats.Conn
	sub                   *nats.Subscription
	in                    *lines
	acks                  chan *nats.Msg
	// recorded takes the acknowledgements of refusal records.
	recorded chan *nats.Msg
	closed   chan error
	// reconnected tells that the server was away.
	reconnected chan struct{}
	drained     chan struct{}
	timer       *time.Timer

	inbox       string // of batches, directInbox of singles
	directInbox string
	recordInbox string // of refusal records
	unrecorded  int    // refusal records without acknowledgement

	index *guard.Index
	last  uint64 // sequence of the last message of REPORTS, as far as known
	// lastHeader is the admission header of that message: the tail must
	// continue from what the index was built on.
	lastHeader string
	stale      bool      // the index must be reloaded before the next commit
	asked      time.Time // when a reload was last tried in vain
	stamped    time.Time // the last time of receipt
	mistaken   time.Time // up to here times of receipt are not believed
	warned     time.Time // when a clock that was set back was last told of
	failing    bool      // the last commit failed, and not for the fence
	// ids names batches, and readers see the names. A generator that cells share
	// counts what all of them commit.
	ids *nuid.NUID

	waiting      []*submission
	waitingBytes int
	shares       map[string]share // of what waits, by agency
	flight       *flight
	flights      uint64
}

// share is what waits of one agency.
type share struct{ reports, bytes int }

// submission is one report on its way.
type submission struct {
	agency   string
	msg      *nats.Msg
	x        *guard.Examined
	d        guard.Decision
	attempts int
	mute     bool // nobody may be answered
}

// drainAtOnce is how many submissions are examined before the loop looks for
// the acknowledgement of a commit again.
const drainAtOnce = 128

func (l *loop) run(ctx context.Context) error {
	stop := ctx.Done()
	for {
		if l.drained != nil && l.failing && len(l.waiting) > 0 {
			l.giveUp(l.takeWaiting(len(l.waiting)), busy("the guard stops, and its store takes no reports"))
		}
		for l.flight == nil && len(l.waiting) > 0 {
			if err := l.begin(); err != nil {
				return err
			}
		}
		if l.drained != nil && l.finished() {
			return nil
		}
		select {
		case <-l.in.more:
			l.take()
		case m := <-l.acks:
			if err := l.acked(m); err != nil {
				return err
			}
		case m := <-l.recorded:
			l.recordAcked(m)
		case <-l.timer.C:
			if err := l.expire(); err != nil {
				return err
			}
		case <-l.reconnected:
			// The server may have come back with another state of the stream, and
			// what it was asked before has no answer.
			l.stale = true
			if err := l.expire(); err != nil {
				return err
			}
		case <-l.g.doubts:
			l.stale = true
			if err := l.expire(); err != nil {
				return err
			}
		case err := <-l.closed:
			return err
		case <-stop:
			stop = nil
			l.drain()
		case <-l.drainTick():
		}
	}
}

// take examines submissions that wait, some of them.
func (l *loop) take() {
	rules, now := l.g.rules.Load(), l.now()
	for range drainAtOnce {
		m := l.in.pop()
		if m == nil {
			return
		}
		l.accept(rules, m, now)
	}
}

// queue puts a submission into its agency's line, or drops it. It runs in the
// subscription's goroutine and must be quick: what that one cannot hold is lost,
// whoever sent it. So there is no answer: who overflows a line sends faster than
// reports can be looked at, and sends again what nobody answers.
func (l *loop) queue(m *nats.Msg) {
	if !l.in.push(m) {
		l.g.metrics.Dropped.Add(1)
	}
}

// now is the time of receipt. It never goes back, also over a restart: while the
// clock stands behind what was stamped before, the last stamp is given again.
// Readers see receipt times in the order of the stream, and a source whose clock
// is right is not refused as one of the future.
func (l *loop) now() time.Time {
	now := l.g.cfg.Now()
	if at := l.index.Latest(); at.After(l.stamped) && at.After(l.mistaken) {
		l.stamped = at
	}
	behind := l.stamped.Sub(now)
	if behind > heldBack {
		l.log.Error("stored reports name a time of receipt far ahead of the clock, which is believed; check the clock", zap.Duration("ahead", behind))
		l.stamped, l.mistaken, behind = now, l.index.Latest(), 0
	}
	l.g.metrics.behind.Store(int64(max(behind, 0)))
	if behind <= 0 {
		l.stamped = now
		return now
	}
	if behind > tolerated && now.Sub(l.warned).Abs() > time.Minute {
		l.warned = now
		l.log.Warn("the clock was set back: reports are stamped with the last time until it has caught up; check the clock", zap.Duration("behind", behind))
	}
	return l.stamped
}

// heldBack is how long the last time of receipt is given again at most. What lies
// further ahead was stamped by a clock that was wrong, and must not stop time.
const heldBack = 48 * time.Hour

// tolerated is how far a clock may be corrected without a word.
const tolerated = time.Second

func (l *loop) accept(rules *guard.Rules, m *nats.Msg, now time.Time) {
	if delivered(m.Reply) {
		l.g.metrics.Delivered.Add(1)
		return
	}
	agency := guard.AgencyOf(m.Subject)
	foreign := m.Reply != "" && !mayAnswer(agency, m.Reply)
	s := &submission{agency: agency, msg: m, mute: foreign || m.Reply == ""}
	if full := l.g.cfg.Full; full != nil && full() {
		l.g.metrics.Full.Add(1)
		l.answer(l.intake, s, admission.Refuse(unavailable(admission.StorageFull, "the disk of the broker has little room left")))
		return
	}
	if !l.room(s) {
		l.g.metrics.Pushback.Add(1)
		l.answer(l.intake, s, admission.Refuse(busy("too many reports wait for the disk")))
		return
	}
	if foreign {
		l.g.metrics.ForeignReply.Add(1)
	}
	s.x = guard.Examine(rules, guard.Received{Subject: m.Subject, Payload: m.Data, At: now, ForeignReply: foreign})
	l.waiting = append(l.waiting, s)
	l.hold(s, 1)
}

// room says whether one more may wait. No agency takes more than half, so that
// the flood of one does not turn the others away.
func (l *loop) room(s *submission) bool {
	c, have, size := &l.g.cfg, l.shares[s.agency], len(s.msg.Data)
	return len(l.waiting) < c.MaxWaiting && l.waitingBytes+size <= c.MaxWaitingBytes &&
		(have.reports == 0 || 2*have.reports < c.MaxWaiting && 2*(have.bytes+size) <= c.MaxWaitingBytes)
}

// hold counts a submission that waits (n is 1), or waits no more (-1).
func (l *loop) hold(s *submission, n int) {
	size := n * len(s.msg.Data)
	l.waitingBytes += size
	have := l.shares[s.agency]
	if have.reports += n; have.reports == 0 {
		delete(l.shares, s.agency)
		return
	}
	have.bytes += size
	l.shares[s.agency] = have
}

func busy(why string) admission.Reasons { return unavailable(admission.Unavailable, why) }

func unavailable(code admission.Code, why string) admission.Reasons {
	var r admission.Reasons
	r.Add(code, "", why+"; the report is not acknowledged", "send the same report again")
	return r
}

// answer sends to the sender's inbox; accept has checked it.
func (l *loop) answer(c *nats.Conn, s *submission, data []byte) {
	if s.mute {
		return
	}
	if err := c.Publish(s.msg.Reply, data); err != nil {
		l.g.metrics.Unanswered.Add(1)
	}
}

// answerDecided tells senders what was decided, and records refusals.
func (l *loop) answerDecided(subs ...*submission) {
	c := l.intake
	if len(subs) <= l.g.cfg.Singles {
		c = l.direct
	}
	now := l.g.cfg.Now()
	for _, s := range subs {
		l.answerOne(c, s)
		l.g.metrics.AckLatency.observe(now.Sub(s.x.Received))
	}
}

func (l *loop) answerOne(c *nats.Conn, s *submission) {
	m := &l.g.metrics
	switch s.d.Verdict {
	case guard.Admit:
		m.Admitted.Add(1)
		l.answer(c, s, admission.Ack(subject.Reports, s.d.Sequence, false, false))
	case guard.Duplicate:
		m.Duplicate.Add(1)
		l.answer(c, s, admission.Ack(subject.Reports, s.d.Sequence, true, false))
	case guard.Superseded:
		m.Superseded.Add(1)
		l.answer(c, s, admission.Ack(subject.Reports, s.d.Sequence, true, true))
	default:
		l.record(s)
		m.refused(s.d.Reasons)
		l.answer(c, s, admission.Refuse(s.d.Reasons))
	}
}

// drainWithin bounds how long the server may take to stop sending.
const drainWithin = 2 * time.Second

// drain stops taking reports; what the server has already sent still comes.
func (l *loop) drain() {
	l.drained = make(chan struct{})
	done := sync.OnceFunc(func() { close(l.drained) })
	if !l.intake.IsConnected() {
		done()
		return
	}
	l.sub.SetClosedHandler(func(string) { done() })
	time.AfterFunc(drainWithin, done)
	if err := l.sub.Drain(); err != nil {
		l.log.Warn("subscription not drained", zap.Error(err))
		done()
	}
}

// drainTick wakes the loop when the subscription is drained.
func (l *loop) drainTick() <-chan struct{} {
	if l.drained == nil || l.flight != nil || len(l.waiting) > 0 || l.in.len() > 0 {
		return nil
	}
	return l.drained
}

// finished says whether everything that was taken is answered.
func (l *loop) finished() bool {
	if l.flight != nil || len(l.waiting) > 0 || l.in.len() > 0 {
		return false
	}
	select {
	case <-l.drained:
		return l.in.len() == 0
	default:
		return false
	}
}

// unsorted is how many submissions may wait to be put into their lines.
const unsorted = 1 << 16

// startWithin is how long the stream may take to answer a guard that starts.
const startWithin = 30 * time.Second

// open connects, rebuilds the index and then subscribes.
func (l *loop) open(ctx context.Context) error {
	var err error
	if l.intake, err = l.connect("guard intake"); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	// A commit that was buffered through a reconnect would arrive late; better not at all.
	if l.store, err = l.connect("guard store", nats.ReconnectBufSize(-1)); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	// Written when published: no goroutine stands between a report and the wire.
	if l.direct, err = l.connect("guard direct", nats.ReconnectBufSize(-1), nats.WriteBufferSize(1)); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	l.inbox, l.directInbox, l.recordInbox = l.store.NewInbox()+".", l.direct.NewInbox()+".", l.store.NewInbox()+"."
	for _, s := range []struct {
		conn  *nats.Conn
		inbox string
		to    chan *nats.Msg
	}{{l.store, l.inbox + "*.*", l.acks}, {l.direct, l.directInbox + "*.*", l.acks}, {l.store, l.recordInbox + "*", l.recorded}} {
		if _, err = s.conn.ChanSubscribe(s.inbox, s.to); err != nil {
			return fmt.Errorf("subscribe to acknowledgements: %w", err)
		}
	}
	if err = l.reload(ctx, startWithin); err != nil {
		return err
	}
	if l.sub, err = l.intake.QueueSubscribe(subject.SubmitAll, QueueGroup, l.queue); err != nil {
		return fmt.Errorf("subscribe to submissions: %w", err)
	}
	if err = l.sub.SetPendingLimits(unsorted, l.g.cfg.MaxWaitingBytes); err != nil {
		return fmt.Errorf("subscribe to submissions: %w", err)
	}
	if err = l.intake.Flush(); err != nil {
		return fmt.Errorf("subscribe to submissions: %w", err)
	}
	return nil
}

func (l *loop) connect(name string, more ...nats.Option) (*nats.Conn, error) {
	opts := append([]nats.Option{
		nats.Name("watchfloor " + name + " " + l.g.cfg.Rules.Cell), nats.MaxReconnects(-1), nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectJitter(0, 0), nats.RetryOnFailedConnect(false),
		nats.ClosedHandler(func(c *nats.Conn) {
			err := c.LastError()
			if err == nil {
				err = nats.ErrConnectionClosed
			}
			select {
			case l.closed <- fmt.Errorf("%s: %w", name, err):
			default:
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) {
			select {
			case l.reconnected <- struct{}{}:
			default:
			}
		}),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if errors.Is(err, nats.ErrSlowConsumer) {
				l.g.metrics.Dropped.Add(1)
			}
			l.log.Warn("connection reports an error", zap.String("connection", name), zap.String("error", subject.Wordless(err.Error())))
		}),
	}, more...)
	opts = append(opts, l.g.cfg.Options...)
	if l.g.cfg.Connect != nil {
		return l.g.cfg.Connect(opts...)
	}
	return nats.Connect(l.g.cfg.URL, opts...)
}

func (l *loop) close() {
	for _, c := range []*nats.Conn{l.intake, l.store, l.direct} {
		if c == nil {
			continue
		}
		// The answers are on their way before the connection goes.
		if c.IsConnected() {
			_ = c.FlushTimeout(drainWithin)
		}
		c.Close()
	}
}
