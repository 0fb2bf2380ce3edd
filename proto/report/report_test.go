package report_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/label"
	"github.com/watchfloor/watchfloor/proto/report"
	"github.com/watchfloor/watchfloor/proto/subject"
	"github.com/watchfloor/watchfloor/proto/vectors"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

func TestTheSampleIsValid(t *testing.T) {
	if rs := report.Validate(sampleSAR(), now, report.Limits{}); len(rs) > 0 {
		t.Fatal(rs)
	}
}

// The ids are part of the wire contract: they are the same on any machine.
func TestRecordID(t *testing.T) {
	id := report.RecordID("jackson-pd", "26-000123")
	if want := sampleVector(t, "admitted/sar").Report.GetId(); id != want {
		t.Errorf("got %s, want %s", id, want)
	}
	if report.UUIDVersion(id) != 5 {
		t.Errorf("%s is not version 5", id)
	}
	seen := map[string]string{}
	for _, pair := range [][2]string{{"ab", "c"}, {"a", "bc"}, {"abc", ""}, {"", "abc"}, {"ab", "C"}, {"ab", strings.Repeat("c", 5000)}} {
		id := report.RecordID(pair[0], pair[1])
		if other, ok := seen[id]; ok {
			t.Errorf("%q and %s give the same id", pair, other)
		}
		seen[id] = pair[0] + "/" + pair[1]
	}
}

func sampleVector(t testing.TB, name string) vectors.Vector {
	t.Helper()
	v, ok := vectors.Named(name)
	if !ok {
		t.Fatalf("no vector %s", name)
	}
	return v
}

func TestUUIDVersion(t *testing.T) {
	for s, want := range map[string]int{
		"019722a0-0000-7000-8000-000000000001": 7, "019722a0-0000-4000-bfff-000000000001": 4,
		"019722A0-0000-7000-8000-000000000001": 0, "019722a0-0000-7000-c000-000000000001": 0, "019722a0-0000-7000-7000-000000000001": 0,
		"019722a000007000-8000-0000-00000000001": 0, "{19722a0-0000-7000-8000-000000000001": 0, "": 0, "019722a0-0000-a000-8000-000000000001": 0,
		"019722a0-0000-7000-8000-00000000000g": 0,
	} {
		if got := report.UUIDVersion(s); got != want {
			t.Errorf("%q: got %d, want %d", s, got, want)
		}
	}
}

// A withdrawal of any admitted report is valid, carries no content, and goes
// to the same subject.
func TestWithdraw(t *testing.T) {
	for _, v := range vectors.Of(vectors.Report) {
		if v.Verdict != vectors.Admitted {
			continue
		}
		before := proto.CloneOf(v.Report)
		w := report.Withdraw(v.Report, v.Report.GetRevision()+1, vectors.Now)
		if !proto.Equal(before, v.Report) {
			t.Errorf("%s: the report was changed", v.Name)
		}
		if rs := report.Validate(w, vectors.Now, report.Limits{}); len(rs) > 0 {
			t.Errorf("%s: %s", v.Name, rs)
		}
		if a, b := subject.Submit(v.Report), subject.Submit(w); a != b {
			t.Errorf("%s: the report goes to %s, its withdrawal to %s", v.Name, a, b)
		}
		w.ProtoReflect().Range(func(fd protoreflect.FieldDescriptor, _ protoreflect.Value) bool {
			switch fd.Name() {
			case "id", "revision", "state", "agency", "record", "kind", "status", "label", "record_class", "event_time", "report_time", "places", "source_format":
			default:
				t.Errorf("%s: the withdrawal carries %s", v.Name, fd.Name())
			}
			return true
		})
		for _, p := range w.GetPlaces() {
			if proto.Size(p) != proto.Size(&wf.Place{CountyFips: p.GetCountyFips(), State: p.GetState()}) {
				t.Errorf("%s: the withdrawal keeps %v", v.Name, p)
			}
		}
		if w.GetLabel().GetOriginal() != "" {
			t.Errorf("%s: the withdrawal keeps the source's marking", v.Name)
		}
	}
}

