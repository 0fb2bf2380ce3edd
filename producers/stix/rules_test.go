package stix_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/producers/stix"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// obj is a STIX object under construction.
type obj map[string]any

func uuid(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// sdo is an object with the common properties and those of its type.
func sdo(typ string, n int, more obj) obj {
	o := obj{"type": typ, "spec_version": "2.1", "id": typ + "--" + uuid(n), "created": "2024-05-01T10:00:00.000Z", "modified": "2024-05-01T10:00:00.000Z"}
	for _, name := range []string{"campaign", "identity", "incident", "infrastructure", "intrusion-set", "threat-actor", "tool", "attack-pattern", "vulnerability"} {
		if typ == name {
			o["name"] = fmt.Sprintf("%s %d", typ, n)
		}
	}
	switch typ {
	case "indicator":
		o["pattern"], o["pattern_type"], o["valid_from"] = "[ipv4-addr:value = '198.51.100.7']", "stix", "2024-05-01T10:00:00Z"
	case "malware":
		o["name"], o["is_family"] = "malware", false
	}
	maps.Copy(o, more)
	for k, v := range o {
		if v == nil {
			delete(o, k)
		}
	}
	return o
}

func relationship(n int, source obj, word string, target any) obj {
	id, ok := target.(string)
	if !ok {
		id = target.(obj)["id"].(string)
	}
	return sdo("relationship", n, obj{"relationship_type": word, "source_ref": source["id"], "target_ref": id})
}

func bundle(objects ...obj) []byte {
	b, err := json.Marshal(obj{"type": "bundle", "id": "bundle--" + uuid(0), "objects": objects})
	if err != nil {
		panic(err)
	}
	return b
}

func decode(objects ...obj) []codec.Item { return stix.Decode(bundle(objects...), options()) }

// report finds the report of an object; nil when it has none.
func reportOf(items []codec.Item, o obj) *wf.Report {
	for _, it := range items {
		if it.Report.GetRecord() == o["id"] {
			return it.Report
		}
	}
	return nil
}

const (
	green   = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
	amber   = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
	red     = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
	oldRed  = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
	unknown = "marking-definition--00000000-0000-4000-8000-00000000dead"
)

func TestRules(t *testing.T) {
	tests := []struct {
		rule  string
		o     obj
		code  admission.Code
		field string
	}{
		{"id is required", sdo("indicator", 1, obj{"id": nil}), admission.Missing, "id"},
		{"id is in lower case", sdo("indicator", 1, obj{"id": "indicator--0000000A-0000-4000-8000-000000000001"}), admission.Invalid, "id"},
		{"id is of the type", sdo("indicator", 1, obj{"id": "malware--" + uuid(1)}), admission.Invalid, "id"},
		{"type is a name", sdo("Indicator", 1, nil), admission.Invalid, "type"},
		{"spec_version is required", sdo("indicator", 1, obj{"spec_version": nil}), admission.Missing, "spec_version"},
		{"spec_version is 2.1", sdo("indicator", 1, obj{"spec_version": "2.0"}), admission.Invalid, "spec_version"},
		{"created is required", sdo("indicator", 1, obj{"created": nil}), admission.Missing, "created"},
		{"modified is required", sdo("indicator", 1, obj{"modified": nil}), admission.Missing, "modified"},
		{"times have a zone", sdo("indicator", 1, obj{"modified": "2024-05-01T10:00:00"}), admission.BadTime, "modified"},
		{"times are text", sdo("indicator", 1, obj{"valid_from": 5}), admission.BadTime, "valid_from"},
		{"modified is not before created", sdo("indicator", 1, obj{"modified": "2023-05-01T10:00:00Z"}), admission.BadTime, "modified"},
		{"last_seen is not before first_seen", sdo("campaign", 1, obj{"first_seen": "2024-05-01T10:00:00Z", "last_seen": "2024-04-01T10:00:00Z"}), admission.BadTime, "last_seen"},
		{"an indicator has a pattern", sdo("indicator", 1, obj{"pattern": nil}), admission.Missing, "pattern"},
		{"a pattern is text", sdo("indicator", 1, obj{"pattern": obj{}}), admission.Invalid, "pattern"},
		{"malware says whether it is a family", sdo("malware", 1, obj{"is_family": nil}), admission.Missing, "is_family"},
		{"a report refers to something", sdo("report", 1, obj{"name": "x", "published": "2024-05-01T10:00:00Z", "object_refs": []string{}}), admission.Invalid, "object_refs"},
		{"observed data refer to something", sdo("observed-data", 1, obj{"first_observed": "2024-05-01T10:00:00Z", "last_observed": "2024-05-01T10:00:00Z", "number_observed": 1}), admission.Missing, "object_refs"},
		{"a relationship has a target", sdo("relationship", 1, obj{"relationship_type": "uses", "source_ref": "malware--" + uuid(2)}), admission.Missing, "target_ref"},
		{"a reference is an id", sdo("indicator", 1, obj{"created_by_ref": "CISA"}), admission.Invalid, ""},
		{"a location is somewhere", sdo("location", 1, obj{"name": "x"}), admission.Missing, "region"},
		{"a location has both coordinates", sdo("location", 1, obj{"latitude": 32.3, "country": "US"}), admission.BadGeometry, "latitude"},
		{"a location is on the map", sdo("location", 1, obj{"latitude": -90.2, "longitude": 32.3}), admission.BadGeometry, "latitude"},
		{"confidence ends at 100", sdo("indicator", 1, obj{"confidence": 101}), admission.Invalid, "confidence"},
		{"revoked is a boolean", sdo("indicator", 1, obj{"revoked": "yes"}), admission.Invalid, "revoked"},
		{"a marking is known", sdo("indicator", 1, obj{"object_marking_refs": []string{unknown}}), admission.UnknownMarking, "object_marking_refs"},
		{"a marking is a marking", sdo("indicator", 1, obj{"object_marking_refs": []string{"identity--" + uuid(2)}}), admission.UnknownMarking, "object_marking_refs[0]"},
		{"a granular marking is known", sdo("indicator", 1, obj{"granular_markings": []obj{{"marking_ref": unknown, "selectors": []string{"pattern"}}}}), admission.UnknownMarking, "granular_markings"},
		{"a granular marking has a marking", sdo("indicator", 1, obj{"granular_markings": []obj{{"selectors": []string{"pattern"}}}}), admission.UnknownMarking, "granular_markings[0].marking_ref"},
		{"a selector leads somewhere", sdo("indicator", 1, obj{"granular_markings": []obj{{"marking_ref": red, "selectors": []string{"description"}}}}), admission.Invalid, "granular_markings[0].selectors[0]"},
		{"a selector stays in the list", sdo("indicator", 1, obj{"labels": []string{"a"}, "granular_markings": []obj{{"marking_ref": red, "selectors": []string{"labels.[1]"}}}}), admission.Invalid, "granular_markings[0].selectors[0]"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			items := decode(tt.o)
			if len(items) != 1 || !items[0].Refused() {
				t.Fatalf("it is admitted: %v", items)
			}
			for _, r := range items[0].Reasons {
				if r.Code == string(tt.code) && r.Field == tt.field && r.Message != "" && r.Remedy != "" {
					return
				}
			}
			t.Errorf("got %v, want %s at %s", items[0].Reasons, tt.code, tt.field)
		})
	}
}

