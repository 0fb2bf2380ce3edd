package csv

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/watchfloor/watchfloor/producers/normal"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// compile checks a field against the schema.
func (f *Field) compile(kind wf.Kind) error {
	var err error
	if f.target, err = aim(f.To, kind); err != nil {
		return err
	}
	given := 0
	for _, set := range []bool{f.Column != "", len(f.Columns) > 0, f.Value != ""} {
		if set {
			given++
		}
	}
	if given != 1 {
		return errors.New("give exactly one of column, columns and value")
	}
	switch f.Invalid {
	case "":
		f.Invalid = invalidRefuse
	case invalidRefuse, invalidDrop:
	case invalidPart:
		if f.Date == "" {
			return errors.New("invalid: part is for dates")
		}
	default:
		return fmt.Errorf("invalid %q: use refuse, drop or part", f.Invalid)
	}
	if f.Split != "" && !f.target.many() {
		return errors.New("split is for lists: end the path in one, or give it the index *")
	}
	return f.compileType()
}

// compileType checks the options that belong to the type of the field.
func (f *Field) compileType() error {
	name := ""
	if m := f.target.last.Message(); m != nil {
		name = string(m.Name())
	}
	for _, o := range []struct{ option, value, message string }{
		{"time", f.Time, "Timestamp"}, {"date", f.Date, "PartialDate"}, {"identifier", f.Identifier, "Identifier"},
	} {
		if (o.value != "") != (name == o.message) {
			return fmt.Errorf("option %s and fields of type %s belong together", o.option, o.message)
		}
	}
	switch name {
	case "":
		return f.compileConstant()
	case "Timestamp":
		return f.compileTime()
	case "PartialDate":
		if !slices.Contains(normal.DateFormats, f.Date) {
			return fmt.Errorf("date %q: use one of %s", f.Date, strings.Join(normal.DateFormats, ", "))
		}
		return nil
	case "Identifier":
		v, ok := wf.IdentifierType_value["IDENTIFIER_TYPE_"+strings.ToUpper(f.Identifier)]
		if !ok || v == 0 {
			return fmt.Errorf("identifier %q: use a type of the schema, such as phone or national_id", f.Identifier)
		}
		f.idType = wf.IdentifierType(v)
		return nil
	case "PersonName":
		return nil // a whole name
	}
	return fmt.Errorf("a cell cannot hold a %s: name one of its fields", name)
}

// compileConstant reads a constant, and every text of Values, once.
func (f *Field) compileConstant() error {
	if f.Value != "" {
		if _, err := f.scalar(f.Value); err != nil {
			return fmt.Errorf("value: %w", err)
		}
	}
	for from, to := range f.Values {
		if to == "" {
			continue
		}
		if _, err := f.scalar(to); err != nil {
			return fmt.Errorf("values: %q: %w", from, err)
		}
	}
	return nil
}

func (f *Field) compileTime() error {
	switch {
	case f.Time == "rfc3339" || f.Time == "unix":
		if f.Zone != "" {
			return fmt.Errorf("%s has its zone in itself", f.Time)
		}
	case f.Zone == "":
		return errors.New("a time without a zone is no time: give zone, such as America/Chicago")
	default:
		var err error
		if f.location, err = zone(f.Zone); err != nil {
			return err
		}
		if f.layout, err = layout(f.Time); err != nil {
			return err
		}
	}
	if f.Value != "" {
		if _, err := f.moment(f.Value); err != nil {
			return fmt.Errorf("value: %w", err)
		}
	}
	return nil
}

// zone reads an IANA name or a fixed offset. "Local" would depend on the machine.
func zone(name string) (*time.Location, error) {
	if t, err := time.Parse("-07:00", name); err == nil {
		_, offset := t.Zone()
		return time.FixedZone(name, offset), nil
	}
	l, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("zone %q: use a name such as America/Chicago, or an offset such as -06:00", name)
	}
	return l, nil
}

// layout writes a format in Go's terms. Where separators stand between the
// parts, one digit will do.
func layout(format string) (string, error) {
	month, day := "01", "02"
	if strings.ContainsAny(format, "/-.") {
		month, day = "1", "2"
	}
	hour := "15"
	if strings.Contains(format, "AM") {
		hour = "3"
	}
	l := strings.NewReplacer("YYYY", "2006", "MM", month, "DD", day, "hh", hour, "mm", "04", "ss", "05", "AM", "PM").Replace(format)
	if !strings.Contains(format, "YYYY") || strings.Trim(strings.NewReplacer("YYYY", "", "MM", "", "DD", "", "hh", "", "mm", "", "ss", "", "AM", "").Replace(format), " /-.:T,") != "" {
		return "", fmt.Errorf("time %q: use YYYY MM DD hh mm ss AM with separators, rfc3339, or unix", format)
	}
	return l, nil
}

