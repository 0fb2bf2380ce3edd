package admission_test

import (
	"testing"
	"time"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// An answer that a client takes says either where the report is or why not.
func FuzzAnswer(f *testing.F) {
	var why admission.Reasons
	why.Add(admission.TooLarge, "narrative", "too long", "send less")
	f.Add(admission.Refuse(why))
	f.Add([]byte(`{"stream":"REPORTS","seq":7,"duplicate":true}`))
	f.Add([]byte(`{"error":{"code":503,"description":"later"}}`))
	f.Add([]byte(`{"stream":"REPORTS","seq":-1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := admission.ParseAnswer(data)
		if err == nil && a.Error == nil && (a.Stream == "" || a.Sequence == 0) {
			t.Fatalf("%q acknowledges nothing: %+v", data, a)
		}
	})
}

// A record of a stored report is read as it would be written.
func FuzzRecord(f *testing.F) {
	f.Add(admission.Record{Event: admission.Admitted, ID: "0190f3b0-0000-7000-8000-000000000001", Revision: 3, Received: time.Unix(1, 2), Rule: "fbi@v1"}.Encode())
	f.Add(admission.Record{Event: admission.Purged, ID: "x", Withdrawn: true, Rule: "a@b"}.Encode())
	f.Add("admitted  1 a 0 00 r")
	f.Fuzz(func(t *testing.T, s string) {
		r, err := admission.ParseRecord(s)
		if err != nil {
			return
		}
		again, err := admission.ParseRecord(r.Encode())
		if err != nil || again != r {
			t.Fatalf("%q reads as %+v, written and read again as %+v (%v)", s, r, again, err)
		}
	})
}
