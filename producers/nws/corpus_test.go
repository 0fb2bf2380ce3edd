package nws_test

import (
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/internal/corpus"
	"github.com/watchfloor/watchfloor/producers/nws"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var received = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func options() codec.Options {
	open := &wf.Label{Level: wf.Level_LEVEL_UNCLASSIFIED}
	return codec.Options{Agency: "ipaws", Label: open, Received: received,
		Markings: codec.Markings{Scope: map[string]*wf.Label{"Public": open}}}
}

func files(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for name, features := range map[string]int{"e2e-active.json": 152, "load-testing-ioc-active.json": 8, "testing-active.json": 38} {
		data, err := os.ReadFile(filepath.Join(corpus.Dir(t, "cap/nws-api"), "cap", "nws-api", name))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(nws.Decode(data, options())); n != features {
			t.Fatalf("%s: %d items, want %d", name, n, features)
		}
		out[name] = data
	}
	return out
}

// The files of the corpus are templates of a test server: most times are
// words such as "date:now +1 hour". They are no times, and so refused; the
// list says so.
func TestTemplateTimesAreRefused(t *testing.T) {
	list, err := os.Open("testdata/differences.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	rows, err := csv.NewReader(list).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]string{}, map[string]string{}
	for _, row := range rows[1:] {
		want[row[1]] = row[3]
	}
	for name, data := range files(t) {
		refused, badTime := 0, 0
		for _, it := range nws.Decode(data, options()) {
			if it.Refused() {
				refused++
			}
			if it.Reasons.Has(admission.BadTime) {
				badTime++
			}
		}
		got["cap/nws-api/"+name] = fmt.Sprintf("%d: %s %d", refused, admission.BadTime, badTime)
	}
	if !maps.Equal(want, got) {
		t.Errorf("listed %v, got %v", want, got)
	}
}

var template = regexp.MustCompile(`"date:(?:now|today [0-9:-]+)(?: ([+-]? ?\d+) (second|minute|hour|day)s?)?"`)

// render does what the test server does: it writes times for the words.
func render(data []byte) []byte {
	units := map[string]time.Duration{"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	return template.ReplaceAllFunc(data, func(b []byte) []byte {
		m := template.FindSubmatch(b)
		n, _ := strconv.Atoi(strings.ReplaceAll(string(m[1]), " ", ""))
		return []byte(strconv.Quote(received.Add(time.Duration(n) * units[string(m[2])]).Format(time.RFC3339)))
	})
}

func TestRenderedCorpusIsAdmitted(t *testing.T) {
	var counties, polygons, words, states, keys, superseding int
	for name, data := range files(t) {
		for _, it := range nws.Decode(render(data), options()) {
			if it.Refused() {
				t.Errorf("%s %s: %s", name, it.Where, it.Reasons)
				continue
			}
			r := it.Report
			if reasons := report.Validate(r, received, report.Limits{}); len(reasons) > 0 {
				t.Errorf("%s %s: %s", name, it.Where, reasons)
			}
			if !strings.HasPrefix(r.Record, r.GetHazard().Sender+",") || r.Id != report.RecordID("ipaws", r.Record) {
				t.Errorf("%s %s: record %q, id %s", name, it.Where, r.Record, r.Id)
			}
			for _, p := range r.Places {
				switch {
				case p.Polygon != nil:
					polygons++
				case p.CountyFips != "":
					counties++
				case p.State != "":
					states++
				default:
					// Marine zones belong to no state; most entries of one file have no codes.
					words++
				}
			}
			for _, e := range r.Entities {
				keys += len(e.Identifiers)
			}
			for _, ref := range r.References {
				if ref.Type == wf.ReferenceType_REFERENCE_TYPE_SUPERSEDES {
					superseding++
				}
			}
		}
	}
	t.Logf("%d counties, %d polygons, %d states, %d words, %d VTEC keys, %d superseded messages", counties, polygons, states, words, keys, superseding)
	if counties == 0 || polygons != 3 || states == 0 || keys < 180 || superseding < 35 {
		t.Errorf("too little was read: %d counties, %d polygons, %d states, %d VTEC keys, %d superseded", counties, polygons, states, keys, superseding)
	}
}
