package producers

import (
	"testing"

	"google.golang.org/protobuf/proto"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// What is sent with extraction holds what the text says; the caller's report
// stays as it was, and the same report gives the same bytes again.
func TestExtractionHappensBeforeSending(t *testing.T) {
	s := newScript(t, func(n int, _ published) string { return ack(uint64(n)) })
	c := connect(t, s, WithExtraction())
	r := sample(1)
	r.Narrative = "A caller from 601-555-0143 named a school."
	before := proto.CloneOf(r)
	for range 2 {
		if _, err := c.Publish(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if !proto.Equal(r, before) {
		t.Errorf("the caller's report was changed to %v", r)
	}
	sent := s.published()
	if len(sent) != 2 || string(sent[0].data) != string(sent[1].data) {
		t.Fatalf("%d sent, not the same bytes twice", len(sent))
	}
	got := new(wf.Report)
	if err := proto.Unmarshal(sent[0].data, got); err != nil {
		t.Fatal(err)
	}
	if len(got.Entities) != 1 || got.Entities[0].GetIdentifiers()[0].GetValue() != "+16015550143" || !got.Entities[0].GetExtracted() {
		t.Errorf("sent %v", got.Entities)
	}
}

func TestWithoutExtractionNothingIsAdded(t *testing.T) {
	s := newScript(t, func(n int, _ published) string { return ack(uint64(n)) })
	c := connect(t, s)
	r := sample(1)
	r.Narrative = "A caller from 601-555-0143 named a school."
	if _, err := c.Publish(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	want, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if sent := s.published(); string(sent[0].data) != string(want) {
		t.Errorf("sent other bytes than the report's")
	}
}
