package broker_test

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const secret = "CANARY-9f3c"

// plant stores a report, a refusal and a frame that say the secret in a cell.
func plant(t *testing.T, b *broker.Broker, cell string) {
	t.Helper()
	js, err := jetstream.New(brokertest.Dial(t, brokertest.AsRoot(t, b, cell)))
	if err != nil {
		t.Fatal(err)
	}
	for stream, s := range map[string]string{
		subject.Reports:  "report.intel.ts." + cell + ".actual.incident.none.none.canary-9f3c",
		subject.Refusals: subject.Refusal(cell, "canary-9f3c"),
		subject.SnapshotStream(wf.Status_STATUS_ACTUAL): subject.Frame(wf.Status_STATUS_ACTUAL, 1),
	} {
		if _, err := js.Publish(context.Background(), b.Inlet(cell, stream).Of(s), []byte(secret)); err != nil {
			t.Fatalf("plant in %s on %s: %v", cell, s, err)
		}
	}
}

// Everything an LE credential can try, in its own cell and against the others.
func TestWalls(t *testing.T) {
	b := brokertest.Start(t, brokertest.Root(), brokertest.WithoutGuards())
	for _, cell := range []string{"intel", "fused"} {
		plant(t, b, cell)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(secret))
	for _, principal := range []string{"fbi", "watch-le", "feed-le", "api", "worker", "worker/fused", "guard"} {
		t.Run(principal, func(t *testing.T) {
			c := brokertest.Credential(t, b, principal, "le")
			calls := brokertest.Calls(subject.WorkerConsumer("le", wf.Status_STATUS_ACTUAL, subject.Open), "dea", func(s string) subject.Inlet { return b.Inlet("le", s) })
			if principal == "fbi" || principal == "watch-le" || principal == "feed-le" || principal == "api" {
				if n := brokertest.Refused(t, b, c, calls); n < 50 {
					t.Errorf("tried %d calls, want at least 50", n)
				}
			}
			brokertest.Hears(t, c, calls, secret, encoded, "canary-9f3c")
		})
	}
	t.Run("all rights in le", func(t *testing.T) {
		calls := brokertest.Calls(subject.WorkerConsumer("le", wf.Status_STATUS_ACTUAL, subject.Open), "dea", func(s string) subject.Inlet { return b.Inlet("le", s) })
		brokertest.Hears(t, brokertest.AsRoot(t, b, "le"), calls, secret, encoded, "canary-9f3c")
	})
	// The same search does find it where it is: the law above is not vacuous.
	k := brokertest.NewClient(t, brokertest.AsRoot(t, b, "intel"))
	_, answer, err := k.Try(brokertest.Call{Subject: "$JS.API.STREAM.INFO." + subject.Reports, Body: []byte(`{"subjects_filter":">"}`)})
	if err != nil || !contains(answer, "canary-9f3c") {
		t.Errorf("all rights in intel: got %.300q, %v; want the planted subject", answer, err)
	}
	_, answer, err = k.Try(brokertest.Call{Subject: "$JS.API.STREAM.MSG.GET." + subject.Reports, Body: []byte(`{"seq":1}`)})
	if err != nil || !contains(answer, encoded) {
		t.Errorf("all rights in intel: got %.300q, %v; want the planted report", answer, err)
	}
}

// T9: over TCP a foreign credential is refused by the server, and not let wait.
func TestForeignCredential(t *testing.T) {
	one := brokertest.Start(t, brokertest.WithoutGuards())
	two := brokertest.Start(t, brokertest.WithoutGuards())
	c := brokertest.Credential(t, one, "fbi", "le")
	c.URL = two.ClientURL()
	if err := dial(c); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("got %v, want %v", err, nats.ErrAuthorization)
	}
}
