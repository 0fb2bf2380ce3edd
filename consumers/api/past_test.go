package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/history"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// yesterday answers with one picture, or with an error.
type yesterday struct {
	picture *snapshot.Picture
	err     error
	asked   []history.Query
}

func (y *yesterday) At(_ context.Context, q history.Query) (*history.Answer, error) {
	y.asked = append(y.asked, q)
	if y.err != nil {
		return nil, y.err
	}
	return &history.Answer{Picture: y.picture, AsOf: &wf.AsOf{
		Time: timestamppb.New(q.AsOf), Origin: wf.Origin_ORIGIN_REPLAY, Removed: 1,
		Purges: []*wf.Purge{{Cell: "open", Agency: "fbi", ReportId: "r", Purged: timestamppb.New(q.AsOf.Add(time.Hour))}},
	}}, nil
}

func (y *yesterday) Progress() history.Progress {
	return history.Progress{Running: true, Done: 7, Total: 9}
}

func withPast(t *testing.T, n int) (*rig, *yesterday) {
	t.Helper()
	r := newRig(t)
	var all []*wf.Situation
	for i := range n {
		all = append(all, situation(100+i))
	}
	d := fusion.DigestOf(all)
	p, err := snapshot.Made(&wf.Frame{Cell: "le", Status: exercise, Digest: d[:], Reports: uint64(n), Tick: timestamppb.New(time.Unix(1699990000, 0)),
		Checkpoint: []*wf.Position{{Cell: "le", Sequence: 5}}}, slices.Values(all))
	if err != nil {
		t.Fatal(err)
	}
	y := &yesterday{picture: p}
	r.Past = y
	r.src.commit(t, situation(1))
	return r, y
}

const then = "2023-11-14T20:00:00Z"

func TestAsOf(t *testing.T) {
	r, y := withPast(t, 5)
	var ids []string
	path := "/v1/snapshot?status=exercise&page_size=2&as_of=" + then
	for {
		got := r.get(t, path, 200)
		asOf := got["as_of"].(map[string]any)
		if asOf["time"] != then || asOf["origin"] != "replay" || asOf["removed_since"] != "1" || len(asOf["purges"].([]any)) != 1 {
			t.Errorf("as_of is %v", asOf)
		}
		if c := asOf["checkpoint"].([]any)[0].(map[string]any); c["cell"] != "le" || c["sequence"] != "5" {
			t.Errorf("checkpoint is %v", c)
		}
		for _, s := range got["situations"].([]any) {
			ids = append(ids, s.(map[string]any)["id"].(string))
		}
		next, more := got["next_page_token"].(string)
		if !more {
			break
		}
		path = "/v1/snapshot?status=exercise&page_size=2&as_of=" + then + "&page_token=" + next
	}
	if slices.Sort(ids); len(ids) != 5 || len(slices.Compact(ids)) != 5 || len(y.asked) != 1 {
		t.Errorf("got %d situations by %d questions, want 5 by 1", len(ids), len(y.asked))
	}
	if got := r.get(t, fmt.Sprintf("/v1/situations/%032x?status=exercise&as_of=%s", 102, then), 200); got["as_of"] == nil || got["explanation"] == nil {
		t.Errorf("situation is %v", got)
	}
	r.get(t, fmt.Sprintf("/v1/situations/%032x?status=exercise&as_of=%s", 1, then), 404) // is now, was not then
	if got := r.get(t, "/v1/snapshot.geojson?status=exercise&replay=true&as_of="+then, 200); len(got["features"].([]any)) != 5 || got["as_of"] == nil {
		t.Errorf("geojson is %v", got)
	}
	if q := y.asked[len(y.asked)-1]; !q.Replay || q.Status != exercise {
		t.Errorf("asked %+v", q)
	}
	r.get(t, "/v1/snapshot?status=exercise&as_of="+url.QueryEscape("2023-11-14T21:00:00+01:00"), 200)
	if q := y.asked[len(y.asked)-1]; !q.AsOf.Equal(time.Date(2023, 11, 14, 20, 0, 0, 0, time.UTC)) || q.Replay {
		t.Errorf("asked %+v", q)
	}
	if got := r.get(t, "/v1/replay", 200); got["running"] != true || got["done"] != "7" || got["total"] != "9" {
		t.Errorf("progress is %v", got)
	}
	if got := r.get(t, "/v1/snapshot?status=exercise", 200); got["as_of"] != nil || got["total"] != 1.0 {
		t.Errorf("now is %v", got)
	}
}

