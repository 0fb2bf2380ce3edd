// Package cap turns Common Alerting Protocol messages into hazard reports and
// back: CAP 1.2 and 1.1, and 1.0 by a documented mapping; bare, wrapped in
// EDXL-DE, or embedded in Atom, RSS or any other XML.
//
// It fetches nothing: a feed that only links to its alerts holds none. It
// resolves no entity and no external DTD, checks no signature, and keeps no
// embedded file. DESIGN.md says what becomes of each element.
package cap

import (
	"fmt"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
)

// Decode reads every alert of a document, in document order; item n is "#n",
// counted from 0. A document that cannot be read is one refused item.
func Decode(data []byte, o codec.Options) []codec.Item {
	root, reasons := parse(data)
	if reasons != nil {
		return []codec.Item{{Where: "document", Reasons: reasons}}
	}
	found := find(root)
	if len(found) == 0 && !isFeed(root) {
		reasons.Add(admission.Malformed, root.local, fmt.Sprintf("the document <%s> holds no CAP alert", root.local),
			"send a CAP alert, or a feed or EDXL-DE message that holds some")
		return []codec.Item{{Where: "document", Reasons: reasons}}
	}
	items := make([]codec.Item, len(found))
	for i, f := range found {
		items[i] = f.item(o)
		items[i].Where = fmt.Sprintf("#%d", i)
	}
	return items
}

// item converts one found element.
func (f found) item(o codec.Options) codec.Item {
	if f.problem != "" {
		var r admission.Reasons
		r.Add(admission.Malformed, f.node.local, f.problem, "send CAP 1.2 or 1.1")
		return codec.Item{Reasons: r}
	}
	a, reasons := readAlert(f.node, versions[f.node.space])
	a.Wrapper = f.wrapper
	if reasons != nil {
		// Say everything that is wrong at once.
		more := a.Convert(o).Reasons
		return codec.Item{Reasons: append(reasons, more...)}
	}
	return a.Convert(o)
}
