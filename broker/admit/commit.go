package admit

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// Headers and error codes of the server that a commit uses.
const (
	headerExpect = "Nats-Expected-Last-Sequence"
	headerBatch  = "Nats-Batch-Id"
	headerIndex  = "Nats-Batch-Sequence"
	headerCommit = "Nats-Batch-Commit"

	codeWrongSequence         = 10071
	codeWrongSequenceConstant = 10164
	codeStoreFailed           = 10077
	codeAccountResources      = 10002
	codeServerResources       = 10023
	codeStorageResources      = 10047
	codeMemoryResources       = 10028
)

// maxAttempts bounds how often a commit that lost the fence is tried again.
const maxAttempts = 50

// flight is the one commit under way.
type flight struct {
	number  uint64
	subs    []*submission
	first   uint64 // sequence of its first message
	n       int    // messages
	replies int    // answers still expected
	started time.Time
	header  string // admission header of its last message
	failure error
}

var (
	errFence   = errors.New("another writer came first")
	errFull    = errors.New("the store is full")
	errUnknown = errors.New("the outcome of the commit is unknown")
)

// begin decides what waits, in order, and sends what is admitted. When nothing
// of it has to be stored the senders are answered at once.
func (l *loop) begin() error {
	if l.stale && !l.recover() {
		l.giveUp(l.takeWaiting(len(l.waiting)), busy("the guard cannot read its stream"))
		return nil
	}
	f := &flight{first: l.last + 1, started: l.g.cfg.Now()}
	bytes, batch := 0, false
	for _, s := range l.waiting {
		s.d = guard.Decide(s.x, l.index)
		n := s.d.Messages()
		if f.n+n > l.g.cfg.MaxBatch || len(f.subs) > 0 && bytes+len(s.msg.Data) > l.g.cfg.MaxBatchBytes {
			break
		}
		if n > 0 {
			if err := l.stage(f, s); err != nil {
				return err
			}
			bytes += len(s.msg.Data)
			batch = batch || s.d.Moved != nil
		}
		f.subs = append(f.subs, s)
	}
	l.takeWaiting(len(f.subs))
	if f.n == 0 {
		l.index.Settle()
		l.answerDecided(f.subs...)
		return nil
	}
	l.send(f, batch || f.n > l.g.cfg.Singles)
	return nil
}

// stage puts an admitted report into the index under the sequence it will
// have: the fence makes it certain.
func (l *loop) stage(f *flight, s *submission) error {
	f.n += s.d.Messages()
	s.d.Sequence = f.first + uint64(f.n) - 1
	return l.index.Put(s.x.Submission.Agency, s.x.ID, guard.Entry{
		Revision: s.x.Revision, Digest: guard.DigestOf(s.x.Hash), Sequence: s.d.Sequence, Subject: s.d.Subject,
		Kind: s.x.Kind, Status: s.x.Status, Withdrawn: s.x.Withdrawn,
	})
}

func (l *loop) takeWaiting(n int) []*submission {
	taken := l.waiting[:n:n]
	for _, s := range taken {
		l.hold(s, -1)
	}
	l.waiting = l.waiting[n:]
	if len(l.waiting) == 0 {
		l.waiting = nil
	}
	return taken
}

// send publishes the messages of a flight: a batch, of which only the last
// message is answered, or singles, each fenced and answered by itself.
func (l *loop) send(f *flight, batch bool) {
	l.flights++
	f.number, f.replies = l.flights, 1
	if !batch {
		f.replies = f.n
	}
	l.flight = f
	l.timer.Reset(l.g.cfg.CommitTimeout)
	l.g.metrics.owes(true)
	w := writer{conn: l.direct, inlet: l.g.cfg.Reports, f: f, prefix: l.directInbox}
	if batch {
		w.conn, w.prefix, w.batch = l.store, l.inbox, l.ids.Next()
	}
	w.prefix += strconv.FormatUint(f.number, 10) + "."
	for _, s := range f.subs {
		if s.d.Verdict != guard.Admit {
			continue
		}
		if t := s.d.Moved; t != nil {
			w.write(t.Subject, t.Record, nil)
		}
		w.write(s.d.Subject, s.d.Record, s.msg.Data)
	}
	if w.err != nil {
		// What was sent of it may be stored: wait for the answers or the timeout.
		l.log.Warn("commit not sent whole", zap.Error(w.err))
	}
}

// writer publishes the messages of one flight in order. It uses one message
// and one header over and over: publishing copies them.
type writer struct {
	conn   *nats.Conn
	inlet  subject.Inlet
	f      *flight
	prefix string
	batch  string // id; empty for singles
	i      int
	err    error

	msg    nats.Msg
	record [1]string
	index  [1]string
}

