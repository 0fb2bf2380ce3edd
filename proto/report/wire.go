package report

import (
	"fmt"
	"strings"
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

var reportLayout = layoutOf(new(wf.Report).ProtoReflect().Descriptor(), map[protoreflect.FullName]*layout{})

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
	checker
	messages int
}

// scan says what is wrong with the bytes; nothing for a report that may be unmarshalled.
func scan(data []byte) admission.Reasons {
	s := scanner{checker: checker{limits: DefaultLimits()}}
	s.message(data, reportLayout)
	return s.reasons
}

// message scans the message the scanner is in; false stops the scan.
func (s *scanner) message(b []byte, l *layout) bool {
	if s.messages++; s.messages > maxMessages {
		return s.stop(admission.TooLarge, fmt.Sprintf("the report holds more than %d messages", maxMessages), "split the report, or simplify its polygons")
	}
	var counts [64]int32 // elements seen of each repeated field
	var seen uint64      // single fields seen
	for len(b) > 0 {
		num, typ, n := consumeTag(b)
		if n <= 0 {
			return s.broken()
		}
		b = b[n:]
		if num >= len(l.fields) || !l.fields[num].known {
			return s.unknown(num, typ, b)
		}
		f := &l.fields[num]
		value, n := consumeValue(protowire.Number(num), typ, b)
		if n < 0 {
			return s.broken()
		}
		b = b[n:]
		if seen&f.once != 0 {
			s.enter(f.name, -1)
			return s.stop(admission.NotProtobuf, "the field, or another of its oneof, occurs twice", remedyEncode)
		}
		seen |= f.once
		i := -1
		if f.repeated {
			i = int(counts[num])
			counts[num]++
		}
		if !s.field(value, typ, f, i) {
			return false
		}
	}
	return true
}

// field checks the value of one field of the message the scanner is in; false
// stops the scan. Only what needs a path pays for one.
func (s *scanner) field(value []byte, typ protowire.Type, f *field, index int) bool {
	switch {
	case typ != f.wire && !(f.packed && typ == protowire.BytesType):
		s.enter(f.name, index)
		return s.stop(admission.NotProtobuf, "the field has another wire type than the schema gives it", remedyEncode)
	case f.text:
		if utf8.Valid(value) {
			return true
		}
		s.enter(f.name, index)
		s.stop(admission.InvalidUTF8, "the text is not valid UTF-8", "convert the text to UTF-8 before encoding")
		s.leave()
		return len(s.reasons) < s.limits.MaxReasons
	case f.message != nil:
		s.enter(f.name, index)
		ok := s.message(value, f.message)
		s.leave()
		return ok
	}
	return true
}

// consumeTag reads a field's number and wire type; n is 0 or less at the end
// of the bytes or for a number out of range.
func consumeTag(b []byte) (num int, typ protowire.Type, n int) {
	if len(b) > 0 && b[0] < 0x80 {
		return int(b[0] >> 3), protowire.Type(b[0] & 7), min(int(b[0]>>3), 1)
	}
	number, typ, n := protowire.ConsumeTag(b)
	return int(number), typ, n
}

// consumeValue reads a field's value, without its length for bytes.
func consumeValue(num protowire.Number, typ protowire.Type, b []byte) (value []byte, n int) {
	if typ == protowire.BytesType {
		return protowire.ConsumeBytes(b)
	}
	n = protowire.ConsumeFieldValue(num, typ, b)
	return nil, n
}

func (s *scanner) unknown(num int, typ protowire.Type, b []byte) bool {
	if protowire.ConsumeFieldValue(protowire.Number(num), typ, b) < 0 {
		return s.broken()
	}
	return s.stop(admission.UnknownField, fmt.Sprintf("field number %d is not in the schema of this broker", num),
		"leave it out, or upgrade the broker before its agencies")
}

func (s *scanner) broken() bool {
	return s.stop(admission.NotProtobuf, "the bytes are truncated or not a protobuf", remedyEncode)
}

// stop refuses the bytes at the field the scanner is in. The first thing that
// is wrong with the wire form ends the scan, as what follows it means nothing;
// text that is not UTF-8 does not.
func (s *scanner) stop(code admission.Code, message, remedy string) bool {
	s.reasons.Add(code, strings.TrimSuffix(s.path(""), "."), message, remedy)
	return false
}
