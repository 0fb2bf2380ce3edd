package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// longRecovery is how many records make a recovery worth telling of.
const longRecovery = 20_000

// recovery tells how far each picture is with reading its reports again: on a
// terminal one line that rewrites itself, else a line per picture every few
// seconds, for a journal.
func (a *app) recovery() func(worker.Progress) {
	every, terminal := 5*time.Second, isTerminal(a.err)
	if terminal {
		every = 200 * time.Millisecond
	}
	t := &recoveries{every: every, under: map[string]worker.Progress{}, told: map[string]time.Time{}}
	return func(p worker.Progress) {
		t.mu.Lock()
		defer t.mu.Unlock()
		line, done := t.line(p, time.Now())
		switch {
		case line == "":
		case !terminal || done:
			clear := ""
			if terminal {
				clear = "\r\033[K"
			}
			fmt.Fprintf(a.err, "%s%s\n", clear, line)
		default:
			fmt.Fprintf(a.err, "\r\033[K%s", line)
		}
	}
}

// recoveries is what runs at the same time.
type recoveries struct {
	mu    sync.Mutex
	every time.Duration
	under map[string]worker.Progress
	told  map[string]time.Time
}

// line is what to say of a picture, if anything, and whether it was the last word.
func (t *recoveries) line(p worker.Progress, now time.Time) (line string, done bool) {
	name := p.Cell + " " + subject.StatusToken(p.Status)
	if p.Total < longRecovery {
		return "", false
	}
	if p.Done >= p.Total {
		delete(t.under, name)
		return fmt.Sprintf("recovered %s: %d records in %s (%.0f/s)", name, p.Done, p.Since.Round(100*time.Millisecond), p.Rate()), true
	}
	t.under[name] = p
	if now.Sub(t.told[name]) < t.every {
		return "", false
	}
	t.told[name] = now
	others := ""
	if n := len(t.under) - 1; n > 0 {
		others = fmt.Sprintf(", and %d more", n)
	}
	return fmt.Sprintf("recovering %s: %d of %d records (%.0f/s, %s left)%s", name, p.Done, p.Total, p.Rate(), p.Left().Round(time.Second), others), false
}