func (w *writer) write(stored string, rec admission.Record, data []byte) {
	if w.err != nil {
		return
	}
	h := w.msg.Header
	if h == nil {
		h = nats.Header{admission.Header: w.record[:]}
		if w.batch != "" {
			h[headerBatch], h[headerIndex] = []string{w.batch}, w.index[:]
		}
		w.msg.Header = h
	}
	w.f.header = rec.Encode()
	w.record[0], w.index[0] = w.f.header, strconv.Itoa(w.i+1)
	if w.batch == "" || w.i == 0 {
		h[headerExpect] = []string{strconv.FormatUint(w.f.first+uint64(w.i)-1, 10)}
	} else {
		delete(h, headerExpect)
	}
	w.msg.Subject, w.msg.Data, w.msg.Reply = w.inlet.Of(stored), data, ""
	if last := w.i == w.f.n-1; last && w.batch != "" {
		h[headerCommit] = []string{"1"}
		w.msg.Reply = w.prefix + strconv.Itoa(w.i)
	} else if w.batch == "" {
		w.msg.Reply = w.prefix + strconv.Itoa(w.i)
	}
	w.i++
	w.err = w.conn.PublishMsg(&w.msg)
}

// pubAck is the server's answer to a publish.
type pubAck struct {
	Sequence uint64 `json:"seq"`
	Error    *struct {
		Code        int    `json:"code"`
		ErrorCode   int    `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
}

// acked takes one answer of the server to the flight.
func (l *loop) acked(m *nats.Msg) error {
	if deaf := l.g.fault.deaf; deaf != nil && deaf() {
		return nil
	}
	number, i, ok := l.parseReply(m.Subject)
	f := l.flight
	if !ok || f == nil || number != f.number {
		l.g.metrics.LateAcks.Add(1)
		return nil
	}
	if err := f.check(m, i); err != nil && f.failure == nil {
		f.failure = err
	}
	if f.replies--; f.replies > 0 {
		return nil
	}
	l.timer.Stop()
	l.flight = nil
	if f.failure != nil {
		return l.failed(f)
	}
	return l.committed(f)
}

func (l *loop) parseReply(reply string) (number uint64, i int, ok bool) {
	rest, ok := strings.CutPrefix(reply, l.inbox)
	if !ok {
		if rest, ok = strings.CutPrefix(reply, l.directInbox); !ok {
			return 0, 0, false
		}
	}
	a, b, _ := strings.Cut(rest, ".")
	number, err1 := strconv.ParseUint(a, 10, 64)
	i, err2 := strconv.Atoi(b)
	return number, i, err1 == nil && err2 == nil
}

// check compares an answer with what the flight expects of it.
func (f *flight) check(m *nats.Msg, i int) error {
	if m.Header.Get("Status") == "503" {
		return fmt.Errorf("no stream takes the report: %w", nats.ErrNoResponders)
	}
	var a pubAck
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return fmt.Errorf("read acknowledgement: %w", err)
	}
	if a.Error == nil {
		if a.Sequence != f.first+uint64(i) {
			return fmt.Errorf("stored at %d instead of %d: %w", a.Sequence, f.first+uint64(i), errUnknown)
		}
		return nil
	}
	switch a.Error.ErrorCode {
	case codeWrongSequence, codeWrongSequenceConstant:
		return errFence
	case codeStoreFailed, codeAccountResources, codeServerResources, codeStorageResources, codeMemoryResources:
		return fmt.Errorf("%w: %s", errFull, a.Error.Description)
	}
	return fmt.Errorf("server error %d: %s", a.Error.ErrorCode, a.Error.Description)
}

// committed answers the senders. The next commit leaves first, so that the
// disk never waits for the answers.
func (l *loop) committed(f *flight) error {
	if c := l.g.fault.committed; c != nil && !c() {
		return errKilled
	}
	l.index.Settle()
	l.g.metrics.owes(false)
	l.failing = false
	l.last, l.lastHeader = f.first+uint64(f.n)-1, f.header
	m := &l.g.metrics
	m.Commits.Add(1)
	m.Messages.Add(uint64(f.n))
	m.CommitSize.observe(f.n)
	m.CommitLatency.observe(l.g.cfg.Now().Sub(f.started))
	m.Reports.Store(uint64(l.index.Len()))
	var err error
	if len(l.waiting) > 0 {
		err = l.begin()
	}
	l.answerDecided(f.subs...)
	return err
}
