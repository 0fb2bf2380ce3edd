package producers

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/narrative"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Ack says that the broker has the report on disk.
type Ack struct {
	// Sequence in the cell's stream of reports.
	Sequence uint64
	// Duplicate: the same bytes were acknowledged before.
	Duplicate bool
	// Superseded: a higher revision was admitted before; Sequence is its.
	Superseded bool
}

// Identity names a report and its revision.
type Identity struct {
	ID       string
	Revision uint64
}

// Pending is a report on its way.
type Pending struct {
	report  Identity
	subject string
	data    []byte
	number  uint64
	done    chan struct{}

	// Guarded by Client.mu until done is closed.
	since   time.Time // first attempt
	due     time.Time // next attempt
	tries   int
	problem error // of the last attempt
	ack     Ack
	err     error
	settled bool
	// told: Publish gives the error to its caller, Drain need not name it.
	told bool
}

// Report is which report it is.
func (p *Pending) Report() Identity { return p.report }

// Done is closed when the report is acknowledged, refused or given up.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Wait waits for the end of ctx or of the report. When ctx ends first the
// report is still on its way.
func (p *Pending) Wait(ctx context.Context) (Ack, error) {
	select {
	case <-p.done:
		return p.ack, p.err
	default:
	}
	select {
	case <-p.done:
		return p.ack, p.err
	case <-ctx.Done():
		return Ack{}, fmt.Errorf("publish %s: %w", p.report.ID, ctx.Err())
	}
}

// Publish sends a report and waits until the broker has it on disk.
func (c *Client) Publish(ctx context.Context, r *wf.Report) (Ack, error) {
	p := &Pending{report: Identity{r.GetId(), r.GetRevision()}, told: true}
	if err := c.encode(p, r); err != nil {
		return Ack{}, c.unsent(p, err)
	}
	p, err := c.launch(ctx, p)
	if err != nil {
		return Ack{}, err
	}
	ack, err := p.Wait(ctx)
	if ctx.Err() != nil {
		// Perhaps it is still on its way; then Drain will name it.
		c.mu.Lock()
		p.told = p.settled
		c.mu.Unlock()
	}
	return ack, err
}

// PublishAsync sends a report and returns while it is on its way. It waits
// when the window is full. The report may be changed as soon as it returns. An
// error means that the report was not sent; Drain names it too.
func (c *Client) PublishAsync(ctx context.Context, r *wf.Report) (*Pending, error) {
	p := &Pending{report: Identity{r.GetId(), r.GetRevision()}}
	if err := c.encode(p, r); err != nil {
		return nil, c.unsent(p, err)
	}
	return c.launch(ctx, p)
}

// SubmitBytes sends an encoded report on a submit subject, for senders that
// keep reports encoded. Nothing is checked here.
func (c *Client) SubmitBytes(ctx context.Context, report Identity, subject string, data []byte) (*Pending, error) {
	return c.launch(ctx, &Pending{report: report, subject: subject, data: data})
}

// encode refuses here what has no subject to be sent on; everything else is
// for the broker to judge.
func (c *Client) encode(p *Pending, r *wf.Report) error {
	if r.GetAgency() != c.agency {
		return &Refused{[]admission.Reason{{
			Code: admission.AgencyMismatch, Field: "agency", Message: fmt.Sprintf("the report is of %q, the client of %q", r.GetAgency(), c.agency),
			Remedy: "connect as the originating agency",
		}}}
	}
	if c.set.extract {
		r = proto.CloneOf(r)
		narrative.Enrich(r)
	}
	p.subject = subject.Submit(r)
	if _, err := subject.ParseSubmit(p.subject); err != nil {
		reasons := report.Validate(r, time.Now(), report.Limits{})
		reasons.Add(admission.SubjectMismatch, "", "the report has no submit subject", "give it a known status and kind, and places with valid states and counties")
		return refused(reasons)
	}
	data, err := proto.Marshal(r)
	if err != nil {
		return &Refused{[]admission.Reason{{
			Code: admission.InvalidUTF8, Message: err.Error(), Remedy: "write every text field as UTF-8",
		}}}
	}
	if len(data) > report.MaxSize {
		_, reasons := report.Decode(data)
		return refused(reasons)
	}
	p.data = data
	return nil
}

