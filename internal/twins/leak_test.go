package twins

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Each leak, planted in the world with intelligence traffic, is seen, and where
// it was planted.
func TestPlantedLeaks(t *testing.T) {
	p := pair{seed: 1, steps: 3, ticks: worker.Input, light: true}
	x, err := p.plan()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	g := ground{dir, madeKeys(t, dir, x.policy), x}
	without, err := p.world("without", g, NewMasker())
	if err != nil {
		t.Fatal(err)
	}
	play(t, without)
	for _, c := range []struct {
		name string
		leak func() *leak
		// tape and record of the first difference of one tape.
		tape, record string
		// faults: the leak may end the low side's part.
		faults bool
	}{
		{"nothing", func() *leak { return nil }, "", "", false},
		{"a shared counter", sharedCounter, "reader watch-le in le", "Watchfloor-Admission: admitted", false},
		{"a shared hub statistic", sharedHubs, "events watch-le le actual", "event: frame", false},
		{"an error text", errorText, "agency ", "known to another cell", false},
		{"a sequence gap", sequenceGap, "agency ", `"stream":"REPORTS","seq":`, false},
		{"a shared quota", sharedQuota, "agency ", "storage-full", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, err := p.world(strings.ReplaceAll(c.name, " ", "-"), g, NewMasker())
			if err != nil {
				t.Fatal(err)
			}
			w.high, w.leak = newIntel(w), c.leak()
			if l := w.leak; l != nil && l.answered != nil {
				w.tapes.Tamper = func(tape string, record []byte) []byte { return tampered(w, tape, record) }
			}
			if err := w.run(); err != nil && (!c.faults || !errors.Is(err, errTurnedAway)) {
				t.Fatal(err)
			}
			if c.record == "" {
				_ = until(func() string { return "tapes of a length" }, func() (bool, error) { return alike(without.tapes.Lengths(), w.tapes.Lengths()), nil })
			}
			out := Compare(without.tapes, w.tapes)
			stop(t, w)
			if w.high.admitted == 0 {
				t.Fatal("the intelligence side admitted nothing")
			}
			if c.record == "" {
				for _, d := range out.Differences {
					t.Error(d)
				}
				return
			}
			for _, d := range out.Differences {
				if strings.Contains(d.Tape, c.tape) && d.A != nil && d.B != nil && strings.Contains(string(d.B.Data), c.record) {
					t.Log(d)
					return
				}
			}
			t.Errorf("no tape of %q differs at a record with %q; %d differ", c.tape, c.record, len(out.Differences))
			for _, d := range out.Differences[:min(3, len(out.Differences))] {
				t.Log(d)
			}
		})
	}
}

// play runs a world to its end and stops it.
func play(t *testing.T, w *world) {
	t.Helper()
	if err := w.run(); err != nil {
		t.Fatal(err)
	}
	stop(t, w)
}

func stop(t *testing.T, w *world) {
	t.Helper()
	if err := w.stop(); err != nil {
		t.Errorf("stop %s: %v", w.name, err)
	}
}

func tampered(w *world, tape string, record []byte) []byte {
	s := w.asking.Load()
	if s == nil || !strings.Contains(tape, ": agency ") || !strings.HasPrefix(string(record), "MSG ") {
		return record
	}
	return w.leak.answered(w, *s, record)
}

// sharedCounter: what guards stamp reports with counts the reports of all cells.
func sharedCounter() *leak {
	var mu sync.Mutex
	n := 0
	return &leak{
		now: func(w *world) time.Time {
			mu.Lock()
			defer mu.Unlock()
			return w.clock.now().Add(time.Duration(n))
		},
		passes: func(*world, submission) error {
			mu.Lock()
			defer mu.Unlock()
			n++
			return nil
		},
	}
}

// sharedHubs: an identifier that many reports name, of whatever cell, tells no
// two of them apart.
func sharedHubs() *leak {
	var mu sync.Mutex
	count := map[string]int{}
	crowded := func(i *wf.Identifier) bool {
		mu.Lock()
		defer mu.Unlock()
		return count[i.GetValue()] > 4
	}
	return &leak{
		passes: func(_ *world, s submission) error {
			mu.Lock()
			defer mu.Unlock()
			for _, e := range s.report.GetEntities() {
				for _, i := range e.GetIdentifiers() {
					count[i.GetValue()]++
				}
			}
			return nil
		},
		engine: func(_ *world, _ string, c fusion.Config) worker.Engine { return &hubbed{fusion.New(c), crowded} },
	}
}

// hubbed is an engine that is given no identifier that is crowded.
type hubbed struct {
	*fusion.Engine
	crowded func(*wf.Identifier) bool
}

func (h *hubbed) Apply(in fusion.Input) {
	in.Report = clone(in.Report)
	for _, e := range in.Report.GetEntities() {
		var kept []*wf.Identifier
		for _, i := range e.GetIdentifiers() {
			if !h.crowded(i) {
				kept = append(kept, i)
			}
		}
		e.Identifiers = kept
	}
	h.Engine.Apply(in)
}

// errorText: the answer to a submission tells that another cell holds a report
// of the same id.
func errorText() *leak {
	var mu sync.Mutex
	held := map[string]bool{}
	return &leak{
		passes: func(_ *world, s submission) error {
			mu.Lock()
			defer mu.Unlock()
			held[s.report.GetId()] = true
			return nil
		},
		answered: func(_ *world, s submission, record []byte) []byte {
			mu.Lock()
			defer mu.Unlock()
			if !held[s.report.GetId()] {
				return record
			}
			return []byte(strings.Replace(string(record), "}\n", `,"note":"known to another cell"}`+"\n", 1))
		},
	}
}

// sequenceGap: what the intelligence side admits passes through the stream of le.
func sequenceGap() *leak {
	var guard *wire
	n := 0
	return &leak{passes: func(w *world, s submission) error {
		if n++; n%10 != 0 {
			return nil
		}
		if guard == nil {
			var err error
			if guard, err = w.connect("guard", "le", "main", nil); err != nil {
				return err
			}
		}
		at := subject.StoredOf(subject.Submission{
			Status: wf.Status_STATUS_TEST, Kind: wf.Kind_KIND_INCIDENT, State: subject.None, County: subject.None, Agency: "passing",
		}, "le", mustLabel(w.plan.policy, "le"), &wf.Label{})
		_, err := guard.request(w.spine.Broker().Inlet("le", subject.Reports).Of(at.String()), nil)
		return err
	}}
}

// sharedQuota: what the intelligence side stores is taken from what le may store.
func sharedQuota() *leak {
	const budget = 40 << 10
	used := 0
	return &leak{passes: func(w *world, s submission) error {
		before := used
		if used += len(s.data); used < budget || before >= budget {
			return nil
		}
		p, err := withQuota(string(policy.DefaultYAML()), "le", "1KiB")
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := w.spine.Broker().Reload(ctx, p); err != nil {
			return fmt.Errorf("take the quota away: %w", err)
		}
		return nil
	}}
}
