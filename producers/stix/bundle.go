package stix

import (
	"cmp"
	"reflect"
	"slices"
	"time"

	"github.com/watchfloor/watchfloor/producers/codec"
	"github.com/watchfloor/watchfloor/proto/admission"
	wf "github.com/watchfloor/watchfloor/proto/watchfloor/v1"
)

// bundle is the graph of one document.
type bundle struct {
	options codec.Options
	objects []*object
	// newest is the newest accepted version of each id.
	newest map[string]*object
	// outgoing lists, by the id of the report that carries it, the
	// relationships folded into it, in document order.
	outgoing map[string][]*object
	// alone are relationships that are reports of their own.
	alone map[*object]bool
	// folded are the ids that some report has taken in.
	folded map[string]bool
	// latest is the latest version clock of the document.
	latest time.Time
	// labels holds the label of each object, as own found it.
	labels map[*object]ownLabel
	// budget is how often the document may still fold what is folded already.
	budget int
}

// ownLabel is the label that an object's own markings give it.
type ownLabel struct {
	label   *wf.Label
	reasons admission.Reasons
}

// maxFolded bounds what a document may grow to: the same observable may be
// folded into many reports, each time again.
const maxFolded = 1 << 17

func newBundle(list []any, o codec.Options) *bundle {
	b := &bundle{options: o, newest: map[string]*object{}, outgoing: map[string][]*object{}, alone: map[*object]bool{},
		folded: map[string]bool{}, labels: map[*object]ownLabel{}, budget: maxFolded}
	for i, v := range list {
		b.objects = append(b.objects, newObject(i, v))
	}
	b.versions()
	b.markings()
	b.relationships()
	for _, x := range b.objects {
		if v := x.version(); len(x.reasons) == 0 && v.After(b.latest) {
			b.latest = v
		}
	}
	return b
}

// history is what the document says of one id.
type history struct {
	first     *object
	byVersion map[int64]*object
	// revoked is the earliest version that revokes; zero when none does.
	revoked time.Time
}

// versions finds the newest version of every id, and refuses what contradicts
// an earlier object of the document.
func (b *bundle) versions() {
	byID := map[string]*history{}
	for _, o := range b.objects {
		if o.id == "" || len(o.reasons) > 0 {
			continue
		}
		h := byID[o.id]
		if h == nil {
			h = &history{first: o, byVersion: map[int64]*object{}}
			byID[o.id] = h
		}
		h.add(o)
	}
	for _, o := range b.objects {
		h := byID[o.id]
		if h == nil || len(o.reasons) > 0 {
			continue
		}
		if !h.revoked.IsZero() && o.version().After(h.revoked) {
			o.bad(admission.Conflict, "revoked", "an earlier version revoked the object", "a revoked object has no later version")
			continue
		}
		if n := b.newest[o.id]; n == nil || o.version().After(n.version()) {
			b.newest[o.id] = o
		}
	}
}

// add compares o with the earlier objects of its id.
func (h *history) add(o *object) {
	version := o.version().UnixNano()
	same := h.byVersion[version]
	switch {
	case same != nil && !reflect.DeepEqual(o.m, same.m):
		o.bad(admission.Conflict, "id", "the bundle holds the same id and version with other content", "give the new version a later modified")
	case !o.created.Equal(h.first.created):
		o.bad(admission.Conflict, "created", "another version of the object was created at another time", "a new version keeps created")
	case o.str("created_by_ref") != h.first.str("created_by_ref"):
		o.bad(admission.Conflict, "created_by_ref", "another version of the object has another creator", "only the creator makes versions; others derive an object of their own")
	case same == nil:
		h.byVersion[version] = o
	}
	if len(o.reasons) == 0 && o.flag("revoked") && (h.revoked.IsZero() || o.version().Before(h.revoked)) {
		h.revoked = o.version()
	}
}

// markings refuses every object whose marking cannot be read, before anything
// is folded: what is refused reaches no report.
func (b *bundle) markings() {
	for _, o := range b.objects {
		if len(o.reasons) == 0 {
			_, reasons := b.own(o)
			o.reasons = append(o.reasons, reasons...)
		}
	}
	for id, o := range b.newest {
		if len(o.reasons) > 0 && o.typ != "marking-definition" {
			delete(b.newest, id)
		}
	}
}

