package vectors

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// builder makes vectors from files; a base is made before what builds on it.
type builder struct {
	done map[string]*Vector
}

func (b *builder) vector(name string) (*Vector, error) {
	if v, ok := b.done[name]; ok {
		if v == nil {
			return nil, fmt.Errorf("%s: is its own base", name)
		}
		return v, nil
	}
	b.done[name] = nil
	text, err := files.ReadFile("data/" + name + ".txtpb")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	v, err := b.build(name, string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	b.done[name] = v
	return v, nil
}

// directive is one "# word: rest" line.
type directive struct{ word, rest string }

func directives(text string) []directive {
	var out []directive
	for line := range strings.Lines(text) {
		if word, rest, ok := strings.Cut(strings.TrimPrefix(line, "# "), ":"); ok && strings.HasPrefix(line, "# ") && !strings.Contains(word, " ") {
			out = append(out, directive{word, strings.TrimSpace(rest)})
		}
	}
	return out
}

func (b *builder) build(name, text string) (*Vector, error) {
	folder, _, _ := strings.Cut(name, "/")
	v := &Vector{Name: name, Report: new(wf.Report), Stage: Report, Verdict: Refused}
	switch folder {
	case "admitted":
		v.Verdict = Admitted
	case "guard":
		v.Stage = Guard
	}
	list := directives(text)
	for _, d := range list {
		if err := b.before(v, d); err != nil {
			return nil, fmt.Errorf("%s: %w", d.word, err)
		}
	}
	change := new(wf.Report)
	if err := prototext.Unmarshal([]byte(text), change); err != nil {
		return nil, err
	}
	proto.Merge(v.Report, change)
	if v.Agency == "" {
		v.Agency = v.Report.GetAgency()
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(v.Report)
	if err != nil {
		return nil, err
	}
	v.Data = data
	for _, d := range list {
		if err := v.after(d); err != nil {
			return nil, fmt.Errorf("%s: %w", d.word, err)
		}
	}
	return v, v.check()
}

// before carries out the directives that come before the text is merged.
func (b *builder) before(v *Vector, d directive) error {
	switch d.word {
	case "base":
		base, err := b.vector(d.rest)
		if err != nil {
			return err
		}
		v.Report = proto.CloneOf(base.Report)
		v.Cell = base.Cell
	case "clear":
		return clear(v.Report.ProtoReflect(), strings.Split(d.rest, "."))
	case "note":
		v.Note = d.rest
	case "cell":
		v.Cell = d.rest
	case "as":
		v.Agency = d.rest
	case "verdict":
		v.Verdict = Verdict(d.rest)
	case "after":
		v.After = append(v.After, d.rest)
	case "reason":
		code, field, _ := strings.Cut(d.rest, " ")
		v.Reasons = append(v.Reasons, Reason{admission.Code(code), field})
	case "truncate", "append", "replace", "pad", "nest", "ring":
	default:
		return errors.New("unknown directive")
	}
	return nil
}

// after carries out the directives on the encoded bytes.
func (v *Vector) after(d directive) error {
	switch d.word {
	case "truncate":
		n, err := strconv.Atoi(d.rest)
		if err != nil || n > len(v.Data) {
			return fmt.Errorf("want a number of bytes up to %d", len(v.Data))
		}
		v.Data = v.Data[:len(v.Data)-n]
	case "append":
		tail, err := hex.DecodeString(d.rest)
		if err != nil {
			return err
		}
		v.Data = append(v.Data, tail...)
	case "replace":
		return v.replace(d.rest)
	case "pad":
		return v.pad(d.rest)
	case "nest":
		n, err := strconv.Atoi(d.rest)
		v.Data = append(v.Data, bytes.Repeat([]byte{0xa3, 0x06}, n)...) // a group of field 100 in itself
		return err
	case "ring":
		return v.ring(d.rest)
	}
	return nil
}

// replace puts one text of the encoded bytes in place of another of the same
// length, given as Go strings: "caf\xc3\xa9" "caf\xff\xff".
func (v *Vector) replace(rest string) error {
	old, err := strconv.QuotedPrefix(rest)
	if err != nil {
		return err
	}
	a, err := strconv.Unquote(old)
	if err != nil {
		return err
	}
	z, err := strconv.Unquote(strings.TrimSpace(rest[len(old):]))
	if err != nil {
		return err
	}
	if len(a) != len(z) || bytes.Count(v.Data, []byte(a)) != 1 {
		return errors.New("want two texts of the same length, the first once in the bytes")
	}
	v.Data = bytes.Replace(v.Data, []byte(a), []byte(z), 1)
	return nil
}

// pad makes the narrative so long that the encoded report has n bytes.
func (v *Vector) pad(rest string) error {
	n, err := strconv.Atoi(rest)
	if err != nil {
		return err
	}
	v.Report.Narrative += strings.Repeat("x", n-len(v.Data))
	v.Report.Narrative = v.Report.Narrative[:len(v.Report.Narrative)-(proto.Size(v.Report)-n)]
	v.Data, err = proto.MarshalOptions{Deterministic: true}.Marshal(v.Report)
	return err
}

// ring adds a place whose polygon is a closed ring of n points.
func (v *Vector) ring(rest string) error {
	n, err := strconv.Atoi(rest)
	if err != nil {
		return err
	}
	g := new(wf.Polygon)
	for i := range n - 1 {
		side, step := i*4/(n-1), float64(i*4%(n-1))/float64(n-1)
		corner := [][2]float64{{32 + step, -91}, {33, -91 + step}, {33 - step, -90}, {32, -90 - step}}[side]
		g.Points = append(g.Points, &wf.Point{Latitude: corner[0], Longitude: corner[1]})
	}
	g.Points = append(g.Points, g.Points[0])
	v.Report.Places = append(v.Report.Places, &wf.Place{Polygon: g})
	v.Data, err = proto.MarshalOptions{Deterministic: true}.Marshal(v.Report)
	return err
}

// check says whether the vector says what a reader needs.
func (v *Vector) check() error {
	switch {
	case v.Note == "":
		return errors.New("has no note")
	case v.Cell == "":
		return errors.New("has no cell")
	case (v.Verdict == Refused) != (len(v.Reasons) > 0):
		return errors.New("a refused vector has reasons, and no other has")
	}
	return nil
}

// clear unsets a field by its path; of a repeated message, the last element's.
func clear(m protoreflect.Message, path []string) error {
	fd := m.Descriptor().Fields().ByName(protoreflect.Name(path[0]))
	if fd == nil || !m.Has(fd) {
		return fmt.Errorf("%s is not set", path[0])
	}
	if len(path) == 1 {
		m.Clear(fd)
		return nil
	}
	if fd.IsList() {
		l := m.Mutable(fd).List()
		return clear(l.Get(l.Len()-1).Message(), path[1:])
	}
	return clear(m.Mutable(fd).Message(), path[1:])
}
