package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/subject"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func TestDefault(t *testing.T) {
	p := Default()
	want := map[string]string{
		"open": "UNCLASSIFIED", "le": "CUI LE", "intel-s": "SECRET INTEL", "intel": "TOP SECRET INTEL",
		"fused-s": "SECRET LE+INTEL", "fused": "TOP SECRET LE+INTEL",
	}
	got := map[string]string{}
	for _, c := range p.Cells {
		got[c.Name] = c.Label.String()
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	perCell := map[string]int{}
	for _, c := range p.CellNames() {
		perCell[c] = len(p.AgenciesOf(c))
	}
	if d := cmp.Diff(map[string]int{"open": 13, "le": 24, "intel-s": 3, "intel": 5, "fused-s": 1, "fused": 1}, perCell); d != "" {
		t.Error(d)
	}
	for _, a := range p.Agencies {
		if a.Title == "" || a.ExpectEvery <= 0 {
			t.Errorf("agency %s: %+v", a.Name, a)
		}
		for _, g := range a.Grants {
			if !slices.Equal(g.Statuses, subject.Statuses) || g.Default.IsZero() {
				t.Errorf("agency %s in %s: %+v", a.Name, g.Cell, g)
			}
		}
	}
	if n := len(p.Retentions()); n != len(wf.RecordClass_name)-1 {
		t.Errorf("got %d record classes, want all %d", n, len(wf.RecordClass_name)-1)
	}
	if _, ok := p.Windows()[wf.Kind_KIND_ASSET]; ok {
		t.Error("assets expire; they never do")
	}
}

func TestLattice(t *testing.T) {
	p := Default()
	for cell, want := range map[string][2][]string{
		"open":    {nil, {"fused", "fused-s", "intel", "intel-s", "le"}},
		"le":      {{"open"}, {"fused", "fused-s"}},
		"intel-s": {{"open"}, {"fused", "fused-s", "intel"}},
		"intel":   {{"intel-s", "open"}, {"fused"}},
		"fused-s": {{"intel-s", "le", "open"}, {"fused"}},
		"fused":   {{"fused-s", "intel", "intel-s", "le", "open"}, nil},
		"nowhere": {nil, nil},
	} {
		if d := cmp.Diff(want[0], p.Dominated(cell)); d != "" {
			t.Errorf("%s dominates:\n%s", cell, d)
		}
		if d := cmp.Diff(want[1], p.Above(cell)); d != "" {
			t.Errorf("above %s:\n%s", cell, d)
		}
	}
	if got, want := p.Readable("watch-le"), []string{"le", "open"}; !slices.Equal(got, want) {
		t.Errorf("watch-le reads %v, want %v", got, want)
	}
	if p.Cleared("watch-le", "open") || !p.Cleared("watch-le", "le") || p.Cleared("nobody", "le") {
		t.Error("cleared for a cell is not the same as reading it")
	}
}

// What is not named is denied.
func TestMaySubmit(t *testing.T) {
	p := Default()
	for _, c := range []struct {
		agency, cell string
		status       wf.Status
		kind         wf.Kind
		want         bool
	}{
		{"fbi", "le", wf.Status_STATUS_ACTUAL, wf.Kind_KIND_SAR, true},
		{"fbi", "intel", wf.Status_STATUS_ACTUAL, wf.Kind_KIND_SAR, false},
		{"fbi", "le", wf.Status_STATUS_ACTUAL, wf.Kind_KIND_HAZARD, false},
		{"fbi", "le", wf.Status_STATUS_UNSPECIFIED, wf.Kind_KIND_SAR, false},
		{"fbi", "le", wf.Status_STATUS_ACTUAL, wf.Kind_KIND_UNSPECIFIED, false},
		{"FBI", "le", wf.Status_STATUS_ACTUAL, wf.Kind_KIND_SAR, false},
		{"", "", wf.Status_STATUS_ACTUAL, wf.Kind_KIND_SAR, false},
		{"ntas", "open", wf.Status_STATUS_TEST, wf.Kind_KIND_BULLETIN, true},
	} {
		if got := p.MaySubmit(c.agency, c.cell, c.status, c.kind); got != c.want {
			t.Errorf("%s to %s, %s %s: got %v, want %v", c.agency, c.cell, c.status, c.kind, got, c.want)
		}
	}
}

