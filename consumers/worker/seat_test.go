package worker

import "testing"

// Trap T3: what a reader has the server send to where workers answer each other
// says nothing of a worker.
func TestOnlyWorkersAnswerForASeat(t *testing.T) {
	for text, want := range map[string]answer{leads: leading, waits: waiting} {
		if got, ok := said([]byte(text)); !ok || got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "{}", `{"type":"io.nats.jetstream.api.v1.consumer_info_response"}`, "NATS/1.0 404", "Leads", "leads ", "waitsx"} {
		if got, ok := said([]byte(text)); ok {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}
