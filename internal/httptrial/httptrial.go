// Package httptrial tries against HTTP listeners what package proof says of
// tokens: each opens its own cell and no other, and nothing opens without one
// that holds.
//
// What must be refused goes to a running broker too. What is permitted goes to
// a twin alone, all of Watchfloor with the same policy in a temporary folder:
// the running one would record it as read by somebody who did not.
package httptrial

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/broker/trial"
)

// Issue makes a token.
type Issue func(account.TokenRequest) (string, account.Token, error)

// Floor is listeners to try, with a way to the tokens for them.
type Floor struct {
	// Where is "running" or "twin".
	Where string
	// Doors is the address of every cell's listener.
	Doors map[string]string
	Issue Issue
	// Earlier issues as two hours ago.
	Earlier Issue
	// Revoke ends a token by its id.
	Revoke func(id string) error
	// Reads says that what is permitted is tried too.
	Reads bool
}

// Config is what a trial needs.
type Config struct {
	Policy *policy.Policy
	Floors []Floor
	// Tell is told of every attempt, by one goroutine at a time. May be nil.
	Tell func(trial.Attempt)

	soon time.Duration // for tests: when a revoked stream must have ended
}

// lifetime of the tokens of a trial.
const lifetime = 10 * time.Minute

// key is a token in the hands of a reader.
type key struct{ reader, cell, text, id string }

// run is one run.
type run struct {
	cfg    Config
	client *http.Client

	mu  sync.Mutex
	sum trial.Summary
}

// Run makes every attempt on every floor. The error is that it could not be
// run; whether the listeners hold, the summary says.
func Run(ctx context.Context, cfg Config) (trial.Summary, error) {
	r := &run{cfg: cfg, client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       time.Minute,
	}}
	defer r.client.CloseIdleConnections()
	for _, f := range cfg.Floors {
		if err := r.floor(ctx, f); err != nil {
			return r.sum, fmt.Errorf("try the listeners of the %s: %w", f.Where, err)
		}
	}
	return r.sum, nil
}

func (r *run) tell(a trial.Attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Attempts++
	switch a.Outcome {
	case trial.Refused:
		r.sum.Refused++
	case trial.Allowed:
		r.sum.Allowed++
	case trial.Leak:
		r.sum.Leaks++
	default:
		r.sum.Wrong++
	}
	if r.cfg.Tell != nil {
		r.cfg.Tell(a)
	}
}

func (r *run) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sum.Notes = append(r.sum.Notes, fmt.Sprintf(format, args...))
}