// A marking takes its sides from the cell; one above the cell stays above it.
func TestMarkings(t *testing.T) {
	p := Default()
	for _, c := range []struct {
		cell string
		tlp  wf.Tlp
		fits bool
	}{
		{"open", wf.Tlp_TLP_CLEAR, true}, {"open", wf.Tlp_TLP_GREEN, false}, {"open", wf.Tlp_TLP_RED, false},
		{"le", wf.Tlp_TLP_CLEAR, true}, {"le", wf.Tlp_TLP_AMBER, true}, {"intel", wf.Tlp_TLP_RED, true},
	} {
		cell, _ := p.Cell(c.cell)
		m := p.Markings(c.cell).TLP[c.tlp]
		l, err := label.FromProto(m)
		if err != nil {
			t.Fatal(err)
		}
		if l.Sides() != cell.Label.Sides() {
			t.Errorf("%s %s: sides of %s, want those of %s", c.cell, c.tlp, l, cell.Label)
		}
		if got := cell.Label.Dominates(l); got != c.fits {
			t.Errorf("%s %s (%s) fits: got %v, want %v", c.cell, c.tlp, l, got, c.fits)
		}
		if m.GetTlp() != c.tlp {
			t.Errorf("%s %s: the label says %s", c.cell, c.tlp, m.GetTlp())
		}
	}
	if got := p.Markings("nowhere"); got.TLP != nil || got.Scope != nil || got.Words != nil {
		t.Errorf("an unknown cell has markings: %v", got)
	}
	p.Markings("le").Words["FOUO"].Level = wf.Level_LEVEL_TOP_SECRET
	if p.Markings("le").Words["FOUO"].GetLevel() != wf.Level_LEVEL_CUI {
		t.Error("a caller changed the policy")
	}
}

