package fusion

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

const (
	phoneID    = wf.IdentifierType_IDENTIFIER_TYPE_PHONE
	plateID    = wf.IdentifierType_IDENTIFIER_TYPE_PLATE
	vinID      = wf.IdentifierType_IDENTIFIER_TYPE_VIN
	ssnID      = wf.IdentifierType_IDENTIFIER_TYPE_SSN
	ipID       = wf.IdentifierType_IDENTIFIER_TYPE_IP
	hashID     = wf.IdentifierType_IDENTIFIER_TYPE_HASH
	supersedes = wf.ReferenceType_REFERENCE_TYPE_SUPERSEDES
	cancels    = wf.ReferenceType_REFERENCE_TYPE_CANCELS
	relatedTo  = wf.ReferenceType_REFERENCE_TYPE_RELATED
	inContext  = wf.ReferenceType_REFERENCE_TYPE_CONTEXT
)

// say is a report, made by the parts that matter to a test.
func say(agency string, after time.Duration, parts ...func(*wf.Report)) Input {
	r := &wf.Report{
		Agency: agency, Revision: 1, State: wf.ReportState_REPORT_STATE_ACTIVE, Status: wf.Status_STATUS_EXERCISE,
		Kind: wf.Kind_KIND_SAR, EventTime: &wf.TimeRange{Start: timestamppb.New(t0.Add(after))}, ReportTime: timestamppb.New(t0.Add(after)),
	}
	for _, p := range parts {
		p(r)
	}
	if r.Id == "" {
		r.Id = fmt.Sprintf("%s-%d-%d", agency, after/time.Second, len(parts))
	}
	return Input{Cell: "le", Report: r}
}

func id(t wf.IdentifierType, value string) func(*wf.Report) { return issued(t, value, "") }
func issued(t wf.IdentifierType, value, issuer string) func(*wf.Report) {
	return func(r *wf.Report) {
		r.Entities = append(r.Entities, &wf.Entity{Identifiers: []*wf.Identifier{{Type: t, Value: value, Issuer: issuer, Partial: strings.Contains(value, "?")}}})
	}
}
func human(given, family string, year, month, day int32) func(*wf.Report) {
	return func(r *wf.Report) {
		r.Entities = append(r.Entities, &wf.Entity{Detail: &wf.Entity_Person{Person: &wf.Person{
			Names: []*wf.PersonName{{Given: given, Family: family}}, Birth: &wf.PartialDate{Year: year, Month: month, Day: day},
		}}})
	}
}
func at(lat, lon float64) func(*wf.Report) {
	return func(r *wf.Report) {
		r.Places = append(r.Places, &wf.Place{Point: &wf.Point{Latitude: lat, Longitude: lon}, UncertaintyM: 50})
	}
}
func inCounty(fips string) func(*wf.Report) {
	return func(r *wf.Report) { r.Places = append(r.Places, &wf.Place{CountyFips: fips}) }
}
func record(name string) func(*wf.Report) { return func(r *wf.Report) { r.Record = name } }
func refer(t wf.ReferenceType, name, agency string) func(*wf.Report) {
	return func(r *wf.Report) {
		r.References = append(r.References, &wf.Reference{Type: t, Record: name, Agency: agency})
	}
}
func behavior(b wf.Behavior) func(*wf.Report) {
	return func(r *wf.Report) { r.Body = &wf.Report_Sar{Sar: &wf.Sar{Behaviors: []wf.Behavior{b}}} }
}
func atSite(runBy, target string) func(*wf.Report) {
	return func(r *wf.Report) {
		r.Body = &wf.Report_Sar{Sar: &wf.Sar{Behaviors: r.GetSar().GetBehaviors(), TargetName: target}}
		r.Entities = append(r.Entities, &wf.Entity{Detail: &wf.Entity_Organization{Organization: &wf.Organization{Name: runBy}}})
	}
}
func hazard(event string, m wf.MessageType) func(*wf.Report) {
	return func(r *wf.Report) {
		r.Kind, r.Body = wf.Kind_KIND_HAZARD, &wf.Report_Hazard{Hazard: &wf.Hazard{Event: event, MessageType: m}}
	}
}
func narrative(s string) func(*wf.Report) { return func(r *wf.Report) { r.Narrative = s } }
func expires(after time.Duration) func(*wf.Report) {
	return func(r *wf.Report) { r.Expires = timestamppb.New(t0.Add(after)) }
}

