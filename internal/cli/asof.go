package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/watchfloor/watchfloor/consumers"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const pastHelp = `--as-of takes a time as in RFC 3339, or how far back, like -2h. The time is that
of the picture's own clock, the tick that snapshot prints: the time of day of a
broker started with "up", the exercise's clock of a demo. -2h counts back from
now, in a demo from its tick. The answer comes from the stored frames of that
time, else the reports stored by then are correlated again; it says which.`

// past are the flags that ask for an earlier picture.
type past struct {
	asOf, api, token string
	replay           bool
	at               time.Time
	back             time.Duration
}

func (p *past) flags(c *cobra.Command) {
	c.Flags().StringVar(&p.asOf, "as-of", "", "the picture of an earlier time: RFC 3339, or back like -2h")
	c.Flags().BoolVar(&p.replay, "replay", false, "with --as-of: correlate the reports stored by then again, even where frames are stored")
	c.Flags().StringVar(&p.api, "api", "", "with --as-of at a remote broker: address of the cell's HTTP API")
	c.Flags().StringVar(&p.token, "token-file", "", "file with a token for --api, as creds token prints it")
}

func (p *past) asked() bool { return p.asOf != "" }

// check reads the flags.
func (p *past) check(r *remote) error {
	switch {
	case p.asOf == "" && (p.replay || p.api != "" || p.token != ""):
		return usage("--replay, --api and --token-file go with --as-of")
	case p.asOf == "":
		return nil
	case r.local() && p.api != "":
		return usage("--api goes with --context, or --url and --creds: the local broker's is known")
	case !r.local() && (p.api == "" || p.token == ""):
		return usage("--as-of at a remote broker asks the cell's HTTP API: say --api URL and --token-file FILE")
	}
	var err error
	if p.at, err = time.Parse(time.RFC3339Nano, p.asOf); err == nil {
		return nil
	}
	if p.back, err = time.ParseDuration(strings.TrimPrefix(p.asOf, "-")); err != nil || p.back <= 0 || strings.HasPrefix(p.asOf, "--") {
		return usage("--as-of %q: use a time like 2025-09-03T14:30:00Z, or how far back, like -2h", p.asOf)
	}
	return nil
}

// time is the time that is asked for; clock is now by the picture's clock.
func (p *past) time(clock time.Time) time.Time {
	if p.back > 0 {
		return clock.Add(-p.back)
	}
	return p.at
}

// pastTimeout bounds how long a command waits for an earlier picture: others
// may ask before it, and a replay may take minutes.
const pastTimeout = 5 * time.Minute

// loadPast asks the cell's HTTP API what its picture was.
func (a *app) loadPast(ctx context.Context, r reading) (*wf.Snapshot, error) {
	api, err := a.pastAPI(&r)
	if err != nil {
		return nil, err
	}
	c, fallback, err := a.reader(ctx, r.remote, r.cell, api, consumers.WithProgress(a.replaying(r.cell)))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	status, err := a.parseStatus(r.status, fallback)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pastTimeout)
	defer cancel()
	clock := time.Now()
	if l, _ := a.localRun(); r.local() && l != nil && l.only() != "" {
		now, err := c.Snapshot(ctx, status)
		if err != nil {
			return nil, unreachable("read the snapshot of %s: %w", r.cell, err)
		}
		clock = now.GetTick().AsTime()
	}
	ask := c.SnapshotAsOf
	if r.replay {
		ask = c.ReplayAsOf
	}
	s, err := ask(ctx, status, r.time(clock))
	return s, pastError(r.cell, err)
}

// pastAPI is the address and token of the cell's HTTP API.
func (a *app) pastAPI(r *reading) (consumers.Option, error) {
	if !r.local() {
		token, err := os.ReadFile(r.token)
		if err != nil {
			return nil, usage("read token: %w", err)
		}
		return consumers.WithAPI(r.api, strings.TrimSpace(string(token))), nil
	}
	l, err := a.local()
	if err != nil {
		return nil, err
	}
	reader, err := l.cleared(r.user, r.cell)
	if err != nil {
		return nil, err
	}
	of, _ := l.policy.Reader(reader)
	token, _, err := l.issuer.IssueToken(reader, r.cell, min(time.Hour, l.policy.UsualToken(of.Type)))
	if err != nil {
		return nil, failed("issue a token for %s in %s: %w", reader, r.cell, err)
	}
	return consumers.WithAPI(l.run.Pages[r.cell], token), nil
}

// pastError says what to do.
func pastError(cell string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, consumers.ErrFuture):
		return usage("--as-of: the time lies ahead of the picture's clock: snapshot --cell %s prints its tick", cell)
	case errors.Is(err, consumers.ErrBefore):
		return failed("%s: %w", cell, err)
	}
	return unreachable("read what the picture of %s was: %w", cell, err)
}

// replaying shows how far a replay is, on a terminal.
func (a *app) replaying(cell string) func(done, total uint64) {
	if !isTerminal(a.err) {
		return func(uint64, uint64) {}
	}
	shown := false
	return func(done, total uint64) {
		switch {
		case total == 0 && shown:
			fmt.Fprintf(a.err, "\r%60s\r", "")
		case total > 0:
			fmt.Fprintf(a.err, "\rreading the reports of %s again: %d of %d   ", cell, done, total)
		}
		shown = total > 0
	}
}

// asOfLine says of an earlier picture what it is; of the newest, nothing.
func asOfLine(w io.Writer, s *wf.Snapshot) {
	p := s.GetAsOf()
	if p == nil {
		return
	}
	from := "as it was published"
	if p.GetOrigin() == wf.Origin_ORIGIN_REPLAY {
		from = "correlated again from the reports stored by then"
	}
	fmt.Fprintf(w, "AS OF %s, not live: %s", p.GetTime().AsTime().UTC().Format(time.RFC3339), from)
	if n := p.GetRemoved(); n > 0 {
		fmt.Fprintf(w, "; without %s purged or expired since", count(int(n), "report"))
	}
	fmt.Fprintln(w)
	for _, x := range p.GetPurges() {
		fmt.Fprintf(w, "  purged since: report %s of %s in %s, %s\n", x.GetReportId(), x.GetAgency(), x.GetCell(), zulu(x.GetPurged().AsTime()))
	}
}