// Every wrong policy is refused with the line and path of what is wrong.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		path, says     string
	}{
		{"unknown key", "    type: federal\n", "    type: federal\n    clearence: ts\n", "$.agencies[0].clearence", `unknown key "clearence"`},
		{"unknown top key", "version: 1\n", "version: 1\nbackdoor: true\n", "$.backdoor", "unknown key"},
		{"duplicate key", "    title: Public information\n", "    title: Public information\n    title: Twice\n", "", `mapping key "title" already defined`},
		{"wrong type", "cells: [le]", "cells: le", "$.readers[1].cells", ""},
		{"newer version", "version: 1\n", "version: 2\n", "$.version", "this build reads version 1"},
		{"no version", "version: 1\n", "", "$.version", "this build reads version 1"},
		{"cell wildcard", "- name: open\n", "- name: '*'\n", "$.cells[0].name", "is no name"},
		{"agency wildcard", "- name: nws\n", "- name: '>'\n", "$.agencies[0].name", "is no name"},
		{"agency dotted", "- name: nws\n", "- name: nws.fbi\n", "$.agencies[0].name", "is no name"},
		{"agency upper case", "- name: nws\n", "- name: NWS\n", "$.agencies[0].name", "is no name"},
		{"agency template", "- name: nws\n", "- name: '{{name()}}'\n", "$.agencies[0].name", "is no name"},
		{"reserved", "- name: nws\n", "- name: guard\n", "$.agencies[0].name", "reserved"},
		{"a worker's inbox", "- name: nws\n", "- name: worker-open\n", "$.agencies[0].name", "reserved"},
		{"duplicate cell", "- name: le\n", "- name: open\n", "$.cells[1].name", "named twice"},
		{"duplicate agency", "- name: nhc\n", "- name: nws\n", "$.agencies[1].name", "named twice"},
		{"reader is agency", "- name: watch-le\n", "- name: fbi\n", "$.readers[1].name", "name of an agency"},
		{"unknown level", "{level: CUI, sides: [LE]}", "{level: SENSITIVE, sides: [LE]}", "$.cells[1].label.level", "unknown level"},
		{"no level", "{level: CUI, sides: [LE]}", "{sides: [LE]}", "$.cells[1].label.level", "unknown level"},
		{"unknown side", "{level: CUI, sides: [LE]}", "{level: CUI, sides: [MIL]}", "$.cells[1].label.sides[0]", "unknown side"},
		{"side twice", "{level: CUI, sides: [LE]}", "{level: CUI, sides: [LE, LE]}", "$.cells[1].label.sides[1]", "named twice"},
		{"same label", "{level: CUI, sides: [LE]}", "{level: UNCLASSIFIED}", "$.cells", "same label"},
		{"agency in no cell", "- {cell: open, kinds: [hazard, incident]", "- {cell: opne, kinds: [hazard, incident]", "$.agencies[0].submit[0].cell", "no cell \"opne\""},
		{"unknown kind", "kinds: [hazard, incident]", "kinds: [hazard, weather]", "$.agencies[0].submit[0].kinds[1]", "unknown kind"},
		{"no kinds", "kinds: [hazard, incident]", "kinds: []", "$.agencies[0].submit[0].kinds", "denied"},
		{"unknown status", "statuses: [actual, exercise, test]", "statuses: [actual, drill]", "$.agencies[0].submit[0].statuses[1]", "unknown status"},
		{"label above cell", "statuses: [actual, exercise, test]}", "statuses: [actual], label: {level: SECRET}}", "$.agencies[0].submit[0].label", "above the cell"},
		{"label of other sides", "- {cell: le, kinds: [sar, threat, incident, asset], statuses: [actual, exercise, test]}", "- {cell: le, kinds: [sar], statuses: [actual], label: {level: CUI}}", "$.agencies[13].submit[0].label", "different sides"},
		{"unknown type", "type: federal", "type: foreign", "$.agencies[0].type", "no agency type"},
		{"bad rhythm", "expect_every: 15m", "expect_every: often", "$.agencies[0].expect_every", "no length of time"},
		{"zero rhythm", "expect_every: 15m", "expect_every: 0s", "$.agencies[0].expect_every", "no length of time"},
		{"reader in no cell", "cells: [le]", "cells: [la]", "$.readers[1].cells[0]", "no cell \"la\""},
		{"no purpose", "purpose: watch floor", "purpose: ' '", "$.readers[0].purpose", "why the reader may read"},
		{"purpose of two lines", "purpose: watch floor", "purpose: \"watch\\nfloor\"", "$.readers[0].purpose", "in one line"},
		{"purpose that is not on the list", "purpose: watch floor", "purpose: curiosity", "$.readers[0].purpose", "none of the purposes"},
		{"purpose said twice", "purpose: watch floor", "purpose: watch floor\n    purposes: [watch floor]", "$.readers[0].purpose", "use either"},
		{"one purpose twice", "purpose: watch floor", "purposes: [watch floor, watch floor]", "$.readers[0].purposes[1]", "named twice"},
		{"purpose without basis", "    basis: A watch officer on duty, for warning and coordination within the mission of the center.\n", "", "$.purposes[0].basis", "by which right"},
		{"purpose listed twice", "- name: downstream analysis", "- name: watch floor", "$.purposes[1].name", "named twice"},
		{"person's token for a week", "person_token: 12h", "person_token: 7d", "$.http.person_token", "longer than 12h"},
		{"service's token for a year", "service_token: 30d", "service_token: 365d", "$.http.service_token", "longer than 720h"},
		{"endless token", "person_token: 12h", "person_token: never", "$.http.person_token", "no length of time"},
		{"limitless reader", "requests: 50 ", "requests: -1 ", "$.http.requests", "use 1 to"},
		{"streams without end", "streams: 32 ", "streams: 1000000 ", "$.http.streams", "use 1 to"},
		{"feed of no agency", "- {name: all}", "- {name: all, agency: nobody}", "$.readers[0].feeds[0].agency", "no agency"},
		{"feed of no county", "- {name: all}", "- {name: all, county: '280'}", "$.readers[0].feeds[0].county", "no county"},
		{"feed with a wildcard", "- {name: all}", "- {name: '*'}", "$.readers[0].feeds[0].name", "no name"},
		{"unknown class", "  sar: 365d", "  sars: 365d", "$.retention.sars", "unknown record class"},
		{"class missing", "  sar: 365d\n", "", "$.retention", `"sar" is missing`},
		{"over five years", "criminal_intelligence: 1825d", "criminal_intelligence: 1826d", "$.retention.criminal_intelligence", "28 CFR 23.20(h)"},
		{"window missing", "  asset: never\n", "", "$.windows", `"asset" is missing`},
		{"window of no kind", "  asset: never\n", "  assets: never\n", "$.windows.assets", "unknown kind"},
		{"unknown TLP", "    CLEAR: {level", "    WHITE: {level", "$.markings.tlp.WHITE", "no TLP 2.0"},
		{"unknown scope", "    Public: {level", "    public: {level", "$.markings.cap_scope.public", "no CAP scope"},
		{"unknown control", "controls: [NOCON]", "controls: [NOCOM]", "$.markings.tlp.AMBER+STRICT.controls", "unknown control"},
		{"large reports", "max_report: 1MiB", "max_report: 2MiB", "$.limits.max_report", "over 1MiB"},
		{"size without unit", "max_report: 1MiB", "max_report: '1024'", "$.limits.max_report", "no size"},
		{"batch of one", "max_batch: 4000", "max_batch: 1", "$.limits.max_batch", "use 2 to"},
		{"format of no agency", "agency: ipaws, cell: open", "agency: ipaw, cell: open", "$.formats[0].agency", "no agency"},
		{"format into another cell", "agency: stl-pd, cell: le", "agency: stl-pd, cell: open", "$.formats[4].cell", "may not submit"},
		{"revoked no key", "revoked: []", "revoked: [ABC]", "$.revoked[0]", "no public key"},
		{"anchor", "title: Public information", "title: &a Public information", "", "anchor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := string(DefaultYAML())
			if !strings.Contains(text, c.old) {
				t.Fatalf("the default policy does not say %q", c.old)
			}
			p, err := Parse([]byte(strings.Replace(text, c.old, c.new, 1)))
			var refused *Error
			if p != nil || !errors.As(err, &refused) {
				t.Fatalf("got %v, %v; want a refusal", p, err)
			}
			if !slices.ContainsFunc(refused.Problems, func(p Problem) bool {
				return (c.path == "" || p.Path == c.path) && strings.Contains(p.Message, c.says) && p.Line > 0 || p.Path == "$.version" && p.Path == c.path
			}) {
				t.Errorf("got %v\nwant %s: ...%s... with a line", err, c.path, c.says)
			}
		})
	}
}

