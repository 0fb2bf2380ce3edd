package broker_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// One agency's refusals push out its own oldest records and never another's:
// neither by their number, nor by their size, nor by a subject that makes no sense.
func TestRefusalsOfOneAgencyKeepThoseOfAnother(t *testing.T) {
	b := brokertest.Start(t, brokertest.Root())
	victim := brokertest.Connect(t, b, "dea", "le")
	if _, err := victim.Request("submit.actual.sar.ms.28049.dea", []byte("no report"), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	const flood = 2500
	flooder := brokertest.Connect(t, b, "fbi", "le")
	for i := range flood {
		county := "28049"
		if i%2 == 1 {
			county = "nonsense"
		}
		if err := flooder.Publish("submit.actual.sar.ms."+county+".fbi", []byte(strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := flooder.Flush(); err != nil {
		t.Fatal(err)
	}
	m := b.GuardMetrics("le")
	for deadline := time.Now().Add(60 * time.Second); m.Recorded.Load()+m.Unrecorded.Load() < flood+1; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d refusals of %d recorded after 60 s", m.Recorded.Load(), flood+1)
		}
	}
	if n := m.Unrecorded.Load(); n > 0 {
		t.Errorf("%d refusals have no record", n)
	}
	js, err := jetstream.New(brokertest.Dial(t, brokertest.AsRoot(t, b, "le")))
	if err != nil {
		t.Fatal(err)
	}
	s, err := js.Stream(t.Context(), subject.Refusals)
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.Info(t.Context(), jetstream.WithSubjectFilter(">"))
	if err != nil {
		t.Fatal(err)
	}
	of := info.State.Subjects
	if n := of[subject.Refusal("le", "dea")]; n != 1 {
		t.Errorf("%d records of dea, want the one that there was", n)
	}
	if n := of[subject.Refusal("le", "fbi")]; n <= flood/2 || n >= flood {
		t.Errorf("%d records of fbi: the flood of %d does not fill its quota, or counts as another's", n, flood)
	}
	if info.Config.MaxBytes > 0 {
		t.Errorf("the stream holds %d bytes at most, whoever's they are", info.Config.MaxBytes)
	}
}
