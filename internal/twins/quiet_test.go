package twins

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// until asks for a condition again and again.
func until(what func() string, cond func() (bool, error)) error {
	deadline := time.Now().Add(patience)
	for {
		ok, err := cond()
		if err != nil {
			return err
		}
		if ok {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("never: %s", what())
		}
		time.Sleep(time.Millisecond)
	}
}

// shown is the revision that a followed picture stands at.
func (w *world) shown(p place) (revision uint64) {
	w.spine.Picture(p.cell, p.status).Read(func(x *snapshot.Picture) { revision = x.Revision() })
	return revision
}

// mark is how an event names the revision that a picture stands at.
func (w *world) mark(p place) (mark string) {
	w.spine.Picture(p.cell, p.status).Read(func(x *snapshot.Picture) {
		mark = x.Epoch() + "-" + strconv.FormatUint(x.Revision(), 10)
	})
	return mark
}

// landed is the revision up to which the worker has stored its frames and
// knows it: only then does it begin another.
func (w *world) landed(p place) (uint64, error) {
	families, err := w.metrics[p.cell].Gather()
	if err != nil {
		return 0, err
	}
	for _, f := range families {
		if f.GetName() != "watchfloor_picture_revision" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "status" && l.GetValue() == subject.StatusToken(p.status) {
					return max(w.began[p], uint64(m.GetGauge().GetValue())), nil
				}
			}
		}
	}
	return w.began[p], nil
}

// committed waits until the worker of a picture has stored its expected frames.
func (w *world) committed(p place) error {
	return until(func() string {
		n, _ := w.landed(p)
		return fmt.Sprintf("%s %s at revision %d, it is at %d", p.cell, p.status, w.expected[p], n)
	}, func() (bool, error) {
		n, err := w.landed(p)
		return n >= w.expected[p], err
	})
}

// counts of a consumer.
type counts struct {
	Pending    int `json:"num_pending"`
	Unacked    int `json:"num_ack_pending"`
	Waiting    int `json:"num_waiting"`
	Redelivers int `json:"num_redelivered"`
}

func (w *world) counts(nc *wire, consumer string) (c counts, err error) {
	m, err := nc.request(consumerInfo(consumer), nil)
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(m.data, &c)
}

func consumerInfo(consumer string) string {
	return "$JS.API.CONSUMER.INFO." + subject.Reports + "." + consumer
}

// quiet waits until everything below has come to rest: frames stored, shown and
// told, reports read and acknowledged, feeds filled.
func (w *world) quiet() error {
	for p := range w.expected {
		if err := w.rested(p); err != nil {
			return err
		}
	}
	for _, cell := range w.plan.low {
		if err := w.counted(cell); err != nil {
			return err
		}
	}
	for _, r := range w.lowReaders() {
		for _, cell := range w.plan.policy.Readable(r.Name) {
			for _, f := range r.Feeds {
				if err := w.filled(cell, r.Name, f.Name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// counted waits until the guard of a cell has counted what it has answered.
func (w *world) counted(cell string) error {
	return until(func() string { return fmt.Sprintf("%d answers counted in %s", w.answered[cell], cell) }, func() (bool, error) {
		m := w.spine.Broker().GuardMetrics(cell)
		if m == nil {
			return false, nil
		}
		_, n, _ := m.AckLatency.Buckets()
		return n >= w.answered[cell], nil
	})
}

func (w *world) rested(p place) error {
	if err := w.committed(p); err != nil {
		return err
	}
	if err := until(func() string { return fmt.Sprintf("%v shown at %d", p, w.expected[p]) },
		func() (bool, error) { return w.shown(p) >= w.expected[p], nil }); err != nil {
		return err
	}
	for _, r := range w.lowReaders() {
		if e := w.streams[r.Name+" "+p.cell+" "+subject.StatusToken(p.status)]; e != nil {
			if err := e.until(w.mark(p)); err != nil {
				return err
			}
		}
	}
	for _, from := range append(w.plan.policy.Dominated(p.cell), p.cell) {
		nc, err := w.probe(p.cell, from)
		if err != nil {
			return err
		}
		for _, channel := range subject.Channels {
			name := subject.WorkerConsumer(p.cell, p.status, channel)
			err := until(func() string { return name + " at rest in " + from }, func() (bool, error) {
				c, err := w.counts(nc, name)
				return c.Pending == 0 && c.Unacked == 0 && c.Waiting == 1, err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// probe is a connection of a worker's credential that keeps nothing.
func (w *world) probe(reader, cell string) (*wire, error) {
	key := reader + " in " + cell
	if w.probes[key] == nil {
		nc, err := w.connect("worker/"+reader, cell, "main", nil)
		if err != nil {
			return nil, err
		}
		w.probes[key] = nc
	}
	return w.probes[key], nil
}

// filled waits until a feed holds what was stored for it.
func (w *world) filled(cell, reader, feed string) error {
	key := "feed " + reader + " " + cell
	if w.probes[key] == nil {
		nc, err := w.connect(reader, cell, "main", nil)
		if err != nil {
			return err
		}
		w.probes[key] = nc
	}
	want, have := w.waiting[feedKey(cell, reader, feed)], 0
	return until(func() string {
		return fmt.Sprintf("%d pending for %s of %s in %s, there are %d", want, feed, reader, cell, have)
	},
		func() (bool, error) {
			c, err := w.counts(w.probes[key], subject.FeedConsumer(reader, feed))
			have = c.Pending
			return have == want && c.Unacked == 0, err
		})
}
