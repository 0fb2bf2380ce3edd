//go:build linux

package durability

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// window is how many messages of one sender are under way at once.
const window = 48

// sender is an agency that loses no report: what was not answered it sends again,
// first and in the same order, when the broker is back.
type sender struct {
	agency string
	begin  time.Time
	log    []*message // everything ever sent, in order
	open   []*message // of it, what has no answer yet
	sent   uint64
	acked  *atomic.Int64 // of all senders, since the start
}

// pushback: the broker could not store just now; send again later.
var errPushback = errors.New("told to try again")

// run sends until stop is closed, and then waits for the answers; until the
// connection ends; or until it is told to try again later. Only an answer that
// should not be is an error.
func (s *sender) run(ctx context.Context, nc *nats.Conn, stop <-chan struct{}) error {
	answers := make(chan *nats.Msg, 4*window)
	inbox := nc.NewInbox()
	sub, err := nc.ChanSubscribe(inbox+".*", answers)
	if err != nil {
		return nil // the power is gone already
	}
	defer func() { _ = sub.Unsubscribe() }()
	again := slices.Clone(s.open)
	under := map[string]*message{}
	closed := nc.StatusChanged(nats.CLOSED)
	for stopping, halted := false, false; ; {
		for !halted && len(under) < window && (len(again) > 0 || !stopping) {
			m := s.next(&again)
			s.sent++
			token := strconv.FormatUint(s.sent, 10)
			under[token] = m
			if err := nc.PublishRequest(m.subject, inbox+"."+token, m.data); err != nil {
				return nil
			}
		}
		if len(under) == 0 && (stopping || halted) {
			return nil
		}
		select {
		case a := <-answers:
			err := s.take(under, a)
			if halted = halted || errors.Is(err, errPushback); err != nil && !errors.Is(err, errPushback) {
				return err
			}
		case <-stop:
			stop, stopping = nil, true
		case <-closed:
			return s.drain(answers, under)
		case <-ctx.Done():
			return fmt.Errorf("%s has %d messages without an answer: %w", s.agency, len(under), ctx.Err())
		}
	}
}

// next is what to send: first what has no answer.
func (s *sender) next(again *[]*message) *message {
	if len(*again) > 0 {
		m := (*again)[0]
		*again = (*again)[1:]
		if m.pushed { // all that was composed meanwhile may be stored before it
			m.Last = uint64(len(s.log))
		}
		return m
	}
	m := compose(s.agency, len(s.log), s.begin)
	s.log, s.open = append(s.log, &m), append(s.open, &m)
	return &m
}

// drain takes the answers that came before the connection ended.
func (s *sender) drain(answers <-chan *nats.Msg, under map[string]*message) error {
	for {
		select {
		case a := <-answers:
			if err := s.take(under, a); err != nil && !errors.Is(err, errPushback) {
				return err
			}
		default:
			return nil
		}
	}
}

func (s *sender) take(under map[string]*message, a *nats.Msg) error {
	token := a.Subject[strings.LastIndexByte(a.Subject, '.')+1:]
	m := under[token]
	delete(under, token)
	return s.answered(m, a)
}

// answered notes an answer.
func (s *sender) answered(m *message, a *nats.Msg) error {
	if m == nil {
		return fmt.Errorf("%s was answered twice", s.agency)
	}
	x, err := admission.ParseAnswer(a.Data)
	switch {
	case a.Header.Get("Status") == "503":
		m.pushed = true // nobody guards: the broker is ending
		return errPushback
	case err != nil:
		return fmt.Errorf("%s: answer %.100q: %w", s.agency, a.Data, err)
	case x.Error != nil && x.Error.ErrorCode == admission.ErrUnavailable:
		m.pushed = true
		return errPushback
	case x.Error != nil && !m.refused:
		return fmt.Errorf("%s was refused: %s", m.Key, a.Data)
	case x.Error == nil && m.refused:
		return fmt.Errorf("%s was to be refused and is stored at %d", m.Key, x.Sequence)
	}
	if !m.refused {
		m.Acknowledged, m.Superseded = true, x.Superseded
		if !x.Superseded {
			m.Sequence = x.Sequence
		}
		s.acked.Add(1)
	}
	s.close(m)
	return nil
}

func (s *sender) close(m *message) {
	for i, o := range s.open {
		if o == m {
			s.open = append(s.open[:i:i], s.open[i+1:]...)
			return
		}
	}
}

// load is all senders of a machine.
type load struct {
	m       *machine
	senders []*sender
	acked   atomic.Int64

	stop  chan struct{}
	conns []*nats.Conn
	wg    sync.WaitGroup
	mu    sync.Mutex
	errs  []error
	ended int
}

func newLoad(m *machine, begin time.Time) *load {
	l := &load{m: m}
	for agency := range agencies {
		l.senders = append(l.senders, &sender{agency: agency, begin: begin, acked: &l.acked})
	}
	return l
}

// begin lets every sender go on.
func (l *load) begin() error {
	l.stop, l.conns, l.errs, l.ended = make(chan struct{}), nil, nil, 0
	for _, s := range l.senders {
		nc, err := l.m.dial(s.agency)
		if err != nil {
			l.hangUp()
			return err
		}
		l.conns = append(l.conns, nc)
	}
	for i, s := range l.senders {
		l.wg.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			err := s.run(ctx, l.conns[i], l.stop)
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.ended++; err != nil {
				l.errs = append(l.errs, err)
			}
		})
	}
	return nil
}

// reach waits until so many are acknowledged in all, or the senders have ended.
func (l *load) reach(n int64) error {
	for deadline := time.Now().Add(patience); l.acked.Load() < n; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		ended, errs := l.ended, errors.Join(l.errs...)
		l.mu.Unlock()
		switch {
		case errs != nil:
			return errs
		case ended == len(l.senders):
			return errCut
		case time.Now().After(deadline):
			return fmt.Errorf("%d of %d acknowledged after %s", l.acked.Load(), n, patience)
		}
	}
	return nil
}

// wait waits for the senders, which end by themselves when the broker has.
func (l *load) wait() error {
	l.wg.Wait()
	l.hangUp()
	return errors.Join(l.errs...)
}

// end lets the senders finish what they have begun.
func (l *load) end() error {
	close(l.stop)
	return l.wait()
}

func (l *load) hangUp() {
	for _, nc := range l.conns {
		nc.Close()
	}
}

// sent is everything that should be stored or may be.
func (l *load) sent() (out []Sent) {
	for _, s := range l.senders {
		for _, m := range s.log {
			if !m.refused {
				out = append(out, m.Sent)
			}
		}
	}
	return out
}

// unanswered is how many messages have no answer.
func (l *load) unanswered() (n int) {
	for _, s := range l.senders {
		n += len(s.open)
	}
	return n
}
