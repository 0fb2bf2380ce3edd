package twins

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// fills is the cell whose quota the intelligence side fills, and quota is what
// it may store: more than what its stream of refusals reserves.
const (
	fills = "intel-s"
	quota = "72MiB"
)

// bulkPerStep and floodPerStep are how many large and small reports a step brings
// beside the others.
const (
	bulkPerStep  = 16
	floodPerStep = 60
)

// intel is the intelligence side of a world. Nothing that it receives is kept.
type intel struct {
	w     *world
	wires map[string]*wire
	n     int
	stop  []func()

	// weight of a bulk report in texts of 64 KiB.
	weight int

	admitted, refused, full, asked, limited int
	deeds                                   map[string]int
}

func newIntel(w *world) *intel {
	return &intel{w: w, wires: map[string]*wire{}, deeds: map[string]int{}, weight: 15}
}

func (h *intel) close() {
	for _, s := range h.stop {
		s()
	}
	for _, nc := range h.wires {
		nc.close()
	}
	h.stop, h.wires = nil, map[string]*wire{}
}

func (h *intel) wire(principal, cell string) (*wire, error) {
	key := cell + " " + principal
	if h.wires[key] == nil {
		nc, err := h.w.connect(principal, cell, "main", nil)
		if err != nil {
			return nil, err
		}
		h.wires[key] = nc
	}
	return h.wires[key], nil
}

// step does all that the intelligence side does in a step, while the low side
// does its own.
func (h *intel) step(s step) error {
	list := slices.Clone(s.high)
	for _, d := range s.deeds {
		h.deeds[d]++
		more, err := h.deed(d)
		if err != nil {
			return fmt.Errorf("%s: %w", d, err)
		}
		list = append(list, more...)
	}
	return h.submit(list)
}

// waits is a submission that waits for its answer.
type waits struct {
	submission
	nc  *wire
	sid string
}

// submit sends everything at once and then takes the answers.
func (h *intel) submit(list []submission) error {
	var open []waits
	for _, s := range list {
		nc, err := h.wire(s.agency, s.cell)
		if err != nil {
			return err
		}
		if !submits(s) {
			return fmt.Errorf("%s may not submit on %s", s.agency, s.subject)
		}
		sid, err := nc.ask(s.subject, s.data)
		if err != nil {
			return err
		}
		open = append(open, waits{s, nc, sid})
	}
	for _, x := range open {
		got, err := x.nc.answers(x.sid, 1)
		if err != nil {
			return fmt.Errorf("%s of %s in %s: %w", x.note, x.agency, x.cell, err)
		}
		if err := h.answered(x.submission, got[0].data); err != nil {
			return err
		}
	}
	return nil
}

func (h *intel) answered(s submission, data []byte) error {
	a, err := admission.ParseAnswer(data)
	if err != nil {
		return err
	}
	switch {
	case a.Error == nil && a.Duplicate:
	case a.Error == nil:
		h.admitted++
		if h.w.leak != nil && h.w.leak.passes != nil {
			return h.w.leak.passes(h.w, s)
		}
	case slices.ContainsFunc(a.Error.Refusal, func(r admission.Reason) bool { return r.Code == admission.StorageFull }):
		h.full++
	default:
		h.refused++
	}
	return nil
}

// deed does one of the things that are no submissions, or gives the submissions
// that it is made of.
func (h *intel) deed(name string) ([]submission, error) {
	switch name {
	case "flood":
		return h.flood(), nil
	case "bulk":
		return nil, h.bulk()
	case "restart intel":
		return nil, h.restart("intel")
	case "restart fused":
		return nil, h.restart("fused")
	case "pull":
		return nil, h.pull()
	case "ask":
		return nil, h.ask()
	case "past":
		return nil, h.past()
	case "connect":
		return nil, h.connect()
	case "standby":
		return nil, h.standby()
	}
	return nil, fmt.Errorf("no such deed")
}

func (h *intel) flood() (out []submission) {
	for range floodPerStep {
		h.n++
		r := h.w.plan.sample(h.n)
		r.Id = fmt.Sprintf("0196%04x-0000-7000-8000-%012x", h.w.life, h.n)
		r.Status = subject.Statuses[h.n%len(subject.Statuses)]
		out = append(out, submit(h.w.plan.cellOf(r), r, "flood"))
	}
	return out
}

// bulk is as much as a report can weigh; when that is refused half of it, down
// to reports that weigh nothing: until the cell takes nothing more.
func (h *intel) bulk() error {
	for {
		before := h.full
		// A few at a time: what the disk takes long for, the low side waits for too.
		for some := range slices.Chunk(h.heavy(), 4) {
			if err := h.submit(some); err != nil {
				return err
			}
		}
		if h.full == before || h.weight == 0 {
			return nil
		}
		h.weight /= 2
	}
}

func (h *intel) heavy() (out []submission) {
	agency := h.w.plan.policy.AgenciesOf(fills)[0]
	for range bulkPerStep {
		h.n++
		r := h.w.plan.sample(0)
		r.Id, r.Agency, r.Status = fmt.Sprintf("0197%04x-0000-7000-8000-%012x", h.w.life, h.n), agency, wf.Status_STATUS_TEST
		r.Label = mustLabel(h.w.plan.policy, fills).Proto()
		for i := range h.weight {
			r.Tearlines = append(r.Tearlines, &wf.Tearline{
				Id: fmt.Sprintf("t-%d", i), Label: &wf.Label{Level: wf.Level_LEVEL_UNCLASSIFIED}, Text: strings.Repeat("filling ", 8<<10),
			})
		}
		out = append(out, submit(fills, r, "bulk"))
	}
	return out
}

