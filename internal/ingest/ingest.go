// Package ingest sends the records of sources to a broker through the agency
// SDK and keeps the account: for every source, read = admitted + duplicate +
// superseded + refused + unacknowledged.
//
// It reads no file: the records come as codec items.
package ingest

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
)

// Route is where a record goes: as which agency, into which cell.
type Route struct{ Agency, Cell string }

// Connect opens the connection of a route. Its error says whose it was.
type Connect func(ctx context.Context, r Route) (*producers.Client, error)

// Refusal is one record that was not admitted.
type Refusal struct {
	Where   string             `json:"where"`
	Reasons []admission.Reason `json:"reasons"`
}

// Tally is the account of one source.
type Tally struct {
	Source     string `json:"source"`
	Read       int    `json:"read"`
	Admitted   int    `json:"admitted"`
	Duplicate  int    `json:"duplicate"`
	Superseded int    `json:"superseded"`
	Refused    int    `json:"refused"`
	// Unacknowledged records are not stored as far as anybody knows: send them again.
	Unacknowledged int       `json:"unacknowledged"`
	Refusals       []Refusal `json:"refusals,omitempty"`
	// FirstError is why the first unacknowledged record was not.
	FirstError string `json:"error,omitempty"`
}

// Balanced says whether every record that was read is accounted for.
func (t *Tally) Balanced() bool {
	return t.Read == t.Admitted+t.Duplicate+t.Superseded+t.Refused+t.Unacknowledged
}

// Codes counts the refusals by their first code, sorted by code.
func (t *Tally) Codes() iter.Seq2[admission.Code, int] {
	count := map[admission.Code]int{}
	for _, r := range t.Refusals {
		code := admission.Code("unknown")
		if len(r.Reasons) > 0 {
			code = r.Reasons[0].Code
		}
		count[code]++
	}
	return func(yield func(admission.Code, int) bool) {
		for _, c := range slices.Sorted(maps.Keys(count)) {
			if !yield(c, count[c]) {
				return
			}
		}
	}
}

// Add adds o's counts to t.
func (t *Tally) Add(o *Tally) {
	t.Read += o.Read
	t.Admitted += o.Admitted
	t.Duplicate += o.Duplicate
	t.Superseded += o.Superseded
	t.Refused += o.Refused
	t.Unacknowledged += o.Unacknowledged
}

// Sender keeps one connection per route.
type Sender struct {
	connect Connect
	clients map[Route]*producers.Client
}

// NewSender makes a sender. Close it when done.
func NewSender(connect Connect) *Sender {
	return &Sender{connect: connect, clients: map[Route]*producers.Client{}}
}

// Client is the connection of a route, opened on first use.
func (s *Sender) Client(ctx context.Context, r Route) (*producers.Client, error) {
	if c, ok := s.clients[r]; ok {
		return c, nil
	}
	c, err := s.connect(ctx, r)
	if err != nil {
		return nil, err
	}
	s.clients[r] = c
	return c, nil
}

// Drain waits until every record on every route is answered or given up.
func (s *Sender) Drain(ctx context.Context) error {
	var errs []error
	for _, c := range s.clients {
		if err := c.Drain(ctx); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close ends every connection.
func (s *Sender) Close() {
	for _, c := range s.clients {
		c.Close()
	}
	clear(s.clients)
}

// waiting is how many answers may be outstanding before the oldest is awaited.
const waiting = 2048

type sent struct {
	where   string
	pending *producers.Pending
}

// lastAnswers bounds how long the answers to what was sent are awaited after
// an interruption.
const lastAnswers = 5 * time.Second

// Send sends every item of a source as route and accounts for it. When ctx ends
// it sends no more, waits a little for what is on its way, and returns the
// account of what was read together with ctx's error.
func (s *Sender) Send(ctx context.Context, route Route, source string, items iter.Seq[codec.Item]) (*Tally, error) {
	t := &Tally{Source: source}
	var queue []sent
	answers, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastAnswers, cancel) })()
	for item := range items {
		if ctx.Err() != nil {
			break
		}
		t.Read++
		if item.Refused() {
			t.refuse(item.Where, shape(item.Reasons))
			continue
		}
		c, err := s.Client(ctx, route)
		if err != nil {
			return t, err
		}
		p, err := c.PublishAsync(ctx, item.Report)
		if err != nil {
			t.fail(item.Where, err)
			continue
		}
		queue = append(queue, sent{item.Where, p})
		if len(queue) >= waiting {
			t.settle(answers, queue[0])
			queue = queue[1:]
		}
	}
	for _, q := range queue {
		t.settle(answers, q)
	}
	return t, ctx.Err()
}

func (t *Tally) settle(ctx context.Context, q sent) {
	ack, err := q.pending.Wait(ctx)
	switch {
	case err != nil:
		t.fail(q.where, err)
	case ack.Superseded:
		t.Superseded++
	case ack.Duplicate:
		t.Duplicate++
	default:
		t.Admitted++
	}
}

func (t *Tally) fail(where string, err error) {
	if r, ok := errors.AsType[*producers.Refused](err); ok {
		t.refuse(where, r.Reasons)
		return
	}
	t.Unacknowledged++
	if t.FirstError == "" {
		t.FirstError = where + ": " + err.Error()
	}
}

func (t *Tally) refuse(where string, reasons []admission.Reason) {
	t.Refused++
	t.Refusals = append(t.Refusals, Refusal{where, reasons})
}

func shape(rs admission.Reasons) []admission.Reason {
	out := make([]admission.Reason, 0, len(rs))
	for _, r := range rs {
		out = append(out, admission.Reason{Code: admission.Code(r.GetCode()), Field: r.GetField(), Message: r.GetMessage(), Remedy: r.GetRemedy()})
	}
	return out
}
