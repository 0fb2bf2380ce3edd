package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/doctor"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const actual = wf.Status_STATUS_ACTUAL

var onlyActual = []wf.Status{actual}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// small is a policy of three cells, changed by pairs of old and new text.
func small(t testing.TB, pairs ...string) *policy.Policy {
	t.Helper()
	data, err := os.ReadFile("../backup/testdata/policy.yaml")
	must(t, err)
	text := string(data)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the policy has no %q", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	p, err := policy.Parse([]byte(text))
	must(t, err)
	return p
}

// site is a whole broker.
type site struct {
	*spine.Spine
	t      *testing.T
	dir    string
	policy *policy.Policy
	close  func()
}

func start(t *testing.T, dir string, edit ...func(*spine.Config)) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := spine.Config{
		Policy: small(t), DataDir: filepath.Join(dir, "data"), KeysDir: filepath.Join(dir, "keys"), Port: -1, HTTPPort: -1,
		Clock: worker.Wall, Statuses: onlyActual, Version: "test",
	}
	for _, e := range edit {
		e(&c)
	}
	s, err := spine.Start(ctx, c)
	must(t, err)
	out := &site{Spine: s, t: t, dir: dir, policy: c.Policy}
	out.close = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	t.Cleanup(out.close)
	return out
}

// stopped is the folder of a broker that does not run.
func stopped(t *testing.T, dir string) doctor.Config {
	return doctor.Config{
		DataDir: filepath.Join(dir, "data"), KeysDir: filepath.Join(dir, "keys"), CredsDir: filepath.Join(dir, "creds"),
		Policy: small(t), Statuses: onlyActual, Stalled: doctor.Stalled, Soon: doctor.Soon, Now: time.Now, Between: 40 * time.Millisecond,
	}
}

// config looks at the running site.
func (s *site) config() doctor.Config {
	s.t.Helper()
	c := stopped(s.t, s.dir)
	keys, err := account.OpenIssuer(c.KeysDir, c.DataDir, s.policy, time.Now)
	must(s.t, err)
	c.Policy = s.policy
	c.Broker = &doctor.Running{URL: s.Broker().ClientURL(), Pages: map[string]string{}, Issue: keys.Issue, Inlet: keys.Inlet}
	for _, x := range s.Cells() {
		c.Broker.Pages[x.Name] = x.URL
	}
	return c
}

// standby runs a worker beside every one.
func (s *site) standby() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	w, err := spine.StartWorkers(ctx, spine.Config{Policy: s.policy, Seat: subject.Seats[1], Clock: worker.Wall, Statuses: onlyActual}, s.Broker().Credential)
	must(s.t, err)
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := w.Close(ctx); err != nil {
			s.t.Errorf("close workers: %v", err)
		}
	})
}

// publish sends n reports of the police to le.
func (s *site) publish(n int) {
	s.t.Helper()
	cred, err := s.Broker().Credential("jackson-pd", "le")
	must(s.t, err)
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	c, err := producers.Connect(ctx, cred.URL, "jackson-pd", producers.WithJWT(cred.JWT, cred.Seed), producers.WithCell("le"))
	must(s.t, err)
	defer c.Close()
	for i := range n {
		_, err := c.Publish(ctx, report(i))
		if refused, ok := errors.AsType[*producers.Refused](err); ok && i > 0 {
			s.t.Logf("refused: %v", refused) // the quota, in TestQuota
			return
		}
		must(s.t, err)
	}
}

func report(i int) *wf.Report {
	at := time.Now().Add(-time.Hour)
	return &wf.Report{
		Id: uuid.Must(uuid.NewV7()).String(), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: "jackson-pd", Record: fmt.Sprint("26-", i), Kind: wf.Kind_KIND_INCIDENT, Status: actual,
		Label:       &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}},
		RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT, EventTime: &wf.TimeRange{Start: timestamppb.New(at)}, ReportTime: timestamppb.New(at),
		Places:            []*wf.Place{{CountyFips: "28049", State: "MS"}},
		SourceReliability: wf.SourceReliability_SOURCE_RELIABILITY_B, InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Severity: wf.Severity_SEVERITY_MODERATE, Title: "Gate", Language: "en-US", SourceFormat: "native",
		Narrative: strings.Repeat("Seen again. ", 80),
		Body:      &wf.Report_Incident{Incident: &wf.Incident{Type: "collision"}},
	}
}

// consumer is one of REPORTS as its principal has it.
func (s *site) consumer(principal, cell, name string) jetstream.Consumer {
	s.t.Helper()
	cred, err := s.Broker().Credential(principal, cell)
	must(s.t, err)
	nc, err := nats.Connect(cred.URL, cred.Options()...)
	must(s.t, err)
	s.t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	must(s.t, err)
	c, err := js.Consumer(s.t.Context(), subject.Reports, name)
	must(s.t, err)
	return c
}

// take takes one record and does not acknowledge it.
func take(t *testing.T, c jetstream.Consumer) {
	t.Helper()
	_, err := c.Next(jetstream.FetchMaxWait(30 * time.Second))
	must(t, err)
}

// find is what a check came to.
func find(t *testing.T, found []doctor.Finding, check string) doctor.Finding {
	t.Helper()
	i := slices.IndexFunc(found, func(f doctor.Finding) bool { return f.Check == check })
	if i < 0 {
		t.Fatalf("nothing was said of %s: %+v", check, found)
	}
	return found[i]
}

// expect wants a level of a check, with a word in what is said and something to do.
func expect(t *testing.T, found []doctor.Finding, check string, level doctor.Level, says string) {
	t.Helper()
	f := find(t, found, check)
	all := f.What + " " + strings.Join(f.Items, " ")
	if f.Level != level || !strings.Contains(all, says) {
		t.Errorf("%s: got %s, %q, want %s that says %q", check, f.Level, all, level, says)
	}
	if (f.Level == doctor.OK) != (f.Do == "") {
		t.Errorf("%s is %s and says to do %q", check, f.Level, f.Do)
	}
}