func TestMarkings(t *testing.T) {
	definition := func(typ string, def obj) obj {
		o := sdo("marking-definition", 9, obj{"definition_type": typ, "definition": def, "modified": nil})
		return o
	}
	custom := "marking-definition--" + uuid(9)
	tests := []struct {
		name string
		more obj
		def  obj
		tlp  wf.Tlp
		les  bool
	}{
		{"none: the agency's default", nil, nil, wf.Tlp_TLP_UNSPECIFIED, false},
		{"TLP 2.0 by its id", obj{"object_marking_refs": []string{amber}}, nil, wf.Tlp_TLP_AMBER, false},
		{"TLP 1.0 by its id", obj{"object_marking_refs": []string{oldRed}}, nil, wf.Tlp_TLP_RED, false},
		{"several: the strictest", obj{"object_marking_refs": []string{red, green}}, nil, wf.Tlp_TLP_RED, false},
		{"a part raises the whole", obj{"object_marking_refs": []string{green}, "labels": []string{"x", "y"},
			"granular_markings": []obj{{"marking_ref": red, "selectors": []string{"labels.[1]"}}}}, nil, wf.Tlp_TLP_RED, false},
		{"a part cannot lower the whole", obj{"object_marking_refs": []string{red},
			"granular_markings": []obj{{"marking_ref": green, "selectors": []string{"pattern"}}}}, nil, wf.Tlp_TLP_RED, false},
		{"a definition after its use", obj{"object_marking_refs": []string{custom}}, definition("tlp", obj{"tlp": "amber"}), wf.Tlp_TLP_AMBER, false},
		{"a statement restricts nothing", obj{"object_marking_refs": []string{custom}}, definition("statement", obj{"statement": "Copyright"}), wf.Tlp_TLP_UNSPECIFIED, false},
		{"a statement in the words of the policy does", obj{"object_marking_refs": []string{custom}}, definition("statement", obj{"statement": "les"}), wf.Tlp_TLP_UNSPECIFIED, true},
		{"a standard id with a stricter definition", obj{"object_marking_refs": []string{green}},
			sdo("marking-definition", 9, obj{"id": green, "modified": nil, "definition_type": "tlp", "definition": obj{"tlp": "red"}}), wf.Tlp_TLP_RED, false},
	}
	for _, tt := range tests {
		objects := []obj{sdo("indicator", 1, tt.more)}
		if tt.def != nil {
			objects = append(objects, tt.def)
		}
		items := decode(objects...)
		r := reportOf(items, objects[0])
		if r == nil {
			t.Errorf("%s: %v", tt.name, items)
			continue
		}
		les := slices.Contains(r.Label.Controls, wf.Control_CONTROL_LES)
		if r.Label.Tlp != tt.tlp || les != tt.les || len(r.Label.Sides) != 1 || r.Label.Level < wf.Level_LEVEL_CUI {
			t.Errorf("%s: got %v", tt.name, r.Label)
		}
		if len(items) != 1 {
			t.Errorf("%s: the marking is an item of its own: %v", tt.name, items)
		}
	}
	for name, def := range map[string]obj{"TLP:TEST": {"tlp": "TLP:TEST"}, "nothing": {}} {
		o := sdo("indicator", 1, obj{"object_marking_refs": []string{custom}})
		if items := decode(o, definition("tlp", def)); reportOf(items, o) != nil {
			t.Errorf("the marking %s is admitted", name)
		}
	}
}

