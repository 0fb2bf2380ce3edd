package broker_test

import (
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/proof"
)

func TestTheShippedPolicyIsTight(t *testing.T) {
	w, err := broker.Compile(policy.Default())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	p := proof.Prove(w)
	t.Logf("proved in %s", time.Since(began))
	for i, l := range p.Leaks {
		if i < 20 {
			t.Error(l)
		}
	}
	t.Log(len(p.Leaks))
	if len(p.Standings) < 80 {
		t.Errorf("looked at %d standings, want at least 80", len(p.Standings))
	}
}
