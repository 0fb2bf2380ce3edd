package admitbench

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
)

func TestMicro(t *testing.T) {
	tg, err := startTarget(t.TempDir(), true)
	if err != nil {
		t.Fatal(err)
	}
	defer tg.close()
	nc, _ := tg.connect("micro")
	p, _ := newPayload(time.Now())
	acks := make(chan *nats.Msg, 10000)
	inbox := nc.NewInbox()
	nc.ChanSubscribe(inbox, acks)
	subj := "report.le.cui.le.exercise.incident.ms.28049.jackson-pd"
	h := "admitted 01890000-0000-7000-8000-000000000000 1 a 1700000000000000000 0123456789012345678901234567890123456789012345678901234567890123 jackson-pd@0123456789ab"
	last := 0
	single := func(n int) {
		for i := range n {
			m := &nats.Msg{Subject: subj, Data: p.next(), Reply: inbox, Header: nats.Header{"Watchfloor-Admission": {h}, headerExpectT: {strconv.Itoa(last + i)}}}
			nc.PublishMsg(m)
		}
		for range n {
			<-acks
		}
		last += n
	}
	batchf := func(n int) {
		id := nuid.Next()
		for i := range n {
			m := &nats.Msg{Subject: subj, Data: p.next(), Header: nats.Header{"Watchfloor-Admission": {h}, "Nats-Batch-Id": {id}, "Nats-Batch-Sequence": {strconv.Itoa(i + 1)}}}
			if i == n-1 {
				m.Reply = inbox
				m.Header["Nats-Batch-Commit"] = []string{"1"}
			}
			nc.PublishMsg(m)
		}
		m := <-acks
		if len(m.Data) < 10 || m.Data[2] == 'e' {
			t.Fatal(string(m.Data))
		}
		last += n
	}
	for _, n := range sizes() {
		for name, f := range map[string]func(int){"single": single, "batch": batchf} {
			if name == "single" && n > 64 {
				continue
			}
			f(n)
			k := 0
			start := time.Now()
			for time.Since(start) < 4*time.Second {
				f(n)
				k++
			}
			e := time.Since(start) / time.Duration(k)
			fmt.Printf("%s n=%d: %v per commit, %v per message, %.0f/s\n", name, n, e, e/time.Duration(n), float64(n)/e.Seconds())
		}
	}
}

const headerExpectT = "Nats-Expected-Last-Sequence"

func sizes() []int {
	if v, err := strconv.Atoi(os.Getenv("N")); err == nil {
		return []int{v}
	}
	return []int{1, 2, 4, 8, 16, 32, 64, 256, 1024, 4096}
}
