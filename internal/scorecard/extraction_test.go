package scorecard_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/watchfloor/watchfloor/producers/exercise"
	"github.com/watchfloor/watchfloor/producers/narrative"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// spelled is a finding or a stated value as both sides write it: its kind and
// its value, folded.
func spelled(k narrative.Kind, value string) string {
	return string(k) + " " + strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.+:", r) {
			return -1
		}
		return r
	}, value))
}

var kindOf = map[wf.IdentifierType]narrative.Kind{
	wf.IdentifierType_IDENTIFIER_TYPE_PHONE: narrative.Phone, wf.IdentifierType_IDENTIFIER_TYPE_EMAIL: narrative.Email, wf.IdentifierType_IDENTIFIER_TYPE_PLATE: narrative.Plate,
	wf.IdentifierType_IDENTIFIER_TYPE_VIN: narrative.VIN, wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT: narrative.Passport, wf.IdentifierType_IDENTIFIER_TYPE_DRIVER_LICENSE: narrative.License,
	wf.IdentifierType_IDENTIFIER_TYPE_IP: narrative.IP, wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN: narrative.Domain, wf.IdentifierType_IDENTIFIER_TYPE_HASH: narrative.Hash,
	wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER: narrative.Case, wf.IdentifierType_IDENTIFIER_TYPE_SERIAL: narrative.Serial, wf.IdentifierType_IDENTIFIER_TYPE_ACCOUNT: narrative.Account,
	wf.IdentifierType_IDENTIFIER_TYPE_TAIL_NUMBER: narrative.Tail, wf.IdentifierType_IDENTIFIER_TYPE_IMO: narrative.IMO, wf.IdentifierType_IDENTIFIER_TYPE_MMSI: narrative.MMSI,
	wf.IdentifierType_IDENTIFIER_TYPE_IMEI: narrative.IMEI, wf.IdentifierType_IDENTIFIER_TYPE_STORM: narrative.Storm, wf.IdentifierType_IDENTIFIER_TYPE_URL: narrative.URL,
	wf.IdentifierType_IDENTIFIER_TYPE_VTEC: narrative.VTEC, wf.IdentifierType_IDENTIFIER_TYPE_CVE: narrative.CVE, wf.IdentifierType_IDENTIFIER_TYPE_MAC: narrative.MAC,
}

// stated lists what the reports of one event, together, state: a narrative may
// be right where the field beside it has a slip.
func stated(r *wf.Report, into map[string]bool) {
	for _, e := range r.GetEntities() {
		for _, id := range e.GetIdentifiers() {
			if k, ok := kindOf[id.GetType()]; ok {
				into[spelled(k, id.GetValue())] = true
			}
		}
		for _, n := range e.GetPerson().GetNames() {
			into[spelled(narrative.Person, n.GetGiven()+n.GetFamily()+n.GetFull())] = true
		}
		if v := e.GetVehicle(); v != nil {
			into[spelled(narrative.Vehicle, v.GetColor()+v.GetMake()+v.GetModel())] = true
		}
		if b := e.GetPerson().GetBirth(); b != nil {
			into[spelled(narrative.Birth, fmt.Sprintf("%d%02d%02d", b.Year, b.Month, b.Day))] = true
			into[spelled(narrative.Birth, fmt.Sprint(b.Year))] = true
		}
	}
	for _, p := range r.GetPlaces() {
		if p.GetCountyFips() != "" {
			into[spelled(narrative.County, p.GetCountyFips())] = true
		}
	}
	if n := r.GetIncident().GetNumber(); n != "" {
		into[spelled(narrative.Case, n)] = true
	}
}

// written says whether the value stands in the text as the generator writes it.
func written(text, key string) bool {
	kind, value, _ := strings.Cut(key, " ")
	if kind == string(narrative.County) || kind == string(narrative.Birth) {
		return false // written otherwise than stated; judged by precision alone
	}
	return strings.Contains(spelled("", text), value)
}

type score struct{ found, right, written, got int }

// Every kind of finding against what the exercise states: a finding is right
// when some report of the same event states it, and it should have been found
// when a value that its own report states stands in its text.
func TestFindingsAgreeWithTheExercise(t *testing.T) {
	s, err := exercise.New(exercise.Config{Seed: 11, Reports: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	var steps []exercise.Step
	truth := map[string]map[string]bool{}
	group := func(st exercise.Step) string { return cmp.Or(st.Event, st.Report.GetId()) }
	for st := range s.Steps() {
		if st.Report.GetNarrative() == "" {
			continue
		}
		steps = append(steps, st)
		if truth[group(st)] == nil {
			truth[group(st)] = map[string]bool{}
		}
		stated(st.Report, truth[group(st)])
	}
	scores := map[narrative.Kind]*score{}
	at := func(k narrative.Kind) *score {
		if scores[k] == nil {
			scores[k] = &score{}
		}
		return scores[k]
	}
	faults := map[string]int{}
	for _, st := range steps {
		found := map[string]bool{}
		for _, f := range narrative.Extract(st.Report.GetNarrative(), narrative.Context{State: "MS", Reported: st.Report.GetReportTime().AsTime(), Agency: st.Report.GetAgency()}) {
			key := spelled(f.Kind, f.Normal)
			found[key] = true
			c := at(f.Kind)
			c.found++
			if truth[group(st)][key] {
				c.right++
			} else if judged[f.Kind] {
				faults["wrong "+string(f.Kind)+" by "+f.Why]++
			}
		}
		own := map[string]bool{}
		stated(st.Report, own)
		for key := range own {
			kind, _, _ := strings.Cut(key, " ")
			if !written(st.Report.GetNarrative(), key) {
				continue
			}
			c := at(narrative.Kind(kind))
			c.written++
			if found[key] {
				c.got++
			} else {
				faults["missed "+kind]++
			}
		}
	}
	for _, k := range slices.Sorted(func(yield func(narrative.Kind) bool) {
		for k := range scores {
			if !yield(k) {
				return
			}
		}
	}) {
		c := scores[k]
		t.Logf("%-15s found %5d right %.4f; written %5d found %.4f", k, c.found, share(c.right, c.found), c.written, share(c.got, c.written))
		if judged[k] && share(c.right, c.found) < 0.99 {
			t.Errorf("%s: of %d findings %d are right", k, c.found, c.right)
		}
		if judged[k] && share(c.got, c.written) < 0.95 {
			t.Errorf("%s: of %d written %d are found", k, c.written, c.got)
		}
	}
	for f, n := range faults {
		t.Log(n, f)
	}
}

// judged are the kinds that the exercise states.
var judged = map[narrative.Kind]bool{narrative.Phone: true, narrative.Email: true, narrative.Plate: true, narrative.VIN: true, narrative.Person: true, narrative.Vehicle: true,
	narrative.IP: true, narrative.Domain: true, narrative.Passport: true, narrative.Tail: true, narrative.IMO: true, narrative.Storm: true, narrative.Serial: true, narrative.IMEI: true}

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}
