package backup

import (
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker"
	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/natsd"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// Folder is that of a broker that does not run.
type Folder struct {
	Policy           *policy.Policy
	DataDir, KeysDir string
	Now              func() time.Time
	Log              *zap.Logger
	// fill: what is written is brought to disk by the caller.
	fill bool
}

// Opened is a folder with a server on it that declares nothing, guards nothing
// and issues credentials to this process alone.
type Opened struct {
	authority *account.Authority
	nats      *natsd.Server
}

// Offline opens a folder for the time of do. It changes neither keys nor
// streams: a policy that says less than the one in force loses nobody's place.
func Offline(f Folder, do func(*Opened) error) error {
	if err := broker.CheckLabels(f.DataDir, f.Policy); err != nil {
		return err
	}
	a, err := account.OpenOffline(f.KeysDir, f.DataDir, f.Policy, f.Now)
	if err != nil {
		return err
	}
	s, err := natsd.Start(natsd.Config{
		DataDir: f.DataDir, Alone: true, Operator: a.Operator(), Accounts: a.Accounts(), StoreKey: a.StoreKey(),
		MaxBatch: policy.MaxBatch, LazySync: f.fill, Log: f.Log,
	})
	if err != nil {
		return err
	}
	defer s.Shutdown()
	return do(&Opened{a, s})
}

// Inlets is where the streams of a cell take in. Of a cell whose keys are of a
// release before inlets it is for this process; the broker's start changes it.
func (o *Opened) Inlets(cell string) func(string) subject.Inlet {
	return func(stream string) subject.Inlet { return o.authority.Inlet(cell, stream) }
}

// ArchiveKey seals the backups of a cell.
func (o *Opened) ArchiveKey(cell string) ([]byte, error) { return o.authority.ArchiveKey(cell) }

// Connect signs in to a cell as its backup.
func (o *Opened) Connect(cell string) (*nats.Conn, error) { return o.ConnectAs(account.Backup(), cell) }

// ConnectAs signs in to a cell as somebody.
func (o *Opened) ConnectAs(as account.Principal, cell string) (*nats.Conn, error) {
	cred, err := o.authority.Issue(account.Request{Principal: as, Cell: cell})
	if err != nil {
		return nil, err
	}
	return o.nats.Connect(cred.Options()...)
}