// floor tries every listener with every token, side by side.
func (r *run) floor(ctx context.Context, f Floor) error {
	keys, err := r.keys(f)
	if err != nil {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	for cell, url := range f.Doors {
		g.Go(func() error { return (&door{run: r, floor: f, cell: cell, url: url}).try(gctx, keys) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return r.revoked(ctx, f, keys)
}

// keys asks for a token of every reader in every cell: none may be had where
// the reader is not cleared.
func (r *run) keys(f Floor) ([]key, error) {
	var out []key
	for _, reader := range r.cfg.Policy.Readers {
		for _, cell := range r.cfg.Policy.CellNames() {
			cleared := slices.Contains(reader.Cells, cell)
			text, t, err := f.Issue(account.TokenRequest{Reader: reader.Name, Cell: cell, Lifetime: min(lifetime, r.cfg.Policy.LongestToken(reader.Type))})
			a := trial.Attempt{Trap: "HTTP", Principal: "reader/" + reader.Name, Cell: cell, Action: "issue", Subject: "a token", Where: f.Where}
			switch {
			case cleared && err != nil:
				return nil, fmt.Errorf("token for %s in %s: %w", reader.Name, cell, err)
			case cleared:
				out = append(out, key{reader.Name, cell, text, t.ID})
				continue
			case err == nil:
				a.Outcome, a.Answer, a.Why = trial.Leak, "issued", "the reader is not cleared for the cell"
			default:
				a.Outcome, a.Answer, a.Why = trial.Refused, "not in the policy", "who is cleared is given one"
			}
			r.tell(a)
		}
	}
	return out, nil
}

// endpoint is something to ask for, and how it is answered to who may.
type endpoint struct {
	method, path string
	code         int
}

var nobody = strings.Repeat("0", 32)

var endpoints = []endpoint{
	{"GET", "/v1/cell", 200},
	{"GET", "/v1/snapshot?status=test&page_size=1", 200},
	{"GET", "/v1/snapshot.geojson?status=test", 200},
	{"GET", "/v1/situations/" + nobody + "?status=test", 404},
	{"GET", "/v1/replay", 200},
	{"HEAD", "/v1/events?status=test", 200},
	{"GET", "/metrics", 200},
}

// door is one listener.
type door struct {
	*run
	floor     Floor
	cell, url string
}

// try makes every attempt at the listener.
func (d *door) try(ctx context.Context, keys []key) error {
	var own key
	for _, k := range keys {
		if k.cell == d.cell {
			own = k
			if d.floor.Reads {
				if err := d.permitted(ctx, k); err != nil {
					return err
				}
			}
			continue
		}
		for _, e := range endpoints {
			if err := d.refused(ctx, "reader/"+k.reader, "token of "+k.cell, e, 401, "Authorization", "Bearer "+k.text); err != nil {
				return err
			}
		}
	}
	return d.strangers(ctx, own)
}

// permitted: the listener of the cell answers who is cleared for it, and says
// that it is of this cell.
func (d *door) permitted(ctx context.Context, k key) error {
	for _, e := range endpoints {
		a, err := d.ask(ctx, e, "Authorization", "Bearer "+k.text)
		if err != nil {
			return err
		}
		out := d.attempt("reader/"+k.reader, "its own token", e, a)
		out.Outcome, out.Why = trial.Allowed, "cleared for the cell"
		switch {
		case a.code != e.code:
			out.Outcome, out.Why = trial.Wrong, fmt.Sprintf("it is answered %d to who may read", e.code)
		case e.path == "/v1/cell" && cellOf(a.body) != d.cell:
			out.Outcome, out.Why = trial.Leak, "it is the listener of "+cellOf(a.body)
		}
		d.tell(out)
	}
	return nil
}

// cellOf is the cell that an answer says it is of.
func cellOf(body []byte) string {
	var says struct{ Cell string }
	if json.Unmarshal(body, &says) != nil {
		return ""
	}
	return says.Cell
}

// strangers come without a token that holds, or with one in a place, a manner
// or from a page that it must not come from.
func (d *door) strangers(ctx context.Context, own key) error {
	type way struct {
		what   string
		code   int
		header []string
	}
	ways := []way{{"no token", 401, nil}, {"a token of nobody's making", 401, []string{"Authorization", "Bearer wf2.e30.AAAA"}}}
	if own.text != "" {
		good := "Bearer " + own.text
		flipped := own.text[:len(own.text)-1] + string(own.text[len(own.text)-1]^1)
		stale, err := d.expired(own)
		if err != nil {
			return err
		}
		ways = append(ways,
			way{"an expired token", 401, []string{"Authorization", "Bearer " + stale}},
			way{"a changed token", 401, []string{"Authorization", "Bearer " + flipped}},
			way{"a token in a cookie", 401, []string{"Cookie", "token=" + own.text}},
			way{"a token by another scheme", 401, []string{"Authorization", "Basic " + own.text}},
			way{"a page of another origin", 403, []string{"Authorization", good, "Origin", "https://evil.example"}},
			way{"another name for this address", 421, []string{"Authorization", good, "Host", "evil.example"}},
		)
		if err := d.closed(ctx, own, good); err != nil {
			return err
		}
	}
	for _, w := range ways {
		for _, e := range endpoints {
			if err := d.refused(ctx, "a stranger", w.what, e, w.code, w.header...); err != nil {
				return err
			}
		}
	}
	return nil
}

// closed tries what the interface does not offer even to who may read.
func (d *door) closed(ctx context.Context, own key, good string) error {
	for _, e := range []endpoint{
		{"GET", "/v1/cell?token=" + own.text, 401}, {"GET", "/v1/cell?access_token=" + own.text, 401},
	} {
		if err := d.refused(ctx, "a stranger", "a token in the address", e, e.code); err != nil {
			return err
		}
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
		if err := d.refused(ctx, "reader/"+own.reader, "its own token", endpoint{method, "/v1/snapshot", 405}, 405, "Authorization", good); err != nil {
			return err
		}
	}
	return nil
}

func (d *door) expired(own key) (string, error) {
	text, _, err := d.floor.Earlier(account.TokenRequest{Reader: own.reader, Cell: own.cell, Lifetime: time.Minute})
	return text, err
}

// answer of a listener.
type answer struct {
	code int
	body []byte
}

// refused makes a request that must be answered with a code, and with nothing
// that differs by what was asked for.
func (d *door) refused(ctx context.Context, who, with string, e endpoint, code int, header ...string) error {
	a, err := d.ask(ctx, e, header...)
	if err != nil {
		return err
	}
	out := d.attempt(who, with, e, a)
	switch {
	case a.code == code && !bytes.Contains(a.body, []byte(`"cell"`)):
		out.Outcome, out.Why = trial.Refused, fmt.Sprintf("the token of who is cleared is answered %d", e.code)
	case a.code < 400 || a.code == e.code:
		out.Outcome, out.Why = trial.Leak, fmt.Sprintf("it must be refused with %d", code)
	default:
		out.Outcome, out.Why = trial.Wrong, fmt.Sprintf("it must be refused with %d", code)
	}
	d.tell(out)
	return nil
}

func (d *door) attempt(who, with string, e endpoint, a answer) trial.Attempt {
	path, _, _ := strings.Cut(e.path, "?")
	return trial.Attempt{
		Trap: "HTTP", Principal: who, Cell: d.cell, Action: e.method, Subject: path + " with " + with, Where: d.floor.Where,
		Answer: strconv.Itoa(a.code) + " " + http.StatusText(a.code),
	}
}

// ask makes a request, and again when there were too many.
func (d *door) ask(ctx context.Context, e endpoint, header ...string) (answer, error) {
	for {
		a, again, err := d.once(ctx, e, header...)
		if err != nil || again == 0 {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(again):
		}
	}
}

// maxBody is how much of an answer is looked at.
const maxBody = 1 << 20

func (d *door) once(ctx context.Context, e endpoint, header ...string) (a answer, again time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, e.method, d.url+e.path, nil)
	if err != nil {
		return a, 0, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return a, 0, err
	}
	defer resp.Body.Close()
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody)); err != nil {
		return a, 0, err
	}
	a.code = resp.StatusCode
	d.mu.Lock()
	d.sum.Bytes += len(a.body)
	d.mu.Unlock()
	if a.code == http.StatusTooManyRequests {
		after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil || after < 1 {
			return a, 0, fmt.Errorf("%s answers 429 and does not say when to ask again", d.url)
		}
		return a, time.Duration(after) * time.Second, nil
	}
	return a, 0, nil
}
