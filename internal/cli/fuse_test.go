package cli

import (
	"strings"
	"testing"
)

const listMapping = `name: NAME
kind: incident
record: {columns: [no], prefix: PREFIX}
ignore: [who]
fields:
  - {to: incident.type, value: person record}
  - {to: "entities[0].role", value: ENTITY_ROLE_MENTIONED}
  - {to: "entities[0].person.names[0].given", column: given}
  - {to: "entities[0].person.names[0].family", column: family}
  - {to: "entities[0].person.birth", column: born, date: YYYY-MM-DD}
`

const people = `no,given,family,born,who
1,Karim,Haddad,1988-04-09,a
2,Kareem,Haddad,1988-04-09,a
3,Ann,Eastdon,1961-11-23,b
`

func listOf(name, prefix string) string {
	return strings.NewReplacer("NAME", name, "PREFIX", prefix).Replace(listMapping)
}

func TestFuseScoresAgainstTheLabelledFileItself(t *testing.T) {
	m, csv := write(t, "people.yaml", listOf("people", `""`)), write(t, "people.csv", people)
	r := run(t, "", "fuse", "--map", m, "-o", "clusters", "--truth", csv+":no,who", csv)
	if r.code != exitOK || strings.Count(r.out, "\n") != 4 || !strings.HasPrefix(r.out, "record,situation,agency,id\n") {
		t.Fatalf("exit %d, want a header and three rows:\n%s%s", r.code, r.out, r.err)
	}
	for _, want := range []string{"3 reports in 2 situations", "from 12.0 bits", "names 3 of 3 reports", "precision 1.0000, recall 1.0000, F1 1.0000 (1 found, 1 of them right, 1 true)"} {
		if !strings.Contains(r.err, want) {
			t.Errorf("no %q in\n%s", want, r.err)
		}
	}
	if r = run(t, "", "fuse", "--map", m, "--weights", "zero", "--truth", csv+":no,who", csv); !strings.Contains(r.err, "recall 0.0000") {
		t.Errorf("weights of zero score\n%s", r.err)
	}
}

func TestFuseTakesTheThresholdItIsTold(t *testing.T) {
	m, csv := write(t, "people.yaml", listOf("people", `""`)), write(t, "people.csv", people)
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--capacity", "10000000"}, "3 reports in 2 situations, 0 refused; linked from 26.7 bits"},
		{[]string{"--threshold", "60"}, "3 reports in 3 situations, 0 refused; linked from 60.0 bits"},
		{[]string{"--threshold", "60", "--capacity", "9"}, "use one of them"},
	} {
		r := run(t, "", append([]string{"fuse", "--map", m, csv}, c.flags...)...)
		if !strings.Contains(r.err, c.want) {
			t.Errorf("%v: no %q in\n%s", c.flags, c.want, r.err)
		}
	}
}

// Two lists that number their rows alike would silently replace one another.
func TestFuseRefusesTwoRecordsOfOneName(t *testing.T) {
	a, b := write(t, "a.csv", people), write(t, "b.csv", strings.ReplaceAll(people, "Karim", "Carim"))
	one, two := write(t, "one.yaml", listOf("one", "one-")), write(t, "two.yaml", listOf("two", "two-"))
	r := run(t, "", "fuse", "--map", one, a, b)
	if r.code != exitFailed || !strings.Contains(r.err, "1 refused") || !strings.Contains(r.err, "record.prefix") {
		t.Errorf("one prefix for both lists: exit %d\n%s", r.code, r.err)
	}
	if r = run(t, "", "fuse", "--map", "a.csv="+one, "--map", "b.csv="+two, a, b); r.code != exitOK || !strings.Contains(r.err, "6 reports in 2 situations") {
		t.Errorf("a mapping for each list: exit %d\n%s", r.code, r.err)
	}
	if r = run(t, "", "fuse", "--map", one, "--map", two, a); r.code != exitUsage || !strings.Contains(r.err, "of 2 of the 2 mappings") {
		t.Errorf("two mappings that both fit: exit %d\n%s", r.code, r.err)
	}
}

// What is read is in the output, whatever it leaves open.
func TestFuseLosesNoReport(t *testing.T) {
	in := `{"id":"x1","narrative":"seen at the dam"}` + "\n" + `{"narrative":"seen at the gate"}` + "\n" + `{"narrative":"seen at the gate"}` + "\n"
	r := run(t, in, "fuse")
	if r.code != exitOK || strings.Count(r.out, "\n") != 3 {
		t.Errorf("exit %d, want three situations:\n%s%s", r.code, r.out, r.err)
	}
}

// A table that nobody has seen before goes from draft to situations in two commands.
func TestADraftedMappingIsEnoughToFuse(t *testing.T) {
	csv := write(t, "people.csv", people)
	if r := run(t, "", "fuse", csv); r.code != exitUsage || !strings.Contains(r.err, "mapping --draft") {
		t.Fatalf("without a mapping: exit %d\n%s", r.code, r.err)
	}
	m := write(t, "people.yaml", must(t, "", "mapping", "--draft", csv))
	if r := run(t, "", "fuse", "--map", m, "--truth", csv+":no,who", csv); r.code != exitOK || !strings.Contains(r.err, "F1 1.0000") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	if out := must(t, "", "mapping"); !strings.Contains(out, "febrl") {
		t.Errorf("the list is\n%s", out)
	}
	if out := must(t, "", "mapping", "febrl"); !strings.Contains(out, "name: febrl") {
		t.Errorf("febrl is\n%s", out)
	}
}