// What cannot be answered says why and when to ask again, and nothing else.
func TestNoPast(t *testing.T) {
	r, y := withPast(t, 1)
	for _, path := range []string{"as_of=", "as_of=yesterday", "as_of=-2h", "as_of=2023-11-14", "as_of=0001-01-01T00:00:00Z", "replay=true", "as_of=" + then + "&replay=maybe", "as_of=" + then + "&as_of=" + then} {
		for _, at := range []string{"/v1/snapshot", "/v1/snapshot.geojson", fmt.Sprintf("/v1/situations/%032x", 1)} {
			r.pass(time.Second)
			r.get(t, at+"?status=exercise&"+path, 400)
		}
	}
	if len(y.asked) != 0 {
		t.Errorf("%d bad questions were passed on", len(y.asked))
	}
	for _, c := range []struct {
		err   error
		code  int
		word  string
		retry string
	}{
		{history.ErrFuture, 400, "bad-request", ""},
		{&history.Before{First: time.Unix(1700000000, 0)}, 404, "before-first-report", ""},
		{history.ErrBusy, 503, "replay-busy", "5"},
		{fmt.Errorf("%w: 2m", history.ErrTooLong), 503, "replay-too-long", "60"},
		{errors.New("read intel again: SECRET-DETAIL"), 503, "no-past", "5"},
	} {
		y.err = c.err
		req, err := http.NewRequest("GET", r.url+"/v1/snapshot?status=exercise&as_of="+then, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer good")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Retry-After"); got != c.retry {
			t.Errorf("%v: Retry-After %q, want %q", c.err, got, c.retry)
		}
		r.pass(time.Second)
		p := r.get(t, "/v1/snapshot?status=exercise&as_of="+then, c.code)
		if !strings.HasSuffix(p["type"].(string), ":"+c.word) {
			t.Errorf("%v: %v, want %s", c.err, p, c.word)
		}
		if text := fmt.Sprint(p); strings.Contains(text, "SECRET") || strings.Contains(text, "intel") {
			t.Errorf("the answer says %s", text)
		}
	}
	r.Past = nil
	r.get(t, "/v1/snapshot?status=exercise&as_of="+then, 404)
}

// Questions about the past cost a reader more than others.
func TestPastIsLimited(t *testing.T) {
	r, _ := withPast(t, 1)
	for range atOnce * defaultRequests / (pastCost + 1) {
		r.get(t, "/v1/snapshot?status=exercise&as_of="+then, 200)
	}
	r.get(t, "/v1/snapshot?status=exercise&as_of="+then, 429)
	r.getAs(t, "other", "/v1/snapshot?status=exercise&as_of="+then, 200)
}

// After a purge nothing is kept of before: no page, no event.
func TestPurgeForgetsPages(t *testing.T) {
	r, _ := withPast(t, 5)
	r.src.commit(t, situation(1), situation(2), situation(3))
	now := r.get(t, "/v1/snapshot?status=exercise&page_size=2", 200)["next_page_token"].(string)
	past := r.get(t, "/v1/snapshot?status=exercise&page_size=2&as_of="+then, 200)["next_page_token"].(string)
	r.get(t, "/v1/snapshot?status=exercise&page_size=2&page_token="+now, 200)
	r.src.purged = 1
	r.src.commit(t, situation(4))
	for _, token := range []string{now, past} {
		r.get(t, "/v1/snapshot?status=exercise&page_size=2&page_token="+token, 410)
	}
	v := r.views[exercise]
	if v.mu.Lock(); len(v.events) != 1 {
		t.Errorf("%d events are kept, want the last alone", len(v.events))
	}
	v.mu.Unlock()
}
