package producers

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// answered takes one answer of the broker.
func (c *Client) answered(m *nats.Msg) {
	number, err := strconv.ParseUint(m.Subject[len(c.inbox):], 36, 64)
	if err != nil {
		return
	}
	c.mu.Lock()
	p := c.flying[number]
	c.mu.Unlock()
	if p == nil {
		return
	}
	if len(m.Data) == 0 && m.Header.Get("Status") == "503" {
		c.postpone(p, fmt.Errorf("no guard takes reports of this cell: %w", nats.ErrNoResponders))
		return
	}
	a, err := admission.ParseAnswer(m.Data)
	switch {
	case err != nil:
		c.postpone(p, err)
	case a.Error == nil:
		c.settle(p, Ack{Sequence: a.Sequence, Duplicate: a.Duplicate, Superseded: a.Superseded}, nil)
	case a.Error.Code >= 500:
		c.postpone(p, &unavailable{a.Error.Description})
	default:
		reasons := a.Error.Refusal
		if len(reasons) == 0 {
			reasons = []admission.Reason{{Code: admission.Invalid, Message: a.Error.Description}}
		}
		c.settle(p, Ack{}, fmt.Errorf("publish %s: %w", p.report.ID, &Refused{reasons}))
	}
}

// unavailable is a retryable answer of the broker.
type unavailable struct{ text string }

func (u *unavailable) Error() string { return u.text }

// Is makes it an ErrUnavailable.
func (u *unavailable) Is(target error) bool { return target == ErrUnavailable }

// postpone plans the next attempt after a failed one.
func (c *Client) postpone(p *Pending, problem error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.settled {
		return
	}
	p.problem = problem
	p.due = time.Now().Add(backoff(p.tries))
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// backoff is 50 ms, doubling to 1.6 s.
func backoff(tries int) time.Duration {
	return 50 * time.Millisecond << min(max(tries-1, 0), 5)
}

// resend plans everything on its way for now: the connection is new, so
// answers may be lost.
func (c *Client) resend() {
	c.set.log.Info("connection restored", "agency", c.agency)
	c.mu.Lock()
	now := time.Now()
	for _, p := range c.flying {
		p.due = now
	}
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// retry sends again what is due, and gives up what is too old.
func (c *Client) retry() {
	defer c.ended.Done()
	timer := time.NewTimer(c.set.attempt)
	defer timer.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-c.wake:
		case <-timer.C:
		}
		again, lost, next := c.due(time.Now())
		for _, p := range lost {
			c.settle(p, Ack{}, c.lost(p))
		}
		for _, p := range again {
			c.send(p)
		}
		timer.Reset(next)
	}
}

// due sorts out what to send again and what to give up, and when to look next.
func (c *Client) due(now time.Time) (again, lost []*Pending, next time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	soonest := now.Add(c.set.attempt)
	for _, p := range c.flying {
		if p.due.After(now) {
			if p.due.Before(soonest) {
				soonest = p.due
			}
			continue
		}
		if now.Sub(p.since) >= c.set.retry {
			lost = append(lost, p)
			continue
		}
		if p.problem == nil {
			p.problem = nats.ErrTimeout
		}
		p.tries++
		p.due = now.Add(c.set.attempt)
		again = append(again, p)
	}
	if n := len(again); n > 0 {
		c.set.log.Info("reports sent again", "agency", c.agency, "reports", n)
	}
	return again, lost, max(soonest.Sub(now), 5*time.Millisecond)
}

// lost says why a report was given up.
func (c *Client) lost(p *Pending) error {
	c.mu.Lock()
	problem, tries := p.problem, p.tries
	c.mu.Unlock()
	what := ErrUnreachable
	if errors.Is(problem, ErrUnavailable) {
		what = ErrUnavailable
	}
	return fmt.Errorf("publish %s: %w after %d attempts in %s: %w", p.report.ID, what, tries, c.set.retry, problem)
}

// asyncError takes what the server says beside the answers. A publish that the
// credential does not permit has no answer but this.
func (c *Client) asyncError(err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		c.set.log.Warn("connection reports an error", "agency", c.agency, "error", err)
		return
	}
	_, rest, _ := strings.Cut(err.Error(), `"`)
	denied, _, _ := strings.Cut(rest, `"`)
	var hit []*Pending
	c.mu.Lock()
	for _, p := range c.flying {
		if p.subject == denied {
			hit = append(hit, p)
		}
	}
	c.mu.Unlock()
	for _, p := range hit {
		c.settle(p, Ack{}, fmt.Errorf("publish %s on %s: %w", p.report.ID, denied, ErrNotPermitted))
	}
}
