package broker_test

import (
	"encoding/json"
	"testing"

	"github.com/watchfloor/watchfloor/broker/brokertest"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// The history of a cell's pictures is its worker's alone: nobody else reads a
// frame by its place or time, erases one, or moves a replay's consumer; and the
// worker erases nothing but frames.
func TestHistoryIsTheWorkersAlone(t *testing.T) {
	b := brokertest.Start(t, brokertest.Root(), brokertest.WithoutGuards())
	body := func(v any) []byte {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	const actual = wf.Status_STATUS_ACTUAL
	frames := subject.SnapshotStream(actual)
	far := body(map[string]uint64{"seq": 1 << 40})
	read := []brokertest.Call{
		{Trap: "T8", Subject: subject.History(frames), Body: body(map[string]any{"multi_last": []string{subject.Keyframe(actual)}})},
		{Trap: "T8", Subject: subject.History(frames), Body: body(map[string]any{"seq": 1, "next_by_subj": subject.Frames(actual), "batch": 10})},
		{Trap: "T8", Subject: subject.Erase(frames), Body: far},
	}
	var move []brokertest.Call
	for _, c := range subject.Channels {
		name := subject.ReplayConsumer("le", actual, c)
		move = append(move,
			brokertest.Call{Trap: "T8", Subject: "$JS.API.CONSUMER.RESET." + subject.Reports + "." + name, Body: body(map[string]int{"seq": 1})},
			brokertest.Call{Trap: "T2", Subject: "$JS.API.CONSUMER.INFO." + subject.Reports + "." + name},
			brokertest.Call{Trap: "T2", Subject: "$JS.API.CONSUMER.MSG.NEXT." + subject.Reports + "." + name, Body: body(map[string]any{"batch": 1, "no_wait": true})},
		)
	}
	for _, who := range []string{"fbi", "watch-le", "feed-le", "api", "guard", "worker/fused", "worker/fused-s"} {
		brokertest.Refused(t, b, brokertest.Credential(t, b, who, "le"), read)
		if who != "guard" { // which may read all of REPORTS, and does when it starts
			brokertest.Refused(t, b, brokertest.Credential(t, b, who, "le"), move)
		}
	}
	brokertest.Refused(t, b, brokertest.Credential(t, b, "worker", "le"), []brokertest.Call{
		{Trap: "T8", Subject: subject.Erase(subject.Reports), Body: far},
		{Trap: "T8", Subject: subject.Erase(subject.Refusals), Body: far},
		{Trap: "T8", Subject: "$JS.API.STREAM.PURGE." + frames, Body: body(map[string]string{"filter": "nothing.here"})},
		{Trap: "T2", Subject: "$JS.API.CONSUMER.RESET." + subject.Reports + "." + subject.ReplayConsumer("fused", actual, subject.Open), Body: body(map[string]int{"seq": 1})},
	})
}
