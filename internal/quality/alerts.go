package quality

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/producers/feed"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// alerts is a part that correlates alerts of a weather service. Truth is what
// the service itself says: alerts with one VTEC event key, and alerts of which
// one refers to the other, are one event.
type alerts struct {
	name string
	read func(Config) (set, error)
	// hide takes from a report what the engine is not to see; may be nil. The
	// key given away is no test of the rest.
	hide    func(*wf.Report)
	targets func(Row) []Target
}

var alertSets = []alerts{
	{name: "nws", read: readAlerts, targets: func(r Row) []Target { return []Target{atLeast("F1", 0.99, r.Pairs.F1)} }},
	{name: "nws-no-key", read: readOneHazardAlerts, hide: hideKeys},
	{name: "alerts-no-key", read: writeAlerts, hide: hideKeys},
	{name: "alerts-no-key-no-reference", read: writeAlerts, hide: func(r *wf.Report) { hideKeys(r); r.References = nil }},
}

func alertParts() []part {
	var out []part
	for _, a := range alertSets {
		out = append(out, part{a.name, false, a.run})
	}
	return out
}

func (a alerts) run(ctx context.Context, c Config) (Row, error) {
	s, err := a.read(c)
	if err != nil {
		return Row{}, err
	}
	for _, r := range s.reports {
		if a.hide != nil {
			a.hide(r)
		}
	}
	r, err := s.measure(ctx, c)
	if err != nil {
		return Row{}, err
	}
	if a.targets != nil {
		r.Targets = a.targets(r)
	}
	return r, nil
}

// writeAlerts are the chains of alerts of an exercise: a warning, its updates
// and its end, each with the event key and references to those before.
func writeAlerts(c Config) (set, error) {
	sc, err := exercise.New(exercise.Config{Seed: 1, Reports: c.scaled(50_000), Status: wf.Status_STATUS_TEST})
	if err != nil {
		return set{}, fmt.Errorf("write alerts: %w", err)
	}
	var s set
	seen := map[string]bool{}
	for step := range sc.Steps() {
		if r := step.Report; strings.HasPrefix(step.Event, "weather-") && r.GetHazard() != nil && !seen[r.Id] {
			seen[r.Id] = true
			s.reports, s.truth = append(s.reports, proto.CloneOf(r)), append(s.truth, step.Event)
		}
	}
	return s, nil
}

// readOneHazardAlerts leaves out what carries a key that alerts of different
// hazards share: the corpus is of a test server, which gives most of its
// templates the same one.
func readOneHazardAlerts(c Config) (set, error) {
	s, err := readAlerts(c)
	if err != nil {
		return s, err
	}
	hazard, shared := map[string]string{}, map[string]bool{}
	for _, r := range s.reports {
		for _, k := range keysOf(r) {
			if h, ok := hazard[k]; ok && h != r.GetHazard().GetEvent() {
				shared[k] = true
			}
			hazard[k] = r.GetHazard().GetEvent()
		}
	}
	s.reports = slices.DeleteFunc(s.reports, func(r *wf.Report) bool {
		return slices.ContainsFunc(keysOf(r), func(k string) bool { return shared[k] })
	})
	s.truth = eventsOf(s.reports)
	return s, nil
}

func keysOf(r *wf.Report) []string {
	var out []string
	for _, e := range r.Entities {
		for _, id := range e.Identifiers {
			if isKey(id) {
				out = append(out, id.Value)
			}
		}
	}
	return out
}

// readAlerts reads every file of the weather service by its codec, each alert once.
func readAlerts(c Config) (set, error) {
	var s set
	dir := filepath.Join(c.Corpus, "cap", "nws-api")
	files, err := os.ReadDir(dir)
	if err != nil {
		return s, fmt.Errorf("%w: %w", ErrNoCorpus, err)
	}
	seen := map[string]bool{}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return s, fmt.Errorf("%w: %w", ErrNoCorpus, err)
		}
		for _, item := range alertFeed.Read(f.Name(), render(data)).Items {
			switch r := item.Report; {
			case item.Refused():
				s.refused++
			case !seen[r.Id]:
				seen[r.Id] = true
				r.Status = wf.Status_STATUS_TEST
				s.reports = append(s.reports, r)
			}
		}
	}
	s.truth = eventsOf(s.reports)
	return s, nil
}

var alertFeed = feed.Config{Extract: true, Options: func(feed.Format) codec.Options {
	o := options
	o.Agency, o.Received = "nws", rendered
	o.Markings = codec.Markings{Scope: map[string]*wf.Label{"Public": o.Label}}
	return o
}}

// rendered is the time that stands for "now" in the corpus: its files are
// templates of a test server, which writes times for words when it is asked.
var rendered = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var wordTime = regexp.MustCompile(`"date:(?:now|today [0-9:-]+)(?: ([+-]? ?\d+) (second|minute|hour|day)s?)?"`)

func render(data []byte) []byte {
	units := map[string]time.Duration{"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	return wordTime.ReplaceAllFunc(data, func(b []byte) []byte {
		m := wordTime.FindSubmatch(b)
		n := 0
		if len(m[1]) > 0 {
			n, _ = strconv.Atoi(strings.ReplaceAll(string(m[1]), " ", "")) // the pattern lets nothing else through
		}
		return []byte(strconv.Quote(rendered.Add(time.Duration(n) * units[string(m[2])]).Format(time.RFC3339)))
	})
}

func isKey(i *wf.Identifier) bool { return i.GetType() == wf.IdentifierType_IDENTIFIER_TYPE_VTEC }

// hideKeys takes the event keys out, and every text that could hold them.
func hideKeys(r *wf.Report) {
	for _, e := range r.Entities {
		e.Identifiers = slices.DeleteFunc(e.Identifiers, isKey)
	}
	r.Entities = slices.DeleteFunc(r.Entities, func(e *wf.Entity) bool { return len(e.Identifiers) == 0 && e.Detail == nil })
	r.Narrative = vtecText.ReplaceAllString(r.Narrative, "")
}

var vtecText = regexp.MustCompile(`/[OTEX]\.[A-Z]{3}\.[A-Z]{4}\.[A-Z]{2}\.[A-Z]\.\d{4}\.[0-9TZ-]+/`)

// eventsOf labels reports by what ties them together by name: event keys, and
// references to each other or to one alert that is not there.
func eventsOf(reports []*wf.Report) []string {
	first := map[string]int{}
	u := newUnion(len(reports))
	tie := func(name string, i int) {
		if j, ok := first[name]; ok {
			u.join(i, j)
			return
		}
		first[name] = i
	}
	for i, r := range reports {
		tie("record "+r.Record, i)
		for _, ref := range r.References {
			if ref.Type != wf.ReferenceType_REFERENCE_TYPE_CONTEXT {
				tie("record "+ref.Record, i)
			}
		}
		for _, k := range keysOf(r) {
			tie("key "+k, i)
		}
	}
	return u.labels()
}

// union is a forest of sets of numbers.
type union []int

func newUnion(n int) union {
	u := make(union, n)
	for i := range u {
		u[i] = i
	}
	return u
}

func (u union) root(i int) int {
	for u[i] != i {
		u[i] = u[u[i]]
		i = u[i]
	}
	return i
}

func (u union) join(a, b int) { u[u.root(a)] = u.root(b) }

func (u union) labels() []string {
	out := make([]string, len(u))
	for i := range u {
		out[i] = strconv.Itoa(u.root(i))
	}
	return out
}
