package brokertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Call is one thing a client may try. Numbers are those of the traps that
// account/DESIGN.md lists.
type Call struct {
	Trap string
	// Subject to publish or request on, or to subscribe to.
	Subject string
	Body    []byte
	// Subscribe tries a subscription instead.
	Subscribe bool
	// Silent: even when permitted nothing answers (an acknowledgement).
	Silent bool
	// Breaks: when permitted it destroys what later calls need, so it is not
	// made with rights.
	Breaks bool
}

func (c Call) String() string { return c.Trap + " " + c.Subject }

func object(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a literal of this file
	}
	return b
}

// Calls lists every call of traps T1 to T8 and T22 that reads, changes or
// disturbs what a cell stores, consumer being one that the broker provisioned
// there for somebody else, agency another agency's token, and inlet where a
// stream of the cell takes in.
func Calls(consumer, agency string, inlet func(stream string) subject.Inlet) []Call {
	const filter = "report.>"
	calls := []Call{
		{Trap: "T1", Subject: "$JS.API.INFO"},
		{Trap: "T1", Subject: "$JS.API.STREAM.NAMES"},
		{Trap: "T1", Subject: "$JS.API.STREAM.LIST"},
		{Trap: "T1", Subject: "$JS.API.STREAM.CREATE.COPY", Body: object(map[string]any{
			"name": "COPY", "retention": "limits", "storage": "memory", "max_consumers": -1, "max_msgs": -1, "max_bytes": -1, "num_replicas": 1,
			"discard": "old", "sources": []any{map[string]any{"name": subject.Reports}}})},
		{Trap: "T1", Subject: "$JS.API.STREAM.DELETE.COPY"},
		{Trap: "T2", Subject: "$JS.API.CONSUMER.CREATE." + subject.Reports + ".spy." + filter, Body: createConsumer("spy", filter)},
		{Trap: "T2", Subject: "$JS.API.CONSUMER.CREATE." + subject.Reports + ".spy2", Body: createConsumer("spy2", "")},
		{Trap: "T2", Subject: "$JS.API.CONSUMER.CREATE." + subject.Reports, Body: createConsumer("", "")},
		{Trap: "T2", Subject: "$JS.API.CONSUMER.DURABLE.CREATE." + subject.Reports + ".spy3", Body: object(map[string]any{
			"stream_name": subject.Reports, "config": map[string]any{"durable_name": "spy3", "ack_policy": "none", "deliver_policy": "all", "mem_storage": true}})},
		{Trap: "T2", Subject: "$JS.API.CONSUMER.MSG.NEXT." + subject.Reports + "." + consumer, Body: object(map[string]any{"batch": 1, "no_wait": true})},
		{Trap: "T2", Subject: "$JS.API.CONSUMER.NAMES." + subject.Reports},
		{Trap: "T2", Subject: "$JS.API.CONSUMER.LIST." + subject.Reports},
		{Trap: "T2", Subject: "$JS.API.CONSUMER.INFO." + subject.Reports + "." + consumer},
		{Trap: "T6", Subject: "_INBOX.>", Subscribe: true},
		{Trap: "T6", Subject: subject.InboxPrefix(agency, ">"), Subscribe: true},
		{Trap: "T6", Subject: subject.InboxPrefix("guard", ">"), Subscribe: true},
		{Trap: "T7", Subject: "submit.actual.incident.none.none." + agency, Silent: true},
		{Trap: "T7", Subject: "submit.>", Subscribe: true},
		{Trap: "T1", Subject: ">", Subscribe: true},
		{Trap: "T1", Subject: "report.>", Subscribe: true},
		{Trap: "T1", Subject: "inlet.>", Subscribe: true},
		{Trap: "T1", Subject: "$JS.EVENT.>", Subscribe: true},
		{Trap: "T1", Subject: "$SYS.>", Subscribe: true},
		{Trap: "T5", Subject: "live.actual.frame.0", Silent: true},
		{Trap: "T5", Subject: subject.Seats[0].Ask(wf.Status_STATUS_ACTUAL), Subscribe: true},
		{Trap: "T5", Subject: subject.Seats[1].Beat(wf.Status_STATUS_ACTUAL), Subscribe: true},
		{Trap: "T5", Subject: subject.Seats[0].Ask(wf.Status_STATUS_ACTUAL), Silent: true},
		{Trap: "T5", Subject: subject.Seats[0].Beat(wf.Status_STATUS_ACTUAL), Body: []byte("leads"), Silent: true},
		{Trap: "T5", Subject: inlet(subject.SnapshotStream(wf.Status_STATUS_ACTUAL)).Of(subject.Frame(wf.Status_STATUS_ACTUAL, 1)), Body: []byte("forged")},
		{Trap: "T4", Subject: inlet(subject.Reports).Of("report.none.u.open.actual.incident.none.none." + agency), Body: []byte("forged")},
		{Trap: "T8", Subject: "$JS.API.CONSUMER.RESET." + subject.Reports + "." + consumer, Body: object(map[string]any{"seq": 1})},
		{Trap: "T8", Subject: "$JS.API.CONSUMER.PAUSE." + subject.Reports + "." + consumer, Body: []byte(`{}`)},
		{Trap: "T8", Subject: "$JS.API.CONSUMER.UNPIN." + subject.Reports + "." + consumer, Body: object(map[string]any{"group": "a"})},
		{Trap: "T22", Subject: "$JS.ACK." + subject.Reports + "." + consumer + ".1.1.1.1.0", Body: []byte("+ACK"), Silent: true},
		{Trap: "T22", Subject: "$JS.ACK._.x." + subject.Reports + "." + consumer + ".1.1.1.1.0.r", Body: []byte("+ACK"), Silent: true},
		{Trap: "T22", Subject: "$JS.FC." + subject.Reports + ".x", Silent: true},
	}
	for _, stream := range []string{subject.Reports, subject.Refusals, subject.SnapshotStream(wf.Status_STATUS_ACTUAL)} {
		calls = append(calls, streamCalls(stream)...)
	}
	return append(calls,
		Call{Trap: "T8", Subject: "$JS.API.DIRECT.GET." + subject.SnapshotStream(wf.Status_STATUS_ACTUAL), Body: object(map[string]any{"seq": 1})},
		Call{Trap: "T8", Subject: "$JS.API.CONSUMER.DELETE." + subject.Reports + "." + consumer, Breaks: true},
	)
}

