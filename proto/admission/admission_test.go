package admission_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// stockAck is what a stock NATS client reads a publish acknowledgement into
// (nats.go pubAckResponse, with its PubAck and APIError).
type stockAck struct {
	Type  string `json:"type"`
	Error *struct {
		Code        int    `json:"code"`
		ErrorCode   uint16 `json:"err_code"`
		Description string `json:"description,omitempty"`
	} `json:"error,omitempty"`
	Stream    string `json:"stream"`
	Sequence  uint64 `json:"seq"`
	Duplicate bool   `json:"duplicate,omitempty"`
	Domain    string `json:"domain,omitempty"`
}

func TestAStockClientUnderstandsAnAck(t *testing.T) {
	for _, want := range []admission.Answer{
		{Stream: "REPORTS", Sequence: 1},
		{Stream: "REPORTS", Sequence: 1<<64 - 1, Duplicate: true},
		{Stream: "REPORTS", Sequence: 7, Duplicate: true, Superseded: true},
	} {
		data := admission.Ack(want.Stream, want.Sequence, want.Duplicate, want.Superseded)
		var stock stockAck
		if err := json.Unmarshal(data, &stock); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if stock.Error != nil || stock.Stream != want.Stream || stock.Sequence != want.Sequence || stock.Duplicate != want.Duplicate {
			t.Errorf("%s: a stock client reads %+v", data, stock)
		}
		got, err := admission.ParseAnswer(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", data, got, err)
		}
	}
}

func TestAStockClientUnderstandsARefusal(t *testing.T) {
	var rs admission.Reasons
	rs.Add(admission.LabelAboveCell, "label.level", "SECRET is above \"le\" \n<&>", "send it to intel-s")
	rs.Add(admission.BadTime, "report_time", "no zone", "")
	data := admission.Refuse(rs)
	var stock stockAck
	if err := json.Unmarshal(data, &stock); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if stock.Error == nil || stock.Error.Code != 400 || stock.Error.ErrorCode != admission.ErrRefused || stock.Error.Description != rs.String() {
		t.Errorf("a stock client reads %+v", stock.Error)
	}
	got, err := admission.ParseAnswer(data)
	if err != nil || len(got.Error.Refusal) != 2 || got.Error.Refusal[0] != (admission.Reason{Code: admission.LabelAboveCell, Field: "label.level", Message: "SECRET is above \"le\" \n<&>", Remedy: "send it to intel-s"}) {
		t.Errorf("got %+v, %v", got.Error, err)
	}
}

// Whoever may send the same bytes again is told so by the code of the error.
func TestARetryableRefusalIs503(t *testing.T) {
	for _, c := range []struct {
		codes []admission.Code
		want  int
	}{
		{[]admission.Code{admission.Unavailable}, 503}, {[]admission.Code{admission.StorageFull}, 503},
		{[]admission.Code{admission.Invalid}, 400}, {[]admission.Code{admission.Conflict}, 400}, {nil, 400},
	} {
		var rs admission.Reasons
		for _, code := range c.codes {
			rs.Add(code, "", "x", "")
		}
		a, err := admission.ParseAnswer(admission.Refuse(rs))
		if err != nil || a.Error.Code != c.want || (a.Error.ErrorCode == admission.ErrUnavailable) != (c.want == 503) {
			t.Errorf("%v: got %+v, %v; want %d", c.codes, a.Error, err, c.want)
		}
	}
}

func TestAnAnswerThatSaysNothingIsAnError(t *testing.T) {
	for _, s := range []string{"", "null", "{}", "[]", `{"stream":"REPORTS"}`, `{"seq":3}`, `{"stream":"","seq":3}`, `{"stream":"REPORTS","seq":-1}`, "{", "\xff"} {
		if a, err := admission.ParseAnswer([]byte(s)); err == nil {
			t.Errorf("%q: got %+v, want an error", s, a)
		}
	}
}

func TestReasons(t *testing.T) {
	var rs admission.Reasons
	if rs.String() != "" || rs.Has(admission.Missing) {
		t.Errorf("no reasons: got %q", rs)
	}
	rs.Add(admission.Missing, "id", "no id", "set it")
	rs.Add(admission.Invalid, "", "wrong", "")
	if got, want := rs.String(), "missing at id: no id (set it); invalid: wrong"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !rs.Has(admission.Invalid) || rs.Has(admission.Conflict) {
		t.Errorf("got %v", rs)
	}
}

// Every record is read as it was written.
func TestRecordRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	events := []admission.Event{admission.Admitted, admission.Moved, admission.Expired, admission.Purged}
	for range 2000 {
		want := admission.Record{
			Event: events[r.IntN(len(events))], ID: fmt.Sprintf("%08x-0000-7000-8000-%012x", r.Uint32(), r.Uint64()>>16), Revision: r.Uint64(),
			Withdrawn: r.IntN(2) == 0, Received: time.Unix(0, r.Int64N(4e18)-1e18).UTC(), Rule: fmt.Sprintf("agency-%d@%d", r.IntN(99), r.IntN(9)),
		}
		for i := range want.Hash {
			want.Hash[i] = byte(r.Uint32())
		}
		got, err := admission.ParseRecord(want.Encode())
		if err != nil || got != want {
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
	}
}

// A header that was tampered with or cut is refused, not guessed.
func TestABrokenRecordIsRefused(t *testing.T) {
	good := admission.Record{Event: admission.Admitted, ID: "x", Revision: 1, Received: time.Unix(1, 0).UTC(), Rule: "a@1"}.Encode()
	if _, err := admission.ParseRecord(good); err != nil {
		t.Fatal(err)
	}
	f := strings.Split(good, " ")
	for name, s := range map[string]string{
		"empty":            "",
		"cut":              strings.Join(f[:6], " "),
		"longer":           good + " x",
		"unknown event":    "leaked" + strings.TrimPrefix(good, "admitted"),
		"bad revision":     strings.Replace(good, " 1 a", " -1 a", 1),
		"revision over":    strings.Replace(good, " 1 a", " 18446744073709551616 a", 1),
		"bad state":        strings.Replace(good, " a ", " z ", 1),
		"empty state":      strings.Replace(good, " a ", "  ", 1),
		"bad time":         strings.Replace(good, "1000000000", "soon", 1),
		"short hash":       strings.Replace(good, strings.Repeat("0", 64), strings.Repeat("0", 62), 1),
		"long hash":        strings.Replace(good, strings.Repeat("0", 64), strings.Repeat("0", 66), 1),
		"hash of letters":  strings.Replace(good, strings.Repeat("0", 64), strings.Repeat("z", 64), 1),
		"no id":            strings.Replace(good, "admitted x", "admitted ", 1),
		"line end in rule": good + "\nx",
	} {
		if r, err := admission.ParseRecord(s); err == nil {
			t.Errorf("%s: got %+v, want an error", name, r)
		}
	}
}
