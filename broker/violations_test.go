package broker_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/violation"
)

// recorded reads what a broker recorded of a cell, as the command line does.
func recorded(t *testing.T, dir, cell string) []violation.Line {
	t.Helper()
	d, err := account.OpenDesk(filepath.Join(dir, "keys"), filepath.Join(dir, "data"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	key, err := d.ViolationKey(cell)
	if err != nil {
		t.Fatal(err)
	}
	b, err := violation.Read(broker.ViolationsFile(filepath.Join(dir, "data"), cell), cell, key)
	if err != nil {
		t.Fatal(err)
	}
	return b.Lines()
}

// tries publishes and subscribes, and waits until the server has refused.
func tries(t *testing.T, nc *nats.Conn, subjects ...string) {
	t.Helper()
	for _, s := range subjects {
		if err := nc.Publish(s, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := nc.FlushTimeout(30 * time.Second); err != nil {
		t.Fatal(err)
	}
}

func tried(lines []violation.Line, principal, subject string) uint64 {
	for _, l := range lines {
		if l.Principal == principal && l.Subject == subject {
			return l.Count
		}
	}
	return 0
}

// T18: what was refused is recorded where the label of whoever tried it is. Of
// a reader of a higher cell, who tries something in a lower one, the lower one
// learns nothing: no line, no count.
func TestViolationsStayWithinTheirLabel(t *testing.T) {
	dir := t.TempDir()
	b := brokertest.Start(t, brokertest.Dir(dir), brokertest.WithoutGuards())
	const canary = "plot.against.the.dam"
	before := b.Violations("le")
	above := brokertest.Connect(t, b, "watch-noc", "le") // cleared for fused
	tries(t, above, canary)
	if _, err := above.SubscribeSync(canary + ".>"); err != nil {
		t.Fatal(err)
	}
	tries(t, above, canary)
	tries(t, brokertest.Connect(t, b, "worker/fused", "le"), canary)
	if got := b.Violations("le"); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Errorf("le counts %v, before %v", got, before)
	}
	tries(t, brokertest.Connect(t, b, "fbi", "le"), "submit.actual.sar.ms.28049.dea")
	tries(t, brokertest.Connect(t, b, "watch-le", "le"), "$JS.API.STREAM.NAMES")
	if got := b.Violations("le")["publish"]; got != 2 {
		t.Errorf("le counts %d, want 2", got)
	}
	b.Close()
	le, fused := recorded(t, dir, "le"), recorded(t, dir, "fused")
	if len(le) != 2 || tried(le, "agency/fbi", "submit.actual.sar.ms.28049.dea") != 1 || tried(le, "reader/watch-le", "$JS.API.STREAM.NAMES") != 1 {
		t.Errorf("le has %+v", le)
	}
	if tried(fused, "reader/watch-noc", canary) != 2 || tried(fused, "reader/watch-noc", canary+".>") != 1 || tried(fused, "worker/fused", canary) != 1 {
		t.Errorf("fused has %+v", fused)
	}
	for _, l := range fused {
		if l.Cell != "le" || l.Key == "" || l.First.IsZero() || l.Last.Before(l.First) {
			t.Errorf("a line that does not say where and when: %+v", l)
		}
	}
	err := filepath.WalkDir(broker.ViolationsDir(filepath.Join(dir, "data")), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte("plot")) || bytes.Contains(data, []byte("fbi")) {
			t.Errorf("%s holds it in clear", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A flood of refused attempts fills neither memory, disk nor log, and hides
// nobody; counts go on after a restart.
func TestAFloodOfViolations(t *testing.T) {
	dir := t.TempDir()
	core, logs := observer.New(zap.WarnLevel)
	start := func() *broker.Broker {
		return brokertest.Start(t, brokertest.Policy(twoCells(t)), brokertest.Dir(dir), brokertest.WithoutGuards(), brokertest.With(func(c *broker.Config) { c.Log = zap.New(core) }))
	}
	b := start()
	tries(t, brokertest.Connect(t, b, "cisa", "le"), "what.cisa.tried")
	const flood = 5000
	var subjects []string
	for i := range flood {
		subjects = append(subjects, fmt.Sprintf("flood.%d.%s", i, strings.Repeat("x", i%200)))
	}
	began := time.Now()
	tries(t, brokertest.Connect(t, b, "fbi", "le"), subjects...)
	lines := logs.FilterMessage("permission denied").Len()
	if most := 30 + int(time.Since(began)/time.Second); lines > most || lines == 0 {
		t.Errorf("%d lines in the log of %d refusals", lines, flood)
	}
	b.Close()
	b = start()
	tries(t, brokertest.Connect(t, b, "cisa", "le"), "what.cisa.tried")
	b.Close()
	got := recorded(t, dir, "le")
	if n := tried(got, "agency/cisa", "what.cisa.tried"); n != 2 {
		t.Errorf("before the flood and after the restart: %d, want 2", n)
	}
	var count uint64
	for _, l := range got {
		if l.Principal == "agency/fbi" {
			count += l.Count
		}
	}
	if count != flood || len(got) > 30 {
		t.Errorf("%d of %d in %d lines", count, flood, len(got))
	}
	info, err := os.Stat(broker.ViolationsFile(filepath.Join(dir, "data"), "le"))
	if err != nil || info.Size() > 64<<10 {
		t.Errorf("the record takes %v, %v", info, err)
	}
}

// Refused sign-ins are recorded for who holds the keys; a record that cannot be
// read is put aside, and recording goes on.
func TestRefusedSignInsAreRecorded(t *testing.T) {
	o := newOffice(t)
	bad := o.issue(fbi)
	o.inForce(o.desk.Revoke(account.Selection{Key: keyOf(t, bad)}, time.Now(), because))
	path := broker.ViolationsFile(filepath.Join(o.dir, "data"), "")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("no record"), 0o600); err != nil {
		t.Fatal(err)
	}
	signsIn(t, bad, false, "revoked")
	if nc, err := nats.Connect(bad.URL); err == nil {
		nc.Close()
		t.Error("nobody signs in")
	}
	o.broker.Close()
	lines := recorded(t, o.dir, "")
	found := false
	for _, l := range lines {
		found = found || l.Principal == "address/127.0.0.1" && l.Action == "sign-in" && l.Key == keyOf(t, bad)
	}
	if !found || len(lines) != 2 {
		t.Errorf("recorded %+v, want the revoked one and nobody", lines)
	}
	if _, err := os.Stat(path + ".damaged"); err != nil {
		t.Error("what could not be read is not put aside")
	}
	if len(recorded(t, o.dir, "le")) != 0 {
		t.Error("a refused sign-in stands in the record of a cell")
	}
}

// What a client calls itself is printed in front of the server's line, as part of
// its format: it neither hides what was tried nor has it stand for somebody else.
func TestANameHidesNoViolation(t *testing.T) {
	dir := t.TempDir()
	core, logs := observer.New(zap.WarnLevel)
	b := brokertest.Start(t, brokertest.Dir(dir), brokertest.WithoutGuards(), brokertest.With(func(c *broker.Config) { c.Log = zap.New(core) }))
	victim := brokertest.Credential(t, b, "watch-noc", "le") // cleared for fused
	claims, err := jwt.DecodeUserClaims(victim.JWT)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{
		"%s", "%[1]999999s%[1]999999s", "%!", `\`, `"`, "Publish Violation - Subject ", "authentication error",
		`"` + claims.IssuerAccount + "/le/jwt:" + keyOf(t, victim),
	}
	for i, name := range names {
		who := brokertest.Credential(t, b, "fbi", "le")
		nc, err := nats.Connect(who.URL, append(who.Options(), nats.Name(name))...)
		if err != nil {
			t.Fatal(err)
		}
		tries(t, nc, fmt.Sprintf("named.%d", i))
		nc.Close()
	}
	above := brokertest.Dial(t, victim)
	tries(t, above, "plot.against.the.dam")
	b.Close()
	le := recorded(t, dir, "le")
	for i, name := range names {
		if tried(le, "agency/fbi", fmt.Sprintf("named.%d", i)) != 1 {
			t.Errorf("name %q hides what was tried", name)
		}
	}
	if len(le) != len(names) || len(recorded(t, dir, "")) != 0 {
		t.Errorf("le has %+v, the holder of the keys %+v", le, recorded(t, dir, ""))
	}
	if tried(recorded(t, dir, "fused"), "reader/watch-noc", "plot.against.the.dam") != 1 {
		t.Error("what was tried stands for somebody else")
	}
	for _, l := range logs.All() {
		if l.Message != "permission denied" {
			t.Errorf("in the log: %s %.300v", l.Message, l.ContextMap())
		}
	}
}
