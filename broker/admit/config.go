package admit

import (
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/guard"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// Config is what a guard needs. Zero fields take the default written beside them.
type Config struct {
	// Rules of the cell it guards; replaced in use by SetRules.
	Rules *guard.Rules
	// URL and Options reach the cell's account as its guard; Options hold the
	// credential and the inbox prefix.
	URL     string
	Options []nats.Option
	// Connect makes connections where the server runs in the same process:
	// every hop of a report is then half as long. Nil connects to URL.
	Connect func(...nats.Option) (*nats.Conn, error)
	// Reports and Refusals are the inlets of the two streams.
	Reports, Refusals subject.Inlet
	// MaxBatch is the most messages of one atomic batch: at most the server's
	// JetStreamLimits.MaxBatchSize (1000, the server's own default).
	MaxBatch int
	// MaxBatchBytes is the most bytes of one commit (16 MiB).
	MaxBatchBytes int
	// Singles is up to how many messages go out as single pipelined publishes
	// instead of one atomic batch (SinglesOnDisk).
	Singles int
	// MaxWaiting and MaxWaitingBytes bound what waits for a commit; what comes
	// on top, or on top of half for one agency, is answered "unavailable" at
	// once (65536, 256 MiB).
	MaxWaiting      int
	MaxWaitingBytes int
	// CommitTimeout is when the outcome of a commit counts as unknown (3 s): with
	// the second that is then spent on asking, before a stock client gives up.
	CommitTimeout time.Duration
	// Full says that no reports are to be taken, because the disk has little room
	// left; senders are told "storage-full". Asked for every one; may be nil.
	Full func() bool
	// Sound is nil when what REPORTS holds is on disk, asked after REPORTS has
	// answered. Nothing of a commit whose outcome is unknown is acknowledged
	// before it says so. May be nil where the store keeps that promise itself.
	Sound func() error
	// Now is the clock (time.Now).
	Now func() time.Time
	// Progress is told how far the index is rebuilt, about every 100,000
	// records; may be nil.
	Progress func(done, total uint64)
	// Log may be nil.
	Log *zap.Logger
}

// Where one atomic batch becomes cheaper than single publishes: a batch alone
// takes 3 to 4 ms staged on disk and 0.8 ms staged in memory (package staging),
// a single one a fifth of a millisecond for its fsync.
const (
	SinglesOnDisk   = 16
	SinglesInMemory = 4
)

func (c Config) withDefaults() (Config, error) {
	if err := c.Rules.Check(); err != nil {
		return c, err
	}
	if c.URL == "" && c.Connect == nil {
		return c, errors.New("no URL of the broker")
	}
	for _, f := range []struct {
		name  string
		value *int
		def   int
	}{
		{"MaxBatch", &c.MaxBatch, 1000}, {"MaxBatchBytes", &c.MaxBatchBytes, 16 << 20}, {"Singles", &c.Singles, SinglesOnDisk},
		{"MaxWaiting", &c.MaxWaiting, 1 << 16}, {"MaxWaitingBytes", &c.MaxWaitingBytes, 256 << 20},
	} {
		if *f.value < 0 {
			return c, fmt.Errorf("%s is %d: use a positive number, or 0 for %d", f.name, *f.value, f.def)
		}
		if *f.value == 0 {
			*f.value = f.def
		}
	}
	if c.MaxBatch < 2 {
		return c, errors.New("MaxBatch is 1: a report that moves takes two messages in one batch")
	}
	if c.CommitTimeout <= 0 {
		c.CommitTimeout = 3 * time.Second
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	return c, nil
}