// relationships decides which report carries each one: that of its source,
// else that of its target, else its own. One that is marked stricter than its
// carrier is a report of its own, so that it does not lift the carrier.
func (b *bundle) relationships() {
	for _, o := range b.objects {
		if o.typ != "relationship" || len(o.reasons) > 0 || b.newest[o.id] != o {
			continue
		}
		carrier := b.carrier(o.str("source_ref"), o)
		if carrier == nil {
			carrier = b.carrier(o.str("target_ref"), o)
		}
		if carrier == nil || o.flag("revoked") {
			b.alone[o] = true
			continue
		}
		b.outgoing[carrier.id] = append(b.outgoing[carrier.id], o)
		b.folded[o.id] = true
	}
}

// carrier is the object of that id if it is a report and may carry r.
func (b *bundle) carrier(id string, r *object) *object {
	o := b.newest[id]
	if o == nil || o.shape().folded || o.flag("revoked") {
		return nil
	}
	own, _ := b.own(r)
	if own == nil {
		return o
	}
	have, _ := b.own(o)
	if have == nil {
		have = b.options.Label
	}
	if joined, err := codec.Join(have, own); err != nil || !sameMarking(joined, have) {
		return nil
	}
	return o
}

func sameMarking(a, b *wf.Label) bool {
	return a.GetLevel() == b.GetLevel() && a.GetTlp() == b.GetTlp() && sameSet(a.GetSides(), b.GetSides()) &&
		sameSet(a.GetCompartments(), b.GetCompartments()) && sameSet(a.GetControls(), b.GetControls()) &&
		sameSet(a.GetReleasableTo(), b.GetReleasableTo())
}

func sameSet[T cmp.Ordered](a, b []T) bool {
	x, y := slices.Clone(a), slices.Clone(b)
	slices.Sort(x)
	slices.Sort(y)
	return slices.Equal(x, y)
}

// items converts the document: first what states something, then what
// nothing has taken in.
func (b *bundle) items() []codec.Item {
	out := make([]*codec.Item, len(b.objects))
	b.extensions()
	for i, o := range b.objects {
		switch {
		case len(o.reasons) > 0:
			out[i] = &codec.Item{Reasons: o.reasons}
		case !o.shape().folded || b.alone[o]:
			out[i] = b.report(o)
		}
	}
	for _, rootsOnly := range []bool{true, false} {
		referred := b.referred(rootsOnly)
		for i, o := range b.objects {
			if out[i] == nil && !b.folded[o.id] && !referred[o.id] {
				out[i] = b.report(o)
			}
		}
	}
	var items []codec.Item
	for i, it := range out {
		if it != nil {
			it.Where = where(i)
			items = append(items, *it)
		}
	}
	return items
}

// extensions folds the definitions of the extensions that are in use.
func (b *bundle) extensions() {
	for _, o := range b.objects {
		used, _ := o.m["extensions"].(map[string]any)
		for id := range used {
			if typeOf(id) == "extension-definition" {
				b.fold(id)
			}
		}
	}
}

// referred are the ids that folded objects refer to: their turn comes after
// those that nothing refers to, which take them in.
func (b *bundle) referred(rootsOnly bool) map[string]bool {
	out := map[string]bool{}
	if !rootsOnly {
		return out
	}
	for _, o := range b.objects {
		if len(o.reasons) > 0 || !o.shape().folded || b.folded[o.id] {
			continue
		}
		for _, id := range o.refs() {
			if id != o.id {
				out[id] = true
			}
		}
	}
	return out
}

// fold takes the object of that id into a report; nil when it is not in the
// document or is a report itself.
func (b *bundle) fold(id string) *object {
	o := b.newest[id]
	if o == nil || len(o.reasons) > 0 || !o.shape().folded || o.typ == "relationship" {
		return nil
	}
	b.folded[id] = true
	return o
}
