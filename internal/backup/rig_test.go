package backup_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/broker/account"
	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/consumers/snapshot"
	"github.com/watchfloor/watchfloor/consumers/worker"
	"github.com/watchfloor/watchfloor/internal/backup"
	"github.com/watchfloor/watchfloor/internal/spine"
	"github.com/watchfloor/watchfloor/producers"
	wfreport "github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"

	"github.com/nats-io/nats.go"
)

const actual = wf.Status_STATUS_ACTUAL

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// small is the policy of these tests, changed by pairs of old and new text.
func small(t testing.TB, pairs ...string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(strings.NewReplacer(pairs...).Replace(string(policyText(t)))))
	must(t, err)
	return p
}

func policyText(t testing.TB) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/policy.yaml")
	must(t, err)
	return data
}

// home is the folder of a broker.
type home string

func (h home) data() string { return filepath.Join(string(h), "data") }
func (h home) keys() string { return filepath.Join(string(h), "keys") }

// site is a whole broker with workers, and agencies that publish to it.
type site struct {
	*spine.Spine
	t       *testing.T
	home    home
	close   func()
	clients map[string]*producers.Client
}

func start(t *testing.T, h home, edit ...func(*spine.Config)) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c := spine.Config{
		Policy: small(t), DataDir: h.data(), KeysDir: h.keys(), Port: -1, WithoutHTTP: true,
		Clock: worker.Input, Statuses: []wf.Status{actual}, Version: "test",
	}
	for _, e := range edit {
		e(&c)
	}
	s, err := spine.Start(ctx, c)
	must(t, err)
	out := &site{Spine: s, t: t, home: h, clients: map[string]*producers.Client{}}
	out.close = sync.OnceFunc(func() {
		for _, c := range out.clients {
			c.Close()
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	t.Cleanup(out.close)
	return out
}

func withoutWorkers(c *spine.Config) { c.WithoutWorkers = true }

// agency connects with a credential of its own.
func (s *site) agency(name, cell string) *producers.Client {
	s.t.Helper()
	if c, ok := s.clients[name]; ok {
		return c
	}
	cred, err := s.Broker().Credential(name, cell)
	must(s.t, err)
	c, err := producers.Connect(s.t.Context(), cred.URL, name, producers.WithJWT(cred.JWT, cred.Seed), producers.WithCell(cell))
	must(s.t, err)
	s.clients[name] = c
	return c
}

// senders are who publishes where.
var senders = []struct {
	agency, cell string
	label        *wf.Label
}{
	{"nws", "open", &wf.Label{Level: wf.Level_LEVEL_UNCLASSIFIED}},
	{"jackson-pd", "le", &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}}},
	{"noc-desk", "fused", &wf.Label{Level: wf.Level_LEVEL_TOP_SECRET, Sides: []wf.Side{wf.Side_SIDE_LE, wf.Side_SIDE_INTEL}}},
}

// sent is a report that was acknowledged.
type sent struct {
	sender   int
	report   *wf.Report
	sequence uint64
}

// report is the i-th of a sender. Every fourth names a telephone number that all share.
func report(sender, i int) *wf.Report {
	s, at := senders[sender], time.Now().Add(-time.Hour)
	r := &wf.Report{
		Id: uuid.Must(uuid.NewV7()).String(), Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE,
		Agency: s.agency, Record: fmt.Sprint("26-", i), Kind: wf.Kind_KIND_INCIDENT, Status: actual, Label: s.label,
		RecordClass: wf.RecordClass_RECORD_CLASS_INCIDENT, EventTime: &wf.TimeRange{Start: timestamppb.New(at)}, ReportTime: timestamppb.New(at),
		Places:            []*wf.Place{{CountyFips: "28049", State: "MS"}},
		SourceReliability: wf.SourceReliability_SOURCE_RELIABILITY_B, InformationCredibility: wf.InformationCredibility_INFORMATION_CREDIBILITY_2,
		Severity: wf.Severity_SEVERITY_MODERATE, Title: fmt.Sprint("Gate ", i), Language: "en-US", SourceFormat: "native",
		Body: &wf.Report_Incident{Incident: &wf.Incident{Type: "collision"}},
	}
	if i%4 == 0 {
		r.Entities = []*wf.Entity{{Identifiers: []*wf.Identifier{{Type: wf.IdentifierType_IDENTIFIER_TYPE_PHONE, Value: "+16015550199"}}}}
	}
	return r
}

