package twins

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func clone(r *wf.Report) *wf.Report { return proto.Clone(r).(*wf.Report) }

// observe lets everybody below ask for all that they may have, and for what they
// may not.
func (w *world) observe(s step, draw *rand.Rand) error {
	for _, r := range w.lowReaders() {
		for _, cell := range w.plan.policy.Readable(r.Name) {
			w.tapes.Step(fmt.Sprintf("%s: feeds of %s in %s", s.name, r.Name, cell))
			for _, f := range r.Feeds {
				if err := w.pull(cell, r.Name, f.Name); err != nil {
					return err
				}
			}
			if !w.plan.policy.Cleared(r.Name, cell) {
				continue
			}
			if err := w.frames(cell, w.readers[cell+" "+r.Name]); err != nil {
				return err
			}
			if err := w.web(s, r, cell, draw); err != nil {
				return err
			}
		}
	}
	for _, cell := range w.plan.low {
		w.tapes.Step(s.name + ": workers and strangers in " + cell)
		if err := w.workers(cell); err != nil {
			return err
		}
		if err := w.forbidden(cell, draw); err != nil {
			return err
		}
	}
	return w.strangers(s)
}

// frames gets the newest frame of every picture of a cell by its subject.
func (w *world) frames(cell string, nc *wire) error {
	for _, status := range subject.Statuses {
		p := place{cell, status}
		if _, err := nc.request(subject.DirectGet(subject.SnapshotStream(status), subject.Frame(status, w.expected[p])), nil); err != nil {
			return err
		}
	}
	return nil
}

