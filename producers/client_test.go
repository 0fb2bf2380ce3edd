package producers

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func sample(n int) *wf.Report {
	return &wf.Report{
		Id: "01890000-0000-7000-8000-00000000000" + string(rune('0'+n%10)), Revision: 1, Agency: "jackson-pd",
		Kind: wf.Kind_KIND_INCIDENT, Status: wf.Status_STATUS_EXERCISE, Places: []*wf.Place{{CountyFips: "28049", State: "MS"}},
		ReportTime: timestamppb.New(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)),
	}
}

func ack(seq uint64) string { return string(admission.Ack("REPORTS", seq, false, false)) }

func refusal(code admission.Code) string {
	var r admission.Reasons
	r.Add(code, "field", "message", "remedy")
	return string(admission.Refuse(r))
}

func connect(t *testing.T, s *script, opts ...Option) *Client {
	t.Helper()
	c, err := Connect(t.Context(), s.url(), "jackson-pd", append([]Option{WithAttempt(100 * time.Millisecond)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Whatever goes wrong on the way, the same bytes are sent again until they are acknowledged.
func TestSendsAgainUntilAcknowledged(t *testing.T) {
	for name, trouble := range map[string]string{
		"no answer": "", "no guard": noResponders, "lost connection": hangUp, "unavailable": refusal(admission.Unavailable),
		"full": refusal(admission.StorageFull), "not an answer": "{}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScript(t, func(n int, _ published) string {
				if n <= 2 {
					return trouble
				}
				return ack(7)
			})
			got, err := connect(t, s).Publish(t.Context(), sample(1))
			if err != nil || got != (Ack{Sequence: 7}) {
				t.Fatalf("publish: %+v, %v", got, err)
			}
			seen := s.published()
			for _, p := range seen {
				if !bytes.Equal(p.data, seen[0].data) || p.subject != "submit.exercise.incident.ms.28049.jackson-pd" ||
					!strings.HasPrefix(p.reply, subject.InboxPrefix("jackson-pd", "main")+".") {
					t.Errorf("sent %d bytes on %s, reply %s", len(p.data), p.subject, p.reply)
				}
			}
			if len(seen) != 3 {
				t.Errorf("sent %d times, want 3", len(seen))
			}
		})
	}
}

func TestARefusalIsFinal(t *testing.T) {
	s := newScript(t, func(int, published) string { return refusal(admission.Conflict) })
	_, err := connect(t, s).Publish(t.Context(), sample(1))
	var refused *Refused
	if !errors.As(err, &refused) || !refused.Has(admission.Conflict) {
		t.Fatalf("publish: %v", err)
	}
	if !strings.Contains(err.Error(), "conflict at field: message (remedy)") {
		t.Errorf("error %q does not say what, where and what to do", err)
	}
	time.Sleep(300 * time.Millisecond)
	if n := len(s.published()); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

// Every acknowledgement goes to its own report, whatever the order of the answers.
func TestAnswersFindTheirReport(t *testing.T) {
	s := newScript(t, func(n int, _ published) string {
		if n%2 == 1 {
			return "" // answered at the second attempt, after the others
		}
		return ack(uint64(n))
	})
	c := connect(t, s)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if got, err := c.Publish(t.Context(), sample(i)); err != nil || got.Sequence%2 != 0 {
				t.Errorf("publish: %+v, %v", got, err)
			}
		})
	}
	wg.Wait()
}

