package stix

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/watchfloor/watchfloor/proto/admission"
)

// checkGranular wants every granular marking to say what it is about, and
// with what: one that selects nothing may protect something else than meant.
func (o *object) checkGranular() {
	v, present := o.m["granular_markings"]
	if !present {
		return
	}
	list, ok := v.([]any)
	if !ok || len(list) == 0 {
		o.bad(admission.Invalid, "granular_markings", "granular_markings is not a list with elements", "leave it out, or mark something")
		return
	}
	for i, v := range list {
		field := fmt.Sprintf("granular_markings[%d]", i)
		g, _ := v.(map[string]any)
		ref, hasRef := g["marking_ref"].(string)
		_, hasLang := g["lang"].(string)
		if hasRef == hasLang || hasRef && typeOf(ref) != "marking-definition" {
			o.bad(admission.UnknownMarking, field+".marking_ref", "the granular marking has not exactly one of marking_ref and lang", "refer to a marking-definition")
		}
		selectors := stringsOf(g["selectors"])
		if len(selectors) == 0 {
			o.bad(admission.Missing, field+".selectors", "the granular marking selects nothing", "name what it marks")
		}
		for j, s := range selectors {
			if !selects(o.m, s) {
				o.bad(admission.Invalid, fmt.Sprintf("%s.selectors[%d]", field, j), "the selector "+quote(s)+" leads to nothing in the object", "correct the selector")
			}
		}
	}
}

// selects says whether a selector (a.b.[2].c) leads to a value.
func selects(v any, selector string) bool {
	for _, part := range strings.Split(selector, ".") {
		if strings.HasPrefix(part, "[") && strings.HasSuffix(part, "]") {
			list, _ := v.([]any)
			n, err := strconv.Atoi(part[1 : len(part)-1])
			if err != nil || n < 0 || n >= len(list) {
				return false
			}
			v = list[n]
			continue
		}
		m, _ := v.(map[string]any)
		x, ok := m[part]
		if !ok {
			return false
		}
		v = x
	}
	return true
}

// granularRefs lists the markings of the object's parts.
func (o *object) granularRefs() []string {
	list, _ := o.m["granular_markings"].([]any)
	var out []string
	for _, v := range list {
		g, _ := v.(map[string]any)
		if ref, ok := g["marking_ref"].(string); ok {
			out = append(out, ref)
		}
	}
	return out
}