func TestAWithdrawalOfNothingDoesNotPanic(t *testing.T) {
	w := report.Withdraw(&wf.Report{EventTime: &wf.TimeRange{}}, 1, now)
	if rs := report.Validate(w, now, report.Limits{}); !rs.Has(admission.UnknownLevel) {
		t.Errorf("got %s", rs)
	}
}

func TestEveryKindHasABodyAndAClass(t *testing.T) {
	kinds := map[wf.Kind]bool{}
	for _, v := range vectors.Of(vectors.Report) {
		if v.Verdict == vectors.Admitted && v.Report.GetBody() != nil {
			kinds[report.KindOf(v.Report)] = true
			if report.KindOf(v.Report) != v.Report.GetKind() {
				t.Errorf("%s: body %s of kind %s", v.Name, report.KindOf(v.Report), v.Report.GetKind())
			}
		}
	}
	for _, k := range subject.Kinds {
		if !kinds[k] {
			t.Errorf("%s: no vector", k)
		}
		if !report.AllowsClass(k, report.ClassOf(k)) {
			t.Errorf("%s: its usual class is not allowed", k)
		}
	}
	for _, k := range []wf.Kind{0, -1, 99} {
		if report.ClassOf(k) != 0 || report.AllowsClass(k, 0) || report.AllowsClass(k, wf.RecordClass_RECORD_CLASS_SAR) {
			t.Errorf("kind %d has a class", k)
		}
	}
	if report.KindOf(nil) != 0 || report.KindOf(&wf.Report{}) != 0 {
		t.Error("nothing has a kind")
	}
}

func TestLimits(t *testing.T) {
	r := sampleSAR()
	r.ReportTime = at(10 * time.Minute)
	if rs := report.Validate(r, now, report.Limits{}); !rs.Has(admission.FutureTime) {
		t.Errorf("default skew: got %s", rs)
	}
	if rs := report.Validate(r, now, report.Limits{MaxSkew: 15 * time.Minute}); len(rs) > 0 {
		t.Errorf("skew of a quarter: got %s", rs)
	}
	r = sampleSAR()
	r.EventTime = &wf.TimeRange{Start: at(48 * time.Hour)}
	if rs := report.Validate(r, now, report.Limits{MaxAhead: 24 * time.Hour}); !rs.Has(admission.FutureTime) {
		t.Errorf("ahead: got %s", rs)
	}
	if rs := report.Validate(r, now, report.Limits{MaxSkew: -1, MaxAhead: -1, MaxReasons: -1}); len(rs) > 0 {
		t.Errorf("a limit cannot be negative: got %s", rs)
	}
}

// However much is wrong, the list stays short and says how much it leaves out.
func TestReasonsAreBounded(t *testing.T) {
	r := sampleSAR()
	for range 500 {
		r.Entities = append(r.Entities, &wf.Entity{Role: 99, Addresses: []*wf.Address{{City: "X", Street: "Y"}}})
	}
	rs := report.Validate(r, now, report.Limits{MaxReasons: 10})
	if len(rs) != 11 || !strings.Contains(rs[10].Message, "1490 more") {
		t.Errorf("got %d reasons, last %v", len(rs), rs[len(rs)-1])
	}
	if rs := report.Validate(nil, now, report.Limits{}); !rs.Has(admission.Missing) {
		t.Errorf("no report: got %s", rs)
	}
}

// Messages quote at most the beginning of a value, printable.
func TestMessagesAreShortAndPrintable(t *testing.T) {
	r := sampleSAR()
	r.Agency = "\x1b[2J" + strings.Repeat("x", 9000)
	r.Language = strings.Repeat("é", 900)
	for _, reason := range report.Validate(r, now, report.Limits{}) {
		if len(reason.Message) > 400 || strings.ContainsAny(reason.Message, "\x1b\n") {
			t.Errorf("%s: %q", reason.Field, reason.Message)
		}
	}
}

