package native

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	"github.com/watchfloor/watchfloor/proto/report"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// maxJSON is the longest JSON text of one report: no report of at most 1 MiB
// needs more, escapes included.
const maxJSON = 8 << 20

// DecodeJSON reads one Report as JSON, or one per line. Field names are those
// of the schema or their lower camel case.
func DecodeJSON(data []byte, o codec.Options) []codec.Item {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	first, _, _ := bytes.Cut(bytes.TrimLeft(data, " \t\r\n"), []byte("\n"))
	if s := shape(first); s.depth != 0 || s.values != 1 {
		if s := shape(data); s.values <= 1 {
			return []codec.Item{decodeJSON("#1", data, o)}
		}
	}
	var items []codec.Item
	line := 0
	for text := range bytes.Lines(data) {
		line++
		if text = bytes.TrimSpace(text); len(text) > 0 {
			items = append(items, decodeJSON("line "+strconv.Itoa(line), text, o))
		}
	}
	return items
}

func decodeJSON(where string, data []byte, o codec.Options) codec.Item {
	switch s := shape(data); {
	case len(data) > maxJSON:
		return refuse(where, admission.TooLarge, fmt.Sprintf("the text has %d bytes, at most %d are read", len(data), maxJSON), "split the report")[0]
	case !utf8.Valid(data):
		return refuse(where, admission.InvalidUTF8, "the text is not valid UTF-8", "send UTF-8")[0]
	case s.deepest > codec.MaxDepth:
		return refuse(where, admission.TooDeep, fmt.Sprintf("the text nests more than %d deep", codec.MaxDepth), "send a Report; none nests that deep")[0]
	}
	r := new(wf.Report)
	if err := (protojson.UnmarshalOptions{RecursionLimit: codec.MaxDepth + 1}).Unmarshal(data, r); err != nil {
		return codec.Item{Where: where, Reasons: explain(data, err)}
	}
	Fill(r, o)
	if n := size(r); n > report.MaxSize {
		return refuse(where, admission.TooLarge, fmt.Sprintf("the report has %d bytes encoded, at most %d are admitted", n, report.MaxSize), "move attachments to a store of your own")[0]
	}
	return codec.Item{Where: where, Report: r}
}

func size(r *wf.Report) int {
	b, err := Encode(r)
	if err != nil {
		return 0 // cannot happen: the text was UTF-8, and so is all of r
	}
	return len(b)
}

// form is the outline of a JSON text: how deep it ends, how deep it goes, how
// many values stand side by side at the top.
type form struct{ depth, deepest, values int }

// shape looks at brackets outside strings, in one pass and without memory, so
// that hostile nesting costs no stack.
func shape(data []byte) form {
	var f form
	quoted := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted:
			if c == '\\' {
				i++
			}
			quoted = c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if f.depth == 0 {
				f.values++
			}
			f.depth++
			f.deepest = max(f.deepest, f.depth)
		case c == '}' || c == ']':
			f.depth--
		}
	}
	return f
}

// Patterns of protojson's errors. It has no typed ones; a text that matches
// none is still refused, as malformed, with the text itself.
var (
	errorPlace   = regexp.MustCompile(`\(line (\d+):(\d+)\):?\s*`)
	unknownField = regexp.MustCompile(`unknown field "(.*)"`)
	badEnum      = regexp.MustCompile(`invalid value for enum field (\w+): (.*)`)
	badTime      = regexp.MustCompile(`invalid google\.protobuf\.Timestamp value (.*)`)
)

// explain turns an error of protojson into a reason with the field's path.
func explain(data []byte, err error) admission.Reasons {
	// The library mixes plain and no-break spaces so that nobody compares texts.
	text := strings.Join(strings.Fields(strings.TrimPrefix(strings.ReplaceAll(err.Error(), "\u00a0", " "), "proto:")), " ")
	field := ""
	where := ""
	if m := errorPlace.FindStringSubmatch(text); m != nil {
		field = pathAt(data, m[1], m[2])
		where = fmt.Sprintf(" (line %s, column %s)", m[1], m[2])
		text = errorPlace.ReplaceAllString(text, "")
	}
	var rs admission.Reasons
	switch {
	case unknownField.MatchString(text):
		rs.Add(admission.UnknownField, field, text+where, "use the names of watchfloor.v1.Report")
	case badTime.MatchString(text):
		rs.Add(admission.BadTime, field, text+where, "write RFC 3339 with a zone, such as 2025-06-01T15:00:00Z")
	case badEnum.MatchString(text):
		rs.Add(enumCode(badEnum.FindStringSubmatch(text)[1]), field, text+where, "use a name of the schema")
	default:
		rs.Add(admission.Malformed, field, "not the JSON of a Report: "+text+where, "send the JSON form of watchfloor.v1.Report")
	}
	return rs
}

func enumCode(field string) admission.Code {
	switch field {
	case "level":
		return admission.UnknownLevel
	case "kind":
		return admission.UnknownKind
	case "status":
		return admission.UnknownStatus
	case "controls", "tlp", "sides":
		return admission.UnknownMarking
	}
	return admission.Invalid
}

// pathAt is the path of the field whose name or value stands at line and column.
func pathAt(data []byte, line, column string) string {
	l, err1 := strconv.Atoi(line)
	c, err2 := strconv.Atoi(column)
	if err := errors.Join(err1, err2); err != nil {
		return ""
	}
	offset := int64(0)
	for range l - 1 {
		offset += int64(bytes.IndexByte(data[offset:], '\n')) + 1
	}
	return pathTo(data, offset+int64(c)-1)
}

// level is one nesting level on the way to a place in a JSON text.
type level struct {
	array bool
	index int
	name  string
	value bool // a name was read, its value is next
}

// pathTo reads tokens up to the offset; on an error of the text it says how far it came.
func pathTo(data []byte, offset int64) string {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var stack []level
	for {
		t, err := d.Token()
		if err != nil {
			return joinPath(stack)
		}
		top := len(stack) - 1
		key, isText := t.(string)
		named := top >= 0 && !stack[top].array && !stack[top].value && isText
		switch {
		case named:
			stack[top].name, stack[top].value = key, true
		case t == json.Delim('}') || t == json.Delim(']'):
			stack = stack[:top]
		}
		if d.InputOffset() > offset {
			return joinPath(stack)
		}
		switch {
		case named:
			continue
		case t == json.Delim('{') || t == json.Delim('['):
			stack = append(stack, level{array: t == json.Delim('[')})
			continue
		}
		if top = len(stack) - 1; top >= 0 {
			stack[top].index++
			stack[top].value = false
		}
	}
}

func joinPath(stack []level) string {
	var b strings.Builder
	for _, l := range stack {
		switch {
		case l.array:
			fmt.Fprintf(&b, "[%d]", l.index)
		case l.name != "":
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(l.name)
		}
	}
	return b.String()
}

// EncodeJSON writes r as JSON on one line, with the names of the schema. The
// same report gives the same text.
func EncodeJSON(r *wf.Report) ([]byte, error) {
	b, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode report as JSON: %w", err)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, b); err != nil {
		return nil, fmt.Errorf("encode report as JSON: %w", err)
	}
	return out.Bytes(), nil
}
