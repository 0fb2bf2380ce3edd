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
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// edited is the default policy with pairs of texts replaced.
func edited(t *testing.T, pairs ...string) *policy.Policy {
	t.Helper()
	text := string(policy.DefaultYAML())
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the default policy does not say %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ended waits until the server has closed a connection.
func ended(t *testing.T, nc *nats.Conn) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if nc.IsClosed() || nc.IsReconnecting() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server did not end the connection within 30 s")
		}
	}
}

func reload(t *testing.T, b *broker.Broker, p *policy.Policy) {
	t.Helper()
	if err := b.Reload(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	if err := b.Health(); err != nil {
		t.Fatal(err)
	}
}

func TestReloadRemovesAgency(t *testing.T) {
	b := brokertest.Start(t)
	gone, stays := brokertest.Credential(t, b, "stl-pd", "le"), brokertest.Credential(t, b, "fbi", "le")
	connected, other := brokertest.Dial(t, gone), brokertest.Dial(t, stays)
	without := edited(t, "  - name: stl-pd\n", "  - name: another-pd\n", "agency: stl-pd", "agency: another-pd")
	reload(t, b, without)
	ended(t, connected)
	if err := dial(gone); err == nil {
		t.Error("the removed agency signs in again")
	}
	if !other.IsConnected() {
		t.Error("an agency that stays was disconnected")
	}
	if _, err := b.Credential("stl-pd", "le"); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("got %v, want %v", err, account.ErrUnknown)
	}
	reload(t, b, policy.Default())
	if err := dial(gone); err == nil {
		t.Error("named again, the agency's old credential holds again")
	}
	if err := dial(brokertest.Credential(t, b, "stl-pd", "le")); err != nil {
		t.Errorf("named again, the agency's new credential: %v", err)
	}
}

// What an existing credential may do stands in the account, so it changes with
// the policy.
func TestReloadChangesPermissions(t *testing.T) {
	b := brokertest.Start(t)
	c := brokertest.Credential(t, b, "stl-pd", "le")
	call := brokertest.Call{Subject: "submit.actual.asset.none.none.stl-pd", Body: []byte("no report")}
	if denied, _, err := brokertest.NewClient(t, c).Try(call); denied || err != nil {
		t.Fatalf("before: refused %v, %v", denied, err)
	}
	narrow := strings.Replace(string(policy.DefaultYAML()), "kinds: [sar, threat, incident, asset], statuses: [actual, exercise, test]}\n  - name: csx-police",
		"kinds: [sar], statuses: [exercise]}\n  - name: csx-police", 1)
	p, err := policy.Parse([]byte(narrow))
	if err != nil || p.Version == policy.Default().Version {
		t.Fatalf("the narrower policy: version %v, %v", p, err)
	}
	reload(t, b, p)
	if denied, _, err := brokertest.NewClient(t, c).Try(call); !denied || err != nil {
		t.Errorf("after: refused %v, %v; want refused", denied, err)
	}
	call.Subject = "submit.exercise.sar.none.none.stl-pd"
	if denied, _, err := brokertest.NewClient(t, c).Try(call); denied || err != nil {
		t.Errorf("what it still may: refused %v, %v", denied, err)
	}
}

func TestReloadRevokesUser(t *testing.T) {
	b := brokertest.Start(t)
	bad, good := brokertest.Credential(t, b, "fbi", "le"), brokertest.Credential(t, b, "fbi", "le")
	connected := brokertest.Dial(t, bad)
	key, err := bad.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	reload(t, b, edited(t, "revoked: []", "revoked: ["+key+"]"))
	ended(t, connected)
	if err := dial(bad); err == nil {
		t.Error("the revoked user signs in again")
	}
	if err := dial(good); err != nil {
		t.Errorf("another user of the agency: %v", err)
	}
}

