package cli

import (
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/consumers/worker"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// A recovery worth telling of is told now and then, with its rate and what is
// left, and once at its end; a short one never.
func TestRecoveryLines(t *testing.T) {
	r := &recoveries{every: 5 * time.Second, under: map[string]worker.Progress{}, told: map[string]time.Time{}}
	begin := time.Unix(1700000000, 0)
	at := func(cell string, seconds int, done, total uint64) string {
		line, _ := r.line(worker.Progress{Cell: cell, Status: wf.Status_STATUS_ACTUAL, Done: done, Total: total, Since: time.Duration(seconds) * time.Second},
			begin.Add(time.Duration(seconds)*time.Second))
		return line
	}
	for _, c := range []struct {
		cell        string
		seconds     int
		done, total uint64
		want        string
	}{
		{"le", 1, 500, 19_999, ""},
		{"le", 2, 200_000, 1_000_000, "recovering le actual: 200000 of 1000000 records (100000/s, 8s left)"},
		{"fused", 3, 30_000, 90_000, "recovering fused actual: 30000 of 90000 records (10000/s, 6s left), and 1 more"},
		{"le", 4, 400_000, 1_000_000, ""},
		{"le", 7, 700_000, 1_000_000, "recovering le actual: 700000 of 1000000 records (100000/s, 3s left), and 1 more"},
		{"fused", 9, 90_000, 90_000, "recovered fused actual: 90000 records in 9s (10000/s)"},
		{"le", 10, 1_000_000, 1_000_000, "recovered le actual: 1000000 records in 10s (100000/s)"},
	} {
		if got := at(c.cell, c.seconds, c.done, c.total); got != c.want {
			t.Errorf("%s after %d s: %q, want %q", c.cell, c.seconds, got, c.want)
		}
	}
}
