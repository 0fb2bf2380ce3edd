package worker

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	// askEvery is how often a standby asks for the other worker.
	askEvery = 200 * time.Millisecond
	// silence is how long the other may fail to answer before it is taken for
	// dead. The fence keeps a wrong guess harmless.
	silence = time.Second
)

// What a worker answers when it is asked whether it is there.
const (
	leads = "leads"
	waits = "waits"
)

// answer is what came of one question.
type answer int

// word is an answer and the seat that was asked.
type word struct {
	seat subject.Seat
	answer
}

const (
	silent  answer = iota // somebody sits there and says nothing
	vacant                // nobody sits there: the server itself says so
	waiting               // somebody sits there and does not publish
	leading               // the publisher of the picture sits there
)

// seat is a worker's place beside the other worker of the same picture: it
// answers for itself and asks for the other.
type seat struct {
	nc     *nats.Conn
	status wf.Status
	own    subject.Seat
	leads  atomic.Bool
	subs   []*nats.Subscription
	inbox  string
	heard  chan word
	free   chan struct{} // told when the other worker does not publish
	alone  atomic.Bool   // whether that is still so
}

// sit waits until the seat is free and takes it.
func (s *session) sit(ctx context.Context) (*seat, error) {
	t := &seat{nc: s.Home, status: s.Status, own: s.Seat, inbox: s.Home.NewInbox(), heard: make(chan word, 16), free: make(chan struct{}, 1)}
	if err := t.listen(); err != nil {
		t.leave()
		return nil, err
	}
	for quiet, warned := time.Duration(0), false; ; {
		switch t.ask(ctx, t.own) {
		case vacant:
			return t, t.take()
		case silent:
			if quiet += askEvery; quiet >= silence {
				return t, t.take()
			}
		default:
			if s.SeatFree {
				t.leave()
				return nil, ErrSeatTaken
			}
			quiet = 0
			if !warned {
				warned = true
				s.Log.Warn("another worker sits in this seat, waiting for it to leave", zap.Int("seat", int(t.own)))
			}
			sleep(ctx, silence)
		}
		if ctx.Err() != nil {
			t.leave()
			return nil, ctx.Err()
		}
	}
}

// listen hears answers, and the server's word that nobody was asked.
func (t *seat) listen() error {
	for _, n := range subject.Seats {
		if err := t.subscribe(t.reply(n), func(m *nats.Msg) {
			if m.Header.Get("Status") == "503" {
				t.hear(word{n, vacant})
			}
		}); err != nil {
			return err
		}
		if err := t.subscribe(n.Beat(t.status), func(m *nats.Msg) {
			if a, ok := said(m.Data); ok {
				t.hear(word{n, a})
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// said reads what a worker says. Anything else no worker says: a reader has had
// an answer of the server sent here (NATS checks no reply subject), which must
// neither keep a worker from its seat nor pass for one that waits.
func said(data []byte) (answer, bool) {
	switch string(data) {
	case leads:
		return leading, true
	case waits:
		return waiting, true
	}
	return silent, false
}

// reply is where the server says that nobody sits in a seat.
func (t *seat) reply(n subject.Seat) string { return t.inbox + "." + strconv.Itoa(int(n)) }

func (t *seat) hear(w word) {
	select {
	case t.heard <- w:
	default: // nobody asks
	}
}

func (t *seat) subscribe(subj string, f nats.MsgHandler) error {
	sub, err := t.nc.Subscribe(subj, f)
	if err != nil {
		return fmt.Errorf("take a seat: %w", err)
	}
	t.subs = append(t.subs, sub)
	return nil
}

// take answers for the seat from now on.
func (t *seat) take() error {
	err := t.subscribe(t.own.Ask(t.status), func(*nats.Msg) {
		say := waits
		if t.leads.Load() {
			say = leads
		}
		// An answer that cannot be sent is silence, which the other understands.
		_ = t.nc.Publish(t.own.Beat(t.status), []byte(say))
	})
	if err != nil {
		t.leave()
	}
	return err
}

// leave gives the seat up.
func (t *seat) leave() {
	for _, s := range t.subs {
		_ = s.Unsubscribe() // fails only when the connection has gone, and the seat with it
	}
	t.subs = nil
}

// ask asks for the worker in a seat and waits a moment for what it says.
func (t *seat) ask(ctx context.Context, n subject.Seat) answer {
	for len(t.heard) > 0 {
		<-t.heard
	}
	if err := t.nc.PublishRequest(n.Ask(t.status), t.reply(n), nil); err != nil {
		sleep(ctx, askEvery)
		return silent
	}
	wait := time.NewTimer(askEvery)
	defer wait.Stop()
	for {
		select {
		case w := <-t.heard:
			if w.seat == n {
				return w.answer
			}
		case <-wait.C:
			return silent
		case <-ctx.Done():
			return silent
		}
	}
}

// watch tells when the other seat's worker does not publish, again as long as
// that is so. While this one publishes it asks nothing.
func (t *seat) watch(ctx context.Context) error {
	var gone, quiet int
	up, reconnects := time.Now().Add(-silence), t.nc.Stats().Reconnects
	for first := true; ; first = false {
		if t.leads.Load() {
			if !sleep(ctx, askEvery) {
				return ctx.Err()
			}
			continue
		}
		a := t.ask(ctx, t.own.Other())
		if n := t.nc.Stats().Reconnects; n != reconnects || !t.nc.IsConnected() {
			// After an outage whoever comes back first would find nobody.
			reconnects, up, gone, quiet = n, time.Now(), 0, 0
		}
		gone, quiet = count(gone, a == vacant), count(quiet, a == silent)
		dead := gone >= 2 || gone == 1 && first || a == waiting || time.Duration(quiet)*askEvery >= silence
		t.tell(dead && time.Since(up) >= silence)
		pause := askEvery
		if a == vacant {
			pause /= 2
		}
		if a == silent {
			pause = 0 // it has waited already
		}
		if !sleep(ctx, pause) {
			return ctx.Err()
		}
	}
}

// tell says whether the picture is free to be claimed.
func (t *seat) tell(free bool) {
	t.alone.Store(free)
	if !free {
		return
	}
	select {
	case t.free <- struct{}{}:
	default:
	}
}

// count is how often in a row.
func count(n int, again bool) int {
	if !again {
		return 0
	}
	return n + 1
}