// Repeated fields are bounded, each of them: a report cannot cost without limit.
func TestRepeatedFieldsAreBounded(t *testing.T) {
	const many = 30_000
	words := make([]string, many)
	for i := range words {
		words[i] = "w"
	}
	type set func(r *wf.Report)
	for field, f := range map[string]set{
		"places":                   func(r *wf.Report) { r.Places = make([]*wf.Place, many) },
		"places[0].polygon.points": func(r *wf.Report) { r.Places[0].Polygon = &wf.Polygon{Points: make([]*wf.Point, many)} },
		"entities":                 func(r *wf.Report) { r.Entities = make([]*wf.Entity, many) },
		"entities[0].identifiers":  func(r *wf.Report) { r.Entities[0].Identifiers = make([]*wf.Identifier, many) },
		"entities[0].addresses":    func(r *wf.Report) { r.Entities[0].Addresses = make([]*wf.Address, many) },
		"entities[0].person.names": func(r *wf.Report) { r.Entities[0].GetPerson().Names = make([]*wf.PersonName, many) },
		"references":               func(r *wf.Report) { r.References = make([]*wf.Reference, many) },
		"tearlines":                func(r *wf.Report) { r.Tearlines = make([]*wf.Tearline, many) },
		"lineage.path":             func(r *wf.Report) { r.Lineage.Path = words },
		"label.compartments":       func(r *wf.Report) { r.Label.Compartments = words },
		"label.releasable_to":      func(r *wf.Report) { r.Label.ReleasableTo = words },
		"label.orcon_cells":        func(r *wf.Report) { r.Label.OrconCells = words },
		"sar.circumstances":        func(r *wf.Report) { r.GetSar().Circumstances = words },
	} {
		r := sampleSAR()
		f(r)
		if rs := report.Validate(r, now, report.Limits{}); !has(rs, admission.TooLarge, field) {
			t.Errorf("%s: got %.300s", field, rs)
		}
	}
}

func has(rs admission.Reasons, code admission.Code, field string) bool {
	for _, r := range rs {
		if admission.Code(r.Code) == code && r.Field == field {
			return true
		}
	}
	return false
}

// Every text of every message is looked at: a control character anywhere in a
// valid report makes it invalid, at that field.
func TestEveryTextIsChecked(t *testing.T) {
	for _, v := range vectors.Of(vectors.Report) {
		if v.Verdict != vectors.Admitted || strings.Contains(v.Name, "20000") || v.Name == "admitted/size-limit" {
			continue
		}
		eachText(v.Report.ProtoReflect(), "", func(path string) {
			r := proto.CloneOf(v.Report)
			poison(r.ProtoReflect(), strings.Split(path, "."))
			if rs := report.Validate(r, vectors.Now, report.Limits{}); len(rs) == 0 {
				t.Errorf("%s: a control character in %s is admitted", v.Name, path)
			}
		})
	}
}

// The corpus holds every text and every time of the schema, so that the laws on
// texts and times are laws on all of them.
func TestTheCorpusHoldsEveryTextAndTime(t *testing.T) {
	have := map[protoreflect.FullName]bool{}
	var note func(m protoreflect.Message)
	note = func(m protoreflect.Message) {
		m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
			have[fd.FullName()] = true
			switch {
			case fd.Message() != nil && fd.IsList():
				for i := range v.List().Len() {
					note(v.List().Get(i).Message())
				}
			case fd.Message() != nil:
				note(v.Message())
			}
			return true
		})
	}
	for _, v := range vectors.Of(vectors.Report) {
		if v.Verdict == vectors.Admitted {
			note(v.Report.ProtoReflect())
		}
	}
	var walk func(d protoreflect.MessageDescriptor)
	walk = func(d protoreflect.MessageDescriptor) {
		for i := range d.Fields().Len() {
			fd := d.Fields().Get(i)
			if (fd.Message() != nil || fd.Kind() == protoreflect.StringKind) && !have[fd.FullName()] {
				t.Errorf("%s: in no admitted vector", fd.FullName())
			}
			if fd.Message() != nil && fd.Message().FullName() != "google.protobuf.Timestamp" {
				walk(fd.Message())
			}
		}
	}
	have["watchfloor.v1.Label.compartments"] = true // no cell of the default policy has one
	walk(new(wf.Report).ProtoReflect().Descriptor())
}

