package report

import (
	"fmt"
	"strconv"
	"sync"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// maxMessages bounds the messages inside one report. Two bytes on the wire can
// cost a hundred in memory; this keeps a 1 MiB report under some ten MiB.
const maxMessages = 64 << 10

// layout is what the scan knows of a message type: its fields by number.
type layout struct {
	fields []field
}

type field struct {
	name     string
	wire     protowire.Type
	known    bool
	packed   bool // repeated scalar: also packed
	text     bool
	repeated bool
	// once is the bit that a field, or the members of a oneof together, may
	// set only once; 0 for repeated fields.
	once    uint64
	message *layout
}

var reportLayout = sync.OnceValue(func() *layout {
	return layoutOf(wf.File_watchfloor_v1_report_proto.Messages().ByName("Report"), map[protoreflect.FullName]*layout{})
})

func layoutOf(d protoreflect.MessageDescriptor, seen map[protoreflect.FullName]*layout) *layout {
	if l, ok := seen[d.FullName()]; ok {
		return l
	}
	l := &layout{}
	seen[d.FullName()] = l
	for i := range d.Fields().Len() {
		fd := d.Fields().Get(i)
		for len(l.fields) <= int(fd.Number()) {
			l.fields = append(l.fields, field{})
		}
		f := field{name: string(fd.Name()), known: true, wire: wireType(fd.Kind()), repeated: fd.IsList(), text: fd.Kind() == protoreflect.StringKind}
		f.once = onceBit(fd)
		f.packed = fd.IsList() && f.wire != protowire.BytesType
		if fd.Kind() == protoreflect.MessageKind {
			f.message = layoutOf(fd.Message(), seen)
		}
		l.fields[fd.Number()] = f
	}
	return l
}

// onceBit relies on field numbers below 63, which a test holds; bit 63 is the
// one real oneof that a message may have.
func onceBit(fd protoreflect.FieldDescriptor) uint64 {
	if fd.IsList() {
		return 0
	}
	if o := fd.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return 1 << 63
	}
	return 1 << fd.Number()
}

func wireType(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.StringKind, protoreflect.BytesKind, protoreflect.MessageKind:
		return protowire.BytesType
	case protoreflect.DoubleKind, protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return protowire.Fixed64Type
	case protoreflect.FloatKind, protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return protowire.Fixed32Type
	}
	return protowire.VarintType
}

// scanner reads the wire form once before any memory is given to it.
type scanner struct {
	reasons  admission.Reasons
	messages int
}

// scan says what is wrong with the bytes; nothing for a report that may be unmarshalled.
func scan(data []byte) admission.Reasons {
	var s scanner
	s.message(data, reportLayout(), nil)
	return s.reasons
}

// where is a field path as a chain on the stack; it becomes text only for a reason.
type where struct {
	parent *where
	name   string
	index  int // -1 when the field is not repeated
}

func (w *where) String() string {
	if w == nil {
		return ""
	}
	s := w.name
	if w.index >= 0 {
		s += "[" + strconv.Itoa(w.index) + "]"
	}
	if p := w.parent.String(); p != "" {
		return p + "." + s
	}
	return s
}

// message scans one message; false stops the scan.
func (s *scanner) message(b []byte, l *layout, at *where) bool {
	if s.messages++; s.messages > maxMessages {
		s.reasons.Add(admission.TooLarge, at.String(), fmt.Sprintf("the report holds more than %d messages", maxMessages),
			"split the report, or simplify its polygons")
		return false
	}
	// Indexes of repeated fields, kept for the few that a message has.
	var counts [32]int
	var seen uint64
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return s.broken(at)
		}
		b = b[n:]
		n = protowire.ConsumeFieldValue(num, typ, b)
		if n < 0 {
			return s.broken(at)
		}
		value := b[:n]
		b = b[n:]
		if int(num) >= len(l.fields) || !l.fields[num].known {
			s.reasons.Add(admission.UnknownField, at.String(), fmt.Sprintf("field number %d is not in the schema of this broker", num),
				"leave it out, or upgrade the broker before its agencies")
			return false
		}
		f := &l.fields[num]
		here := where{parent: at, name: f.name, index: -1}
		if seen&f.once != 0 {
			s.reasons.Add(admission.NotProtobuf, here.String(), "the field, or another of its oneof, occurs twice", remedyEncode)
			return false
		}
		seen |= f.once
		if f.repeated {
			i := int(num) % len(counts)
			here.index = counts[i]
			counts[i]++
		}
		if !s.value(value, typ, f, &here) {
			return false
		}
	}
	return true
}

// value checks one field's value; false stops the scan.
func (s *scanner) value(value []byte, typ protowire.Type, f *field, at *where) bool {
	if typ != f.wire && !(f.packed && typ == protowire.BytesType) {
		s.reasons.Add(admission.NotProtobuf, at.String(), "the field has another wire type than the schema gives it", remedyEncode)
		return false
	}
	if typ != protowire.BytesType {
		return true
	}
	_, n := protowire.ConsumeVarint(value)
	value = value[n:]
	switch {
	case f.text:
		if !utf8.Valid(value) {
			s.reasons.Add(admission.InvalidUTF8, at.String(), "the text is not valid UTF-8", "convert the text to UTF-8 before encoding")
			return len(s.reasons) < DefaultLimits().MaxReasons
		}
	case f.message != nil:
		return s.message(value, f.message, at)
	}
	return true
}

func (s *scanner) broken(at *where) bool {
	message := "the bytes are truncated or not a protobuf"
	if at != nil {
		message += " inside " + at.String()
	}
	s.reasons.Add(admission.NotProtobuf, at.String(), message, remedyEncode)
	return false
}