// What a strict object holds does not come out under a lax label: an identity
// folded into a report raises it, a relationship marked stricter stays apart.
func TestFoldingKeepsMarkings(t *testing.T) {
	victim := sdo("identity", 2, obj{"object_marking_refs": []string{red}})
	campaign := sdo("campaign", 1, obj{"object_marking_refs": []string{green}})
	targets := relationship(3, campaign, "targets", victim)
	r := reportOf(decode(campaign, victim, targets), campaign)
	if r.GetLabel().GetTlp() != wf.Tlp_TLP_RED || len(r.Entities) != 2 {
		t.Errorf("the folded identity does not raise the label: %v", r)
	}
	targets["object_marking_refs"] = []string{red}
	items := decode(campaign, victim, targets)
	if r := reportOf(items, campaign); r.GetLabel().GetTlp() != wf.Tlp_TLP_GREEN || len(r.Entities) != 1 || len(r.References) != 0 {
		t.Errorf("a stricter relationship reached the report: %v", r)
	}
	if r := reportOf(items, targets); r.GetLabel().GetTlp() != wf.Tlp_TLP_RED {
		t.Errorf("the stricter relationship is no report of its own: %v", items)
	}
}

// A technique, a tool or the producer that two reports share is background.
func TestBackgroundDoesNotGlue(t *testing.T) {
	producer := sdo("identity", 1, nil)
	by := obj{"created_by_ref": producer["id"]}
	actor, other := sdo("threat-actor", 2, by), sdo("threat-actor", 3, by)
	technique, tool := sdo("attack-pattern", 4, by), sdo("tool", 5, by)
	family, sample := sdo("malware", 6, obj{"is_family": true}), sdo("malware", 7, nil)
	campaign := sdo("campaign", 8, nil)
	want := map[string]wf.ReferenceType{
		technique["id"].(string): wf.ReferenceType_REFERENCE_TYPE_CONTEXT, tool["id"].(string): wf.ReferenceType_REFERENCE_TYPE_CONTEXT,
		family["id"].(string): wf.ReferenceType_REFERENCE_TYPE_CONTEXT, sample["id"].(string): wf.ReferenceType_REFERENCE_TYPE_RELATED,
		campaign["id"].(string): wf.ReferenceType_REFERENCE_TYPE_RELATED,
	}
	objects := []obj{producer, actor, other, technique, tool, family, sample, campaign, relationship(30, actor, "related-to", campaign)}
	for i, target := range []obj{technique, tool, family, sample} {
		objects = append(objects, relationship(20+i, actor, "uses", target))
	}
	r := reportOf(decode(objects...), actor)
	if len(r.GetReferences()) != len(want) {
		t.Fatalf("got %v", r)
	}
	for _, ref := range r.References {
		if want[ref.Record] != ref.Type {
			t.Errorf("%s %s: got %s, want %s", ref.Relationship, ref.Record, ref.Type, want[ref.Record])
		}
	}
	if r.Lineage.GetOriginator() != producer["id"] {
		t.Errorf("originator: %v", r.Lineage)
	}
	for _, e := range r.Entities {
		if e.GetOrganization().GetName() == producer["name"] {
			t.Errorf("the producer is an entity of its report: %v", e)
		}
	}
}