// A time out of range is refused wherever it stands.
func TestEveryTimeIsChecked(t *testing.T) {
	for _, v := range vectors.Of(vectors.Report) {
		if v.Verdict != vectors.Admitted || v.Report.GetState() != wf.ReportState_REPORT_STATE_ACTIVE {
			continue
		}
		r := proto.CloneOf(v.Report)
		eachTime(r.ProtoReflect(), func(ts *timestamppb.Timestamp, name protoreflect.FullName) {
			ts.Nanos -= 2_000_000_000
			if rs := report.Validate(r, vectors.Now, report.Limits{}); !rs.Has(admission.BadTime) {
				t.Errorf("%s: %s: negative nanoseconds are admitted", v.Name, name)
			}
			ts.Nanos += 2_000_000_000
		})
	}
}

func eachTime(m protoreflect.Message, f func(*timestamppb.Timestamp, protoreflect.FullName)) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		if fd.Message() == nil || fd.IsList() {
			return true
		}
		if ts, ok := v.Message().Interface().(*timestamppb.Timestamp); ok {
			f(ts, fd.FullName())
			return true
		}
		eachTime(v.Message(), f)
		return true
	})
}

// eachText visits every text that is set, with its path.
func eachText(m protoreflect.Message, at string, f func(path string)) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		path := strings.TrimPrefix(at+"."+string(fd.Name()), ".")
		switch {
		case fd.Kind() == protoreflect.StringKind:
			f(path)
		case fd.Kind() == protoreflect.MessageKind && fd.IsList():
			for i := range v.List().Len() {
				eachText(v.List().Get(i).Message(), path+"."+strconv.Itoa(i), f)
			}
		case fd.Kind() == protoreflect.MessageKind:
			eachText(v.Message(), path, f)
		}
		return true
	})
}

// poison adds an escape to the text at the path; to a list of texts, as its last.
func poison(m protoreflect.Message, path []string) {
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(path[0]))
	switch {
	case len(path) > 1 && fd.IsList():
		i, _ := strconv.Atoi(path[1])
		poison(m.Mutable(fd).List().Get(i).Message(), path[2:])
	case len(path) > 1:
		poison(m.Mutable(fd).Message(), path[1:])
	case fd.IsList():
		m.Mutable(fd).List().Append(protoreflect.ValueOfString("\x1b"))
	default:
		m.Set(fd, protoreflect.ValueOfString(m.Get(fd).String()+"\x1b"))
	}
}

func TestDecodeReadsWhatIsValid(t *testing.T) {
	want := sampleSAR()
	data, err := proto.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	got, rs := report.Decode(data)
	if len(rs) > 0 || !proto.Equal(got, want) {
		t.Errorf("got %v, %s", got, rs)
	}
	for n := range len(data) {
		r, rs := report.Decode(data[:n])
		if (r == nil) != (len(rs) > 0) {
			t.Fatalf("cut at %d: report %v with reasons %s", n, r, rs)
		}
	}
}