func refused(reasons admission.Reasons) *Refused {
	out := &Refused{}
	for _, r := range reasons {
		out.Reasons = append(out.Reasons, admission.Reason{
			Code: admission.Code(r.GetCode()), Field: r.GetField(), Message: r.GetMessage(), Remedy: r.GetRemedy(),
		})
	}
	return out
}

// unsent notes a report that never left.
func (c *Client) unsent(p *Pending, err error) error {
	p.err = fmt.Errorf("publish %s: %w", p.report.ID, err)
	c.mu.Lock()
	if !p.told {
		c.next++
		p.number = c.next
		c.failed = append(c.failed, p)
	}
	c.mu.Unlock()
	return p.err
}

// launch waits for a place in the window and sends.
func (c *Client) launch(ctx context.Context, p *Pending) (*Pending, error) {
	select {
	case c.slots <- struct{}{}:
	default:
		select {
		case c.slots <- struct{}{}:
		case <-ctx.Done():
			return nil, c.unsent(p, ctx.Err())
		case <-c.done:
			return nil, c.unsent(p, ErrClosed)
		}
	}
	p.done = make(chan struct{})
	p.since = time.Now()
	p.due, p.tries = p.since.Add(c.set.attempt), 1
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		<-c.slots
		return nil, c.unsent(p, ErrClosed)
	}
	c.next++
	p.number = c.next
	c.flying[p.number] = p
	c.mu.Unlock()
	c.send(p)
	return p, nil
}

func (c *Client) send(p *Pending) {
	c.mu.Lock()
	data, settled := p.data, p.settled
	c.mu.Unlock()
	if settled {
		return
	}
	if err := c.nc.PublishRequest(p.subject, c.inbox+strconv.FormatUint(p.number, 36), data); err != nil {
		c.postpone(p, err)
	}
}

// settle ends a report, once.
func (c *Client) settle(p *Pending, ack Ack, err error) {
	c.mu.Lock()
	if p.settled {
		c.mu.Unlock()
		return
	}
	p.settled, p.ack, p.err, p.data = true, ack, err, nil
	delete(c.flying, p.number)
	if err != nil && !p.told {
		c.failed = append(c.failed, p)
	}
	c.settled.Broadcast()
	c.mu.Unlock()
	close(p.done)
	<-c.slots
}

// Drain waits until every report published so far is acknowledged, refused or
// given up, or ctx ends. Then it returns nil, or an *Unacknowledged with
// exactly the reports that were not acknowledged since the last Drain; those
// whose error Publish has returned are not named again. Reports still on their
// way at the end of ctx are among them and stay on their way.
func (c *Client) Drain(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.settled.Broadcast()
	})
	defer stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	upTo := c.next
	for ctx.Err() == nil && c.flyingUpTo(upTo) {
		c.settled.Wait()
	}
	out := &Unacknowledged{}
	failed := c.failed
	c.failed = nil
	for _, p := range c.flying {
		if p.number <= upTo {
			failed = append(failed, p)
		}
	}
	slices.SortFunc(failed, func(a, b *Pending) int { return cmp.Compare(a.number, b.number) })
	for _, p := range failed {
		err := p.err
		if err == nil {
			err = ctx.Err()
		}
		out.Reports = append(out.Reports, Failure{p.report, err})
	}
	if len(out.Reports) == 0 {
		return nil
	}
	return out
}

func (c *Client) flyingUpTo(n uint64) bool {
	for number := range c.flying {
		if number <= n {
			return true
		}
	}
	return false
}
