package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// maxValues bounds the values of one JSON document.
const maxValues = 1 << 21

// ParseJSON reads one JSON document into maps, slices, strings, json.Number,
// bool and nil. It is stricter than encoding/json: no invalid UTF-8, no name
// twice in one object (two readers would take a different one), nothing after
// the document, no deeper than MaxDepth.
func ParseJSON(data []byte) (any, admission.Reasons) {
	var reasons admission.Reasons
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(data) > MaxInput:
		reasons.Add(admission.TooLarge, "", fmt.Sprintf("the document has %d bytes, the limit is %d", len(data), MaxInput), "split it")
		return nil, reasons
	case !utf8.Valid(data):
		reasons.Add(admission.InvalidUTF8, position(data, invalidAt(data)), "the text is not valid UTF-8", "send UTF-8")
		return nil, reasons
	}
	p := jsonParser{d: json.NewDecoder(bytes.NewReader(data))}
	p.d.UseNumber()
	v, err := p.document()
	if err == nil {
		return v, nil
	}
	at := position(data, p.d.InputOffset())
	var r *jsonRefusal
	if errors.As(err, &r) {
		reasons.Add(r.code, at, r.message, r.remedy)
		return nil, reasons
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	reasons.Add(admission.Malformed, at, "not well-formed JSON: "+err.Error(), "send well-formed JSON")
	return nil, reasons
}

func invalidAt(data []byte) int64 {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return int64(i)
		}
		i += n
	}
	return int64(len(data))
}

func position(data []byte, offset int64) string {
	before := data[:min(offset, int64(len(data)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	return fmt.Sprintf("line %d, column %d", line, len(before)-bytes.LastIndexByte(before, '\n'))
}

type jsonRefusal struct {
	code            admission.Code
	message, remedy string
}

func (r *jsonRefusal) Error() string { return r.message }

// jsonParser builds values from tokens.
type jsonParser struct {
	d             *json.Decoder
	depth, values int
}

func (p *jsonParser) document() (any, error) {
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if _, err := p.d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the document")
	}
	return v, nil
}

func (p *jsonParser) value() (any, error) {
	t, err := p.d.Token()
	if err != nil {
		return nil, err
	}
	if p.values++; p.values > maxValues {
		return nil, &jsonRefusal{admission.TooLarge, fmt.Sprintf("the document has more than %d values", maxValues), "split it"}
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return t, nil
	}
	if p.depth++; p.depth > MaxDepth {
		return nil, &jsonRefusal{admission.TooDeep, fmt.Sprintf("values nest deeper than %d", MaxDepth), "send a flatter document"}
	}
	defer func() { p.depth-- }()
	if delim == '{' {
		return p.object()
	}
	return p.array()
}

func (p *jsonParser) object() (any, error) {
	out := map[string]any{}
	for p.d.More() {
		t, err := p.d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := t.(string)
		if !ok {
			return nil, errors.New("the name of a member is no string")
		}
		if _, twice := out[name]; twice {
			return nil, &jsonRefusal{admission.Malformed, "an object holds the same name twice", "keep one"}
		}
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out[name] = v
	}
	_, err := p.d.Token()
	return out, err
}

func (p *jsonParser) array() (any, error) {
	out := []any{}
	for p.d.More() {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := p.d.Token()
	return out, err
}
