package cli

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// sightings are two reports of two agencies on one vehicle, as JSON lines.
func sightings(agency string, minute int, record string) string {
	at := time.Now().UTC().Add(-time.Hour).Add(time.Duration(minute) * time.Minute).Format(time.RFC3339)
	return `{"agency":"` + agency + `","record":"` + record + `","revision":"1","state":"REPORT_STATE_ACTIVE","kind":"KIND_SAR","status":"STATUS_ACTUAL",` +
		`"label":{"level":"LEVEL_CUI","sides":["SIDE_LE"]},"record_class":"RECORD_CLASS_SAR","event_time":{"start":"` + at + `"},"report_time":"` + at + `",` +
		`"places":[{"point":{"latitude":32.2988,"longitude":-90.1848},"county_fips":"28049","state":"MS","uncertainty_m":50}],` +
		`"narrative":"Photographed the gate twice and left.","entities":[{"role":"ENTITY_ROLE_SUBJECT","identifiers":[{"type":"IDENTIFIER_TYPE_VIN","value":"1HGCM82633A004352"}],"vehicle":{"make":"honda"}}],` +
		`"sar":{"behaviors":["BEHAVIOR_PHOTOGRAPHY"],"circumstances":["twice within an hour"]}}` + "\n"
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// issued is what creds issue prints with -o json.
type issued struct {
	Creds       string `json:"creds"`
	InboxPrefix string `json:"inbox_prefix"`
	URL         string `json:"url"`
}

type issuedContext struct {
	issued
	Context string `json:"context"`
}

// stock connects a stock client with nothing but what creds issue wrote.
func stock(t *testing.T, dir string, args ...string) jetstream.JetStream {
	t.Helper()
	var i issued
	if err := json.Unmarshal([]byte(must(t, "", append([]string{"creds", "issue", "--dir", dir, "-o", "json"}, args...)...)), &i); err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(i.URL, nats.UserCredentials(i.Creds), nats.CustomInboxPrefix(i.InboxPrefix))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

// Two agencies publish, one with the command line and one with a stock client;
// readers see one situation, in their own cell and in fused.
func TestUpPublishWatchSnapshotExplain(t *testing.T) {
	dir := t.TempDir()
	up := begin(t, "up", "--dir", dir, "--port", "-1", "--http-port", "-1")
	if out := up.until("Ctrl-C ends"); strings.Contains(out, "token=") {
		t.Error("a token is printed where no terminal is: a service's output is kept in a journal")
	}
	watch := begin(t, "watch", "--cell", "fused", "--dir", dir)
	watch.until("0 situations")

	first := write(t, "first.jsonl", sightings("jackson-pd", 0, "JPD-1"))
	if out := must(t, "", "publish", "--as", "jackson-pd", "--dir", dir, "--dry-run", first); !strings.Contains(out, "would be admitted on report.le.cui.le.actual.sar.ms.28049.jackson-pd") {
		t.Errorf("dry run says %q", out)
	}
	if out := must(t, "", "publish", "--as", "jackson-pd", "--dir", dir, first); !strings.Contains(out, "admitted 1") {
		t.Errorf("publish says %q", out)
	}
	if out := must(t, "", "publish", "--as", "jackson-pd", "--dir", dir, first); !strings.Contains(out, "duplicate 1") {
		t.Errorf("publishing again says %q", out)
	}

	var r wf.Report
	if err := protojson.Unmarshal([]byte(must(t, sightings("hinds-so", 5, "HSO-1"), "convert", "-")), &r); err != nil {
		t.Fatal(err)
	}
	data, err := proto.Marshal(&r)
	if err != nil {
		t.Fatal(err)
	}
	js := stock(t, dir, "--agency", "hinds-so", "--cell", "le")
	ack, err := js.Publish(t.Context(), subject.Submit(&r), data)
	if err != nil || ack.Stream != subject.Reports || ack.Duplicate {
		t.Fatalf("a stock client's publish: %+v, %v", ack, err)
	}
	r.Label.Level = wf.Level_LEVEL_SECRET
	data, _ = proto.Marshal(&r)
	_, err = js.Publish(t.Context(), subject.Submit(&r), data)
	refused, ok := errors.AsType[*jetstream.APIError](err)
	if !ok || refused.Code != 400 || !strings.Contains(refused.Description, "label-above-cell at label") {
		t.Errorf("a report above its cell: %v, want an API error that says label-above-cell", err)
	}

	var agency, watcher issuedContext
	for who, c := range map[string]*issuedContext{"--agency=jackson-pd": &agency, "--reader=watch-le": &watcher} {
		if err := json.Unmarshal([]byte(must(t, "", "creds", "issue", "--dir", dir, "-o", "json", who, "--cell", "le")), c); err != nil {
			t.Fatal(err)
		}
	}
	if out := must(t, "", "publish", "--as", "jackson-pd", "--dir", t.TempDir(), "--context", agency.Context, first); !strings.Contains(out, "duplicate 1") {
		t.Errorf("publishing by a context says %q", out)
	}
	if out := must(t, "", "snapshot", "--cell", "le", "--dir", t.TempDir(), "--context", watcher.Context); !strings.Contains(out, "cell le, actual") {
		t.Errorf("a snapshot by a context says %q", out)
	}
	if out := must(t, "", "snapshot", "--cell", "le", "--dir", t.TempDir(), "--url", watcher.URL, "--creds", watcher.Creds, "--reader", "watch-le"); !strings.Contains(out, "cell le, actual") {
		t.Errorf("a snapshot by credentials says %q", out)
	}

	counted := metrics(t, dir, "le")
	for _, want := range []string{`submissions_total{cell="le",verdict="admitted"} 2`, `submissions_total{cell="le",verdict="duplicate"} 2`, `refusals_total{cell="le",code="label-above-cell"} 1`} {
		if !strings.Contains(counted, "watchfloor_guard_"+want) {
			t.Errorf("metrics of le do not say %s:\n%s", want, counted)
		}
	}

	feed := stock(t, dir, "--reader", "feed-le", "--cell", "le")
	follow(t, feed, "feed-le", 2)

	watch.until("2 reports")
	watch.interrupt()
	for _, cell := range []string{"le", "fused"} {
		out := must(t, "", "snapshot", "--cell", cell, "--dir", dir, "-o", "json")
		var s struct {
			Digest     string `json:"digest"`
			Situations []struct {
				ID      string            `json:"id"`
				Members []json.RawMessage `json:"members"`
			} `json:"situations"`
		}
		if err := json.Unmarshal([]byte(out), &s); err != nil {
			t.Fatal(err)
		}
		if len(s.Situations) != 1 || len(s.Situations[0].Members) != 2 || len(s.Digest) != 64 {
			t.Fatalf("snapshot of %s: %s", cell, out)
		}
		why := must(t, "", "explain", "--cell", cell, "--dir", dir, s.Situations[0].ID[:6])
		if !strings.Contains(why, "1HGCM82633A004352") || !strings.Contains(why, "bits") {
			t.Errorf("explain says\n%s", why)
		}
	}
	if out := must(t, "", "snapshot", "--cell", "open", "--dir", dir); !strings.Contains(out, "0 situations") {
		t.Errorf("open sees %s", out)
	}
	if out := must(t, "", "snapshot", "--cell", "le", "--dir", dir, "-o", "geojson"); !strings.Contains(out, `"FeatureCollection"`) {
		t.Errorf("geojson is %s", out)
	}
	up.interrupt()
	if r := run(t, "", "snapshot", "--cell", "le", "--dir", dir); r.code != exitUnreachable {
		t.Errorf("after the end: exit %d, want %d: %s", r.code, exitUnreachable, r.err)
	}
}

// metrics reads /metrics of a cell's listener with a reader's token.
func metrics(t *testing.T, dir, cell string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, runFileName))
	if err != nil {
		t.Fatal(err)
	}
	var run runFile
	if err := json.Unmarshal(data, &run); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, run.Pages[cell]+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(must(t, "", "creds", "token", "--reader", "watch-"+cell, "--cell", cell, "--dir", dir)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("metrics of %s: %s, %v", cell, resp.Status, err)
	}
	return string(body)
}

