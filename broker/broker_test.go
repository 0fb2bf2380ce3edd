package broker_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/brokertest"
)

func contains(b []byte, s string) bool { return bytes.Contains(b, []byte(s)) }

// dial tries once to sign in over TCP.
func dial(c account.Credential) error {
	nc, err := nats.Connect(c.URL, append(c.Options(), nats.Timeout(30*time.Second), nats.MaxReconnects(0))...)
	if err == nil {
		nc.Close()
	}
	return err
}

func TestRestart(t *testing.T) {
	dir := t.TempDir()
	first := brokertest.Start(t, brokertest.Dir(dir))
	c := brokertest.Credential(t, first, "fbi", "le")
	if err := first.Health(); err != nil {
		t.Fatal(err)
	}
	first.Close()
	began := time.Now()
	second := brokertest.Start(t, brokertest.Dir(dir))
	t.Logf("second start took %s", time.Since(began))
	if err := second.Health(); err != nil {
		t.Fatal(err)
	}
	c.URL = second.ClientURL()
	if err := dial(c); err != nil {
		t.Errorf("a credential from before the restart: %v", err)
	}
	if _, err := second.Credential("fbi", "intel"); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("fbi in intel: got %v, want %v", err, account.ErrUnknown)
	}
}
