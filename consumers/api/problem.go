package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// problem is an error as RFC 9457 has it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	// Field is the query parameter that is wrong.
	Field string `json:"field,omitempty"`
}

func writeProblem(w http.ResponseWriter, code int, word, detail string) {
	sendProblem(w, problem{Type: "urn:watchfloor:problem:" + word, Title: http.StatusText(code), Status: code, Detail: detail})
}

func writeBadField(w http.ResponseWriter, field, detail string) {
	sendProblem(w, problem{Type: "urn:watchfloor:problem:bad-request", Title: http.StatusText(http.StatusBadRequest),
		Status: http.StatusBadRequest, Detail: detail, Field: field})
}

func sendProblem(w http.ResponseWriter, p problem) {
	data, err := json.Marshal(p)
	if err != nil {
		http.Error(w, p.Title, p.Status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(data) // the client is gone: nobody to tell
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		writeProblem(w, http.StatusInternalServerError, "internal", "the answer could not be written")
		return
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(code)
	_, _ = w.Write(data) // the client is gone: nobody to tell
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeProblem(w, http.StatusNotFound, "not-found", "there is nothing here")
}

// query reads the parameters, of which only the named are allowed.
func query(w http.ResponseWriter, r *http.Request, allowed ...string) (url.Values, bool) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		writeBadField(w, "", "the query cannot be read")
		return nil, false
	}
	for name, values := range q {
		if !slices.Contains(allowed, name) {
			writeBadField(w, shortened(name), unknownParameter(allowed))
			return nil, false
		}
		if len(values) > 1 {
			writeBadField(w, name, "given twice")
			return nil, false
		}
	}
	return q, true
}

func unknownParameter(allowed []string) string {
	if len(allowed) == 0 {
		return "unknown parameter: there are none here"
	}
	return "unknown parameter: use " + strings.Join(allowed, ", ")
}

// shortened is a name as it came, of which nobody needs kilobytes back.
func shortened(name string) string {
	const most = 64
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "")
	}
	return name
}

// view finds the picture that the status parameter names; actual by default.
func (s *Server) view(w http.ResponseWriter, q url.Values) (*view, wf.Status, bool) {
	status := wf.Status_STATUS_ACTUAL
	if text := q.Get("status"); text != "" {
		var err error
		if status, err = subject.ParseStatus(text); err != nil {
			writeBadField(w, "status", "use actual, exercise or test")
			return nil, 0, false
		}
	}
	v := s.views[status]
	if v == nil {
		writeProblem(w, http.StatusNotFound, "no-picture", "this cell keeps no picture of status "+subject.StatusToken(status))
		return nil, 0, false
	}
	return v, status, true
}