func TestVersions(t *testing.T) {
	v1 := sdo("indicator", 1, nil)
	v2 := sdo("indicator", 1, obj{"modified": "2024-06-01T10:00:00.000Z", "name": "second"})
	gone := sdo("indicator", 1, obj{"modified": "2024-07-01T10:00:00.000Z", "revoked": true})
	items := decode(v2, v1, gone)
	if len(items) != 3 || items[0].Refused() || items[1].Refused() || items[2].Refused() {
		t.Fatalf("got %v", items)
	}
	if a, b, c := items[1].Report.Revision, items[0].Report.Revision, items[2].Report.Revision; !(a < b && b < c) {
		t.Errorf("revisions %d, %d, %d do not grow", a, b, c)
	}
	if r := items[2].Report; r.State != wf.ReportState_REPORT_STATE_WITHDRAWN || r.Body != nil || r.Title != "" || len(r.Entities) > 0 || r.Kind != wf.Kind_KIND_CYBER {
		t.Errorf("a revoked object is not a withdrawal: %v", r)
	}
	for name, o := range map[string]obj{
		"the same version with other content": sdo("indicator", 1, obj{"name": "other"}),
		"another creation":                    sdo("indicator", 1, obj{"created": "2024-04-01T10:00:00Z", "modified": "2024-06-02T10:00:00Z"}),
		"another creator":                     sdo("indicator", 1, obj{"created_by_ref": "identity--" + uuid(5), "modified": "2024-06-02T10:00:00Z"}),
		"a version after the revocation":      sdo("indicator", 1, obj{"modified": "2024-08-01T10:00:00.000Z"}),
	} {
		items := decode(v1, gone, o)
		if !items[2].Refused() || !items[2].Reasons.Has(admission.Conflict) {
			t.Errorf("%s: got %v, want %s", name, items[2], admission.Conflict)
		}
	}
	if items := decode(v1, v1); items[0].Refused() || items[1].Refused() || !proto.Equal(items[0].Report, items[1].Report) {
		t.Errorf("the same object twice is not the same report twice: %v", items)
	}
}

