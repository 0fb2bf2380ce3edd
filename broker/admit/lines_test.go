package admit

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"
)

// Agencies are taken from in turn, each in its own order, and one fills no more
// than half.
func TestLinesTakeTurns(t *testing.T) {
	q := newLines(100, 1<<20)
	push := func(agency string, i int) bool {
		return q.push(&nats.Msg{Subject: "submit.actual.sar.ms.28049." + agency, Data: fmt.Append(nil, i)})
	}
	held := 0
	for i := range 1000 {
		if push("fbi", i) {
			held++
		}
	}
	if held != 50 {
		t.Errorf("one agency fills %d of 100", held)
	}
	for i := range 3 {
		for _, agency := range []string{"dea", "atf"} {
			if !push(agency, i) {
				t.Errorf("%s is turned away because of another agency", agency)
			}
		}
	}
	next := map[string]int{}
	for n := 0; ; n++ {
		m := q.pop()
		if m == nil {
			break
		}
		agency := m.Subject[len(m.Subject)-3:]
		if want := fmt.Sprint(next[agency]); string(m.Data) != want {
			t.Errorf("of %s comes %s, want %s", agency, m.Data, want)
		}
		if next[agency]++; n == 8 && (next["dea"] != 3 || next["atf"] != 3) {
			t.Errorf("after nine turns: %v", next)
		}
	}
	if next["fbi"] != held || q.len() != 0 || len(q.by) != 0 || q.bytes != 0 {
		t.Errorf("taken %v, %d left, %d lines, %d bytes", next, q.len(), len(q.by), q.bytes)
	}
	big := newLines(100, 10)
	if !big.push(&nats.Msg{Subject: "submit.actual.sar.ms.28049.fbi", Data: make([]byte, 8)}) || big.push(&nats.Msg{Subject: "submit.actual.sar.ms.28049.dea", Data: make([]byte, 3)}) {
		t.Error("lines hold more bytes than they may, or not as many")
	}
}
