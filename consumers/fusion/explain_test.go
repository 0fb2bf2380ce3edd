package fusion

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

var rewrite = flag.Bool("rewrite", false, "rewrite the golden files in testdata")

func rated(r wf.SourceReliability, c wf.InformationCredibility) func(*wf.Report) {
	return func(x *wf.Report) { x.SourceReliability, x.InformationCredibility = r, c }
}

func grave(s wf.Severity) func(*wf.Report) { return func(r *wf.Report) { r.Severity = s } }

func car(maker, model, color string) func(*wf.Report) {
	return func(r *wf.Report) {
		r.Entities = append(r.Entities, &wf.Entity{Detail: &wf.Entity_Vehicle{Vehicle: &wf.Vehicle{Make: maker, Model: model, Color: color}}})
	}
}

// substation is a small plot with everything an explanation can say: strong
// and weak links, what speaks against, a hub, a bogus number, near misses, and
// a report that hangs on it.
func substation() []Input {
	gate := func(r *wf.Report) { at(32.3001, -90.1801)(r); inCounty("28049")(r) }
	in := []Input{
		say("jackson-pd", 0, record("26-004711"), gate, behavior(11), human("Karim", "Haddad", 1988, 4, 9), issued(plateID, "HNC4821", "US-MS"), id(ssnID, "078051120"), rated(2, 2), grave(3)),
		say("hinds-so", 90*time.Minute, record("HSO-118"), gate, behavior(11), issued(plateID, "HNC4821", "US-MS"), car("Ford", "F-150", "gray"), id(ssnID, "078051120"), rated(1, 1), grave(4)),
		say("entergy", 26*time.Hour, record("SEC-9"), at(32.3003, -90.1803), behavior(11), human("Kareem", "Hadad", 1988, 4, 9), id(phoneID, "+16015550123"), rated(3, 3)),
		say("mema", 30*time.Hour, record("W-3"), refer(relatedTo, "SEC-9", "entergy"), id(phoneID, "+16015550123"), rated(6, 6)),
		say("rankin-so", 31*time.Hour, record("R-77"), human("Karim", "Haddad", 1961, 1, 2), id(phoneID, "+16015550123"), at(32.29, -90.05)),
		say("ridgeland-pd", 5*time.Hour, record("RPD-5"), id(phoneID, "+16015550177"), issued(plateID, "HNC4321", "US-MS"), gate),
	}
	for i := range DefaultHubLimit {
		in = append(in, say("tips", time.Duration(40+i)*time.Hour, record(fmt.Sprint("T-", i)), id(phoneID, "+16015550199")))
	}
	for i := range 4 {
		in[i].Report.Entities = append(in[i].Report.Entities, &wf.Entity{Identifiers: []*wf.Identifier{{Type: phoneID, Value: "+16015550199"}}})
	}
	return in
}

// TestExplanationsAreReadAloud compares whole explanations with what was read
// and found good: go test -run Aloud -rewrite writes them anew.
func TestExplanationsAreReadAloud(t *testing.T) {
	for name, made := range map[string]struct {
		c  Config
		in []Input
	}{
		"substation": {Config{Status: wf.Status_STATUS_EXERCISE}, substation()},
		"mass":       {Config{Status: wf.Status_STATUS_EXERCISE, massSize: 12}, storm()},
	} {
		e := fed(made.c, made.in)
		var b bytes.Buffer
		for _, s := range e.Situations() {
			if s.Size == 1 {
				continue
			}
			x, ok := e.Explain(s.Id)
			if !ok {
				t.Fatalf("%s: no explanation of %s", name, s.Id)
			}
			fmt.Fprintf(&b, "%s\n\n", strings.Join(x.Lines, "\n"))
			for _, p := range s.Parts[:min(1, len(s.Parts))] {
				x, ok := e.Explain(p.Id)
				if !ok {
					t.Fatalf("%s: no explanation of part %s", name, p.Id)
				}
				fmt.Fprintf(&b, "The first part by itself:\n%s\n\n", strings.Join(x.Lines, "\n"))
			}
		}
		golden(t, "testdata/explain-"+name+".txt", b.Bytes())
	}
}

// storm is one river of reports that name one record, in knots.
func storm() []Input {
	var in []Input
	for i := range 30 {
		parts := []func(*wf.Report){refer(relatedTo, "STORM-1", "nws"), record(fmt.Sprint("S-", i)), inCounty("28049"), grave(wf.Severity(1 + i%5))}
		if i%3 > 0 {
			parts = append(parts, id(vinID, fmt.Sprintf("1FTFW1ET5DFC1%04d", i%7)))
		}
		in = append(in, say([]string{"hinds-so", "jackson-pd", "mema"}[i%3], time.Duration(i)*time.Hour, parts...))
	}
	return in
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s\nIf it reads well: go test -run Aloud -rewrite", path, got, want)
	}
}

// TestEveryWeightCanBeSaid: no row of the table is read aloud by its name.
func TestEveryWeightCanBeSaid(t *testing.T) {
	for _, name := range WeightNames() {
		if phrases[name] == "" {
			t.Errorf("weight %s has no phrase: say it in phrases.go", name)
		}
	}
	if len(phrases) != len(WeightNames()) {
		t.Errorf("%d phrases for %d weights: one is of a weight that is no more", len(phrases), len(WeightNames()))
	}
}

// TestWhatHangsOnASituation: near misses add up to a pointer under the
// situation they tie most to, and only there.
func TestWhatHangsOnASituation(t *testing.T) {
	first := []Input{
		say("fbi", 0, id(vinID, "1FTFW1ET5DFC10312"), id(phoneID, "+16015550123")),
		say("atf", time.Hour, id(vinID, "1FTFW1ET5DFC10312"), id(phoneID, "+16015550123")),
	}
	second := []Input{
		say("fbi", 2*time.Hour, id(hashID, strings.Repeat("ab", 32)), id(wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN, "zwetschge.info")),
		say("atf", 3*time.Hour, id(hashID, strings.Repeat("ab", 32))),
	}
	loner := say("dea", 4*time.Hour, id(phoneID, "+16015550123"), id(wf.IdentifierType_IDENTIFIER_TYPE_DOMAIN, "zwetschge.info"))
	e := fed(Config{Status: wf.Status_STATUS_EXERCISE}, append(append(first, second...), loner))
	under := map[string]int{}
	for _, s := range e.Situations() {
		x, _ := e.Explain(s.Id)
		for _, a := range x.Attached {
			under[s.Members[0].Agency+fmt.Sprint(len(s.Mentions))]++
			if a.Pairs != 2 || a.Millibits != 42_000 || a.Size != 1 {
				t.Errorf("attached by %d pairs of %d millibits: %+v, want two phones", a.Pairs, a.Millibits, a)
			}
		}
	}
	if len(under) != 1 || under["fbi2"] != 1 {
		t.Errorf("listed under %v, want under the first alone", under)
	}
}
