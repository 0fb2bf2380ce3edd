// Package admitbench measures admission against what a stock client gets from
// the same server without a guard: in one run, with the same payload, the same
// number of reports in flight, operator-mode credentials and AES at rest.
//
// It is not a load generator for a broker in use: it starts servers of its own
// in a directory of its own.
package admitbench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"github.com/watchfloor/watchfloor/broker/admit"
	"github.com/watchfloor/watchfloor/broker/front"
	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/staging"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// batch is the server's and the guard's limit of one commit.
const batch = 4096

// target is a server with one account and the streams to publish to.
type target struct {
	srv     *server.Server
	user    nats.Option
	staged  string
	singles int
	cancel  context.CancelFunc
	done    chan error
	// door is where the agency comes from outside; nil without.
	door   *front.Front
	secure nats.Option
}

// kind is how a target stores.
type kind struct {
	sync  bool
	clear bool // without encryption at rest
}

// rawSubject is where the baselines publish: one plain stream.
const (
	rawStream  = "RAW"
	rawSubject = "raw.report"
)

func startTarget(dir string, k kind) (*target, error) {
	t := &target{}
	opts, account, err := t.options(filepath.Join(dir, fmt.Sprintf("sync-%v-clear-%v", k.sync, k.clear)), k.sync)
	if err != nil {
		return nil, err
	}
	if k.clear {
		opts.JetStreamKey, opts.JetStreamCipher = "", server.NoCipher
	}
	if t.srv, err = server.NewServer(opts); err != nil {
		return nil, fmt.Errorf("start nats-server: %w", err)
	}
	t.srv.Start()
	if !t.srv.ReadyForConnections(10 * time.Second) {
		t.close()
		return nil, fmt.Errorf("start nats-server: not ready after 10 s")
	}
	if err := t.streams(k.sync); err != nil {
		t.close()
		return nil, err
	}
	if !k.sync {
		return t, nil
	}
	// As the broker does it; without a directory in memory batches stay on disk.
	t.singles = admit.SinglesOnDisk
	if t.staged, err = staging.Link(opts.StoreDir, account, subject.Reports); err == nil {
		t.singles = admit.SinglesInMemory
	} else if !errors.Is(err, staging.ErrNoMemory) {
		t.close()
		return nil, err
	}
	return t, nil
}

// options sets up an operator, an account and a user that may do everything in it.
func (t *target) options(dir string, sync bool) (*server.Options, string, error) {
	operator, err := nkeys.CreateOperator()
	if err != nil {
		return nil, "", fmt.Errorf("create keys: %w", err)
	}
	operatorKey, _ := operator.PublicKey()
	sys, _, err := newAccount(operator, false)
	if err != nil {
		return nil, "", err
	}
	acc, accKeys, err := newAccount(operator, true)
	if err != nil {
		return nil, "", err
	}
	oc := jwt.NewOperatorClaims(operatorKey)
	oc.SystemAccount = sys.key
	token, err := oc.Encode(operator)
	if err != nil {
		return nil, "", fmt.Errorf("sign operator: %w", err)
	}
	if oc, err = jwt.DecodeOperatorClaims(token); err != nil {
		return nil, "", fmt.Errorf("sign operator: %w", err)
	}
	resolver := &server.MemAccResolver{}
	for _, a := range []accountToken{sys, acc} {
		if err := resolver.Store(a.key, a.token); err != nil {
			return nil, "", fmt.Errorf("store account: %w", err)
		}
	}
	user, err := nkeys.CreateUser()
	if err != nil {
		return nil, "", fmt.Errorf("create keys: %w", err)
	}
	userKey, _ := user.PublicKey()
	seed, _ := user.Seed()
	uc := jwt.NewUserClaims(userKey)
	uc.Name = "bench"
	userToken, err := uc.Encode(accKeys)
	if err != nil {
		return nil, "", fmt.Errorf("sign user: %w", err)
	}
	t.user = nats.UserJWTAndSeed(userToken, string(seed))
	return &server.Options{
		Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir, SyncAlways: sync,
		JetStreamCipher: server.AES, JetStreamKey: string(seed), DisableJetStreamBanner: true, MaxPayload: 2 << 20,
		TrustedOperators: []*jwt.OperatorClaims{oc}, SystemAccount: sys.key, AccountResolver: resolver,
		JetStreamLimits: server.JSLimitOpts{MaxBatchSize: batch},
	}, acc.key, nil
}

