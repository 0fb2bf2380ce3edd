// Package stix turns STIX 2.1 content into reports and back.
//
// A bundle is a graph, a report is a statement. Every object that states
// something (indicator, sighting, incident, campaign, report ...) becomes one
// report; what only describes (identity, location, observables, markings,
// relationships) is folded into the reports that refer to it, and is a report
// of its own when none does. DESIGN.md has the rules.
//
// It follows no link, asks no TAXII server and runs no pattern: it reads the
// observables out of a pattern's equalities and keeps the text.
package stix

import (
	"fmt"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
)

// Format is the source format of the reports.
const Format = "stix-2.1"

// Decode reads a bundle, a list of objects or one object. Items are named
// "objects[12]" by the object they come from, a bare one "object".
func Decode(data []byte, o codec.Options) []codec.Item {
	root, reasons := codec.ParseJSON(data)
	if reasons != nil {
		return []codec.Item{{Where: "document", Reasons: reasons}}
	}
	list, single, problem := objectsOf(root)
	if problem != "" {
		reasons.Add(admission.Malformed, "", problem, "send a STIX 2.1 bundle or object")
		return []codec.Item{{Where: "document", Reasons: reasons}}
	}
	b := newBundle(list, o)
	items := b.items()
	if single {
		for i := range items {
			items[i].Where = "object"
		}
	}
	return items
}

// objectsOf finds the objects of a document.
func objectsOf(root any) (list []any, single bool, problem string) {
	switch v := root.(type) {
	case []any:
		return v, false, ""
	case map[string]any:
		if v["type"] != "bundle" {
			if _, ok := v["type"].(string); !ok {
				return nil, false, "the document is no STIX object: it has no type"
			}
			return []any{v}, true, ""
		}
		if v["objects"] == nil {
			return nil, false, ""
		}
		list, ok := v["objects"].([]any)
		if !ok {
			return nil, false, "the objects of the bundle are no list"
		}
		return list, false, ""
	}
	return nil, false, "the document is neither an object nor a list"
}

func where(i int) string { return fmt.Sprintf("objects[%d]", i) }
