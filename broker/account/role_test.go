package account

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/watchfloor/watchfloor/broker/policy"
	"github.com/watchfloor/watchfloor/proto/subject"
)

// words gives every stream a word that can be read.
func words(cell, stream string) subject.Inlet {
	return subject.NewInlet(cell + "-" + strings.ToLower(stream))
}

// What each kind of principal may do, in full: a change of a role is a change
// of this list.
func TestRoles(t *testing.T) {
	roles := rolesOf(policy.Default(), words)
	for _, c := range []struct {
		cell string
		p    Principal
		pub  []string
		sub  []string
	}{
		{"open", Agency("nws"), []string{
			"submit.actual.hazard.*.*.nws", "submit.actual.incident.*.*.nws", "submit.exercise.hazard.*.*.nws",
			"submit.exercise.incident.*.*.nws", "submit.test.hazard.*.*.nws", "submit.test.incident.*.*.nws",
		}, []string{"_INBOX.nws.{{name()}}.>"}},
		{"fused", Guard(), []string{
			"inlet.fused-reports.report.>", "inlet.fused-reports.orcon.>", "inlet.fused-refusals.refusal.fused.*", "_INBOX.noc-desk.>",
			"$JS.API.CONSUMER.CREATE.REPORTS.*", "$JS.API.CONSUMER.MSG.NEXT.REPORTS.*",
		}, []string{"submit.*.*.*.*.*", "_INBOX.guard.{{name()}}.>"}},
		{"le", Reader("watch-noc"), []string{
			"$JS.API.CONSUMER.INFO.REPORTS.feed_watch-noc_all", "$JS.API.CONSUMER.MSG.NEXT.REPORTS.feed_watch-noc_all",
			"$JS.ACK.REPORTS.feed_watch-noc_all.>", "$JS.ACK._.*.REPORTS.feed_watch-noc_all.>",
		}, []string{"_INBOX.watch-noc.{{name()}}.>"}},
		{"le", Backup(), []string{
			"$JS.API.STREAM.SNAPSHOT.REPORTS", "$JS.SNAPSHOT.ACK.REPORTS.*.*.*", "$JS.API.STREAM.SNAPSHOT.REFUSALS", "$JS.SNAPSHOT.ACK.REFUSALS.*.*.*",
			"$JS.API.STREAM.SNAPSHOT.SNAPSHOT_ACTUAL", "$JS.SNAPSHOT.ACK.SNAPSHOT_ACTUAL.*.*.*",
			"$JS.API.STREAM.SNAPSHOT.SNAPSHOT_EXERCISE", "$JS.SNAPSHOT.ACK.SNAPSHOT_EXERCISE.*.*.*",
			"$JS.API.STREAM.SNAPSHOT.SNAPSHOT_TEST", "$JS.SNAPSHOT.ACK.SNAPSHOT_TEST.*.*.*",
		}, []string{"_INBOX.backup.{{name()}}.>"}},
		{"le", Doctor(), []string{"$JS.API.INFO", "$JS.API.STREAM.LIST", "$JS.API.CONSUMER.LIST.REPORTS"}, []string{"_INBOX.doctor.{{name()}}.>"}},
		{"fused", API(), []string{
			"$JS.API.DIRECT.GET.SNAPSHOT_ACTUAL.snapshot.actual.>", "$JS.API.DIRECT.GET.SNAPSHOT_EXERCISE.snapshot.exercise.>",
			"$JS.API.DIRECT.GET.SNAPSHOT_TEST.snapshot.test.>",
		}, []string{"_INBOX.api.{{name()}}.>", "live.actual.>", "live.exercise.>", "live.test.>"}},
	} {
		r, ok := roles[c.cell][c.p]
		if !ok {
			t.Errorf("%s has no role in %s", c.p, c.cell)
		}
		if d := cmp.Diff(Role{Publish: c.pub, Subscribe: c.sub}, r); d != "" {
			t.Errorf("%s in %s:\n%s", c.p, c.cell, d)
		}
	}
}

// Below its own cell a worker reads its consumers, and nothing of the picture.
func TestWorkerBelow(t *testing.T) {
	for cell, roles := range rolesOf(policy.Default(), words) {
		for p, r := range roles {
			if p.Kind != kindWorker {
				continue
			}
			writes := slices.ContainsFunc(r.Publish, func(s string) bool { return strings.HasPrefix(s, "inlet.") })
			if writes != (p.Name == cell) {
				t.Errorf("%s in %s writes the picture: %v", p, cell, writes)
			}
			history := slices.ContainsFunc(r.Publish, func(s string) bool {
				return strings.HasPrefix(s, "$JS.API.STREAM.MSG.DELETE.") || strings.HasPrefix(s, "$JS.API.DIRECT.GET.")
			})
			if history != (p.Name == cell) {
				t.Errorf("%s in %s reads or erases the history of the picture: %v", p, cell, history)
			}
			for _, s := range r.Publish {
				if strings.Contains(s, "REPORTS") && !strings.Contains(s, ".fusion_"+p.Name+"_") && !strings.Contains(s, ".replay_"+p.Name+"_") {
					t.Errorf("%s in %s holds %s", p, cell, s)
				}
			}
		}
	}
}

// Across sides nobody has a role: a principal stands only in the cells that a
// label of its own dominates.
func TestNobodyReadsUpOrAcross(t *testing.T) {
	p := policy.Default()
	for cell, roles := range rolesOf(p, words) {
		c, _ := p.Cell(cell)
		for who := range roles {
			switch who.Kind {
			case kindWorker:
				own, _ := p.Cell(who.Name)
				if !own.Label.Dominates(c.Label) {
					t.Errorf("%s reads %s", who, cell)
				}
			case kindReader:
				r, _ := p.Reader(who.Name)
				if !slices.ContainsFunc(r.Cells, func(n string) bool { own, _ := p.Cell(n); return own.Label.Dominates(c.Label) }) {
					t.Errorf("%s reads %s", who, cell)
				}
			case kindAgency:
				if a, _ := p.Agency(who.Name); len(a.Grants) != 1 || a.Grants[0].Cell != cell {
					t.Errorf("%s stands in %s", who, cell)
				}
			}
		}
	}
}
