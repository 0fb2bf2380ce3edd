package fusion

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// Two phones whose keys agree in type and 42 bits, found by trying six million.
const oneOfTwins, otherTwin = "+16013895079", "+16014224700"

func twinKeys(t interface{ Fatal(...any) }) (a, b key) {
	e := New(Config{Status: wf.Status_STATUS_EXERCISE})
	a = e.extract(say("fbi", 0, id(phoneID, oneOfTwins))).ids[0].key
	b = e.extract(say("fbi", 0, id(phoneID, otherTwin))).ids[0].key
	if a == b || a.list() != b.list() {
		t.Fatal("the twins share no list any more: look for two phones whose key.list is one")
	}
	return a, b
}

// TestTwinsShareAListAndNoEvidence: identifiers whose keys collide in the
// index bring reports together and stay different.
func TestTwinsShareAListAndNoEvidence(t *testing.T) {
	twinKeys(t)
	near := at(32.3, -90.18)
	if got := groups(say("fbi", 0, id(phoneID, oneOfTwins), near), say("atf", time.Hour, id(phoneID, oneOfTwins), near)); len(got) != 1 {
		t.Errorf("one phone at one place: %v, want one situation", got)
	}
	if got := groups(say("fbi", 0, id(phoneID, oneOfTwins), near), say("atf", time.Hour, id(phoneID, otherTwin), near)); len(got) != 2 {
		t.Errorf("two phones at one place: %v, want two situations", got)
	}
}

// TestTwinsAreAFunctionOfTheSet: whatever comes and goes, with both in one
// report too, and the list a hub.
func TestTwinsAreAFunctionOfTheSet(t *testing.T) {
	twinKeys(t)
	rapid.Check(t, func(t *rapid.T) {
		in := make([]Input, rapid.IntRange(2, 24).Draw(t, "reports"))
		for i := range in {
			parts := []func(*wf.Report){at(32.3, -90.18), record(fmt.Sprint("R-", i)), func(r *wf.Report) { r.Id = fmt.Sprint(i) }}
			which := rapid.IntRange(1, 3).Draw(t, "phones")
			if which&1 != 0 {
				parts = append(parts, id(phoneID, oneOfTwins))
			}
			if which&2 != 0 {
				parts = append(parts, id(phoneID, otherTwin))
			}
			in[i] = say("fbi", time.Duration(rapid.IntRange(0, 1500).Draw(t, "hour"))*time.Hour, parts...)
		}
		want := fed(cramped(), in)
		same(t, "shuffled", fed(cramped(), shuffled(t, in)), want)
		e := fed(cramped(), in)
		var kept []Input
		for _, x := range in {
			if rapid.Bool().Draw(t, "remove") {
				e.Remove(x.Cell, x.Report.Agency, x.Report.Id)
			} else {
				kept = append(kept, x)
			}
		}
		e.Commit()
		same(t, "removed", e, fed(cramped(), kept))
	})
}