// A refusal names every problem, not the first.
func TestEveryProblem(t *testing.T) {
	text := strings.NewReplacer("- name: nws\n", "- name: N\n", "history: 30d", "history: 30", "max_batch: 4000", "max_batch: 0").Replace(string(DefaultYAML()))
	_, err := Parse([]byte(text))
	var refused *Error
	if !errors.As(err, &refused) || len(refused.Problems) != 3 {
		t.Errorf("got %v, want three problems", err)
	}
}

func TestHostile(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "null": "null\n", "scalar": "5\n", "list": "- 1\n", "two documents": "version: 1\n---\nversion: 1\n",
		"deep flow":       strings.Repeat("[", 100_000),
		"deep over lines": strings.Repeat("[\n", 100_000),
		"deep block":      strings.Repeat("- ", 100_000) + "x",
		"deep explicit":   strings.Repeat("? ", 50_000) + "x",
		"deep indentation": func() string {
			var b strings.Builder
			for i := range 1000 {
				fmt.Fprintf(&b, "%sa:\n", strings.Repeat(" ", i))
			}
			return b.String()
		}(),
		"billion laughs": "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n",
		"merge":          "a: &a {x: 1}\nb: {<<: *a}\n",
		"tag":            "version: !!binary aGVsbG8=\n",
		"zero byte":      "version: 1\x00\n", "not UTF-8": "version: \xff\xfe\n", "bom": "\xef\xbb\xbfversion: 9\n",
		"many keys": func() string {
			var b strings.Builder
			for i := range maxItems {
				fmt.Fprintf(&b, "k%d: 1\n", i)
			}
			return b.String()
		}(),
		"many cells":   "cells:\n" + strings.Repeat("  - name: x\n", maxItems-1),
		"huge":         "# " + strings.Repeat("x", 2<<20),
		"unterminated": "version: \"1\n", "tabs": "version:\t1\ncells:\n\t- name: x\n",
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if p, err := Parse([]byte(text)); err == nil {
				t.Errorf("taken: %+v", p)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(DefaultYAML())
	f.Add([]byte("version: 1\ncells:\n  - {name: ab, title: t, label: {level: CUI}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if p, err := Parse(data); (p == nil) == (err == nil) {
			t.Errorf("got %v and %v", p, err)
		}
	})
}

