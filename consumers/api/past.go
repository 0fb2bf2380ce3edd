package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/watchfloor/watchfloor/consumers/history"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Past answers what the pictures were; history.History does.
type Past interface {
	At(context.Context, history.Query) (*history.Answer, error)
	Progress() history.Progress
}

const (
	// pastCost is how many requests one question about the past counts as.
	pastCost = 10
	// pastTimeout is how long the answer to one may take to be made and sent.
	pastTimeout = 3 * time.Minute
	// retryBusy and retryLong are when to ask again, in seconds.
	retryBusy = 5
	retryLong = 60
)

// asOfBody says in an answer that it is of an earlier time.
type asOfBody struct {
	Time       string         `json:"time"`
	Origin     string         `json:"origin"`
	Checkpoint []positionBody `json:"checkpoint"`
	Purges     []purgeBody    `json:"purges,omitempty"`
	Removed    string         `json:"removed_since"`

	at time.Time
}

type positionBody struct {
	Cell     string `json:"cell"`
	Channel  string `json:"channel,omitempty"`
	Sequence string `json:"sequence"`
}

// purgeBody is a report of that time that was purged since.
type purgeBody struct {
	Cell   string `json:"cell"`
	Agency string `json:"agency"`
	Report string `json:"report_id"`
	Purged string `json:"purged"`
}

func bodyOf(a *history.Answer) *asOfBody {
	at := a.AsOf.GetTime().AsTime()
	b := &asOfBody{
		Time: instant(at), Origin: word(a.AsOf.GetOrigin().String(), "ORIGIN_"), Removed: strconv.FormatUint(a.AsOf.GetRemoved(), 10),
		Checkpoint: []positionBody{}, at: at,
	}
	for _, p := range a.Picture.Checkpoint() {
		b.Checkpoint = append(b.Checkpoint, positionBody{p.GetCell(), p.GetChannel(), strconv.FormatUint(p.GetSequence(), 10)})
	}
	for _, p := range a.AsOf.GetPurges() {
		b.Purges = append(b.Purges, purgeBody{p.GetCell(), p.GetAgency(), p.GetReportId(), instant(p.GetPurged().AsTime())})
	}
	return b
}

// markOf names an answer among the listings that a reader pages through.
func markOf(a *history.Answer) mark {
	epoch := "as-of-" + strconv.FormatInt(a.AsOf.GetTime().AsTime().UnixNano(), 10) + "-" + word(a.AsOf.GetOrigin().String(), "ORIGIN_")
	return mark{epoch, a.Picture.Revision()}
}

// listing is the picture that a request asks for: the newest, or that of as_of.
func (s *Server) listing(w http.ResponseWriter, r *http.Request, q url.Values, v *view, status wf.Status) (*listing, bool) {
	purged := v.told()
	a, ok := s.past(w, r, q, status)
	switch {
	case !ok:
		return nil, false
	case a == nil:
		return v.list(readerOf(r).Name), true
	}
	l := listed(a.Picture)
	l.at, l.asOf, l.purged = markOf(a), bodyOf(a), purged
	return l, true
}

// past answers as_of; nil without it. When it is not ok it has answered.
func (s *Server) past(w http.ResponseWriter, r *http.Request, q url.Values, status wf.Status) (*history.Answer, bool) {
	text, again := q.Get("as_of"), q.Get("replay")
	switch {
	case again != "" && again != "true" && again != "false":
		writeBadField(w, "replay", "use true or false")
		return nil, false
	case text == "" && q.Has("as_of") || text == "" && again != "":
		writeBadField(w, "as_of", "give a time as in RFC 3339, like 2026-09-02T14:30:00Z")
		return nil, false
	case text == "":
		return nil, true
	case s.Past == nil:
		writeProblem(w, http.StatusNotFound, "no-history", "this listener answers for now only")
		return nil, false
	}
	t, ok := parseTime(text)
	if !ok {
		writeBadField(w, "as_of", "give a time as in RFC 3339, like 2026-09-02T14:30:00Z")
		return nil, false
	}
	if after := s.limits.take(readerOf(r), pastCost); after > 0 {
		later(w, http.StatusTooManyRequests, "too-many-requests", "slow down: a question about the past counts as several", seconds(after))
		return nil, false
	}
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(pastTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		s.Log.Warn("extend the time of an answer", zap.Error(err))
	}
	a, err := s.Past.At(r.Context(), history.Query{Status: status, AsOf: t, Replay: again == "true"})
	if err != nil {
		s.noPast(w, r, err)
		return nil, false
	}
	return a, true
}

// parseTime reads a time of a query. A plus that was not escaped arrives as a space.
func parseTime(text string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339Nano, strings.ReplaceAll(text, " ", "+"))
	return t, err == nil && t.Year() >= 1970 && t.Year() <= 9999
}

// noPast says why there is no answer, and what to do.
func (s *Server) noPast(w http.ResponseWriter, r *http.Request, err error) {
	var before *history.Before
	switch {
	case errors.Is(err, history.ErrFuture):
		writeBadField(w, "as_of", "the time lies ahead of the picture's clock, its tick in /v1/snapshot")
	case errors.As(err, &before):
		writeProblem(w, http.StatusNotFound, "before-first-report", before.Error())
	case errors.Is(err, history.ErrBusy):
		later(w, http.StatusServiceUnavailable, "replay-busy", "another question about the past of this cell is being answered", retryBusy)
	case errors.Is(err, history.ErrTooLong):
		later(w, http.StatusServiceUnavailable, "replay-too-long", "the frames of that time are not stored, and reading the reports again takes too long", retryLong)
	case r.Context().Err() != nil: // gone, nobody to tell
	default:
		s.Log.Error("picture of an earlier time", zap.Error(err))
		later(w, http.StatusServiceUnavailable, "no-past", "the past cannot be read now", retryBusy)
	}
}

func later(w http.ResponseWriter, code int, word, detail string, seconds int) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	writeProblem(w, code, word, detail)
}

// replay says how far the replay under way is, for whoever waits for it.
func (s *Server) replay(w http.ResponseWriter, r *http.Request) {
	if _, ok := query(w, r); !ok {
		return
	}
	var p history.Progress
	if s.Past != nil {
		p = s.Past.Progress()
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"running": p.Running, "done": strconv.FormatUint(p.Done, 10), "total": strconv.FormatUint(p.Total, 10),
	})
}
