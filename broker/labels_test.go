package broker_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/policy"
)

// A cell keeps its label over restarts: what it stores was admitted under it.
func TestACellIsNotRelabelledOverARestart(t *testing.T) {
	const from, to = "label: {level: CUI, sides: [LE]}", "label: {level: CONFIDENTIAL, sides: [LE]}"
	dir := t.TempDir()
	options := func(p *policy.Policy) []brokertest.Option {
		return []brokertest.Option{brokertest.Dir(dir), brokertest.WithoutGuards(), brokertest.Policy(p)}
	}
	b := brokertest.Start(t, options(policy.Default())...)
	c := brokertest.Credential(t, b, "fbi", "le")
	b.Close()
	if _, err := broker.Open(t.Context(), brokertest.Config(t, options(edited(t, from, to))...)); !errors.Is(err, broker.ErrRelabelled) {
		t.Fatalf("a start with another label: got %v, want %v", err, broker.ErrRelabelled)
	}
	b = brokertest.Start(t, options(policy.Default())...)
	c.URL = b.ClientURL()
	if err := dial(c); err != nil {
		t.Errorf("the refused start cost a credential: %v", err)
	}
	b.Close()
	if err := os.WriteFile(filepath.Join(dir, "data", "LABELS"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := broker.Open(t.Context(), brokertest.Config(t, options(policy.Default())...)); err == nil {
		t.Error("a start with labels that cannot be read")
	}
}