func streamCalls(stream string) []Call {
	return []Call{
		{Trap: "T8", Subject: "$JS.API.STREAM.INFO." + stream, Body: object(map[string]any{"subjects_filter": ">"})},
		{Trap: "T8", Subject: "$JS.API.STREAM.MSG.GET." + stream, Body: object(map[string]any{"seq": 1})},
		{Trap: "T8", Subject: "$JS.API.STREAM.UPDATE." + stream, Body: object(map[string]any{"name": "OTHER"})},
		{Trap: "T8", Subject: "$JS.API.STREAM.SNAPSHOT." + stream, Body: object(map[string]any{"deliver_subject": "x.y"})},
		{Trap: "T8", Subject: "$JS.API.STREAM.RESTORE." + stream, Body: object(map[string]any{"config": map[string]any{"name": stream}})},
		{Trap: "T8", Subject: "$JS.API.STREAM.MSG.DELETE." + stream, Body: object(map[string]any{"seq": 1 << 40})},
		{Trap: "T8", Subject: "$JS.API.STREAM.PURGE." + stream, Body: object(map[string]any{"filter": "nothing.here"})},
		{Trap: "T8", Subject: "$JS.API.STREAM.DELETE." + stream, Breaks: true},
	}
}

func createConsumer(name, filter string) []byte {
	cfg := map[string]any{"ack_policy": "none", "deliver_policy": "all", "mem_storage": true, "inactive_threshold": int64(10 * time.Second)}
	if name != "" {
		cfg["name"] = name
	}
	if filter != "" {
		cfg["filter_subject"] = filter
	}
	return object(map[string]any{"stream_name": subject.Reports, "config": cfg})
}

// Client makes calls with one credential and hears what is refused.
type Client struct {
	nc     *nats.Conn
	denied chan string
}

