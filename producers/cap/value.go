package cap

import (
	"strings"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// values reads valueName and value pairs. Some sources put several pairs into
// one element; CAP 1.0 writes "name=value" as text.
func (r *reader) values(n *node, path string) []Value {
	if r.version == "1.0" && len(n.kids) == 0 {
		name, value, _ := strings.Cut(n.value(), "=")
		return []Value{{strings.TrimSpace(name), strings.TrimSpace(value)}}
	}
	var out []Value
	named := false
	for _, k := range n.kids {
		switch k.local {
		case "valueName":
			out = append(out, Value{Name: k.value()})
			named = true
		case "value":
			if !named {
				r.reasons.Add(admission.Missing, path+".valueName", "a value has no name", "put <valueName> before <value>")
				return out
			}
			out[len(out)-1].Value = k.value()
			named = false
		}
	}
	return out
}

// first is the first non-empty value of one of the names.
func first(values []Value, names ...string) string {
	for _, name := range names {
		for _, v := range values {
			if v.Name == name && v.Value != "" {
				return v.Value
			}
		}
	}
	return ""
}