// restart sets the consumers of a cell's worker back, in every cell that it
// reads, the low ones among them: it begins again from the first record.
func (h *intel) restart(cell string) error {
	for _, from := range append(h.w.plan.policy.Dominated(cell), cell) {
		nc, err := h.wire("worker/"+cell, from)
		if err != nil {
			return err
		}
		for _, status := range subject.Statuses {
			name := subject.WorkerConsumer(cell, status, subject.Open)
			if _, err := nc.request("$JS.API.CONSUMER.RESET."+subject.Reports+"."+name, []byte(`{"seq":1}`)); err != nil {
				return err
			}
		}
	}
	return nil
}

// pull takes from the low cells what a reader above may read there, and
// acknowledges half of it.
func (h *intel) pull() error {
	for _, r := range h.readers() {
		for _, cell := range h.w.plan.low {
			if !slices.Contains(h.w.plan.policy.Readable(r.Name), cell) {
				continue
			}
			nc, err := h.wire(r.Name, cell)
			if err != nil {
				return err
			}
			body, err := json.Marshal(map[string]any{"batch": 50, "no_wait": true})
			if err != nil {
				return err
			}
			for _, f := range r.Feeds {
				sid, err := nc.ask("$JS.API.CONSUMER.MSG.NEXT."+subject.Reports+"."+subject.FeedConsumer(r.Name, f.Name), body)
				if err != nil {
					return err
				}
				list, err := nc.answers(sid, 1)
				if err != nil {
					return err
				}
				for i, m := range list {
					if i%2 == 0 && strings.HasPrefix(m.reply, "$JS.ACK.") {
						if err := nc.publish(m.reply, "", []byte("+ACK")); err != nil {
							return err
						}
					}
				}
			}
		}
	}
	return nil
}

// readers are those that are cleared for cells that are not low.
func (h *intel) readers() (out []policy.Reader) {
	low := h.w.lowReaders()
	for _, r := range h.w.plan.policy.Readers {
		if !slices.ContainsFunc(low, func(l policy.Reader) bool { return l.Name == r.Name }) {
			out = append(out, r)
		}
	}
	return out
}

// each calls f for every listener that is not of a low cell.
func (h *intel) each(f func(c spine.Cell, host string) error) error {
	for _, c := range h.w.spine.Cells() {
		if slices.Contains(h.w.plan.low, c.Name) {
			continue
		}
		u, err := url.Parse(c.URL)
		if err != nil {
			return err
		}
		if err := f(c, u.Host); err != nil {
			return err
		}
	}
	return nil
}

// ask asks the listeners above for more than they answer.
func (h *intel) ask() error {
	return h.each(func(c spine.Cell, host string) error {
		for range 210 {
			body, err := get(host, "GET", "/v1/cell", c.Token, nil)
			if err != nil {
				return err
			}
			h.asked++
			if strings.Contains(string(body), "too-many-requests") {
				h.limited++
			}
		}
		return nil
	})
}

// past lets the cells above read the low cells' reports once more.
func (h *intel) past() error {
	return h.each(func(c spine.Cell, host string) error {
		_, err := get(host, "GET", "/v1/snapshot?status=exercise&replay=true&page_size=1&as_of="+h.w.clock.now().Add(-time.Hour).Format(time.RFC3339), c.Token, nil)
		return err
	})
}

// connect signs in and out, in the low cells too, where a worker above may.
func (h *intel) connect() error {
	for _, cell := range h.w.plan.policy.CellNames() {
		principal := "worker/fused"
		if cell == "fused" {
			principal = "worker"
		}
		nc, err := h.w.connect(principal, cell, "main", nil)
		if err != nil {
			return err
		}
		nc.close()
	}
	return nil
}

// standby starts a second worker for every picture above, once in a life.
func (h *intel) standby() error {
	if len(h.stop) > 0 {
		return nil
	}
	var cells []string
	for _, c := range h.w.plan.policy.CellNames() {
		if !slices.Contains(h.w.plan.low, c) && c != fills {
			cells = append(cells, c)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ws, err := spine.StartWorkers(ctx, spine.Config{
		Policy: h.w.plan.policy, DataDir: filepath.Join(h.w.dir, "data"), KeysDir: filepath.Join(h.w.dir, "keys"), Clock: h.w.ticks, Seat: subject.Seats[1], Now: h.w.now,
	}, h.w.spine.Broker().Credential, cells...)
	if err != nil {
		return err
	}
	h.stop = append(h.stop, func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := ws.Close(ctx); err != nil && !errors.Is(err, context.Canceled) {
			fmt.Fprintf(os.Stderr, "close the standby: %v\n", err)
		}
	})
	return nil
}

// sample is a report of the intelligence side, to be changed.
func (x *plan) sample(n int) *wf.Report {
	return clone(x.samples[n%len(x.samples)].report)
}

// cellOf is where a report of the intelligence side belongs: a label is of one
// cell.
func (x *plan) cellOf(r *wf.Report) string {
	a, _ := x.policy.Agency(r.GetAgency())
	for _, g := range a.Grants {
		if l, err := label.FromProto(r.GetLabel()); err == nil && mustLabel(x.policy, g.Cell).Dominates(l) {
			return g.Cell
		}
	}
	return ""
}
