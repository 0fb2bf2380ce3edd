package broker_test

import (
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// T3: NATS checks no reply subject, so a reader can have the answer to what it
// may ask stored in REPORTS. That must not keep a guard from admitting, now or
// after a restart.
func TestAReadersReplyDoesNotStopAGuard(t *testing.T) {
	dir := t.TempDir()
	b := brokertest.Start(t, brokertest.Dir(dir))
	reader := brokertest.NewClient(t, brokertest.Credential(t, b, "feed-le", "le")).Conn()
	r, _ := b.Policy().Reader("feed-le")
	feed := subject.Reports + "." + subject.FeedConsumer(r.Name, r.Feeds[0].Name)
	agency := stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi")
	publish(t, agency, newReport("fbi"))
	for _, to := range []string{"report.le.cui.le.actual.incident.none.none.dea", "report.x", "orcon.none.y"} {
		for _, ask := range []string{"$JS.API.CONSUMER.MSG.NEXT." + feed, "$JS.API.CONSUMER.INFO." + feed} {
			if err := reader.PublishRequest(ask, to, []byte(`{"batch":1,"no_wait":true}`)); err != nil {
				t.Fatal(err)
			}
		}
		if err := reader.Flush(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
		publish(t, agency, newReport("fbi"))
	}
	if n := b.GuardMetrics("le").Foreign.Load(); n == 0 {
		t.Error("no foreign message was stored: this test tries nothing")
	}
	b.Close()
	b = brokertest.Start(t, brokertest.Dir(dir))
	publish(t, stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi"), newReport("fbi"))
}