func TestPatterns(t *testing.T) {
	tests := map[string][]string{
		"[ipv4-addr:value = '198.51.100.7']":                                                   {"198.51.100.7"},
		"[ipv4-addr:value = '198.51.100.0/24']":                                                {"198.51.100.0/24"},
		"[ipv6-addr:value='2001:DB8::1'] OR [domain-name:value IN ('A.Example', 'b.example')]": {"2001:db8::1", "a.example", "b.example"},
		"[file:hashes.'SHA-256' = 'AEC070645FE53EE3B3763059376134F058CC337247C978ADD178B6CCDFB0019F' AND file:hashes.MD5 = 'cead3f77f6cda6ec00f57d76c9a6879f']": {
			"aec070645fe53ee3b3763059376134f058cc337247c978add178b6ccdfb0019f", "cead3f77f6cda6ec00f57d76c9a6879f"},
		"[url:value = 'HTTP://Example.com/A\\'b#x']":                                          {"http://example.com/A'b"},
		"[email-message:from_ref.value = 'Jdoe+spam@Example.com']":                            {"jdoe@example.com"},
		"[network-traffic:dst_ref.value = '203.0.113.33' AND network-traffic:dst_port = 443]": {"203.0.113.33"},
		"[domain-name:value = 'evil[.]example']":                                              {"evil.example"},
		"[domain-name:value != 'a.example']":                                                  nil,
		"[domain-name:value LIKE '%.example']":                                                nil,
		"[domain-name:value NOT = 'a.example']":                                               nil,
		"[domain-name:value MATCHES '^a.example$']":                                           nil,
		"[ipv4-addr:value ISSUBSET '198.51.100.0/24']":                                        nil,
		"[file:name = 'a.example']":                                                           nil,
		"[user-account:account_type = 'facebook' AND user-account:user_id = 'jdoe99']":        {"jdoe99"},
		"[user-account:user_id = 'root']":                                                     nil,
		"[domain-name:value = 'unclosed":                                                      nil,
		"]]][[['' = :":                                                                        nil,
	}
	for pattern, want := range tests {
		o := sdo("indicator", 1, obj{"pattern": pattern})
		items := decode(o)
		r := reportOf(items, o)
		if r == nil {
			t.Errorf("%s: %v", pattern, items)
			continue
		}
		var got []string
		for _, e := range r.Entities {
			for _, id := range e.Identifiers {
				if id.Type != wf.IdentifierType_IDENTIFIER_TYPE_STIX {
					got = append(got, id.Value)
				}
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
}

func TestWhatNobodyRefersToIsAnItem(t *testing.T) {
	identity, location := sdo("identity", 1, nil), sdo("location", 2, obj{"latitude": 32.3, "longitude": -90.2, "precision": 500})
	address := obj{"type": "ipv4-addr", "id": "ipv4-addr--" + uuid(3), "value": "198.51.100.7"}
	traffic := obj{"type": "network-traffic", "id": "network-traffic--" + uuid(4), "protocols": []string{"tcp"}, "dst_ref": address["id"]}
	fooz := obj{"type": "fooz", "id": "fooz--" + uuid(5), "bar": 1}
	xthing := sdo("x-acme-thing", 6, obj{"subject_ref": identity["id"]})
	dangling := relationship(7, obj{"id": "malware--" + uuid(70)}, "uses", "tool--"+uuid(71))
	items := decode(identity, location, address, traffic, fooz, xthing, dangling)
	var records []string
	for _, it := range items {
		if it.Refused() {
			t.Errorf("%s: %s", it.Where, it.Reasons)
			continue
		}
		records = append(records, it.Report.Record)
	}
	for _, o := range []obj{identity, location, traffic, fooz, xthing, dangling} {
		if !slices.Contains(records, o["id"].(string)) {
			t.Errorf("%s is not accounted for", o["id"])
		}
	}
	if slices.Contains(records, address["id"].(string)) {
		t.Errorf("the address stands apart from the traffic that refers to it")
	}
	if p := reportOf(items, location).Places[0]; p.Point.Latitude != 32.3 || p.UncertaintyM != 500 {
		t.Errorf("place %v", p)
	}
}

// A cycle of objects that only describe one another is still counted.
func TestCycle(t *testing.T) {
	a, b := sdo("identity", 1, nil), sdo("identity", 2, nil)
	a["created_by_ref"], b["created_by_ref"] = b["id"], a["id"]
	if items := decode(a, b); len(items) == 0 {
		t.Error("nothing is read")
	}
}

// The order of a bundle does not matter to what the reports say.
func TestOrderDoesNotMatter(t *testing.T) {
	producer := sdo("identity", 1, nil)
	objects := []obj{producer, sdo("campaign", 2, obj{"created_by_ref": producer["id"]}), sdo("indicator", 3, obj{"object_marking_refs": []string{amber}}),
		sdo("location", 4, obj{"country": "US", "administrative_area": "US-MS"}), sdo("threat-actor", 5, nil)}
	for i, l := range []struct {
		a, b int
		word string
	}{{2, 1, "indicates"}, {1, 3, "targets"}, {1, 4, "attributed-to"}, {4, 3, "located-at"}, {4, 0, "targets"}} {
		objects = append(objects, relationship(50+i, objects[l.a], l.word, objects[l.b]))
	}
	want := map[string]*wf.Report{}
	for _, it := range decode(objects...) {
		want[it.Report.GetRecord()] = it.Report
	}
	if len(want) != 3 {
		t.Fatalf("got %d reports, want 3", len(want))
	}
	random := rand.New(rand.NewSource(1))
	for range 50 {
		random.Shuffle(len(objects), func(i, j int) { objects[i], objects[j] = objects[j], objects[i] })
		items := decode(objects...)
		if len(items) != len(want) {
			t.Fatalf("got %d items, want %d", len(items), len(want))
		}
		for _, it := range items {
			if !proto.Equal(want[it.Report.GetRecord()], it.Report) {
				t.Fatalf("another order gives another report:\n%v\n%v", want[it.Report.GetRecord()], it.Report)
			}
		}
	}
}

// A later relationship lifts the revision, so that a bundle that knows more
// replaces one that knew less.
func TestRevisionIsTheLatestPart(t *testing.T) {
	campaign, technique := sdo("campaign", 1, nil), sdo("attack-pattern", 2, nil)
	uses := relationship(3, campaign, "uses", technique)
	uses["modified"] = "2024-09-01T00:00:00.000Z"
	r := reportOf(decode(campaign, technique, uses), campaign)
	if want := uint64(time.Date(2024, 9, 1, 0, 0, 0, 0, time.UTC).UnixMilli()); r.GetRevision() != want {
		t.Errorf("got revision %d, want %d", r.GetRevision(), want)
	}
	if !r.ReportTime.AsTime().Equal(time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("the report time is not the object's: %v", r.ReportTime)
	}
}

func TestHostileDocuments(t *testing.T) {
	nested := `{"type":"indicator","x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`
	tests := []struct {
		name, data string
		code       admission.Code
	}{
		{"10,000 lists deep", nested, admission.TooDeep},
		{"10,000 objects deep, unclosed", strings.Repeat(`{"a":`, 10_000), admission.TooDeep},
		{"nothing", "", admission.Malformed}, {"a number", "1", admission.Malformed}, {"cut off", `{"type":"bundle","objects":[{`, admission.Malformed},
		{"something after it", `{"type":"bundle"} {}`, admission.Malformed}, {"the same name twice", `{"type":"bundle","type":"bundle"}`, admission.Malformed},
		{"invalid UTF-8", "{\"type\":\"\xff\"}", admission.InvalidUTF8}, {"objects is no list", `{"type":"bundle","objects":{}}`, admission.Malformed},
		{"no type", `{}`, admission.Malformed}, {"elements are no objects", `{"type":"bundle","objects":[1]}`, admission.Malformed},
		{"too large", `{"type":"bundle"` + strings.Repeat(" ", codec.MaxInput) + `}`, admission.TooLarge},
		{"too many values", `[` + strings.Repeat("0,", 1<<21) + `0]`, admission.TooLarge},
	}
	for _, tt := range tests {
		start := time.Now()
		items := stix.Decode([]byte(tt.data), options())
		if len(items) != 1 || !items[0].Refused() || !items[0].Reasons.Has(tt.code) {
			t.Errorf("%s: got %.300v, want %s", tt.name, items, tt.code)
		}
		if d := time.Since(start); d > 20*time.Second {
			t.Errorf("%s: it took %s", tt.name, d)
		}
	}
}

// Observables folded into very many reports cannot fill the memory: the
// document is refused beyond a bound.
func TestAmplificationIsBounded(t *testing.T) {
	var objects []obj
	var ids []string
	for i := range 1500 {
		o := obj{"type": "ipv4-addr", "id": "ipv4-addr--" + uuid(i), "value": fmt.Sprintf("198.51.%d.%d", i/250, i%250)}
		objects, ids = append(objects, o), append(ids, o["id"].(string))
	}
	for i := range 600 {
		objects = append(objects, sdo("observed-data", 10_000+i, obj{"first_observed": "2024-05-01T10:00:00Z", "last_observed": "2024-05-01T10:00:00Z", "number_observed": 1, "object_refs": ids}))
	}
	start := time.Now()
	items := decode(objects...)
	if items[0].Refused() || len(items[0].Report.Entities) != 1000 || len(items[0].Notes) != 1 {
		t.Errorf("the first report: %d entities, notes %v, %v", len(items[0].Report.GetEntities()), items[0].Notes, items[0].Reasons)
	}
	if last := items[len(items)-1]; !last.Refused() || !last.Reasons.Has(admission.TooLarge) {
		t.Errorf("the last report is not refused")
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("it took %s", d)
	}
}

func TestLongChainsAndManyVersions(t *testing.T) {
	var objects []obj
	for i := range 20_000 {
		o := obj{"type": "process", "id": "process--" + uuid(i), "parent_ref": "process--" + uuid(i+1)}
		objects = append(objects, o)
	}
	for i := range 5_000 {
		objects = append(objects, sdo("indicator", 1, obj{"modified": time.Date(2024, 6, 1, 0, 0, i, 0, time.UTC).Format(time.RFC3339)}))
	}
	start := time.Now()
	if items := decode(objects...); len(items) < 5_000 {
		t.Errorf("got %d items", len(items))
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("it took %s", d)
	}
}

func TestNoPolicyAdmitsNothing(t *testing.T) {
	for _, it := range stix.Decode(bundle(sdo("indicator", 1, nil), sdo("campaign", 2, obj{"object_marking_refs": []string{green}})), codec.Options{Agency: "cisa", Status: wf.Status_STATUS_ACTUAL}) {
		if !it.Refused() || !it.Reasons.Has(admission.UnknownMarking) {
			t.Errorf("got %v, want %s", it, admission.UnknownMarking)
		}
	}
}