func (f *Field) moment(s string) (*timestamppb.Timestamp, error) {
	switch f.Time {
	case "rfc3339":
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return nil, errors.New("not RFC 3339 with a zone")
		}
		return timestamppb.New(t), nil
	case "unix":
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, errors.New("not a number of seconds since 1970")
		}
		return &timestamppb.Timestamp{Seconds: n}, nil
	}
	t, err := time.ParseInLocation(f.layout, s, f.location)
	if err != nil {
		return nil, fmt.Errorf("not a time in the format %s", f.Time)
	}
	return wallTime(t, f.layout, s)
}

// wallTime makes sure that a local time was a time: it is refused in the hour
// that is skipped in spring, and is the first of the two in autumn.
func wallTime(t time.Time, layout, s string) (*timestamppb.Timestamp, error) {
	wall, err := time.Parse(layout, s)
	if err != nil {
		return nil, errors.New("not a time")
	}
	if t.Hour() != wall.Hour() || t.Minute() != wall.Minute() {
		return nil, errors.New("no time of this zone: the clock is put forward over it")
	}
	if before := t.Add(-time.Hour); before.Hour() == wall.Hour() && before.Minute() == wall.Minute() {
		t = before
	}
	return timestamppb.New(t), nil
}

// read turns one text into a value of the field; an invalid value means that
// nothing is known. With an error there may be a value: what stands of a date.
func (f *Field) read(s string) (protoreflect.Value, error) {
	var none protoreflect.Value
	switch {
	case f.Time != "":
		t, err := f.moment(s)
		if err != nil {
			return none, err
		}
		return message(t), nil
	case f.Date != "":
		d, err := normal.Date(s, f.Date)
		if d == nil || err != nil && f.Invalid != invalidPart {
			return none, err
		}
		return message(d), err
	case f.idType != 0:
		id, err := normal.Identifier(f.idType, s, normal.Hints{Issuer: f.Issuer, Region: f.Region})
		if err != nil {
			return none, err
		}
		return message(id), nil
	case f.target.last.Message() != nil:
		n := normal.FullName(s)
		if n == nil {
			return none, normal.ErrPlaceholder
		}
		return message(n), nil
	}
	return f.scalar(s)
}

func message(m proto.Message) protoreflect.Value {
	return protoreflect.ValueOfMessage(m.ProtoReflect())
}

// scalar reads text, a number, a word of an enum, or yes and no.
func (f *Field) scalar(s string) (protoreflect.Value, error) {
	fd := f.target.last
	var none protoreflect.Value
	switch fd.Kind() {
	case protoreflect.StringKind:
		return f.text(s)
	case protoreflect.DoubleKind:
		v, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return none, errors.New("not a number")
		}
		return protoreflect.ValueOfFloat64(v), nil
	case protoreflect.Int32Kind:
		v, err := strconv.ParseInt(s, 10, 32)
		if err != nil {
			return none, errors.New("not a whole number")
		}
		return protoreflect.ValueOfInt32(int32(v)), nil
	case protoreflect.Int64Kind:
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return none, errors.New("not a whole number")
		}
		return protoreflect.ValueOfInt64(v), nil
	case protoreflect.Uint64Kind:
		v, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			return none, errors.New("not a whole number")
		}
		return protoreflect.ValueOfUint64(v), nil
	case protoreflect.EnumKind:
		v := fd.Enum().Values().ByName(protoreflect.Name(s))
		if v == nil {
			return none, fmt.Errorf("not a name of %s", fd.Enum().Name())
		}
		return protoreflect.ValueOfEnum(v.Number()), nil
	case protoreflect.BoolKind:
		switch strings.ToLower(s) {
		case "true", "yes", "y", "1", "t":
			return protoreflect.ValueOfBool(true), nil
		case "false", "no", "n", "0", "f":
			return protoreflect.ValueOfBool(false), nil
		}
		return none, errors.New("not yes or no")
	}
	return none, fmt.Errorf("a cell cannot hold a %s", fd.Kind())
}

// text keeps line ends only where prose belongs. Parts of an address and of a
// name get their normal form.
func (f *Field) text(s string) (protoreflect.Value, error) {
	switch f.target.last.Parent().Name() {
	case "Address":
		s = normal.AddressPart(s)
	case "PersonName":
		if normal.Placeholder(s) {
			s = ""
		}
		s = normal.Text(s)
	default:
		if f.target.last.Name() != "narrative" && f.target.last.Name() != "description" {
			s = normal.Text(s)
		}
	}
	if s == "" {
		return protoreflect.Value{}, normal.ErrPlaceholder
	}
	return protoreflect.ValueOfString(s), nil
}