func TestReloadAddsAndRemovesCell(t *testing.T) {
	b := brokertest.Start(t)
	p := edited(t, "# An agency publishes.", "  - name: le-cb\n    title: A case\n    label: {level: CUI, sides: [LE], compartments: [CASE-1]}\n# An agency publishes.",
		"    submit:\n      - {cell: le, kinds: [cyber,", "    submit:\n      - {cell: le-cb, kinds: [incident], statuses: [exercise]}\n      - {cell: le, kinds: [cyber,")
	reload(t, b, p)
	c := brokertest.Credential(t, b, "cisa", "le-cb")
	nc := brokertest.Dial(t, c)
	reply, err := nc.Request("submit.exercise.incident.none.none.cisa", []byte("no report"), 30*time.Second)
	if err != nil || !contains(reply.Data, "not-protobuf") {
		t.Fatalf("the guard of the new cell: %v, %v", reply, err)
	}
	if got, want := len(b.Guards()), 7; got != want {
		t.Errorf("got %d guards, want %d", got, want)
	}
	reload(t, b, policy.Default())
	ended(t, nc)
	if err := dial(c); err == nil {
		t.Error("a credential of a cell that is gone signs in")
	}
	if got, want := len(b.Guards()), 6; got != want {
		t.Errorf("got %d guards, want %d", got, want)
	}
}

func TestReloadRefusesRelabelling(t *testing.T) {
	b := brokertest.Start(t)
	err := b.Reload(context.Background(), edited(t, "label: {level: CUI, sides: [LE]}", "label: {level: CONFIDENTIAL, sides: [LE]}"))
	if !errors.Is(err, broker.ErrRelabelled) {
		t.Errorf("got %v, want %v", err, broker.ErrRelabelled)
	}
	if got, want := b.Policy().Version, policy.Default().Version; got != want {
		t.Errorf("policy in force: got %s, want %s", got, want)
	}
}

// What a reload makes and removes is no damage; what was lost stays one.
func TestReloadHidesNoDamage(t *testing.T) {
	dir := t.TempDir()
	b := brokertest.Start(t, brokertest.Dir(dir))
	cells, err := filepath.Glob(filepath.Join(dir, "data", "store", "jetstream", "*", "streams"))
	if err != nil || len(cells) == 0 {
		t.Fatalf("no streams on disk: %v", err)
	}
	lost := filepath.Join(cells[0], "LOST")
	if err := os.Mkdir(lost, 0o700); err != nil {
		t.Fatal(err)
	}
	damaged := func() bool {
		err := b.Health()
		return err != nil && strings.Contains(err.Error(), "could not be recovered")
	}
	wait(t, "the broker to say that a stream is lost", damaged)
	if err := b.Reload(context.Background(), policy.Default()); err != nil {
		t.Fatal(err)
	}
	if !damaged() {
		t.Error("after a reload nothing is said of the lost stream")
	}
	if err := os.Remove(lost); err != nil {
		t.Fatal(err)
	}
	wait(t, "the broker to be well again", func() bool { return b.Health() == nil })
}

// A feed that the policy no longer names goes with its consumer.
func TestReloadRemovesFeed(t *testing.T) {
	b := brokertest.Start(t, brokertest.Root())
	js, err := jetstream.New(brokertest.Dial(t, brokertest.AsRoot(t, b, "open")))
	if err != nil {
		t.Fatal(err)
	}
	name := subject.FeedConsumer("feed-open", "exercise")
	if _, err := js.Consumer(context.Background(), subject.Reports, name); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(policy.DefaultYAML()), "purpose: downstream analysis\n    feeds:\n      - {name: all}\n      - {name: exercise, status: exercise}", "purpose: downstream analysis\n    feeds:\n      - {name: all}", 1)
	p, err := policy.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	reload(t, b, p)
	js, err = jetstream.New(brokertest.Dial(t, brokertest.AsRoot(t, b, "open")))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Consumer(context.Background(), subject.Reports, name); !errors.Is(err, jetstream.ErrConsumerNotFound) {
		t.Errorf("got %v, want %v", err, jetstream.ErrConsumerNotFound)
	}
	if _, err := js.Consumer(context.Background(), subject.Reports, subject.WorkerConsumer("open", wf.Status_STATUS_TEST, subject.Open)); err != nil {
		t.Errorf("a worker's consumer: %v", err)
	}
}

// A reload does not lose what is submitted meanwhile: agencies that stay are
// answered before and after, and nothing acknowledged is missing.
func TestReloadWhilePublishing(t *testing.T) {
	b := brokertest.Start(t)
	js := stock(t, brokertest.Credential(t, b, "fbi", "le"), "fbi")
	publish(t, js, newReport("fbi"))
	reload(t, b, edited(t, "  - name: stl-pd\n", "  - name: another-pd\n", "agency: stl-pd", "agency: another-pd"))
	ack := publish(t, js, newReport("fbi"))
	if ack.Sequence != 2 {
		t.Errorf("after the reload: got %+v, want the second of the stream", ack)
	}
}