// The version says what the policy says, not how it is written.
func TestVersion(t *testing.T) {
	want := Default().Version
	if len(want) != 12 {
		t.Errorf("got version %q", want)
	}
	text := string(DefaultYAML())
	commented, err := Parse([]byte("# mine\n" + text + "\n# end\n"))
	if err != nil || commented.Version != want {
		t.Errorf("a comment changed the version: %v", err)
	}
	swapped := strings.Replace(text, "  - name: le\n    title: Law enforcement side\n    label: {level: CUI, sides: [LE]}\n", "", 1)
	swapped = strings.Replace(swapped, "cells:\n", "cells:\n  - name: le\n    title: Law enforcement side\n    label: {level: CUI, sides: [LE]}\n", 1)
	reordered, err := Parse([]byte(swapped))
	if err != nil || reordered.Version != want {
		t.Errorf("the order of cells changed the version: %v", err)
	}
	other, err := Parse([]byte(strings.Replace(text, "history: 30d", "history: 31d", 1)))
	if err != nil || other.Version == want {
		t.Errorf("another history has the same version: %v", err)
	}
}

func TestSpanAndSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days := rapid.IntRange(1, 36525).Draw(t, "days")
		if d, err := span(fmt.Sprintf("%dd", days)); err != nil || d != time.Duration(days)*day {
			t.Fatalf("%dd: got %v, %v", days, d, err)
		}
		text := rapid.String().Draw(t, "text")
		if d, err := span(text); err == nil && d <= 0 {
			t.Fatalf("%q: got %v", text, d)
		}
		if n, err := size(text); err == nil && n <= 0 {
			t.Fatalf("%q: got %d", text, n)
		}
	})
	for _, bad := range []string{"", "d", "0d", "-1d", "1.5d", "+1d", "1w", "36526d", "9999999999h", "NaN", "1MiBMiB", "99999999999TiB", "-1B"} {
		if d, err := span(bad); err == nil {
			t.Errorf("span %q: got %v", bad, d)
		}
		if n, err := size(bad); err == nil {
			t.Errorf("size %q: got %d", bad, n)
		}
	}
}