// groups is how many reports each situation of a set has, largest first.
func groups(in ...Input) []int {
	var out []int
	for _, s := range fed(Config{Status: wf.Status_STATUS_EXERCISE}, in).Situations() {
		out = append(out, len(s.Members))
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

func TestWhatLinksAndWhatDoesNot(t *testing.T) {
	const h = time.Hour
	near, far := at(32.30, -90.18), at(34.80, -89.50)
	for _, c := range []struct {
		rule string
		in   []Input
		want []int
	}{
		{"an exclusive identifier links alone", []Input{say("fbi", 0, id(vinID, "1FTFW1ET5DFC10312")), say("atf", 30*h, id(vinID, "1FTFW1ET5DFC10312"))}, []int{2}},
		{"a phone alone is a pointer, not a link", []Input{say("fbi", 0, id(phoneID, "+16015550123")), say("atf", h, id(phoneID, "+16015550123"))}, []int{1, 1}},
		{"a phone and a place link", []Input{say("fbi", 0, id(phoneID, "+16015550123"), near), say("atf", h, id(phoneID, "+16015550123"), near)}, []int{2}},
		{"time and behavior at one place are no link", []Input{say("fbi", 0, near, behavior(11)), say("atf", time.Minute, near, behavior(11))}, []int{1, 1}},
		{"a garbled plate links with name and place", []Input{
			say("fbi", 0, issued(plateID, "HNC4821", "US-MS"), human("Karim", "Haddad", 0, 0, 0), near),
			say("cia", h, issued(plateID, "HNC?821", "US-MS"), human("Kareem", "Hadad", 0, 0, 0), near)}, []int{2}},
		{"the same two without the plate stay apart", []Input{
			say("fbi", 0, human("Karim", "Haddad", 0, 0, 0), near), say("cia", 9*h, human("Kareem", "Hadad", 0, 0, 0), near)}, []int{1, 1}},
		{"a phone with two digits swapped links with name and birth", []Input{
			say("fbi", 0, id(phoneID, "+16015550123"), human("Karim", "Haddad", 1988, 4, 0)),
			say("cia", h, id(phoneID, "+16015551023"), human("Karim", "Hadad", 1988, 4, 0))}, []int{2}},
		{"a plate of another state is another plate", []Input{
			say("fbi", 0, issued(plateID, "HNC4821", "US-MS"), near), say("atf", h, issued(plateID, "HNC4821", "US-LA"), far)}, []int{1, 1}},
		{"a target, whoever runs it and where it stands are one observation", []Input{
			say("fbi", 0, behavior(7), atSite("Quantum Choctaw Power LLC", "Quantum Choctaw Power plant"), near),
			say("atf", 30*h, behavior(7), atSite("Quantum Choctaw Power", "Quantum Choctaw Power plant"), near)}, []int{1, 1}},
		{"a name and a birth date link, whatever the accents", []Input{
			say("fbi", 0, human("José", "Núñez", 1988, 4, 9)), say("atf", h, human("Jose", "NUNEZ", 1988, 4, 9))}, []int{2}},
		{"a common name in one town does not", []Input{
			say("fbi", 0, human("James", "Smith", 0, 0, 0), near), say("atf", h, human("James", "Smith", 0, 0, 0), at(32.33, -90.18))}, []int{1, 1}},
		{"a household's phone does not make two of its members one", []Input{
			say("fbi", 0, id(phoneID, "+16015550123"), human("Kimberly", "Eastdon", 1988, 4, 9), near),
			say("atf", 9*h, id(phoneID, "+16015550123"), human("Ann", "Eastdon", 1961, 11, 23), near)}, []int{1, 1}},
		{"a reference links to a record that arrives later", []Input{
			say("fbi", h, refer(relatedTo, "R-7", "atf")), say("atf", 0, record("R-7"))}, []int{2}},
		{"a reference names the agency's record, not another's of that name", []Input{
			say("fbi", h, refer(relatedTo, "R-7", "atf")), say("dea", 0, record("R-7"))}, []int{1, 1}},
		{"context is no evidence", []Input{
			say("fbi", h, refer(inContext, "R-7", "atf")), say("atf", 0, record("R-7"))}, []int{1, 1}},
		{"two that name a third are one, though it never arrives", []Input{
			say("fbi", h, refer(relatedTo, "R-7", "atf")), say("dea", 0, refer(relatedTo, "R-7", "atf"))}, []int{2}},
		{"a case number is a record of its issuer", []Input{
			say("fbi", h, issued(wf.IdentifierType_IDENTIFIER_TYPE_CASE_NUMBER, "R-7", "atf")), say("atf", 0, record("R-7"))}, []int{2}},
		{"a bogus social security number links nobody", []Input{
			say("fbi", 0, id(ssnID, "078051120"), near), say("atf", h, id(ssnID, "078051120"), near)}, []int{1, 1}},
		{"nor does a private address", []Input{say("fbi", 0, id(ipID, "10.0.0.1"), near), say("atf", h, id(ipID, "10.0.0.1"), near)}, []int{1, 1}},
		{"nor the hash of nothing", []Input{
			say("fbi", 0, id(hashID, "d41d8cd98f00b204e9800998ecf8427e")), say("atf", h, id(hashID, "d41d8cd98f00b204e9800998ecf8427e"))}, []int{1, 1}},
		{"nor somebody called Unknown", []Input{
			say("fbi", 0, human("Unknown", "Unknown", 1900, 1, 1), near), say("atf", h, human("Unknown", "Unknown", 1900, 1, 1), near)}, []int{1, 1}},
	} {
		if got := groups(c.in...); !slices.Equal(got, c.want) {
			t.Errorf("%s: situations of %v reports, want %v", c.rule, got, c.want)
		}
	}
}

func TestZeroWeightsLinkNothing(t *testing.T) {
	in := []Input{say("fbi", 0, id(vinID, "1FTFW1ET5DFC10312")), say("atf", 0, id(vinID, "1FTFW1ET5DFC10312"))}
	e := fed(Config{Status: wf.Status_STATUS_EXERCISE, Weights: ZeroWeights()}, in)
	if n, _ := e.Len(); n != 2 {
		t.Errorf("%d situations with all weights zero, want 2", n)
	}
	w, err := DefaultWeights().With(map[string]int32{"vin": 5000})
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := fed(Config{Status: wf.Status_STATUS_EXERCISE, Weights: w}, in).Len(); n != 2 {
		t.Errorf("%d situations with vin at 5 bits, want 2", n)
	}
	if _, err := w.With(map[string]int32{"vim": 1}); err == nil || !strings.Contains(err.Error(), "vin") {
		t.Errorf("an unknown row gives %v, want an error that lists the rows", err)
	}
}

func TestStatusesNeverMeet(t *testing.T) {
	in := []Input{say("fbi", 0, id(vinID, "1FTFW1ET5DFC10312")), say("atf", 0, id(vinID, "1FTFW1ET5DFC10312"))}
	in[1].Report.Status = wf.Status_STATUS_ACTUAL
	e := fed(Config{Status: wf.Status_STATUS_EXERCISE}, in)
	if n, r := e.Len(); n != 1 || r != 1 || e.Stats().OtherStatus != 1 {
		t.Errorf("%d situations of %d reports, %+v: want the exercise's alone and one counted", n, r, e.Stats())
	}
	if _, r := fed(Config{}, in).Len(); r != 0 {
		t.Errorf("an engine of no status took %d reports", r)
	}
	if out := Fuse(in, Config{}, time.Time{}); len(out) != 2 {
		t.Errorf("fuse made %d situations of two statuses, want 2", len(out))
	}
}

// TestAHubLosesItsWeight: one phone at one place in more reports than the limit.
func TestAHubLosesItsWeight(t *testing.T) {
	var in []Input
	for i := range DefaultHubLimit + 1 {
		in = append(in, say("fbi", time.Duration(i)*time.Hour, id(phoneID, "+16015550123"), at(32.3, -90.18), record(fmt.Sprint("H-", i))))
	}
	if got := groups(in[:DefaultHubLimit]...); got[0] != DefaultHubLimit {
		t.Errorf("at the limit: %v, want one situation", got)
	}
	if got := groups(in...); got[0] != 1 {
		t.Errorf("over the limit: %v, want every report alone", got)
	}
	// What the picture says of it, where other evidence holds two together.
	in = append(in, say("fbi", 50*time.Hour, id(phoneID, "+16015550123"), id(vinID, "1FTFW1ET5DFC10312")), say("atf", 51*time.Hour, id(phoneID, "+16015550123"), id(vinID, "1FTFW1ET5DFC10312")))
	for _, s := range fed(Config{Status: wf.Status_STATUS_EXERCISE}, in).Situations() {
		if len(s.Members) == 2 && (len(s.Ignored) != 1 || s.Ignored[0].Reason != "hub") {
			t.Errorf("ignored %v, want the hub", s.Ignored)
		}
	}
}

func TestChainOfAlertsInAnyOrder(t *testing.T) {
	const a, b, c = "w@noaa.gov,A", "w@noaa.gov,B", "w@noaa.gov,C"
	alert := say("nws", 0, record(a), hazard("Tornado Warning", wf.MessageType_MESSAGE_TYPE_ALERT), inCounty("28049"))
	update := say("nws", time.Hour, record(b), refer(supersedes, a, ""), hazard("Tornado Warning", wf.MessageType_MESSAGE_TYPE_UPDATE), inCounty("28049"))
	cancel := say("nws", 2*time.Hour, record(c), refer(cancels, b+",2026-05-01T14:00:00-00:00", ""), hazard("Tornado Warning", wf.MessageType_MESSAGE_TYPE_CANCEL), inCounty("28049"))
	var first []byte
	for _, order := range [][]Input{{alert, update, cancel}, {cancel, update, alert}, {update, cancel, alert}} {
		s := fed(Config{Status: wf.Status_STATUS_EXERCISE}, order).Situations()
		if len(s) != 1 || len(s[0].Members) != 3 {
			t.Fatalf("%d situations, want one chain", len(s))
		}
		m := s[0].Members
		if !m[0].Superseded || !m[1].Superseded || m[2].Superseded || !s[0].Ended {
			t.Errorf("superseded %v %v %v, ended %v: want the first two and the end", m[0].Superseded, m[1].Superseded, m[2].Superseded, s[0].Ended)
		}
		if h := Hash(s[0]); first == nil {
			first = h[:]
		} else if string(first) != string(h[:]) {
			t.Errorf("another order, another situation")
		}
		if !strings.Contains(s[0].Headline, "Tornado Warning") || !strings.Contains(s[0].Headline, "Hinds County MS") {
			t.Errorf("headline %q", s[0].Headline)
		}
	}
	if open := fed(Config{Status: wf.Status_STATUS_EXERCISE}, []Input{alert, update}).Situations(); open[0].Ended {
		t.Error("ended without a cancellation")
	}
}

func TestAnAlertEndsWhenItExpires(t *testing.T) {
	e := fed(Config{Status: wf.Status_STATUS_EXERCISE}, []Input{say("nws", 0, hazard("Flood Watch", 1), expires(time.Hour))})
	e.Tick(t0.Add(59 * time.Minute))
	if d := e.Commit(); len(d.Changes) != 0 {
		t.Errorf("changed before it expired: %v", d)
	}
	e.Tick(t0.Add(time.Hour + 9*time.Second))
	d := e.Commit()
	if len(d.Changes) != 1 || !d.Changes[0].GetUpsert().GetEnded() || d.Lineage[0].Type != wf.LineageType_LINEAGE_TYPE_ENDED {
		t.Errorf("after it expired: %v", d)
	}
	if got, want := e.Now(), t0.Add(time.Hour); !got.Equal(want) {
		t.Errorf("tick %v, want it floored to %v", got, want)
	}
}

func TestCopiesAreOneVoice(t *testing.T) {
	vin := id(vinID, "1FTFW1ET5DFC10312")
	credible := func(r *wf.Report) { r.SourceReliability, r.InformationCredibility = 2, 2 }
	from := func(o string) func(*wf.Report) { return func(r *wf.Report) { r.Lineage = &wf.Lineage{Originator: o} } }
	text := "a white van stood at the north gate of the station for an hour and two men took pictures of the transformers"
	look := func(in ...Input) *wf.Situation {
		return fed(Config{Status: wf.Status_STATUS_EXERCISE}, in).Situations()[0]
	}
	alone := look(say("fbi", 0, vin, credible))
	copied := look(say("fbi", 0, vin, credible), say("atf", 1, vin, credible, from("fbi"), record("c1")), say("dea", 2, vin, credible, from("fbi"), record("c2")))
	pasted := look(say("fbi", 0, vin, credible, narrative(text)), say("atf", 1, vin, credible, narrative(text)))
	second := look(say("fbi", 0, vin, credible, narrative(text)), say("atf", 1, vin, credible))
	unknown := look(say("fbi", 0, vin, credible), say("fbi", 1, vin, func(r *wf.Report) { r.SourceReliability, r.InformationCredibility = 6, 6 }))
	if copied.ConfidencePermille != alone.ConfidencePermille || copied.Originators != 1 {
		t.Errorf("copies by lineage: %d from %d, want %d from 1", copied.ConfidencePermille, copied.Originators, alone.ConfidencePermille)
	}
	if pasted.ConfidencePermille != alone.ConfidencePermille || pasted.Originators != 1 {
		t.Errorf("a pasted text: %d from %d, want %d from 1", pasted.ConfidencePermille, pasted.Originators, alone.ConfidencePermille)
	}
	if second.ConfidencePermille <= alone.ConfidencePermille || second.Originators != 2 {
		t.Errorf("a second source: %d from %d, want more than %d from 2", second.ConfidencePermille, second.Originators, alone.ConfidencePermille)
	}
	if unknown.ConfidencePermille != alone.ConfidencePermille {
		t.Errorf("F6 beside B2: %d, want %d: unknown is not worst", unknown.ConfidencePermille, alone.ConfidencePermille)
	}
}

// TestNothingOfWhatWasWritten: no title, narrative, description or person's
// name leaves the engine, and only the end of a person's number does.
func TestNothingOfWhatWasWritten(t *testing.T) {
	secret := func(r *wf.Report) {
		r.Title, r.Narrative = "Zwetschge title", "Zwetschge was here and there and everywhere on that long and quiet day"
		r.Entities[0].Description = "Zwetschge"
		r.Places = append(r.Places, &wf.Place{Name: "Zwetschge", CountyFips: "28049"})
	}
	who := human("Zwetschge", "Zwetschge", 1971, 7, 7)
	num := issued(wf.IdentifierType_IDENTIFIER_TYPE_PASSPORT, "X987654321", "USA")
	e := fed(Config{Status: wf.Status_STATUS_EXERCISE}, []Input{say("fbi", 0, who, num, secret), say("atf", 0, who, num, secret)})
	for _, s := range e.Situations() {
		x, _ := e.Explain(s.Id)
		wire, err := proto.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		all := strings.ToLower(string(wire) + strings.Join(x.Lines, "\n"))
		for _, word := range []string{"zwetschge", "x987654321", "1971"} {
			if strings.Contains(all, word) {
				t.Errorf("%q left the engine:\n%s", word, all)
			}
		}
		if !strings.Contains(all, "...4321") {
			t.Errorf("the end of the number is missing:\n%s", all)
		}
	}
}

func TestExplanationCanBeReadAloud(t *testing.T) {
	near := at(32.3, -90.18)
	in := []Input{
		say("fbi", 0, id(vinID, "1FTFW1ET5DFC10312"), id(ssnID, "078051120"), record("R-1")),
		say("atf", time.Hour, id(vinID, "1FTFW1ET5DFC10312"), id(ssnID, "078051120"), id(phoneID, "+16015550123"), near),
		say("dea", 2*time.Hour, id(phoneID, "+16015550123"), near),
		say("cbp", 3*time.Hour, id(phoneID, "+16015550123")),
	}
	e := fed(Config{Status: wf.Status_STATUS_EXERCISE}, in)
	for _, s := range e.Situations() {
		if len(s.Members) != 3 {
			continue
		}
		x, ok := e.Explain(s.Id)
		if !ok {
			t.Fatal("no explanation")
		}
		text := strings.Join(x.Lines, "\n")
		for _, want := range []string{
			"Report 1: R-1 of fbi, admitted in le, 1 May 2026 12:00Z.",
			"Report 1 of fbi and report 2 of atf, 60 minutes apart, belong together by 30 bits: the same vehicle identification number 1FTFW1ET5DFC10312, 30 bits.",
			"the same phone number +16015550123, 21 bits; places within 150 metres, 11 bits",
			"Without the link of report 1 and report 2, 30 bits, it would fall apart into 1 report and 2: nothing else holds the two together.",
			"The number of a person, ending in 1120, in 2 reports of it, counted for nothing: it is on the list of values that say nothing.",
			"Related, not part of it:", ": 21 bits, 5 bits short of a link: ",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("the explanation lacks %q:\n%s", want, text)
			}
		}
		return
	}
	t.Fatal("no situation of three reports")
}

func TestLineageTellsWhatBecameOfThem(t *testing.T) {
	vin, hash := id(vinID, "1FTFW1ET5DFC10312"), id(hashID, strings.Repeat("ab", 32))
	e := New(Config{Status: wf.Status_STATUS_EXERCISE})
	steps := []struct {
		in   Input
		want []wf.LineageType
	}{
		{say("fbi", 0, vin), []wf.LineageType{1}},
		{say("atf", 1*time.Hour, vin, record("2")), []wf.LineageType{2}},
		{say("dea", 2*time.Hour, hash), []wf.LineageType{1}},
		{say("cbp", 3*time.Hour, vin, hash), []wf.LineageType{2, 4}},
		{withdrawal(say("cbp", 3*time.Hour, vin, hash), 2), []wf.LineageType{3, 5}},
		{withdrawal(say("dea", 2*time.Hour, hash), 2), []wf.LineageType{7}},
	}
	for i, s := range steps {
		e.Apply(s.in)
		var got []wf.LineageType
		for _, l := range e.Commit().Lineage {
			got = append(got, l.Type)
		}
		slices.Sort(got)
		if !slices.Equal(got, s.want) {
			t.Errorf("step %d: lineage %v, want %v", i, got, s.want)
		}
	}
}

// TestAHubIsToldOfThoughNoScoreChanges: other evidence already gives the cap,
// so that no link changes when the phone becomes a hub, or ceases to be one.
func TestAHubIsToldOfThoughNoScoreChanges(t *testing.T) {
	sure := []func(*wf.Report){id(vinID, "1FTFW1ET5DFC10312"), id(hashID, strings.Repeat("ab", 32)), id(phoneID, "+16015550123")}
	e := fed(Config{Status: wf.Status_STATUS_EXERCISE}, []Input{say("fbi", 0, sure...), say("atf", time.Hour, sure...)})
	sit := e.Situations()[0].Id
	crowd := make([]Input, DefaultHubLimit)
	for i := range crowd {
		crowd[i] = say("dea", time.Duration(2+i)*time.Hour, id(phoneID, "+16015550123"))
		e.Apply(crowd[i])
	}
	e.Commit()
	s, _ := e.Situation(sit)
	if len(s.Ignored) != 1 || e.Digest() != DigestOf(e.Situations()) {
		t.Errorf("ignored %v and digest right %v after the phone became a hub", s.Ignored, e.Digest() == DigestOf(e.Situations()))
	}
	for _, x := range crowd {
		e.Remove(x.Cell, x.Report.Agency, x.Report.Id)
	}
	e.Commit()
	s, _ = e.Situation(sit)
	if len(s.Ignored) != 0 || e.Digest() != DigestOf(e.Situations()) {
		t.Errorf("ignored %v and digest right %v after it ceased to be one", s.Ignored, e.Digest() == DigestOf(e.Situations()))
	}
}

// TestTimeAloneChangesATrend: what came thick and fast fades into silence, and
// the picture says so without a new report.
func TestTimeAloneChangesATrend(t *testing.T) {
	var in []Input
	for i := range 150 {
		in = append(in, say("fbi", time.Duration(i)*10*time.Minute, id(vinID, "1FTFW1ET5DFC10312")))
	}
	for i := range 20 {
		in = append(in, say("atf", 25*time.Hour-time.Duration(i)*time.Minute, id(vinID, "1FTFW1ET5DFC10312")))
	}
	e := fed(Config{Status: wf.Status_STATUS_EXERCISE}, in)
	trend := e.Situations()[0].Trend
	if trend != wf.Trend_TREND_RISING {
		t.Errorf("six an hour for a day and twenty in a minute each: %v", trend)
	}
	var seen []wf.Trend
	for at := t0.Add(25 * time.Hour); at.Before(t0.Add(100 * time.Hour)); at = at.Add(time.Minute) {
		e.Tick(at)
		d := e.Commit()
		if len(d.Changes) > 0 {
			seen = append(seen, d.Changes[0].GetUpsert().GetTrend())
		}
		if e.Digest() != DigestOf(e.Situations()) {
			t.Fatalf("at %v the trend is %v, which no change told", at, e.Situations()[0].Trend)
		}
	}
	want := []wf.Trend{wf.Trend_TREND_STEADY, wf.Trend_TREND_FALLING, wf.Trend_TREND_STEADY}
	if !slices.Equal(seen, want) {
		t.Errorf("trends %v, want %v", seen, want)
	}
}

func TestPlurals(t *testing.T) {
	for one, want := range map[string]string{"report": "2 reports", "agency": "2 agencies", "day": "2 days", "witness": "2 witnesses"} {
		if got := plural(2, one); got != want {
			t.Errorf("plural(2, %q) = %q, want %q", one, got, want)
		}
	}
}
