package api

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	defaultPage = 500
	maxPage     = 2000
)

type snapshotBody struct {
	Cell       string            `json:"cell"`
	Status     string            `json:"status"`
	Revision   string            `json:"revision"`
	Epoch      string            `json:"epoch"`
	Tick       string            `json:"tick,omitempty"`
	Digest     string            `json:"digest"`
	Reports    string            `json:"reports"`
	SetAside   string            `json:"set_aside"`
	Total      int               `json:"total"`
	Situations []json.RawMessage `json:"situations"`
	Feeds      []feedBody        `json:"feeds"`
	Next       string            `json:"next_page_token,omitempty"`
	AsOf       *asOfBody         `json:"as_of,omitempty"`
}

type feedBody struct {
	Cell         string `json:"cell"`
	Agency       string `json:"agency"`
	LastReceived string `json:"last_received,omitempty"`
	Reports      string `json:"reports"`
	Silent       bool   `json:"silent"`
	ExpectEvery  int    `json:"expect_every_seconds,omitempty"`
}

// snapshot answers one page. The pages of a listing are of one revision.
func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "status", "page_size", "page_token", "as_of", "replay")
	if !ok {
		return
	}
	v, status, ok := s.view(w, q)
	if !ok {
		return
	}
	size := defaultPage
	if text := q.Get("page_size"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			writeBadField(w, "page_size", fmt.Sprintf("give a number from 1 to %d", maxPage))
			return
		}
		size = n
	}
	reader := readerOf(r).Name
	l, from := (*listing)(nil), 0
	if token := q.Get("page_token"); token != "" {
		at, n, ok := parsePage(token)
		if !ok {
			writeBadField(w, "page_token", "give the next_page_token of an answer, unchanged")
			return
		}
		if l = v.kept(reader, at); l == nil || n > len(l.situations) {
			writeProblem(w, http.StatusGone, "revision-gone", "the revision that was paged through is gone: begin again without page_token")
			return
		}
		from = n
	} else if l, ok = s.listing(w, r, q, v, status); !ok {
		return
	}
	to := min(from+size, len(l.situations))
	body := s.body(l, status)
	for _, x := range l.situations[from:to] {
		data, err := raw(x)
		if err != nil {
			writeProblem(w, http.StatusInternalServerError, "internal", "a situation could not be written")
			return
		}
		body.Situations = append(body.Situations, data)
	}
	if to < len(l.situations) {
		v.keep(reader, l)
		body.Next = pageToken(l.at, to)
	}
	writeJSON(w, http.StatusOK, body)
}

func (s *Server) body(l *listing, status wf.Status) snapshotBody {
	return snapshotBody{
		Cell: s.Cell, Status: subject.StatusToken(status), Revision: strconv.FormatUint(l.at.revision, 10), Epoch: l.at.epoch,
		Tick: instant(l.tick), Digest: hex.EncodeToString(l.digest[:]), Reports: strconv.FormatUint(l.reports, 10),
		SetAside: strconv.FormatUint(l.setAside, 10), Total: len(l.situations),
		Situations: []json.RawMessage{}, Feeds: s.feeds(l.feeds, status, l.when(s.Now)), AsOf: l.asOf,
	}
}

// feeds adds to what was heard what was expected. A feed never heard is
// silent in actual operation; in an exercise it does not take part.
func (s *Server) feeds(heard []*wf.FeedHealth, status wf.Status, now time.Time) []feedBody {
	out, seen := make([]feedBody, 0, len(heard)), map[Feed]bool{}
	for _, f := range heard {
		seen[Feed{f.GetCell(), f.GetAgency()}] = true
		out = append(out, s.feed(f, now))
	}
	if status != wf.Status_STATUS_ACTUAL {
		return out
	}
	for f := range s.Expect {
		if !seen[f] {
			out = append(out, s.feed(&wf.FeedHealth{Cell: f.Cell, Agency: f.Agency}, now))
		}
	}
	sortFeeds(out)
	return out
}

func (s *Server) feed(f *wf.FeedHealth, now time.Time) feedBody {
	b := feedBody{Cell: f.GetCell(), Agency: f.GetAgency(), Reports: strconv.FormatUint(f.GetReports(), 10)}
	every, expected := s.Expect[Feed{b.Cell, b.Agency}]
	b.ExpectEvery = int(every / time.Second)
	if f.GetLastReceived() == nil {
		b.Silent = expected
		return b
	}
	last := f.GetLastReceived().AsTime()
	b.LastReceived = instant(last)
	b.Silent = expected && now.Sub(last) > every
	return b
}

// pageToken says where the next page begins; it holds nothing that is not known.
func pageToken(at mark, from int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(at.String() + "/" + strconv.Itoa(from)))
}

func parsePage(token string) (mark, int, bool) {
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return mark{}, 0, false
	}
	id, offset, ok := strings.Cut(string(data), "/")
	n, err := strconv.Atoi(offset)
	at, known := parseMark(id)
	return at, n, ok && err == nil && n >= 0 && known
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

type cellBody struct {
	Cell     string      `json:"cell"`
	Marking  markingBody `json:"marking"`
	Statuses []string    `json:"statuses"`
	Reader   readerBody  `json:"reader"`
	Version  string      `json:"version"`
}

type markingBody struct {
	Banner    string `json:"banner"`
	Level     string `json:"level"`
	Color     string `json:"color"`
	TextColor string `json:"text_color"`
}

type readerBody struct {
	Name    string `json:"name"`
	Purpose string `json:"purpose"`
	Expires string `json:"expires,omitempty"`
}

// cell says where one is, how it is marked and as whom one reads.
func (s *Server) cell(w http.ResponseWriter, r *http.Request) {
	if _, ok := query(w, r); !ok {
		return
	}
	reader := readerOf(r)
	body := cellBody{
		Cell: s.Cell, Marking: marking(s.Label), Version: s.Version,
		Reader: readerBody{reader.Name, reader.Purpose, instant(reader.Expires)},
	}
	for _, status := range subject.Statuses {
		if s.views[status] != nil {
			body.Statuses = append(body.Statuses, subject.StatusToken(status))
		}
	}
	writeJSON(w, http.StatusOK, body)
}

// colors follow SF 706 to 712 and SF 902, text in the readable one of black and white.
var colors = map[label.Level][2]string{
	label.Unclassified: {"#007a33", "#ffffff"},
	label.CUI:          {"#502b85", "#ffffff"},
	label.Confidential: {"#0033a0", "#ffffff"},
	label.Secret:       {"#c8102e", "#ffffff"},
	label.TopSecret:    {"#ff8c00", "#000000"},
}

func marking(l label.Label) markingBody {
	words := append([]string{l.Level().String()}, l.Sides().Names()...)
	words = append(words, l.Compartments()...)
	c := colors[l.Level()]
	return markingBody{Banner: strings.Join(words, "//"), Level: l.Level().String(), Color: c[0], TextColor: c[1]}
}
