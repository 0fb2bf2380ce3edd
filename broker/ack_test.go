package broker_test

import (
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// T2, T22: an acknowledgement may ask for the next message ("+NXT"). The right
// to acknowledge in the second form must not fit the first form of another's
// consumer: $JS.ACK.*.*.STREAM.MINE.> fits $JS.ACK.STREAM.OTHERS.STREAM.MINE.1.1.1.
func TestAnAcknowledgementReachesOnlyItsOwnConsumer(t *testing.T) {
	b := brokertest.Start(t)
	js := stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi")
	sent := newReport("fbi")
	sent.Label.Controls, sent.Label.OrconCells = []wf.Control{wf.Control_CONTROL_ORCON}, []string{"fused-s"}
	publish(t, js, sent)
	k := brokertest.NewClient(t, brokertest.Credential(t, b, "watch-noc", "le")).Conn()
	mine := subject.FeedConsumer("watch-noc", "all")
	others := subject.WorkerConsumer("le", wf.Status_STATUS_ACTUAL, subject.Controlled)
	inbox := k.NewInbox()
	sub, err := k.SubscribeSync(inbox)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(s string) bool {
		t.Helper()
		if err := k.PublishRequest(s, inbox, []byte("+NXT")); err != nil {
			t.Fatal(err)
		}
		m, err := sub.NextMsg(300 * time.Millisecond)
		return err == nil && contains(m.Data, sent.Id)
	}
	if ask("$JS.ACK." + subject.Reports + "." + others + "." + subject.Reports + "." + mine + ".1.1.1") {
		t.Errorf("watch-noc, which the report does not name, pulls it from %s", others)
	}
	// The same request to the same consumer with rights: it is not misspelt.
	root := brokertest.Start(t, brokertest.Root())
	publish(t, stock(t, brokertest.Credential(t, root, "fbi", "le"), "fbi"), sent)
	k = brokertest.NewClient(t, brokertest.AsRoot(t, root, "le")).Conn()
	inbox = k.NewInbox()
	if sub, err = k.SubscribeSync(inbox); err != nil {
		t.Fatal(err)
	}
	if !ask("$JS.ACK." + subject.Reports + "." + others + "." + subject.Reports + "." + mine + ".1.1.1") {
		t.Error("with all rights the request gets nothing: this test tries nothing")
	}
}
