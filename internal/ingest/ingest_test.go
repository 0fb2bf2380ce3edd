package ingest

import (
	"context"
	"errors"
	"testing"

	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
)

// What was read before an interruption is accounted for; nothing is read after it.
func TestInterruptedSendKeepsItsAccount(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := NewSender(func(context.Context, Route) (*producers.Client, error) {
		return nil, errors.New("nothing is to be sent")
	})
	var why admission.Reasons
	why.Add(admission.Missing, "title", "there is none", "give one")
	items := func(yield func(codec.Item) bool) {
		for n := range 5 {
			if n == 2 {
				cancel()
			}
			if !yield(codec.Item{Where: "line", Reasons: why}) {
				return
			}
		}
	}
	got, err := s.Send(ctx, Route{Agency: "fbi", Cell: "le"}, "file", items)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted send: error %v, want context.Canceled", err)
	}
	if got.Read != 2 || got.Refused != 2 || !got.Balanced() {
		t.Errorf("interrupted after two records: %+v, want both in the account and no more", got)
	}
}
