package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/watchfloor/watchfloor/consumers/snapshot"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

type situationBody struct {
	Situation   json.RawMessage `json:"situation"`
	Explanation []string        `json:"explanation"`
	Epoch       string          `json:"epoch"`
	Revision    string          `json:"revision"`
}

// situation answers one situation with the reason for every link.
func (s *Server) situation(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "status")
	if !ok {
		return
	}
	v, _, ok := s.view(w, q)
	if !ok {
		return
	}
	id := r.PathValue("id")
	if !situationID(id) {
		writeBadField(w, "id", "a situation's id has 32 hexadecimal digits in lower case")
		return
	}
	var x *wf.Situation
	var at mark
	v.src.Read(func(p *snapshot.Picture) {
		x, _ = p.Situation(id)
		at = mark{p.Epoch(), p.Revision()}
	})
	if x == nil {
		writeProblem(w, http.StatusNotFound, "no-situation", "the picture of revision "+strconv.FormatUint(at.revision, 10)+" has no such situation")
		return
	}
	data, err := raw(x)
	if err != nil {
		writeProblem(w, http.StatusInternalServerError, "internal", "the situation could not be written")
		return
	}
	writeJSON(w, http.StatusOK, situationBody{data, Explain(x), at.epoch, strconv.FormatUint(at.revision, 10)})
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

// Explain says in lines why a situation is one: what an analyst reads aloud.
func Explain(x *wf.Situation) []string {
	n := len(x.GetMembers())
	out := []string{fmt.Sprintf("%s: %s, confidence %d of 1000 from %s.", x.GetHeadline(),
		count(n, "report"), x.GetConfidencePermille(), count(int(x.GetOriginators()), "independent originator"))}
	if n == 1 {
		out = append(out, "It stands alone: no other report is linked to it.")
	}
	for _, l := range x.GetLinks() {
		line := fmt.Sprintf("%s and %s belong together by %s bits:", name(x, l.GetA()), name(x, l.GetB()), bits(l.GetMillibits()))
		for i, e := range l.GetEvidence() {
			if i > 0 {
				line += ","
			}
			line += " " + e.GetKind()
			if e.GetValue() != "" {
				line += " " + e.GetValue()
			}
			line += fmt.Sprintf(" (%+.1f)", float64(e.GetMillibits())/1000)
		}
		out = append(out, line+".")
	}
	if w := x.WeakestLink; w != nil && int(*w) < len(x.GetLinks()) {
		l := x.GetLinks()[*w]
		out = append(out, fmt.Sprintf("It would fall apart without the link of %s and %s (%s bits).",
			name(x, l.GetA()), name(x, l.GetB()), bits(l.GetMillibits())))
	}
	for _, g := range x.GetIgnored() {
		out = append(out, fmt.Sprintf("%s %s is shared by %s but was given no weight: %s.",
			g.GetKind(), g.GetValue(), count(int(g.GetMembers()), "report"), g.GetReason()))
	}
	return out
}

func name(x *wf.Situation, i uint32) string {
	if int(i) >= len(x.GetMembers()) {
		return "report " + strconv.Itoa(int(i))
	}
	m := x.GetMembers()[i]
	record := m.GetRecord()
	if record == "" {
		record = m.GetReportId()
	}
	return m.GetAgency() + " " + record
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func bits(milli int32) string { return strconv.FormatFloat(float64(milli)/1000, 'f', 1, 64) }