func TestTheSchemaFitsTheScan(t *testing.T) {
	var walk func(d protoreflect.MessageDescriptor, depth int)
	walk = func(d protoreflect.MessageDescriptor, depth int) {
		if depth > 5 {
			t.Fatalf("%s: messages nest deeper than the scan's stack", d.FullName())
		}
		oneofs := 0
		for i := range d.Oneofs().Len() {
			if !d.Oneofs().Get(i).IsSynthetic() {
				oneofs++
			}
		}
		if oneofs > 1 {
			t.Errorf("%s has %d oneofs, the scan knows one", d.FullName(), oneofs)
		}
		for i := range d.Fields().Len() {
			fd := d.Fields().Get(i)
			if fd.Number() >= 63 || fd.Kind() == protoreflect.GroupKind || fd.IsMap() {
				t.Errorf("%s does not fit the scan", fd.FullName())
			}
			if fd.Message() != nil {
				walk(fd.Message(), depth+1)
			}
		}
	}
	walk(new(wf.Report).ProtoReflect().Descriptor(), 0)
}

func TestGroupB(t *testing.T) {
	for n := range wf.Behavior_name {
		if got, want := report.GroupB(wf.Behavior(n)), n >= 8 && n <= 16; got != want {
			t.Errorf("behavior %d: got %v", n, got)
		}
	}
}

func TestCodeListsAreSorted(t *testing.T) {
	for _, list := range [][]string{report.TargetSectors, report.TipClasses, report.TipDomains, report.Sectors} {
		for i := 1; i < len(list); i++ {
			if list[i-1] >= list[i] {
				t.Errorf("%q comes before %q", list[i-1], list[i])
			}
		}
	}
	if len(report.TargetSectors) != 34 || len(report.TipClasses) != 18 || len(report.TipDomains) != 8 || len(report.Sectors) != 16 {
		t.Error("a code list is not whole")
	}
}

// Validate and Decode look at nothing but what they are given.
func TestValidateIsAFunction(t *testing.T) {
	for _, v := range vectors.Of(vectors.Report) {
		r := proto.CloneOf(v.Report)
		a := report.Validate(r, vectors.Now, report.Limits{})
		if !proto.Equal(r, v.Report) {
			t.Errorf("%s: the report was changed", v.Name)
		}
		if b := report.Validate(r, vectors.Now, report.Limits{}); !reflect.DeepEqual(texts(a), texts(b)) {
			t.Errorf("%s: got %s, then %s", v.Name, a, b)
		}
	}
}

func texts(rs admission.Reasons) []string {
	var out []string
	for _, r := range rs {
		out = append(out, r.String())
	}
	return out
}

func TestDominanceOfTearlines(t *testing.T) {
	levels := []wf.Level{1, 2, 3, 4, 5}
	sides := [][]wf.Side{nil, {1}, {2}, {1, 2}}
	for _, pl := range levels {
		for _, ps := range sides {
			for _, tl := range levels {
				for _, ts := range sides {
					r := sampleSAR()
					r.Label = &wf.Label{Level: pl, Sides: ps}
					r.Tearlines[0].Label = &wf.Label{Level: tl, Sides: ts}
					parent, _ := label.FromProto(r.Label)
					own, _ := label.FromProto(r.Tearlines[0].Label)
					if got := report.Validate(r, now, report.Limits{}).Has(admission.Tearline); got == parent.Dominates(own) {
						t.Errorf("parent %s, tearline %s: refused %v", parent, own, got)
					}
				}
			}
		}
	}
}

// Any bytes are refused or decoded, and validated without a panic.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors.All() {
		if len(v.Data) < 64<<10 {
			f.Add(v.Data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, rs := report.Decode(data)
		if (r == nil) != (len(rs) > 0) {
			t.Fatalf("report %v with reasons %s", r, rs)
		}
		if r == nil {
			return
		}
		if len(r.ProtoReflect().GetUnknown()) > 0 {
			t.Fatal("unknown fields are kept")
		}
		if rs := report.Validate(r, vectors.Now, report.Limits{}); len(rs) == 0 {
			if _, err := subject.ParseSubmit(subject.Submit(r)); err != nil {
				t.Fatalf("a valid report has no subject: %v", err)
			}
		}
	})
}