// NewClient signs in over TCP with its own inbox.
func NewClient(t testing.TB, c account.Credential) *Client {
	t.Helper()
	k := &Client{denied: make(chan string, 256)}
	nc, err := nats.Connect(c.URL, append(c.Options(), nats.Timeout(30*time.Second), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrPermissionViolation) {
			k.denied <- err.Error()
		}
	}))...)
	if err != nil {
		t.Fatalf("connect as %s in %s: %v", c.Principal, c.Cell, err)
	}
	t.Cleanup(nc.Close)
	k.nc = nc
	return k
}

// Conn is the client's connection.
func (k *Client) Conn() *nats.Conn { return k.nc }

// Try makes a call. It says whether the server refused it, and what came back.
func (k *Client) Try(c Call) (denied bool, answer []byte, err error) {
	for len(k.denied) > 0 {
		<-k.denied
	}
	if c.Subscribe {
		sub, err := k.nc.SubscribeSync(c.Subject)
		if err != nil {
			return false, nil, err
		}
		defer func() { _ = sub.Unsubscribe() }() // of a refused one there is nothing to end
		return k.settled(c, nil)
	}
	inbox := k.nc.NewInbox()
	sub, err := k.nc.SubscribeSync(inbox)
	if err != nil {
		return false, nil, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := k.nc.PublishRequest(c.Subject, inbox, c.Body); err != nil {
		return false, nil, err
	}
	return k.settled(c, sub)
}

// settled waits until the server has taken the call: a refusal is written to
// the connection before the answer to the ping that follows.
func (k *Client) settled(c Call, sub *nats.Subscription) (bool, []byte, error) {
	if err := k.nc.FlushTimeout(30 * time.Second); err != nil {
		return false, nil, err
	}
	deadline := time.After(2 * time.Second)
	for {
		select {
		case text := <-k.denied:
			if strings.Contains(text, `"`+c.Subject+`"`) {
				return true, nil, nil
			}
			continue
		case <-time.After(30 * time.Millisecond):
		case <-deadline:
			return false, nil, fmt.Errorf("%s: neither refused nor answered", c)
		}
		if sub == nil || c.Silent {
			return false, nil, nil
		}
		if m, err := sub.NextMsg(10 * time.Millisecond); err == nil {
			return false, append([]byte(fmt.Sprint(m.Header)), m.Data...), nil
		}
	}
}

// Refused holds that a credential is refused each call, and that the same call
// is not refused to one with rights: so no call passes because it is
// misspelt. It returns how many calls it made with the credential.
func Refused(t testing.TB, b *broker.Broker, c account.Credential, calls []Call) int {
	t.Helper()
	weak, strong := NewClient(t, c), NewClient(t, AsRoot(t, b, c.Cell))
	for _, call := range calls {
		denied, answer, err := weak.Try(call)
		if err != nil {
			t.Errorf("%s in %s, %s: %v", c.Principal, c.Cell, call, err)
		} else if !denied {
			t.Errorf("%s in %s may %s: got %.200q", c.Principal, c.Cell, call, answer)
		}
		if call.Breaks {
			continue
		}
		denied, _, err = strong.Try(call)
		if err != nil || denied {
			t.Errorf("with all rights in %s, %s: refused %v, error %v; want it to work", c.Cell, call, denied, err)
		}
	}
	return len(calls)
}

// Hears holds that nothing a credential can receive contains any of the
// secrets: it makes every call, keeps what comes back, and listens to all it
// may subscribe to.
func Hears(t testing.TB, c account.Credential, calls []Call, secrets ...string) {
	t.Helper()
	k := NewClient(t, c)
	for _, call := range calls {
		if call.Breaks {
			continue
		}
		_, answer, err := k.Try(call)
		if err != nil {
			t.Errorf("%s in %s, %s: %v", c.Principal, c.Cell, call, err)
		}
		for _, s := range secrets {
			if bytes.Contains(answer, []byte(s)) {
				t.Errorf("%s in %s learns %q by %s", c.Principal, c.Cell, s, call)
			}
		}
	}
}
