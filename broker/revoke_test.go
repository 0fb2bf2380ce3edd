package broker_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/register"
	"github.com/watchfloor/watchfloor/proto/subject"
)

var because = account.Reason{By: "op", Why: "laptop stolen"}

// twoCells is a policy whose broker starts fast.
func twoCells(t *testing.T, pairs ...string) *policy.Policy {
	t.Helper()
	shipped := string(policy.DefaultYAML())
	tail := shipped[strings.Index(shipped, "\nretention:"):strings.Index(shipped, "\nformats:")]
	text := `version: 1
cells:
  - {name: le, title: LE, label: {level: CUI, sides: [LE]}}
  - {name: intel, title: INTEL, label: {level: TOP SECRET, sides: [INTEL]}}
agencies:
  - name: fbi
    title: Bureau
    type: federal
    submit: [{cell: le, kinds: [sar], statuses: [actual]}, {cell: intel, kinds: [threat], statuses: [actual]}]
  - {name: cisa, title: Agency, type: federal, submit: [{cell: le, kinds: [sar], statuses: [actual]}]}
readers:
  - {name: watch-le, title: Officer, type: person, cells: [le], purpose: watch floor, feeds: [{name: all}]}
  - {name: feed-le, title: Service, type: service, cells: [le], purpose: analysis, feeds: [{name: all}]}
  - {name: watch-noc, title: Officer, type: person, cells: [intel], purpose: watch floor, feeds: [{name: all}]}
` + tail + "\nformats: []\nrevoked: []\n"
	p, err := policy.Parse([]byte(strings.NewReplacer(pairs...).Replace(text)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// office is what a process beside the broker works with.
type office struct {
	t      *testing.T
	dir    string
	broker *broker.Broker
	clerk  *account.Authority
	desk   *account.Desk
}

func newOffice(t *testing.T) *office {
	o := &office{t: t, dir: t.TempDir()}
	o.start()
	return o
}

func (o *office) start() {
	o.t.Helper()
	o.broker = brokertest.Start(o.t, brokertest.Policy(twoCells(o.t)), brokertest.Dir(o.dir), brokertest.WithoutGuards())
	o.reopen()
}

// reopen looks again as a new process would.
func (o *office) reopen() {
	o.t.Helper()
	keys, data := filepath.Join(o.dir, "keys"), filepath.Join(o.dir, "data")
	var err error
	if o.clerk, err = account.OpenIssuer(keys, data, twoCells(o.t), time.Now); err != nil {
		o.t.Fatal(err)
	}
	if o.desk, err = account.OpenDesk(keys, data, time.Now); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) issue(q account.Request) account.Credential {
	o.t.Helper()
	c, err := o.clerk.HandOut(q, account.Reason{By: "op"})
	if err != nil {
		o.t.Fatal(err)
	}
	c.URL = o.broker.ClientURL()
	return c
}

// inForce waits until the broker enforces what a receipt says.
func (o *office) inForce(r account.Receipt, err error) register.Entry {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(o.t.Context(), 30*time.Second)
	defer cancel()
	e, err := o.desk.Await(ctx, r.Seq)
	if err != nil {
		o.t.Fatal(err)
	}
	return e
}

func (o *office) state(key string) account.State {
	o.t.Helper()
	list, err := o.desk.List()
	if err != nil {
		o.t.Fatal(err)
	}
	for _, l := range list {
		if l.Key == key {
			return l.State
		}
	}
	return ""
}

func keyOf(t *testing.T, c account.Credential) string {
	t.Helper()
	key, err := c.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signsIn(t *testing.T, c account.Credential, want bool, when string) {
	t.Helper()
	if err := dial(c); (err == nil) != want {
		t.Errorf("%s: %s in %s, user %s: signs in %v, want %v (%v)", when, c.Principal, c.Cell, c.User, err == nil, want, err)
	}
}

var fbi = account.Request{Principal: account.Agency("fbi"), Cell: "le"}

// A revocation ends live connections, of that key and no other; it outlives
// restarts, and what was revoked can be renewed by nobody.
func TestRevoke(t *testing.T) {
	o := newOffice(t)
	bad, good := o.issue(fbi), o.issue(account.Request{Principal: fbi.Principal, Cell: "le", User: "other"})
	first, second, other := brokertest.Dial(t, bad), brokertest.Dial(t, bad), brokertest.Dial(t, good)
	e := o.inForce(o.desk.Revoke(account.Selection{Key: keyOf(t, bad)}, time.Now(), because))
	if e.Dropped != 2 {
		t.Errorf("the broker says that it ended %d connections, want 2", e.Dropped)
	}
	ended(t, first)
	ended(t, second)
	signsIn(t, bad, false, "revoked")
	signsIn(t, good, true, "not revoked")
	if !other.IsConnected() {
		t.Error("another credential of the agency was disconnected")
	}
	file, err := bad.Creds()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.clerk.Renew(file, time.Hour, because); !errors.Is(err, account.ErrRevoked) {
		t.Errorf("renewed: got %v, want %v", err, account.ErrRevoked)
	}
	if got := o.state(keyOf(t, bad)); got != account.Revoked {
		t.Errorf("the list says %q", got)
	}
	for range 2 {
		o.broker.Close()
		o.start()
		bad.URL, good.URL = o.broker.ClientURL(), o.broker.ClientURL()
		signsIn(t, bad, false, "after a restart")
		signsIn(t, good, true, "after a restart")
	}
	reload(t, o.broker, twoCells(t, "name: cisa", "name: atf"))
	signsIn(t, bad, false, "after a reload")
	signsIn(t, good, true, "after a reload")
}

// While no broker runs, a revocation is written and holds from the next start on.
func TestRevokeWhileStopped(t *testing.T) {
	o := newOffice(t)
	bad, stays := o.issue(fbi), o.issue(account.Request{Principal: account.Reader("watch-le"), Cell: "le"})
	signsIn(t, bad, true, "before")
	o.broker.Close()
	r, err := o.desk.Revoke(account.Selection{Key: keyOf(t, bad)}, time.Now(), because)
	if err != nil {
		t.Fatal(err)
	}
	o.start()
	o.inForce(r, nil)
	bad.URL, stays.URL = o.broker.ClientURL(), o.broker.ClientURL()
	signsIn(t, bad, false, "after the start")
	signsIn(t, stays, true, "after the start")
}

// Everything of an agency: what the register lists, what it does not, in every
// cell; others stay, and what is issued afterwards holds.
func TestRevokeEverythingOfAnAgency(t *testing.T) {
	o := newOffice(t)
	listed, elsewhere := o.issue(fbi), o.issue(account.Request{Principal: account.Agency("fbi"), Cell: "intel"})
	unlisted := brokertest.Credential(t, o.broker, "fbi", "le")
	stays := o.issue(account.Request{Principal: account.Agency("cisa"), Cell: "le"})
	lines := []*nats.Conn{brokertest.Dial(t, listed), brokertest.Dial(t, elsewhere), brokertest.Dial(t, unlisted)}
	other := brokertest.Dial(t, stays)
	if e := o.inForce(o.desk.RevokeAll("agency/fbi", "", because)); e.Dropped != len(lines) {
		t.Errorf("the broker says that it ended %d connections, want %d", e.Dropped, len(lines))
	}
	for _, nc := range lines {
		ended(t, nc)
	}
	if !other.IsConnected() {
		t.Error("another agency was disconnected")
	}
	o.reopen()
	anew := o.issue(fbi)
	for range 2 {
		for _, c := range []account.Credential{listed, elsewhere, unlisted} {
			c.URL = o.broker.ClientURL()
			signsIn(t, c, false, "revoked")
		}
		for _, c := range []account.Credential{stays, anew} {
			c.URL = o.broker.ClientURL()
			signsIn(t, c, true, "not revoked")
		}
		o.broker.Close()
		o.start()
	}
}

// A signing key that was rotated out signs nobody in any more, whoever holds
// it: neither what it signed nor what it signs later.
func TestRotatedSigningKey(t *testing.T) {
	o := newOffice(t)
	old := o.issue(fbi)
	stale := o.clerk // holds the old key in memory
	nc := brokertest.Dial(t, old)
	r, err := o.desk.Replace("", "le", because)
	o.inForce(r, err)
	if len(r.Revoked) != 1 || r.Revoked[0].Key != keyOf(t, old) {
		t.Errorf("to be issued again: %v, want the one", r.Revoked)
	}
	ended(t, nc)
	o.reopen()
	if got := o.state(keyOf(t, old)); got != account.Stopped {
		t.Errorf("the list says %q, want stopped", got)
	}
	forged, err := stale.Issue(fbi)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stale.HandOut(fbi, because); !errors.Is(err, account.ErrReplacing) {
		t.Errorf("a process with the old key hands out: got %v, want %v", err, account.ErrReplacing)
	}
	anew, elsewhere := o.issue(fbi), o.issue(account.Request{Principal: fbi.Principal, Cell: "intel"})
	file, err := old.Creds()
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := o.clerk.Renew(file, time.Hour, because)
	if err != nil {
		t.Fatalf("the same key under the new signing key: %v", err)
	}
	for range 2 {
		url := o.broker.ClientURL()
		old.URL, forged.URL, anew.URL, elsewhere.URL, renewed.URL = url, url, url, url, url
		signsIn(t, old, false, "signed before")
		signsIn(t, forged, false, "signed by the old key afterwards")
		signsIn(t, anew, true, "signed by the new key")
		signsIn(t, renewed, true, "renewed by the new key")
		signsIn(t, elsewhere, true, "of another cell")
		o.broker.Close()
		o.start()
	}
}

// Accounts that the operator's old signing key signed are worth nothing once it
// is replaced; credentials hold on. It takes the operator's own key, and that
// no broker runs.
func TestRotatedOperatorKey(t *testing.T) {
	o := newOffice(t)
	c := o.issue(fbi)
	keys, data := filepath.Join(o.dir, "keys"), filepath.Join(o.dir, "data")
	old, err := os.ReadFile(filepath.Join(keys, "keyring.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := account.RotateOperator(keys, data, ""); !errors.Is(err, account.ErrHeld) {
		t.Errorf("while a broker runs: got %v, want %v", err, account.ErrHeld)
	}
	o.broker.Close()
	another := filepath.Join(t.TempDir(), "another.nk")
	if err := os.WriteFile(another, []byte(c.Seed), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := account.RotateOperator(keys, data, another); !errors.Is(err, account.ErrOperator) {
		t.Errorf("with another's key: got %v, want %v", err, account.ErrOperator)
	}
	if err := account.RotateOperator(keys, data, ""); err != nil {
		t.Fatal(err)
	}
	o.start()
	c.URL = o.broker.ClientURL()
	signsIn(t, c, true, "after the rotation")
	o.broker.Close()
	whole, err := os.ReadFile(filepath.Join(keys, "keyring.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(keys, "keyring.json"), old, 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := broker.Open(t.Context(), brokertest.Config(t, brokertest.Policy(twoCells(t)), brokertest.Dir(o.dir), brokertest.WithoutGuards())); err == nil {
		b.Close()
		t.Error("a broker runs with accounts that the old key signs")
	}
	if err := os.WriteFile(filepath.Join(keys, "keyring.json"), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	o.start()
}

// A revocation from a time ahead lets both keys in until then.
func TestOverlap(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	old, next := o.issue(fbi), o.issue(fbi)
	nc, stays := brokertest.Dial(t, old), brokertest.Dial(t, next)
	at := time.Now().Add(1500 * time.Millisecond)
	o.inForce(o.desk.Revoke(account.Selection{Key: keyOf(t, old)}, at, because))
	if err := dial(old); err != nil && time.Now().Before(at) {
		t.Errorf("before its time: %v", err)
	}
	if got := o.state(keyOf(t, old)); got != account.Ending && time.Now().Before(at) {
		t.Errorf("before its time the list says %q", got)
	}
	ended(t, nc)
	if time.Now().Before(at) {
		t.Error("it ended before its time")
	}
	signsIn(t, old, false, "after the overlap")
	if !stays.IsConnected() {
		t.Error("the new key was disconnected")
	}
}

// What ends by itself is disconnected at its end; a client that was given a
// file finds the renewed one there, and goes on.
func TestEndAndRenewal(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	short := fbi
	short.Lifetime = 8 * time.Second // what comes before its end takes some 50 ms, of a slow disk seconds
	c, gone := o.issue(short), o.issue(short)
	path := filepath.Join(t.TempDir(), "fbi.creds")
	text, err := c.Creds()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	again := make(chan struct{}, 8)
	nc, err := nats.Connect(c.URL, nats.UserCredentials(path), nats.CustomInboxPrefix(c.InboxPrefix), nats.ReconnectWait(20*time.Millisecond), nats.MaxReconnects(-1),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), nats.ReconnectHandler(func(*nats.Conn) { again <- struct{}{} }))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	left := brokertest.Dial(t, gone)
	renewed, err := o.clerk.Renew(text, time.Hour, because)
	if err != nil {
		t.Fatal(err)
	}
	if err := renewed.Replace(path); err != nil {
		t.Fatal(err)
	}
	ended(t, left)
	select {
	case <-again:
	case <-time.After(30 * time.Second):
		t.Fatal("the client did not come back with the renewed credential")
	}
	if time.Now().Before(c.Expires) {
		t.Error("it was disconnected before its end")
	}
	wait(t, "what has ended to sign in no more", func() bool { return dial(gone) != nil })
	if err := nc.FlushTimeout(30 * time.Second); err != nil {
		t.Error(err)
	}
	if got := o.state(keyOf(t, c)); got != account.Live {
		t.Errorf("the list says %q of the renewed one", got)
	}
}

// What a process makes for itself it makes anew: it outlives the end of its
// credential and the replacement of the key that signed it.
func TestRenewing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	opts, first, err := account.Renewing(func(string) (account.Credential, error) {
		o.reopen()
		c, err := o.clerk.Issue(account.Request{Principal: account.Worker("le"), Cell: "le", Lifetime: 2 * time.Second})
		c.URL = o.broker.ClientURL()
		return c, err
	})
	if err != nil {
		t.Fatal(err)
	}
	again := make(chan struct{}, 64)
	nc, err := nats.Connect(first.URL, append(opts, nats.ReconnectWait(20*time.Millisecond), nats.MaxReconnects(-1),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), nats.ReconnectHandler(func(*nats.Conn) { again <- struct{}{} }))...)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	came := func(after string) {
		t.Helper()
		select {
		case <-again:
		case <-time.After(30 * time.Second):
			t.Fatalf("it did not come back after %s: %v", after, nc.LastError())
		}
	}
	came("its end")
	desk, err := account.OpenDesk(filepath.Join(o.dir, "keys"), filepath.Join(o.dir, "data"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Replace("worker/le", "le", because); err != nil {
		t.Fatal(err)
	}
	came("the key was replaced")
	came("its next end")
}

// The guard, too, goes on when what signs its credentials is replaced: reports
// are taken before and after.
func TestGuardOutlivesItsSigningKey(t *testing.T) {
	dir := t.TempDir()
	b := brokertest.Start(t, brokertest.Policy(twoCells(t, "kinds: [sar], statuses: [actual]}, {cell: intel", "kinds: [incident], statuses: [actual]}, {cell: intel")), brokertest.Dir(dir))
	js := stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi")
	publish(t, js, newReport("fbi"))
	o := &office{t: t, dir: dir, broker: b}
	o.reopen()
	if e := o.inForce(o.desk.Replace("guard/guard", "le", because)); e.Dropped == 0 {
		t.Error("the guard's connections did not end: this test shows nothing")
	}
	r := newReport("fbi")
	data, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "the guard to take reports again", func() bool { // meanwhile it says: send again
		_, err := js.Publish(t.Context(), subject.Submit(r), data)
		return err == nil
	})
}

// What the broker's own parts signed in with ends with the process: a copy
// from its memory is worth nothing afterwards.
func TestPartsAreBoundToTheProcess(t *testing.T) {
	o := newOffice(t)
	var old []account.Credential
	for _, who := range []string{"guard", "api"} {
		old = append(old, brokertest.Credential(t, o.broker, who, "le"))
	}
	stays := o.issue(fbi)
	for _, c := range append(old, stays) {
		signsIn(t, c, true, "before")
	}
	o.broker.Close()
	o.start()
	stays.URL = o.broker.ClientURL()
	signsIn(t, stays, true, "after a restart")
	for _, c := range old {
		c.URL = o.broker.ClientURL()
		signsIn(t, c, false, "after a restart")
	}
}

// Nothing is handed out without an end, and a default is short for persons.
func TestLifetimes(t *testing.T) {
	o := newOffice(t)
	for _, c := range []struct {
		who  account.Principal
		cell string
		want time.Duration
	}{
		{account.Agency("fbi"), "le", account.ServiceLifetime},
		{account.Reader("feed-le"), "le", account.ServiceLifetime},
		{account.Reader("watch-le"), "le", account.PersonLifetime},
	} {
		got := o.issue(account.Request{Principal: c.who, Cell: c.cell})
		if d := time.Until(got.Expires) - c.want; d > time.Minute || d < -time.Minute {
			t.Errorf("%s: ends %s, want in %s", c.who, got.Expires, c.want)
		}
	}
	for _, d := range []time.Duration{-time.Second, time.Millisecond, account.LongestLifetime + time.Second} {
		q := fbi
		q.Lifetime = d
		if _, err := o.clerk.HandOut(q, because); !errors.Is(err, account.ErrLifetime) {
			t.Errorf("for %s: got %v, want %v", d, err, account.ErrLifetime)
		}
	}
}

// Tokens for HTTP are revoked one by one, and with everything of their reader.
func TestRevokeTokens(t *testing.T) {
	o := newOffice(t)
	one, facts, err := o.clerk.HandOutToken(account.TokenRequest{Reader: "watch-le", Cell: "le", Lifetime: time.Hour}, because)
	if err != nil {
		t.Fatal(err)
	}
	two, _, err := o.broker.IssueToken("watch-le", "le", time.Hour) // not in the register
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := o.broker.IssueToken("watch-noc", "intel", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	o.inForce(o.desk.Revoke(account.Selection{Key: facts.ID}, time.Now(), because))
	holds := func(cell, token string, want bool) {
		t.Helper()
		if _, err := o.broker.VerifyToken(cell, token); (err == nil) != want {
			t.Errorf("a token holds: %v, want %v", err == nil, want)
		}
	}
	holds("le", one, false)
	holds("le", two, true)
	o.inForce(o.desk.RevokeAll("reader/watch-le", "", because))
	holds("le", two, false)
	holds("intel", other, true)
	after, _, err := o.broker.IssueToken("watch-le", "le", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	holds("le", after, true)
	o.broker.Close()
	o.start()
	holds("le", one, false)
	holds("le", two, false)
	holds("le", after, true)
}

// A register that is gone, older than the keys know or changed lets no broker
// start; under a running one nothing is handed out and no token is taken, and
// what was revoked stays so.
func TestRegisterIsRequired(t *testing.T) {
	o := newOffice(t)
	bad := o.issue(fbi)
	path := filepath.Join(o.dir, "keys", register.FileName)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	token, _, err := o.broker.IssueToken("watch-le", "le", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	o.inForce(o.desk.RevokeAll("agency/fbi", "le", because))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wait(t, "the broker to say that the register is gone", func() bool { return o.broker.Health() != nil })
	if _, err := o.broker.VerifyToken("le", token); err == nil {
		t.Error("a token is taken while nobody knows what was revoked")
	}
	if _, err := o.clerk.HandOut(fbi, because); err == nil {
		t.Error("a credential is handed out without a register")
	}
	signsIn(t, bad, false, "while the register is gone")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	wait(t, "the broker to be well again", func() bool { return o.broker.Health() == nil })
	if _, err := o.broker.VerifyToken("le", token); err != nil {
		t.Errorf("the register is back: %v", err)
	}
	o.broker.Close()
	for name, damage := range map[string]func() error{
		"gone":  func() error { return os.Remove(path) },
		"older": func() error { return os.WriteFile(path, before, 0o600) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		b, err := broker.Open(t.Context(), brokertest.Config(t, brokertest.Policy(twoCells(t)), brokertest.Dir(o.dir), brokertest.WithoutGuards()))
		if err == nil {
			b.Close()
			t.Errorf("%s: the broker starts", name)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.start()
	bad.URL = o.broker.ClientURL()
	signsIn(t, bad, false, "after all that")
}

func wait(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited 30 s for %s", what)
		}
	}
}