type accountToken struct{ key, token string }

func newAccount(operator nkeys.KeyPair, jetStream bool) (accountToken, nkeys.KeyPair, error) {
	kp, err := nkeys.CreateAccount()
	if err != nil {
		return accountToken{}, nil, fmt.Errorf("create keys: %w", err)
	}
	key, _ := kp.PublicKey()
	c := jwt.NewAccountClaims(key)
	if jetStream {
		c.Limits.JetStreamLimits = jwt.JetStreamLimits{DiskStorage: -1, MemoryStorage: -1, Streams: -1, Consumer: -1}
	}
	token, err := c.Encode(operator)
	if err != nil {
		return accountToken{}, nil, fmt.Errorf("sign account: %w", err)
	}
	return accountToken{key, token}, kp, nil
}

// inlet is where the guard's streams take in, as a broker's do.
var (
	inlet = subject.NewInlet("3f9a0c51d2e84b7796a1e0f4c8d2b635")
	plain = jetstream.SubjectTransformConfig{Source: inlet.Source(), Destination: ">"}
)

func (t *target) streams(sync bool) error {
	nc, err := t.connect("admin")
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	configs := []jetstream.StreamConfig{{Name: rawStream, Subjects: []string{rawSubject}}}
	if sync {
		configs = append(configs,
			jetstream.StreamConfig{Name: subject.Reports, Subjects: inlet.All(subject.ReportSubjects), SubjectTransform: &plain, AllowAtomicPublish: true, Discard: jetstream.DiscardNew},
			jetstream.StreamConfig{Name: subject.Refusals, Subjects: inlet.All(subject.RefusalSubjects), SubjectTransform: &plain})
	}
	for _, c := range configs {
		if _, err := js.CreateStream(context.Background(), c); err != nil {
			return fmt.Errorf("create stream %s: %w", c.Name, err)
		}
	}
	return nil
}

// connect signs in; the user is answered in its own inbox, as an agency is.
func (t *target) connect(user string) (*nats.Conn, error) {
	nc, err := nats.Connect(t.srv.ClientURL(), t.user, nats.CustomInboxPrefix(subject.InboxPrefix(agency, user)))
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return nc, nil
}

// guard starts the guard of the cell.
func (t *target) guard() error {
	rules, err := guard.Compile(policy.Default(), cell)
	if err != nil {
		return err
	}
	g, err := admit.New(admit.Config{
		Rules: rules, Reports: inlet, Refusals: inlet, MaxBatch: batch, Singles: t.singles,
		Connect: func(opts ...nats.Option) (*nats.Conn, error) {
			return nats.Connect("", append(opts, nats.InProcessServer(t.srv))...)
		},
		Options: []nats.Option{t.user, nats.CustomInboxPrefix(subject.InboxPrefix("guard", "bench"))},
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel, t.done = cancel, make(chan error, 1)
	go func() { t.done <- g.Run(ctx) }()
	select {
	case <-g.Ready():
		return nil
	case err := <-t.done:
		t.cancel = nil
		return fmt.Errorf("start guard: %w", err)
	}
}

func (t *target) close() {
	if t.door != nil {
		t.door.Close()
	}
	if t.cancel != nil {
		t.cancel()
		<-t.done
	}
	t.srv.Shutdown()
	t.srv.WaitForShutdown()
	_ = staging.Clear(t.staged)
}
