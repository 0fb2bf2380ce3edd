package stix

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// object is one STIX object with what every part of the codec asks of it.
type object struct {
	index             int
	m                 map[string]any
	typ, id           string
	created, modified time.Time
	reasons           admission.Reasons
}

func newObject(i int, v any) *object {
	o := &object{index: i}
	o.m, _ = v.(map[string]any)
	if o.m == nil {
		o.bad(admission.Malformed, "", "the element is no object", "send STIX objects")
		return o
	}
	o.typ, o.id = o.str("type"), o.str("id")
	o.check()
	return o
}

func (o *object) bad(code admission.Code, field, message, remedy string) {
	o.reasons.Add(code, field, message, remedy)
}

// str is a text property; empty when absent or of another type.
func (o *object) str(name string) string {
	s, _ := o.m[name].(string)
	return s
}

func (o *object) flag(name string) bool {
	b, _ := o.m[name].(bool)
	return b
}

// strs is a list of texts.
func (o *object) strs(name string) []string { return stringsOf(o.m[name]) }

func stringsOf(v any) []string {
	list, _ := v.([]any)
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok && s != "" {
			out = append(out, s)
		}
	}
	return out
}

// number is an integer property and whether it is there.
func (o *object) number(name string) (int64, bool) {
	n, ok := o.m[name].(json.Number)
	if !ok {
		return 0, false
	}
	v, err := n.Int64()
	return v, err == nil
}

func (o *object) float(name string) (float64, bool) {
	n, ok := o.m[name].(json.Number)
	if !ok {
		return 0, false
	}
	v, err := n.Float64()
	return v, err == nil
}

// instant is a time property; zero when absent. check has refused bad ones.
func (o *object) instant(name string) time.Time {
	t, _ := parseTime(o.str(name))
	return t
}

// parseTime reads an RFC 3339 time. STIX writes UTC as Z; another offset names
// an instant too and is read.
func parseTime(s string) (time.Time, bool) {
	if strings.ContainsRune(s, ',') {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UTC(), err == nil
}

// refs lists every reference of the object, those in nested values included.
func (o *object) refs() []string { return appendRefs(nil, o.m) }

func appendRefs(out []string, v any) []string {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			switch {
			case strings.HasSuffix(name, "_ref"):
				if s, ok := x.(string); ok {
					out = append(out, s)
				}
			case strings.HasSuffix(name, "_refs"):
				out = append(out, stringsOf(x)...)
			default:
				out = appendRefs(out, x)
			}
		}
	case []any:
		for _, x := range v {
			out = appendRefs(out, x)
		}
	}
	return out
}

// typeOf is the type that an id names.
func typeOf(id string) string {
	t, _, _ := strings.Cut(id, "--")
	return t
}

// version is the instant that orders versions of the object.
func (o *object) version() time.Time {
	if !o.modified.IsZero() {
		return o.modified
	}
	return o.created
}
