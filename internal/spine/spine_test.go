package spine_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/spine"
	scenario "github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// startSpine runs everything on dir until the test ends or close is called.
func startSpine(t *testing.T, dir string) (s *spine.Spine, closeAll func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	s, err := spine.Start(ctx, spine.Config{
		Policy: policy.Default(), DataDir: filepath.Join(dir, "data"), KeysDir: filepath.Join(dir, "keys"),
		Port: -1, HTTPPort: -1, Clock: worker.Input, Statuses: []wf.Status{wf.Status_STATUS_ACTUAL, wf.Status_STATUS_EXERCISE}, Version: "test",
	})
	must(t, err)
	closed := false
	closeAll = func() {
		if closed {
			return
		}
		closed = true
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	t.Cleanup(closeAll)
	return s, closeAll
}

// agencies are stock NATS clients, one per agency and cell.
type agencies struct {
	t  *testing.T
	s  *spine.Spine
	js map[string]jetstream.JetStream
}

// publish submits a report as its agency does: plain js.Publish.
func (a *agencies) publish(cell string, r *wf.Report) {
	a.t.Helper()
	key := cell + "/" + r.GetAgency()
	if a.js[key] == nil {
		c, err := a.s.Broker().Credential(r.GetAgency(), cell)
		must(a.t, err)
		nc, err := nats.Connect(c.URL, nats.UserJWTAndSeed(c.JWT, c.Seed), nats.CustomInboxPrefix(c.InboxPrefix))
		must(a.t, err)
		a.t.Cleanup(nc.Close)
		a.js[key], err = jetstream.New(nc)
		must(a.t, err)
	}
	data, err := proto.Marshal(r)
	must(a.t, err)
	if _, err := a.js[key].Publish(a.t.Context(), subject.Submit(r), data); err != nil {
		a.t.Fatalf("%s into %s: %v", r.GetAgency(), cell, err)
	}
}

// play submits an exercise and waits for every picture.
func play(t *testing.T, s *spine.Spine, n int) {
	t.Helper()
	sc, err := scenario.New(scenario.Config{Seed: 1, Reports: n})
	must(t, err)
	a := &agencies{t, s, map[string]jetstream.JetStream{}}
	for step := range sc.Steps() {
		a.publish(step.Cell, step.Report)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	must(t, s.Settled(ctx))
}

func ask(t *testing.T, c spine.Cell, path string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", c.URL+path, nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+c.Token)
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// head is the part of a snapshot that all interfaces share.
type head struct {
	Revision string `json:"revision"`
	Digest   string `json:"digest"`
	Total    int    `json:"total"`
}

func digests(s *spine.Spine) map[string]string {
	out := map[string]string{}
	for _, c := range s.Cells() {
		s.Picture(c.Name, wf.Status_STATUS_EXERCISE).Read(func(p *snapshot.Picture) {
			d := p.Digest()
			out[c.Name] = hex.EncodeToString(d[:])
		})
	}
	return out
}

// From an agency's publish to every cell that may read it, by SDK and HTTP
// alike; and after a restart on the same data every picture is the same.
func TestFromPublishToEveryPicture(t *testing.T) {
	dir := t.TempDir()
	s, closeAll := startSpine(t, dir)
	play(t, s, 150)
	before := digests(s)
	seen := map[string]string{}
	for _, c := range s.Cells() {
		var h head
		resp := ask(t, c, "/v1/snapshot?status=exercise&page_size=1")
		if resp.StatusCode != 200 {
			t.Fatalf("%s: %d", c.Name, resp.StatusCode)
		}
		must(t, json.NewDecoder(resp.Body).Decode(&h))
		if h.Total == 0 || h.Digest != before[c.Name] {
			t.Errorf("%s over HTTP: %d situations, digest %s, want %s", c.Name, h.Total, h.Digest, before[c.Name])
		}
		if other, ok := seen[h.Digest]; ok {
			t.Errorf("%s and %s have one picture", c.Name, other)
		}
		seen[h.Digest] = c.Name
		cred, err := s.Broker().Credential(c.Reader, c.Name)
		must(t, err)
		client, err := consumers.Connect(t.Context(), cred.URL, consumers.WithUser(cred.JWT, cred.Seed), consumers.WithInboxPrefix(cred.InboxPrefix), consumers.WithCell(c.Name))
		must(t, err)
		snap, err := client.Snapshot(t.Context(), wf.Status_STATUS_EXERCISE)
		must(t, err)
		if hex.EncodeToString(snap.GetDigest()) != before[c.Name] || len(snap.GetSituations()) != h.Total {
			t.Errorf("%s by the SDK: %d situations", c.Name, len(snap.GetSituations()))
		}
		client.Close()
	}
	closeAll()
	s, _ = startSpine(t, dir)
	for cell, want := range before {
		if got := digests(s)[cell]; got != want {
			t.Errorf("%s after a restart: digest %s, want %s", cell, got, want)
		}
	}
}

// A token of one cell says nothing at another's listener.
func TestTokenOfAnotherCell(t *testing.T) {
	s, _ := startSpine(t, t.TempDir())
	for _, at := range s.Cells() {
		for _, of := range s.Cells() {
			c := at
			c.Token = of.Token
			want := 401
			if at.Name == of.Name {
				want = 200
			}
			if got := ask(t, c, "/v1/cell").StatusCode; got != want {
				t.Errorf("token of %s at %s: %d, want %d", of.Name, at.Name, got, want)
			}
		}
	}
}

// A report is seen live: by SSE, by Watch, and by a feed, in its own cell and
// in fused.
func TestLiveChange(t *testing.T) {
	s, _ := startSpine(t, t.TempDir())
	sc, err := scenario.New(scenario.Config{Seed: 1, Reports: 100})
	must(t, err)
	var r *wf.Report
	for step := range sc.Steps() {
		if step.Cell == "le" {
			r = proto.Clone(step.Report).(*wf.Report)
			break
		}
	}
	r.Status = wf.Status_STATUS_ACTUAL
	revision := r.GetRevision()
	for _, c := range s.Cells() {
		if c.Name != "le" && c.Name != "fused" && c.Name != "open" {
			continue
		}
		cred, err := s.Broker().Credential(c.Reader, c.Name)
		must(t, err)
		client, err := consumers.Connect(t.Context(), cred.URL, consumers.WithUser(cred.JWT, cred.Seed), consumers.WithInboxPrefix(cred.InboxPrefix))
		must(t, err)
		t.Cleanup(client.Close)
		w, err := client.Watch(t.Context(), wf.Status_STATUS_ACTUAL)
		must(t, err)
		if first := <-w.Events(); first.Snapshot == nil {
			t.Fatalf("%s: the first change is no snapshot", c.Name)
		}
		lines := bufio.NewScanner(ask(t, c, "/v1/events").Body)
		told := make(chan consumers.Event, 10)
		sub, err := client.Follow(t.Context(), "all", subject.Feed{}, func(e consumers.Event) error { told <- e; return nil })
		must(t, err)

		x := proto.Clone(r).(*wf.Report)
		revision++
		x.Revision = revision
		(&agencies{t, s, map[string]jetstream.JetStream{}}).publish("le", x)
		if c.Name == "open" {
			// What lies above never comes here.
			select {
			case e := <-w.Events():
				t.Errorf("open is told of revision %d", e.Frame.GetRevision())
			case e := <-told:
				t.Errorf("open is told of a report of %s", e.Cell)
			case <-time.After(300 * time.Millisecond):
			}
			continue
		}
		e := <-w.Events()
		if e.Frame == nil || len(e.Frame.GetChanges()) == 0 {
			t.Errorf("%s: the next change is no frame with changes", c.Name)
		}
		for lines.Scan() && !strings.Contains(lines.Text(), x.GetId()) {
		}
		if lines.Err() != nil {
			t.Errorf("%s: the event stream ended: %v", c.Name, lines.Err())
		}
		if c.Name == "le" {
			// The feed begins with what came before it was first followed.
			for {
				got := <-told
				if got.What != consumers.Reported || got.ID != x.GetId() || got.Report.GetRevision() > x.GetRevision() {
					t.Fatalf("the feed says %s %s revision %d", got.What, got.ID, got.Revision)
				}
				if got.Revision == x.GetRevision() {
					break
				}
			}
		}
		must(t, sub.Drain(t.Context()))
		w.Stop()
		<-w.Closed()
	}
}
