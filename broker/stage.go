package broker

import (
	"errors"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/broker/admit"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/staging"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// stage moves the staging area of each cell's batches into memory, where there
// is room; on disk they are slower and nothing else. The caller holds mu.
func (b *Broker) stage(p *policy.Policy) error {
	if b.cfg.StageOnDisk {
		return nil
	}
	for _, c := range p.Cells {
		if _, done := b.staged[c.Name]; done {
			continue
		}
		dir, err := staging.Link(b.nats.StoreDir(), b.authority.AccountKey(c.Name), subject.Reports)
		switch {
		case errors.Is(err, staging.ErrNoMemory):
			b.cfg.Log.Info("batches are staged on disk", zap.String("cell", c.Name), zap.Error(err))
		case err != nil:
			return err
		default:
			b.staged[c.Name] = dir
		}
	}
	return nil
}

// unstage removes what lies in memory, after the server has ended.
func (b *Broker) unstage() {
	for cell, dir := range b.staged {
		if err := staging.Clear(dir); err != nil {
			b.cfg.Log.Warn("staging area not removed", zap.String("cell", cell), zap.Error(err))
		}
	}
}

func (b *Broker) singles(cell string) int {
	if _, ok := b.staged[cell]; ok {
		return admit.SinglesInMemory
	}
	return admit.SinglesOnDisk
}
