package httptrial

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/watchfloor/watchfloor/broker/trial"
)

// soon is when a revoked token must have stopped to hold, however slow the
// machine; how soon it did is noted.
const soon = 30 * time.Second

// revoked ends a token of the trial while it reads a stream, and waits until
// the stream ends and the listener refuses it.
func (r *run) revoked(ctx context.Context, f Floor, keys []key) error {
	if !f.Reads || f.Revoke == nil || len(keys) == 0 {
		return nil
	}
	k := keys[len(keys)-1]
	d := &door{run: r, floor: f, cell: k.cell, url: f.Doors[k.cell]}
	wait, cancel := context.WithTimeout(ctx, cmp.Or(r.cfg.soon, soon))
	defer cancel()
	ended, err := d.stream(wait, k)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := f.Revoke(k.id); err != nil {
		return err
	}
	err = <-ended
	took := time.Since(began)
	out := d.attempt("reader/"+k.reader, "a token that was revoked", endpoint{"GET", "/v1/events", 200}, answer{code: http.StatusOK})
	out.Outcome, out.Answer, out.Why = trial.Refused, "the stream ended", "it was open until then"
	if err != nil {
		out.Outcome, out.Answer, out.Why = trial.Leak, "the stream went on", err.Error()
	}
	r.tell(out)
	r.note("an event stream ended %d ms after its token was revoked (%s)", took.Milliseconds(), f.Where)
	for _, e := range endpoints {
		if err := d.refused(ctx, "reader/"+k.reader, "a token that was revoked", e, 401, "Authorization", "Bearer "+k.text); err != nil {
			return err
		}
	}
	return nil
}

// stream opens an event stream and tells when it ends: nil when the listener
// ended it.
func (d *door) stream(ctx context.Context, k key) (<-chan error, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/v1/events?status=test", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+k.text)
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s does not open an event stream: %s", d.url, resp.Status)
	}
	ended := make(chan error, 1)
	go func() {
		defer resp.Body.Close()
		_, err := io.Copy(io.Discard, resp.Body)
		ended <- err
	}()
	return ended, nil
}