// The window makes the caller wait; it drops nothing.
func TestAFullWindowWaits(t *testing.T) {
	release := make(chan struct{})
	s := newScript(t, func(n int, _ published) string {
		<-release
		return ack(uint64(n))
	})
	c := connect(t, s, WithWindow(2), WithAttempt(5*time.Second))
	for i := range 2 {
		if _, err := c.PublishAsync(t.Context(), sample(i)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.PublishAsync(ctx, sample(2)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("third of a window of two: %v, want that it waits", err)
	}
	close(release)
	if _, err := c.Publish(t.Context(), sample(3)); err != nil {
		t.Fatal(err)
	}
	// The third was never sent, and Drain says so.
	var un *Unacknowledged
	if err := c.Drain(t.Context()); !errors.As(err, &un) || len(un.Reports) != 1 || un.Reports[0].Report.ID != sample(2).Id {
		t.Errorf("drain: %v", err)
	}
}

// Drain ends with its context and names what is still on its way.
func TestDrainNamesWhatIsNotAcknowledged(t *testing.T) {
	s := newScript(t, func(n int, _ published) string {
		if n == 1 {
			return ack(1)
		}
		return ""
	})
	c := connect(t, s)
	for i := range 3 {
		if _, err := c.PublishAsync(t.Context(), sample(i)); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	var un *Unacknowledged
	if err := c.Drain(ctx); !errors.As(err, &un) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("drain: %v", err)
	}
	if len(un.Reports) != 2 || un.Reports[0].Report.ID != sample(1).Id || un.Reports[1].Report.ID != sample(2).Id {
		t.Errorf("not acknowledged: %+v, want the second and third", un.Reports)
	}
}

// Nobody answers for the whole window: the caller is told how long and why.
func TestGivesUpAfterTheRetryWindow(t *testing.T) {
	s := newScript(t, func(int, published) string { return "" })
	full := newScript(t, func(int, published) string { return refusal(admission.StorageFull) })
	silent, busy := connect(t, s), connect(t, full)
	// Shorter than WithRetry allows, so that the test is.
	silent.set.retry, busy.set.retry = time.Second, time.Second
	if _, err := silent.Publish(t.Context(), sample(1)); !errors.Is(err, ErrUnreachable) || errors.Is(err, ErrUnavailable) {
		t.Errorf("silent: %v, want %v", err, ErrUnreachable)
	}
	if _, err := busy.Publish(t.Context(), sample(1)); !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrUnreachable) {
		t.Errorf("full: %v, want %v", err, ErrUnavailable)
	}
}

func TestCloseTellsTheWaiting(t *testing.T) {
	s := newScript(t, func(int, published) string { return "" })
	c := connect(t, s)
	p, err := c.PublishAsync(t.Context(), sample(1))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if _, err := p.Wait(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("waiting: %v, want %v", err, ErrClosed)
	}
	if _, err := c.Publish(t.Context(), sample(2)); !errors.Is(err, ErrClosed) {
		t.Errorf("publish after close: %v, want %v", err, ErrClosed)
	}
	c.Close()
	select {
	case <-c.Closed():
	default:
		t.Error("not closed")
	}
}

// What has no subject never leaves, and the reasons say what is missing.
func TestAReportWithoutSubjectIsRefusedHere(t *testing.T) {
	s := newScript(t, func(int, published) string { return ack(1) })
	c := connect(t, s)
	for name, edit := range map[string]func(*wf.Report){
		"no kind":        func(r *wf.Report) { r.Kind = 0 },
		"no status":      func(r *wf.Report) { r.Status = 0 },
		"no such county": func(r *wf.Report) { r.Places[0].CountyFips = "1.2" },
		"other agency":   func(r *wf.Report) { r.Agency = "fbi" },
		"not UTF-8":      func(r *wf.Report) { r.Title = "\xff" },
		"too large":      func(r *wf.Report) { r.Narrative = strings.Repeat("a", 1<<20) },
	} {
		r := sample(1)
		edit(r)
		var refused *Refused
		if _, err := c.Publish(t.Context(), r); !errors.As(err, &refused) || len(refused.Reasons) == 0 {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
	}
	if n := len(s.published()); n != 0 {
		t.Errorf("%d were sent", n)
	}
}

func TestOptionsThatCannotBeHonoured(t *testing.T) {
	for name, o := range map[string]Option{
		"no file": WithCredentials("/nonexistent.creds"), "no JWT": WithJWT("a.b", "seed"), "a cell that is no word": WithCell("Cell One"),
		"no window": WithWindow(0), "a short retry": WithRetry(time.Second), "no attempt": WithAttempt(0), "no logger": WithLogger(nil),
		"no TLS": WithTLS(nil), "a certificate without key": WithTLSFiles("", "cert.pem", ""), "an authority that is not there": WithTLSFiles("/nonexistent.pem", "", ""),
	} {
		if _, err := Connect(t.Context(), "nats://127.0.0.1:1", "jackson-pd", o); err == nil || errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v, want an error before connecting", name, err)
		}
	}
	for _, agency := range []string{"", "Jackson PD", "a.b", "*", ">"} {
		if _, err := Connect(t.Context(), "nats://127.0.0.1:1", agency); err == nil || errors.Is(err, ErrUnreachable) {
			t.Errorf("agency %q: %v", agency, err)
		}
	}
}