// keyframes gets the picture as a late joiner does.
func (w *world) keyframes() error {
	for _, r := range w.lowReaders() {
		for _, cell := range r.Cells {
			for _, status := range subject.Statuses {
				if _, err := w.readers[cell+" "+r.Name].request(subject.DirectGet(subject.SnapshotStream(status), subject.Keyframe(status)), nil); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// workers asks as the worker of a cell does how its stream is, and whether it is
// there.
func (w *world) workers(cell string) error {
	home, err := w.recorded("worker", cell)
	if err != nil {
		return err
	}
	for _, status := range subject.Statuses {
		if _, err := home.request("$JS.API.STREAM.INFO."+subject.SnapshotStream(status), nil); err != nil {
			return err
		}
		if err := home.publish(subject.Seats[0].Ask(status), "", nil); err != nil {
			return err
		}
	}
	return nil
}

// idle asks for the consumers that nobody reads by yet: those of the other seat,
// and those by which a cell reads again what was. Of one that is read by, the
// server says how far it has looked, and that is a matter of its timing, but when
// it has just delivered the last message: see delivered.
func (w *world) idle() error {
	for _, cell := range w.plan.low {
		for _, from := range append(w.plan.policy.Dominated(cell), cell) {
			nc, err := w.recorded("worker/"+cell, from)
			if err != nil {
				return err
			}
			for _, status := range subject.Statuses {
				for _, channel := range subject.Channels {
					for _, name := range []string{subject.Seats[1].Consumer(cell, status, channel), subject.ReplayConsumer(cell, status, channel)} {
						if _, err := nc.request(consumerInfo(name), nil); err != nil {
							return err
						}
					}
				}
			}
		}
	}
	return nil
}

// delivered asks for the consumer by which a worker has just read the last
// message of a cell.
func (w *world) delivered(p place, from string, channel subject.Channel) error {
	probe, err := w.probe(p.cell, from)
	if err != nil {
		return err
	}
	name := subject.WorkerConsumer(p.cell, p.status, channel)
	err = until(func() string { return name + " at rest in " + from }, func() (bool, error) {
		c, err := w.counts(probe, name)
		return c.Pending == 0 && c.Unacked == 0 && c.Waiting == 1, err
	})
	if err != nil {
		return err
	}
	nc, err := w.recorded("worker/"+p.cell, from)
	if err != nil {
		return err
	}
	_, err = nc.request(consumerInfo(name), nil)
	return err
}

// recorded is a connection of a part of the system whose answers are kept.
func (w *world) recorded(principal, cell string) (*wire, error) {
	key := cell + " " + principal
	if w.readers[key] == nil {
		nc, err := w.connect(principal, cell, "main", w.tape("%s in %s", principal, cell))
		if err != nil {
			return nil, err
		}
		w.readers[key] = nc
	}
	return w.readers[key], nil
}

// forbidden makes calls that are refused, and asks the server what it says to
// each.
func (w *world) forbidden(cell string, draw *rand.Rand) error {
	// The words of inlets are each broker's own; here one that is nobody's, the same in both worlds.
	guessed := func(string) subject.Inlet { return subject.NewInlet("guessed") }
	calls := brokertest.Calls(subject.WorkerConsumer("fused", wf.Status_STATUS_ACTUAL, subject.Open), "dea", guessed)
	for range 6 {
		agencies := w.plan.policy.AgenciesOf(cell)
		who := []*wire{w.agencies[cell+" "+agencies[draw.IntN(len(agencies))]]}
		for _, r := range w.lowReaders() {
			if nc := w.readers[cell+" "+r.Name]; nc != nil {
				who = append(who, nc)
			}
		}
		c := calls[draw.IntN(len(calls))]
		for _, nc := range who {
			if err := nc.try(c); err != nil {
				return fmt.Errorf("%s: %w", c, err)
			}
		}
	}
	return nil
}

func (w *wire) try(c brokertest.Call) error {
	if c.Subscribe {
		sid, err := w.subscribe(c.Subject)
		if err != nil {
			return err
		}
		if err := w.flush(); err != nil {
			return err
		}
		return w.send("UNSUB " + sid + "\r\n")
	}
	// Without a reply subject: an answer would come when it comes.
	if err := w.publish(c.Subject, "", c.Body); err != nil {
		return err
	}
	return w.flush()
}

// web asks a listener for everything that it serves.
func (w *world) web(s step, r policy.Reader, cell string, draw *rand.Rand) error {
	token, addr, tape := w.tokens[r.Name+" "+cell], w.addr(cell), w.tape("http %s at %s", r.Name, cell)
	for _, path := range w.paths(cell, draw) {
		w.tapes.Step(s.name + ": GET " + path)
		if _, err := get(addr, "GET", path, token, tape); err != nil {
			return err
		}
	}
	for _, q := range [][3]string{{"POST", "/v1/snapshot", token}, {"HEAD", "/v1/cell", token}, {"GET", "/v1/snapshot", "wf1.e30.AAAA"}, {"GET", "/v1/cell", ""}} {
		w.tapes.Step(s.name + ": " + q[0] + " " + q[1] + " with another token or method")
		if _, err := get(addr, q[0], q[1], q[2], tape); err != nil {
			return err
		}
	}
	return nil
}

// paths of a listener: every one in every step, some of the situations.
func (w *world) paths(cell string, draw *rand.Rand) []string {
	out := []string{"/healthz", "/metrics", "/v1/cell", "/v1/replay", "/v1/nothing", "/", "/v1/snapshot?status=other", "/v1/snapshot?page_token=x",
		"/v1/situations/none", "/v1/situations/00000000000000000000000000000000", "/v1/snapshot?as_of=" + base.Add(-2000*time.Hour).Format(time.RFC3339), "/v1/snapshot?as_of=2200-01-01T00:00:00Z"}
	status := subject.Statuses[draw.IntN(len(subject.Statuses))]
	for _, st := range subject.Statuses {
		out = append(out, "/v1/snapshot?status="+subject.StatusToken(st)+"&page_size=20")
	}
	q := "status=" + subject.StatusToken(status)
	out = append(out, "/v1/snapshot?"+q, "/v1/snapshot.geojson?"+q)
	at := w.clock.now().Add(-time.Duration(draw.IntN(90*3600)) * time.Second).Format(time.RFC3339)
	out = append(out, "/v1/snapshot?"+q+"&as_of="+url.QueryEscape(at), "/v1/snapshot?"+q+"&replay=true&as_of="+url.QueryEscape(at))
	var ids []string
	w.spine.Picture(cell, status).Read(func(p *snapshot.Picture) {
		for _, x := range p.Situations() {
			ids = append(ids, x.GetId())
		}
	})
	slices.Sort(ids)
	for range min(len(ids), 3) {
		out = append(out, "/v1/situations/"+ids[draw.IntN(len(ids))]+"?"+q)
	}
	return out
}

// strangers ask without a credential: what the server says to anybody.
func (w *world) strangers(s step) error {
	w.tapes.Step(s.name + ": strangers")
	for _, cell := range w.plan.low {
		tape := w.tape("stranger at %s", cell)
		for _, path := range []string{"/healthz", "/v1/snapshot", "/metrics", "/nothing"} {
			if _, err := get(w.addr(cell), "GET", path, "", tape); err != nil {
				return err
			}
		}
		// A reader that comes late, and goes.
		for _, r := range w.lowReaders() {
			if !w.plan.policy.Cleared(r.Name, cell) || !strings.HasPrefix(r.Name, "watch") {
				continue
			}
			nc, err := w.connect(r.Name, cell, "late", w.tape("late %s in %s", r.Name, cell))
			if err != nil {
				return err
			}
			w.connections = nc.number
			err = w.frames(cell, nc)
			nc.close()
			if err != nil {
				return err
			}
		}
	}
	return nil
}