// publish sends a report and returns it acknowledged.
func (s *site) publish(sender int, r *wf.Report) sent {
	s.t.Helper()
	x, err := send(s.t.Context(), s.agency(senders[sender].agency, senders[sender].cell), sender, r)
	must(s.t, err)
	return x
}

func send(ctx context.Context, c *producers.Client, sender int, r *wf.Report) (sent, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ack, err := c.Publish(ctx, r)
	if err != nil {
		return sent{}, fmt.Errorf("%s: %w", senders[sender].agency, err)
	}
	return sent{sender, r, ack.Sequence}, nil
}

// fill publishes n reports of every sender, revises one and withdraws another.
func (s *site) fill(n int) []sent {
	s.t.Helper()
	var out []sent
	for i := range n {
		for sender := range senders {
			out = append(out, s.publish(sender, report(sender, i)))
		}
	}
	again := report(out[0].sender, 1000)
	again.Id, again.Record, again.Revision = out[0].report.Id, out[0].report.Record, 2
	out[0] = s.publish(out[0].sender, again)
	out[1] = s.publish(out[1].sender, wfreport.Withdraw(out[1].report, 2, time.Now()))
	return out
}

// settled waits until every picture holds all that was stored.
func (s *site) settled() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	must(s.t, s.Settled(ctx))
}

// digests of all pictures, with how many reports they are made of.
func (s *site) digests() map[string]string {
	out := map[string]string{}
	for _, c := range s.Cells() {
		s.Picture(c.Name, actual).Read(func(p *snapshot.Picture) {
			d := p.Digest()
			out[c.Name] = fmt.Sprintf("%s of %d situations, %d reports", hex.EncodeToString(d[:]), p.Len(), p.Reports())
		})
	}
	return out
}

// holds sends every report again: the broker answers with the first
// acknowledgement if it has it, and with a new one if it has not.
func (s *site) holds(all []sent) {
	s.t.Helper()
	for _, x := range all {
		if again := s.publish(x.sender, x.report); again.sequence != x.sequence {
			s.t.Fatalf("report %s of %s was acknowledged as %d and is now %d: it was lost", x.report.Id, x.report.Agency, x.sequence, again.sequence)
		}
	}
}

// issuer signs in to a running broker as the backup of a cell.
func (s *site) config(dir string) backup.Config {
	s.t.Helper()
	keys, err := account.OpenIssuer(s.home.keys(), s.home.data(), s.Broker().Policy(), time.Now)
	must(s.t, err)
	return backup.Config{
		Policy: s.Broker().Policy(), PolicyFile: policyText(s.t), Dir: dir, Keys: keys, Release: "test", Now: time.Now,
		Connect: func(cell string) (*nats.Conn, error) {
			cred, err := keys.Issue(account.Request{Principal: account.Backup(), Cell: cell, Lifetime: time.Hour})
			if err != nil {
				return nil, err
			}
			return nats.Connect(s.Broker().ClientURL(), cred.Options()...)
		},
	}
}

// backUp takes a backup and returns its folder.
func (s *site) backUp(edit ...func(*backup.Config)) (string, []backup.Manifest) {
	s.t.Helper()
	c := s.config(s.t.TempDir())
	for _, e := range edit {
		e(&c)
	}
	dir, manifests, err := backup.Take(s.t.Context(), c)
	must(s.t, err)
	return dir, manifests
}

// copyKeys gives a fresh home the keys of another.
func copyKeys(t *testing.T, from, to home) {
	t.Helper()
	doc, err := account.CopyKeys(from.keys(), from.data(), time.Now())
	must(t, err)
	_, err = account.RestoreKeys(doc, to.keys(), to.data())
	must(t, err)
}

// restore puts a backup into a home that has its keys.
func restore(t *testing.T, dir string, h home, p *policy.Policy, edit ...func(*backup.Target)) (*backup.Restored, error) {
	t.Helper()
	dirs, err := backup.Find(dir)
	must(t, err)
	keys, err := account.OpenIssuer(h.keys(), h.data(), p, time.Now)
	must(t, err)
	a, err := backup.Open(dirs, p, keys, false)
	if err != nil {
		return nil, err
	}
	to := backup.Target{Policy: p, DataDir: h.data(), KeysDir: h.keys(), Now: time.Now}
	for _, e := range edit {
		e(&to)
	}
	return backup.Restore(t.Context(), a, to)
}
