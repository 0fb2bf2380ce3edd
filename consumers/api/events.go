package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/consumers/access"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	pingEvery = 15 * time.Second
	// checkEvery is how soon a stream ends whose token holds no more: revoked,
	// expired, or of a reader that a changed policy takes away.
	checkEvery = 250 * time.Millisecond
	// recordEvery is how often an open stream is recorded to be read still.
	recordEvery = 10 * time.Minute
	// writeWithin is how long a client may take for one write before it is let go.
	writeWithin = 10 * time.Second
)

type frameBody struct {
	Epoch      string            `json:"epoch"`
	Revision   string            `json:"revision"`
	Tick       string            `json:"tick,omitempty"`
	Digest     string            `json:"digest"`
	Reports    string            `json:"reports"`
	SetAside   string            `json:"set_aside"`
	Situations uint64            `json:"situations"`
	Changes    []json.RawMessage `json:"changes"`
	Lineage    []json.RawMessage `json:"lineage"`
	Feeds      []feedBody        `json:"feeds"`
}

type resetBody struct {
	Epoch    string `json:"epoch"`
	Revision string `json:"revision"`
}

// events streams every revision after the one the client has, or a reset when
// that is not known or not kept. A client that is too slow gets a reset too
// and never makes another one wait.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "status", "last_event_id")
	if !ok {
		return
	}
	v, _, ok := s.view(w, q)
	if !ok {
		return
	}
	leave, ok := s.limits.stream(readerOf(r))
	if !ok {
		later(w, http.StatusTooManyRequests, "too-many-streams", "close an event stream first: one is enough for a page", retryBusy)
		return
	}
	defer leave()
	if err := s.Record(r.Context(), s.access(r, access.Opened)); err != nil {
		s.noRecord(w, r, err)
		return
	}
	defer s.ended(r)
	have := r.Header.Get("Last-Event-ID")
	if have == "" {
		have = q.Get("last_event_id")
	}
	at, known := parseMark(have)
	c, missed := v.join(at, known)
	defer v.leave(c)
	s.metrics.streams.Inc()
	defer s.metrics.streams.Dec()
	out := &stream{server: s, view: v, client: c, w: w, rc: http.NewResponseController(w)}
	if err := out.open(); err != nil || r.Method == http.MethodHead {
		return
	}
	for _, e := range missed {
		if err := out.frame(e); err != nil {
			return
		}
	}
	out.run(r)
}

// stream writes to one client.
type stream struct {
	server *Server
	view   *view
	client *client
	w      http.ResponseWriter
	rc     *http.ResponseController
}

func (o *stream) open() error {
	h := o.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	// The request has been read; the connection stays open.
	if err := o.rc.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("open stream: %w", err)
	}
	o.w.WriteHeader(http.StatusOK)
	return o.write([]byte(": watchfloor\n\n"))
}

// run writes until the client goes, its token ends or the server closes.
func (o *stream) run(r *http.Request) {
	ping, check, record := time.NewTicker(o.server.pingEvery), time.NewTicker(o.server.checkEvery), time.NewTicker(o.server.recordEvery)
	defer ping.Stop()
	defer check.Stop()
	defer record.Stop()
	for {
		if o.client.lost.Load() {
			if o.reset() != nil {
				return
			}
		}
		var err error
		select {
		case <-r.Context().Done():
			return
		case <-o.server.closing:
			return
		case <-check.C:
			if !o.server.holds(r) {
				return
			}
		case <-record.C:
			err = o.server.still(r)
		case <-ping.C:
			err = o.write([]byte(": ping\n\n"))
		case e := <-o.client.events:
			if e != nil && !o.client.lost.Load() {
				err = o.frame(e)
			}
		}
		if err != nil {
			return
		}
	}
}

// still records that a stream is read; without the record it ends.
func (s *Server) still(r *http.Request) error {
	err := s.Record(r.Context(), s.access(r, access.Reading))
	if err != nil {
		s.metrics.unrecorded.Inc()
		s.Log.Error("an event stream could not be recorded", zap.String("token", readerOf(r).Token), zap.Error(err))
	}
	return err
}

// ended records until when a stream was read. Nothing hangs on it any more:
// one that was not recorded to end was read until the last that was.
func (s *Server) ended(r *http.Request) {
	if err := s.Record(context.WithoutCancel(r.Context()), s.access(r, access.Ended)); err != nil {
		s.Log.Error("the end of an event stream could not be recorded", zap.String("token", readerOf(r).Token), zap.Error(err))
	}
}

// reset tells the client to load the snapshot anew. What was queued is older
// than that snapshot will be; what comes after is queued again.
func (o *stream) reset() error {
	for {
		select {
		case <-o.client.events:
			continue
		default:
		}
		break
	}
	o.client.lost.Store(false)
	at := o.view.mark()
	data, err := json.Marshal(resetBody{at.epoch, strconv.FormatUint(at.revision, 10)})
	if err != nil {
		return err
	}
	o.server.metrics.resets.Inc()
	return o.write(fmt.Appendf(nil, "event: reset\nid: %s\ndata: %s\n\n", at, data))
}

func (o *stream) frame(e *event) error {
	e.once.Do(func() {
		text, err := o.server.frameText(e)
		if err == nil {
			e.text = text
		}
	})
	if e.text == nil {
		return fmt.Errorf("revision %d cannot be written", e.after.revision)
	}
	return o.write(e.text)
}

func (o *stream) write(data []byte) error {
	if err := o.rc.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	if _, err := o.w.Write(data); err != nil {
		return fmt.Errorf("write stream: %w", err)
	}
	return o.rc.Flush()
}

// frameText is an event on the wire.
func (s *Server) frameText(e *event) ([]byte, error) {
	f := e.frame
	body := frameBody{
		Epoch: f.GetEpoch(), Revision: strconv.FormatUint(f.GetRevision(), 10), Digest: hex.EncodeToString(e.digest[:]),
		Reports: strconv.FormatUint(f.GetReports(), 10), SetAside: strconv.FormatUint(f.GetSetAside(), 10), Situations: f.GetSituations(), Feeds: []feedBody{},
	}
	if f.GetTick() != nil {
		body.Tick = instant(f.GetTick().AsTime())
	}
	var err error
	if body.Changes, err = rawList(f.GetChanges()); err != nil {
		return nil, err
	}
	if body.Lineage, err = rawList(f.GetLineage()); err != nil {
		return nil, err
	}
	for _, h := range f.GetFeeds() {
		body.Feeds = append(body.Feeds, s.feed(h, s.Now()))
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("write frame: %w", err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: frame\nid: %s\ndata: ", e.after)
	b.Write(data)
	b.WriteString("\n\n")
	return b.Bytes(), nil
}

func rawList[M interface {
	*wf.Change | *wf.LineageEvent
	proto.Message
}](list []M) ([]json.RawMessage, error) {
	out := make([]json.RawMessage, 0, len(list))
	for _, m := range list {
		data, err := raw(m)
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}
