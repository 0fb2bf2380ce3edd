package twins

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/consumers/worker"
)

// What a run compares at least, in bytes.
const (
	shortBytes = 1 << 20
	longBytes  = 10 << 20
)

// summary is the line that the target noninterference ends with.
type summary struct {
	Pairs         int    `json:"pairs"`
	Bytes         int    `json:"bytes"`
	Records       int    `json:"records"`
	Tapes         int    `json:"tapes"`
	Differences   int    `json:"differences"`
	LowAdmitted   int    `json:"low_admitted"`
	IntelAdmitted int    `json:"intel_admitted"`
	IntelRefused  int    `json:"intel_refused"`
	QuotaHits     int    `json:"quota_hits"`
	Seed          uint64 `json:"seed"`
	LastSeed      uint64 `json:"last_seed"`
}

// Everything that a credential of the law enforcement side can receive is a
// function of what that side and the open one submitted.
//
// The short form runs one pair by each clock, of seeds 1 and 2.
// WATCHFLOOR_TWINS_SECONDS runs longer pairs of seed after seed for so long,
// WATCHFLOOR_TWINS_SEED that one alone, and WATCHFLOOR_TWINS_RESULT names a file
// for the summary.
func TestNonInterference(t *testing.T) {
	seconds := number(t, "WATCHFLOOR_TWINS_SECONDS", 0)
	seed, alone := number(t, "WATCHFLOOR_TWINS_SEED", 0), os.Getenv("WATCHFLOOR_TWINS_SEED") != ""
	steps, least := 6, shortBytes
	switch {
	case seconds == 0 && !alone:
		seed = 1
	case !alone:
		seed = uint64(time.Now().Unix())
		fallthrough
	default:
		steps, least = 30, longBytes
	}
	sum, masker := summary{Seed: seed}, NewMasker()
	var without, with []time.Duration
	var connections [2]uint64
	begin := time.Now()
	for n := uint64(0); n == 0 || !alone && (n < 2 || time.Since(begin) < time.Duration(seconds)*time.Second); n++ {
		p := pair{seed: seed + n, steps: steps, ticks: []worker.Clock{worker.Input, worker.Wall}[(seed+n)%2]}
		fmt.Printf("seed %d: %d steps\n", p.seed, p.steps)
		out := p.run(t, masker)
		sum.add(p, out)
		connections = [2]uint64{out.without.Connections, out.with.Connections}
		without, with = append(without, out.without.Latency...), append(with, out.with.Latency...)
		fmt.Printf("seed %d: %d tapes, %d records, %d bytes compared, %d differences; low side %d of %d admitted; intelligence side %d admitted, %d refused, %d over the quota\n",
			p.seed, out.Tapes, out.Records, out.Bytes, len(out.Differences), out.with.Admitted, out.with.Submitted, out.with.IntelAdmitted, out.with.Refused, out.with.Full)
		for _, d := range out.Differences[:min(3, len(out.Differences))] {
			t.Errorf("seed %d: the intelligence side can be told from below: %s", p.seed, d)
		}
		if len(out.Differences) > 0 {
			t.Errorf("seed %d: %d tapes differ; make noninterference SEED=%d repeats it", p.seed, len(out.Differences), p.seed)
		}
		if t.Failed() {
			break
		}
		absent, err := missing(out.tapes.Lengths())
		if err != nil || len(absent) > 0 {
			t.Errorf("seed %d: nothing was kept of %v, %v", p.seed, absent, err)
		}
		for what, n := range map[string]int{"admitted no report": out.with.IntelAdmitted, "was refused nothing": out.with.Refused, "did not reach its quota": out.with.Full, "was never told to slow down": out.with.Limited} {
			if n == 0 {
				t.Errorf("seed %d: the intelligence side %s", p.seed, what)
			}
		}
	}
	t.Logf("connections that the server had counted when the last late reader came: without intelligence %d, with %d", connections[0], connections[1])
	if sum.Bytes < least {
		t.Errorf("%d bytes were compared, want %d", sum.Bytes, least)
	}
	if idle := masker.Idle(); len(idle) > 0 && !t.Failed() {
		t.Errorf("masks that took nothing: %v; take them off the list", idle)
	}
	t.Logf("masks: %s", masker.Hits())
	t.Logf("answer to a submission of the low side: without intelligence %s, with %s", spread(without), spread(with))
	sum.write(t)
}

func (s *summary) add(p pair, out outcome) {
	s.Pairs++
	s.Bytes += out.Bytes
	s.Records += out.Records
	s.Tapes += out.Tapes
	s.Differences += len(out.Differences)
	s.LowAdmitted += out.with.Admitted
	s.IntelAdmitted += out.with.IntelAdmitted
	s.IntelRefused += out.with.Refused
	s.QuotaHits += out.with.Full
	s.LastSeed = p.seed
}

func (s *summary) write(t *testing.T) {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("noninterference %s\n", data)
	if file := os.Getenv("WATCHFLOOR_TWINS_RESULT"); file != "" && !t.Failed() {
		if err := os.WriteFile(file, append(data, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func number(t *testing.T, name string, other uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return other
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("%s is %q: give a number", name, text)
	}
	return n
}

// spread is the median and the worst of a hundred.
func spread(list []time.Duration) string {
	if len(list) == 0 {
		return "none"
	}
	slices.Sort(list)
	return fmt.Sprintf("p50 %s, p99 %s of %d", list[len(list)/2].Round(time.Microsecond), list[len(list)*99/100].Round(time.Microsecond), len(list))
}
