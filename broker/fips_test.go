package broker_test

import (
	"context"
	"crypto/fips140"
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/proto/transport"
)

// T16: in FIPS mode an agency enters over mTLS and publishes, what is stored is
// there after a change of keys, and what is not approved is not spoken. The
// mode is a process's: this test runs itself in one of its own.
func TestBrokerUnderFIPS(t *testing.T) {
	if !fips140.Enabled() {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestBrokerUnderFIPS$", "-test.v")
		c.Env = append(os.Environ(), "GODEBUG=fips140=on")
		if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestBrokerUnderFIPS") {
			t.Fatalf("with GODEBUG=fips140=on: %v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	certs := brokertest.NewCerts(t)
	b := brokertest.Start(t, brokertest.Dir(dir), brokertest.Root(), certs.Outside())
	pd := brokertest.Credential(t, b, "jackson-pd", "le")
	own := certs.Issue("jackson-pd", nil)
	nc, err := outside(b, pd, client(t, own))
	if err != nil {
		t.Fatal(err)
	}
	state, err := nc.TLSConnectionState()
	if err != nil {
		t.Fatal(err)
	}
	if approved := []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384}; !slices.Contains(approved, state.CipherSuite) {
		t.Errorf("spoken: %s", tls.CipherSuiteName(state.CipherSuite))
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	publish(t, js, newReport("jackson-pd"))
	alone := client(t, own)
	alone.CurvePreferences = []tls.CurveID{tls.X25519}
	if nc, err := outside(b, pd, alone); err == nil {
		nc.Close()
		t.Error("X25519 by itself was spoken")
	}
	if nc, err := outside(b, pd, client(t, transport.Files{CA: own.CA})); err == nil {
		nc.Close()
		t.Error("let in without a certificate")
	}
	want := stored(t, b)
	b.Close()
	if _, err := broker.RotateStoreKey(filepath.Join(dir, "data"), filepath.Join(dir, "keys"), nil); err != nil {
		t.Fatal(err)
	}
	b = brokertest.Start(t, brokertest.Dir(dir), brokertest.Root())
	if d := cmp.Diff(want, stored(t, b)); d != "" || len(want) == 0 {
		t.Errorf("after a change of keys: %d, %s", len(want), d)
	}
}
