package cli

import (
	"fmt"
	"math"
	"os"
	"time"
)

// unknown is the total of a work whose length nobody knows; to be told it ends the line.
const unknown = math.MaxInt

// progress returns a function to be told how far a long work is. It writes one
// line that rewrites itself, only to a terminal and only when the work is long.
func (a *app) progress(what string, total int) func(done int) {
	if !isTerminal(a.err) {
		return func(int) {}
	}
	start, last := time.Now(), time.Now()
	shown := false
	return func(done int) {
		now := time.Now()
		if done >= total {
			if shown {
				fmt.Fprintf(a.err, "\r%s\r", "                                                            ")
				shown = false
			}
			return
		}
		if now.Sub(last) < 200*time.Millisecond {
			return
		}
		last, shown = now, true
		rate := float64(done) / now.Sub(start).Seconds()
		of := ""
		if total != unknown {
			of = fmt.Sprintf(" of %d", total)
		}
		fmt.Fprintf(a.err, "\r%s %d%s (%.0f/s)   ", what, done, of, rate)
	}
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
