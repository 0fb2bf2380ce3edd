package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/watchfloor/watchfloor/consumers/fusion"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

type situationBody struct {
	Situation   json.RawMessage `json:"situation"`
	Explanation []string        `json:"explanation"`
	Epoch       string          `json:"epoch"`
	Revision    string          `json:"revision"`
	AsOf        *asOfBody       `json:"as_of,omitempty"`
}

// situation answers one situation with the reason for every link.
func (s *Server) situation(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "status", "as_of", "replay")
	if !ok {
		return
	}
	v, status, ok := s.view(w, q)
	if !ok {
		return
	}
	id := r.PathValue("id")
	if !situationID(id) {
		writeBadField(w, "id", "a situation's id has 32 hexadecimal digits in lower case")
		return
	}
	past, ok := s.past(w, r, q, status)
	if !ok {
		return
	}
	var x *wf.Situation
	var at mark
	find := func(p *snapshot.Picture) {
		x, _ = p.Situation(id)
		at = mark{p.Epoch(), p.Revision()}
	}
	which, asOf := "", (*asOfBody)(nil)
	if past != nil {
		find(past.Picture)
		at.epoch, asOf, which = markOf(past).epoch, bodyOf(past), "as of that time"
	} else {
		v.src.Read(find)
		which = "of revision " + strconv.FormatUint(at.revision, 10)
	}
	if x == nil {
		writeProblem(w, http.StatusNotFound, "no-situation", "the picture "+which+" has no such situation")
		return
	}
	data, err := raw(x)
	if err != nil {
		writeProblem(w, http.StatusInternalServerError, "internal", "the situation could not be written")
		return
	}
	writeJSON(w, http.StatusOK, situationBody{data, fusion.Read(x), at.epoch, strconv.FormatUint(at.revision, 10), asOf})
}

func situationID(s string) bool {
	if len(s) != 32 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}
