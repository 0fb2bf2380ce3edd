package spine_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/spine"
	scenario "github.com/watchfloor/watchfloor/producers/exercise"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// A cell whose quota is used up, so that not one frame of it can be stored,
// starts with the picture that it had, and keeps no other cell from starting.
func TestAFullCellKeepsNoOtherFromStarting(t *testing.T) {
	dir := t.TempDir()
	s, closeAll := startSpine(t, dir)
	play(t, s, 100)
	before := digests(s)
	closeAll()

	const full = "intel-s"
	p, err := policy.Parse([]byte(strings.Replace(string(policy.DefaultYAML()), "- name: "+full+"\n", "- name: "+full+"\n    quota: 1KiB\n", 1)))
	must(t, err)
	if c, _ := p.Cell(full); c.Quota != 1024 {
		t.Fatalf("quota of %s is %d", full, c.Quota)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	s, err = spine.Start(ctx, spine.Config{
		Policy: p, DataDir: filepath.Join(dir, "data"), KeysDir: filepath.Join(dir, "keys"), Port: -1, HTTPPort: -1,
		Clock: worker.Input, Statuses: []wf.Status{wf.Status_STATUS_EXERCISE}, Version: "test",
	})
	must(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	sc, err := scenario.New(scenario.Config{Seed: 2, Reports: 100})
	must(t, err)
	var last *wf.Report // the first ones have expired by the clock of the picture
	for step := range sc.Steps() {
		if step.Cell == "le" && step.Report.GetState() == wf.ReportState_REPORT_STATE_ACTIVE {
			last = step.Report
		}
	}
	(&agencies{t, s, map[string]jetstream.JetStream{}}).publish("le", last)
	until(t, s.Picture("le", wf.Status_STATUS_EXERCISE), "the new report in le", func(p *snapshot.Picture) bool {
		d := p.Digest()
		return hex.EncodeToString(d[:]) != before["le"]
	})
	if got := digests(s)[full]; got != before[full] {
		t.Errorf("%s starts with digest %s, it had %s", full, got, before[full])
	}
	for _, c := range s.Cells() {
		var h head
		resp := ask(t, c, "/v1/snapshot?status=exercise&page_size=1")
		must(t, json.NewDecoder(resp.Body).Decode(&h))
		if resp.StatusCode != 200 || c.Name == full && h.Digest != before[full] {
			t.Errorf("%s answers %d with digest %s", c.Name, resp.StatusCode, h.Digest)
		}
	}
}
