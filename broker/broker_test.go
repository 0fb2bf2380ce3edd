package broker_test

import (
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker/brokertest"
)

func TestStart(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"first", "second"} {
		began := time.Now()
		b := brokertest.Start(t, brokertest.Dir(dir))
		t.Logf("%s start took %s", name, time.Since(began))
		if err := b.Health(); err != nil {
			t.Fatal(err)
		}
		b.Close()
	}
}
