package codec_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"
	"pgregory.net/rapid"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/label"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func anyLabel(t *rapid.T, name string) *wf.Label {
	l := &wf.Label{Level: wf.Level(rapid.IntRange(1, 5).Draw(t, name+" level")), Tlp: wf.Tlp(rapid.IntRange(0, 5).Draw(t, name+" tlp"))}
	l.Sides = rapid.SampledFrom([][]wf.Side{nil, {wf.Side_SIDE_LE}, {wf.Side_SIDE_INTEL}, {wf.Side_SIDE_LE, wf.Side_SIDE_INTEL}}).Draw(t, name+" sides")
	l.Compartments = rapid.SampledFrom([][]string{nil, {"ALPHA"}, {"ALPHA", "BRAVO"}}).Draw(t, name+" compartments")
	if rapid.Bool().Draw(t, name+" orcon") {
		l.Controls = []wf.Control{wf.Control_CONTROL_ORCON}
		l.OrconCells = rapid.SampledFrom([][]string{nil, {"fused"}, {"fused", "intel"}}).Draw(t, name+" cells")
	}
	return l
}

// A join reads no wider than either part, and does not depend on their order.
func TestJoinNeverWidens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyLabel(t, "a"), anyLabel(t, "b")
		ab, err := codec.Join(a, b)
		if err != nil {
			t.Fatal(err)
		}
		ba, err := codec.Join(b, a)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ab, ba, protocmp.Transform()); diff != "" {
			t.Fatalf("the order matters:\n%s", diff)
		}
		joined, err := label.FromProto(ab)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []*wf.Label{a, b} {
			l, err := label.FromProto(part)
			if err != nil {
				t.Fatal(err)
			}
			if !joined.Dominates(l) || ab.Tlp < part.Tlp || len(ab.Controls) < len(part.Controls) {
				t.Fatalf("%v reads wider than its part %v", ab, part)
			}
			if len(part.Controls) > 0 && len(ab.OrconCells) > len(part.OrconCells) {
				t.Fatalf("%v names cells that the originator of %v did not", ab, part)
			}
		}
	})
}

func TestJoinRefusesUnmarked(t *testing.T) {
	open := &wf.Label{Level: wf.Level_LEVEL_UNCLASSIFIED}
	for _, pair := range [][2]*wf.Label{{nil, open}, {open, nil}, {{}, open}, {open, {Level: 99}}} {
		if l, err := codec.Join(pair[0], pair[1]); err == nil {
			t.Errorf("join of %v and %v is %v", pair[0], pair[1], l)
		}
	}
}

// A marking takes the sides of the agency's label, and the mapping stays as it is.
func TestMark(t *testing.T) {
	o := codec.Options{Label: &wf.Label{Level: wf.Level_LEVEL_CUI, Sides: []wf.Side{wf.Side_SIDE_LE}}}
	mapped := &wf.Label{Level: wf.Level_LEVEL_UNCLASSIFIED, Tlp: wf.Tlp_TLP_CLEAR}
	before := proto.CloneOf(mapped)
	got := o.Mark(o.Mark(mapped, "x"), "TLP:CLEAR")
	want := &wf.Label{Level: wf.Level_LEVEL_UNCLASSIFIED, Sides: []wf.Side{wf.Side_SIDE_LE}, Tlp: wf.Tlp_TLP_CLEAR, Original: "TLP:CLEAR"}
	if !proto.Equal(got, want) || !proto.Equal(mapped, before) {
		t.Errorf("got %v from %v, want %v", got, mapped, want)
	}
}

func TestParseJSON(t *testing.T) {
	v, reasons := codec.ParseJSON([]byte("\xef\xbb\xbf{\"a\":[1,\"x\",true,null,{}]}"))
	if list, _ := v.(map[string]any)["a"].([]any); reasons != nil || len(list) != 5 || list[1] != "x" {
		t.Errorf("got %v %v", v, reasons)
	}
	if _, reasons := codec.ParseJSON([]byte(strings.Repeat("[", codec.MaxDepth) + strings.Repeat("]", codec.MaxDepth))); reasons != nil {
		t.Errorf("at the depth limit: %v", reasons)
	}
	for data, code := range map[string]admission.Code{
		strings.Repeat("[", codec.MaxDepth+1): admission.TooDeep, "{\"a\":1,\"a\":2}": admission.Malformed, "": admission.Malformed,
		"{} {}": admission.Malformed, "[1": admission.Malformed, "\"\xff\"": admission.InvalidUTF8, "{\"a\"}": admission.Malformed,
	} {
		v, reasons := codec.ParseJSON([]byte(data))
		if v != nil || !reasons.Has(code) || !strings.HasPrefix(reasons[0].Field, "line ") {
			t.Errorf("%.20q: got %v %v, want %s with its place", data, v, reasons, code)
		}
	}
}
