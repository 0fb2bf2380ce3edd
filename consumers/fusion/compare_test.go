package fusion

import (
	"testing"
	"time"
)

func TestThresholdFollowsFromTheNumberOfReportsAlone(t *testing.T) {
	for n, want := range map[int]int32{1000: 13_381, 5000: 15_703, 10_000_000: 26_669} {
		if got := ThresholdFor(n); got != want {
			t.Errorf("%d reports: %d millibits, want %d", n, got, want)
		}
	}
	if ThresholdFor(0) != ThresholdFor(1) {
		t.Error("no reports have another threshold than one")
	}
}

func TestCompareTellsOfTwoLiveReports(t *testing.T) {
	near := at(32.30, -90.18)
	in := []Input{
		say("fbi", 0, id(vinID, "1FTFW1ET5DFC10312")), say("atf", time.Hour, id(vinID, "1FTFW1ET5DFC10312"), id(phoneID, "+16015550123"), near),
		say("dea", 2*time.Hour, id(phoneID, "+16015550123"), near), say("dhs", 0),
	}
	e := fed(Config{Status: in[0].Report.Status}, in)
	name := func(i int) Identity { return Identity{in[i].Cell, in[i].Report.Agency, in[i].Report.Id} }
	if p, ok := e.Compare(name(0), name(1)); !ok || !p.Proposed || !p.Linked || !p.Together || len(p.Evidence) != 1 {
		t.Errorf("two with one VIN: %+v, %v", p, ok)
	}
	if p, ok := e.Compare(name(0), name(2)); !ok || p.Proposed || p.Linked || !p.Together || p.Millibits != 0 {
		t.Errorf("two that only a third ties: %+v, %v", p, ok)
	}
	if p, ok := e.Compare(name(3), name(2)); !ok || p.Together || e.Proposed(name(3), name(2)) {
		t.Errorf("two that share nothing: %+v, %v", p, ok)
	}
	if _, ok := e.Compare(name(0), name(0)); ok {
		t.Error("a report is no pair with itself")
	}
	a, _ := e.Cluster(name(0))
	c, _ := e.Cluster(name(2))
	d, live := e.Cluster(name(3))
	if a != c || a == d || !live {
		t.Errorf("clusters %d, %d and %d: want the first two equal", a, c, d)
	}
	e.Remove(in[3].Cell, "dhs", in[3].Report.Id)
	if _, live := e.Cluster(name(3)); live {
		t.Error("a removed report has a cluster")
	}
}
