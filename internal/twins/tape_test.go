package twins

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Examples of what each mask takes, and of what stands beside it.
var taken = map[string][2]string{
	"server":     {`INFO {"server_id":"` + strings.Repeat("N", 56) + `","server_name":"watchfloor"}` + "\n", `INFO {"server_id":"<server>","server_name":"watchfloor"}` + "\n"},
	"curve":      {`INFO {"xkey":"` + strings.Repeat("X", 56) + `"}` + "\n", `INFO {"xkey":"<curve>"}` + "\n"},
	"nonce":      {`INFO {"nonce":"a_B-9","max_payload":2097152}` + "\n", `INFO {"nonce":"<nonce>","max_payload":2097152}` + "\n"},
	"connection": {`INFO {"client_id":42,"client_ip":"127.0.0.1"}` + "\n", `INFO {"client_id":<connection>,"client_ip":"127.0.0.1"}` + "\n"},
	"port":       {`INFO {"port":4222,"max_payload":2097152}` + "\n", `INFO {"port":<port>,"max_payload":2097152}` + "\n"},
	"delivered":  {"HMSG report.x 3 $JS.ACK.REPORTS.feed_watch-le_all.1.17.9.1795236845123456789.4\n", "HMSG report.x 3 $JS.ACK.REPORTS.feed_watch-le_all.1.17.9.<delivered>.4\n"},
	"stored":     {"HMSG live.x 1\nNATS/1.0\nNats-Sequence: 4\nNats-Time-Stamp: 2026-11-21T09:45:41.123456Z\n\n", "HMSG live.x 1\nNATS/1.0\nNats-Sequence: 4\nNats-Time-Stamp: <stored>\n\n"},
	"moment": {"MSG x 1\n\n" + `{"type":"io.nats.jetstream.api.v1.consumer_info_response","created":"2026-11-21T09:45:41Z","delivered":{"stream_seq":3,"last_active":"2026-11-21T09:45:42.5Z"},"num_pending":3}` + "\n",
		"MSG x 1\n\n" + `{"type":"io.nats.jetstream.api.v1.consumer_info_response","created":"<moment>","delivered":{"stream_seq":3,"last_active":"<moment>"},"num_pending":3}` + "\n"},
	"date": {"HTTP/1.1 200 OK\nDate: Sat, 21 Nov 2026 09:45:41 GMT\nRetry-After: 3\n\n{}\n", "HTTP/1.1 200 OK\nDate: <date>\nRetry-After: 3\n\n{}\n"},
	"took": {"HTTP/1.1 200 OK\n\n" + `watchfloor_worker_commit_seconds_bucket{cell="le",status="actual",le="0.001"} 3` + "\n" + `watchfloor_worker_commit_seconds_bucket{cell="le",status="actual",le="+Inf"} 5` + "\n" + `watchfloor_worker_commit_seconds_sum{cell="le",status="actual"} 0.125` + "\n" + `watchfloor_worker_commit_seconds_count{cell="le",status="actual"} 5` + "\n",
		"HTTP/1.1 200 OK\n\n" + `watchfloor_worker_commit_seconds_bucket{cell="le",status="actual",le="0.001"} <took>` + "\n" + `watchfloor_worker_commit_seconds_bucket{cell="le",status="actual",le="+Inf"} 5` + "\n" + `watchfloor_worker_commit_seconds_sum{cell="le",status="actual"} <took>` + "\n" + `watchfloor_worker_commit_seconds_count{cell="le",status="actual"} 5` + "\n"},
}

// A mask takes its field and nothing beside it, says why, and takes nothing of
// records that it does not speak of.
func TestMasksTakeAField(t *testing.T) {
	for _, k := range Masks {
		example, ok := taken[k.Name]
		if !ok || k.Why == "" {
			t.Errorf("mask %s has no example or no reason", k.Name)
			continue
		}
		m := NewMasker()
		if got := string(m.Apply([]byte(example[0]))); got != example[1] {
			t.Errorf("mask %s gives %q, want %q", k.Name, got, example[1])
		}
		if slices.Contains(m.Idle(), k.Name) {
			t.Errorf("mask %s took a field and is called idle", k.Name)
		}
		if k.Field.NumSubexp() != 2 {
			t.Errorf("mask %s does not say what stays before and after it", k.Name)
		}
	}
	m := NewMasker()
	for _, other := range []string{
		`MSG x 1` + "\n\n" + `{"stream":"REPORTS","seq":17,"created":"2026-11-21T09:45:41Z"}` + "\n",
		"HMSG report.x 3 $JS.ACK.REPORTS.feed_a_all.1.17.9.12.4\n",
		"-ERR 'Permissions Violation for Publish to \"$JS.API.INFO\"'\n",
		"HTTP/1.1 200 OK\nRetry-After: 3\n\n" + `{"tick":"2041-03-03T12:00:00Z","ts":"2041-03-03T12:00:00Z"}` + "\n",
	} {
		if got := string(m.Apply([]byte(other))); got != other {
			t.Errorf("%q becomes %q", other, got)
		}
	}
	if got := len(m.Idle()); got != len(Masks)+1 {
		t.Errorf("%d masks are idle of %d", got, len(Masks)+1)
	}
}

// Only what a server says by its timer is left out.
func TestOnlyKeepaliveIsLeftOut(t *testing.T) {
	m := NewMasker()
	for record, want := range map[string]bool{"PING\n": true, ": ping\n\n": true, "PONG\n": false, "PING 1\n": false, ": watchfloor\n\n": false, "event: reset\n\n": false, "": false} {
		if got := m.Drop([]byte(record)); got != want {
			t.Errorf("%q left out: %v, want %v", record, got, want)
		}
	}
}

// A comparison finds what differs, what is missing and what is too much, each
// on its tape, and counts only what both have.
func TestCompare(t *testing.T) {
	m := NewMasker()
	a, b := NewTapes(m), NewTapes(m)
	for name, records := range map[string][2][]string{
		"alike":   {{"one\n", "two\n"}, {"one\n", "two\n"}},
		"other":   {{"one\n", "two\n", "three\n"}, {"one\n", "zwo\n", "three\n"}},
		"shorter": {{"one\n", "two\n"}, {"one\n"}},
		"more":    {{"one\n"}, {"one\n", "two\n"}},
		"no twin": {nil, {"one\n"}},
		"silent":  {{"PING\n"}, {"PING\n", "PING\n"}},
	} {
		for i, tapes := range []*Tapes{a, b} {
			if records[i] == nil {
				continue
			}
			tapes.Step("step")
			tape := tapes.Tape(name)
			for _, r := range records[i] {
				tape.Keep([]byte(r))
			}
		}
	}
	out := Compare(a, b)
	got := map[string]int{}
	for _, d := range out.Differences {
		got[d.Tape] = d.At
		if !regexp.MustCompile(`^\S+( twin)?, record \d\n(  both, before .*\n)?  without intelligence.*\n  with intelligence .*\n$`).MatchString(d.String()) {
			t.Errorf("difference reads %q", d)
		}
	}
	want := map[string]int{"other": 1, "shorter": 1, "more": 1, "no twin": 0}
	if len(got) != len(want) {
		t.Errorf("differences on %v, want %v", got, want)
	}
	for name, at := range want {
		if n, ok := got[name]; !ok || n != at {
			t.Errorf("%s differs at %d (%v), want %d", name, n, ok, at)
		}
	}
	if out.Tapes != 6 || out.Records != 5 || out.Bytes != len("one\ntwo\none\none\none\n") {
		t.Errorf("compared %d tapes, %d records, %d bytes", out.Tapes, out.Records, out.Bytes)
	}
}