// follow reads n records of the reader's first feed with a stock client.
func follow(t *testing.T, js jetstream.JetStream, reader string, n int) {
	t.Helper()
	l := js.Conn().Opts.InboxPrefix
	if !strings.Contains(l, reader) {
		t.Fatalf("inbox prefix %q is not of %s", l, reader)
	}
	cons, err := js.Consumer(t.Context(), subject.Reports, subject.FeedConsumer(reader, "all"))
	if err != nil {
		t.Fatalf("the feed of %s: %v", reader, err)
	}
	batch, err := cons.Fetch(n, jetstream.FetchMaxWait(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for m := range batch.Messages() {
		got++
		if err := m.DoubleAck(t.Context()); err != nil {
			t.Errorf("acknowledge: %v", err)
		}
	}
	if got != n {
		t.Errorf("a stock client follows %d reports of %s, want %d (%v)", got, reader, n, batch.Error())
	}
}

// The same set of input gives the same output in any order.
func TestFuseIgnoresOrder(t *testing.T) {
	one, two, three := sightings("jackson-pd", 0, "A"), sightings("hinds-so", 5, "B"), strings.Replace(sightings("mhp", 9, "C"), "1HGCM82633A004352", "1M8GDM9AXKP042788", 1)
	want := must(t, one+two+three, "fuse", "--capacity", "10000000")
	if n := strings.Count(want, "\n"); n != 2 {
		t.Fatalf("%d situations, want 2:\n%s", n, want)
	}
	for _, in := range []string{three + two + one, two + one + three + one} {
		if got := must(t, in, "fuse", "--capacity", "10000000"); got != want {
			t.Errorf("another order gives\n%s\nwant\n%s", got, want)
		}
	}
	var s struct {
		Reports []struct{ ID, Agency, Record string }
		Links   []struct {
			A, B     string
			Bits     float64
			Evidence []json.RawMessage
		}
	}
	for line := range strings.Lines(want) {
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		if len(s.Reports) == 2 && (len(s.Links) != 1 || s.Links[0].Bits < 26 || len(s.Links[0].Evidence) == 0) {
			t.Errorf("links of the pair: %s", line)
		}
	}
}
