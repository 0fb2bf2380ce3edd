package broker_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
)

// A token that has ended does not begin again because the clock was set back.
func TestAnEndedTokenStaysEnded(t *testing.T) {
	var off atomic.Int64
	b := brokertest.Start(t, brokertest.WithoutGuards(), brokertest.With(func(c *broker.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(off.Load())) }
	}))
	token, _, err := b.IssueToken("watch-le", "le", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		off   time.Duration
		valid bool
	}{{0, true}, {-24 * time.Hour, true}, {30 * time.Minute, true}, {2 * time.Hour, false}, {0, false}, {-24 * time.Hour, false}} {
		off.Store(int64(step.off))
		if _, err := b.VerifyToken("le", token); (err == nil) != step.valid {
			t.Errorf("clock off by %s: valid %v, want %v (%v)", step.off, err == nil, step.valid, err)
		}
	}
}
